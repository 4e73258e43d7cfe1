//! Functions of one element by name. A new one is a line in a `unary!`, here or in a file of its own; its row in firn-core reads
//! `x.map(functions::exp)`, with numbers `x.map(|x| functions::elu(x, alpha))`.

use crate::map::{unary, unary_unless};

unary! {
    neg(x) = -x;
    square(x) = x * x;
    cube(x) = x * x * x;
    power(x, exponent) = x.pow(exponent);
    scale(x, factor) = x * factor;
    abs(x) = x.abs();
    sign(x) = x.sign();
    exp(x) = x.exp();
    exp2(x) = x.exp2();
    expm1(x) = x.expm1();
    log(x) = x.log();
    log2(x) = x.log2();
    log10(x) = x.log10();
    log1p(x) = x.log1p();
    sqrt(x) = x.sqrt();
    rsqrt(x) = T::of(1.0) / x.sqrt();
    reciprocal(x) = T::of(1.0) / x;
    tanh(x) = x.tanh();
    erf(x) = x.erf();
    floor(x) = x.floor();
    ceil(x) = x.ceil();
    trunc(x) = x.trunc();
    /// To the nearest whole number, halves to even.
    round(x) = x.round_even();
    /// Bounds each element; NaN stays.
    clamp(x, min, max) = {
        let x = if x < min { min } else { x };
        if x > max { max } else { x }
    };
    /// `max(x, 0)`; NaN stays.
    relu(x) = if x < T::of(0.0) { T::of(0.0) } else { x };
    leaky_relu(x, slope) = if x > T::of(0.0) { x } else { x * slope };
    elu(x, alpha) = if x > T::of(0.0) { x } else { x.expm1() * alpha };
    sigmoid(x) = x.sigmoid();
    softplus(x) = x.softplus();
    silu(x) = x / (T::of(1.0) + (-x).exp());
    mish(x) = x * x.tanh_softplus();
    gelu(x) = x * x.normal_cdf();
    /// By the tanh formula, which is `x * sigmoid(2 u)`.
    gelu_tanh(x) = {
        let u = x * (T::of(1.595_769_121_605_730_7) + x * x * T::of(0.071_354_816_272_600_25));
        x * u.sigmoid()
    };
}

unary_unless! {
    sin = sin unless is_far_angle then sin_far;
    cos = cos unless is_far_angle then cos_far;
    tan = tan unless is_far_angle then tan_far;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::{Floats, Made};

    fn single(f: impl FnOnce(Floats<'_>) -> Made, x: &[f32]) -> Vec<f32> {
        match f(Floats::F32(x)) {
            Made::F32(y) => y,
            Made::F64(_) => panic!("the precision changed"),
        }
    }

    /// Distance in units of the last place of what is expected.
    fn ulps(got: f32, expected: f64) -> f64 {
        let nearest = expected as f32;
        if got == nearest || (got.is_nan() && expected.is_nan()) {
            return 0.0;
        }
        let unit = f64::from(f32::from_bits(nearest.abs().to_bits() + 1)) - f64::from(nearest.abs());
        (f64::from(got) - expected).abs() / unit
    }

    /// Numbers of every magnitude between the bounds, both signs where they allow.
    fn sample(low: f32, high: f32) -> Vec<f32> {
        let mut state = 1_u32;
        let every = (0..=u32::MAX >> 9).map(|i| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223 + i);
            f32::from_bits((i << 9) | (state >> 23))
        });
        let even = (0..100_000).map(|i| low.max(-1e30) + (high.min(1e30) - low.max(-1e30)) * (i as f32 / 99_999.0));
        every.filter(|&x| x >= low && x <= high).step_by(7).chain(even).collect()
    }

    #[test]
    fn functions_of_f32_are_accurate() {
        type Case = (&'static str, fn(Floats<'_>) -> Made, fn(f64) -> f64, f32, f32, f64);
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let cases: &[Case] = &[
            ("exp", exp, f64::exp, -104.0, 89.0, 1.5),
            ("exp2", exp2, f64::exp2, -150.0, 128.0, 1.5),
            ("expm1", expm1, f64::exp_m1, -50.0, 89.0, 2.0),
            ("log", log, f64::ln, 0.0, f32::MAX, 1.5),
            ("log2", log2, f64::log2, 0.0, f32::MAX, 1.5),
            ("log10", log10, f64::log10, 0.0, f32::MAX, 1.5),
            ("log1p", log1p, f64::ln_1p, -1.0, f32::MAX, 1.5),
            ("tanh", tanh, f64::tanh, -20.0, 20.0, 1.5),
            ("erf", erf, libm::erf, -5.0, 5.0, 1.5),
            ("sin", sin, f64::sin, -1e30, 1e30, 1.0),
            ("cos", cos, f64::cos, -1e30, 1e30, 1.0),
            ("tan", tan, f64::tan, -1e30, 1e30, 1.0),
            ("sigmoid", sigmoid32, sigmoid, -87.0, 50.0, 3.0),
            ("softplus", softplus, |x| x.max(0.0) + (-x.abs()).exp().ln_1p(), -87.0, 50.0, 3.0),
            ("gelu", gelu, |x| x * 0.5 * libm::erfc(-x / 2.0_f64.sqrt()), -1.0, 50.0, 6.0),
            ("silu", silu, |x| x / (1.0 + (-x).exp()), -80.0, 50.0, 3.0),
            ("mish", mish, |x| x * x.exp().ln_1p().tanh(), -80.0, 50.0, 4.0),
        ];
        fn sigmoid32(x: Floats<'_>) -> Made {
            super::sigmoid(x)
        }
        for &(name, f, exact, low, high, limit) in cases {
            let x = sample(low, high);
            let y = single(f, &x);
            let worst = x
                .iter()
                .zip(&y)
                .map(|(&x, &y)| (ulps(y, exact(f64::from(x))), x, y))
                .fold((0.0, 0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a });
            println!("{name}: {:.3} ulp at {:e}, {:e}", worst.0, worst.1, worst.2);
            assert!(worst.0 <= limit, "{name}({:e}) = {:e} is {} ulp off", worst.1, worst.2, worst.0);
        }
    }

    #[test]
    fn edges_are_those_of_the_standard_library() {
        const INF: f32 = f32::INFINITY;
        let x = [0.0, -0.0, INF, -INF, f32::NAN, 1.0, -1.0, -2.0, 1e-45, -1e-45, 1e-38, -1e-38, f32::MAX, f32::MIN, 100.0, -100.0, 1e10];
        type Case = (&'static str, fn(Floats<'_>) -> Made, fn(f64) -> f64);
        let cases: &[Case] = &[
            ("exp", exp, f64::exp),
            ("exp2", exp2, f64::exp2),
            ("expm1", expm1, f64::exp_m1),
            ("log", log, f64::ln),
            ("log2", log2, f64::log2),
            ("log10", log10, f64::log10),
            ("log1p", log1p, f64::ln_1p),
            ("tanh", tanh, f64::tanh),
            ("erf", erf, libm::erf),
            ("sin", sin, f64::sin),
            ("cos", cos, f64::cos),
            ("tan", tan, f64::tan),
            ("sqrt", sqrt, f64::sqrt),
            ("round", round, f64::round_ties_even),
        ];
        for &(name, f, exact) in cases {
            for (&x, y) in x.iter().zip(single(f, &x)) {
                let expected = exact(f64::from(x));
                assert!(
                    ulps(y, expected) <= 2.0 && (y.is_nan() || y.is_sign_negative() == expected.is_sign_negative()),
                    "{name}({x:e}) = {y:e}, not {expected:e}"
                );
            }
        }
    }

    #[test]
    fn powers_are_those_of_f64_rounded() {
        let magnitudes = [0.0, 1.0, f32::INFINITY, f32::NAN, 2.0, 0.5, 3.0, 1.5, 1e-45, 1e-38, 16_777_217.0, 8_388_607.5, f32::MAX, 0.1];
        let edges: Vec<f32> = magnitudes.iter().flat_map(|&x| [x, -x]).collect();
        let mut worst = 0.0_f64;
        let mut check = |x: &[f32], exponent: f32| {
            for (&x, y) in x.iter().zip(single(move |x| power(x, f64::from(exponent)), x)) {
                let expected = f64::from(x).powf(f64::from(exponent));
                let off = ulps(y, expected);
                assert!(
                    off <= 0.51 && (y.is_nan() || y.is_sign_negative() == expected.is_sign_negative()),
                    "{x:e} to the power of {exponent:e} is {y:e}, {off} ulp from {expected:e}"
                );
                worst = worst.max(off);
            }
        };
        edges.iter().for_each(|&exponent| check(&edges, exponent));
        [1.5, -0.5, 0.333, 7.0, 2.7182817, -1.0].into_iter().for_each(|exponent| check(&sample(0.0, f32::MAX), exponent));
        [60.0, -60.0, 1000.0, 1e6].into_iter().for_each(|exponent| check(&sample(0.5, 2.0), exponent));
        println!("power: {worst:.3} ulp");
    }

    #[test]
    fn every_length_gives_each_element_the_same_value() {
        let x: Vec<f32> = (0..70_000).map(|i| (i as f32 * 0.37).sin() * 9.0).collect();
        for f in [exp, tanh, gelu, sin] {
            let whole = single(f, &x);
            for length in 0..70 {
                assert_eq!(single(f, &x[..length]), whole[..length]);
            }
        }
    }
}

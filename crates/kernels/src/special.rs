//! Special functions in float64 that the standard library has not.

use std::f64::consts::PI;

/// The inverse of `erf`: Giles' approximation ("Approximating the erfinv function", GPU Computing Gems, 2011), then two steps of Newton.
pub fn erfinv(y: f64) -> f64 {
    if y.is_nan() || y.abs() > 1.0 {
        return f64::NAN;
    }
    if y.abs() == 1.0 {
        return y * f64::INFINITY;
    }
    let w = -((1.0 - y) * (1.0 + y)).ln();
    let horner = |w: f64, c: [f64; 9]| c.into_iter().fold(0.0, |p, c| p * w + c);
    let mut x = y * if w < 5.0 {
        let c = [
            2.81022636e-08,
            3.43273939e-07,
            -3.5233877e-06,
            -4.39150654e-06,
            0.00021858087,
            -0.00125372503,
            -0.00417768164,
            0.246640727,
            1.50140941,
        ];
        horner(w - 2.5, c)
    } else {
        let c = [
            -0.000200214257,
            0.000100950558,
            0.00134934322,
            -0.00367342844,
            0.00573950773,
            -0.0076224613,
            0.00943887047,
            1.00167406,
            2.83297682,
        ];
        horner(w.sqrt() - 3.0, c)
    };
    for _ in 0..2 {
        // Beside 1 the difference is taken of erfc, which keeps its digits there.
        let error = if y > 0.5 {
            (1.0 - y) - libm::erfc(x)
        } else if y < -0.5 {
            libm::erfc(-x) - (1.0 + y)
        } else {
            libm::erf(x) - y
        };
        x -= error / (2.0 / PI.sqrt() * (-x * x).exp());
    }
    x
}

/// The derivative of `lgamma`: recurrence up to 10, then the asymptotic series (Abramowitz and Stegun, 6.3.18); reflected below 0.
pub fn digamma(x: f64) -> f64 {
    if x == 0.0 {
        return -f64::INFINITY.copysign(x);
    }
    if x < 0.0 {
        if x == x.trunc() {
            return f64::NAN;
        }
        // The fraction first: a tangent of a large angle has no digits left.
        return digamma(1.0 - x) - PI / (PI * x.fract()).tan();
    }
    let (mut x, mut sum) = (x, 0.0);
    while x < 10.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let z = 1.0 / (x * x);
    let bernoulli = [1.0 / 12.0, -691.0 / 32760.0, 1.0 / 132.0, -1.0 / 240.0, 1.0 / 252.0, -1.0 / 120.0, 1.0 / 12.0];
    sum + x.ln() - 0.5 / x - z * bernoulli.into_iter().fold(0.0, |p, c| p * z + c)
}

/// The derivative of order `n >= 1` of `digamma`: `(-1)^(n + 1) n! zeta(n + 1, x)`.
pub fn polygamma(n: u32, x: f64) -> f64 {
    let factorial: f64 = (1..=n).map(f64::from).product();
    let sign = if n % 2 == 1 { 1.0 } else { -1.0 };
    sign * factorial * hurwitz_zeta(f64::from(n) + 1.0, x)
}

/// `sum over k >= 0 of (x + k)^-s` by Euler and Maclaurin (Cephes, zeta.c, S. Moshier).
fn hurwitz_zeta(s: f64, x: f64) -> f64 {
    const COEFFICIENTS: [f64; 12] = [
        12.0,
        -720.0,
        30240.0,
        -1209600.0,
        47900160.0,
        -1.8924375803183791606e9,
        7.47242496e10,
        -2.950130727918164224e12,
        1.1646782814350067249e14,
        -4.5979787224074726105e15,
        1.8152105401943546773e17,
        -7.1661652561756670113e18,
    ];
    if x.is_nan() || x == f64::INFINITY {
        return if x.is_nan() { x } else { 0.0 };
    }
    if x <= 0.0 && x == x.floor() {
        return f64::INFINITY;
    }
    if x <= 0.0 && s != s.floor() {
        return f64::NAN;
    }
    let (mut sum, mut at, mut term) = (x.powf(-s), x, 0.0);
    for i in 0.. {
        if i >= 9 && at > 9.0 {
            break;
        }
        at += 1.0;
        term = at.powf(-s);
        sum += term;
        if (term / sum).abs() < f64::EPSILON / 2.0 {
            return sum;
        }
    }
    sum += term * at / (s - 1.0) - 0.5 * term;
    let (mut factor, mut k) = (1.0, 0.0);
    for c in COEFFICIENTS {
        factor *= s + k;
        term /= at;
        let part = factor * term / c;
        sum += part;
        if (part / sum).abs() < f64::EPSILON / 2.0 {
            break;
        }
        k += 1.0;
        factor *= s + k;
        term /= at;
        k += 1.0;
    }
    sum
}

/// A modified Bessel function of the first kind by its power series, and by its asymptotic one from 20 on (Abramowitz and Stegun, 9.6.10 and
/// 9.7.1).
fn bessel_i(order: f64, x: f64) -> f64 {
    let z = x.abs();
    if z <= 20.0 {
        let quarter = z * z / 4.0;
        let (mut term, mut sum, mut k) = ((z / 2.0).powf(order), 0.0, 0.0);
        while term > sum * f64::EPSILON * 1e-2 {
            sum += term;
            k += 1.0;
            term *= quarter / (k * (k + order));
        }
        return sum;
    }
    let mu = 4.0 * order * order;
    let (mut term, mut sum, mut k) = (1.0_f64, 1.0_f64, 1.0);
    while k < 2.0 * z {
        let next = -term * (mu - (2.0 * k - 1.0) * (2.0 * k - 1.0)) / (k * 8.0 * z);
        if next.abs() >= term.abs() || next.abs() < f64::EPSILON * 1e-2 {
            break;
        }
        term = next;
        sum += term;
        k += 1.0;
    }
    // In two factors, so that it overflows only where the result does.
    (z / 2.0).exp() * (sum / (2.0 * PI * z).sqrt()) * (z / 2.0).exp()
}

/// The modified Bessel function of the first kind of order 0.
pub fn i0(x: f64) -> f64 {
    if x.is_infinite() { f64::INFINITY } else { bessel_i(0.0, x) }
}

/// The modified Bessel function of the first kind of order 1.
pub fn i1(x: f64) -> f64 {
    if x.is_infinite() { x } else { bessel_i(1.0, x) * x.signum() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_the_tables() {
        for (got, expected) in [
            (erfinv(0.5), 0.476_936_276_204_469_87),
            (erfinv(-0.75), -0.813_419_847_597_618_5),
            (digamma(1.0), -0.577_215_664_901_532_9),
            (digamma(-0.5), 0.036_489_973_978_576_52),
            (polygamma(1, 1.0), PI * PI / 6.0),
            (polygamma(2, 1.0), -2.404_113_806_319_188_6),
            (i0(1.0), 1.266_065_877_752_008_4),
            (i1(-2.0), -1.590_636_854_637_329_1),
            (i0(30.0), 7.816_722_978_239_774e11),
        ] {
            assert!((got - expected).abs() <= 4e-15 * expected.abs(), "{got} and {expected}");
        }
    }
}

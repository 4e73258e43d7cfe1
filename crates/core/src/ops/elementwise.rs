//! Arithmetic and functions of each element.

use burn_backend::ops::{FloatTensorOps, IntTensorOps};
use burn_dispatch::Dispatch;
use firn_kernels::map::{Floats, Made};
use firn_kernels::slopes::{Erf, Tanh};
use firn_kernels::zip::Arithmetic as Exact;
use firn_kernels::{elementwise as kernels, functions};

use super::activation::slope;
use super::binary::{Scalar, binary, extremum};
use super::compare::{eq, gt, lt, where_};
use super::{Arithmetic, Floating, Operand, Promoted, Quotient, ops};
use crate::create::{full, zeros_like};
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::pairs::Pair;
use crate::tensor::{Tensor, Value};

/// `a + b` of one shape and dtype off the tape, into the storage of either where nobody else holds it.
pub(crate) fn add_owned(a: Tensor, b: Tensor) -> Result<Tensor> {
    let dtype = a.dtype();
    Ok(Tensor::new(Dispatch::float_add(a.into_value(), b.into_value()), dtype))
}

fn tensor_of(x: &Operand, like: &Operand) -> Result<Tensor> {
    match like {
        Operand::Tensor(like) => x.tensor(like.dtype()),
        Operand::Number(_) => x.tensor(DType::Float32),
    }
}

/// `float` of the elements, or for integers the engine's function; booleans stay as they are.
fn real_map(x: &Tensor, float: fn(Floats<'_>) -> Made, int: impl FnOnce(Value) -> Value) -> Result<Tensor> {
    if x.dtype().is_float() { x.map(float) } else { Ok(x.kind_map(|x| x, int, |x| x)) }
}

/// The gradient of a maximum or minimum: all to the winner, half to each where equal, all to both beside NaN, as PyTorch.
pub(crate) fn share(g: &Tensor, loses: &Tensor, ties: &Tensor) -> Result<Tensor> {
    let halved = where_(ties, &(g * 0.5).into(), &g.into())?;
    where_(loses, &0.0.into(), &halved.into())
}

ops! {
    /// Sum, `a + b`, with broadcasting.
    #[example("tensor([1, 2]).add(tensor([[10], [20]])) // [[11, 12], [21, 22]]", "add(1, tensor([2, 3])) // [3, 4]")]
    #[face(method, free)]
    #[check(binary, -2.0, 2.0)]
    fn add(a: &Operand, b: &Operand) -> Arithmetic {
        binary(
            a,
            b,
            Some((Pair::Exact(Exact::Add), kernels::add)),
            (Dispatch::float_add, Dispatch::float_add_scalar),
            Some((Dispatch::int_add, Dispatch::int_add_scalar)),
        )
    }
    grad(g) { a: g.clone(), b: g.clone() }

    /// Difference, `a - b`, with broadcasting.
    #[example("tensor([5, 7]).sub(2) // [3, 5]")]
    #[face(method, free)]
    #[check(binary, -2.0, 2.0)]
    fn sub(a: &Operand, b: &Operand) -> Arithmetic {
        binary(
            a,
            b,
            Some((Pair::Exact(Exact::Sub), kernels::sub)),
            (Dispatch::float_sub, Dispatch::float_sub_scalar),
            Some((Dispatch::int_sub, Dispatch::int_sub_scalar)),
        )
    }
    grad(g) { a: g.clone(), b: -g }

    /// Product of elements, `a * b`, with broadcasting.
    #[example("tensor([1, 2, 3]).mul(tensor([2, 2, 0])) // [2, 4, 0]")]
    #[face(method, free)]
    #[check(binary, -2.0, 2.0)]
    fn mul(a: &Operand, b: &Operand) -> Arithmetic {
        binary(
            a,
            b,
            Some((Pair::Exact(Exact::Mul), kernels::mul)),
            (Dispatch::float_mul, Dispatch::float_mul_scalar),
            Some((Dispatch::int_mul, Dispatch::int_mul_scalar)),
        )
    }
    grad(g; a, b) { a: g * b, b: g * a }

    /// Quotient, `a / b`, with broadcasting; integers give float32.
    #[example("tensor([1, 2]).div(4) // [0.25, 0.5]")]
    #[face(method, free)]
    #[check(binary, 0.5, 2.0)]
    fn div(a: &Operand, b: &Operand) -> Quotient {
        // True division leaves the integers, so a fractional number is welcome.
        let float = |x: &Operand| match x {
            Operand::Tensor(t) if !t.dtype().is_float() => Operand::Tensor(Tensor::new(t.value_as(DType::Float32), DType::Float32)),
            other => other.clone(),
        };
        match (a, b) {
            (Operand::Tensor(x), Operand::Tensor(y)) if x.dtype().is_float() || y.dtype().is_float() => {
                binary(a, b, Some((Pair::Divide, kernels::div)), (Dispatch::float_div, Dispatch::float_div_scalar), None)
            }
            _ => binary(&float(a), &float(b), Some((Pair::Divide, kernels::div)), (Dispatch::float_div, Dispatch::float_div_scalar), None),
        }
    }
    grad(g, y; b) { a: g / &tensor_of(b, &y.into())?, b: -(g * y) / &tensor_of(b, &y.into())? }

    /// Power, `a ** b`, with broadcasting.
    #[example("tensor([1, 2, 3]).pow(2) // [1, 4, 9]", "pow(2, tensor([1, 2, 3])) // [2, 4, 8]")]
    #[face(method, free)]
    #[check(binary, 0.5, 2.0)]
    #[autocast(full)]
    fn pow(a: &Operand, b: &Operand) -> Arithmetic {
        if let (Operand::Tensor(x), Operand::Number(n)) = (a, b)
            && !x.dtype().is_float()
            && *n < 0.0
        {
            bail!(Dtype, "{n} as the power of a tensor of dtype {} gives fractions; convert it first: x.to('float32')", x.dtype().name());
        }
        match (a, b) {
            (Operand::Tensor(x), Operand::Number(2.0)) if x.dtype().is_float() => return x.map(functions::square),
            (Operand::Tensor(x), Operand::Number(3.0)) if x.dtype().is_float() => return x.map(functions::cube),
            (Operand::Tensor(x), Operand::Number(n)) if x.dtype().is_float() => return x.map(|x| functions::power(x, *n)),
            _ => {}
        }
        binary(
            a,
            b,
            Some((Pair::Power, kernels::pow)),
            (Dispatch::float_powf, Dispatch::float_powf_scalar),
            Some((Dispatch::int_powi, Dispatch::int_powi_scalar)),
        )
    }
    grad(g, y; a, b) {
        a: match b {
            Operand::Number(2.0) => g * a * 2.0,
            // 0 * a^-1 would be NaN at a = 0.
            Operand::Number(0.0) => zeros_like(g)?,
            Operand::Number(n) => g * &(&pow(a, &(n - 1.0).into())? * *n),
            Operand::Tensor(_) => {
                let n = &match tensor_of(b, &y.into())? {
                    n if n.dtype() == DType::Bool => Tensor::new(n.value_as(y.dtype()), y.dtype()),
                    n => n,
                };
                let slope = n * &pow(a, &(n - 1.0).into())?;
                g * &where_(&eq(b, &0.0.into())?, &0.0.into(), &slope.into())?
            }
        },
        b: {
            let base = tensor_of(a, &y.into())?;
            let slope = y * &log(&base)?;
            g * &where_(&eq(&base.into(), &0.0.into())?, &0.0.into(), &slope.into())?
        }
    }

    /// Larger of two elements; at equality both share the gradient.
    #[example("tensor([1, 5]).maximum(tensor([3, 4])) // [3, 5]")]
    #[face(method, free)]
    #[check(binary, -2.0, 2.0)]
    fn maximum(a: &Operand, b: &Operand) -> Promoted { extremum(Exact::Maximum, a, b, gt) }
    grad(g; a, b) { a: share(g, &lt(a, b)?, &eq(a, b)?)?, b: share(g, &gt(a, b)?, &eq(a, b)?)? }

    /// Smaller of two elements; at equality both share the gradient.
    #[example("tensor([1, 5]).minimum(3) // [1, 3]")]
    #[face(method, free)]
    #[check(binary, -2.0, 2.0)]
    fn minimum(a: &Operand, b: &Operand) -> Promoted { extremum(Exact::Minimum, a, b, lt) }
    grad(g; a, b) { a: share(g, &gt(a, b)?, &eq(a, b)?)?, b: share(g, &lt(a, b)?, &eq(a, b)?)? }

    /// Negation, `-x`.
    #[example("tensor([1, -2]).neg() // [-1, 2]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    fn neg(x: &Tensor) -> Tensor {
        if x.dtype() == DType::Bool {
            bail!(Dtype, "a boolean tensor has no negative; use .logicalNot()");
        }
        real_map(x, functions::neg, Dispatch::int_neg)
    }
    grad(g) { x: -g }

    /// Absolute value; its gradient at 0 is 0.
    #[example("tensor([-1, 0, 2]).abs() // [1, 0, 2]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    fn abs(x: &Tensor) -> Tensor { real_map(x, functions::abs, Dispatch::int_abs) }
    grad(g; x) { x: g * &sign(x)? }

    /// Sign: -1, 0 or 1; its gradient is 0.
    #[example("tensor([-0.5, 0, 2]).sign() // [-1, 0, 1]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    fn sign(x: &Tensor) -> Tensor { real_map(x, functions::sign, Dispatch::int_sign) }
    grad(g) { x: zeros_like(g)? }

    /// Exponential, `e^x`.
    #[example("tensor([0, 1]).exp() // [1, 2.71828]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    #[autocast(full)]
    fn exp(x: &Tensor) -> Floating { x.map(functions::exp) }
    grad(g, y) { x: g * y }

    /// `e^x - 1`, accurate near 0.
    #[example("tensor([0, 1]).expm1() // [0, 1.71828]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    #[autocast(full)]
    fn expm1(x: &Tensor) -> Floating { x.map(functions::expm1) }
    grad(g, y) { x: g * (y + 1.0) }

    /// Natural logarithm; NaN for negative input.
    #[example("tensor([1, Math.E, -1]).log() // [0, 1, NaN]")]
    #[face(method)]
    #[check(unary, 0.1, 4.0)]
    #[autocast(full)]
    fn log(x: &Tensor) -> Floating { x.map(functions::log) }
    grad(g; x) { x: g / x }

    /// `log(1 + x)`, accurate near 0.
    #[example("tensor([0, 1]).log1p() // [0, 0.693147]")]
    #[face(method)]
    #[check(unary, -0.5, 4.0)]
    #[autocast(full)]
    fn log1p(x: &Tensor) -> Floating { x.map(functions::log1p) }
    grad(g; x) { x: g / (x + 1.0) }

    /// Square root; NaN for negative input.
    #[example("tensor([4, 9, -1]).sqrt() // [2, 3, NaN]")]
    #[face(method)]
    #[check(unary, 0.1, 4.0)]
    fn sqrt(x: &Tensor) -> Floating { x.map(functions::sqrt) }
    grad(g, y) { x: g / (y * 2.0) }

    /// Reciprocal square root, `1 / sqrt(x)`.
    #[example("tensor([4, 0]).rsqrt() // [0.5, Infinity]")]
    #[face(method)]
    #[check(unary, 0.1, 4.0)]
    #[autocast(full)]
    fn rsqrt(x: &Tensor) -> Floating { x.map(functions::rsqrt) }
    grad(g, y; x) { x: g * y / (x * -2.0) }

    /// Square, `x * x`.
    #[example("tensor([-2, 3]).square() // [4, 9]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    fn square(x: &Tensor) -> Tensor { mul(&x.into(), &x.into()) }
    grad(g; x) { x: g * x * 2.0 }

    /// Reciprocal, `1 / x`.
    #[example("tensor([2, 4]).reciprocal() // [0.5, 0.25]")]
    #[face(method)]
    #[check(unary, 0.5, 2.0)]
    #[autocast(full)]
    fn reciprocal(x: &Tensor) -> Floating { x.map(functions::reciprocal) }
    grad(g, y) { x: -(g * y * y) }

    /// Sine of an angle in radians.
    #[example("tensor([0, Math.PI / 2]).sin() // [0, 1]")]
    #[face(method)]
    #[check(unary, -3.0, 3.0)]
    fn sin(x: &Tensor) -> Floating { x.map(functions::sin) }
    grad(g; x) { x: g * &cos(x)? }

    /// Cosine of an angle in radians.
    #[example("tensor([0, Math.PI]).cos() // [1, -1]")]
    #[face(method)]
    #[check(unary, -3.0, 3.0)]
    fn cos(x: &Tensor) -> Floating { x.map(functions::cos) }
    grad(g; x) { x: -(g * &sin(x)?) }

    /// Hyperbolic tangent.
    #[example("tensor([0, 1]).tanh() // [0, 0.761594]")]
    #[face(method, functional)]
    #[check(unary, -2.0, 2.0)]
    fn tanh(x: &Tensor) -> Floating { x.map(functions::tanh) }
    grad(g, y) { x: slope(Tanh {}, g, y, || Ok(g * (1.0 - y * y)))? }

    /// Error function, `2 / sqrt(pi) * integral of e^(-t^2) from 0 to x`.
    #[example("tensor([0, 1]).erf() // [0, 0.842701]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    fn erf(x: &Tensor) -> Floating { x.map(functions::erf) }
    grad(g; x) { x: slope(Erf {}, g, x, || Ok(g * &exp(&-square(x)?)? * std::f64::consts::FRAC_2_SQRT_PI))? }

    /// Rounds down; its gradient is 0.
    #[example("tensor([1.7, -1.2]).floor() // [1, -2]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    fn floor(x: &Tensor) -> Tensor { real_map(x, functions::floor, |x| x) }
    grad(g) { x: zeros_like(g)? }

    /// Rounds up; its gradient is 0.
    #[example("tensor([1.2, -1.7]).ceil() // [2, -1]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    fn ceil(x: &Tensor) -> Tensor { real_map(x, functions::ceil, |x| x) }
    grad(g) { x: zeros_like(g)? }

    /// Rounds to the nearest whole number, halves to even; its gradient is 0.
    #[example("tensor([0.5, 1.5, -1.2]).round() // [0, 2, -1]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    fn round(x: &Tensor) -> Tensor { real_map(x, functions::round, |x| x) }
    grad(g) { x: zeros_like(g)? }

    /// Bounds each element to `[min, max]`; at the bounds and outside, the gradient is 0.
    #[example("tensor([-2, 0.5, 3]).clamp({ min: 0, max: 1 }) // [0, 0.5, 1]")]
    #[face(method)]
    #[check(cases)]
    fn clamp(x: &Tensor; min: Option<f64> = None, max: Option<f64> = None) -> Tensor {
        if x.dtype().is_float() && (min.is_some() || max.is_some()) {
            let (low, high) = (min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY));
            // NaN for a bound makes everything NaN.
            return if low.is_nan() || high.is_nan() { full(x.shape(), f64::NAN, x.dtype()) } else { x.map(|x| functions::clamp(x, low, high)) };
        }
        let mut out = x.clone();
        for (bound, float, int) in [
            (min, Dispatch::float_clamp_min as Scalar, Dispatch::int_clamp_min as Scalar),
            (max, Dispatch::float_clamp_max as Scalar, Dispatch::int_clamp_max as Scalar),
        ] {
            if let Some(bound) = bound {
                if !x.dtype().is_float() {
                    crate::create::whole(bound, x.dtype())?;
                }
                out = out.kind_map(|x| float(x, bound.into()), |x| int(x, (bound as i64).into()), |x| x);
            }
        }
        if min.is_none() && max.is_none() {
            bail!(Argument, "give min, max or both");
        }
        Ok(out)
    }
    grad(g; x, min, max) {
        x: {
            let mut g = g.clone();
            if let Some(min) = min {
                g = where_(&gt(&x.into(), &min.into())?, &g.into(), &0.0.into())?;
            }
            if let Some(max) = max {
                g = where_(&lt(&x.into(), &max.into())?, &g.into(), &0.0.into())?;
            }
            g
        }
    }

    /// Converts to another dtype; the gradient comes back in this one.
    #[face(native)]
    #[check(none, "its face is Tensor.to, tested there")]
    fn to_dtype(x: &Tensor, dtype: DType) -> Tensor { Ok(Tensor::new(x.value_as(dtype), dtype)) }
    grad(g) { x: g.clone() }
}

//! Activations.

use burn_backend::ops::{ActivationOps, IntTensorOps};
use burn_dispatch::Dispatch;
use firn_kernels::functions;
use firn_kernels::slopes::{Elu, Gelu, GeluTanh, LeakyRelu, Mish, Relu, Sigmoid, Silu, Slope, Softplus};

use super::choice::Approximate;
use super::compare::{gt, where_};
use super::elementwise::{erf, exp, square};
use super::{Floating, ops};
use crate::error::Result;
use crate::pairs::times_slope;
use crate::tape::is_enabled;
use crate::tensor::Tensor;

/// The gradient `g` of a function's result, brought to its argument: by a kernel in one pass, or by `composed`, ops that say the same, where
/// the pass is recorded or the dtype has no kernel. The derivative is taken at `x`, an argument or a result.
pub(super) fn slope<S: Slope>(slope: S, g: &Tensor, x: &Tensor, composed: impl FnOnce() -> Result<Tensor>) -> Result<Tensor> {
    if !is_enabled()
        && g.dtype() == x.dtype()
        && let Some(out) = times_slope(slope, g.value_ref(), x.value_ref(), g.dtype())?
    {
        return Ok(out);
    }
    composed()
}

ops! {
    /// Rectified linear unit, `max(x, 0)`.
    #[example("tensor([-1, 2]).relu() // [0, 2]")]
    #[face(method, functional)]
    #[check(unary, -2.0, 2.0)]
    fn relu(x: &Tensor) -> Tensor {
        if x.dtype().is_float() { x.map(functions::relu) } else { Ok(x.kind_map(|x| x, |x| Dispatch::int_clamp_min(x, 0.into()), |x| x)) }
    }
    grad(g, y) { x: relu_backward(g, y)? }

    /// `g` where `y` is positive: the gradient of `relu`, and its own.
    #[face()]
    #[check(none, "checked as the gradient of relu")]
    fn relu_backward(g: &Tensor, y: &Tensor) -> Tensor {
        match times_slope(Relu {}, g.value_ref(), y.value_ref(), g.dtype())? {
            Some(out) => Ok(out),
            None => Ok(Tensor::new(Dispatch::relu_backward(y.value(), g.value()), g.dtype())),
        }
    }
    grad(h; y) { g: relu_backward(h, y)? }

    /// `x` where positive, `negativeSlope * x` elsewhere.
    #[example("tensor([-1, 2]).leakyRelu({ negativeSlope: 0.1 }) // [-0.1, 2]")]
    #[face(method, functional)]
    #[check(unary, -2.0, 2.0)]
    fn leaky_relu(x: &Tensor; negative_slope: f64 = 0.01) -> Floating {
        x.map(|x| functions::leaky_relu(x, negative_slope))
    }
    grad(g; x, negative_slope) {
        x: slope(LeakyRelu { slope: negative_slope }, g, x, || where_(&gt(&x.into(), &0.0.into())?, &g.into(), &(g * negative_slope).into()))?
    }

    /// Exponential linear unit: `x` where positive, `alpha * (e^x - 1)` elsewhere.
    #[example("tensor([-1, 2]).elu() // [-0.632121, 2]")]
    #[face(method, functional)]
    #[check(unary, -2.0, 2.0)]
    fn elu(x: &Tensor; alpha: f64 = 1.0) -> Floating {
        x.map(|x| functions::elu(x, alpha))
    }
    grad(g, y; x, alpha) {
        x: slope(Elu { alpha }, g, x, || where_(&gt(&x.into(), &0.0.into())?, &g.into(), &(g * (y + alpha)).into()))?
    }

    /// Logistic function, `1 / (1 + e^-x)`.
    #[example("tensor([0, 2]).sigmoid() // [0.5, 0.880797]")]
    #[face(method, functional)]
    #[check(unary, -2.0, 2.0)]
    fn sigmoid(x: &Tensor) -> Floating { x.map(functions::sigmoid) }
    grad(g, y) { x: slope(Sigmoid {}, g, y, || Ok(g * (y * (1.0 - y))))? }

    /// Sigmoid linear unit, `x * sigmoid(x)`.
    #[example("tensor([0, 2]).silu() // [0, 1.761594]")]
    #[face(method, functional)]
    #[check(unary, -2.0, 2.0)]
    fn silu(x: &Tensor) -> Floating { x.map(functions::silu) }
    grad(g; x) {
        x: slope(Silu {}, g, x, || {
            let s = sigmoid(x)?;
            Ok(g * (&s * (x * (1.0 - &s) + 1.0)))
        })?
    }

    /// `x * tanh(softplus(x))` (Misra, 2019).
    #[example("tensor([0, 2]).mish() // [0, 1.943959]")]
    #[face(method, functional)]
    #[check(unary, -2.0, 2.0)]
    fn mish(x: &Tensor) -> Floating { x.map(functions::mish) }
    grad(g; x) {
        x: slope(Mish {}, g, x, || {
            let t = super::elementwise::tanh(&softplus(x)?)?;
            Ok(g * (&t + x * (1.0 - &t * &t) * &sigmoid(x)?))
        })?
    }

    /// Gaussian error linear unit, `x * (1 + erf(x / sqrt(2))) / 2`; or with `approximate: 'tanh'` its approximation by a hyperbolic tangent.
    #[example("tensor([0, 2]).gelu() // [0, 1.9545]", "tensor([2]).gelu({ approximate: 'tanh' }) // [1.954598]")]
    #[face(method, functional)]
    #[check(unary, -2.0, 2.0)]
    fn gelu(x: &Tensor; approximate: Approximate = None) -> Floating {
        if approximate == Approximate::Tanh { gelu_tanh(x) } else { gelu_exact(x) }
    }

    /// `x * sigmoid(2 u)` with `u = sqrt(2 / pi) (x + 0.044715 x^3)` (Hendrycks and Gimpel, 2016).
    #[face()]
    #[check(none, "checked as gelu")]
    fn gelu_tanh(x: &Tensor) -> Floating { x.map(functions::gelu_tanh) }
    grad(g; x) {
        x: slope(GeluTanh {}, g, x, || {
            let (scale, cube) = (2.0 * (2.0 / std::f64::consts::PI).sqrt(), 0.044715);
            let s = sigmoid(&(x * (square(x)? * cube + 1.0) * scale))?;
            let slope = (square(x)? * (3.0 * cube) + 1.0) * scale;
            Ok(g * (&s + x * &slope * &s * (1.0 - &s)))
        })?
    }

    /// `gelu` by the error function.
    #[face()]
    #[check(none, "checked as gelu")]
    fn gelu_exact(x: &Tensor) -> Floating { x.map(functions::gelu) }
    grad(g; x) {
        x: slope(Gelu {}, g, x, || {
            // Phi(x) + x * phi(x), the normal distribution and its density.
            let cdf = (erf(&(x * std::f64::consts::FRAC_1_SQRT_2))? + 1.0) * 0.5;
            let density = exp(&(square(x)? * -0.5))? * (0.5 * std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2);
            Ok(g * (cdf + x * density))
        })?
    }

    /// `log(1 + e^x)`, in a form that does not overflow.
    #[example("tensor([0, 2]).softplus() // [0.693147, 2.126928]")]
    #[face(method, functional)]
    #[check(unary, -2.0, 2.0)]
    #[autocast(full)]
    fn softplus(x: &Tensor) -> Floating { x.map(functions::softplus) }
    grad(g; x) { x: slope(Softplus {}, g, x, || Ok(g * &sigmoid(x)?))? }
}

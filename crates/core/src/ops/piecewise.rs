//! Activations made of straight and curved pieces, and those that gate one half of the input by the other.

use super::activation::{elu, sigmoid, softplus};
use super::compare::{ge, gt, le, logical_and, lt, where_};
use super::elementwise::{abs, clamp, log, tanh};
use super::shaping::{narrow, reshape};
use super::softmax::softmax;
use super::{Floating, ops};
use crate::create::{full, zeros_like};
use crate::error::{Result, bail};
use crate::random::uniform;
use crate::shape::{axis_of, show};
use crate::tensor::Tensor;

/// `inside` strictly between two bounds, `outside` elsewhere.
fn between(x: &Tensor, low: f64, high: f64, inside: &Tensor, outside: f64) -> Result<Tensor> {
    let mask = logical_and(&gt(&x.into(), &low.into())?, &lt(&x.into(), &high.into())?)?;
    where_(&mask, &inside.into(), &outside.into())
}

ops! {
    /// Bounds each element to `[min, max]`; at the bounds and outside, the gradient is 0.
    #[example("tensor([-3, 0.5, 3]).hardtanh() // [-1, 0.5, 1]")]
    #[face(method, functional)]
    #[check(unary, -0.9, 0.9)]
    fn hardtanh(x: &Tensor; min: f64 = -1.0, max: f64 = 1.0) -> Tensor {
        if min > max {
            bail!(Argument, "min {min} must not be larger than max {max}");
        }
        clamp(x, Some(min), Some(max))
    }
    grad(g; x, min, max) { x: between(x, min, max, g, 0.0)? }

    /// `relu` bounded at 6.
    #[example("tensor([-1, 3, 9]).relu6() // [0, 3, 6]")]
    #[face(method, functional)]
    #[check(unary, 0.1, 5.0)]
    fn relu6(x: &Tensor) -> Tensor { hardtanh(x, 0.0, 6.0) }

    /// `x / 6 + 1 / 2`, bounded to `[0, 1]`.
    #[example("tensor([-4, 0, 1.5]).hardsigmoid() // [0, 0.5, 0.75]")]
    #[face(method, functional)]
    #[check(unary, -2.0, 2.0)]
    fn hardsigmoid(x: &Tensor) -> Floating { Ok(clamp(&(super::reduce::float_of(x) + 3.0), Some(0.0), Some(6.0))? / 6.0) }
    grad(g; x) { x: between(x, -3.0, 3.0, &(g / 6.0), 0.0)? }

    /// `x * hardsigmoid(x)` (Howard et al., MobileNetV3, 2019).
    #[example("tensor([-4, 1, 4]).hardswish() // [0, 0.666667, 4]")]
    #[face(method, functional)]
    #[check(unary, -2.0, 2.0)]
    fn hardswish(x: &Tensor) -> Floating { Ok(super::reduce::float_of(x) * hardsigmoid(x)?) }
    grad(g; x) {
        x: {
            let curved = between(x, -3.0, 3.0, &(g * &(x / 3.0 + 0.5)), 0.0)?;
            where_(&ge(&x.into(), &3.0.into())?, &g.into(), &curved.into())?
        }
    }

    /// `x` outside of `[-lambda, lambda]`, 0 inside.
    #[example("tensor([-1, 0.3, 2]).hardshrink() // [-1, 0, 2]")]
    #[face(method, functional)]
    #[check(unary, 0.6, 2.0)]
    fn hardshrink(x: &Tensor; lambda: f64 = 0.5) -> Tensor {
        let inside = le(&abs(x)?.into(), &lambda.into())?;
        where_(&inside, &0.0.into(), &x.into())
    }
    grad(g; x, lambda) {
        x: where_(&le(&abs(x)?.into(), &lambda.into())?, &0.0.into(), &g.into())?
    }

    /// `x` brought nearer to 0 by `lambda`, 0 within `[-lambda, lambda]`.
    #[example("tensor([-1, 0.3, 2]).softshrink() // [-0.5, 0, 1.5]")]
    #[face(method, functional)]
    #[check(unary, 0.6, 2.0)]
    fn softshrink(x: &Tensor; lambda: f64 = 0.5) -> Tensor {
        if !(lambda >= 0.0) {
            bail!(Argument, "lambda must be 0 or more and is {lambda}");
        }
        let shrunk = where_(&gt(&x.into(), &lambda.into())?, &(x - lambda).into(), &(x * 0.0).into())?;
        where_(&lt(&x.into(), &(-lambda).into())?, &(x + lambda).into(), &shrunk.into())
    }
    grad(g; x, lambda) {
        x: where_(&le(&abs(x)?.into(), &lambda.into())?, &0.0.into(), &g.into())?
    }

    /// `x - tanh(x)`.
    #[example("tensor([0, 2]).tanhshrink() // [0, 1.035972]")]
    #[face(method, functional)]
    #[check(unary, -2.0, 2.0)]
    fn tanhshrink(x: &Tensor) -> Floating { Ok(super::reduce::float_of(x) - tanh(x)?) }

    /// `x / (1 + |x|)`.
    #[example("tensor([-1, 3]).softsign() // [-0.5, 0.75]")]
    #[face(method, functional)]
    #[check(unary, 0.2, 2.0)]
    fn softsign(x: &Tensor) -> Floating { Ok(super::reduce::float_of(x) / (abs(x)? + 1.0)) }

    /// `x` above `threshold`, `value` elsewhere.
    #[example("tensor([1, 5]).threshold(3, -1) // [-1, 5]")]
    #[face(method, functional)]
    #[check(cases)]
    fn threshold(x: &Tensor, threshold: f64, value: f64) -> Tensor {
        where_(&le(&x.into(), &threshold.into())?, &value.into(), &x.into())
    }

    /// Scaled exponential linear unit, with the constants of Klambauer et al. (2017).
    #[example("tensor([-1, 2]).selu() // [-1.111331, 2.101402]")]
    #[face(method, functional)]
    #[check(unary, -2.0, 2.0)]
    fn selu(x: &Tensor) -> Floating { Ok(elu(x, 1.673_263_242_354_377_2)? * 1.050_700_987_355_480_5) }

    /// Continuously differentiable exponential linear unit: `x` where positive, `alpha * (e^(x / alpha) - 1)` elsewhere.
    #[example("tensor([-1, 2]).celu({ alpha: 2 }) // [-0.786939, 2]")]
    #[face(method, functional)]
    #[check(unary, -2.0, 2.0)]
    fn celu(x: &Tensor; alpha: f64 = 1.0) -> Floating {
        if alpha == 0.0 {
            bail!(Argument, "alpha must not be 0");
        }
        let x = super::reduce::float_of(x);
        let below = super::elementwise::expm1(&(&x / alpha))? * alpha;
        let positive = gt(&(&x).into(), &0.0.into())?;
        where_(&positive, &(&x).into(), &below.into())
    }
    grad(g, y; x, alpha) {
        x: where_(&gt(&x.into(), &0.0.into())?, &g.into(), &(g * &(y / alpha + 1.0)).into())?
    }

    /// `x` where positive, `weight * x` elsewhere; a weight `[1]`, or one for each channel of `[batch, channels, ...]`.
    #[example("F.prelu(tensor([-4, 2]), tensor([0.25])) // [-1, 2]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(low)]
    fn prelu(x: &Tensor, weight: &Tensor) -> Tensor {
        let channels = if x.rank() > 1 { x.shape()[1] } else { 1 };
        if weight.rank() > 1 || (weight.size() != 1 && weight.size() != channels) {
            bail!(Shape, "weight is {} and must hold one number, or one for each of the {channels} channels of {}", show(weight.shape()), show(x.shape()));
        }
        let mut shape = vec![1; x.rank()];
        if x.rank() > 1 {
            shape[1] = weight.size() as isize;
        }
        where_(&gt(&x.into(), &0.0.into())?, &x.into(), &(reshape(weight, &shape)? * x).into())
    }

    /// `leakyRelu` with a slope drawn for each element from `[lower, upper)` while `training`, else their mean.
    #[example("tensor([-4, 2]).rrelu({ lower: 0.25, upper: 0.25 }) // [-1, 2]")]
    #[face(method, functional)]
    #[check(cases)]
    fn rrelu(x: &Tensor; lower: f64 = 0.125, upper: f64 = 0.3333333333333333, training: bool = false) -> Floating {
        if !(0.0 <= lower && lower <= upper) {
            bail!(Argument, "slopes are drawn from [{lower}, {upper}); the bounds must be 0 or more, the lower first");
        }
        let x = &super::reduce::float_of(x);
        let slope = if training { uniform(x.shape(), lower, upper, x.dtype())? } else { full(&[], (lower + upper) / 2.0, x.dtype())? };
        where_(&gt(&x.into(), &0.0.into())?, &x.into(), &(x * &slope).into())
    }

    /// `log(sigmoid(x))`, in a form that does not overflow.
    #[example("tensor([0, -100]).logSigmoid() // [-0.693147, -100]")]
    #[face(method, functional)]
    #[check(unary, -2.0, 2.0)]
    #[torch("nn.functional.logsigmoid")]
    fn log_sigmoid(x: &Tensor) -> Floating { Ok(-softplus(&-super::reduce::float_of(x))?) }

    /// The first half along `dim` times the sigmoid of the second (Dauphin et al., 2017).
    #[example("tensor([2, 4, 0, 0]).glu() // [1, 2]")]
    #[face(method, functional)]
    #[check(cases)]
    fn glu(x: &Tensor, dim: isize = -1) -> Tensor {
        let at = axis_of(x.shape(), dim)?;
        let size = x.shape()[at];
        if !size.is_multiple_of(2) {
            bail!(Shape, "dim {dim} of {} has {size} elements, which have no halves", show(x.shape()));
        }
        Ok(narrow(x, dim, 0, size / 2)? * sigmoid(&narrow(x, dim, size / 2, size / 2)?)?)
    }

    /// `softmax(-x)`.
    #[example("tensor([0, 0]).softmin(0) // [0.5, 0.5]")]
    #[face(method, functional)]
    #[check(cases)]
    #[autocast(full)]
    fn softmin(x: &Tensor, dim: isize) -> Floating { softmax(&-super::reduce::float_of(x), dim) }

    /// A sample of the Gumbel-softmax distribution over `dim` (Jang et al., 2017) at temperature `tau`: a soft choice, or if `hard` a choice
    /// whose gradient is the soft one's.
    #[example("F.gumbelSoftmax(tensor([0, 100]), -1, { hard: true }) // [0, 1]")]
    #[face(functional)]
    #[check(none, "random; tested for its sums, its choices and its gradient")]
    fn gumbel_softmax(logits: &Tensor, dim: isize = -1; tau: f64 = 1.0, hard: bool = false) -> Floating {
        if !(tau > 0.0) {
            bail!(Argument, "tau must be positive and is {tau}");
        }
        let logits = super::reduce::float_of(logits);
        let uniform = uniform(logits.shape(), f64::from(f32::MIN_POSITIVE), 1.0, logits.dtype())?;
        let noise = -log(&-log(&uniform)?)?;
        let soft = softmax(&((&logits + &noise) / tau), dim)?;
        if !hard {
            return Ok(soft);
        }
        let choice = super::reduce::argmax(&soft.detach(), dim, true)?;
        let ones = full(choice.shape(), 1.0, soft.dtype())?;
        let one = super::index::scatter_add(&zeros_like(&soft)?, dim, &choice, &ones)?;
        // The value is the choice, the gradient that of the soft one.
        Ok(one - &soft.detach() + &soft)
    }
}

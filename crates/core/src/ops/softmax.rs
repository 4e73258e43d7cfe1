//! Softmax and its logarithm.

use super::elementwise::exp;
use super::ops;
use super::reduce::sum;
use crate::error::{Result, bail};
use crate::shape::axis;
use crate::tensor::Tensor;

fn along(x: &Tensor, dim: isize, log: bool) -> Result<Tensor> {
    let at = axis(dim, x.rank())?;
    if !x.dtype().is_float() {
        bail!(Dtype, "expected a floating point tensor and got {}; convert with .to('float32')", x.dtype().name());
    }
    Ok(crate::folds::softmax(x, at, log))
}

ops! {
    /// `e^x / sum(e^x)` along `dim`.
    #[example("tensor([[0, 0], [1, 3]]).softmax(-1) // [[0.5, 0.5], [0.119203, 0.880797]]")]
    #[face(method, functional)]
    #[check(cases)]
    #[autocast(full)]
    fn softmax(x: &Tensor, dim: isize) -> Tensor { along(x, dim, false) }
    grad(g, y; dim) { x: softmax_backward(g, y, dim)? }

    /// `x - log(sum(e^x))` along `dim`.
    #[example("tensor([0, 0]).logSoftmax(0) // [-0.693147, -0.693147]")]
    #[face(method, functional)]
    #[check(cases)]
    #[autocast(full)]
    fn log_softmax(x: &Tensor, dim: isize) -> Tensor { along(x, dim, true) }
    grad(g, y; dim) { x: log_softmax_backward(g, y, dim)? }

    /// The gradient of `softmax` from that of its output `y`.
    #[face()]
    #[check(none, "checked as the gradient of softmax")]
    fn softmax_backward(g: &Tensor, y: &Tensor, dim: isize) -> Tensor {
        match crate::folds::softmax_gradient(g, y, axis(dim, y.rank())?, false) {
            Some(out) => Ok(out),
            None => Ok(y * &(g - &sum(&(g * y), &[dim], true)?)),
        }
    }
    grad(h; g, y, dim) {
        g: softmax_backward(h, y, dim)?,
        y: h * &(g - &sum(&(g * y), &[dim], true)?) - g * &sum(&(h * y), &[dim], true)?,
    }

    /// The gradient of `logSoftmax` from that of its output `y`.
    #[face()]
    #[check(none, "checked as the gradient of logSoftmax")]
    fn log_softmax_backward(g: &Tensor, y: &Tensor, dim: isize) -> Tensor {
        match crate::folds::softmax_gradient(g, y, axis(dim, y.rank())?, true) {
            Some(out) => Ok(out),
            None => Ok(g - &(exp(y)? * &sum(g, &[dim], true)?)),
        }
    }
    grad(h; g, y, dim) {
        g: h - &sum(&(h * &exp(y)?), &[dim], true)?,
        y: -(h * &exp(y)? * &sum(g, &[dim], true)?),
    }
}

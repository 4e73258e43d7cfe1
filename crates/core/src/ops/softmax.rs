//! Softmax and its logarithm.

use burn_backend::ops::ActivationOps;
use burn_dispatch::Dispatch;

use super::elementwise::exp;
use super::ops;
use super::reduce::sum;
use crate::error::{Result, bail};
use crate::shape::axis;
use crate::tensor::{Tensor, Value};

fn along(x: &Tensor, dim: isize, f: fn(Value, usize) -> Value) -> Result<Tensor> {
    let at = axis(dim, x.rank())?;
    if !x.dtype().is_float() {
        bail!(Dtype, "expected a floating point tensor and got {}; convert with .to('float32')", x.dtype().name());
    }
    // The engine divides by the sizes.
    if x.size() == 0 {
        return Ok(x.detach());
    }
    if x.rank() == 0 {
        return super::shaping::reshape(&Tensor::new(f(super::shaping::reshape(x, &[1])?.value(), 0), x.dtype()), &[]);
    }
    Ok(Tensor::new(f(x.value(), at), x.dtype()))
}

ops! {
    /// `e^x / sum(e^x)` along `dim`.
    #[example("tensor([[0, 0], [1, 3]]).softmax(-1) // [[0.5, 0.5], [0.119203, 0.880797]]")]
    #[face(method, functional)]
    #[check(cases)]
    #[autocast(full)]
    fn softmax(x: &Tensor, dim: isize) -> Tensor { along(x, dim, Dispatch::softmax) }
    grad(g, y; dim) { x: y * &(g - &sum(&(g * y), &[dim], true)?) }

    /// `x - log(sum(e^x))` along `dim`.
    #[example("tensor([0, 0]).logSoftmax(0) // [-0.693147, -0.693147]")]
    #[face(method, functional)]
    #[check(cases)]
    #[autocast(full)]
    fn log_softmax(x: &Tensor, dim: isize) -> Tensor { along(x, dim, Dispatch::log_softmax) }
    grad(g, y; dim) { x: g - &(exp(y)? * &sum(g, &[dim], true)?) }
}

//! Second gradients of ops whose gradient is one pass of a kernel of ours.

use super::elementwise::to_dtype;
use crate::cpu::with_slice;
use crate::create::zeros_like;
use crate::dtype::DType;
use crate::error::Result;
use crate::tape::{Walk, grad};
use crate::tensor::Tensor;

/// The gradients of `forward(inputs)`, itself made of differentiable ops, for a gradient `g` of its result. Rules call it when the pass
/// is recorded (`createGraph`), and their kernel otherwise: what it records differentiates to any order.
pub(crate) fn composed(inputs: &[Tensor], g: &Tensor, forward: impl FnOnce(&[Tensor]) -> Result<Tensor>) -> Result<Vec<Tensor>> {
    // Fresh nodes above the inputs: the walk ends there.
    let own = inputs.iter().map(|x| to_dtype(x, x.dtype())).collect::<Result<Vec<_>>>()?;
    let tracked: Vec<Tensor> = own.iter().filter(|x| x.requires_grad()).cloned().collect();
    let out = forward(&own)?;
    let walk = Walk { retain_graph: true, create_graph: true };
    let mut found = grad(&[(out, Some(g.clone()))], &tracked, walk)?.into_iter();
    own.iter()
        .map(|x| match if x.requires_grad() { found.next().flatten() } else { None } {
            Some(gradient) => Ok(gradient),
            None => zeros_like(x),
        })
        .collect()
}

/// An element type that kernels run on, and its dtype.
pub(crate) trait Real: firn_kernels::math::Math + burn_std::Element + bytemuck::Pod {
    const DTYPE: DType;
}

impl Real for f32 {
    const DTYPE: DType = DType::Float32;
}

impl Real for f64 {
    const DTYPE: DType = DType::Float64;
}

/// The elements of `x`, which has this dtype, in row-major order.
pub(crate) fn elements<T: Real, R>(x: &Tensor, f: impl FnOnce(&[T]) -> R) -> R {
    with_slice(x.value_ref(), f)
}

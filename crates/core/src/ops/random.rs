//! Ops that draw from the generator.

use firn_kernels::philox::Key;
use firn_kernels::random as draw;

use super::elementwise::{add, mul};
use super::ops;
use crate::cpu::{from_vec, with_slice};
use crate::dtype::{DType, Kind};
use crate::error::{Result, bail};
use crate::tensor::Tensor;

crate::tape::copied!(Key);

/// SELU tends to the negative of this: its scale times its alpha (Klambauer et al., "Self-normalizing neural networks", 2017).
const SATURATION: f64 = 1.758_099_340_847_376_6;

/// Whether nothing is dropped; checks the arguments.
fn is_idle(x: &Tensor, p: f64, training: bool) -> Result<bool> {
    crate::random::probability(p)?;
    if x.dtype().kind() != Kind::Float {
        bail!(Dtype, "expected a floating point tensor and got {}; convert it first: x.to('float32')", x.dtype().name());
    }
    Ok(!training || p == 0.0)
}

/// 1 with probability `1 - p`, else 0, one draw for each place of the first `leading` dimensions of `x`.
fn mask(x: &Tensor, p: f64, leading: usize) -> Result<Tensor> {
    let shape: Vec<usize> = x.shape().iter().enumerate().map(|(at, &n)| if at < leading { n } else { 1 }).collect();
    crate::random::bernoulli(&shape, 1.0 - p, x.dtype())
}

/// Drops whole channels: of `[N, C, ...]` with `dims` dimensions behind, or of one sample `[C, ...]` where its rank says so.
fn dropout_channels(x: &Tensor, p: f64, training: bool, batched: usize, single: Option<usize>) -> Result<Tensor> {
    let leading = match x.rank() {
        rank if Some(rank) == single => 1,
        rank if rank == batched || (single.is_none() && rank + 1 == batched) => 2,
        _ => bail!(Shape, "expected {} or {batched} dimensions and got shape {}", batched - 1, crate::shape::show(x.shape())),
    };
    if is_idle(x, p, training)? {
        return Ok(x.clone());
    }
    let scale = if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 };
    mul(&x.into(), &mul(&mask(x, p, leading)?.into(), &scale.into())?.into())
}

/// `x` where a draw says so and SELU's limit elsewhere, brought back to the mean and the variance of `x`.
fn saturate(x: &Tensor, p: f64, training: bool, leading: usize) -> Result<Tensor> {
    if is_idle(x, p, training)? {
        return Ok(x.clone());
    }
    if p == 1.0 {
        return mul(&x.into(), &0.0.into());
    }
    let a = 1.0 / ((SATURATION * SATURATION * p + 1.0) * (1.0 - p)).sqrt();
    let mask = mask(x, p, leading)?;
    // Kept: a x + a s p. Dropped: a s p - a s.
    let shift = add(&mul(&(&mask).into(), &(SATURATION * a).into())?.into(), &(SATURATION * a * (p - 1.0)).into())?;
    add(&mul(&x.into(), &mul(&mask.into(), &a.into())?.into())?.into(), &shift.into())
}

ops! {
    /// Sets each element to 0 with probability `p` and scales the others by `1 / (1 - p)`; the input itself unless `training`.
    #[example("ones([2, 2]).dropout(0.5, { training: false }) // [[1, 1], [1, 1]]")]
    #[face(method, functional)]
    #[check(none, "random; tested for its rate, its scale and its gradient")]
    fn dropout(x: &Tensor, p: f64 = 0.5; training: bool = true) -> Tensor {
        if is_idle(x, p, training)? { Ok(x.clone()) } else { dropout_at(x, p, crate::random::next()) }
    }

    /// `dropout` with the key of an earlier call: it drops the same elements again, so its gradient keeps no mask.
    #[face()]
    #[check(none, "checked as the gradient of dropout")]
    fn dropout_at(x: &Tensor, p: f64, key: Key) -> Tensor {
        let shape = x.shape().into();
        if x.dtype() == DType::Float64 {
            return Ok(with_slice(&x.value(), |x: &[f64]| from_vec(draw::dropout(key, x, p), shape, DType::Float64)));
        }
        let out = with_slice(&x.value_as(DType::Float32), |x: &[f32]| from_vec(draw::dropout(key, x, p), shape, DType::Float32));
        Ok(Tensor::new(out.value_as(x.dtype()), x.dtype()))
    }
    grad(g; p, key) { x: dropout_at(g, p, key)? }

    /// Sets whole channels of `[N, C, L]` or `[C, L]` to 0 with probability `p` and scales the others by `1 / (1 - p)`.
    #[example("F.dropout1d(ones([2, 3, 4]), 0.5).shape // [2, 3, 4]")]
    #[face(functional)]
    #[check(none, "random; tested for its rate, its scale and its gradient")]
    fn dropout1d(x: &Tensor, p: f64 = 0.5; training: bool = true) -> Tensor { dropout_channels(x, p, training, 3, Some(2)) }

    /// Sets whole channels of `[N, C, H, W]`, or as PyTorch has it of `[N, C, L]`, to 0 with probability `p` and scales the others by
    /// `1 / (1 - p)`.
    #[example("F.dropout2d(ones([2, 3, 4, 4]), 0.5).shape // [2, 3, 4, 4]")]
    #[face(functional)]
    #[check(none, "random; tested for its rate, its scale and its gradient")]
    fn dropout2d(x: &Tensor, p: f64 = 0.5; training: bool = true) -> Tensor { dropout_channels(x, p, training, 4, None) }

    /// Sets whole channels of `[N, C, D, H, W]` or `[C, D, H, W]` to 0 with probability `p` and scales the others by `1 / (1 - p)`.
    #[example("F.dropout3d(ones([3, 2, 2, 2]), 0.5).shape // [3, 2, 2, 2]")]
    #[face(functional)]
    #[check(none, "random; tested for its rate, its scale and its gradient")]
    fn dropout3d(x: &Tensor, p: f64 = 0.5; training: bool = true) -> Tensor { dropout_channels(x, p, training, 5, Some(4)) }

    /// Dropout that keeps mean and variance behind SELU: with probability `p`, an element becomes SELU's negative limit.
    #[example("F.alphaDropout(ones([4]), 0.5, { training: false }) // [1, 1, 1, 1]")]
    #[face(functional)]
    #[check(none, "random; tested for its rate, its moments and its gradient")]
    fn alpha_dropout(x: &Tensor, p: f64 = 0.5; training: bool = false) -> Tensor { saturate(x, p, training, x.rank()) }

    /// Alpha dropout of whole channels of `[N, C, ...]`.
    #[example("F.featureAlphaDropout(ones([2, 3, 4]), 0.5, { training: true }).shape // [2, 3, 4]")]
    #[face(functional)]
    #[check(none, "random; tested for its rate, its moments and its gradient")]
    fn feature_alpha_dropout(x: &Tensor, p: f64 = 0.5; training: bool = false) -> Tensor {
        if x.rank() < 2 {
            bail!(Shape, "expected [N, C, ...] and got shape {}", crate::shape::show(x.shape()));
        }
        saturate(x, p, training, 2)
    }
}

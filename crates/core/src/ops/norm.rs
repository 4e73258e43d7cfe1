//! Normalisation.

use burn_backend::ops::ModuleOps;
use burn_dispatch::Dispatch;

use super::conv::per_channel;
use super::elementwise::{rsqrt, square};
use super::ops;
use super::reduce::{mean, sum};
use crate::error::{Result, bail};
use crate::shape::show;
use crate::tensor::Tensor;

/// Every dimension but the channels.
fn all_but_channels(rank: usize) -> Vec<isize> {
    (0..rank as isize).filter(|&dim| dim != 1).collect()
}

/// `(x - mean) / sqrt(var + eps)` by channel, and the factor `1 / sqrt(var + eps)`.
fn normalised(x: &Tensor, eps: f64) -> Result<(Tensor, Tensor)> {
    let dims = all_but_channels(x.rank());
    let centred = x - &mean(x, &dims, true)?;
    let scale = rsqrt(&(mean(&square(&centred)?, &dims, true)? + eps))?;
    Ok((&centred * &scale, scale))
}

ops! {
    /// Normalises each channel of `[batch, channels, ...]` by the mean and the biased variance of the batch,
    /// then scales by `weight` and shifts by `bias`, each `[channels]`.
    #[example("F.batchNorm(tensor([[1], [3]])) // [[-1], [1]]")]
    #[face(functional)]
    #[check(cases)]
    fn batch_norm(x: &Tensor; weight: Option<&Tensor> = None, bias: Option<&Tensor> = None, eps: f64 = 1e-5) -> Tensor {
        if x.rank() < 2 || !x.dtype().is_float() {
            bail!(Shape, "expected a floating point [batch, channels, ...] and got {} {}", x.dtype().name(), show(x.shape()));
        }
        let channels = x.shape()[1];
        if x.size() <= channels {
            bail!(Shape, "{} holds one value a channel; batch statistics need more than one", show(x.shape()));
        }
        for (name, tensor) in [("weight", weight), ("bias", bias)] {
            if let Some(tensor) = tensor.filter(|t| t.shape() != [channels] || t.dtype() != x.dtype()) {
                bail!(Shape, "{name} is {} {} and must be {} [{channels}]", tensor.dtype().name(), show(tensor.shape()), x.dtype().name());
            }
        }
        let constant = |given: Option<&Tensor>, value| match given {
            Some(tensor) => Ok(tensor.value()),
            None => Ok(crate::create::full(&[channels], value, x.dtype())?.into_value()),
        };
        let out = Dispatch::batch_norm_train(x.value(), constant(weight, 1.0)?, constant(bias, 0.0)?, eps);
        Ok(Tensor::new(out.output, x.dtype()))
    }
    grad(g; x, weight, eps) {
        x: {
            let (normal, scale) = normalised(x, eps)?;
            let dims = all_but_channels(x.rank());
            let scale = match weight {
                Some(weight) => scale * per_channel(weight, x.rank())?,
                None => scale,
            };
            let along = &normal * &mean(&(g * &normal), &dims, true)?;
            scale * (g - &mean(g, &dims, true)? - along)
        },
        weight: sum(&(g * &normalised(x, eps)?.0), &all_but_channels(x.rank()), false)?,
        bias: sum(g, &all_but_channels(x.rank()), false)?,
    }
}

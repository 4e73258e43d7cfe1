//! Norms of gradients, and what is done to gradients outside of a step.

use std::borrow::Cow;

use firn_kernels::grads;

use crate::cpu;
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::ops::elementwise::clamp;
use crate::tape;
use crate::tensor::{Tensor, Value};

/// Gradients in row-major order, by the precision that sums are taken in.
struct Rows<'a> {
    single: Vec<Cow<'a, Value>>,
    double: Vec<Cow<'a, Value>>,
}

impl<'a> Rows<'a> {
    fn of(grads: impl Iterator<Item = &'a Tensor>) -> Self {
        let mut rows = Rows { single: Vec::new(), double: Vec::new() };
        for grad in grads {
            match grad.dtype() {
                DType::Float64 => rows.double.push(cpu::as_contiguous(grad)),
                DType::Float32 => rows.single.push(cpu::as_contiguous(grad)),
                _ => rows.single.push(Cow::Owned(cpu::contiguous(&Tensor::new(grad.value_as(DType::Float32), DType::Float32)))),
            }
        }
        rows
    }

    fn slices(&self) -> (Vec<&[f32]>, Vec<&[f64]>) {
        (self.single.iter().map(|x| cpu::slice(x)).collect(), self.double.iter().map(|x| cpu::slice(x)).collect())
    }
}

/// The p-norm of all gradients as one vector (p may be infinite); 0 when there is none.
pub fn grad_norm(params: &[Tensor], p: f64) -> Result<f64> {
    let grads: Vec<Tensor> = params.iter().filter_map(Tensor::grad).collect();
    norm_of(grads.iter(), p)
}

pub(crate) fn norm_of<'a>(grads: impl Iterator<Item = &'a Tensor>, p: f64) -> Result<f64> {
    if p.is_nan() || p <= 0.0 {
        bail!(Argument, "p must be positive or infinite and is {p}");
    }
    let rows = Rows::of(grads);
    let (single, double) = rows.slices();
    Ok(if p.is_infinite() {
        let (a, b) = (grads::largest(&single), grads::largest(&double));
        if a > b || a.is_nan() { a } else { b }
    } else {
        (grads::power_sum(&single, p) + grads::power_sum(&double, p)).powf(1.0 / p)
    })
}

/// Whether every element of every gradient is finite.
pub(crate) fn are_finite<'a>(grads: impl Iterator<Item = &'a Tensor>) -> bool {
    let rows = Rows::of(grads);
    let (single, double) = rows.slices();
    grads::are_finite(&single) && grads::are_finite(&double)
}

/// Whether every element of every parameter's gradient is finite.
pub fn grads_are_finite(params: &[Tensor]) -> bool {
    let grads: Vec<Tensor> = params.iter().filter_map(Tensor::grad).collect();
    are_finite(grads.iter())
}

/// The 2-norm of each tensor.
pub(crate) fn each_norm<'a>(tensors: impl Iterator<Item = &'a Tensor>) -> Vec<f64> {
    let tensors: Vec<&Tensor> = tensors.collect();
    let double = |x: &&Tensor| x.dtype() == DType::Float64;
    let rows = Rows::of(tensors.iter().copied());
    let (single_rows, double_rows) = rows.slices();
    let (mut single, mut doubles) = (grads::squares(&single_rows).into_iter(), grads::squares(&double_rows).into_iter());
    let next = |x| if double(x) { doubles.next() } else { single.next() };
    tensors.iter().map(next).map(|square| square.unwrap_or(0.0).sqrt()).collect()
}

/// Multiplies every gradient by a factor; in place, where nobody else holds it.
pub fn scale_grads(params: &[Tensor], factor: f64) -> Result<()> {
    if factor == 1.0 {
        return Ok(());
    }
    for param in params {
        let Some(mut grad) = param.grad() else { continue };
        param.set_grad(None)?;
        match grad.dtype() {
            DType::Float32 if !grad.requires_grad() => grads::scale(cpu::slice_mut::<f32>(grad.value_mut()), factor as f32),
            DType::Float64 if !grad.requires_grad() => grads::scale(cpu::slice_mut::<f64>(grad.value_mut()), factor),
            _ => grad = tape::with_enabled(false, || &grad * factor),
        }
        param.set_grad(Some(grad))?;
    }
    Ok(())
}

/// Bounds every element of every gradient to `[-limit, limit]`.
pub fn clamp_grads(params: &[Tensor], limit: f64) -> Result<()> {
    each_grad(params, |grad| clamp(grad, Some(-limit), Some(limit)))
}

fn each_grad(params: &[Tensor], f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<()> {
    tape::with_enabled(false, || {
        for param in params {
            if let Some(grad) = param.grad() {
                param.set_grad(Some(f(&grad)?))?;
            }
        }
        Ok(())
    })
}

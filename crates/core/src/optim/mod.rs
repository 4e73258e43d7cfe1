//! Optimizers: a rule is its options, a plain form composed of ops, and a fused form; the plain one is the reference.

mod adamw;
mod options;
mod sgd;

pub use adamw::AdamW;
pub use options::{OptionRow, RuleRow};
pub use sgd::Sgd;

use firn_kernels::grads;
use firn_kernels::step::{Incoming, Item, Real};

use crate::cpu;
use crate::create::zeros_like;
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::tape;
use crate::tensor::{Tensor, Value};

/// Every rule; its position is the number that crosses the language border.
pub const RULES: &[RuleRow] = &[sgd::ROW, adamw::ROW];

/// One parameter's part in a plain step.
pub(crate) struct Part<'a> {
    pub(crate) param: Tensor,
    pub(crate) grad: Tensor,
    pub(crate) state: &'a mut [Option<Tensor>],
    pub(crate) step: f64,
    pub(crate) fresh: bool,
}

pub(crate) trait Rule {
    /// Which slots these options use.
    fn slots(&self) -> Vec<bool>;
    fn maximize(&self) -> bool;
    /// The reference: gives the new parameter and leaves the new state in `part.state`.
    fn plain(&self, part: Part<'_>) -> Result<Tensor>;
    fn fused32(&self, items: Vec<Item<'_, f32>>, incoming: Incoming);
    fn fused64(&self, items: Vec<Item<'_, f64>>, incoming: Incoming);
}

fn rule(id: u32, options: &[f64]) -> Result<Box<dyn Rule>> {
    match RULES.get(id as usize) {
        Some(row) => (row.build)(options),
        None => bail!(Argument, "unknown optimizer rule {id}"),
    }
}

/// Everything of a step but the tensors.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    pub rule: u32,
    /// In the order of the rule's option table.
    pub options: &'a [f64],
    /// Factor of every gradient: accumulation and loss scale.
    pub grad_scale: f64,
    /// Bound of the norm over all gradients of this call; 0 is off.
    pub clip_norm: f64,
    /// Bound of each element; 0 is off.
    pub clip_value: f64,
    pub fused: bool,
}

/// One step of all parameters that have a gradient. `states` holds a row of slots for each parameter and is filled where
/// empty; `steps` advances where a parameter moved. Gives the norm of the scaled gradients before clipping, NaN when it was not needed.
pub fn step(settings: Settings<'_>, params: &mut [Tensor], states: &mut [Option<Tensor>], steps: &mut [f64]) -> Result<f64> {
    let rule = rule(settings.rule, settings.options)?;
    let slots = rule.slots();
    if states.len() != params.len() * slots.len() || steps.len() != params.len() {
        bail!(Internal, "{} parameters with {} states and {} steps", params.len(), states.len(), steps.len());
    }
    let grads: Vec<Option<Tensor>> = params.iter().map(Tensor::grad).collect();
    let rows: Vec<Option<Value>> = grads.iter().map(|grad| grad.as_ref().map(cpu::contiguous)).collect();
    let (mut scale, mut norm) = (settings.grad_scale, f64::NAN);
    if settings.clip_norm > 0.0 {
        norm = norm_of(grads.iter().flatten(), 2.0)? * settings.grad_scale.abs();
        let factor = settings.clip_norm / (norm + 1e-6);
        // Not `min`, which would hide a NaN: a broken gradient must be seen.
        scale *= if factor > 1.0 { 1.0 } else { factor };
    }
    let bound = if settings.clip_value > 0.0 { settings.clip_value } else { f64::INFINITY };
    let incoming = Incoming { scale: if rule.maximize() { -scale } else { scale }, bound };

    let mut work = Vec::with_capacity(params.len());
    for (((param, grad), state), step) in params.iter_mut().zip(&rows).zip(states.chunks_mut(slots.len())).zip(steps) {
        let Some(grad) = grad else { continue };
        let mut fresh = false;
        for (slot, _) in state.iter_mut().zip(&slots).filter(|(slot, used)| **used && slot.is_none()) {
            *slot = Some(zeros_like(param)?);
            fresh = true;
        }
        *step += 1.0;
        work.push(Piece { param, grad, state, step: *step, fresh });
    }
    let is = |dtype| move |piece: &Piece<'_>| settings.fused && piece.param.dtype() == dtype;
    let (single, rest): (Vec<_>, Vec<_>) = work.into_iter().partition(is(DType::Float32));
    let (double, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(is(DType::Float64));
    if !single.is_empty() {
        rule.fused32(single.into_iter().map(Piece::item).collect(), incoming);
    }
    if !double.is_empty() {
        rule.fused64(double.into_iter().map(Piece::item).collect(), incoming);
    }
    for piece in rest {
        let grad = Tensor::new(piece.grad.clone(), piece.param.dtype());
        let grad = tape::with_enabled(false, || prepared(&grad, incoming))?;
        let part = Part { param: piece.param.detach(), grad, state: piece.state, step: piece.step, fresh: piece.fresh };
        let moved = tape::with_enabled(false, || rule.plain(part))?;
        piece.param.assign(&moved)?;
    }
    Ok(norm)
}

fn prepared(grad: &Tensor, incoming: Incoming) -> Result<Tensor> {
    let scaled = grad * incoming.scale;
    if incoming.bound.is_finite() {
        return crate::ops::elementwise::clamp(&scaled, Some(-incoming.bound), Some(incoming.bound));
    }
    Ok(scaled)
}

struct Piece<'a> {
    param: &'a mut Tensor,
    grad: &'a Value,
    state: &'a mut [Option<Tensor>],
    step: f64,
    fresh: bool,
}

impl<'a> Piece<'a> {
    fn item<T: Real + burn_std::Element + bytemuck::Pod>(self) -> Item<'a, T> {
        let mut state: [&'a mut [T]; 3] = Default::default();
        for (slice, slot) in state.iter_mut().zip(self.state) {
            if let Some(tensor) = slot {
                *slice = cpu::slice_mut(tensor.value_mut());
            }
        }
        Item { param: cpu::slice_mut(self.param.value_mut()), grad: cpu::slice(self.grad), state, step: self.step, fresh: self.fresh }
    }
}

/// The p-norm of all gradients as one vector (p may be infinite); 0 when there is none.
pub fn grad_norm(params: &[Tensor], p: f64) -> Result<f64> {
    let grads: Vec<Tensor> = params.iter().filter_map(Tensor::grad).collect();
    norm_of(grads.iter(), p)
}

fn norm_of<'a>(grads: impl Iterator<Item = &'a Tensor>, p: f64) -> Result<f64> {
    if p.is_nan() || p <= 0.0 {
        bail!(Argument, "p must be positive or infinite and is {p}");
    }
    let (mut single, mut double) = (Vec::new(), Vec::new());
    for grad in grads {
        match grad.dtype() {
            DType::Float64 => double.push(cpu::contiguous(grad)),
            DType::Float32 => single.push(cpu::contiguous(grad)),
            _ => single.push(cpu::contiguous(&Tensor::new(grad.value_as(DType::Float32), DType::Float32))),
        }
    }
    let single: Vec<&[f32]> = single.iter().map(cpu::slice).collect();
    let double: Vec<&[f64]> = double.iter().map(cpu::slice).collect();
    Ok(if p.is_infinite() {
        let (a, b) = (grads::largest(&single), grads::largest(&double));
        if a > b || a.is_nan() { a } else { b }
    } else {
        (grads::power_sum(&single, p) + grads::power_sum(&double, p)).powf(1.0 / p)
    })
}

/// Multiplies every gradient by a factor.
pub fn scale_grads(params: &[Tensor], factor: f64) -> Result<()> {
    each_grad(params, |grad| Ok(grad * factor))
}

/// Bounds every element of every gradient to `[-limit, limit]`.
pub fn clamp_grads(params: &[Tensor], limit: f64) -> Result<()> {
    each_grad(params, |grad| crate::ops::elementwise::clamp(grad, Some(-limit), Some(limit)))
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

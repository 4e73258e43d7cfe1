//! Optimizer steps: one call for all parameters of a group.

use firn_core::optim::{self, Settings};
use firn_core::table;
use napi::bindgen_prelude::{Float64Array, Uint32Array};
use napi_derive::napi;

use crate::call::{call, list};

/// Bits of `flags`.
const ZERO_GRAD: u32 = 1;
const PLAIN: u32 = 2;

/// Steps every parameter that has a gradient; writes new states into `state` (0: not there yet) and advances `steps`.
/// Gives the norm of the gradients before clipping, NaN when it was not needed.
#[napi]
#[allow(clippy::too_many_arguments)]
pub fn optimizer_step(
    rule: u32,
    params: &[u32],
    mut state: Uint32Array,
    mut steps: Float64Array,
    options: &[f64],
    grad_scale: f64,
    clip_norm: f64,
    clip_value: f64,
    flags: u32,
) -> napi::Result<f64> {
    call("step", || {
        let settings = Settings { rule, options, grad_scale, clip_norm, clip_value, fused: flags & PLAIN == 0 };
        // SAFETY: no JavaScript runs during this call, so nothing else touches the arrays.
        let (state, steps) = unsafe { (state.as_mut(), steps.as_mut()) };
        table::with_mut(params, |params| {
            let norm = table::with_slots(state, |state| optim::step(settings, params, state, steps))?;
            if flags & ZERO_GRAD != 0 {
                for param in params {
                    param.set_grad(None)?;
                }
            }
            Ok(norm)
        })
    })
}

/// The p-norm over all gradients as one vector.
#[napi]
pub fn grad_norm(params: &[u32], p: f64) -> napi::Result<f64> {
    call("clip_grad_norm", || optim::grad_norm(&list(params)?, p))
}

#[napi]
pub fn scale_grads(params: &[u32], factor: f64) -> napi::Result<()> {
    call("clip_grad_norm", || optim::scale_grads(&list(params)?, factor))
}

#[napi]
pub fn clamp_grads(params: &[u32], limit: f64) -> napi::Result<()> {
    call("clip_grad_value", || optim::clamp_grads(&list(params)?, limit))
}

/// Drops every gradient.
#[napi]
pub fn zero_grads(params: &[u32]) -> napi::Result<()> {
    call("zero_grad", || list(params)?.iter().try_for_each(|param| param.set_grad(None)))
}

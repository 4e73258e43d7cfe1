//! Optimizer steps: one call for all parameters of all groups.

use firn_core::optim::{self, Group, Settings};
use firn_core::{Error, table};
use napi::bindgen_prelude::{Float64Array, Uint32Array};
use napi_derive::napi;

use crate::call::{call, list};

/// Bits of `flags`.
const ZERO_GRAD: u32 = 1;
const PLAIN: u32 = 2;
const CHECK_FINITE: u32 = 4;

/// Steps every parameter that has a gradient; writes new states into `state` (0: not there yet) and advances `steps`.
/// `counts` are the groups' sizes, `options` their options one after another, and `numbers` the settings
/// `[gradScale, clipNorm, normType, clipValue, averageWeight]`. Gives `[norm, finite, count]`: the norm of the gradients before
/// clipping, NaN when it was not needed; 0 where a gradient was not finite and nothing was done; how many parameters had a gradient.
#[napi]
#[allow(clippy::too_many_arguments)]
pub fn optimizer_step(
    rule: u32,
    params: &[u32],
    mut state: Uint32Array,
    mut steps: Float64Array,
    counts: &[u32],
    options: &[f64],
    numbers: &[f64],
    flags: u32,
) -> napi::Result<Vec<f64>> {
    call("step", || {
        let &[grad_scale, clip_norm, norm_type, clip_value, average_weight] = numbers else {
            return Err(Error::new(firn_core::Code::Internal, "a step takes five settings"));
        };
        let groups = Group::rows(counts, options);
        let settings = Settings {
            rule,
            groups: &groups,
            grad_scale,
            clip_norm,
            norm_type,
            clip_value,
            check_finite: flags & CHECK_FINITE != 0,
            average_weight,
            fused: flags & PLAIN == 0,
        };
        // SAFETY: no JavaScript runs during this call, so nothing else touches the arrays.
        let (state, steps) = unsafe { (state.as_mut(), steps.as_mut()) };
        table::with_mut(params, |params| {
            let outcome = table::with_slots(state, |state| optim::step(settings, params, state, steps))?;
            let count = params.iter().filter(|param| param.grad().is_some()).count();
            if flags & ZERO_GRAD != 0 {
                for param in params {
                    param.set_grad(None)?;
                }
            } else if flags & CHECK_FINITE != 0 && grad_scale != 1.0 {
                optim::scale_grads(params, grad_scale)?;
            }
            Ok(vec![outcome.norm, f64::from(u8::from(outcome.finite)), count as f64])
        })
    })
}

/// The p-norm over all gradients as one vector.
#[napi]
pub fn grad_norm(params: &[u32], p: f64) -> napi::Result<f64> {
    call("clip_grad_norm", || optim::grad_norm(&list(params)?, p))
}

/// Whether every element of every gradient is finite.
#[napi]
pub fn grads_are_finite(params: &[u32]) -> napi::Result<bool> {
    call("unscale", || Ok(optim::grads_are_finite(&list(params)?)))
}

/// Multiplies every gradient by `factor`; gives whether all of them were finite, None where there is none.
#[napi]
pub fn unscale_grads(params: &[u32], factor: f64) -> napi::Result<Option<bool>> {
    call("unscale", || {
        let params = list(params)?;
        let finite = optim::grads_are_finite(&params);
        optim::scale_grads(&params, factor)?;
        Ok(params.iter().any(|param| param.grad().is_some()).then_some(finite))
    })
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

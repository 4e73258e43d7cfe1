//! Optimizers: a rule is its options, a plain form composed of ops, and a fused form; the plain one is the reference.
//!
//! Constants such as `1 - beta2` are formed in float64 and enter a kernel rounded once. A parameter without a gradient is left
//! alone, and its count of steps with it. Parameters of a half type are stepped in float32, on a copy that is part of the state.

mod elementwise;
mod norm;
mod options;
mod rule;
mod rules;
mod run;

pub use norm::{clamp_grads, grad_norm, grads_are_finite, scale_grads};
pub use options::{OptionRow, RuleRow};
pub use rules::RULES;
pub use run::{Group, Outcome, SHARED_SLOTS, Settings};

use crate::error::{Result, bail};
use crate::tape;
use crate::tensor::Tensor;

/// One step of all parameters that have a gradient. `states` holds a row for each parameter (the rule's slots, then the shared ones) and
/// is filled where empty; `steps` advances where a parameter moved.
pub fn step(settings: Settings<'_>, params: &mut [Tensor], states: &mut [Option<Tensor>], steps: &mut [f64]) -> Result<Outcome> {
    // Parameters that only the cache holds, too, would be copied to be written.
    tape::autocast::forget();
    match RULES.get(settings.rule as usize) {
        Some(row) => (row.step)(settings, params, states, steps),
        None => bail!(Argument, "unknown optimizer rule {}", settings.rule),
    }
}

//! The step over many parameters: norms and the check for infinities, clipping, state, the rule's form.

use firn_kernels::step::Incoming;

use super::norm::{are_finite, norm_of};
use super::rule::{Part, Rule, Work};
use crate::cpu;
use crate::error::{Result, bail};
use crate::ops::elementwise::clamp;
use crate::tape;
use crate::tensor::{Tensor, Value};

/// State that every rule may have, after its own slots: the float32 copy of a parameter of a half type, and a running average.
pub const SHARED_SLOTS: [&str; 2] = ["master", "average"];

/// Parameters that share options: so many of the call's, in order.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a> {
    pub count: usize,
    /// In the order of the rule's option table.
    pub options: &'a [f64],
}

impl<'a> Group<'a> {
    /// Groups of these sizes, whose options stand one after another.
    pub fn rows(counts: &[u32], options: &'a [f64]) -> Vec<Group<'a>> {
        let width = options.len() / counts.len().max(1);
        counts.iter().zip(options.chunks(width.max(1))).map(|(&count, options)| Group { count: count as usize, options }).collect()
    }
}

/// Everything of a step but the tensors.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    pub rule: u32,
    pub groups: &'a [Group<'a>],
    /// Factor of every gradient: accumulation and loss scale.
    pub grad_scale: f64,
    /// Bound of the norm over all gradients; 0 is off.
    pub clip_norm: f64,
    /// The p of that norm: 1, 2 or any positive number, or infinite.
    pub norm_type: f64,
    /// Bound of each element; 0 is off.
    pub clip_value: f64,
    /// Leave everything as it is where a gradient is not finite.
    pub check_finite: bool,
    /// The new values' share in the running averages of the parameters; 0 is off. An average begins as a copy.
    pub average_weight: f64,
    pub fused: bool,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Of the scaled gradients before clipping; NaN when it was not needed.
    pub norm: f64,
    /// False where the step was not made.
    pub finite: bool,
}

pub(crate) type Step = fn(Settings<'_>, &mut [Tensor], &mut [Option<Tensor>], &mut [f64]) -> Result<Outcome>;

/// `step` of one rule.
pub(crate) fn step<R: Rule>(
    settings: Settings<'_>,
    params: &mut [Tensor],
    states: &mut [Option<Tensor>],
    steps: &mut [f64],
) -> Result<Outcome> {
    let width = R::SLOTS + SHARED_SLOTS.len();
    let counted: usize = settings.groups.iter().map(|group| group.count).sum();
    if states.len() != params.len() * width || steps.len() != params.len() || counted != params.len() {
        bail!(Internal, "{} parameters with {} states, {} steps and {counted} in groups", params.len(), states.len(), steps.len());
    }
    let rules = settings.groups.iter().map(|group| R::from_numbers(group.options)).collect::<Result<Vec<R>>>()?;
    let grads: Vec<Option<Tensor>> = params.iter().map(Tensor::grad).collect();
    let owners = rules.iter().zip(settings.groups).flat_map(|(rule, group)| std::iter::repeat_n(rule, group.count));
    for ((param, grad), rule) in params.iter().zip(&grads).zip(owners.clone()) {
        if let Some(grad) = grad.as_ref().filter(|grad| grad.dtype() != param.dtype()) {
            bail!(Dtype, "a gradient is {} and its parameter {}", grad.dtype().name(), param.dtype().name());
        }
        rule.check(param)?;
    }

    let own_bound = rules.iter().any(|rule| rule.max_grad_norm() > 0.0);
    let norm_type = if settings.clip_norm > 0.0 || !own_bound { settings.norm_type } else { 2.0 };
    let mut norm = f64::NAN;
    if settings.clip_norm > 0.0 || settings.check_finite || own_bound {
        norm = norm_of(grads.iter().flatten(), norm_type)? * settings.grad_scale.abs();
        if settings.check_finite && !norm.is_finite() && !are_finite(grads.iter().flatten()) {
            return Ok(Outcome { norm, finite: false });
        }
    }
    let scale = settings.grad_scale * shrink(settings.clip_norm, norm, 1e-6);
    let bound = if settings.clip_value > 0.0 { settings.clip_value } else { f64::INFINITY };

    let mut work = Vec::with_capacity(params.len());
    for ((((param, grad), state), step), rule) in params.iter_mut().zip(&grads).zip(states.chunks_mut(width)).zip(steps).zip(owners) {
        let Some(grad) = grad else {
            follow_still(param, &mut state[R::SLOTS..], settings.average_weight)?;
            continue;
        };
        let scale = scale * shrink(rule.max_grad_norm(), norm, 0.0);
        let incoming = Incoming { scale: if rule.maximize() { -scale } else { scale }, bound };
        *step += 1.0;
        work.push(prepare(rule, param, cpu::contiguous(grad), incoming, state, *step, settings.average_weight)?);
    }
    let rest = if settings.fused { R::fused(work)? } else { work };
    tape::with_enabled(false, || rest.into_iter().try_for_each(plain))?;
    Ok(Outcome { norm, finite: true })
}

/// The factor that brings a norm under a bound; 1 where there is none.
fn shrink(bound: f64, norm: f64, eps: f64) -> f64 {
    let factor = bound / (norm + eps);
    // Not `min`, which would hide a NaN: a broken gradient must be seen.
    if bound <= 0.0 || factor > 1.0 { 1.0 } else { factor }
}

/// A parameter with all the state that it needs.
fn prepare<'a, R: Rule>(
    rule: &'a R,
    param: &'a mut Tensor,
    grad: Value,
    incoming: Incoming,
    state: &'a mut [Option<Tensor>],
    step: f64,
    average_weight: f64,
) -> Result<Work<'a, R>> {
    let (state, shared) = state.split_at_mut(R::SLOTS);
    let [master, average] = shared else { bail!(Internal, "a parameter has no place for shared state") };
    let mut fresh = false;
    for slot in (0..R::SLOTS).filter(|&slot| rule.uses(slot, param)) {
        if state[slot].is_none() {
            state[slot] = Some(rule.first(slot, param)?);
            fresh = true;
        }
    }
    let wide = param.dtype().precise();
    if wide != param.dtype() && master.is_none() {
        *master = Some(Tensor::new(param.value_as(wide), wide));
    }
    // An average that is made now takes over the whole of the first new value.
    let average_weight = if average_weight > 0.0 && average.is_none() { 1.0 } else { average_weight };
    if average_weight > 0.0 && average.is_none() {
        *average = Some(Tensor::new(param.value_as(wide), wide));
    }
    Ok(Work { rule, param, grad, incoming, state, master, average, average_weight, step, fresh })
}

/// Brings the running average of a parameter without a gradient, which the rule leaves alone, up to its value.
fn follow_still(param: &Tensor, shared: &mut [Option<Tensor>], weight: f64) -> Result<()> {
    let [master, average] = shared else { bail!(Internal, "a parameter has no place for shared state") };
    if weight <= 0.0 {
        return Ok(());
    }
    let wide = param.dtype().precise();
    let current = master.as_ref().map_or_else(|| Tensor::new(param.value_as(wide), wide), Tensor::detach);
    *average = Some(match average.take() {
        Some(average) => tape::with_enabled(false, || &average + (&current - &average) * weight),
        None => current,
    });
    Ok(())
}

/// One parameter by the reference.
fn plain<R: Rule>(work: Work<'_, R>) -> Result<()> {
    let Work { rule, param, grad, incoming, state, master, average, average_weight, step, fresh } = work;
    let wide = param.dtype().precise();
    let grad = Tensor::new(crate::tensor::cast(grad, param.dtype(), wide), wide) * incoming.scale;
    let grad = match incoming.bound {
        bound if bound.is_finite() => clamp(&grad, Some(-bound), Some(bound))?,
        _ => grad,
    };
    let before = master.as_ref().map_or_else(|| param.detach(), Tensor::detach);
    let moved = rule.plain(Part { param: before, grad, state, step, fresh })?;
    if let Some(average) = average.as_mut().filter(|_| average_weight > 0.0) {
        *average = &*average + (&moved - &*average) * average_weight;
    }
    if master.is_some() {
        param.assign(&Tensor::new(moved.value_as(param.dtype()), param.dtype()))?;
        *master = Some(moved);
        return Ok(());
    }
    param.assign(&moved)
}

//! What a rule is: its options, its state, a plain form that is the reference, and a fused form.

use firn_kernels::real::Real;
use firn_kernels::step::Incoming;

use crate::cpu;
use crate::create::full;
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::ops::magnitude::norm;
use crate::tensor::{Tensor, Value};

/// Options that cross the border as numbers; `options!` writes this.
pub(crate) trait Options: Sized {
    /// State tensors of a parameter, but for the shared ones.
    const SLOTS: usize;
    /// Reads the options from numbers in the order of the table.
    fn from_numbers(numbers: &[f64]) -> Result<Self>;
    /// Whether to ascend instead of descend; an option that every rule has.
    fn maximize(&self) -> bool;
}

pub(crate) trait Rule: Options {
    /// Whether these options use a slot for this parameter.
    fn uses(&self, _slot: usize, _param: &Tensor) -> bool {
        true
    }

    /// Refuses a parameter that the rule cannot step.
    fn check(&self, _param: &Tensor) -> Result<()> {
        Ok(())
    }

    /// What a slot holds before the first step.
    fn first(&self, _slot: usize, param: &Tensor) -> Result<Tensor> {
        like(param, 0.0)
    }

    /// The bound that the rule itself sets to the norm of all gradients; 0 for none.
    fn max_grad_norm(&self) -> f64 {
        0.0
    }

    /// The reference: gives the new parameter and leaves the new state in `part.state`.
    fn plain(&self, part: Part<'_>) -> Result<Tensor>;

    /// Steps all parameters in as few passes over memory as the rule allows; gives back those it has no fused form for.
    fn fused(work: Vec<Work<'_, Self>>) -> Result<Vec<Work<'_, Self>>>;
}

/// One parameter's part in a plain step, in float32 or float64.
pub(crate) struct Part<'a> {
    pub(crate) param: Tensor,
    pub(crate) grad: Tensor,
    pub(crate) state: &'a mut [Option<Tensor>],
    /// Steps this parameter has taken, with this one.
    pub(crate) step: f64,
    /// Whether the state was made just now.
    pub(crate) fresh: bool,
}

impl Part<'_> {
    /// The tensors of the first slots, which the rule is known to use.
    pub(crate) fn tensors<const N: usize>(state: &mut [Option<Tensor>]) -> Result<[&mut Tensor; N]> {
        let found: Option<Vec<&mut Tensor>> = state.iter_mut().take(N).map(Option::as_mut).collect();
        match found.and_then(|found| found.try_into().ok()) {
            Some(tensors) => Ok(tensors),
            None => bail!(Internal, "a state tensor of the rule is missing"),
        }
    }
}

/// One parameter on its way through a fused step.
pub(crate) struct Work<'a, R> {
    pub(crate) rule: &'a R,
    pub(crate) param: &'a mut Tensor,
    /// In row-major order.
    pub(crate) grad: Value,
    pub(crate) incoming: Incoming,
    /// The rule's slots.
    pub(crate) state: &'a mut [Option<Tensor>],
    /// The float32 copy of a parameter of a half type.
    pub(crate) master: &'a mut Option<Tensor>,
    pub(crate) average: &'a mut Option<Tensor>,
    /// The new value's share in the average; 0 when there is none.
    pub(crate) average_weight: f64,
    pub(crate) step: f64,
    pub(crate) fresh: bool,
}

impl<R> Work<'_, R> {
    /// Brings the running average after a parameter that was moved without a kernel.
    pub(crate) fn follow<T: Real + burn_std::Element + bytemuck::Pod>(&mut self) {
        if self.average_weight > 0.0
            && let Some(average) = self.average
        {
            let weight = T::of(self.average_weight);
            let param = cpu::contiguous(self.param);
            for (average, &p) in cpu::slice_mut::<T>(average.value_mut()).iter_mut().zip(cpu::slice::<T>(&param)) {
                *average = *average + weight * (p - *average);
            }
        }
    }
}

/// A state tensor of the parameter's shape.
pub(crate) fn like(param: &Tensor, value: f64) -> Result<Tensor> {
    full(param.shape(), value, param.dtype().precise())
}

/// The factor of the parameter that an L2 penalty adds to the gradient, and what decoupled weight decay leaves of the parameter.
pub(crate) fn decay(lr: f64, weight_decay: f64, decoupled: bool) -> (f64, f64) {
    if decoupled { (0.0, 1.0 - lr * weight_decay) } else { (weight_decay, 1.0) }
}

/// The 2-norm of a tensor, by ops.
pub(crate) fn plain_norm(x: &Tensor) -> Result<f64> {
    cpu::item(&norm(x, &[], 2.0, false)?)
}

/// A number that a rule remembers, in float64.
pub(crate) fn number(value: f64) -> Result<Tensor> {
    full(&[], value, DType::Float64)
}

pub(crate) fn read_number(slot: &Option<Tensor>) -> Result<f64> {
    match slot {
        Some(tensor) => cpu::item(tensor),
        None => bail!(Internal, "a number of the rule's state is missing"),
    }
}

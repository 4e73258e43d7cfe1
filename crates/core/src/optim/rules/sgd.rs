//! Stochastic gradient descent.

use firn_kernels::real::Real;
use firn_kernels::step::{Kernel, Piece};

use crate::error::Result;
use crate::optim::elementwise::{Elementwise, fused};
use crate::optim::options::options;
use crate::optim::rule::{Part, Rule, Work};
use crate::tensor::Tensor;

options! {
    /// Stochastic gradient descent with momentum (Sutskever et al., ICML 2013), as `torch.optim.SGD`.
    rule Sgd as sgd, slots ["momentum_buffer"]
    /// Learning rate.
    lr: f64 = 1e-3, ">= 0";
    /// Share of the previous direction kept.
    momentum: f64 = 0.0, ">= 0";
    /// Share of the gradient that does not enter the momentum.
    dampening: f64 = 0.0, "finite";
    /// L2 penalty, added to the gradient.
    weight_decay: f64 = 0.0, ">= 0";
    /// Nesterov's momentum; needs `momentum > 0` and `dampening = 0`.
    nesterov: bool = false, "";
    /// Ascend instead of descend.
    maximize: bool = false, "";
}

/// Also what LARS does once its ratio is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Momentum {
    pub(super) lr: f64,
    pub(super) momentum: f64,
    pub(super) dampening: f64,
    pub(super) nesterov: bool,
    /// Of the gradient, and of the parameter in it.
    pub(super) scale: f64,
    pub(super) decay: f64,
    /// The first gradient enters the buffer undampened.
    pub(super) fresh: bool,
}

impl Kernel for Momentum {
    #[inline(always)]
    fn update<T: Real>(&self, piece: Piece<'_, T>, take: impl Fn(T) -> T) {
        let (lr, scale, decay, momentum) = (T::of(self.lr), T::of(self.scale), T::of(self.decay), T::of(self.momentum));
        let Piece { param, grad, state: [buffer, ..] } = piece;
        let each = param.iter_mut().zip(grad);
        if self.momentum == 0.0 {
            for (p, &g) in each {
                *p = *p - lr * (take(g) * scale + decay * *p);
            }
            return;
        }
        let (keep, enter) = if self.fresh { (T::of(0.0), T::of(1.0)) } else { (momentum, T::of(1.0 - self.dampening)) };
        for ((p, &g), buffer) in each.zip(buffer) {
            let g = take(g) * scale + decay * *p;
            *buffer = keep * *buffer + enter * g;
            let direction = if self.nesterov { g + momentum * *buffer } else { *buffer };
            *p = *p - lr * direction;
        }
    }
}

impl Elementwise for Sgd {
    type Kernel = Momentum;

    fn kernel(&self, _step: f64, fresh: bool, _numbers: &mut [f64]) -> Momentum {
        let Sgd { lr, momentum, dampening, weight_decay, nesterov, .. } = *self;
        Momentum { lr, momentum, dampening, nesterov, scale: 1.0, decay: weight_decay, fresh }
    }
}

impl Rule for Sgd {
    fn uses(&self, _slot: usize, _param: &Tensor) -> bool {
        self.momentum != 0.0
    }

    fn plain(&self, part: Part<'_>) -> Result<Tensor> {
        let Part { param, grad, state, fresh, .. } = part;
        let grad = grad + &param * self.weight_decay;
        let buffer = state[0].as_mut().filter(|_| self.momentum != 0.0);
        descend(param, grad, buffer, [self.lr, self.momentum, self.dampening], self.nesterov, fresh)
    }

    fn fused(work: Vec<Work<'_, Self>>) -> Result<Vec<Work<'_, Self>>> {
        fused(work)
    }
}

/// The plain form once the gradient is ready; the numbers are lr, momentum and dampening.
pub(super) fn descend(
    param: Tensor,
    grad: Tensor,
    buffer: Option<&mut Tensor>,
    [lr, momentum, dampening]: [f64; 3],
    nesterov: bool,
    fresh: bool,
) -> Result<Tensor> {
    let Some(buffer) = buffer else { return Ok(param - grad * lr) };
    let next = if fresh { grad.clone() } else { &*buffer * momentum + &grad * (1.0 - dampening) };
    let direction = if nesterov { grad + &next * momentum } else { next.clone() };
    *buffer = next;
    Ok(param - direction * lr)
}

//! Stochastic gradient descent.

use firn_kernels::sgd::Sgd as Kernel;
use firn_kernels::step::{Incoming, Item, run};

use super::options::options;
use super::{Part, Rule};
use crate::error::Result;
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

impl Sgd {
    fn kernel(&self) -> Kernel {
        let Sgd { lr, momentum, dampening, weight_decay, nesterov, .. } = *self;
        Kernel { lr, momentum, dampening, weight_decay, nesterov }
    }
}

impl Rule for Sgd {
    fn slots(&self) -> Vec<bool> {
        vec![self.momentum != 0.0]
    }

    fn maximize(&self) -> bool {
        self.maximize
    }

    fn plain(&self, part: Part<'_>) -> Result<Tensor> {
        let Part { param, grad, state, fresh, .. } = part;
        let grad = grad + &param * self.weight_decay;
        let Some(buffer) = &mut state[0] else { return Ok(param - grad * self.lr) };
        let next = if fresh { grad.clone() } else { &*buffer * self.momentum + &grad * (1.0 - self.dampening) };
        let direction = if self.nesterov { grad + &next * self.momentum } else { next.clone() };
        *buffer = next;
        Ok(param - direction * self.lr)
    }

    fn fused32(&self, items: Vec<Item<'_, f32>>, incoming: Incoming) {
        let kernel = self.kernel();
        run(
            items,
            #[inline(always)]
            |item| kernel.update(item, incoming),
        );
    }

    fn fused64(&self, items: Vec<Item<'_, f64>>, incoming: Incoming) {
        let kernel = self.kernel();
        run(
            items,
            #[inline(always)]
            |item| kernel.update(item, incoming),
        );
    }
}

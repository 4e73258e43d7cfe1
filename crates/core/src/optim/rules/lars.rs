//! Layer-wise adaptive rate scaling.

use crate::error::Result;
use crate::optim::elementwise::with_kernels;
use crate::optim::norm::each_norm;
use crate::optim::options::options;
use crate::optim::rule::{Options, Part, Rule, Work, plain_norm};
use crate::optim::rules::sgd::{Momentum, descend};
use crate::tensor::Tensor;

options! {
    /// Stochastic gradient descent whose rate follows the norms of each tensor (You et al., "Large batch training of convolutional networks",
    /// 2017), as timm's.
    rule Lars as lars, slots ["momentum_buffer"]
    /// Learning rate.
    lr: f64 = 1.0, ">= 0";
    /// Share of the previous direction kept.
    momentum: f64 = 0.0, ">= 0";
    /// Share of the gradient that does not enter the momentum.
    dampening: f64 = 0.0, "finite";
    /// L2 penalty, added to the gradient.
    weight_decay: f64 = 0.0, ">= 0";
    /// Nesterov's momentum; needs `momentum > 0` and `dampening = 0`.
    nesterov: bool = false, "";
    /// Factor of the ratio of norms.
    trust_coeff: f64 = 1e-3, ">= 0";
    /// Added to the denominator of the ratio.
    eps: f64 = 1e-8, ">= 0";
    /// Bound the ratio so that it never raises `lr`.
    trust_clip: bool = false, "";
    /// Use the ratio also where there is no weight decay.
    always_adapt: bool = false, "";
    /// Ascend instead of descend.
    maximize: bool = false, "";
}

impl Lars {
    fn adapts(&self) -> bool {
        self.weight_decay != 0.0 || self.always_adapt
    }

    /// The factor of the gradient, from the norms of parameter and gradient.
    fn ratio(&self, param: f64, grad: f64) -> f64 {
        if !self.adapts() || param == 0.0 || grad == 0.0 {
            return 1.0;
        }
        let ratio = self.trust_coeff * param / (grad + param * self.weight_decay + self.eps);
        if self.trust_clip { (ratio / self.lr).min(1.0) } else { ratio }
    }
}

impl Rule for Lars {
    fn uses(&self, _slot: usize, _param: &Tensor) -> bool {
        self.momentum != 0.0
    }

    fn plain(&self, part: Part<'_>) -> Result<Tensor> {
        let Part { param, grad, state, fresh, .. } = part;
        let ratio = self.ratio(plain_norm(&param)?, plain_norm(&grad)?);
        let grad = (grad + &param * self.weight_decay) * ratio;
        let buffer = state[0].as_mut().filter(|_| self.momentum != 0.0);
        descend(param, grad, buffer, [self.lr, self.momentum, self.dampening], self.nesterov, fresh)
    }

    fn fused(work: Vec<Work<'_, Self>>) -> Result<Vec<Work<'_, Self>>> {
        // A bound of each element changes the norm of the gradient in a way that a factor cannot tell.
        let (bounded, mut work): (Vec<_>, Vec<_>) = work.into_iter().partition(|work| work.incoming.bound.is_finite());
        let adapting = || work.iter().filter(|work| work.rule.adapts());
        let grads: Vec<Tensor> = adapting().map(|work| Tensor::new(work.grad.clone(), work.param.dtype())).collect();
        let params = adapting().map(|work| work.master.as_ref().unwrap_or(work.param));
        let mut norms = each_norm(params.chain(&grads));
        let mut grads = norms.split_off(grads.len()).into_iter();
        let mut params = norms.into_iter();
        with_kernels(&mut work, Self::SLOTS, |work| {
            let next = |norms: &mut std::vec::IntoIter<f64>| norms.next().unwrap_or_default();
            let (param, grad) = if work.rule.adapts() { (next(&mut params), next(&mut grads)) } else { (0.0, 0.0) };
            let rule = work.rule;
            let ratio = rule.ratio(param, grad * work.incoming.scale.abs());
            let Lars { lr, momentum, dampening, weight_decay, nesterov, .. } = *rule;
            Ok(Momentum { lr, momentum, dampening, nesterov, scale: ratio, decay: weight_decay * ratio, fresh: work.fresh })
        })?;
        Ok(bounded)
    }
}

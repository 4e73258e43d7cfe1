//! Rectified Adam.

use firn_kernels::real::Real;
use firn_kernels::step::{Kernel, Piece};

use crate::error::Result;
use crate::ops::elementwise::{sqrt, square};
use crate::optim::elementwise::{Elementwise, fused};
use crate::optim::options::options;
use crate::optim::rule::{Part, Rule, Work, decay};
use crate::tensor::Tensor;

options! {
    /// Adam whose adaptive step is switched on when the variance of its denominator is tractable, and weighed by it (Liu et al., ICLR 2020),
    /// as `torch.optim.RAdam`.
    rule RAdam as r_adam, slots ["exp_avg", "exp_avg_sq"]
    /// Learning rate.
    lr: f64 = 1e-3, ">= 0";
    /// Decay rates of the means of the gradient and of its square.
    betas: [f64; 2] = [0.9, 0.999], "in [0, 1)";
    /// Added to the denominator.
    eps: f64 = 1e-8, ">= 0";
    /// L2 penalty, added to the gradient; or the share of the parameter, times `lr`, taken off at each step if `decoupledWeightDecay`.
    weight_decay: f64 = 0.0, ">= 0";
    /// Weight decay as AdamW's.
    decoupled_weight_decay: bool = false, "";
    /// Ascend instead of descend.
    maximize: bool = false, "";
}

impl RAdam {
    /// The rectification of the adaptive step; None while its variance is intractable.
    fn rectification(&self, step: f64) -> Option<f64> {
        let b2 = self.betas[1];
        let most = 2.0 / (1.0 - b2) - 1.0;
        let rho = most - 2.0 * step * b2.powf(step) / (1.0 - b2.powf(step));
        (rho > 5.0).then(|| ((rho - 4.0) * (rho - 2.0) * most / ((most - 4.0) * (most - 2.0) * rho)).sqrt())
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Rectified {
    w1: f64,
    b2: f64,
    w2: f64,
    eps: f64,
    /// Factor of the mean over the root, or of the mean alone.
    step_size: f64,
    adaptive: bool,
    l2: f64,
    keep: f64,
}

impl Kernel for Rectified {
    #[inline(always)]
    fn update<T: Real>(&self, piece: Piece<'_, T>, take: impl Fn(T) -> T) {
        let (w1, b2, w2, eps) = (T::of(self.w1), T::of(self.b2), T::of(self.w2), T::of(self.eps));
        let (step_size, l2, keep) = (T::of(self.step_size), T::of(self.l2), T::of(self.keep));
        let Piece { param, grad, state: [m, v, _] } = piece;
        for ((p, &g), (m, v)) in param.iter_mut().zip(grad).zip(m.iter_mut().zip(v.iter_mut())) {
            let g = take(g) + l2 * *p;
            *m = *m + w1 * (g - *m);
            *v = b2 * *v + w2 * (g * g);
            let direction = if self.adaptive { *m / (v.sqrt() + eps) } else { *m };
            *p = *p * keep - step_size * direction;
        }
    }
}

impl Elementwise for RAdam {
    type Kernel = Rectified;

    fn kernel(&self, step: f64, _fresh: bool, _numbers: &mut [f64]) -> Rectified {
        let [b1, b2] = self.betas;
        let (l2, keep) = decay(self.lr, self.weight_decay, self.decoupled_weight_decay);
        let unbiased = self.lr / (1.0 - b1.powf(step));
        let (step_size, adaptive) = match self.rectification(step) {
            Some(rectification) => (unbiased * rectification * (1.0 - b2.powf(step)).sqrt(), true),
            None => (unbiased, false),
        };
        Rectified { w1: 1.0 - b1, b2, w2: 1.0 - b2, eps: self.eps, step_size, adaptive, l2, keep }
    }
}

impl Rule for RAdam {
    fn plain(&self, part: Part<'_>) -> Result<Tensor> {
        let Part { param, grad, state, step, .. } = part;
        let [b1, b2] = self.betas;
        let (l2, keep) = decay(self.lr, self.weight_decay, self.decoupled_weight_decay);
        let grad = grad + &param * l2;
        let [m, v] = Part::tensors(state)?;
        *m = &*m + &((&grad - &*m) * (1.0 - b1));
        *v = &*v * b2 + square(&grad)? * (1.0 - b2);
        let unbiased = &*m / (1.0 - b1.powf(step));
        let direction = match self.rectification(step) {
            Some(rectification) => unbiased / (sqrt(v)? + self.eps) * (rectification * (1.0 - b2.powf(step)).sqrt()),
            None => unbiased,
        };
        Ok(param * keep - direction * self.lr)
    }

    fn fused(work: Vec<Work<'_, Self>>) -> Result<Vec<Work<'_, Self>>> {
        fused(work)
    }
}

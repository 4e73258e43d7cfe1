//! Lion.

use firn_kernels::real::Real;
use firn_kernels::step::{Kernel, Piece};

use crate::error::Result;
use crate::ops::elementwise::sign;
use crate::optim::elementwise::{Elementwise, fused};
use crate::optim::options::options;
use crate::optim::rule::{Part, Rule, Work};
use crate::tensor::Tensor;

options! {
    /// Lion: signs of a momentum (Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023), as timm's.
    rule Lion as lion, slots ["exp_avg"]
    /// Learning rate; about a tenth of what AdamW takes.
    lr: f64 = 1e-4, ">= 0";
    /// Share of the momentum in a step, and in the next momentum.
    betas: [f64; 2] = [0.9, 0.99], "in [0, 1)";
    /// Share of the parameter, times `lr`, taken off at each step.
    weight_decay: f64 = 0.0, ">= 0";
    /// Ascend instead of descend.
    maximize: bool = false, "";
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct SignedMomentum {
    lr: f64,
    keep: f64,
    b1: f64,
    w1: f64,
    w2: f64,
}

impl Kernel for SignedMomentum {
    #[inline(always)]
    fn update<T: Real>(&self, piece: Piece<'_, T>, take: impl Fn(T) -> T) {
        let (lr, keep) = (T::of(self.lr), T::of(self.keep));
        let (b1, w1, w2) = (T::of(self.b1), T::of(self.w1), T::of(self.w2));
        let Piece { param, grad, state: [m, ..] } = piece;
        for ((p, &g), m) in param.iter_mut().zip(grad).zip(m) {
            let g = take(g);
            *p = *p * keep - lr * (b1 * *m + w1 * g).sign();
            *m = *m + w2 * (g - *m);
        }
    }
}

impl Elementwise for Lion {
    type Kernel = SignedMomentum;

    fn kernel(&self, _step: f64, _fresh: bool, _numbers: &mut [f64]) -> SignedMomentum {
        let [b1, b2] = self.betas;
        SignedMomentum { lr: self.lr, keep: 1.0 - self.lr * self.weight_decay, b1, w1: 1.0 - b1, w2: 1.0 - b2 }
    }
}

impl Rule for Lion {
    fn plain(&self, part: Part<'_>) -> Result<Tensor> {
        let Part { param, grad, state, .. } = part;
        let [b1, b2] = self.betas;
        let [m] = Part::tensors(state)?;
        let direction = sign(&(&*m * b1 + &grad * (1.0 - b1)))?;
        *m = &*m + &((grad - &*m) * (1.0 - b2));
        Ok(param * (1.0 - self.lr * self.weight_decay) - direction * self.lr)
    }

    fn fused(work: Vec<Work<'_, Self>>) -> Result<Vec<Work<'_, Self>>> {
        fused(work)
    }
}

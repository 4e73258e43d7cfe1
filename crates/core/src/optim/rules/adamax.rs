//! Adam over the infinity norm.

use firn_kernels::real::Real;
use firn_kernels::step::{Kernel, Piece};

use crate::error::Result;
use crate::ops::elementwise::{abs, maximum};
use crate::optim::elementwise::{Elementwise, fused};
use crate::optim::options::options;
use crate::optim::rule::{Part, Rule, Work};
use crate::tensor::Tensor;

options! {
    /// Adam that divides by a decaying maximum instead of a mean of squares (Kingma and Ba, ICLR 2015), as `torch.optim.Adamax`.
    rule Adamax as adamax, slots ["exp_avg", "exp_inf"]
    /// Learning rate.
    lr: f64 = 2e-3, ">= 0";
    /// Decay rates of the mean of the gradient and of its largest magnitude.
    betas: [f64; 2] = [0.9, 0.999], "in [0, 1)";
    /// Added to the magnitude of the gradient.
    eps: f64 = 1e-8, ">= 0";
    /// L2 penalty, added to the gradient.
    weight_decay: f64 = 0.0, ">= 0";
    /// Ascend instead of descend.
    maximize: bool = false, "";
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Max {
    w1: f64,
    b2: f64,
    step_size: f64,
    eps: f64,
    l2: f64,
}

impl Kernel for Max {
    #[inline(always)]
    fn update<T: Real>(&self, piece: Piece<'_, T>, take: impl Fn(T) -> T) {
        let (w1, b2, step_size) = (T::of(self.w1), T::of(self.b2), T::of(self.step_size));
        let (eps, l2) = (T::of(self.eps), T::of(self.l2));
        let Piece { param, grad, state: [m, u, _] } = piece;
        for ((p, &g), (m, u)) in param.iter_mut().zip(grad).zip(m.iter_mut().zip(u.iter_mut())) {
            let g = take(g) + l2 * *p;
            *m = *m + w1 * (g - *m);
            *u = (b2 * *u).max(g.abs() + eps);
            *p = *p - step_size * (*m / *u);
        }
    }
}

impl Elementwise for Adamax {
    type Kernel = Max;

    fn kernel(&self, step: f64, _fresh: bool, _numbers: &mut [f64]) -> Max {
        let [b1, b2] = self.betas;
        Max { w1: 1.0 - b1, b2, step_size: self.lr / (1.0 - b1.powf(step)), eps: self.eps, l2: self.weight_decay }
    }
}

impl Rule for Adamax {
    fn plain(&self, part: Part<'_>) -> Result<Tensor> {
        let Part { param, grad, state, step, .. } = part;
        let [b1, b2] = self.betas;
        let grad = grad + &param * self.weight_decay;
        let [m, u] = Part::tensors(state)?;
        *m = &*m + &((&grad - &*m) * (1.0 - b1));
        *u = maximum(&(&*u * b2).into(), &(abs(&grad)? + self.eps).into())?;
        Ok(param - &*m / &*u * (self.lr / (1.0 - b1.powf(step))))
    }

    fn fused(work: Vec<Work<'_, Self>>) -> Result<Vec<Work<'_, Self>>> {
        fused(work)
    }
}

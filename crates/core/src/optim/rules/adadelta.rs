//! Adadelta.

use firn_kernels::real::Real;
use firn_kernels::step::{Kernel, Piece};

use crate::error::Result;
use crate::ops::elementwise::{sqrt, square};
use crate::optim::elementwise::{Elementwise, fused};
use crate::optim::options::options;
use crate::optim::rule::{Part, Rule, Work};
use crate::tensor::Tensor;

options! {
    /// Adadelta (Zeiler, 2012), as `torch.optim.Adadelta`.
    rule Adadelta as adadelta, slots ["square_avg", "acc_delta"]
    /// Factor of the step that the rule chooses.
    lr: f64 = 1.0, ">= 0";
    /// Decay rate of the means of squares.
    rho: f64 = 0.9, "in [0, 1]";
    /// Added under both roots.
    eps: f64 = 1e-6, ">= 0";
    /// L2 penalty, added to the gradient.
    weight_decay: f64 = 0.0, ">= 0";
    /// Ascend instead of descend.
    maximize: bool = false, "";
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Deltas {
    lr: f64,
    rho: f64,
    rest: f64,
    eps: f64,
    l2: f64,
}

impl Kernel for Deltas {
    #[inline(always)]
    fn update<T: Real>(&self, piece: Piece<'_, T>, take: impl Fn(T) -> T) {
        let (lr, rho, rest) = (T::of(self.lr), T::of(self.rho), T::of(self.rest));
        let (eps, l2) = (T::of(self.eps), T::of(self.l2));
        let Piece { param, grad, state: [squares, deltas, _] } = piece;
        for ((p, &g), (squares, deltas)) in param.iter_mut().zip(grad).zip(squares.iter_mut().zip(deltas.iter_mut())) {
            let g = take(g) + l2 * *p;
            *squares = rho * *squares + rest * (g * g);
            let delta = (*deltas + eps).sqrt() / (*squares + eps).sqrt() * g;
            *deltas = rho * *deltas + rest * (delta * delta);
            *p = *p - lr * delta;
        }
    }
}

impl Elementwise for Adadelta {
    type Kernel = Deltas;

    fn kernel(&self, _step: f64, _fresh: bool, _numbers: &mut [f64]) -> Deltas {
        Deltas { lr: self.lr, rho: self.rho, rest: 1.0 - self.rho, eps: self.eps, l2: self.weight_decay }
    }
}

impl Rule for Adadelta {
    fn plain(&self, part: Part<'_>) -> Result<Tensor> {
        let Part { param, grad, state, .. } = part;
        let (rho, rest) = (self.rho, 1.0 - self.rho);
        let grad = grad + &param * self.weight_decay;
        let [squares, deltas] = Part::tensors(state)?;
        *squares = &*squares * rho + square(&grad)? * rest;
        let delta = sqrt(&(&*deltas + self.eps))? / sqrt(&(&*squares + self.eps))? * grad;
        *deltas = &*deltas * rho + square(&delta)? * rest;
        Ok(param - delta * self.lr)
    }

    fn fused(work: Vec<Work<'_, Self>>) -> Result<Vec<Work<'_, Self>>> {
        fused(work)
    }
}

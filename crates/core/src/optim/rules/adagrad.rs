//! Adagrad.

use firn_kernels::real::Real;
use firn_kernels::step::{Kernel, Piece};

use crate::error::Result;
use crate::ops::elementwise::{sqrt, square};
use crate::optim::elementwise::{Elementwise, fused};
use crate::optim::options::options;
use crate::optim::rule::{Part, Rule, Work, like};
use crate::tensor::Tensor;

options! {
    /// Adagrad (Duchi et al., JMLR 2011), as `torch.optim.Adagrad`.
    rule Adagrad as adagrad, slots ["sum"]
    /// Learning rate.
    lr: f64 = 1e-2, ">= 0";
    /// The rate at step `t`, from 0, is divided by `1 + t * lrDecay`.
    lr_decay: f64 = 0.0, ">= 0";
    /// L2 penalty, added to the gradient.
    weight_decay: f64 = 0.0, ">= 0";
    /// What the sums of squares begin with.
    initial_accumulator_value: f64 = 0.0, ">= 0";
    /// Added to the denominator.
    eps: f64 = 1e-10, ">= 0";
    /// Ascend instead of descend.
    maximize: bool = false, "";
}

impl Adagrad {
    fn rate(&self, step: f64) -> f64 {
        self.lr / (1.0 + (step - 1.0) * self.lr_decay)
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Sums {
    rate: f64,
    eps: f64,
    l2: f64,
}

impl Kernel for Sums {
    #[inline(always)]
    fn update<T: Real>(&self, piece: Piece<'_, T>, take: impl Fn(T) -> T) {
        let (rate, eps, l2) = (T::of(self.rate), T::of(self.eps), T::of(self.l2));
        let Piece { param, grad, state: [sum, ..] } = piece;
        for ((p, &g), sum) in param.iter_mut().zip(grad).zip(sum) {
            let g = take(g) + l2 * *p;
            *sum = *sum + g * g;
            *p = *p - rate * (g / (sum.sqrt() + eps));
        }
    }
}

impl Elementwise for Adagrad {
    type Kernel = Sums;

    fn kernel(&self, step: f64, _fresh: bool, _numbers: &mut [f64]) -> Sums {
        Sums { rate: self.rate(step), eps: self.eps, l2: self.weight_decay }
    }
}

impl Rule for Adagrad {
    fn first(&self, _slot: usize, param: &Tensor) -> Result<Tensor> {
        like(param, self.initial_accumulator_value)
    }

    fn plain(&self, part: Part<'_>) -> Result<Tensor> {
        let Part { param, grad, state, step, .. } = part;
        let grad = grad + &param * self.weight_decay;
        let [sum] = Part::tensors(state)?;
        *sum = &*sum + &square(&grad)?;
        Ok(param - grad / (sqrt(sum)? + self.eps) * self.rate(step))
    }

    fn fused(work: Vec<Work<'_, Self>>) -> Result<Vec<Work<'_, Self>>> {
        fused(work)
    }
}

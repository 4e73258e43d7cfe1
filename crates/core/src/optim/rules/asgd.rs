//! Averaged stochastic gradient descent.

use firn_kernels::real::Real;
use firn_kernels::step::{Kernel, Piece};

use crate::error::{Result, bail};
use crate::optim::elementwise::{Elementwise, fused};
use crate::optim::options::options;
use crate::optim::rule::{Part, Rule, Work, like, number, read_number};
use crate::tensor::Tensor;

options! {
    /// Averaged stochastic gradient descent (Polyak and Juditsky, 1992), as `torch.optim.ASGD`; the average is the state `ax`.
    rule Asgd as asgd, slots ["ax", "eta", "mu"]
    /// Learning rate.
    lr: f64 = 1e-2, ">= 0";
    /// Decay term.
    lambd: f64 = 1e-4, "finite";
    /// Power of the rate's decay.
    alpha: f64 = 0.75, "finite";
    /// The step at which averaging begins.
    t0: f64 = 1e6, ">= 0";
    /// L2 penalty, added to the gradient.
    weight_decay: f64 = 0.0, ">= 0";
    /// Ascend instead of descend.
    maximize: bool = false, "";
}

impl Asgd {
    /// The rate and the average's share of the step after `step`.
    fn next(&self, step: f64) -> [f64; 2] {
        [self.lr / (1.0 + self.lambd * self.lr * step).powf(self.alpha), 1.0 / (step - self.t0).max(1.0)]
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Averaged {
    keep: f64,
    eta: f64,
    mu: f64,
    l2: f64,
}

impl Kernel for Averaged {
    #[inline(always)]
    fn update<T: Real>(&self, piece: Piece<'_, T>, take: impl Fn(T) -> T) {
        let (keep, eta, mu, l2) = (T::of(self.keep), T::of(self.eta), T::of(self.mu), T::of(self.l2));
        let Piece { param, grad, state: [average, ..] } = piece;
        for ((p, &g), average) in param.iter_mut().zip(grad).zip(average) {
            let g = take(g) + l2 * *p;
            *p = *p * keep - eta * g;
            *average = if self.mu == 1.0 { *p } else { *average + mu * (*p - *average) };
        }
    }
}

impl Elementwise for Asgd {
    type Kernel = Averaged;
    const NUMBERS: usize = 2;

    fn kernel(&self, step: f64, _fresh: bool, numbers: &mut [f64]) -> Averaged {
        let (eta, mu) = (numbers[0], numbers[1]);
        numbers.copy_from_slice(&self.next(step));
        Averaged { keep: 1.0 - self.lambd * eta, eta, mu, l2: self.weight_decay }
    }
}

impl Rule for Asgd {
    fn first(&self, slot: usize, param: &Tensor) -> Result<Tensor> {
        match slot {
            0 => like(param, 0.0),
            1 => number(self.lr),
            _ => number(1.0),
        }
    }

    fn plain(&self, part: Part<'_>) -> Result<Tensor> {
        let Part { param, grad, state, step, .. } = part;
        let [Some(average), eta, mu] = state else { bail!(Internal, "ASGD's state is missing") };
        let (rate, share) = (read_number(eta)?, read_number(mu)?);
        let grad = grad + &param * self.weight_decay;
        let moved = param * (1.0 - self.lambd * rate) - grad * rate;
        *average = &*average + &((&moved - &*average) * share);
        let [next_eta, next_mu] = self.next(step);
        (*eta, *mu) = (Some(number(next_eta)?), Some(number(next_mu)?));
        Ok(moved)
    }

    fn fused(work: Vec<Work<'_, Self>>) -> Result<Vec<Work<'_, Self>>> {
        fused(work)
    }
}

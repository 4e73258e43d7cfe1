//! RMSprop.

use firn_kernels::real::Real;
use firn_kernels::step::{Kernel, Piece};

use crate::error::Result;
use crate::ops::elementwise::{sqrt, square};
use crate::optim::elementwise::{Elementwise, fused};
use crate::optim::options::options;
use crate::optim::rule::{Part, Rule, Work};
use crate::tensor::Tensor;

options! {
    /// RMSprop (Tieleman and Hinton, lecture 6.5, 2012), as `torch.optim.RMSprop`: `eps` stands outside the root.
    rule RmsProp as rms_prop, slots ["square_avg", "grad_avg", "momentum_buffer"]
    /// Learning rate.
    lr: f64 = 1e-2, ">= 0";
    /// Decay rate of the means.
    alpha: f64 = 0.99, "in [0, 1]";
    /// Added to the denominator.
    eps: f64 = 1e-8, ">= 0";
    /// L2 penalty, added to the gradient.
    weight_decay: f64 = 0.0, ">= 0";
    /// Share of the previous direction kept.
    momentum: f64 = 0.0, ">= 0";
    /// Divide by the deviation from the mean instead of the root of the mean square (Graves, 2013).
    centered: bool = false, "";
    /// Ascend instead of descend.
    maximize: bool = false, "";
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct RootMeanSquare {
    lr: f64,
    alpha: f64,
    rest: f64,
    eps: f64,
    l2: f64,
    momentum: f64,
    centered: bool,
}

impl Kernel for RootMeanSquare {
    #[inline(always)]
    fn update<T: Real>(&self, piece: Piece<'_, T>, take: impl Fn(T) -> T) {
        // Slots that are not used are empty, so each form has a loop of its own over those that are.
        let (lr, alpha, rest) = (T::of(self.lr), T::of(self.alpha), T::of(self.rest));
        let (eps, l2, momentum) = (T::of(self.eps), T::of(self.l2), T::of(self.momentum));
        let Piece { param, grad, state: [squares, means, buffer] } = piece;
        let each = param.iter_mut().zip(grad).zip(squares);
        match (self.centered, self.momentum != 0.0) {
            (false, false) => {
                for ((p, &g), squares) in each {
                    let g = take(g) + l2 * *p;
                    *squares = alpha * *squares + rest * (g * g);
                    *p = *p - lr * (g / (squares.sqrt() + eps));
                }
            }
            (false, true) => {
                for (((p, &g), squares), buffer) in each.zip(buffer) {
                    let g = take(g) + l2 * *p;
                    *squares = alpha * *squares + rest * (g * g);
                    *buffer = momentum * *buffer + g / (squares.sqrt() + eps);
                    *p = *p - lr * *buffer;
                }
            }
            (true, false) => {
                for (((p, &g), squares), mean) in each.zip(means) {
                    let g = take(g) + l2 * *p;
                    *squares = alpha * *squares + rest * (g * g);
                    *mean = *mean + rest * (g - *mean);
                    *p = *p - lr * (g / ((*squares - *mean * *mean).sqrt() + eps));
                }
            }
            (true, true) => {
                for ((((p, &g), squares), mean), buffer) in each.zip(means).zip(buffer) {
                    let g = take(g) + l2 * *p;
                    *squares = alpha * *squares + rest * (g * g);
                    *mean = *mean + rest * (g - *mean);
                    *buffer = momentum * *buffer + g / ((*squares - *mean * *mean).sqrt() + eps);
                    *p = *p - lr * *buffer;
                }
            }
        }
    }
}

impl Elementwise for RmsProp {
    type Kernel = RootMeanSquare;

    fn kernel(&self, _step: f64, _fresh: bool, _numbers: &mut [f64]) -> RootMeanSquare {
        let RmsProp { lr, alpha, eps, weight_decay, momentum, centered, .. } = *self;
        RootMeanSquare { lr, alpha, rest: 1.0 - alpha, eps, l2: weight_decay, momentum, centered }
    }
}

impl Rule for RmsProp {
    fn uses(&self, slot: usize, _param: &Tensor) -> bool {
        [true, self.centered, self.momentum != 0.0][slot]
    }

    fn plain(&self, part: Part<'_>) -> Result<Tensor> {
        let Part { param, grad, state, .. } = part;
        let rest = 1.0 - self.alpha;
        let grad = grad + &param * self.weight_decay;
        let (squares, others) = state.split_at_mut(1);
        let [squares] = Part::tensors(squares)?;
        *squares = &*squares * self.alpha + square(&grad)? * rest;
        let variance = match &mut others[0] {
            Some(mean) if self.centered => {
                *mean = &*mean + &((&grad - &*mean) * rest);
                &*squares - &square(mean)?
            }
            _ => squares.clone(),
        };
        let direction = grad / (sqrt(&variance)? + self.eps);
        let direction = match &mut others[1] {
            Some(buffer) if self.momentum != 0.0 => {
                *buffer = &*buffer * self.momentum + direction;
                buffer.clone()
            }
            _ => direction,
        };
        Ok(param - direction * self.lr)
    }

    fn fused(work: Vec<Work<'_, Self>>) -> Result<Vec<Work<'_, Self>>> {
        fused(work)
    }
}

//! AdamW without a schedule.

use firn_kernels::real::Real;
use firn_kernels::step::{Kernel, Piece};

use crate::error::{Result, bail};
use crate::ops::elementwise::{sqrt, square};
use crate::optim::elementwise::{Elementwise, fused};
use crate::optim::options::options;
use crate::optim::rule::{Part, Rule, Work, like, number, read_number};
use crate::tensor::Tensor;

options! {
    /// AdamW that needs no schedule: gradients are taken between the iterate and its average (Defazio et al., "The road less scheduled",
    /// NeurIPS 2024), as Meta's schedulefree. The parameters are where gradients are taken, not the average.
    rule ScheduleFreeAdamW as schedule_free_adam_w, slots ["z", "exp_avg_sq", "weight_sum", "lr_max"]
    /// Learning rate.
    lr: f64 = 2.5e-3, ">= 0";
    /// How near to the average gradients are taken, and the decay rate of the mean of squares.
    betas: [f64; 2] = [0.9, 0.999], "in (0, 1)";
    /// Added to the denominator.
    eps: f64 = 1e-8, ">= 0";
    /// Share of the parameter, times `lr`, taken off at each step.
    weight_decay: f64 = 0.0, ">= 0";
    /// Steps in which the rate rises to `lr`.
    warmup_steps: f64 = 0.0, ">= 0";
    /// Power of the step in an iterate's weight.
    r: f64 = 0.0, "finite";
    /// Power of the largest rate so far in an iterate's weight.
    weight_lr_power: f64 = 2.0, "finite";
    /// Ascend instead of descend.
    maximize: bool = false, "";
}

/// The scalars of one step.
struct Numbers {
    lr: f64,
    /// The new iterate's share in the average.
    share: f64,
}

impl ScheduleFreeAdamW {
    fn numbers(&self, step: f64, weight_sum: &mut f64, lr_max: &mut f64) -> Numbers {
        let lr = self.lr * if step < self.warmup_steps { step / self.warmup_steps } else { 1.0 };
        *lr_max = lr.max(*lr_max);
        let weight = step.powf(self.r) * lr_max.powf(self.weight_lr_power);
        *weight_sum += weight;
        Numbers { lr, share: if *weight_sum > 0.0 { weight / *weight_sum } else { 0.0 } }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Between {
    b2: f64,
    w2: f64,
    root: f64,
    eps: f64,
    decay: f64,
    share: f64,
    lr: f64,
    /// Factor of the direction in the parameter's step.
    pull: f64,
}

impl Kernel for Between {
    #[inline(always)]
    fn update<T: Real>(&self, piece: Piece<'_, T>, take: impl Fn(T) -> T) {
        let (b2, w2, root, eps) = (T::of(self.b2), T::of(self.w2), T::of(self.root), T::of(self.eps));
        let (decay, share, lr, pull) = (T::of(self.decay), T::of(self.share), T::of(self.lr), T::of(self.pull));
        let Piece { param, grad, state: [z, v, _] } = piece;
        for ((p, &g), (z, v)) in param.iter_mut().zip(grad).zip(z.iter_mut().zip(v.iter_mut())) {
            let g = take(g);
            *v = b2 * *v + w2 * (g * g);
            let direction = g / (v.sqrt() * root + eps) + decay * *p;
            *p = *p + share * (*z - *p) + pull * direction;
            *z = *z - lr * direction;
        }
    }
}

impl Elementwise for ScheduleFreeAdamW {
    type Kernel = Between;
    const NUMBERS: usize = 2;

    fn kernel(&self, step: f64, _fresh: bool, numbers: &mut [f64]) -> Between {
        let [b1, b2] = self.betas;
        let (sum, most) = numbers.split_at_mut(1);
        let Numbers { lr, share } = self.numbers(step, &mut sum[0], &mut most[0]);
        let root = 1.0 / (1.0 - b2.powf(step)).sqrt();
        Between { b2, w2: 1.0 - b2, root, eps: self.eps, decay: self.weight_decay, share, lr, pull: lr * (b1 * (1.0 - share) - 1.0) }
    }
}

impl Rule for ScheduleFreeAdamW {
    fn first(&self, slot: usize, param: &Tensor) -> Result<Tensor> {
        match slot {
            0 => Ok(Tensor::new(param.value_as(param.dtype().precise()), param.dtype().precise())),
            1 => like(param, 0.0),
            2 => number(0.0),
            _ => number(-1.0),
        }
    }

    fn plain(&self, part: Part<'_>) -> Result<Tensor> {
        let Part { param, grad, state, step, .. } = part;
        let [b1, b2] = self.betas;
        let [Some(z), Some(v), weight_sum, lr_max] = state else { bail!(Internal, "the state of schedule-free AdamW is missing") };
        let (mut sum, mut most) = (read_number(weight_sum)?, read_number(lr_max)?);
        let Numbers { lr, share } = self.numbers(step, &mut sum, &mut most);
        (*weight_sum, *lr_max) = (Some(number(sum)?), Some(number(most)?));
        *v = &*v * b2 + square(&grad)? * (1.0 - b2);
        let denominator = sqrt(&(&*v / (1.0 - b2.powf(step))))? + self.eps;
        let direction = grad / denominator + &param * self.weight_decay;
        let between = &param + &((&*z - &param) * share);
        *z = &*z - &(&direction * lr);
        Ok(between + direction * (lr * (b1 * (1.0 - share) - 1.0)))
    }

    fn fused(work: Vec<Work<'_, Self>>) -> Result<Vec<Work<'_, Self>>> {
        fused(work)
    }
}

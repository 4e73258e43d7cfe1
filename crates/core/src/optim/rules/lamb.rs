//! Adam with layer-wise adaptive rates for large batches.

use firn_kernels::lanes;
use firn_kernels::real::Real;
use firn_kernels::step::{Kernel, Piece, Sums};

use crate::error::Result;
use crate::ops::elementwise::{sqrt, square};
use crate::optim::elementwise::with_kernels;
use crate::optim::options::options;
use crate::optim::rule::{Options, Part, Rule, Work, plain_norm};
use crate::tensor::Tensor;

options! {
    /// Adam whose step is brought to the norm of each tensor (You et al., "Large batch optimization for deep learning", ICLR 2020), as timm's,
    /// which is NVIDIA's NVLAMB. Steps are counted by parameter.
    rule Lamb as lamb, slots ["exp_avg", "exp_avg_sq"]
    /// Learning rate.
    lr: f64 = 1e-3, ">= 0";
    /// Decay rates of the means of the gradient and of its square.
    betas: [f64; 2] = [0.9, 0.999], "in [0, 1)";
    /// Added to the denominator.
    eps: f64 = 1e-6, ">= 0";
    /// Share of the parameter in its step.
    weight_decay: f64 = 0.01, ">= 0";
    /// Divide the means by what they lack at first.
    bias_correction: bool = true, "";
    /// Weigh a new gradient by `1 - betas[0]`; otherwise by 1.
    grad_averaging: bool = true, "";
    /// Bound of the norm over all gradients; 0 is off.
    max_grad_norm: f64 = 1.0, ">= 0";
    /// Bound the ratio of norms to 1.
    trust_clip: bool = false, "";
    /// Use the ratio also where there is no weight decay.
    always_adapt: bool = false, "";
    /// Ascend instead of descend.
    maximize: bool = false, "";
}

/// The scalars of one step: the step of an element is `m * mean / (sqrt(v) * root + eps) + decay * p`.
#[derive(Debug, Clone, Copy)]
struct Direction {
    mean: f64,
    root: f64,
    eps: f64,
    decay: f64,
}

impl Direction {
    #[inline(always)]
    fn of<T: Real>(self) -> impl Fn(T, T, T) -> T {
        let (mean, root, eps, decay) = (T::of(self.mean), T::of(self.root), T::of(self.eps), T::of(self.decay));
        #[inline(always)]
        move |p, m, v| m * mean / (v.sqrt() * root + eps) + decay * p
    }
}

impl Lamb {
    fn direction(&self, step: f64) -> Direction {
        let [b1, b2] = self.betas;
        let (mean, root) =
            if self.bias_correction { (1.0 / (1.0 - b1.powf(step)), 1.0 / (1.0 - b2.powf(step)).sqrt()) } else { (1.0, 1.0) };
        Direction { mean, root, eps: self.eps, decay: self.weight_decay }
    }

    /// A new gradient's weight in its mean.
    fn enter(&self) -> f64 {
        if self.grad_averaging { 1.0 - self.betas[0] } else { 1.0 }
    }

    fn ratio(&self, param: f64, direction: f64) -> f64 {
        if !(self.weight_decay != 0.0 || self.always_adapt) || param == 0.0 || direction == 0.0 {
            return 1.0;
        }
        let ratio = param / direction;
        if self.trust_clip { ratio.min(1.0) } else { ratio }
    }
}

/// The first pass: the means, and the squared norms of the parameter and of its step.
#[derive(Debug, Clone, Copy)]
struct Means {
    direction: Direction,
    b1: f64,
    enter: f64,
    b2: f64,
    w2: f64,
}

impl Kernel for Means {
    #[inline(always)]
    fn update<T: Real>(&self, piece: Piece<'_, T>, take: impl Fn(T) -> T) {
        let (b1, enter, b2, w2) = (T::of(self.b1), T::of(self.enter), T::of(self.b2), T::of(self.w2));
        let Piece { grad, state: [m, v, _], .. } = piece;
        for (&g, (m, v)) in grad.iter().zip(m.iter_mut().zip(v.iter_mut())) {
            let g = take(g);
            *m = b1 * *m + enter * g;
            *v = b2 * *v + w2 * (g * g);
        }
    }

    #[inline(always)]
    fn measure<T: Real>(&self, piece: &Piece<'_, T>, _take: impl Fn(T) -> T) -> Sums {
        let Piece { param, state: [m, v, _], .. } = piece;
        let direction = self.direction.of::<T>();
        let squares = lanes::sum(
            param,
            #[inline(always)]
            |p| p * p,
        );
        let of_step = lanes::sum_of_three(
            param,
            m,
            v,
            #[inline(always)]
            |p, m, v| {
                let step = direction(p, m, v);
                step * step
            },
        );
        [squares.f64(), of_step.f64()]
    }
}

/// The last pass: the parameter.
#[derive(Debug, Clone, Copy)]
struct Apply {
    direction: Direction,
    rate: f64,
}

impl Kernel for Apply {
    const GRADS: bool = false;

    #[inline(always)]
    fn update<T: Real>(&self, piece: Piece<'_, T>, _take: impl Fn(T) -> T) {
        let (direction, rate) = (self.direction.of::<T>(), T::of(self.rate));
        let Piece { param, state: [m, v, _], .. } = piece;
        for (p, (&mut m, &mut v)) in param.iter_mut().zip(m.iter_mut().zip(v.iter_mut())) {
            *p = *p - rate * direction(*p, m, v);
        }
    }
}

impl Rule for Lamb {
    fn max_grad_norm(&self) -> f64 {
        self.max_grad_norm
    }

    fn plain(&self, part: Part<'_>) -> Result<Tensor> {
        let Part { param, grad, state, step, .. } = part;
        let [b1, b2] = self.betas;
        let [m, v] = Part::tensors(state)?;
        *m = &*m * b1 + &grad * self.enter();
        *v = &*v * b2 + square(&grad)? * (1.0 - b2);
        let Direction { mean, root, eps, decay } = self.direction(step);
        let direction = &*m * mean / (sqrt(v)? * root + eps) + &param * decay;
        let ratio = self.ratio(plain_norm(&param)?, plain_norm(&direction)?);
        Ok(param - direction * (self.lr * ratio))
    }

    fn fused(mut work: Vec<Work<'_, Self>>) -> Result<Vec<Work<'_, Self>>> {
        let weights: Vec<f64> = work.iter_mut().map(|work| std::mem::take(&mut work.average_weight)).collect();
        let squares = with_kernels(&mut work, Self::SLOTS, |work| {
            let rule = work.rule;
            let [b1, b2] = rule.betas;
            Ok(Means { direction: rule.direction(work.step), b1, enter: rule.enter(), b2, w2: 1.0 - b2 })
        })?;
        for (work, weight) in work.iter_mut().zip(weights) {
            work.average_weight = weight;
        }
        let mut squares = squares.into_iter();
        with_kernels(&mut work, Self::SLOTS, |work| {
            let [param, direction] = squares.next().unwrap_or_default().map(f64::sqrt);
            let rule = work.rule;
            Ok(Apply { direction: rule.direction(work.step), rate: rule.lr * rule.ratio(param, direction) })
        })?;
        Ok(Vec::new())
    }
}

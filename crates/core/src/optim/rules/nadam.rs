//! Adam with Nesterov's momentum.

use firn_kernels::real::Real;
use firn_kernels::step::{Kernel, Piece};

use crate::error::{Result, bail};
use crate::ops::elementwise::{sqrt, square};
use crate::optim::elementwise::{Elementwise, fused};
use crate::optim::options::options;
use crate::optim::rule::{Part, Rule, Work, decay, like, number, read_number};
use crate::tensor::Tensor;

options! {
    /// Adam with Nesterov's momentum (Dozat, ICLR workshop 2016), as `torch.optim.NAdam`.
    rule NAdam as n_adam, slots ["exp_avg", "exp_avg_sq", "mu_product"]
    /// Learning rate.
    lr: f64 = 2e-3, ">= 0";
    /// Decay rates of the means of the gradient and of its square.
    betas: [f64; 2] = [0.9, 0.999], "in [0, 1)";
    /// Added to the denominator.
    eps: f64 = 1e-8, ">= 0";
    /// L2 penalty, added to the gradient; or the share of the parameter, times `lr`, taken off at each step if `decoupledWeightDecay`.
    weight_decay: f64 = 0.0, ">= 0";
    /// How quickly the momentum rises from half of `betas[0]` to all of it.
    momentum_decay: f64 = 4e-3, ">= 0";
    /// Weight decay as AdamW's.
    decoupled_weight_decay: bool = false, "";
    /// Ascend instead of descend.
    maximize: bool = false, "";
}

/// The scalars of one step.
struct Numbers {
    /// Factors of the gradient and of its mean.
    grad: f64,
    mean: f64,
    l2: f64,
    keep: f64,
}

impl NAdam {
    /// `product` is that of all momenta so far, and takes this step's in.
    fn numbers(&self, step: f64, product: &mut f64) -> Numbers {
        let mu = |step: f64| self.betas[0] * (1.0 - 0.5 * 0.96_f64.powf(step * self.momentum_decay));
        let (now, next) = (mu(step), mu(step + 1.0));
        *product *= now;
        let (l2, keep) = decay(self.lr, self.weight_decay, self.decoupled_weight_decay);
        Numbers { grad: self.lr * (1.0 - now) / (1.0 - *product), mean: self.lr * next / (1.0 - *product * next), l2, keep }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Nesterov {
    w1: f64,
    b2: f64,
    w2: f64,
    root: f64,
    eps: f64,
    grad: f64,
    mean: f64,
    l2: f64,
    keep: f64,
}

impl Kernel for Nesterov {
    #[inline(always)]
    fn update<T: Real>(&self, piece: Piece<'_, T>, take: impl Fn(T) -> T) {
        let (w1, b2, w2, root, eps) = (T::of(self.w1), T::of(self.b2), T::of(self.w2), T::of(self.root), T::of(self.eps));
        let (of_grad, of_mean, l2, keep) = (T::of(self.grad), T::of(self.mean), T::of(self.l2), T::of(self.keep));
        let Piece { param, grad, state: [m, v, _] } = piece;
        for ((p, &g), (m, v)) in param.iter_mut().zip(grad).zip(m.iter_mut().zip(v.iter_mut())) {
            let g = take(g) + l2 * *p;
            *m = *m + w1 * (g - *m);
            *v = b2 * *v + w2 * (g * g);
            *p = *p * keep - (of_grad * g + of_mean * *m) / (v.sqrt() * root + eps);
        }
    }
}

impl Elementwise for NAdam {
    type Kernel = Nesterov;
    const NUMBERS: usize = 1;

    fn kernel(&self, step: f64, _fresh: bool, numbers: &mut [f64]) -> Nesterov {
        let [b1, b2] = self.betas;
        let Numbers { grad, mean, l2, keep } = self.numbers(step, &mut numbers[0]);
        let root = 1.0 / (1.0 - b2.powf(step)).sqrt();
        Nesterov { w1: 1.0 - b1, b2, w2: 1.0 - b2, root, eps: self.eps, grad, mean, l2, keep }
    }
}

impl Rule for NAdam {
    fn first(&self, slot: usize, param: &Tensor) -> Result<Tensor> {
        if slot == 2 { number(1.0) } else { like(param, 0.0) }
    }

    fn plain(&self, part: Part<'_>) -> Result<Tensor> {
        let Part { param, grad, state, step, .. } = part;
        let [b1, b2] = self.betas;
        let [moments @ .., product] = state else { bail!(Internal, "NAdam's state is missing") };
        let mut so_far = read_number(product)?;
        let Numbers { grad: of_grad, mean, l2, keep } = self.numbers(step, &mut so_far);
        *product = Some(number(so_far)?);
        let grad = grad + &param * l2;
        let [m, v] = Part::tensors(moments)?;
        *m = &*m + &((&grad - &*m) * (1.0 - b1));
        *v = &*v * b2 + square(&grad)? * (1.0 - b2);
        let denominator = sqrt(&(&*v / (1.0 - b2.powf(step))))? + self.eps;
        Ok(param * keep - grad * of_grad / &denominator - &*m * mean / &denominator)
    }

    fn fused(work: Vec<Work<'_, Self>>) -> Result<Vec<Work<'_, Self>>> {
        fused(work)
    }
}

//! Adam, and Adam with decoupled weight decay: one kernel and one plain form.

use firn_kernels::real::Real;
use firn_kernels::step::{Kernel, Piece};

use crate::error::Result;
use crate::ops::elementwise::{maximum, sqrt, square};
use crate::optim::rule::{Part, decay};
use crate::tensor::Tensor;

/// The numbers both rules share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers {
    pub(super) lr: f64,
    pub(super) betas: [f64; 2],
    pub(super) eps: f64,
    /// Added to the gradient, times the parameter.
    pub(super) l2: f64,
    /// What is left of the parameter by decoupled decay.
    pub(super) keep: f64,
    pub(super) amsgrad: bool,
}

impl Numbers {
    pub(super) fn new(lr: f64, betas: [f64; 2], eps: f64, weight_decay: f64, decoupled: bool, amsgrad: bool) -> Self {
        let (l2, keep) = decay(lr, weight_decay, decoupled);
        Numbers { lr, betas, eps, l2, keep, amsgrad }
    }

    pub(super) fn kernel(&self, step: f64) -> Adam {
        let Numbers { lr, betas: [b1, b2], eps, l2, keep, amsgrad } = *self;
        Adam {
            w1: 1.0 - b1,
            b2,
            w2: 1.0 - b2,
            step_size: lr / (1.0 - b1.powf(step)),
            root: 1.0 / (1.0 - b2.powf(step)).sqrt(),
            eps,
            l2,
            keep,
            amsgrad,
        }
    }

    pub(super) fn plain(&self, part: Part<'_>) -> Result<Tensor> {
        let Part { param, grad, state, step, .. } = part;
        let [b1, b2] = self.betas;
        let grad = if self.l2 == 0.0 { grad } else { grad + &param * self.l2 };
        let (moments, largest) = state.split_at_mut(2);
        let [m, v] = Part::tensors(moments)?;
        *m = &*m + &((&grad - &*m) * (1.0 - b1));
        *v = &*v * b2 + square(&grad)? * (1.0 - b2);
        let v = match largest.first_mut() {
            Some(Some(largest)) if self.amsgrad => {
                *largest = maximum(&(&*largest).into(), &(&*v).into())?;
                largest
            }
            _ => v,
        };
        let denominator = sqrt(v)? / (1.0 - b2.powf(step)).sqrt() + self.eps;
        Ok(param * self.keep - (&*m / &denominator) * (self.lr / (1.0 - b1.powf(step))))
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Adam {
    w1: f64,
    b2: f64,
    w2: f64,
    step_size: f64,
    /// A factor, where PyTorch divides: the same but for the last bit, and a division an element less.
    root: f64,
    eps: f64,
    l2: f64,
    keep: f64,
    amsgrad: bool,
}

impl Kernel for Adam {
    #[inline(always)]
    fn update<T: Real>(&self, piece: Piece<'_, T>, take: impl Fn(T) -> T) {
        let (w1, b2, w2) = (T::of(self.w1), T::of(self.b2), T::of(self.w2));
        let (step_size, root, eps) = (T::of(self.step_size), T::of(self.root), T::of(self.eps));
        let (l2, keep) = (T::of(self.l2), T::of(self.keep));
        let Piece { param, grad, state: [m, v, largest] } = piece;
        let each = param.iter_mut().zip(grad).zip(m.iter_mut().zip(v.iter_mut()));
        if self.amsgrad {
            for (((p, &g), (m, v)), largest) in each.zip(largest.iter_mut()) {
                let g = take(g) + l2 * *p;
                *m = *m + w1 * (g - *m);
                *v = b2 * *v + w2 * (g * g);
                *largest = largest.max(*v);
                *p = *p * keep - step_size * (*m / (largest.sqrt() * root + eps));
            }
        } else {
            for ((p, &g), (m, v)) in each {
                let g = take(g) + l2 * *p;
                *m = *m + w1 * (g - *m);
                *v = b2 * *v + w2 * (g * g);
                *p = *p * keep - step_size * (*m / (v.sqrt() * root + eps));
            }
        }
    }
}

macro_rules! adam {
    ($module:ident, $(#[doc = $doc:literal])+ $rule:ident as $name:ident, $decay:literal, $decoupled:literal, $decay_doc:literal) => {
        pub(super) mod $module {
            use super::{Adam, Numbers};
            use crate::error::Result;
            use crate::optim::elementwise::{Elementwise, fused};
            use crate::optim::options::options;
            use crate::optim::rule::{Part, Rule, Work};
            use crate::tensor::Tensor;

            options! {
                $(#[doc = $doc])+
                rule $rule as $name, slots ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"]
                /// Learning rate.
                lr: f64 = 1e-3, ">= 0";
                /// Decay rates of the means of the gradient and of its square.
                betas: [f64; 2] = [0.9, 0.999], "in [0, 1)";
                /// Added to the denominator.
                eps: f64 = 1e-8, ">= 0";
                #[doc = $decay_doc]
                weight_decay: f64 = $decay, ">= 0";
                /// Divide by the largest mean of squares so far (Reddi et al., ICLR 2018).
                amsgrad: bool = false, "";
                /// Ascend instead of descend.
                maximize: bool = false, "";
            }

            impl $rule {
                fn numbers(&self) -> Numbers {
                    let $rule { lr, betas, eps, weight_decay, amsgrad, .. } = *self;
                    Numbers::new(lr, betas, eps, weight_decay, $decoupled, amsgrad)
                }
            }

            impl Elementwise for $rule {
                type Kernel = Adam;

                fn kernel(&self, step: f64, _fresh: bool, _numbers: &mut [f64]) -> Adam {
                    self.numbers().kernel(step)
                }
            }

            impl Rule for $rule {
                fn uses(&self, slot: usize, _param: &Tensor) -> bool {
                    slot < 2 || self.amsgrad
                }

                fn plain(&self, part: Part<'_>) -> Result<Tensor> {
                    self.numbers().plain(part)
                }

                fn fused(work: Vec<Work<'_, Self>>) -> Result<Vec<Work<'_, Self>>> {
                    fused(work)
                }
            }
        }
    };
}

adam!(
    adam,
    /// Adam (Kingma and Ba, ICLR 2015), as `torch.optim.Adam`.
    PlainAdam as adam, 0.0, false, "L2 penalty, added to the gradient."
);
adam!(
    adam_w,
    /// Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019), as `torch.optim.AdamW`.
    AdamW as adam_w, 0.01, true, "Share of the parameter, times `lr`, taken off at each step."
);

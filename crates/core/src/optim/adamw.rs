//! AdamW: Adam with decoupled weight decay.

use firn_kernels::adamw::AdamW as Kernel;
use firn_kernels::step::{Incoming, Item, run};

use super::options::options;
use super::{Part, Rule};
use crate::error::{Result, bail};
use crate::ops::elementwise::{maximum, sqrt, square};
use crate::tensor::Tensor;

options! {
    /// Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019), as `torch.optim.AdamW`.
    rule AdamW as adam_w, slots ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"]
    /// Learning rate.
    lr: f64 = 1e-3, ">= 0";
    /// Decay rates of the means of the gradient and of its square.
    betas: [f64; 2] = [0.9, 0.999], "in [0, 1)";
    /// Added to the denominator.
    eps: f64 = 1e-8, ">= 0";
    /// Share of the parameter, times `lr`, taken off at each step.
    weight_decay: f64 = 0.01, ">= 0";
    /// Divide by the largest mean of squares so far (Reddi et al., ICLR 2018).
    amsgrad: bool = false, "";
    /// Ascend instead of descend.
    maximize: bool = false, "";
}

impl AdamW {
    fn kernel(&self) -> Kernel {
        let AdamW { lr, betas, eps, weight_decay, amsgrad, .. } = *self;
        Kernel { lr, betas, eps, weight_decay, amsgrad }
    }
}

impl Rule for AdamW {
    fn slots(&self) -> Vec<bool> {
        vec![true, true, self.amsgrad]
    }

    fn maximize(&self) -> bool {
        self.maximize
    }

    fn plain(&self, part: Part<'_>) -> Result<Tensor> {
        let Part { param, grad, state, step, .. } = part;
        let [Some(m), Some(v), largest] = state else { bail!(Internal, "AdamW's state is missing") };
        let [b1, b2] = self.betas;
        *m = &*m + &((&grad - &*m) * (1.0 - b1));
        *v = &*v * b2 + square(&grad)? * (1.0 - b2);
        let v = match largest {
            Some(largest) => {
                *largest = maximum(&(&*largest).into(), &(&*v).into())?;
                largest
            }
            None => v,
        };
        let denominator = sqrt(v)? / (1.0 - b2.powf(step)).sqrt() + self.eps;
        let decayed = param * (1.0 - self.lr * self.weight_decay);
        Ok(decayed - (&*m / &denominator) * (self.lr / (1.0 - b1.powf(step))))
    }

    fn fused32(&self, items: Vec<Item<'_, f32>>, incoming: Incoming) {
        let kernel = self.kernel();
        run(
            items,
            #[inline(always)]
            |item| kernel.update(item, incoming),
        );
    }

    fn fused64(&self, items: Vec<Item<'_, f64>>, incoming: Incoming) {
        let kernel = self.kernel();
        run(
            items,
            #[inline(always)]
            |item| kernel.update(item, incoming),
        );
    }
}

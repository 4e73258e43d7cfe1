//! Resilient backpropagation.

use firn_kernels::real::Real;
use firn_kernels::step::{Kernel, Piece};

use crate::error::Result;
use crate::ops::compare::{eq, gt, lt, where_};
use crate::ops::elementwise::{clamp, sign};
use crate::optim::elementwise::{Elementwise, fused};
use crate::optim::options::options;
use crate::optim::rule::{Part, Rule, Work, like};
use crate::tensor::Tensor;

options! {
    /// Resilient backpropagation (Riedmiller and Braun, ICNN 1993): steps by signs, in sizes that grow and shrink, as `torch.optim.Rprop`.
    rule RProp as r_prop, slots ["prev", "step_size"]
    /// The first size of a step.
    lr: f64 = 1e-2, ">= 0";
    /// Factors of a size where the sign of the gradient turned, and where it stayed.
    etas: [f64; 2] = [0.5, 1.2], "> 0";
    /// Smallest and largest size of a step.
    step_sizes: [f64; 2] = [1e-6, 50.0], ">= 0";
    /// Ascend instead of descend.
    maximize: bool = false, "";
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Signs {
    etas: [f64; 2],
    sizes: [f64; 2],
}

impl Kernel for Signs {
    #[inline(always)]
    fn update<T: Real>(&self, piece: Piece<'_, T>, take: impl Fn(T) -> T) {
        let ([shrink, grow], [least, most]) = (self.etas.map(T::of), self.sizes.map(T::of));
        let zero = T::of(0.0);
        let Piece { param, grad, state: [before, size, _] } = piece;
        for ((p, &g), (before, size)) in param.iter_mut().zip(grad).zip(before.iter_mut().zip(size.iter_mut())) {
            let g = take(g);
            let same = g * *before;
            let factor = if same > zero {
                grow
            } else if same < zero {
                shrink
            } else {
                T::of(1.0)
            };
            *size = (*size * factor).max(least).min(most);
            // Where the sign turned, the step is skipped, and so is the comparison with the next.
            let g = if same < zero { zero } else { g };
            *p = *p - g.sign() * *size;
            *before = g;
        }
    }
}

impl Elementwise for RProp {
    type Kernel = Signs;

    fn kernel(&self, _step: f64, _fresh: bool, _numbers: &mut [f64]) -> Signs {
        Signs { etas: self.etas, sizes: self.step_sizes }
    }
}

impl Rule for RProp {
    fn first(&self, slot: usize, param: &Tensor) -> Result<Tensor> {
        like(param, if slot == 1 { self.lr } else { 0.0 })
    }

    fn plain(&self, part: Part<'_>) -> Result<Tensor> {
        let Part { param, grad, state, .. } = part;
        let ([shrink, grow], [least, most]) = (self.etas, self.step_sizes);
        let [before, size] = Part::tensors(state)?;
        let same = &grad * &*before;
        let turned = lt(&(&same).into(), &0.0.into())?;
        let still = eq(&(&same).into(), &0.0.into())?;
        let grown = where_(&gt(&(&same).into(), &0.0.into())?, &(&*size * grow).into(), &(&*size * shrink).into())?;
        let sized = where_(&still, &(&*size).into(), &grown.into())?;
        *size = clamp(&sized, Some(least), Some(most))?;
        let grad = where_(&turned, &0.0.into(), &grad.into())?;
        *before = grad.clone();
        Ok(param - sign(&grad)? * &*size)
    }

    fn fused(work: Vec<Work<'_, Self>>) -> Result<Vec<Work<'_, Self>>> {
        fused(work)
    }
}

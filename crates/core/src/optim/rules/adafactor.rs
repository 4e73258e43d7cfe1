//! Adafactor.

use firn_kernels::factored::Matrices;
use firn_kernels::grads::power_sum;
use firn_kernels::lanes;
use firn_kernels::real::Real;
use firn_kernels::step::{Kernel, Piece, Sums};

use crate::cpu;
use crate::create::zeros;
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::ops::elementwise::{clamp, rsqrt, square};
use crate::ops::linalg::matmul;
use crate::ops::reduce::mean;
use crate::optim::elementwise::with_kernels;
use crate::optim::options::options;
use crate::optim::rule::{Part, Rule, Work, like, plain_norm};
use crate::tensor::Tensor;

options! {
    /// Adafactor: mean squares of a matrix by its rows and columns (Shazeer and Stern, ICML 2018), as `torch.optim.Adafactor`.
    rule Adafactor as adafactor, slots ["row_var", "col_var", "variance"]
    /// Bound of the relative step size.
    lr: f64 = 1e-2, ">= 0";
    /// Power of the step that the weight of a new square falls with.
    beta2_decay: f64 = -0.8, "<= 0";
    /// Least mean square; by default the smallest difference from 1 in the parameter's dtype.
    eps1: Option<f64> = None, "> 0";
    /// Least root mean square of a parameter that the step is scaled by.
    eps2: f64 = 1e-3, "> 0";
    /// Bound of the root mean square of a step before it is scaled.
    d: f64 = 1.0, ">= 1";
    /// Share of the parameter, times `lr`, taken off at each step.
    weight_decay: f64 = 0.0, ">= 0";
    /// Ascend instead of descend.
    maximize: bool = false, "";
}

impl Adafactor {
    fn eps1(&self, dtype: DType) -> f64 {
        self.eps1.unwrap_or(match dtype {
            DType::Float64 => f64::EPSILON,
            _ => f64::from(f32::EPSILON),
        })
    }

    /// A new square's weight.
    fn enter(&self, step: f64) -> f64 {
        step.powf(self.beta2_decay)
    }

    /// The factor of the direction, from the sums of squares of so many elements of the parameter and of the direction.
    fn size(&self, step: f64, count: f64, squares: Sums) -> f64 {
        let [param, direction] = squares.map(|sum| (sum / count).sqrt());
        self.eps2.max(param) * self.lr.min(1.0 / step.sqrt()) / (direction / self.d).max(1.0)
    }
}

/// The first pass over what is no matrix: the mean square of each element; sums of squares of the parameter and of its direction.
#[derive(Debug, Clone, Copy)]
struct Variance {
    enter: f64,
    /// Of the mean squares.
    least: f64,
}

impl Kernel for Variance {
    #[inline(always)]
    fn update<T: Real>(&self, piece: Piece<'_, T>, take: impl Fn(T) -> T) {
        let enter = T::of(self.enter);
        let Piece { grad, state: [variance, ..], .. } = piece;
        for (v, &g) in variance.iter_mut().zip(grad) {
            let g = take(g);
            *v = *v + enter * (g * g - *v);
        }
    }

    #[inline(always)]
    fn measure<T: Real>(&self, piece: &Piece<'_, T>, take: impl Fn(T) -> T) -> Sums {
        let least = T::of(self.least);
        let Piece { param, grad, state: [variance, ..] } = piece;
        let of_param = lanes::sum(
            param,
            #[inline(always)]
            |p| p * p,
        );
        let of_direction = lanes::sum_of_two(
            grad,
            variance,
            #[inline(always)]
            |g, v| {
                let g = take(g);
                g * g / v.max(least)
            },
        );
        [of_param.f64(), of_direction.f64()]
    }
}

/// The second pass: the parameter.
#[derive(Debug, Clone, Copy)]
struct Apply {
    least: f64,
    keep: f64,
    size: f64,
}

impl Kernel for Apply {
    #[inline(always)]
    fn update<T: Real>(&self, piece: Piece<'_, T>, take: impl Fn(T) -> T) {
        let (least, keep, size) = (T::of(self.least), T::of(self.keep), T::of(self.size));
        let Piece { param, grad, state: [variance, ..] } = piece;
        for ((p, &g), &mut v) in param.iter_mut().zip(grad).zip(variance) {
            *p = *p * keep - size * (take(g) / v.max(least).sqrt());
        }
    }
}

/// The step of matrices.
fn step<T: Real + burn_std::Element + bytemuck::Pod>(work: &mut Work<'_, Adafactor>) -> Result<()> {
    let rule = *work.rule;
    let shape = work.param.shape();
    let (height, width) = (shape[shape.len() - 2], shape[shape.len() - 1]);
    if work.param.size() == 0 {
        return Ok(());
    }
    let [Some(rows), Some(columns), _] = work.state else { bail!(Internal, "Adafactor's state is missing") };
    let mut matrices = Matrices {
        height,
        width,
        grad: cpu::slice::<T>(&work.grad),
        incoming: work.incoming,
        rows: cpu::slice_mut(rows.value_mut()),
        columns: cpu::slice_mut(columns.value_mut()),
        least: rule.eps1(work.param.dtype()),
    };
    let of_direction = matrices.enter(rule.enter(work.step));
    let count = work.param.size() as f64;
    let param: &mut [T] = cpu::slice_mut(work.param.value_mut());
    let size = rule.size(work.step, count, [power_sum(&[&*param], 2.0), of_direction]);
    matrices.descend(param, 1.0 - rule.lr * rule.weight_decay, size);
    work.follow::<T>();
    Ok(())
}

impl Rule for Adafactor {
    fn uses(&self, slot: usize, param: &Tensor) -> bool {
        (param.rank() > 1) == (slot < 2)
    }

    fn first(&self, slot: usize, param: &Tensor) -> Result<Tensor> {
        let mut shape = param.shape().to_vec();
        let rank = shape.len();
        match slot {
            0 => shape[rank - 1] = 1,
            1 => shape[rank - 2] = 1,
            _ => return like(param, 0.0),
        }
        zeros(&shape, param.dtype().precise())
    }

    fn plain(&self, part: Part<'_>) -> Result<Tensor> {
        let Part { param, grad, state, step, .. } = part;
        let (enter, eps1) = (self.enter(step), self.eps1(param.dtype()));
        let count = param.size().max(1) as f64;
        let squares = square(&grad)?;
        let variance = match state {
            [Some(row_var), Some(col_var), _] => {
                *row_var = &*row_var + &((mean(&squares, &[-1], true)? - &*row_var) * enter);
                *col_var = &*col_var + &((mean(&squares, &[-2], true)? - &*col_var) * enter);
                matmul(row_var, col_var)? / clamp(&mean(row_var, &[-2], true)?, Some(eps1), None)?
            }
            [_, _, Some(variance)] => {
                *variance = &*variance + &((squares - &*variance) * enter);
                variance.clone()
            }
            _ => bail!(Internal, "Adafactor's state is missing"),
        };
        let direction = rsqrt(&clamp(&variance, Some(eps1 * eps1), None)?)? * &grad;
        let size = self.size(step, count, [plain_norm(&param)?.powi(2), plain_norm(&direction)?.powi(2)]);
        Ok(param * (1.0 - self.lr * self.weight_decay) - direction * size)
    }

    fn fused(work: Vec<Work<'_, Self>>) -> Result<Vec<Work<'_, Self>>> {
        let (mut rest, mut others) = (Vec::new(), Vec::new());
        for mut work in work {
            match work.param.dtype() {
                DType::Float16 | DType::BFloat16 => rest.push(work),
                _ if work.param.rank() < 2 => others.push(work),
                DType::Float64 => step::<f64>(&mut work)?,
                _ => step::<f32>(&mut work)?,
            }
        }
        let weights: Vec<f64> = others.iter_mut().map(|work| std::mem::take(&mut work.average_weight)).collect();
        let least = |work: &Work<'_, Self>| work.rule.eps1(work.param.dtype()).powi(2);
        // The one slot that they use comes first.
        for work in &mut others {
            work.state.rotate_right(1);
        }
        let sums = with_kernels(&mut others, 1, |work| Ok(Variance { enter: work.rule.enter(work.step), least: least(work) }))?;
        for (work, weight) in others.iter_mut().zip(weights) {
            work.average_weight = weight;
        }
        let mut sums = sums.into_iter();
        with_kernels(&mut others, 1, |work| {
            let rule = work.rule;
            let size = rule.size(work.step, work.param.size().max(1) as f64, sums.next().unwrap_or_default());
            Ok(Apply { least: least(work), keep: 1.0 - rule.lr * rule.weight_decay, size })
        })?;
        for work in others {
            work.state.rotate_left(1);
        }
        Ok(rest)
    }
}

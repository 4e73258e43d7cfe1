//! Adafactor.

use firn_kernels::parallel::{for_each, simd};
use firn_kernels::real::Real;

use crate::cpu;
use crate::create::zeros;
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::ops::elementwise::{clamp, rsqrt, square};
use crate::ops::linalg::matmul;
use crate::ops::reduce::mean;
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

    /// The step's size for a parameter of this root mean square.
    fn size(&self, step: f64, rms: f64) -> f64 {
        self.eps2.max(rms) * self.lr.min(1.0 / step.sqrt())
    }
}

/// Rows that a task handles.
const ROWS: usize = 64;

/// `f` of each run of rows, spread over the cores.
fn by_rows<T: Send, R: Send>(x: &mut [T], columns: usize, f: impl Fn(usize, &mut [T]) -> R + Sync + Send) -> Vec<R> {
    let work = x.len();
    let mut out: Vec<Option<R>> = Vec::new();
    let runs: Vec<(usize, &mut [T])> = x.chunks_mut(ROWS * columns).enumerate().map(|(i, run)| (i * ROWS, run)).collect();
    out.resize_with(runs.len(), || None);
    for_each(runs.into_iter().zip(&mut out).collect(), work, |((first, run), out)| {
        *out = Some(simd(
            #[inline(always)]
            || f(first, run),
        ));
    });
    out.into_iter().flatten().collect()
}

/// Means of squares over the rows and over the columns of a matrix.
fn means<T: Real>(grad: &mut [T], columns: usize) -> (Vec<f64>, Vec<f64>) {
    let rows = grad.len() / columns;
    let parts = by_rows(
        grad,
        columns,
        #[inline(always)]
        |_, run| {
            let (mut of_rows, mut of_columns) = (Vec::with_capacity(ROWS), vec![0.0; columns]);
            for row in run.chunks_exact(columns) {
                let mut sum = 0.0;
                for (column, g) in of_columns.iter_mut().zip(row) {
                    let square = g.f64() * g.f64();
                    *column += square;
                    sum += square;
                }
                of_rows.push(sum / columns as f64);
            }
            (of_rows, of_columns)
        },
    );
    let (mut of_rows, mut of_columns) = (Vec::with_capacity(rows), vec![0.0; columns]);
    for (part, sums) in parts {
        of_rows.extend(part);
        of_columns.iter_mut().zip(sums).for_each(|(column, sum)| *column += sum / rows as f64);
    }
    (of_rows, of_columns)
}

/// Moves a running mean towards new values.
fn approach<T: Real>(means: &mut [T], new: &[f64], enter: f64) {
    for (mean, &new) in means.iter_mut().zip(new) {
        *mean = *mean + T::of(enter) * (T::of(new) - *mean);
    }
}

/// Divides gradients by the roots of their mean squares; gives the sum of the squares of what comes out.
fn normalise<T: Real>(grad: &mut [T], columns: usize, variance: impl Fn(usize, usize) -> T + Sync + Send) -> f64 {
    by_rows(
        grad,
        columns,
        #[inline(always)]
        |first, run| {
            let mut sum = 0.0;
            for (i, row) in run.chunks_exact_mut(columns).enumerate() {
                for (j, g) in row.iter_mut().enumerate() {
                    *g = *g / variance(first + i, j).sqrt();
                    sum += g.f64() * g.f64();
                }
            }
            sum
        },
    )
    .into_iter()
    .sum()
}

fn step<T: Real + burn_std::Element + bytemuck::Pod>(work: &mut Work<'_, Adafactor>) -> Result<()> {
    let rule = *work.rule;
    let (count, shape) = (work.param.size().max(1) as f64, work.param.shape().to_vec());
    let (enter, eps1) = (rule.enter(work.step), rule.eps1(work.param.dtype()));
    let least = T::of(eps1 * eps1);
    let mut grad: Vec<T> = cpu::slice::<T>(&work.grad).iter().map(|&g| work.incoming.take(g)).collect();
    let param: &mut [T] = cpu::slice_mut(work.param.value_mut());
    let rms = (param.iter().map(|p| p.f64() * p.f64()).sum::<f64>() / count).sqrt();
    let mut sum = 0.0;
    match work.state {
        [Some(row_var), Some(col_var), _] => {
            let (rows, columns) = (shape[shape.len() - 2], shape[shape.len() - 1]);
            let row_var: &mut [T] = cpu::slice_mut(row_var.value_mut());
            let col_var: &mut [T] = cpu::slice_mut(col_var.value_mut());
            let each = row_var.chunks_mut(rows.max(1)).zip(col_var.chunks_mut(columns.max(1)));
            for (grad, (row_var, col_var)) in grad.chunks_mut((rows * columns).max(1)).zip(each) {
                let (of_rows, of_columns) = means(grad, columns);
                approach(row_var, &of_rows, enter);
                approach(col_var, &of_columns, enter);
                let mean = row_var.iter().map(|x| x.f64()).sum::<f64>() / rows as f64;
                let inverse = T::of(1.0 / mean.max(eps1));
                sum += normalise(
                    grad,
                    columns,
                    #[inline(always)]
                    |i, j| (row_var[i] * col_var[j] * inverse).max(least),
                );
            }
        }
        [_, _, Some(variance)] => {
            let variance: &mut [T] = cpu::slice_mut(variance.value_mut());
            for (v, &g) in variance.iter_mut().zip(&grad) {
                *v = *v + T::of(enter) * (g * g - *v);
            }
            let length = grad.len().max(1);
            let variance = &*variance;
            sum += normalise(
                &mut grad,
                length,
                #[inline(always)]
                |_, j| variance[j].max(least),
            );
        }
        _ => bail!(Internal, "Adafactor's state is missing"),
    }
    let size = rule.size(work.step, rms) / ((sum / count).sqrt() / rule.d).max(1.0);
    let (keep, size) = (T::of(1.0 - rule.lr * rule.weight_decay), T::of(size));
    for (p, &step) in param.iter_mut().zip(&grad) {
        *p = *p * keep - size * step;
    }
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
        let rms = |x: &Tensor| -> Result<f64> { Ok(plain_norm(x)? / (x.size().max(1) as f64).sqrt()) };
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
        let size = self.size(step, rms(&param)?) / (rms(&direction)? / self.d).max(1.0);
        Ok(param * (1.0 - self.lr * self.weight_decay) - direction * size)
    }

    fn fused(work: Vec<Work<'_, Self>>) -> Result<Vec<Work<'_, Self>>> {
        let mut rest = Vec::new();
        for mut work in work {
            match work.param.dtype() {
                DType::Float32 => step::<f32>(&mut work)?,
                DType::Float64 => step::<f64>(&mut work)?,
                _ => rest.push(work),
            }
        }
        Ok(rest)
    }
}

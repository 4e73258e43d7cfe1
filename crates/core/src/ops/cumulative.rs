//! Running sums, products and logarithms of sums along a dimension, and what is made of neighbours: differences, trapezoids.

use firn_kernels::scan::{self, Along};

use super::compare::{gt, where_};
use super::elementwise::{exp, log, neg};
use super::shaping::{cat, flip, narrow};
use super::{Floating, Summed, ops};
use crate::cpu::{contiguous, from_vec, slice};
use crate::create::{full, zeros};
use crate::dtype::{DType, Kind};
use crate::error::{Result, bail};
use crate::folds;
use crate::shape::{axis, axis_of, show};
use crate::tensor::Tensor;

/// `dim` as kernels walk it; a number is a line of one.
pub(crate) fn along(x: &Tensor, dim: isize) -> Result<Along> {
    let at = axis(dim, x.rank())?;
    let size = x.shape().get(at).copied().unwrap_or(1);
    Ok(Along { size, inner: x.shape().get(at + 1..).map_or(1, |rest| rest.iter().product()) })
}

/// The elements in the dtype that sums and products of `x` have, int64 for integers and booleans, and the one they are computed in.
pub(crate) fn summed(x: &Tensor) -> (crate::tensor::Value, DType, DType) {
    let dtype = if x.dtype().kind() == Kind::Float { x.dtype() } else { DType::Int64 };
    let inner = if dtype.is_float() { dtype.precise() } else { dtype };
    (contiguous(&Tensor::new(x.value_as(inner), inner)), inner, dtype)
}

/// A tensor of `inner` brought to `dtype`.
pub(crate) fn stored(x: Tensor, dtype: DType) -> Tensor {
    if x.dtype() == dtype { x } else { Tensor::new(x.value_as(dtype), dtype) }
}

/// `x` moved on by one place along `dim`, with ones in front: of running products, those before each element.
pub(crate) fn behind_one(x: &Tensor, dim: isize) -> Result<Tensor> {
    let size = x.shape()[axis_of(x.shape(), dim)?];
    if size == 0 {
        return Ok(x.clone());
    }
    let mut edge = x.shape().to_vec();
    edge[axis_of(x.shape(), dim)?] = 1;
    cat(&[full(&edge, 1.0, x.dtype())?, narrow(x, dim, 0, size - 1)?], dim)
}

ops! {
    /// Running sum along `dim`; integers and booleans give int64.
    #[example("tensor([1, 2, 3]).cumsum(0) // [1, 3, 6]")]
    #[face(method)]
    #[check(cases)]
    #[autocast(full)]
    fn cumsum(x: &Tensor, dim: isize) -> Summed {
        let (at, (value, inner, dtype)) = (axis(dim, x.rank())?, summed(x));
        let value = Tensor::new(value, inner);
        let out = if x.rank() == 0 || x.size() == 0 { None } else { folds::cumsum(&value, at) };
        Ok(stored(out.unwrap_or(value), dtype))
    }
    grad(g; dim) { x: if g.rank() == 0 { g.clone() } else { flip(&cumsum(&flip(g, &[dim])?, dim)?, &[dim])? } }

    /// Running product along `dim`; integers and booleans give int64. The gradient holds where elements are 0, too.
    #[example("tensor([1, 2, 3]).cumprod(0) // [1, 2, 6]")]
    #[face(method)]
    #[check(cases)]
    #[autocast(full)]
    fn cumprod(x: &Tensor, dim: isize) -> Summed {
        let (along, (value, inner, dtype)) = (along(x, dim)?, summed(x));
        let out = match inner {
            DType::Float32 => from_vec(scan::product::<f32>(slice(&value), along), x.shape().into(), inner),
            DType::Float64 => from_vec(scan::product::<f64>(slice(&value), along), x.shape().into(), inner),
            _ => from_vec(scan::product::<i64>(slice(&value), along), x.shape().into(), inner),
        };
        Ok(stored(out, dtype))
    }
    grad(g, y; x, dim) {
        // dx[i] = y[i - 1] * h[i] with h[i] = g[i] + x[i + 1] * h[i + 1].
        x: if g.rank() == 0 { g.clone() } else {
            let later = behind_one(&flip(x, &[dim])?, dim)?;
            behind_one(y, dim)? * flip(&recurrence(&later, &flip(g, &[dim])?, dim)?, &[dim])?
        }
    }

    /// `h[i] = b[i] + a[i] * h[i - 1]` along `dim`, from 0; `a` and `b` have one shape and dtype, floating point, of rank 1 or more.
    #[face()]
    #[check(none, "checked as the gradient of cumprod")]
    fn recurrence(a: &Tensor, b: &Tensor, dim: isize) -> Tensor {
        let (along, (first, inner, dtype), (second, ..)) = (along(b, dim)?, summed(a), summed(b));
        let out = match inner {
            DType::Float32 => from_vec(scan::recurrence::<f32>(slice(&first), slice(&second), along), b.shape().into(), inner),
            _ => from_vec(scan::recurrence::<f64>(slice(&first), slice(&second), along), b.shape().into(), inner),
        };
        Ok(stored(out, dtype))
    }
    grad(g, y; a, dim) {
        a: reversed(a, g, dim)? * shifted(y, dim)?,
        b: reversed(a, g, dim)?,
    }

    /// Running `log(sum(e^x))` along `dim`, in a form that does not overflow. Integers and booleans give float32.
    #[example("tensor([0, 0, 0]).logCumSumExp(0) // [0, 0.693147, 1.098612]", "tensor([1000, 1000]).logCumSumExp(0) // [1000, 1000.693147]")]
    #[face(method)]
    #[check(cases)]
    #[torch("logcumsumexp")]
    #[autocast(full)]
    fn log_cum_sum_exp(x: &Tensor, dim: isize) -> Floating {
        let x = super::reduce::float_of(x);
        let (along, (value, inner, dtype)) = (along(&x, dim)?, summed(&x));
        let out = match inner {
            DType::Float32 => from_vec(scan::log_sum_exp::<f32>(slice(&value), along), x.shape().into(), inner),
            _ => from_vec(scan::log_sum_exp::<f64>(slice(&value), along), x.shape().into(), inner),
        };
        Ok(stored(out, dtype))
    }
    grad(g, y; x, dim) { x: exp_of_sums(g, y, x, dim)? - exp_of_sums(&neg(g)?, y, x, dim)? }

    /// Differences of neighbours along `dim`, taken `n` times. Booleans are refused.
    #[example("tensor([1, 4, 9]).diff() // [3, 5]", "tensor([1, 4, 9]).diff({ n: 2 }) // [2]")]
    #[face(method)]
    #[check(cases)]
    fn diff(x: &Tensor; n: usize = 1, dim: isize = -1) -> Tensor {
        let at = axis_of(x.shape(), dim)?;
        if x.dtype() == DType::Bool {
            bail!(Dtype, "booleans have no differences; convert to integers first, or use logicalXor");
        }
        let mut out = x.clone();
        for _ in 0..n.min(x.shape()[at]) {
            let rest = out.shape()[at].saturating_sub(1);
            out = narrow(&out, at as isize, out.shape()[at] - rest, rest)? - narrow(&out, at as isize, 0, rest)?;
        }
        Ok(out)
    }

    /// The integral of `y` along `dim` by the trapezoidal rule, at the points `x`, which broadcasts against `y`, or `dx` apart.
    #[example("tensor([1, 3, 5]).trapezoid() // 6", "tensor([1, 3]).trapezoid(tensor([0, 4])) // 8")]
    #[face(method)]
    #[check(cases)]
    fn trapezoid(y: &Tensor, x: Option<&Tensor> = None; dx: f64 = 1.0, dim: isize = -1) -> Tensor {
        super::reduce::sum(&strips(y, x, dx, dim)?, &[dim], false)
    }

    /// `trapezoid` up to each point but the first.
    #[example("tensor([1, 3, 5]).cumulativeTrapezoid() // [2, 6]")]
    #[face(method)]
    #[check(cases)]
    fn cumulative_trapezoid(y: &Tensor, x: Option<&Tensor> = None; dx: f64 = 1.0, dim: isize = -1) -> Tensor {
        cumsum(&strips(y, x, dx, dim)?, dim)
    }
}

/// `l[i] = g[i] + a[i + 1] * l[i + 1]`: how the gradient runs back through a recurrence.
fn reversed(a: &Tensor, g: &Tensor, dim: isize) -> Result<Tensor> {
    flip(&recurrence(&behind_one(&flip(a, &[dim])?, dim)?, &flip(g, &[dim])?, dim)?, &[dim])
}

/// `y` moved on by one place along `dim`, with zeros in front.
fn shifted(y: &Tensor, dim: isize) -> Result<Tensor> {
    let size = y.shape()[axis_of(y.shape(), dim)?];
    if size == 0 {
        return Ok(y.clone());
    }
    let mut edge = y.shape().to_vec();
    edge[axis_of(y.shape(), dim)?] = 1;
    cat(&[zeros(&edge, y.dtype())?, narrow(y, dim, 0, size - 1)?], dim)
}

/// The part of `logCumSumExp`'s gradient from positive `g`: `e^x` times the sums of `g * e^-y` from the end, as logarithms.
fn exp_of_sums(g: &Tensor, y: &Tensor, x: &Tensor, dim: isize) -> Result<Tensor> {
    let some = gt(&g.into(), &0.0.into())?;
    let logs = where_(&some, &(log(&where_(&some, &g.into(), &1.0.into())?)? - y).into(), &f64::NEG_INFINITY.into())?;
    let sums = if g.rank() == 0 { logs } else { flip(&log_cum_sum_exp(&flip(&logs, &[dim])?, dim)?, &[dim])? };
    exp(&(sums + x))
}

/// The areas between neighbouring points.
fn strips(y: &Tensor, x: Option<&Tensor>, dx: f64, dim: isize) -> Result<Tensor> {
    let at = axis_of(y.shape(), dim)?;
    if !y.dtype().is_float() {
        bail!(Dtype, "areas under {} need another dtype; convert first: y.to('float32')", y.dtype().name());
    }
    let rest = y.shape()[at].saturating_sub(1);
    let means = (narrow(y, dim, y.shape()[at] - rest, rest)? + narrow(y, dim, 0, rest)?) * 0.5;
    let Some(x) = x else { return Ok(means * dx) };
    let along = if x.rank() == 1 { -1 } else { dim };
    let points = x.shape()[axis_of(x.shape(), along)?];
    if points != y.shape()[at] || x.rank() > y.rank() {
        bail!(Shape, "x {} has {points} points along dim {dim} and y {} has {}", show(x.shape()), show(y.shape()), y.shape()[at]);
    }
    let widths = diff(x, 1, along)?;
    if x.rank() > 1 {
        return Ok(means * widths);
    }
    let mut shape = vec![1; y.rank()];
    shape[at] = rest as isize;
    Ok(means * super::shaping::reshape(&widths, &shape)?)
}

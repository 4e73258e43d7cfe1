//! Reductions over one, many or all dimensions.

use burn_backend::ops::{BoolTensorOps, FloatTensorOps, IntTensorOps};
use burn_dispatch::Dispatch;
use burn_std::Shape;

use super::compare::{as_mask, eq, where_};
use super::elementwise::{exp, log, sqrt, square};
use super::lines::{line_of, without};
use super::shaping::{expand_to, reshape_to};
use super::{Floating, Index, Mask, Summed, ops};
use crate::dtype::{DType, Kind};
use crate::error::{Result, bail};
use crate::folds::{self, Extreme};
use crate::shape::{self, Axes, axes, axis, reduced};
use crate::tensor::{Tensor, Value, reshape};

/// Sums a gradient down to the shape of the operand it broadcast from.
pub(crate) fn sum_to(x: &Tensor, shape: &[usize]) -> Result<Tensor> {
    let lead = x.rank() - shape.len();
    let dims: Vec<isize> = (0..x.rank()).filter(|&i| i < lead || (shape[i - lead] == 1 && x.shape()[i] != 1)).map(|i| i as isize).collect();
    if dims.is_empty() {
        return reshape_to(x, &Shape::from(shape));
    }
    reshape_to(&sum(x, &dims, true)?, &Shape::from(shape))
}

/// The largest or smallest element over `dims` by our kernel.
fn extreme(which: Extreme, x: &Tensor, dims: &[isize], keep_dim: bool) -> Result<Option<Tensor>> {
    let axes = axes(dims, x.rank())?;
    Ok(folds::extreme(which, x, &axes, &reduced(x.shape(), &axes, keep_dim)))
}

/// Runs a reduction that keeps its dimension over each axis in turn, and gives the result its final shape.
fn fold(x: &Tensor, dims: &[isize], keep_dim: bool, f: impl Fn(Value, usize) -> Value) -> Result<Value> {
    let axes = axes(dims, x.rank())?;
    // The engine reads rows that are not there; sums of nothing are 0, and whatever else reduces nothing gives nothing.
    if x.size() == 0 {
        return Ok(crate::create::zeros(&reduced(x.shape(), &axes, keep_dim), x.dtype())?.into_value());
    }
    let out = axes.iter().fold(x.value(), |value, &axis| f(value, axis));
    Ok(reshape(out, x.dtype().kind(), reduced(x.shape(), &axes, keep_dim)))
}

/// A reduced tensor with its dimensions back, as size 1, ready to broadcast against what it came from.
pub(crate) fn restored(g: &Tensor, shape: &[usize], dims: &[isize]) -> Result<Tensor> {
    reshape_to(g, &reduced(shape, &axes(dims, shape.len())?, true))
}

fn count(shape: &[usize], dims: &[isize]) -> Result<usize> {
    Ok(axes(dims, shape.len())?.iter().map(|&axis| shape[axis]).product())
}

fn nonempty(x: &Tensor, dims: &[isize]) -> Result<()> {
    if count(x.shape(), dims)? == 0 {
        bail!(Shape, "{} has no elements to choose from over dims {dims:?}", shape::show(x.shape()));
    }
    Ok(())
}

/// The gradient of an extremum: shared equally by the elements that reach it, as PyTorch's amax.
fn shared(g: &Tensor, y: &Tensor, x: &Tensor, dims: &[isize]) -> Result<Tensor> {
    let y = restored(y, x.shape(), dims)?;
    let hits = Tensor::new(eq(&x.into(), &(&y).into())?.value_as(x.dtype()), x.dtype());
    let ties = sum(&hits, dims, true)?;
    Ok(restored(g, x.shape(), dims)? * &(hits / ties))
}

pub(crate) fn float_of(x: &Tensor) -> Tensor {
    if x.dtype().is_float() { x.clone() } else { Tensor::new(x.value_as(DType::Float32), DType::Float32) }
}

ops! {
    /// Sum over `dims`, all by default; integers and booleans give int64.
    #[example("const x = tensor([[1, 2], [3, 4]])", "x.sum() // 10", "x.sum(0) // [4, 6]", "x.sum(-1, { keepDim: true }) // [[3], [7]]")]
    #[face(method)]
    #[check(cases)]
    #[autocast(full)]
    fn sum(x: &Tensor, dims: &[isize] = []; keep_dim: bool = false) -> Summed {
        let x = match x.dtype().kind() {
            Kind::Float => x.clone(),
            _ => Tensor::new(x.value_as(DType::Int64), DType::Int64),
        };
        let over = axes(dims, x.rank())?;
        if let Some(out) = folds::sum(&x, &over, &reduced(x.shape(), &over, keep_dim)) {
            return Ok(out);
        }
        let out = match x.dtype().kind() {
            Kind::Float if axes(dims, x.rank())?.len() == x.rank() => {
                reshape(Dispatch::float_sum(x.value()), Kind::Float, reduced(x.shape(), &axes(dims, x.rank())?, keep_dim))
            }
            Kind::Float => fold(&x, dims, keep_dim, Dispatch::float_sum_dim)?,
            _ => fold(&x, dims, keep_dim, Dispatch::int_sum_dim)?,
        };
        Ok(Tensor::new(out, x.dtype()))
    }
    grad(g; shape = Shape::from(x.shape()), dims) { x: expand_to(&restored(g, shape, dims)?, shape)? }

    /// Mean over `dims`, all by default.
    #[example("tensor([[1, 2], [3, 4]]).mean(1) // [1.5, 3.5]")]
    #[face(method)]
    #[check(cases)]
    fn mean(x: &Tensor, dims: &[isize] = []; keep_dim: bool = false) -> Tensor {
        if !x.dtype().is_float() {
            bail!(Dtype, "the mean of {} would need another dtype; convert first: x.to('float32')", x.dtype().name());
        }
        Ok(sum(x, dims, keep_dim)? / count(x.shape(), dims)? as f64)
    }

    /// Variance over `dims`, all by default, divided by `n - correction` (1: unbiased, 0: of the population).
    #[example("tensor([1, 2, 3, 4]).var() // 1.66667", "tensor([1, 2, 3, 4]).var([], { correction: 0 }) // 1.25")]
    #[face(method)]
    #[check(cases)]
    fn var(x: &Tensor, dims: &[isize] = []; correction: f64 = 1.0, keep_dim: bool = false) -> Tensor {
        let divisor = (count(x.shape(), dims)? as f64 - correction).max(0.0);
        let over = axes(dims, x.rank())?;
        if let Some(out) = folds::variance(x, &over, &reduced(x.shape(), &over, keep_dim), divisor) {
            return Ok(out);
        }
        let centred = x - &mean(x, dims, true)?;
        Ok(sum(&square(&centred)?, dims, keep_dim)? / divisor)
    }
    grad(g; x, dims, correction) {
        x: {
            let divisor = (count(x.shape(), dims)? as f64 - correction).max(0.0);
            restored(g, x.shape(), dims)? * (x - &mean(x, dims, true)?) * (2.0 / divisor)
        }
    }

    /// Standard deviation: the square root of `var`.
    #[example("tensor([1, 2, 3, 4]).std() // 1.290994")]
    #[face(method)]
    #[check(cases)]
    fn std(x: &Tensor, dims: &[isize] = []; correction: f64 = 1.0, keep_dim: bool = false) -> Tensor {
        sqrt(&var(x, dims, correction, keep_dim)?)
    }
    grad(g, y; x, dims, correction) {
        x: {
            let (g, y) = (restored(g, x.shape(), dims)?, restored(y, x.shape(), dims)?);
            let zero = eq(&(&y).into(), &0.0.into())?;
            let n = count(x.shape(), dims)? as f64;
            let slope = (x - &mean(x, dims, true)?) / (where_(&zero, &1.0.into(), &y.into())? * (n - correction).max(0.0));
            where_(&zero, &0.0.into(), &(g * slope).into())?
        }
    }

    /// Largest element over `dims`, all by default; equal ones share the gradient.
    #[example("tensor([[1, 5], [3, 2]]).amax(1) // [5, 3]")]
    #[face(method)]
    #[check(cases)]
    fn amax(x: &Tensor, dims: &[isize] = []; keep_dim: bool = false) -> Tensor {
        nonempty(x, dims)?;
        if x.dtype() != DType::Bool
            && let Some(out) = extreme(Extreme::Largest, x, dims, keep_dim)?
        {
            return Ok(out);
        }
        let out = match x.dtype().kind() {
            Kind::Float => fold(x, dims, keep_dim, Dispatch::float_max_dim)?,
            Kind::Int => fold(x, dims, keep_dim, Dispatch::int_max_dim)?,
            Kind::Bool => bail!(Dtype, "a boolean tensor has no largest element; use .any()"),
        };
        Ok(Tensor::new(out, x.dtype()))
    }
    grad(g, y; x, dims) { x: shared(g, y, x, dims)? }

    /// Smallest element over `dims`, all by default; equal ones share the gradient.
    #[example("tensor([[1, 5], [3, 2]]).amin(1) // [1, 2]")]
    #[face(method)]
    #[check(cases)]
    fn amin(x: &Tensor, dims: &[isize] = []; keep_dim: bool = false) -> Tensor {
        nonempty(x, dims)?;
        if x.dtype() != DType::Bool
            && let Some(out) = extreme(Extreme::Smallest, x, dims, keep_dim)?
        {
            return Ok(out);
        }
        let out = match x.dtype().kind() {
            Kind::Float => fold(x, dims, keep_dim, Dispatch::float_min_dim)?,
            Kind::Int => fold(x, dims, keep_dim, Dispatch::int_min_dim)?,
            Kind::Bool => bail!(Dtype, "a boolean tensor has no smallest element; use .all()"),
        };
        Ok(Tensor::new(out, x.dtype()))
    }
    grad(g, y; x, dims) { x: shared(g, y, x, dims)? }

    /// Position of the largest element along `dim`, by default among all in row-major order; the first of equals.
    #[example("tensor([[1, 5], [3, 2]]).argmax(1) // [1, 0]", "tensor([[1, 5], [3, 2]]).argmax() // 1")]
    #[face(method)]
    #[check(cases)]
    fn argmax(x: &Tensor, dim: Option<isize> = None; keep_dim: bool = false) -> Index { position(x, dim, keep_dim, true) }

    /// Position of the smallest element along `dim`, by default among all in row-major order; the first of equals.
    #[example("tensor([[1, 5], [3, 2]]).argmin(1) // [0, 1]")]
    #[face(method)]
    #[check(cases)]
    fn argmin(x: &Tensor, dim: Option<isize> = None; keep_dim: bool = false) -> Index { position(x, dim, keep_dim, false) }

    /// Whether any element over `dims` (all by default) is true; anything but 0 counts as true.
    #[example("tensor([[true, false], [false, false]]).any(1) // [true, false]")]
    #[face(method)]
    #[check(cases)]
    fn any(x: &Tensor, dims: &[isize] = []; keep_dim: bool = false) -> Mask {
        match extreme(Extreme::Largest, &as_mask(x), dims, keep_dim)? {
            Some(out) => Ok(out),
            None => Ok(Tensor::new(fold(&as_mask(x), dims, keep_dim, Dispatch::bool_any_dim)?, DType::Bool)),
        }
    }

    /// Whether all elements over `dims` (all by default) are true; anything but 0 counts as true.
    #[example("tensor([[true, true], [true, false]]).all(1) // [true, false]")]
    #[face(method)]
    #[check(cases)]
    fn all(x: &Tensor, dims: &[isize] = []; keep_dim: bool = false) -> Mask {
        match extreme(Extreme::Smallest, &as_mask(x), dims, keep_dim)? {
            Some(out) => Ok(out),
            None => Ok(Tensor::new(fold(&as_mask(x), dims, keep_dim, Dispatch::bool_all_dim)?, DType::Bool)),
        }
    }

    /// `log(sum(e^x))` over `dims`, all by default, in a form that does not overflow.
    #[example("tensor([1000, 1000]).logSumExp() // 1000.693147")]
    #[face(method)]
    #[check(cases)]
    #[torch("logsumexp")]
    #[autocast(full)]
    fn log_sum_exp(x: &Tensor, dims: &[isize] = []; keep_dim: bool = false) -> Floating {
        if count(x.shape(), dims)? == 0 {
            return log(&sum(&exp(x)?, dims, keep_dim)?);
        }
        let x = float_of(x);
        log_sum_exp_of(&x, dims, keep_dim)
    }

    /// `log_sum_exp` of floats, of one or more.
    #[face()]
    #[check(none, "checked as log_sum_exp")]
    fn log_sum_exp_of(x: &Tensor, dims: &[isize], keep_dim: bool) -> Tensor {
        let over = axes(dims, x.rank())?;
        let to = reduced(x.shape(), &over, keep_dim);
        if let Some(out) = folds::log_sum_exp(x, &over, &to) {
            return Ok(out);
        }
        let top = amax(x, dims, true)?;
        // Where all are -inf or one is inf, subtracting it would give NaN.
        let top = where_(&super::compare::is_finite(&top)?, &(&top).into(), &0.0.into())?;
        reshape_to(&(log(&sum(&exp(&(x - &top))?, dims, true)?)? + top), &to)
    }
    grad(g, y; x, dims) {
        x: {
            let (g, y) = (restored(g, x.shape(), dims)?, restored(y, x.shape(), dims)?);
            g * exp(&(x - &y))?
        }
    }
}

fn position(x: &Tensor, dim: Option<isize>, keep_dim: bool, largest: bool) -> Result<Index> {
    let (line, along) = line_of(x, dim)?;
    nonempty(&line, &[along])?;
    let axis = axis(along, line.rank())?;
    let which = if largest { Extreme::Largest } else { Extreme::Smallest };
    if let Some(out) = folds::extreme_at(which, &line, axis, &reduced(line.shape(), &Axes::from_slice(&[axis]), true)) {
        return without(&out, x.rank(), along, dim, keep_dim);
    }
    let int = DType::Int64.int();
    let value = match (x.dtype().kind(), largest) {
        (Kind::Float, true) => Dispatch::float_argmax(line.value(), axis, int),
        (Kind::Float, false) => Dispatch::float_argmin(line.value(), axis, int),
        (_, true) => Dispatch::int_argmax(line.value_as(DType::Int64), axis),
        (_, false) => Dispatch::int_argmin(line.value_as(DType::Int64), axis),
    };
    without(&Tensor::new(value, DType::Int64), x.rank(), along, dim, keep_dim)
}

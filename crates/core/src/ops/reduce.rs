//! Reductions over one, many or all dimensions.

use burn_backend::ops::{BoolTensorOps, FloatTensorOps, IntTensorOps};
use burn_dispatch::Dispatch;
use burn_std::Shape;

use super::compare::{as_mask, eq, where_};
use super::elementwise::{abs, exp, log, pow, sign, sqrt, square};
use super::shaping::{expand_to, flip, reshape_to};
use super::{Floating, Index, Mask, Summed, ops};
use crate::dtype::{DType, Kind};
use crate::error::{Result, bail};
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
fn restored(g: &Tensor, shape: &[usize], dims: &[isize]) -> Result<Tensor> {
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
        let centred = x - &mean(x, dims, true)?;
        let n = count(x.shape(), dims)? as f64;
        Ok(sum(&square(&centred)?, dims, keep_dim)? / (n - correction).max(0.0))
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
        let out = match x.dtype().kind() {
            Kind::Float => fold(x, dims, keep_dim, Dispatch::float_min_dim)?,
            Kind::Int => fold(x, dims, keep_dim, Dispatch::int_min_dim)?,
            Kind::Bool => bail!(Dtype, "a boolean tensor has no smallest element; use .all()"),
        };
        Ok(Tensor::new(out, x.dtype()))
    }
    grad(g, y; x, dims) { x: shared(g, y, x, dims)? }

    /// Position of the largest element along `dim`; the first of equals.
    #[example("tensor([[1, 5], [3, 2]]).argmax(1) // [1, 0]")]
    #[face(method)]
    #[check(cases)]
    fn argmax(x: &Tensor, dim: isize; keep_dim: bool = false) -> Index { position(x, dim, keep_dim, true) }

    /// Position of the smallest element along `dim`; the first of equals.
    #[example("tensor([[1, 5], [3, 2]]).argmin(1) // [0, 1]")]
    #[face(method)]
    #[check(cases)]
    fn argmin(x: &Tensor, dim: isize; keep_dim: bool = false) -> Index { position(x, dim, keep_dim, false) }

    /// Whether any element over `dims` (all by default) is true; anything but 0 counts as true.
    #[example("tensor([[true, false], [false, false]]).any(1) // [true, false]")]
    #[face(method)]
    #[check(cases)]
    fn any(x: &Tensor, dims: &[isize] = []; keep_dim: bool = false) -> Mask {
        if x.size() == 0 {
            return crate::create::full(&reduced(x.shape(), &axes(dims, x.rank())?, keep_dim), 0.0, DType::Bool);
        }
        Ok(Tensor::new(fold(&as_mask(x), dims, keep_dim, Dispatch::bool_any_dim)?, DType::Bool))
    }

    /// Whether all elements over `dims` (all by default) are true; anything but 0 counts as true.
    #[example("tensor([[true, true], [true, false]]).all(1) // [true, false]")]
    #[face(method)]
    #[check(cases)]
    fn all(x: &Tensor, dims: &[isize] = []; keep_dim: bool = false) -> Mask {
        if x.size() == 0 {
            return crate::create::full(&reduced(x.shape(), &axes(dims, x.rank())?, keep_dim), 1.0, DType::Bool);
        }
        Ok(Tensor::new(fold(&as_mask(x), dims, keep_dim, Dispatch::bool_all_dim)?, DType::Bool))
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
        let top = amax(x, dims, true)?.detach();
        // Where all are -inf or one is inf, subtracting it would give NaN.
        let top = where_(&super::compare::is_finite(&top)?, &(&top).into(), &0.0.into())?;
        let out = log(&sum(&exp(&(x - &top))?, dims, true)?)? + top;
        reshape_to(&out, &reduced(x.shape(), &axes(dims, x.rank())?, keep_dim))
    }

    /// The p-norm over `dims`, all by default: `sum(|x|^p)^(1/p)`; Infinity gives the largest `|x|`.
    #[example("tensor([3, -4]).norm() // 5", "tensor([3, -4]).norm([], { p: 1 }) // 7")]
    #[face(method)]
    #[check(cases)]
    #[torch("linalg.vector_norm")]
    #[autocast(full)]
    fn norm(x: &Tensor, dims: &[isize] = []; p: f64 = 2.0, keep_dim: bool = false) -> Floating {
        match p {
            p if p == f64::INFINITY => amax(&abs(x)?, dims, keep_dim),
            p if p == f64::NEG_INFINITY => amin(&abs(x)?, dims, keep_dim),
            1.0 => sum(&abs(x)?, dims, keep_dim),
            p if p > 0.0 => power_norm(&float_of(x), dims, p, keep_dim),
            p => bail!(Argument, "p must be positive or infinite and is {p}"),
        }
    }

    /// `norm` for a finite `p`; where the norm is 0 its gradient is 0.
    #[face()]
    #[check(none, "checked as norm")]
    fn power_norm(x: &Tensor, dims: &[isize], p: f64, keep_dim: bool) -> Tensor {
        if p == 2.0 {
            return sqrt(&sum(&square(x)?, dims, keep_dim)?);
        }
        pow(&sum(&pow(&abs(x)?.into(), &p.into())?, dims, keep_dim)?.into(), &(1.0 / p).into())
    }
    grad(g, y; x, dims, p) {
        x: {
            let (g, y) = (restored(g, x.shape(), dims)?, restored(y, x.shape(), dims)?);
            let zero = eq(&(&y).into(), &0.0.into())?;
            let safe = where_(&zero, &1.0.into(), &y.into())?;
            let slope = match p {
                2.0 => x / &safe,
                p => &sign(x)? * &pow(&(&abs(x)? / &safe).into(), &(p - 1.0).into())?,
            };
            where_(&zero, &0.0.into(), &(g * slope).into())?
        }
    }

    /// Running sum along `dim`.
    #[example("tensor([1, 2, 3]).cumsum(0) // [1, 3, 6]")]
    #[face(method)]
    #[check(cases)]
    #[autocast(full)]
    fn cumsum(x: &Tensor, dim: isize) -> Tensor {
        let axis = axis(dim, x.rank())?;
        if x.rank() == 0 {
            return Ok(x.detach());
        }
        let x = if x.dtype() == DType::Bool { Tensor::new(x.value_as(DType::Int64), DType::Int64) } else { x.clone() };
        if x.size() == 0 {
            return Ok(x.detach());
        }
        Ok(x.kind_map(|v| Dispatch::float_cumsum(v, axis), |v| Dispatch::int_cumsum(v, axis), |v| v))
    }
    grad(g; dim) { x: flip(&cumsum(&flip(g, &[dim])?, dim)?, &[dim])? }
}

fn position(x: &Tensor, dim: isize, keep_dim: bool, largest: bool) -> Result<Index> {
    let axis = axis(dim, x.rank())?;
    nonempty(x, &[dim])?;
    let shape = reduced(x.shape(), &Axes::from_slice(&[axis]), keep_dim && x.rank() > 0);
    if x.rank() == 0 {
        return crate::create::full(&[], 0.0, DType::Int64);
    }
    let int = DType::Int64.int();
    let value = match (x.dtype().kind(), largest) {
        (Kind::Float, true) => Dispatch::float_argmax(x.value(), axis, int),
        (Kind::Float, false) => Dispatch::float_argmin(x.value(), axis, int),
        (_, true) => Dispatch::int_argmax(x.value_as(DType::Int64), axis),
        (_, false) => Dispatch::int_argmin(x.value_as(DType::Int64), axis),
    };
    Ok(Tensor::new(reshape(value, Kind::Int, shape), DType::Int64))
}

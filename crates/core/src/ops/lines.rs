//! Places found line by line along a dimension, and what stands there: how ops that choose elements are made differentiable.

use burn_std::Shape;
use firn_kernels::order::{Key, Task};

use super::Index;
use super::index::gather;
use super::ranking::standing;
use super::shaping::{flatten, reshape, squeeze, transpose};
use crate::cpu::{contiguous, from_vec, slice};
use crate::dtype::{DType, Kind};
use crate::error::{Result, bail};
use crate::shape::{axis, show};
use crate::tensor::{Tensor, Value};

/// The dtype in which the order of `x` is decided; every value of `x` is one of it.
pub(crate) fn ordered_dtype(x: &Tensor) -> DType {
    if x.dtype().kind() == Kind::Float { x.dtype().precise() } else { DType::Int64 }
}

/// The elements in row-major order, of a dtype that kernels for order take.
pub(crate) fn ordered(x: &Tensor) -> (Value, DType) {
    let dtype = ordered_dtype(x);
    (contiguous(&Tensor::new(x.value_as(dtype), dtype)), dtype)
}

/// A list of the elements and its only dimension where `dim` is None, `x` and `dim` otherwise; numbers are lists of one.
pub(crate) fn line_of(x: &Tensor, dim: Option<isize>) -> Result<(Tensor, isize)> {
    axis(dim.unwrap_or(0), x.rank())?;
    match dim {
        Some(dim) if x.rank() > 0 => Ok((x.clone(), dim)),
        _ => Ok((flatten(x, 0, -1)?, 0)),
    }
}

/// The size of `dim`, which is not 0.
pub(crate) fn nonempty(x: &Tensor, dim: isize) -> Result<usize> {
    match x.shape().get(axis(dim, x.rank())?) {
        Some(0) => bail!(Shape, "dim {dim} of {} has no elements to choose from", show(x.shape())),
        Some(&size) => Ok(size),
        None => Ok(1),
    }
}

/// The places that `task` finds in each line along `dim`; they stand along `dim` of the result.
pub(crate) fn places(x: &Tensor, dim: isize, task: Task) -> Result<Index> {
    let at = axis(dim, x.rank())?;
    let last = if x.rank() == 0 { reshape(x, &[1])? } else { transpose(&x.detach(), at as isize, -1)? };
    let mut shape = last.shape().to_vec();
    let size = shape.last().copied().unwrap_or(1);
    if u32::try_from(size).is_err() {
        bail!(Shape, "dim {dim} of {} has {size} elements; orders are of up to {}", show(x.shape()), u32::MAX);
    }
    if let Some(size) = shape.last_mut() {
        *size = task.count(*size);
    }
    let (value, dtype) = ordered(&last);
    let found = match dtype {
        DType::Float32 => of::<f32>(&value, size, task),
        DType::Float64 => of::<f64>(&value, size, task),
        _ => of::<i64>(&value, size, task),
    };
    let out = from_vec(found, Shape::from(&shape[..]), DType::Int64);
    if x.rank() == 0 { reshape(&out, &[]) } else { transpose(&out, at as isize, -1) }
}

fn of<T: Key + burn_std::Element + bytemuck::Pod>(value: &Value, size: usize, task: Task) -> Vec<i64> {
    task.places(slice::<T>(value), size)
}

/// The elements that `task` finds along `dim` and their places.
pub(crate) fn picked(x: &Tensor, dim: isize, task: Task) -> Result<Vec<Tensor>> {
    let places = places(x, dim, task)?;
    let values = if x.rank() == 0 { x.clone() } else { gather(x, dim, &places)? };
    Ok(vec![values, places])
}

/// The element that `task` finds along `dim`, or among all, and its place; that dimension, or all, stay as 1 if `keep_dim`.
pub(crate) fn one(x: &Tensor, dim: Option<isize>, keep_dim: bool, task: Task) -> Result<Vec<Tensor>> {
    let (line, along) = line_of(x, dim)?;
    nonempty(&line, along)?;
    let places = places(&line, along, task)?;
    let values = chosen(&line, along, &places, dim)?;
    [values, places].iter().map(|out| without(out, x.rank(), along, dim, keep_dim)).collect()
}

/// What stands at the places of a line that `line_of` gave. Along a dimension gradients flow there; among all elements those that are equal
/// share them.
pub(crate) fn chosen(line: &Tensor, along: isize, places: &Tensor, dim: Option<isize>) -> Result<Tensor> {
    if dim.is_none() { standing(line, places) } else { gather(line, along, places) }
}

/// A result of size 1 along `along`, from a line that `line_of` gave, in the shape that `keep_dim` asks for.
pub(crate) fn without(out: &Tensor, rank: usize, along: isize, dim: Option<isize>, keep_dim: bool) -> Result<Tensor> {
    match (keep_dim, dim) {
        _ if rank == 0 => reshape(out, &[]),
        (true, None) => reshape(out, &vec![1; rank]),
        (true, Some(_)) => Ok(out.clone()),
        (false, _) => squeeze(out, &[along]),
    }
}

//! Single places, slices and flat positions: reading them, and writing them into a copy.

use super::arrange::list;
use super::choice::ScatterReduce;
use super::compare::where_;
use super::index::{gather, index_add, index_select, line, positions};
use super::scatter::scatter_reduce;
use super::shaping::{expand, narrow, reshape, signed, squeeze, unsqueeze};
use super::{Index, Many, Operand, ops};
use crate::cpu::{from_vec, slice_mut, with_slice};
use crate::create::zeros;
use crate::dtype::{DType, Kind};
use crate::error::{Result, bail};
use crate::shape::{axis_of, show};
use crate::tensor::{Tensor, Value, cast};
use firn_kernels::nonzero::nonzero as nonzero_places;
use firn_kernels::scatter::copy_entries;

/// The dtype that kernels of moves and sums compute in for tensors of `dtype`: float32, float64 or int64.
pub(crate) fn wide(dtype: DType) -> DType {
    match (dtype.kind(), dtype) {
        (_, DType::Float64) => DType::Float64,
        (Kind::Float, _) => DType::Float32,
        _ => DType::Int64,
    }
}

/// A copy of `x` in its wide dtype, to be written; and back with `narrowed`.
pub(crate) fn widened(x: &Tensor) -> Value {
    x.value_as(wide(x.dtype()))
}

pub(crate) fn narrowed(value: Value, dtype: DType) -> Tensor {
    Tensor::new(cast(value, wide(dtype), dtype), dtype)
}

/// A place along dim `at`, which may count from the end.
fn place(x: &[usize], at: usize, index: isize) -> Result<usize> {
    let size = x[at] as isize;
    if index < -size || index >= size {
        bail!(Argument, "place {index} does not exist in dim {at} of {}", show(x));
    }
    Ok(index.rem_euclid(size) as usize)
}

/// Positions that may count from the end, checked and made positive.
pub(crate) fn wrapped(index: &Index, size: usize, of: &str) -> Result<Vec<i64>> {
    if index.dtype().kind() != Kind::Int {
        bail!(Dtype, "an index must hold integers and is {}; convert with .to('int64')", index.dtype().name());
    }
    let size = size as i64;
    let wrap = |&i: &i64| match i {
        i if i >= size || i < -size => bail!(Argument, "position {i} is out of range for {of}; expected {} to {}", -size, size - 1),
        i if i < 0 => Ok(i + size),
        i => Ok(i),
    };
    with_slice(&index.value_as(DType::Int64), |at: &[i64]| at.iter().map(wrap).collect())
}

fn like(x: &Tensor, source: &Tensor, expected: &[usize]) -> Result<()> {
    if source.shape() != expected || source.dtype() != x.dtype() {
        bail!(Shape, "source is {} {} and must be {} {}", source.dtype().name(), show(source.shape()), x.dtype().name(), show(expected));
    }
    Ok(())
}

ops! {
    /// The part at one place of `dim`, without that dimension; a negative `index` counts from the end.
    #[example("tensor([[1, 2], [3, 4]]).select(1, -1) // [2, 4]", "tensor([1]).select(0, 1) // throws 'argument'")]
    #[face(method)]
    #[check(cases)]
    fn select(x: &Tensor, dim: isize, index: isize) -> Tensor {
        let at = axis_of(x.shape(), dim)?;
        squeeze(&narrow(x, at as isize, place(x.shape(), at, index)?, 1)?, &[at as isize])
    }

    /// `x` with the entries of `source` at the positions of `index`, a list, along `dim`; of repeated positions the last counts.
    #[example("tensor([1, 2, 3]).indexCopy(0, tensor([2, 0], { dtype: 'int64' }), tensor([8, 9])) // [9, 2, 8]")]
    #[face(method)]
    #[check(cases)]
    #[autocast(widest)]
    fn index_copy(x: &Tensor, dim: isize, index: &Index, source: &Tensor) -> Tensor {
        let at = axis_of(x.shape(), dim)?;
        let to = positions(line(index, "the index")?, x.shape()[at])?;
        let mut expected = x.shape().to_vec();
        expected[at] = index.size();
        like(x, source, &expected)?;
        let (size, inner) = (x.shape()[at], x.shape()[at + 1..].iter().product());
        let (mut out, source) = (widened(x), widened(source));
        with_slice(&to, |to: &[i64]| match wide(x.dtype()) {
            DType::Float64 => with_slice(&source, |source: &[f64]| copy_entries(slice_mut(&mut out), source, to, size, inner)),
            DType::Float32 => with_slice(&source, |source: &[f32]| copy_entries(slice_mut(&mut out), source, to, size, inner)),
            _ => with_slice(&source, |source: &[i64]| copy_entries(slice_mut(&mut out), source, to, size, inner)),
        });
        Ok(narrowed(out, x.dtype()))
    }
    grad(g; dim, index) { x: index_fill(g, dim, index, &0.0.into())?, source: index_select(g, dim, index)? }

    /// `x` with the entries of `source` combined with what stands at the positions of `index`, a list, along `dim`; `includeSelf` says
    /// whether that counts.
    #[example("ones([3]).indexReduce(0, tensor([0, 0], { dtype: 'int64' }), tensor([2, 3]), { reduce: 'prod' }) // [6, 1, 1]")]
    #[face(method)]
    #[check(cases)]
    fn index_reduce(x: &Tensor, dim: isize, index: &Index, source: &Tensor; reduce: ScatterReduce = Sum, include_self: bool = true) -> Tensor {
        let at = axis_of(x.shape(), dim)?;
        let mut expected = x.shape().to_vec();
        expected[at] = line(index, "the index")?.size();
        if source.shape() != expected || source.dtype() != x.dtype() {
            bail!(Shape, "source is {} {}, expected {} {}: as x, with an entry a position", source.dtype().name(), show(source.shape()), x.dtype().name(), show(&expected));
        }
        let mut shape = vec![1; x.rank()];
        shape[at] = -1;
        scatter_reduce(x, dim, &expand(&reshape(index, &shape)?, &signed(&expected))?, source, reduce, include_self)
    }

    /// Positions in row-major order as positions along each dimension of a tensor of `shape`.
    #[example("const [row, column] = tensor([5], { dtype: 'int64' }).unravelIndex([2, 3])", "row // [1]", "column // [2]")]
    #[face(method)]
    #[check(cases)]
    fn unravel_index(index: &Index, shape: &[isize]) -> Many {
        if let Some(wrong) = shape.iter().find(|&&size| size < 0) {
            bail!(Argument, "a size is 0 or more and one is {wrong}");
        }
        let sizes: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
        let total = sizes.iter().try_fold(1_i64, |total, &size| total.checked_mul(size));
        let Some(total) = total else { bail!(Argument, "{shape:?} has more places than numbers reach") };
        let value = positions(index, total as usize)?;
        let mut places: Vec<Vec<i64>> = Vec::with_capacity(sizes.len());
        let mut rest = with_slice(&value, |at: &[i64]| at.to_vec());
        for &size in sizes.iter().rev() {
            places.push(rest.iter().map(|at| at % size).collect());
            rest.iter_mut().for_each(|at| *at /= size);
        }
        Ok(places.into_iter().rev().map(|list| from_vec(list, index.shape().into(), DType::Int64)).collect())
    }

    /// `x` with `value`, a number or a tensor of one element, at the positions of `index`, a list, along `dim`; negative ones count from the end.
    #[example("tensor([1, 2, 3]).indexFill(0, tensor([0, -1], { dtype: 'int64' }), 9) // [9, 2, 9]")]
    #[face(method)]
    #[check(cases)]
    fn index_fill(x: &Tensor, dim: isize, index: &Index, value: &Operand) -> Tensor {
        let at = axis_of(x.shape(), dim)?;
        let size = x.shape()[at];
        let mut hits = vec![0_u8; size];
        for to in wrapped(line(index, "the index")?, size, &format!("dim {at} of {}", show(x.shape())))? {
            hits[to as usize] = 1;
        }
        if let Operand::Tensor(value) = value
            && value.size() != 1
        {
            bail!(Shape, "value must be one number and has shape {}", show(value.shape()));
        }
        let mut shape = vec![1; x.rank()];
        shape[at] = size;
        let mask = from_vec(hits, shape.into(), DType::Bool);
        let value = match value {
            Operand::Tensor(value) => Operand::Tensor(reshape(&super::elementwise::to_dtype(value, x.dtype())?, &[])?),
            Operand::Number(number) if x.dtype() == DType::Bool => Operand::Tensor(crate::create::full(&[], *number, DType::Bool)?),
            number => number.clone(),
        };
        where_(&mask, &value, &x.into())
    }

    /// The elements at flat positions of the row-major order, in the shape of `index`; negative ones count from the end.
    #[example("tensor([[1, 2], [3, 4]]).take(tensor([0, -1], { dtype: 'int64' })) // [1, 4]")]
    #[face(method)]
    #[check(cases)]
    fn take(x: &Tensor, index: &Index) -> Tensor {
        let at = wrapped(index, x.size(), &format!("the {} elements of {}", x.size(), show(x.shape())))?;
        reshape(&index_select(&reshape(x, &[x.size() as isize])?, 0, &list(at))?, &signed(index.shape()))
    }

    /// `x` with the elements of `source` at flat positions of the row-major order, or added to those there with `accumulate`.
    #[example("zeros([2, 2]).put(tensor([0, -1], { dtype: 'int64' }), tensor([5, 6])) // [[5, 0], [0, 6]]")]
    #[face(method)]
    #[check(cases)]
    fn put(x: &Tensor, index: &Index, source: &Tensor; accumulate: bool = false) -> Tensor {
        if source.size() != index.size() || source.dtype() != x.dtype() {
            bail!(Shape, "source is {} {} for an index of {} elements into {}", source.dtype().name(), show(source.shape()), index.size(), x.dtype().name());
        }
        let at = list(wrapped(index, x.size(), &format!("the {} elements of {}", x.size(), show(x.shape())))?);
        let flat = |x: &Tensor| reshape(x, &[x.size() as isize]);
        let out = if accumulate { index_add(&flat(x)?, 0, &at, &flat(source)?)? } else { index_copy(&flat(x)?, 0, &at, &flat(source)?)? };
        reshape(&out, &signed(x.shape()))
    }

    /// `gather` with broadcasting outside `dim`; without `dim`, of both flattened.
    #[example("tensor([[3, 1], [2, 4]]).takeAlongDim(tensor([[1], [0]], { dtype: 'int64' }), { dim: 1 }) // [[1], [2]]")]
    #[face(method)]
    #[check(cases)]
    fn take_along_dim(x: &Tensor, index: &Index; dim: Option<isize> = None) -> Tensor {
        let Some(dim) = dim else {
            return gather(&reshape(x, &[x.size() as isize])?, 0, &reshape(index, &[index.size() as isize])?);
        };
        let at = axis_of(x.shape(), dim)?;
        if x.rank() != index.rank() {
            bail!(Shape, "an index of shape {} does not fit {}: ranks must agree", show(index.shape()), show(x.shape()));
        }
        let (mut left, mut right) = (x.shape().to_vec(), index.shape().to_vec());
        (left[at], right[at]) = (1, 1);
        let mut to = crate::shape::broadcast(&left, &right)?.to_vec();
        to[at] = x.shape()[at];
        let x = expand(x, &signed(&to))?;
        to[at] = index.shape()[at];
        gather(&x, at as isize, &expand(index, &signed(&to))?)
    }

    /// `x` with `source` at one place of `dim`; a negative `index` counts from the end.
    #[example("zeros([2, 2]).selectScatter(tensor([1, 2]), 0, -1) // [[0, 0], [1, 2]]")]
    #[face(method)]
    #[check(cases)]
    fn select_scatter(x: &Tensor, source: &Tensor, dim: isize, index: isize) -> Tensor {
        let at = axis_of(x.shape(), dim)?;
        let mut expected = x.shape().to_vec();
        expected.remove(at);
        like(x, source, &expected)?;
        index_copy(x, at as isize, &list(vec![place(x.shape(), at, index)? as i64]), &unsqueeze(source, at as isize)?)
    }

    /// `x` with `source` in the part from `start` to `end` (the whole by default) along `dim`, every `step` entries; bounds may count from the end.
    #[example("zeros([4]).sliceScatter(tensor([1, 2]), { start: 1, end: 3 }) // [0, 1, 2, 0]")]
    #[face(method)]
    #[check(cases)]
    fn slice_scatter(x: &Tensor, source: &Tensor; dim: isize = 0, start: Option<isize> = None, end: Option<isize> = None, step: usize = 1) -> Tensor {
        let at = axis_of(x.shape(), dim)?;
        let size = x.shape()[at] as isize;
        if step == 0 {
            bail!(Argument, "a slice needs a step of 1 or more and got 0");
        }
        let bound = |at: isize| if at < 0 { at + size } else { at }.clamp(0, size);
        let to: Vec<i64> = (bound(start.unwrap_or(0))..bound(end.unwrap_or(size))).step_by(step).map(|at| at as i64).collect();
        let mut expected = x.shape().to_vec();
        expected[at] = to.len();
        like(x, source, &expected)?;
        index_copy(x, at as isize, &list(to), source)
    }

    /// The places of the elements that are not zero, one a row, in row-major order: `[count, rank]`.
    #[example("tensor([[0, 2], [3, 0]]).nonzero() // [[0, 1], [1, 0]]")]
    #[face(method)]
    #[check(cases)]
    fn nonzero(x: &Tensor) -> Index {
        let rank = x.rank();
        if rank == 0 {
            return zeros(&[places(x).len(), 0], DType::Int64);
        }
        let hits = Tensor::new(x.value_as(DType::Bool), DType::Bool);
        let out = crate::cpu::bytes(&hits, |hits| nonzero_places(hits, x.shape()));
        let rows = out.len() / rank;
        Ok(from_vec(out, [rows, rank].into(), DType::Int64))
    }

    /// Like `nonzero`.
    #[example("tensor([0, 1, 1]).argwhere() // [[1], [2]]")]
    #[face(method)]
    #[check(cases)]
    fn argwhere(x: &Tensor) -> Index { nonzero(x) }
}

/// Flat positions of the elements that are not zero.
pub(crate) fn places(x: &Tensor) -> Vec<usize> {
    let hits = Tensor::new(x.value_as(DType::Bool), DType::Bool);
    crate::cpu::bytes(&hits, |hits| hits.iter().enumerate().filter(|(_, hit)| **hit != 0).map(|(i, _)| i).collect())
}

//! Indexing by tensors of positions.

use burn_backend::ops::{FloatTensorOps, IntTensorOps};
use burn_dispatch::Dispatch;
use burn_std::{IndexingUpdateOp, Shape};

use super::arrange::list;
use super::compare::{as_mask, eq};
use super::select::index_fill;
use super::shaping::{reshape, signed, unsqueeze};
use super::{Index, Mask, ops};
use crate::cpu::with_slice;
use crate::create::{arange, room, zeros};
use crate::dtype::{DType, Kind};
use crate::error::{Result, bail};
use crate::shape::{axis_of, show};
use crate::tensor::{Tensor, Value};

/// The positions as int64, each checked to lie in `0..size`.
pub(crate) fn positions(index: &Index, size: usize) -> Result<Value> {
    numbered(index, size, "position", "entries")
}

/// Whole numbers as int64, each checked to lie in `0..size`; the words are for the message.
pub(crate) fn numbered(index: &Index, size: usize, one: &str, all: &str) -> Result<Value> {
    if index.dtype().kind() != Kind::Int {
        bail!(Dtype, "a {one} must be an integer and is {}; convert with .to('int64')", index.dtype().name());
    }
    let value = index.value_as(DType::Int64);
    match with_slice(&value, |at: &[i64]| at.iter().copied().find(|&i| i < 0 || i as usize >= size)) {
        Some(outside) => bail!(Argument, "{one} {outside} is out of range for {size} {all}; expected 0 to {}", size as isize - 1),
        None => Ok(value),
    }
}

pub(crate) fn line<'a>(index: &'a Index, what: &str) -> Result<&'a Index> {
    if index.rank() != 1 {
        bail!(Shape, "{what} must be a list (rank 1) and has shape {}", show(index.shape()));
    }
    Ok(index)
}

/// Checks `gather`'s rule: same rank, and no larger than `x` outside `dim`.
pub(crate) fn fits(x: &[usize], index: &[usize], at: usize) -> Result<()> {
    let inside = |(d, (i, n)): (usize, (&usize, &usize))| d == at || i <= n;
    if x.len() != index.len() || !index.iter().zip(x).enumerate().all(inside) {
        bail!(
            Shape,
            "an index of shape {} does not fit {}: ranks must agree, and sizes outside dim {at} may not be larger",
            show(index),
            show(x)
        );
    }
    Ok(())
}

/// The leading part of `x` that an index of shape `to` can reach outside `at`.
pub(crate) fn reachable(x: &Tensor, to: &[usize], at: usize) -> Result<Tensor> {
    let mut out = x.clone();
    for (dim, &size) in to.iter().enumerate() {
        if dim != at && out.shape()[dim] != size {
            out = super::shaping::narrow(&out, dim as isize, 0, size)?;
        }
    }
    Ok(out)
}

/// The row that `padding_idx` names among `entries`, from the end if negative.
pub(crate) fn padding_row(padding_idx: Option<isize>, entries: usize) -> Result<Option<i64>> {
    let Some(row) = padding_idx else { return Ok(None) };
    let entries = entries as isize;
    if row < -entries || row >= entries {
        bail!(Argument, "paddingIdx {row} is out of range for {entries} rows; expected {} to {}", -entries, entries - 1);
    }
    Ok(Some(row.rem_euclid(entries) as i64))
}

/// Booleans as uint8: the engine picks among booleans and leaves bytes, which it then takes for numbers.
fn bytes(x: &Tensor) -> Tensor {
    Tensor::new(x.value_as(DType::UInt8), DType::UInt8)
}

ops! {
    /// The entries of `x` at the positions of `index`, a list, along `dim`.
    #[example("tensor([[1, 2], [3, 4]]).indexSelect(0, tensor([1, 1, 0], { dtype: 'int64' })) // [[3, 4], [3, 4], [1, 2]]")]
    #[face(method)]
    #[check(cases)]
    fn index_select(x: &Tensor, dim: isize, index: &Index) -> Tensor {
        if x.dtype() == DType::Bool {
            return Ok(as_mask(&index_select(&bytes(x), dim, index)?));
        }
        let at = axis_of(x.shape(), dim)?;
        let index = positions(line(index, "the index")?, x.shape()[at])?;
        Ok(x.kind_map(|v| Dispatch::float_select(v, at, index.clone()), |v| Dispatch::int_select(v, at, index.clone()), |v| v))
    }
    grad(g; dim, index, shape = Shape::from(x.shape())) { x: index_add(&zeros(shape, g.dtype())?, dim, index, g)? }

    /// `x` with the entries of `source` added at the positions of `index`, a list, along `dim`; repeats add up.
    #[example("const at = tensor([0, 0, 2], { dtype: 'int64' })", "zeros([3]).indexAdd(0, at, tensor([1, 2, 3])) // [3, 0, 3]")]
    #[face(method)]
    #[check(cases)]
    fn index_add(x: &Tensor, dim: isize, index: &Index, source: &Tensor) -> Tensor {
        let at = axis_of(x.shape(), dim)?;
        let mut expected = x.shape().to_vec();
        expected[at] = line(index, "the index")?.size();
        let index = positions(index, x.shape()[at])?;
        if source.shape() != expected || source.dtype() != x.dtype() {
            bail!(Shape, "source is {} {}, expected {} {}: as x, with an entry a position", source.dtype().name(), show(source.shape()), x.dtype().name(), show(&expected));
        }
        let (out, dtype) = match x.dtype().kind() {
            Kind::Float => (Dispatch::float_select_assign(x.value(), at, index, source.value(), IndexingUpdateOp::Add), x.dtype()),
            Kind::Int => (Dispatch::int_select_assign(x.value(), at, index, source.value(), IndexingUpdateOp::Add), x.dtype()),
            Kind::Bool => bail!(Dtype, "booleans do not add; convert to integers first"),
        };
        Ok(Tensor::new(out, dtype))
    }
    grad(g; dim, index) { x: g.clone(), source: index_select(g, dim, index)? }

    /// For each position of `index`, the element of `x` at that place along `dim`: `out[i][j] = x[index[i][j]][j]` for dim 0.
    #[example("const best = tensor([[1], [0]], { dtype: 'int64' })", "tensor([[1, 2], [3, 4]]).gather(1, best) // [[2], [3]]")]
    #[face(method)]
    #[check(cases)]
    fn gather(x: &Tensor, dim: isize, index: &Index) -> Tensor {
        if x.dtype() == DType::Bool {
            return Ok(as_mask(&gather(&bytes(x), dim, index)?));
        }
        let at = axis_of(x.shape(), dim)?;
        fits(x.shape(), index.shape(), at)?;
        let index_value = positions(index, x.shape()[at])?;
        let x = reachable(x, index.shape(), at)?;
        Ok(x.kind_map(|v| Dispatch::float_gather(at, v, index_value.clone()), |v| Dispatch::int_gather(at, v, index_value.clone()), |v| v))
    }
    grad(g; dim, index, shape = Shape::from(x.shape())) { x: scatter_add(&zeros(shape, g.dtype())?, dim, index, g)? }

    /// `x` with each element of `source` added where `index` points along `dim`; the reverse of `gather`.
    #[example(
        "const at = tensor([[1], [0]], { dtype: 'int64' })",
        "zeros([2, 2]).scatterAdd(1, at, tensor([[5], [6]])) // [[0, 5], [6, 0]]",
    )]
    #[face(method)]
    #[check(cases)]
    #[autocast(widest)]
    fn scatter_add(x: &Tensor, dim: isize, index: &Index, source: &Tensor) -> Tensor {
        let at = axis_of(x.shape(), dim)?;
        fits(x.shape(), index.shape(), at)?;
        if source.shape() != index.shape() || source.dtype() != x.dtype() {
            bail!(
                Shape,
                "source is {} {} and must be {} with the index's shape {}",
                source.dtype().name(),
                show(source.shape()),
                x.dtype().name(),
                show(index.shape())
            );
        }
        let at_value = positions(index, x.shape()[at])?;
        // The engine scatters into equal sizes; what an index cannot reach is put back around.
        let part = reachable(x, index.shape(), at)?;
        let out = match x.dtype().kind() {
            Kind::Float => Dispatch::float_scatter(at, part.value(), at_value, source.value(), IndexingUpdateOp::Add),
            Kind::Int => Dispatch::int_scatter(at, part.value(), at_value, source.value(), IndexingUpdateOp::Add),
            Kind::Bool => bail!(Dtype, "booleans do not add; convert to integers first"),
        };
        let out = Tensor::new(out, x.dtype());
        if part.shape() == x.shape() {
            return Ok(out);
        }
        let ranges: Vec<burn_std::Slice> = out.shape().iter().map(|&n| burn_std::Slice::new(0, Some(n as isize), 1)).collect();
        Ok(x.kind_map(
            |v| Dispatch::float_slice_assign(v, &ranges, out.value()),
            |v| Dispatch::int_slice_assign(v, &ranges, out.value()),
            |v| v,
        ))
    }
    grad(g; dim, index) { x: g.clone(), source: gather(g, dim, index)? }

    /// Rows of a table of vectors: `[..., d]` for positions `[...]` into a weight `[n, d]`; no gradient reaches the row `paddingIdx`.
    #[example(
        "const table = tensor([[0, 0], [1, 2], [3, 4]])",
        "F.embedding(tensor([2, 1], { dtype: 'int64' }), table) // [[3, 4], [1, 2]]",
    )]
    #[face(functional)]
    #[check(cases)]
    fn embedding(index: &Index, weight: &Tensor; padding_idx: Option<isize> = None) -> Tensor {
        if weight.rank() != 2 {
            bail!(Shape, "the weight must be [entries, size] and is {}", show(weight.shape()));
        }
        let mut shape = signed(index.shape());
        shape.push(weight.shape()[1] as isize);
        padding_row(padding_idx, weight.shape()[0])?;
        reshape(&index_select(weight, 0, &reshape(index, &[-1])?)?, &shape)
    }
    grad(g; index, padding_idx, shape = Shape::from(weight.shape())) {
        weight: {
            let rows = reshape(g, &[index.size() as isize, shape[1] as isize])?;
            let out = index_add(&zeros(shape, g.dtype())?, 0, &reshape(index, &[-1])?, &rows)?;
            match padding_row(padding_idx, shape[0])? {
                Some(row) => index_fill(&out, 0, &list(vec![row]), &0.0.into())?,
                None => out,
            }
        }
    }

    /// Classes as vectors of zeros with a single one: `[..., classes]`, int64.
    #[example("tensor([2, 0], { dtype: 'int64' }).oneHot(3) // [[0, 0, 1], [1, 0, 0]]")]
    #[face(method)]
    #[check(cases)]
    fn one_hot(x: &Index, classes: usize) -> Index {
        room(&[x.shape(), &[classes]].concat(), DType::Int64)?;
        positions(x, classes)?;
        let range = arange(0.0, classes as f64, 1.0, DType::Int64)?;
        let hits: Mask = eq(&unsqueeze(x, -1)?.into(), &range.into())?;
        Ok(Tensor::new(hits.value_as(DType::Int64), DType::Int64))
    }
}

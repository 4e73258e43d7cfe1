//! Indexing by tensors of positions.

use burn_std::Shape;
use firn_kernels::scatter::{Meeting, add_entries};

use super::arrange::list;
use super::compare::eq;
use super::scatter::{How, write};
use super::select::{index_fill, narrowed, wide, widened};
use super::shaping::{reshape, signed, unsqueeze};
use super::{Index, Mask, ops};
use crate::cpu::{slice_mut, with_slice};
use crate::create::{arange, room, zeros};
use crate::dtype::{DType, Kind};
use crate::error::{Result, bail};
use crate::folds::around;
use crate::moves;
use crate::shape::{axis_of, show};
use crate::tensor::{Tensor, Value};

/// The positions as int64, each checked to lie in `0..size`.
pub(crate) fn positions(index: &Index, size: usize) -> Result<Value> {
    numbered(index, size, "position", "entries")
}

/// The positions as int64, for kernels that check them on the way.
pub(crate) fn whole(index: &Index) -> Result<Value> {
    integers(index, "position")
}

fn integers(index: &Index, one: &str) -> Result<Value> {
    if index.dtype().kind() != Kind::Int {
        bail!(Dtype, "a {one} must be an integer and is {}; convert with .to('int64')", index.dtype().name());
    }
    Ok(index.value_as(DType::Int64))
}

/// Whole numbers as int64, each checked to lie in `0..size`; the words are for the message.
pub(crate) fn numbered(index: &Index, size: usize, one: &str, all: &str) -> Result<Value> {
    let value = integers(index, one)?;
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

/// The error that an index holds a position outside of `0..size`.
pub(crate) fn outside<T>(index: &Index, size: usize) -> Result<T> {
    positions(index, size)?;
    bail!(Internal, "a kernel refused an index whose positions all lie in 0..{size}")
}

ops! {
    /// The entries of `x` at the positions of `index`, a list, along `dim`.
    #[example("tensor([[1, 2], [3, 4]]).indexSelect(0, tensor([1, 1, 0], { dtype: 'int64' })) // [[3, 4], [3, 4], [1, 2]]")]
    #[face(method)]
    #[check(cases)]
    fn index_select(x: &Tensor, dim: isize, index: &Index) -> Tensor {
        let at = axis_of(x.shape(), dim)?;
        match moves::select(x, at, &whole(line(index, "the index")?)?) {
            Some(out) => Ok(out),
            None => outside(index, x.shape()[at]),
        }
    }
    grad(g; dim, index, shape = Shape::from(x.shape())) { x: index_add(&zeros(shape, g.dtype())?, dim, index, g)? }

    /// `indexSelect` along the last two dimensions at once.
    #[face()]
    #[check(none, "checked as pad")]
    fn select_both(x: &Tensor, lines: &Index, columns: &Index) -> Tensor {
        match moves::select_both(x, &whole(lines)?, &whole(columns)?) {
            Some(out) => Ok(out),
            None => outside(lines, x.shape()[x.rank() - 2]),
        }
    }
    grad(g; lines, columns, shape = Shape::from(x.shape())) {
        x: {
            let mut wide = shape.to_vec();
            let rank = wide.len();
            wide[rank - 1] = columns.size();
            let wide = index_add(&zeros(&wide, g.dtype())?, -2, lines, g)?;
            index_add(&zeros(shape, g.dtype())?, -1, columns, &wide)?
        }
    }

    /// `x` with the entries of `source` added at the positions of `index`, a list, along `dim`; repeats add up.
    #[example("const at = tensor([0, 0, 2], { dtype: 'int64' })", "zeros([3]).indexAdd(0, at, tensor([1, 2, 3])) // [3, 0, 3]")]
    #[face(method)]
    #[check(cases)]
    fn index_add(x: &Tensor, dim: isize, index: &Index, source: &Tensor) -> Tensor {
        let at = axis_of(x.shape(), dim)?;
        let mut expected = x.shape().to_vec();
        expected[at] = line(index, "the index")?.size();
        let to = positions(index, x.shape()[at])?;
        if source.shape() != expected || source.dtype() != x.dtype() {
            bail!(Shape, "source is {} {}, expected {} {}: as x, with an entry a position", source.dtype().name(), show(source.shape()), x.dtype().name(), show(&expected));
        }
        if x.dtype() == DType::Bool {
            bail!(Dtype, "booleans do not add; convert to integers first");
        }
        let [_, n, inner] = around(x.shape(), at);
        let (mut out, source) = (widened(x), widened(source));
        with_slice(&to, |to: &[i64]| match wide(x.dtype()) {
            DType::Float64 => with_slice(&source, |source: &[f64]| add_entries(slice_mut(&mut out), source, to, n, inner)),
            DType::Float32 => with_slice(&source, |source: &[f32]| add_entries(slice_mut(&mut out), source, to, n, inner)),
            _ => with_slice(&source, |source: &[i64]| add_entries(slice_mut(&mut out), source, to, n, inner)),
        });
        Ok(narrowed(out, x.dtype()))
    }
    grad(g; dim, index) { x: g.clone(), source: index_select(g, dim, index)? }

    /// For each position of `index`, the element of `x` at that place along `dim`: `out[i][j] = x[index[i][j]][j]` for dim 0.
    #[example("const best = tensor([[1], [0]], { dtype: 'int64' })", "tensor([[1, 2], [3, 4]]).gather(1, best) // [[2], [3]]")]
    #[face(method)]
    #[check(cases)]
    fn gather(x: &Tensor, dim: isize, index: &Index) -> Tensor {
        let at = axis_of(x.shape(), dim)?;
        fits(x.shape(), index.shape(), at)?;
        match moves::gather(&reachable(x, index.shape(), at)?, at, &whole(index)?, index.shape()) {
            Some(out) => Ok(out),
            None => outside(index, x.shape()[at]),
        }
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
        if x.dtype() == DType::Bool {
            bail!(Dtype, "booleans do not add; convert to integers first");
        }
        write(x, dim, index, source, How { meeting: Some(Meeting::Sum), fresh: false })
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

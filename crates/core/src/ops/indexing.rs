//! Indexing by tensors in several dimensions at once, with broadcasting and masks: NumPy's advanced indexing.

use firn_kernels::pick::descend;

use super::arrange::list;
use super::index::{index_add, index_select};
use super::select::{index_copy, places, wrapped};
use super::shaping::{expand, permute, reshape, signed};
use super::{Index, Operand, ops};
use crate::cpu::with_slice;
use crate::dtype::{DType, Kind};
use crate::error::{Result, bail};
use crate::shape::{broadcast, show};
use crate::tensor::Tensor;

/// Where the indices point: rows of the matrix that `x` is with its indexed dimensions in front.
struct Plan {
    /// The indexed dimensions, then the others.
    order: Vec<isize>,
    /// Sizes in that order.
    sizes: Vec<usize>,
    /// How many of them are indexed.
    indexed: usize,
    rows: Index,
    /// What the indices broadcast to.
    shape: Vec<usize>,
    /// Where the dimensions of `shape` stand in the result: at the indexed ones if those are neighbours, else in front.
    at: usize,
}

/// An index for each dimension that it reads: a mask becomes one list for each of its own.
fn lists(x: &Tensor, indices: &[Tensor], dims: &[isize]) -> Result<Vec<(usize, Index)>> {
    let mut out: Vec<(usize, Index)> = Vec::new();
    for (index, &dim) in indices.iter().zip(dims) {
        let dim = crate::shape::axis_of(x.shape(), dim)?;
        if out.last().is_some_and(|(before, _)| *before >= dim) {
            bail!(Argument, "dim {dim} of {} is indexed twice", show(x.shape()));
        }
        if index.dtype() != DType::Bool {
            out.push((dim, index.clone()));
            continue;
        }
        let masked = x.shape().get(dim..dim + index.rank()).unwrap_or(&[]);
        if index.rank() == 0 || masked != index.shape() {
            bail!(Shape, "a mask {} at dim {dim} does not fit {}; their sizes must be equal", show(index.shape()), show(x.shape()));
        }
        let hits = places(index);
        let mut step = index.size();
        for (i, &size) in index.shape().iter().enumerate() {
            step /= size.max(1);
            out.push((dim + i, list(hits.iter().map(|&flat| (flat / step % size) as i64).collect())));
        }
    }
    Ok(out)
}

fn plan(x: &Tensor, indices: &[Tensor], dims: &[isize]) -> Result<Plan> {
    if indices.is_empty() || indices.len() != dims.len() {
        bail!(Argument, "{} indices for {} dims", indices.len(), dims.len());
    }
    let lists = lists(x, indices, dims)?;
    let mut shape = burn_std::Shape::new([]);
    for (_, index) in &lists {
        shape = broadcast(&shape, index.shape())?;
    }
    let mut rows = vec![0; shape.num_elements()];
    for (dim, index) in &lists {
        let size = x.shape()[*dim];
        let index = Tensor::new(index.value(), index.dtype());
        let wide = expand(&index, &signed(&shape))?;
        let inside = index.dtype().kind() == Kind::Int && with_slice(&wide.value_as(DType::Int64), |to| descend(&mut rows, to, size));
        if !inside {
            wrapped(&wide, size, &format!("dim {dim} of {}", show(x.shape())))?;
        }
    }
    let indexed: Vec<usize> = lists.iter().map(|(dim, _)| *dim).collect();
    let neighbours = indexed.windows(2).all(|pair| pair[0] + 1 == pair[1]);
    let rest = (0..x.rank()).filter(|dim| !indexed.contains(dim));
    let order: Vec<usize> = indexed.iter().copied().chain(rest).collect();
    Ok(Plan {
        sizes: order.iter().map(|&dim| x.shape()[dim]).collect(),
        order: signed(&order),
        indexed: indexed.len(),
        rows: list(rows),
        shape: shape.to_vec(),
        at: if neighbours { indexed[0] } else { 0 },
    })
}

impl Plan {
    fn rest(&self) -> &[usize] {
        &self.sizes[self.indexed..]
    }

    /// `x` as a matrix of rows.
    fn matrix(&self, x: &Tensor) -> Result<Tensor> {
        let [rows, width] = [&self.sizes[..self.indexed], self.rest()].map(|sizes| sizes.iter().product::<usize>() as isize);
        reshape(&permuted(x, &self.order)?, &[rows, width])
    }

    /// The order that brings the dimensions of the index from the front to their place.
    fn placed(&self) -> Vec<isize> {
        let (index, rest) = (self.shape.len(), self.rest().len());
        let before = (index..index + self.at).map(|dim| dim as isize);
        let after = (index + self.at..index + rest).map(|dim| dim as isize);
        before.chain(0..index as isize).chain(after).collect()
    }
}

fn permuted(x: &Tensor, order: &[isize]) -> Result<Tensor> {
    if order.iter().enumerate().all(|(i, &dim)| i as isize == dim) { Ok(x.clone()) } else { permute(x, order) }
}

fn inverse(order: &[isize]) -> Vec<isize> {
    let mut out = vec![0; order.len()];
    for (to, &from) in order.iter().enumerate() {
        out[from as usize] = to as isize;
    }
    out
}

ops! {
    /// The elements at the places of `indices`, whose first dimensions are `dims`, ascending.
    #[face(native)]
    #[check(none, "its face is Tensor.index, tested there")]
    fn index_at(x: &Tensor, indices: &[Tensor], dims: &[isize]) -> Tensor {
        let plan = plan(x, indices, dims)?;
        let picked = index_select(&plan.matrix(x)?, 0, &plan.rows)?;
        let mut to = signed(&plan.shape);
        to.extend(signed(plan.rest()));
        permuted(&reshape(&picked, &to)?, &plan.placed())
    }

    /// `x` with `values` at the places of `indices`, or added to what is there with `accumulate`.
    #[face(native)]
    #[check(none, "its face is Tensor.indexPut, tested there")]
    #[torch("index_put")]
    #[autocast(widest)]
    fn index_put_at(x: &Tensor, indices: &[Tensor], dims: &[isize], values: &Operand; accumulate: bool = false) -> Tensor {
        let plan = plan(x, indices, dims)?;
        let values = match values {
            Operand::Number(number) if x.dtype() == DType::Bool => crate::create::full(&[], *number, DType::Bool)?,
            values => values.tensor(x.dtype())?,
        };
        if values.dtype() != x.dtype() {
            bail!(Dtype, "values are {} and the tensor is {}; convert with .to('{}')", values.dtype().name(), x.dtype().name(), x.dtype().name());
        }
        let mut to = plan.shape.clone();
        to.extend(plan.rest());
        let placed = plan.placed();
        let shown: Vec<isize> = placed.iter().map(|&dim| to[dim as usize] as isize).collect();
        let values = permuted(&expand(&values, &shown)?, &inverse(&placed))?;
        let matrix = plan.matrix(x)?;
        let values = reshape(&values, &[plan.rows.size() as isize, matrix.shape()[1] as isize])?;
        let out = if accumulate { index_add(&matrix, 0, &plan.rows, &values)? } else { index_copy(&matrix, 0, &plan.rows, &values)? };
        permuted(&reshape(&out, &signed(&plan.sizes))?, &inverse(&plan.order))
    }
}

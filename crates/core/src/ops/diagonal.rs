//! Diagonals and triangles, and the strided views they are made of.

use burn_std::Shape;

use super::compare::{logical_and, where_};
use super::elementwise::mul;
use super::reduce::sum;
use super::shaping::{reshape, signed};
use super::{Mask, Summed, ops};
use crate::cpu::{from_vec, with_slice};
use crate::create::{room, zeros};
use crate::dtype::{DType, Kind};
use crate::error::{Result, bail};
use crate::shape::{axis_of, show};
use crate::tensor::{Tensor, cast};
use firn_kernels::strided::{Strides, add};

/// A diagonal of two dimensions of `shape`: the view's shape with the diagonal last, its strides over the row-major order, its offset.
struct Diagonal {
    shape: Vec<isize>,
    strides: Vec<isize>,
    start: isize,
}

/// Distances of neighbours in row-major order.
pub(crate) fn strides_of(shape: &[usize]) -> Vec<isize> {
    let mut out = vec![1; shape.len()];
    for i in (1..shape.len()).rev() {
        out[i - 1] = out[i] * shape[i] as isize;
    }
    out
}

fn diagonal_of(shape: &[usize], offset: isize, dim1: isize, dim2: isize) -> Result<Diagonal> {
    let (first, second) = (axis_of(shape, dim1)?, axis_of(shape, dim2)?);
    if first == second {
        bail!(Argument, "a diagonal needs two different dims of {}, got {dim1} and {dim2}", show(shape));
    }
    let strides = strides_of(shape);
    let (rows, columns) = (shape[first] as isize, shape[second] as isize);
    let length = if offset < 0 { (rows + offset).min(columns) } else { rows.min(columns - offset) }.max(0);
    let start = if length == 0 { 0 } else { (-offset).max(0) * strides[first] + offset.max(0) * strides[second] };
    let rest = |i: &usize| *i != first && *i != second;
    let mut view = Diagonal { shape: Vec::new(), strides: Vec::new(), start };
    for i in (0..shape.len()).filter(rest) {
        view.shape.push(shape[i] as isize);
        view.strides.push(strides[i]);
    }
    view.shape.push(length);
    view.strides.push(strides[first] + strides[second]);
    Ok(view)
}

/// True on one side of a diagonal of `[rows, columns]`.
fn triangle(x: &Tensor, inside: impl Fn(isize, isize) -> bool) -> Result<Tensor> {
    let &[.., rows, columns] = x.shape() else { bail!(Shape, "{} is no matrix; two dimensions are needed", show(x.shape())) };
    let hits: Vec<u8> = (0..rows * columns).map(|i| u8::from(inside((i / columns) as isize, (i % columns) as isize))).collect();
    keep(x, &from_vec(hits, [rows, columns].into(), DType::Bool))
}

/// `x` where `mask` is true, 0 elsewhere.
fn keep(x: &Tensor, mask: &Mask) -> Result<Tensor> {
    if x.dtype() == DType::Bool { logical_and(x, mask) } else { where_(mask, &x.into(), &0.0.into()) }
}

ops! {
    /// The elements at `start` plus multiples of `strides` of the row-major order, as a view; the caller keeps them inside.
    #[face()]
    #[check(none, "checked as diagonal and unfold")]
    fn strided(x: &Tensor, shape: &[isize], strides: &[isize], start: isize) -> Tensor {
        let shape: Vec<usize> = shape.iter().map(|&size| size as usize).collect();
        if shape.contains(&0) {
            return zeros(&shape, x.dtype());
        }
        Ok(Tensor::new(crate::cpu::strided(x, &shape, strides, start as usize), x.dtype()))
    }
    grad(g; from = Shape::from(x.shape()), strides, start) { x: strided_add(g, &signed(from), strides, start)? }

    /// Zeros of `shape` with the elements of `x` added where `strided` would have taken them.
    #[face()]
    #[check(none, "checked as diagEmbed and by the gradients of diagonal and unfold")]
    fn strided_add(x: &Tensor, shape: &[isize], strides: &[isize], start: isize) -> Tensor {
        let to: Vec<usize> = shape.iter().map(|&size| size as usize).collect();
        room(&to, x.dtype())?;
        if x.size() == 0 {
            return zeros(&to, x.dtype());
        }
        let places = Strides { shape: x.shape(), strides, start: start as usize };
        let total = to.iter().product();
        let out = match (x.dtype().kind(), x.dtype()) {
            (_, DType::Float64) => from_vec(with_slice(x.value_ref(), |x: &[f64]| add(x, &places, total)), to.into(), DType::Float64),
            (Kind::Float, _) => from_vec(with_slice(&x.value_as(DType::Float32), |x: &[f32]| add(x, &places, total)), to.into(), DType::Float32),
            _ => from_vec(with_slice(&x.value_as(DType::Int64), |x: &[i64]| add(x, &places, total)), to.into(), DType::Int64),
        };
        Ok(Tensor::new(cast(out.value(), out.dtype(), x.dtype()), x.dtype()))
    }
    grad(g; shape = Shape::from(x.shape()), strides, start) { x: strided(g, &signed(shape), strides, start)? }

    /// The diagonal of the plane of `dim1` and `dim2` as the last dimension, `offset` places above the main one (below if negative).
    #[example("tensor([[1, 2], [3, 4]]).diagonal() // [1, 4]", "tensor([[1, 2], [3, 4]]).diagonal({ offset: 1 }) // [2]")]
    #[face(method)]
    #[check(cases)]
    fn diagonal(x: &Tensor; offset: isize = 0, dim1: isize = 0, dim2: isize = 1) -> Tensor {
        let view = diagonal_of(x.shape(), offset, dim1, dim2)?;
        strided(x, &view.shape, &view.strides, view.start)
    }

    /// Matrices with the last dimension of `x` on their diagonal, in the plane of `dim1` and `dim2`, and zeros elsewhere.
    #[example("tensor([1, 2]).diagEmbed() // [[1, 0], [0, 2]]")]
    #[face(method)]
    #[check(cases)]
    fn diag_embed(x: &Tensor; offset: isize = 0, dim1: isize = -2, dim2: isize = -1) -> Tensor {
        let last = axis_of(x.shape(), -1)?;
        let rank = x.rank() + 1;
        let (first, second) = (crate::shape::axis(dim1, rank)?, crate::shape::axis(dim2, rank)?);
        let side = x.shape()[last] + offset.unsigned_abs();
        let mut rest = x.shape()[..last].iter().copied();
        let to: Vec<usize> = (0..rank).map(|i| if i == first || i == second { side } else { rest.next().unwrap_or(side) }).collect();
        let view = diagonal_of(&to, offset, dim1, dim2)?;
        strided_add(x, &signed(&to), &view.strides, view.start)
    }

    /// A list as the diagonal of a matrix of zeros, or the diagonal of a matrix as a list.
    #[example("tensor([1, 2]).diag() // [[1, 0], [0, 2]]", "tensor([[1, 2], [3, 4]]).diag() // [1, 4]")]
    #[face(method)]
    #[check(cases)]
    fn diag(x: &Tensor; offset: isize = 0) -> Tensor {
        match x.rank() {
            1 => diag_embed(x, offset, 0, 1),
            2 => diagonal(x, offset, 0, 1),
            _ => bail!(Shape, "{} is neither a list nor a matrix; use .diagonal() or .diagEmbed()", show(x.shape())),
        }
    }

    /// `x` with `source` in the place of the diagonal that `diagonal` would take.
    #[example("zeros([2, 2]).diagonalScatter(tensor([1, 2])) // [[1, 0], [0, 2]]")]
    #[face(method)]
    #[check(cases)]
    fn diagonal_scatter(x: &Tensor, source: &Tensor; offset: isize = 0, dim1: isize = 0, dim2: isize = 1) -> Tensor {
        let view = diagonal_of(x.shape(), offset, dim1, dim2)?;
        if signed(source.shape()) != view.shape || source.dtype() != x.dtype() {
            bail!(Shape, "source is {} {} and the diagonal is {} {:?}", source.dtype().name(), show(source.shape()), x.dtype().name(), view.shape);
        }
        let ones = crate::create::full(source.shape(), 1.0, DType::Int64)?;
        let hits = strided_add(&ones, &signed(x.shape()), &view.strides, view.start)?;
        let mask = Tensor::new(hits.value_as(DType::Bool), DType::Bool);
        let placed = strided_add(source, &signed(x.shape()), &view.strides, view.start)?;
        where_(&mask, &placed.into(), &x.into())
    }

    /// Sum of the diagonal of a matrix.
    #[example("tensor([[1, 2], [3, 4]]).trace() // 5")]
    #[face(method)]
    #[check(cases)]
    #[autocast(full)]
    fn trace(x: &Tensor) -> Summed {
        if x.rank() != 2 {
            bail!(Shape, "{} is no matrix; sum .diagonal() of a batch", show(x.shape()));
        }
        sum(&diagonal(x, 0, 0, 1)?, &[], false)
    }

    /// The part of each matrix on and below a diagonal, zeros above; `diagonal` counts up from the main one.
    #[example("tensor([[1, 2], [3, 4]]).tril() // [[1, 0], [3, 4]]")]
    #[face(method)]
    #[check(cases)]
    fn tril(x: &Tensor, diagonal: isize = 0) -> Tensor { triangle(x, |row, column| column - row <= diagonal) }

    /// The part of each matrix on and above a diagonal, zeros below; `diagonal` counts up from the main one.
    #[example("tensor([[1, 2], [3, 4]]).triu() // [[1, 2], [0, 4]]")]
    #[face(method)]
    #[check(cases)]
    fn triu(x: &Tensor, diagonal: isize = 0) -> Tensor { triangle(x, |row, column| column - row >= diagonal) }

    /// Kronecker product: a copy of `b` times each element of `a`.
    #[example("tensor([[1, 2]]).kron(tensor([[1], [10]])) // [[1, 2], [10, 20]]")]
    #[face(method)]
    #[check(cases)]
    fn kron(a: &Tensor, b: &Tensor) -> Tensor {
        let rank = a.rank().max(b.rank());
        let size = |x: &Tensor, i: usize| if i + x.rank() < rank { 1 } else { x.shape()[i + x.rank() - rank] as isize };
        let left: Vec<isize> = (0..rank).flat_map(|i| [size(a, i), 1]).collect();
        let right: Vec<isize> = (0..rank).flat_map(|i| [1, size(b, i)]).collect();
        let to: Vec<isize> = (0..rank).map(|i| size(a, i) * size(b, i)).collect();
        reshape(&mul(&reshape(a, &left)?.into(), &reshape(b, &right)?.into())?, &to)
    }
}

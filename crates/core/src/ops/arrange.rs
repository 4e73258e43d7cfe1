//! Repeating, turning and renaming dimensions.

use super::index::index_select;
use super::shaping::{cat, expand, flip, narrow, permute, reshape, signed, transpose, unsqueeze};
use super::{Index, Operand, Summed, ops};
use crate::cpu::{from_vec, with_slice};
use crate::create::room;
use crate::dtype::{DType, Kind};
use crate::error::{Result, bail};
use crate::shape::{axis, axis_of, show};
use crate::tensor::Tensor;

/// A list of positions as a tensor.
pub(crate) fn list(positions: Vec<i64>) -> Index {
    let shape = [positions.len()].into();
    from_vec(positions, shape, DType::Int64)
}

/// The whole numbers of a list, as int64.
pub(crate) fn whole_numbers(x: &Index, what: &str) -> Result<Vec<i64>> {
    if x.dtype().kind() != Kind::Int {
        bail!(Dtype, "{what} must hold integers and is {}; convert with .to('int64')", x.dtype().name());
    }
    Ok(with_slice(&x.value_as(DType::Int64), <[i64]>::to_vec))
}

fn same_count(a: &[isize], b: &[isize], what: &str) -> Result<()> {
    if a.len() != b.len() {
        bail!(Argument, "{a:?} and {b:?} differ in length; {what}");
    }
    Ok(())
}

/// How often each of `size` entries is wanted, as positions.
fn repeated(repeats: &Operand, size: usize) -> Result<Vec<i64>> {
    let counts = match repeats {
        Operand::Number(number) if *number >= 0.0 && number.fract() == 0.0 => vec![*number as i64],
        Operand::Number(number) => bail!(Argument, "repeats must be a whole number of 0 or more and is {number}"),
        Operand::Tensor(counts) if counts.rank() > 1 => {
            bail!(Shape, "repeats must be a number or a list and has shape {}", show(counts.shape()))
        }
        Operand::Tensor(counts) => whole_numbers(counts, "repeats")?,
    };
    if let Some(negative) = counts.iter().find(|&&n| n < 0) {
        bail!(Argument, "repeats must be 0 or more and hold {negative}");
    }
    if counts.len() != 1 && counts.len() != size {
        bail!(Shape, "{} repeats for {size} entries; give one for all, or one for each", counts.len());
    }
    let count = |i: usize| counts[if counts.len() == 1 { 0 } else { i }] as usize;
    room(&[(0..size).fold(0_usize, |total, i| total.saturating_add(count(i)))], DType::Int64)?;
    Ok((0..size).flat_map(|i| std::iter::repeat_n(i as i64, count(i))).collect())
}

/// `x` with leading dimensions of size 1 up to `rank`.
fn leading(x: &Tensor, rank: usize) -> Result<Tensor> {
    let mut to = vec![1; rank.saturating_sub(x.rank())];
    to.extend(signed(x.shape()));
    reshape(x, &to)
}

ops! {
    /// `x` beside itself, `repeats[i]` times along dimension `i`; more repeats than dimensions add leading ones.
    #[example("tensor([1, 2]).repeat([2, 2]) // [[1, 2, 1, 2], [1, 2, 1, 2]]")]
    #[face(method)]
    #[check(cases)]
    fn repeat(x: &Tensor, repeats: &[isize]) -> Tensor {
        if repeats.len() < x.rank() || repeats.iter().any(|&n| n < 0) {
            bail!(Argument, "{repeats:?} must hold a number of 0 or more for each of the {} dimensions of {}", x.rank(), show(x.shape()));
        }
        let x = leading(x, repeats.len())?;
        let sizes: Vec<usize> = repeats.iter().zip(x.shape()).map(|(&times, &size)| size.saturating_mul(times as usize)).collect();
        room(&sizes, x.dtype())?;
        let (mut apart, mut wide, mut to) = (Vec::new(), Vec::new(), Vec::new());
        for (&times, &size) in repeats.iter().zip(x.shape()) {
            apart.extend([1, size as isize]);
            wide.extend([times, size as isize]);
            to.push(times * size as isize);
        }
        reshape(&expand(&reshape(&x, &apart)?, &wide)?, &to)
    }

    /// Like `repeat`; fewer repeats than dimensions count from the last one.
    #[example("tensor([[1, 2], [3, 4]]).tile(2) // [[1, 2, 1, 2], [3, 4, 3, 4]]")]
    #[face(method)]
    #[check(cases)]
    fn tile(x: &Tensor, repeats: &[isize]) -> Tensor {
        let mut all = vec![1; x.rank().saturating_sub(repeats.len())];
        all.extend_from_slice(repeats);
        repeat(x, &all)
    }

    /// Each entry along `dim` several times in a row: `repeats` for all, or a list with one for each; without `dim`, of the flattened `x`.
    #[example("tensor([1, 2]).repeatInterleave(2) // [1, 1, 2, 2]", "tensor([[1], [2]]).repeatInterleave(tensor([0, 2], { dtype: 'int64' }), { dim: 0 }) // [[2], [2]]")]
    #[face(method)]
    #[check(cases)]
    fn repeat_interleave(x: &Tensor, repeats: &Operand; dim: Option<isize> = None) -> Tensor {
        let (x, dim) = match dim {
            Some(dim) => (x.clone(), dim),
            None => (reshape(x, &[x.size() as isize])?, 0),
        };
        let at = axis_of(x.shape(), dim)?;
        index_select(&x, at as isize, &list(repeated(repeats, x.shape()[at])?))
    }

    /// Moves the entries along `dims` by `shifts`, the last ones to the front; without `dims`, of the flattened `x`.
    #[example("tensor([1, 2, 3]).roll(1) // [3, 1, 2]", "tensor([[1, 2], [3, 4]]).roll(-1, 0) // [[3, 4], [1, 2]]")]
    #[face(method)]
    #[check(cases)]
    fn roll(x: &Tensor, shifts: &[isize], dims: &[isize] = []) -> Tensor {
        if dims.is_empty() {
            if shifts.len() != 1 {
                bail!(Argument, "{} shifts without dims; the flattened tensor takes one", shifts.len());
            }
            return reshape(&roll(&reshape(x, &[x.size() as isize])?, shifts, &[0])?, &signed(x.shape()));
        }
        same_count(shifts, dims, "each dim takes one shift")?;
        let mut out = x.clone();
        for (&shift, &dim) in shifts.iter().zip(dims) {
            let at = axis_of(x.shape(), dim)?;
            let size = x.shape()[at];
            let cut = if size == 0 { 0 } else { size - shift.rem_euclid(size as isize) as usize };
            if cut != size && size > 0 {
                let dim = at as isize;
                out = cat(&[narrow(&out, dim, cut, size - cut)?, narrow(&out, dim, 0, cut)?], dim)?;
            }
        }
        Ok(out)
    }

    /// Turns the plane of two dimensions by `k` right angles, from the first towards the second.
    #[example("tensor([[1, 2], [3, 4]]).rot90() // [[2, 4], [1, 3]]")]
    #[face(method)]
    #[check(cases)]
    fn rot90(x: &Tensor, k: isize = 1, dims: &[isize] = [0, 1]) -> Tensor {
        let &[from, to] = dims else { bail!(Argument, "a plane has two dims, got {dims:?}") };
        let (from, to) = (axis_of(x.shape(), from)? as isize, axis_of(x.shape(), to)? as isize);
        if from == to {
            bail!(Argument, "a plane has two different dims, got {dims:?} for {}", show(x.shape()));
        }
        match k.rem_euclid(4) {
            0 => Ok(x.clone()),
            1 => transpose(&flip(x, &[to])?, from, to),
            2 => flip(x, &[from, to]),
            _ => transpose(&flip(x, &[from])?, from, to),
        }
    }

    /// Reverses the order of the columns, dimension 1.
    #[example("tensor([[1, 2], [3, 4]]).fliplr() // [[2, 1], [4, 3]]")]
    #[face(method)]
    #[check(cases)]
    fn fliplr(x: &Tensor) -> Tensor {
        if x.rank() < 2 {
            bail!(Shape, "{} has no columns; two dimensions are needed", show(x.shape()));
        }
        flip(x, &[1])
    }

    /// Reverses the order of the rows, dimension 0.
    #[example("tensor([[1, 2], [3, 4]]).flipud() // [[3, 4], [1, 2]]")]
    #[face(method)]
    #[check(cases)]
    fn flipud(x: &Tensor) -> Tensor {
        axis_of(x.shape(), 0)?;
        flip(x, &[0])
    }

    /// Moves the dimensions of `source` to the places of `destination`; the others keep their order.
    #[example("zeros([2, 3, 4]).movedim(0, -1) // shape [3, 4, 2]")]
    #[face(method)]
    #[check(cases)]
    fn movedim(x: &Tensor, source: &[isize], destination: &[isize]) -> Tensor {
        same_count(source, destination, "each dim moves to one place")?;
        let places = |dims: &[isize]| -> Result<Vec<usize>> {
            crate::shape::axes(dims, x.rank())?;
            dims.iter().map(|&dim| axis(dim, x.rank())).collect()
        };
        if x.rank() == 0 || source.is_empty() {
            return Ok(x.clone());
        }
        let (from, to) = (places(source)?, places(destination)?);
        let mut rest = (0..x.rank()).filter(|dim| !from.contains(dim));
        let order: Vec<isize> = (0..x.rank())
            .filter_map(|place| match to.iter().position(|&dim| dim == place) {
                Some(i) => Some(from[i] as isize),
                None => rest.next().map(|dim| dim as isize),
            })
            .collect();
        permute(x, &order)
    }

    /// Transposes a matrix; a list or a number stays as it is.
    #[example("tensor([[1, 2], [3, 4]]).t() // [[1, 3], [2, 4]]")]
    #[face(method)]
    #[check(cases)]
    fn t(x: &Tensor) -> Tensor {
        match x.rank() {
            0 | 1 => Ok(x.clone()),
            2 => transpose(x, 0, 1),
            rank => bail!(Shape, "{} has {rank} dimensions and a matrix has 2; use .transpose(-1, -2) for a batch", show(x.shape())),
        }
    }

    /// Splits `dim` into `sizes`, of which one may be -1.
    #[example("zeros([2, 6]).unflatten(1, [2, -1]) // shape [2, 2, 3]")]
    #[face(method)]
    #[check(cases)]
    fn unflatten(x: &Tensor, dim: isize, sizes: &[isize]) -> Tensor {
        let at = axis_of(x.shape(), dim)?;
        if sizes.is_empty() {
            bail!(Argument, "sizes must not be empty");
        }
        let inner = crate::shape::reshaped(&x.shape()[at..=at], sizes)?;
        let mut to = signed(&x.shape()[..at]);
        to.extend(signed(&inner));
        to.extend(signed(&x.shape()[at + 1..]));
        reshape(x, &to)
    }

    /// The elements in one dimension, in row-major order.
    #[example("tensor([[1, 2], [3, 4]]).ravel() // [1, 2, 3, 4]")]
    #[face(method)]
    #[check(cases)]
    fn ravel(x: &Tensor) -> Tensor { reshape(x, &[x.size() as isize]) }

    /// Like `reshape`: values never alias, so a view and a copy are the same to their users.
    #[example("arange(0, 4).view([2, 2]) // [[0, 1], [2, 3]]")]
    #[face(method)]
    #[check(cases)]
    #[torch("Tensor.view")]
    fn view(x: &Tensor, shape: &[isize]) -> Tensor { reshape(x, shape) }

    /// The same elements in the shape of `other`.
    #[example("zeros([6]).reshapeAs(zeros([2, 3])) // shape [2, 3]")]
    #[face(method)]
    #[check(cases)]
    fn reshape_as(x: &Tensor, other: &Tensor) -> Tensor { reshape(x, &signed(other.shape())) }

    /// Like `reshapeAs`.
    #[example("zeros([6]).viewAs(zeros([2, 3])) // shape [2, 3]")]
    #[face(method)]
    #[check(cases)]
    fn view_as(x: &Tensor, other: &Tensor) -> Tensor { reshape(x, &signed(other.shape())) }

    /// Repeats dimensions of size 1 up to the shape of `other`, without a copy.
    #[example("ones([2, 1]).expandAs(zeros([2, 3])) // [[1, 1, 1], [1, 1, 1]]")]
    #[face(method)]
    #[check(cases)]
    fn expand_as(x: &Tensor, other: &Tensor) -> Tensor { expand(x, &signed(other.shape())) }

    /// Like `expand`.
    #[example("tensor([1, 2]).broadcastTo([2, 2]) // [[1, 2], [1, 2]]")]
    #[face(method)]
    #[check(cases)]
    fn broadcast_to(x: &Tensor, shape: &[isize]) -> Tensor { expand(x, shape) }

    /// `x` with at least one dimension: a number becomes a list.
    #[example("tensor(3).atLeast1d() // [3]")]
    #[face(method)]
    #[check(cases)]
    #[torch("atleast_1d")]
    fn at_least_1d(x: &Tensor) -> Tensor { leading(x, x.rank().max(1)) }

    /// `x` with at least two dimensions: a list becomes a row.
    #[example("tensor([1, 2]).atLeast2d() // [[1, 2]]")]
    #[face(method)]
    #[check(cases)]
    #[torch("atleast_2d")]
    fn at_least_2d(x: &Tensor) -> Tensor { leading(x, x.rank().max(2)) }

    /// `x` with at least three dimensions: a matrix gets a last one, a list `[n]` becomes `[1, n, 1]`.
    #[example("zeros([2, 3]).atLeast3d() // shape [2, 3, 1]")]
    #[face(method)]
    #[check(cases)]
    #[torch("atleast_3d")]
    fn at_least_3d(x: &Tensor) -> Tensor {
        if x.rank() > 2 { Ok(x.clone()) } else { unsqueeze(&leading(x, 2)?, 2) }
    }

    /// Powers of each element of a list as columns: `x^(n - 1)` to `x^0`, or the other way with `increasing`; `n` is the length by default.
    /// Whole numbers and booleans give int64.
    #[example("tensor([1, 2, 3]).vander() // [[1, 1, 1], [4, 2, 1], [9, 3, 1]]")]
    #[face(method)]
    #[check(cases)]
    fn vander(x: &Tensor; n: Option<usize> = None, increasing: bool = false) -> Summed {
        if x.rank() != 1 {
            bail!(Shape, "a list (rank 1) is needed and the tensor has shape {}", show(x.shape()));
        }
        let x = &if x.dtype().is_float() { x.clone() } else { Tensor::new(x.value_as(DType::Int64), DType::Int64) };
        let n = n.unwrap_or(x.size());
        let mut columns = Vec::with_capacity(n);
        let mut power = crate::create::full(x.shape(), 1.0, x.dtype())?;
        for i in 0..n {
            columns.push(power.clone());
            if i + 1 < n {
                power = if i == 0 { x.clone() } else { power * x };
            }
        }
        if !increasing {
            columns.reverse();
        }
        if columns.is_empty() { crate::create::zeros(&[x.size(), 0], x.dtype()) } else { super::shaping::stack(&columns, 1) }
    }
}

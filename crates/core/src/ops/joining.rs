//! Taking tensors apart and putting them together.

use super::arrange::{at_least_1d, at_least_2d, at_least_3d, list};
use super::choice::Indexing;
use super::index::index_select;
use super::padding::constant;
use super::shaping::{cat, expand, narrow, reshape, signed, squeeze, stack, transpose};
use super::{Many, ops};
use crate::error::{Result, bail};
use crate::shape::{axis_of, broadcast, show};
use crate::tensor::Tensor;

/// How a dimension is cut: by one number or by a list.
#[derive(Debug, Clone)]
pub enum Parts {
    Number(isize),
    List(Vec<isize>),
}

impl Parts {
    pub fn new(list: Vec<isize>, is_number: bool) -> Self {
        match list[..] {
            [number] if is_number => Parts::Number(number),
            _ => Parts::List(list),
        }
    }
}

/// The parts of those sizes along `at`, one after the other.
fn cut(x: &Tensor, at: usize, sizes: &[usize]) -> Result<Many> {
    let mut start = 0;
    let mut out = Vec::with_capacity(sizes.len());
    for &size in sizes {
        out.push(narrow(x, at as isize, start, size)?);
        start += size;
    }
    Ok(out)
}

/// `tensor_split` along a dimension that must divide evenly where the number of parts is given.
fn evenly(x: &Tensor, sections: &Parts, at: usize) -> Result<Many> {
    if let Parts::Number(n) = sections
        && (*n < 1 || !x.shape()[at].is_multiple_of(*n as usize))
    {
        bail!(Shape, "dim {at} of {} does not divide into {n} equal parts; use tensorSplit for unequal ones", show(x.shape()));
    }
    tensor_split(x, sections, at as isize)
}

fn at_least(x: &Tensor, rank: usize) -> Result<()> {
    if x.rank() < rank {
        bail!(Shape, "{} has {} dimensions and {rank} are needed", show(x.shape()), x.rank());
    }
    Ok(())
}

fn some(tensors: &[Tensor]) -> Result<&Tensor> {
    match tensors.first() {
        Some(first) => Ok(first),
        None => bail!(Argument, "at least one tensor is needed"),
    }
}

fn each(tensors: &[Tensor], f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Vec<Tensor>> {
    tensors.iter().map(f).collect()
}

/// Positions of every choice of `r` out of `n` in lexicographic order, one after the other.
fn choices(n: usize, r: usize, repeat: bool) -> Vec<i64> {
    let mut out = Vec::new();
    let mut at: Vec<usize> = if repeat { vec![0; r] } else { (0..r).collect() };
    if r > 0 && (n == 0 || (!repeat && r > n)) {
        return out;
    }
    loop {
        out.extend(at.iter().map(|&i| i as i64));
        let limit = |i: usize| if repeat { n - 1 } else { n - r + i };
        let Some(i) = (0..r).rev().find(|&i| at[i] < limit(i)) else { return out };
        let next = at[i] + 1;
        for (ahead, place) in at[i..].iter_mut().enumerate() {
            *place = if repeat { next } else { next + ahead };
        }
    }
}

ops! {
    /// Parts of `size` entries along `dim`, the last of which may be smaller, or parts of the sizes listed, which must add up to all.
    #[example("arange(0, 5).split(2) // [[0, 1], [2, 3], [4]]", "arange(0, 5).split([1, 4]) // [[0], [1, 2, 3, 4]]")]
    #[face(method)]
    #[check(cases)]
    fn split(x: &Tensor, size: &Parts, dim: isize = 0) -> Many {
        let at = axis_of(x.shape(), dim)?;
        let total = x.shape()[at];
        let sizes: Vec<usize> = match size {
            Parts::Number(size) if *size < 1 => bail!(Argument, "a part needs 1 or more elements, got {size}"),
            Parts::Number(size) => (0..total.div_ceil(*size as usize).max(1)).map(|i| (total - i * *size as usize).min(*size as usize)).collect(),
            Parts::List(sizes) => {
                if sizes.iter().any(|&size| size < 0) || sizes.iter().sum::<isize>() != total as isize {
                    bail!(Shape, "the parts {sizes:?} must be 0 or more and add up to {total}, the size of dim {at} of {}", show(x.shape()));
                }
                sizes.iter().map(|&size| size as usize).collect()
            }
        };
        cut(x, at, &sizes)
    }

    /// At most `parts` parts of equal size along `dim`; the last may be smaller.
    #[example("arange(0, 5).chunk(2) // [[0, 1, 2], [3, 4]]")]
    #[face(method)]
    #[check(cases)]
    fn chunk(x: &Tensor, parts: usize, dim: isize = 0) -> Many {
        if parts == 0 {
            bail!(Argument, "expected 1 or more parts, got 0");
        }
        let at = axis_of(x.shape(), dim)?;
        match x.shape()[at] {
            0 => cut(x, at, &vec![0; parts]),
            size => split(x, &Parts::Number(size.div_ceil(parts) as isize), dim),
        }
    }

    /// That many parts along `dim`, whose sizes differ by 1 at most, or the parts between the places listed.
    #[example("arange(0, 5).tensorSplit(2) // [[0, 1, 2], [3, 4]]", "arange(0, 5).tensorSplit([1, 3]) // [[0], [1, 2], [3, 4]]")]
    #[face(method)]
    #[check(cases)]
    fn tensor_split(x: &Tensor, sections: &Parts, dim: isize = 0) -> Many {
        let at = axis_of(x.shape(), dim)?;
        let size = x.shape()[at];
        match sections {
            Parts::Number(n) if *n < 1 => bail!(Argument, "expected 1 or more parts, got {n}"),
            Parts::Number(n) => {
                let n = *n as usize;
                let sizes: Vec<usize> = (0..n).map(|i| size / n + usize::from(i < size % n)).collect();
                cut(x, at, &sizes)
            }
            Parts::List(places) => {
                let bound = |place: isize| (if place < 0 { place + size as isize } else { place }).clamp(0, size as isize) as usize;
                let mut start = 0;
                let mut out = Vec::with_capacity(places.len() + 1);
                for end in places.iter().map(|&place| bound(place)).chain([size]) {
                    out.push(narrow(x, at as isize, start, end.saturating_sub(start))?);
                    start = end;
                }
                Ok(out)
            }
        }
    }

    /// The entries along `dim`, each without that dimension.
    #[example("const [a, b] = tensor([[1, 2], [3, 4]]).unbind()", "b // [3, 4]")]
    #[face(method)]
    #[check(cases)]
    fn unbind(x: &Tensor, dim: isize = 0) -> Many {
        let at = axis_of(x.shape(), dim)?;
        (0..x.shape()[at]).map(|i| squeeze(&narrow(x, at as isize, i, 1)?, &[at as isize])).collect()
    }

    /// Splits along dimension 1, or 0 of a list, into equal parts, or at the places listed.
    #[example("tensor([[1, 2], [3, 4]]).hsplit(2) // [[[1], [3]], [[2], [4]]]")]
    #[face(method)]
    #[check(cases)]
    fn hsplit(x: &Tensor, sections: &Parts) -> Many {
        at_least(x, 1)?;
        evenly(x, sections, usize::from(x.rank() > 1))
    }

    /// Splits the rows of a tensor of two or more dimensions into equal parts, or at the places listed.
    #[example("tensor([[1, 2], [3, 4]]).vsplit(2) // [[[1, 2]], [[3, 4]]]")]
    #[face(method)]
    #[check(cases)]
    fn vsplit(x: &Tensor, sections: &Parts) -> Many {
        at_least(x, 2)?;
        evenly(x, sections, 0)
    }

    /// Splits dimension 2 of a tensor of three or more into equal parts, or at the places listed.
    #[example("zeros([1, 2, 4]).dsplit(2)[0] // shape [1, 2, 2]")]
    #[face(method)]
    #[check(cases)]
    fn dsplit(x: &Tensor, sections: &Parts) -> Many {
        at_least(x, 3)?;
        evenly(x, sections, 2)
    }

    /// Joins tensors side by side: along dimension 1, or 0 for lists.
    #[example("hstack([tensor([[1], [2]]), tensor([[3], [4]])]) // [[1, 3], [2, 4]]")]
    #[face(free)]
    #[check(cases)]
    fn hstack(tensors: &[Tensor]) -> Tensor {
        let parts = each(tensors, at_least_1d)?;
        cat(&parts, isize::from(some(&parts)?.rank() > 1))
    }

    /// Joins tensors on top of each other: along dimension 0, lists as rows.
    #[example("vstack([tensor([1, 2]), tensor([3, 4])]) // [[1, 2], [3, 4]]")]
    #[face(free)]
    #[check(cases)]
    fn vstack(tensors: &[Tensor]) -> Tensor { cat(&each(tensors, at_least_2d)?, 0) }

    /// Joins tensors behind each other: along dimension 2.
    #[example("dstack([tensor([1, 2]), tensor([3, 4])]) // [[[1, 3], [2, 4]]]")]
    #[face(free)]
    #[check(cases)]
    fn dstack(tensors: &[Tensor]) -> Tensor { cat(&each(tensors, at_least_3d)?, 2) }

    /// Joins columns side by side: lists as columns, matrices as they are.
    #[example("columnStack([tensor([1, 2]), tensor([3, 4])]) // [[1, 3], [2, 4]]")]
    #[face(free)]
    #[check(cases)]
    fn column_stack(tensors: &[Tensor]) -> Tensor {
        hstack(&each(tensors, |x| if x.rank() < 2 { reshape(x, &[x.size() as isize, 1]) } else { Ok(x.clone()) })?)
    }

    /// A matrix with the given ones along its diagonal and zeros elsewhere; lists count as rows, numbers as `[1, 1]`.
    #[example("blockDiag([tensor([[1, 2]]), tensor(3)]) // [[1, 2, 0], [0, 0, 3]]")]
    #[face(free)]
    #[check(cases)]
    fn block_diag(tensors: &[Tensor]) -> Tensor {
        some(tensors)?;
        let blocks = each(tensors, at_least_2d)?;
        if let Some(block) = blocks.iter().find(|block| block.rank() > 2) {
            bail!(Shape, "{} has more than two dimensions; blocks are matrices", show(block.shape()));
        }
        let width: usize = blocks.iter().map(|block| block.shape()[1]).sum();
        let mut left = 0;
        let mut rows = Vec::with_capacity(blocks.len());
        for block in &blocks {
            let right = width - left - block.shape()[1];
            rows.push(constant(block, &[left as isize, right as isize], 0.0)?);
            left += block.shape()[1];
        }
        cat(&rows, 0)
    }

    /// The tensors expanded to the shape that they broadcast to.
    #[example("const [a, b] = broadcastTensors([tensor([1, 2]), tensor([[3], [4]])])", "a // [[1, 2], [1, 2]]", "b // [[3, 3], [4, 4]]")]
    #[face(free)]
    #[check(cases)]
    fn broadcast_tensors(tensors: &[Tensor]) -> Many {
        let mut shape = burn_std::Shape::new([]);
        for tensor in tensors {
            shape = broadcast(&shape, tensor.shape())?;
        }
        each(tensors, |x| expand(x, &signed(&shape)))
    }

    /// Coordinates of a grid from those of its axes, one tensor an axis; `'xy'` swaps the first two dimensions.
    #[example("const [y, x] = meshgrid([tensor([1, 2]), tensor([3, 4, 5])])", "y // [[1, 1, 1], [2, 2, 2]]", "x // [[3, 4, 5], [3, 4, 5]]")]
    #[face(free)]
    #[check(cases)]
    fn meshgrid(tensors: &[Tensor]; indexing: Indexing = Ij) -> Many {
        some(tensors)?;
        if let Some(axis) = tensors.iter().find(|x| x.rank() > 1) {
            bail!(Shape, "the axes of a grid are lists, got {}", show(axis.shape()));
        }
        let sizes: Vec<isize> = tensors.iter().map(|x| x.size() as isize).collect();
        let swap = indexing == Indexing::Xy && tensors.len() > 1;
        tensors
            .iter()
            .enumerate()
            .map(|(i, x)| {
                let mut shape = vec![1; sizes.len()];
                shape[i] = sizes[i];
                let grid = expand(&reshape(x, &shape)?, &sizes)?;
                if swap { transpose(&grid, 0, 1) } else { Ok(grid) }
            })
            .collect()
    }

    /// Every combination of one entry from each list, as rows; the last list moves fastest.
    #[example("cartesianProd([tensor([1, 2]), tensor([3, 4])]) // [[1, 3], [1, 4], [2, 3], [2, 4]]")]
    #[face(free)]
    #[check(cases)]
    fn cartesian_prod(tensors: &[Tensor]) -> Tensor {
        if let Some(list) = tensors.iter().find(|x| x.rank() != 1) {
            bail!(Shape, "lists (rank 1) are needed, got {}", show(list.shape()));
        }
        if tensors.len() == 1 {
            return Ok(tensors[0].clone());
        }
        let grids = meshgrid(tensors, Indexing::Ij)?;
        stack(&each(&grids, |grid| reshape(grid, &[grid.size() as isize]))?, 1)
    }

    /// Every choice of `r` entries of a list in their order, as rows; with `withReplacement`, an entry may be taken again.
    #[example("tensor([1, 2, 3]).combinations() // [[1, 2], [1, 3], [2, 3]]")]
    #[face(method)]
    #[check(cases)]
    fn combinations(x: &Tensor; r: usize = 2, with_replacement: bool = false) -> Tensor {
        if x.rank() != 1 {
            bail!(Shape, "a list (rank 1) is needed and the tensor has shape {}", show(x.shape()));
        }
        if r == 0 {
            return crate::create::zeros(&[0], x.dtype());
        }
        let at = choices(x.size(), r, with_replacement);
        let rows = at.len() / r;
        reshape(&index_select(x, 0, &list(at))?, &[rows as isize, r as isize])
    }
}

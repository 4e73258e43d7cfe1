//! Shapes: views where the storage allows, copies where it does not; either way nobody can tell.

use burn_backend::ops::{BoolTensorOps, FloatTensorOps, IntTensorOps};
use burn_dispatch::Dispatch;
use burn_std::{Shape, Slice};

use super::choice::PadMode;
use super::compare::expand as expand_value;
use super::{ops, padding};
use crate::create::zeros;
use crate::dtype::{Kind, promote};
use crate::error::{Result, bail};
use crate::shape::{self, Axes, axes, axis, axis_of, show};
use crate::tensor::{Tensor, cast, reshape as reshape_value};

/// `reshape` to sizes that are known to fit.
pub(crate) fn reshape_to(x: &Tensor, shape: &Shape) -> Result<Tensor> {
    if x.shape() == &shape[..] {
        return Ok(x.clone());
    }
    reshape(x, &signed(shape))
}

/// `expand` to sizes that are known to fit.
pub(crate) fn expand_to(x: &Tensor, shape: &[usize]) -> Result<Tensor> {
    if x.shape() == shape {
        return Ok(x.clone());
    }
    expand(x, &signed(shape))
}

pub(crate) fn signed(shape: &[usize]) -> Vec<isize> {
    shape.iter().map(|&size| size as isize).collect()
}

/// `[start, end, step]` of each dimension, checked against the shape and made positive.
fn ranges(x: &[usize], triples: &[isize]) -> Result<Vec<Slice>> {
    if triples.len() != 3 * x.len() {
        bail!(Argument, "one [start, end, step] is needed for each of the {} dimensions of {}", x.len(), show(x));
    }
    let mut out = Vec::with_capacity(x.len());
    for (range, &size) in triples.chunks_exact(3).zip(x) {
        let (start, end, step) = (range[0], range[1], range[2]);
        if step < 1 {
            bail!(Argument, "a slice needs a step of 1 or more and got {step}; use .flip() to reverse");
        }
        let bound = |at: isize| if at < 0 { at + size as isize } else { at }.clamp(0, size as isize);
        let (start, end) = (bound(start), bound(end));
        out.push(Slice::new(start, Some(end.max(start)), step));
    }
    Ok(out)
}

ops! {
    /// The same elements in another shape; one size may be -1.
    #[example("tensor([1, 2, 3, 4, 5, 6]).reshape([2, -1]) // [[1, 2, 3], [4, 5, 6]]")]
    #[face(method)]
    #[check(cases)]
    fn reshape(x: &Tensor, shape: &[isize]) -> Tensor {
        let shape = shape::reshaped(x.shape(), shape)?;
        Ok(Tensor::new(reshape_value(x.value(), x.dtype().kind(), shape), x.dtype()))
    }
    grad(g; shape = Shape::from(x.shape())) { x: reshape_to(g, shape)? }

    /// Merges the dimensions from `start` to `end` into one.
    #[example("zeros([2, 3, 4]).flatten(1) // shape [2, 12]")]
    #[face(method)]
    #[check(cases)]
    fn flatten(x: &Tensor, start: isize = 0, end: isize = -1) -> Tensor {
        let (first, last) = (axis(start, x.rank())?, axis(end, x.rank())?);
        if first > last {
            bail!(Argument, "start {start} lies behind end {end} in {}", show(x.shape()));
        }
        if x.rank() == 0 {
            return reshape(x, &[1]);
        }
        let mut to = signed(&x.shape()[..first]);
        to.push(x.shape()[first..=last].iter().product::<usize>() as isize);
        to.extend(signed(&x.shape()[last + 1..]));
        reshape(x, &to)
    }

    /// Drops dimensions of size 1: those of `dims`, all by default.
    #[example("zeros([1, 3, 1]).squeeze() // shape [3]", "zeros([1, 3, 1]).squeeze(0) // shape [3, 1]")]
    #[face(method)]
    #[check(cases)]
    fn squeeze(x: &Tensor, dims: &[isize] = []) -> Tensor {
        let axes = axes(dims, x.rank())?;
        let keep = |(i, size): (usize, &usize)| (!axes.contains(&i) || *size != 1).then_some(*size);
        let to: Axes = x.shape().iter().enumerate().filter_map(keep).collect();
        reshape(x, &signed(&to))
    }

    /// Adds a dimension of size 1 at `dim`.
    #[example("tensor([1, 2]).unsqueeze(1) // [[1], [2]]")]
    #[face(method)]
    #[check(cases)]
    fn unsqueeze(x: &Tensor, dim: isize) -> Tensor {
        let at = axis(dim, x.rank() + 1)?;
        let mut to = signed(x.shape());
        to.insert(at, 1);
        reshape(x, &to)
    }

    /// Reorders the dimensions.
    #[example("zeros([2, 3, 4]).permute([2, 0, 1]) // shape [4, 2, 3]")]
    #[face(method)]
    #[check(cases)]
    fn permute(x: &Tensor, dims: &[isize]) -> Tensor {
        let order = order(x, dims)?;
        if x.size() == 0 {
            return zeros(&order.iter().map(|&from| x.shape()[from]).collect::<Axes>(), x.dtype());
        }
        Ok(x.kind_map(
            |v| Dispatch::float_permute(v, &order),
            |v| Dispatch::int_permute(v, &order),
            |v| Dispatch::bool_permute(v, &order),
        ))
    }
    grad(g; order = order(x, dims)?) {
        x: {
            let mut back = vec![0; order.len()];
            for (to, &from) in order.iter().enumerate() {
                back[from] = to as isize;
            }
            permute(g, &back)?
        }
    }

    /// Swaps two dimensions.
    #[example("tensor([[1, 2], [3, 4]]).transpose(0, 1) // [[1, 3], [2, 4]]")]
    #[face(method)]
    #[check(cases)]
    fn transpose(x: &Tensor, dim0: isize, dim1: isize) -> Tensor {
        let (a, b) = (axis(dim0, x.rank())?, axis(dim1, x.rank())?);
        let mut order: Vec<isize> = (0..x.rank() as isize).collect();
        if x.rank() > 0 {
            order.swap(a, b);
        }
        permute(x, &order)
    }

    /// Repeats dimensions of size 1 up to `shape`, without a copy; -1 keeps a size.
    #[example("tensor([[1], [2]]).expand([-1, 3]) // [[1, 1, 1], [2, 2, 2]]")]
    #[face(method)]
    #[check(cases)]
    fn expand(x: &Tensor, shape: &[isize]) -> Tensor {
        let shape = shape::expanded(x.shape(), shape)?;
        let kind = x.dtype().kind();
        let mut lead = vec![1; shape.num_dims() - x.rank()];
        lead.extend_from_slice(x.shape());
        Ok(Tensor::new(expand_value(reshape_value(x.value(), kind, lead.into()), kind, &shape), x.dtype()))
    }
    grad(g) { x: g.clone() }

    /// Reverses the order along `dims`.
    #[example("tensor([[1, 2], [3, 4]]).flip(1) // [[2, 1], [4, 3]]")]
    #[face(method)]
    #[check(cases)]
    fn flip(x: &Tensor, dims: &[isize]) -> Tensor {
        let axes = if dims.is_empty() { Axes::new() } else { axes(dims, x.rank())? };
        if x.size() == 0 {
            return Ok(x.detach());
        }
        Ok(x.kind_map(
            |v| Dispatch::float_flip(v, &axes),
            |v| Dispatch::int_flip(v, &axes),
            |v| Dispatch::bool_flip(v, &axes),
        ))
    }
    grad(g; dims) { x: flip(g, dims)? }

    /// Joins tensors along `dim`.
    #[example("cat([tensor([1, 2]), tensor([3])]) // [1, 2, 3]", "cat([ones([2, 3]), zeros([2, 1])], 1) // shape [2, 4]")]
    #[face(free)]
    #[check(cases)]
    #[autocast(widest)]
    fn cat(tensors: &[Tensor], dim: isize = 0) -> Tensor {
        let Some(first) = tensors.first() else { bail!(Argument, "at least one tensor is needed") };
        let at = axis(dim, first.rank())?;
        let mut dtype = first.dtype();
        for (i, tensor) in tensors.iter().enumerate() {
            let same = |(d, (a, b)): (usize, (&usize, &usize))| d == at || a == b;
            if tensor.rank() != first.rank() || !tensor.shape().iter().zip(first.shape()).enumerate().all(same) {
                bail!(
                    Shape,
                    "tensor {i} is {} and the first is {}; sizes may differ in dim {at} only",
                    show(tensor.shape()),
                    show(first.shape())
                );
            }
            dtype = promote(dtype, tensor.dtype());
        }
        if first.rank() == 0 {
            bail!(Shape, "numbers (rank 0) cannot be joined; use stack");
        }
        let values = tensors.iter().map(|t| cast(t.value(), t.dtype(), dtype)).collect();
        Ok(Tensor::new(
            match dtype.kind() {
                Kind::Float => Dispatch::float_cat(values, at),
                Kind::Int => Dispatch::int_cat(values, at),
                Kind::Bool => Dispatch::bool_cat(values, at),
            },
            dtype,
        ))
    }
    grad(g; dim, sizes = sizes(tensors, dim)?) {
        tensors: {
            let mut start = 0;
            let mut parts = Vec::with_capacity(sizes.len());
            for &size in sizes {
                parts.push(narrow(g, dim, start, size)?);
                start += size;
            }
            parts
        }
    }

    /// Joins tensors of one shape along a new dimension.
    #[example("stack([tensor([1, 2]), tensor([3, 4])], 1) // [[1, 3], [2, 4]]")]
    #[face(free)]
    #[check(cases)]
    #[autocast(widest)]
    fn stack(tensors: &[Tensor], dim: isize = 0) -> Tensor {
        let Some(first) = tensors.first() else { bail!(Argument, "at least one tensor is needed") };
        if let Some((i, other)) = tensors.iter().enumerate().find(|(_, t)| t.shape() != first.shape()) {
            bail!(Shape, "tensor {i} is {} and the first is {}; all must be equal", show(other.shape()), show(first.shape()));
        }
        let parts = tensors.iter().map(|t| unsqueeze(t, dim)).collect::<Result<Vec<_>>>()?;
        cat(&parts, axis(dim, first.rank() + 1)? as isize)
    }

    /// The elements from `start` on, `length` of them, along `dim`.
    #[example("tensor([1, 2, 3, 4]).narrow(0, 1, 2) // [2, 3]")]
    #[face(method)]
    #[check(cases)]
    fn narrow(x: &Tensor, dim: isize, start: usize, length: usize) -> Tensor {
        let at = axis_of(x.shape(), dim)?;
        let size = x.shape()[at];
        if start + length > size {
            bail!(Shape, "elements {start} to {} do not exist in dim {at} of {}", start + length, show(x.shape()));
        }
        let mut triples: Vec<isize> = x.shape().iter().flat_map(|&n| [0, n as isize, 1]).collect();
        triples[3 * at] = start as isize;
        triples[3 * at + 1] = (start + length) as isize;
        take_slices(x, &triples)
    }

    /// A rectangular part: `[start, end, step]` for each dimension, in one flat list.
    #[face(native)]
    #[check(none, "its face is Tensor.slice, tested there")]
    fn take_slices(x: &Tensor, ranges: &[isize]) -> Tensor {
        let slices = self::ranges(x.shape(), ranges)?;
        // The engine has no views without elements.
        let taken = |s: &Slice| (s.end.unwrap_or(s.start) - s.start).unsigned_abs().div_ceil(s.step.unsigned_abs());
        if x.size() == 0 || slices.iter().any(|slice| taken(slice) == 0) {
            return zeros(&slices.iter().map(taken).collect::<Axes>(), x.dtype());
        }
        Ok(x.kind_map(
            |v| Dispatch::float_slice(v, &slices),
            |v| Dispatch::int_slice(v, &slices),
            |v| Dispatch::bool_slice(v, &slices),
        ))
    }
    grad(g; shape = Shape::from(x.shape()), ranges) { x: put_slices(g, shape, ranges)? }

    /// Zeros of `shape` with `x` in the part that `takeSlices` would take.
    #[face()]
    #[check(none, "checked as the gradient of slice")]
    fn put_slices(x: &Tensor, shape: &Shape, ranges: &[isize]) -> Tensor {
        let slices = self::ranges(shape, ranges)?;
        let base = zeros(shape, x.dtype())?.into_value();
        Ok(Tensor::new(Dispatch::float_slice_assign(base, &slices, x.value()), x.dtype()))
    }
    grad(g; ranges) { x: take_slices(g, ranges)? }

    /// Surrounds `x`: `padding` holds `[left, right]` of the last dimension, then of the one before, and so on; a negative one cuts.
    /// `mode` says with what: `value`, a reflection, the border, or the other end.
    #[example("tensor([[1, 2]]).pad([1, 2], { value: 9 }) // [[9, 1, 2, 9, 9]]", "tensor([1, 2, 3]).pad([2, 1], { mode: 'reflect' }) // [3, 2, 1, 2, 3, 2]")]
    #[face(method, functional)]
    #[check(cases)]
    fn pad(x: &Tensor, padding: &[isize]; value: f64 = 0.0, mode: PadMode = Constant) -> Tensor {
        padding::checked(x.shape(), padding)?;
        if matches!(mode, PadMode::Reflect | PadMode::Replicate) {
            return padding::repeated(x, padding, mode);
        }
        let cut: Vec<isize> = padding.iter().map(|&n| n.min(0)).collect();
        let more: Vec<isize> = padding.iter().map(|&n| n.max(0)).collect();
        let x = if padding == more { x.clone() } else { take_slices(x, &inside(x.shape(), &cut))? };
        if mode == PadMode::Constant { pad_constant(&x, &more, value) } else { padding::repeated(&x, &more, mode) }
    }

    /// `pad` with `value` and nothing negative.
    #[face()]
    #[check(none, "checked as pad")]
    fn pad_constant(x: &Tensor, padding: &[isize], value: f64) -> Tensor {
        let mut shape = x.shape().to_vec();
        let mut inner: Vec<isize> = x.shape().iter().flat_map(|&n| [0, n as isize, 1]).collect();
        for (i, pair) in padding.chunks_exact(2).enumerate() {
            let at = x.rank() - 1 - i;
            shape[at] += (pair[0] + pair[1]) as usize;
            inner[3 * at] += pair[0];
            inner[3 * at + 1] += pair[0];
        }
        let slices = ranges(&shape, &inner)?;
        let base = crate::create::full(&shape, value, x.dtype())?.into_value();
        let out = match x.dtype().kind() {
            Kind::Float => Dispatch::float_slice_assign(base, &slices, x.value()),
            Kind::Int => Dispatch::int_slice_assign(base, &slices, x.value()),
            Kind::Bool => Dispatch::bool_slice_assign(base, &slices, x.value()),
        };
        Ok(Tensor::new(out, x.dtype()))
    }
    grad(g; padding) { x: take_slices(g, &inside(g.shape(), &padding.iter().map(|&n| -n).collect::<Vec<_>>()))? }
}

/// What `take_slices` leaves when `cut`, a padding of nothing positive, is taken off.
fn inside(shape: &[usize], cut: &[isize]) -> Vec<isize> {
    let mut out: Vec<isize> = shape.iter().flat_map(|&n| [0, n as isize, 1]).collect();
    for (i, pair) in cut.chunks_exact(2).enumerate() {
        let at = 3 * (shape.len() - 1 - i);
        out[at] -= pair[0];
        out[at + 1] += pair[1];
    }
    out
}

fn order(x: &Tensor, dims: &[isize]) -> Result<Vec<usize>> {
    if dims.len() != x.rank() {
        bail!(Argument, "the order {dims:?} must name each of the {} dimensions of {} once", x.rank(), show(x.shape()));
    }
    axes(dims, x.rank())?;
    dims.iter().map(|&dim| axis(dim, x.rank())).collect()
}

fn sizes(tensors: &[Tensor], dim: isize) -> Result<Vec<usize>> {
    tensors.iter().map(|t| Ok(t.shape()[axis(dim, t.rank())?])).collect()
}

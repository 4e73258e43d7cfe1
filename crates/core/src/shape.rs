//! Every shape rule and its message: broadcasting, axes, reshaping, windows.

use burn_std::Shape;
use smallvec::SmallVec;

use crate::create::room;
use crate::dtype::DType;
use crate::error::{Result, bail};

pub type Axes = SmallVec<[usize; 5]>;

/// `[2, 3]`, as JavaScript prints it.
pub fn show(shape: &[usize]) -> String {
    format!("{shape:?}")
}

/// The shape two operands broadcast to: dimensions are aligned at the right and must be equal or 1.
pub fn broadcast(a: &[usize], b: &[usize]) -> Result<Shape> {
    let rank = a.len().max(b.len());
    let at = |s: &[usize], i: usize| if i + s.len() < rank { 1 } else { s[i + s.len() - rank] };
    let mut out = Axes::new();
    for i in 0..rank {
        out.push(match (at(a, i), at(b, i)) {
            (x, y) if x == y => x,
            (1, y) => y,
            (x, 1) => x,
            (x, y) => bail!(
                Shape,
                "{} and {} do not broadcast: dimension {} is {x} on the left and {y} on the right; they must be equal or 1",
                show(a),
                show(b),
                i as isize - rank as isize,
            ),
        });
    }
    // As if of float32: what comes next is made of it, or needs no room of its own.
    room(&out, DType::Float32)?;
    Ok(Shape::from(out.as_slice()))
}

/// A possibly negative axis as an index.
pub fn axis(dim: isize, rank: usize) -> Result<usize> {
    // A scalar accepts 0 and -1, as in PyTorch.
    let size = rank.max(1) as isize;
    if dim < -size || dim >= size {
        bail!(Shape, "dim {dim} is out of range for a tensor of rank {rank}; expected {} to {}", -size, size - 1);
    }
    Ok(if dim < 0 { dim + size } else { dim } as usize)
}

/// A possibly negative axis of something that has dimensions.
pub fn axis_of(shape: &[usize], dim: isize) -> Result<usize> {
    if shape.is_empty() {
        bail!(Shape, "a number (rank 0) has no dim {dim}; reshape it to [1] first");
    }
    axis(dim, shape.len())
}

/// Possibly negative axes, sorted; none means all.
pub fn axes(dims: &[isize], rank: usize) -> Result<Axes> {
    if dims.is_empty() {
        return Ok((0..rank).collect());
    }
    let mut out = Axes::new();
    for &dim in dims {
        let index = axis(dim, rank)?;
        if out.contains(&index) {
            bail!(Argument, "dim {dim} is given twice in {dims:?}");
        }
        out.push(index);
    }
    out.sort_unstable();
    if rank == 0 {
        out.clear();
    }
    Ok(out)
}

/// The shape left after reducing `axes` (sorted).
pub fn reduced(shape: &[usize], axes: &[usize], keep_dim: bool) -> Shape {
    let mut out = Axes::new();
    for (i, &size) in shape.iter().enumerate() {
        match (axes.contains(&i), keep_dim) {
            (false, _) => out.push(size),
            (true, true) => out.push(1),
            (true, false) => {}
        }
    }
    Shape::from(out.as_slice())
}

/// The target of a reshape, with one `-1` inferred.
pub fn reshaped(from: &[usize], to: &[isize]) -> Result<Shape> {
    let total: usize = from.iter().product();
    let known: usize = to.iter().filter(|&&d| d >= 0).map(|&d| d as usize).product();
    let mut out = Axes::new();
    let mut inferred = false;
    for &d in to {
        out.push(match d {
            -1 if inferred => bail!(Shape, "{to:?} holds more than one -1; only one size can be inferred"),
            -1 if known == 0 || !total.is_multiple_of(known) => {
                bail!(Shape, "cannot infer -1 in {to:?}: {} has {total} elements, which is no multiple of {known}", show(from))
            }
            -1 => {
                inferred = true;
                total / known
            }
            d if d < 0 => bail!(Shape, "{to:?} holds {d}; sizes are 0 or more, or -1 for the one to infer"),
            d => d as usize,
        });
    }
    if out.iter().product::<usize>() != total {
        bail!(Shape, "{} has {total} elements and cannot become {to:?}, which has {}", show(from), known);
    }
    Ok(Shape::from(out.as_slice()))
}

/// Checks that `from` broadcasts to `to`, where -1 keeps a size, and gives the target.
pub fn expanded(from: &[usize], to: &[isize]) -> Result<Shape> {
    if to.len() < from.len() {
        bail!(Shape, "{} has more dimensions than {to:?}", show(from));
    }
    let lead = to.len() - from.len();
    let mut out = Axes::new();
    for (i, &want) in to.iter().enumerate() {
        let have = i.checked_sub(lead).map(|j| from[j]);
        out.push(match (have, want) {
            (Some(have), -1) => have,
            (_, want) if want < 0 => bail!(Shape, "{to:?} holds {want}; sizes are 0 or more, or -1 to keep one that exists"),
            (Some(have), want) if have != 1 && have != want as usize => {
                bail!(Shape, "{} does not expand to {to:?}: dimension {i} is {have}, and only 1 can grow", show(from))
            }
            (_, want) => want as usize,
        });
    }
    // A view takes no room; whatever reads it does.
    room(&out, DType::Float32)?;
    Ok(Shape::from(out.as_slice()))
}

/// Geometry of one spatial dimension of a convolution or a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
    pub dilation: usize,
}

impl Window {
    /// Output size for `input`, rounding up if `ceil` (a window that starts in the right padding is dropped, as in PyTorch).
    pub fn output(self, input: usize, ceil: bool) -> Result<usize> {
        let Window { kernel, stride, padding, dilation } = self;
        if kernel == 0 || stride == 0 || dilation == 0 {
            bail!(Argument, "kernel {kernel}, stride {stride} and dilation {dilation} must all be 1 or more");
        }
        let span = dilation * (kernel - 1) + 1;
        let padded = input + 2 * padding;
        if padded + if ceil { stride - 1 } else { 0 } < span {
            bail!(
                Shape,
                "a window of {span} (kernel {kernel}, dilation {dilation}) does not fit an input of {input} with padding {padding}"
            );
        }
        let room = padded + if ceil { stride - 1 } else { 0 } - span;
        let mut out = room / stride + 1;
        if ceil && out > 1 && (out - 1) * stride >= input + padding {
            out -= 1;
        }
        Ok(out)
    }
}

//! Sliding windows: views of every window of a dimension or of an image, and their sum back into place.

use super::diagonal::{strided, strided_add, strides_of};
use super::padding::constant;
use super::shaping::{narrow, reshape, signed, squeeze, take_slices, unsqueeze};
use super::{Pair, ops};
use crate::error::{Result, bail};
use crate::shape::{Window, axis_of, show};
use crate::tensor::Tensor;

/// Windows over the last two dimensions, padded: counts `[rows, columns]` and strides of `[..., kernel, kernel, rows, columns]`.
struct Blocks {
    padded: Vec<usize>,
    shape: Vec<isize>,
    strides: Vec<isize>,
}

fn blocks(image: &[usize], kernel: Pair, [dilation, padding, stride]: [Pair; 3]) -> Result<Blocks> {
    let mut padded = image.to_vec();
    let (mut counts, mut sizes) = (Vec::new(), Vec::new());
    for side in 0..2 {
        let window = Window { kernel: kernel[side], stride: stride[side], padding: padding[side], dilation: dilation[side] };
        counts.push(window.output(image[2 + side], false)? as isize);
        sizes.push(kernel[side] as isize);
        padded[2 + side] += 2 * padding[side];
    }
    let strides = strides_of(&padded);
    let mut shape = signed(&image[..2]);
    shape.extend(sizes);
    shape.extend(counts);
    let mut steps = strides[..2].to_vec();
    steps.extend((0..2).map(|side| strides[2 + side] * dilation[side] as isize));
    steps.extend((0..2).map(|side| strides[2 + side] * stride[side] as isize));
    Ok(Blocks { padded, shape, strides: steps })
}

ops! {
    /// Every window of `size` entries along `dim`, `step` apart, as a new last dimension.
    #[example("arange(0, 5).unfold(0, 3, { step: 2 }) // [[0, 1, 2], [2, 3, 4]]")]
    #[face(method)]
    #[check(cases)]
    fn unfold(x: &Tensor, dim: isize, size: usize; step: usize = 1) -> Tensor {
        if x.rank() == 0 && size < 2 {
            crate::shape::axis(dim, 0)?;
            return narrow(&unsqueeze(x, 0)?, 0, 0, size);
        }
        let at = axis_of(x.shape(), dim)?;
        let length = x.shape()[at];
        if size > length || step == 0 {
            bail!(Argument, "windows of {size} entries, {step} apart, do not fit dim {at} of {}; size may be {length} at most, step 1 at least", show(x.shape()));
        }
        let (mut shape, mut strides) = (signed(x.shape()), strides_of(x.shape()));
        shape[at] = ((length - size) / step + 1) as isize;
        shape.push(size as isize);
        strides.push(strides[at]);
        strides[at] *= step as isize;
        strided(x, &shape, &strides, 0)
    }

    /// The windows of images `[n, channels, height, width]` as columns: `[n, channels * kernel height * kernel width, windows]`; without
    /// `n`, of one image.
    #[example("arange(0, 4).reshape([1, 1, 2, 2]).im2col(2) // [[[0], [1], [2], [3]]]")]
    #[face(method)]
    #[check(cases)]
    #[torch("unfold")]
    fn im2col(x: &Tensor, kernel: Pair; dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1) -> Tensor {
        if x.rank() == 3 {
            return squeeze(&im2col(&unsqueeze(x, 0)?, kernel, dilation, padding, stride)?, &[0]);
        }
        let &[n, channels, ..] = x.shape() else { bail!(Shape, "{} is no image; expected [n, channels, height, width]", show(x.shape())) };
        if x.rank() != 4 {
            bail!(Shape, "{} is no image; expected [n, channels, height, width]", show(x.shape()));
        }
        let view = blocks(x.shape(), kernel, [dilation, padding, stride])?;
        let [height, width] = [padding[0] as isize, padding[1] as isize];
        let x = constant(x, &[width, width, height, height], 0.0)?;
        let columns = strided(&x, &view.shape, &view.strides, 0)?;
        reshape(&columns, &[n as isize, (channels * kernel[0] * kernel[1]) as isize, view.shape[4] * view.shape[5]])
    }

    /// Images `[n, channels, height, width]` of `output` size from the columns of `im2col`, adding windows up where they overlap.
    #[example("tensor([[[1], [2], [3], [4]]]).col2im([2, 2], 2) // [[[[1, 2], [3, 4]]]]")]
    #[face(method)]
    #[check(cases)]
    #[torch("fold")]
    fn col2im(x: &Tensor, output: Pair, kernel: Pair; dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1) -> Tensor {
        if x.rank() == 2 {
            return squeeze(&col2im(&unsqueeze(x, 0)?, output, kernel, dilation, padding, stride)?, &[0]);
        }
        let &[n, rows, windows] = x.shape() else {
            bail!(Shape, "{} are no columns; expected [n, channels * kernel height * kernel width, windows]", show(x.shape()))
        };
        let area = kernel[0] * kernel[1];
        if area == 0 || !rows.is_multiple_of(area) {
            bail!(Shape, "{} has {rows} rows, which is no multiple of the {area} elements of kernel {kernel:?}", show(x.shape()));
        }
        let view = blocks(&[n, rows / area, output[0], output[1]], kernel, [dilation, padding, stride])?;
        let expected = view.shape[4] * view.shape[5];
        if expected != windows as isize {
            bail!(Shape, "{} has {windows} windows, and {expected} fit into output {output:?} with kernel {kernel:?}", show(x.shape()));
        }
        let image = strided_add(&reshape(x, &view.shape)?, &signed(&view.padded), &view.strides, 0)?;
        let mut inner: Vec<isize> = image.shape().iter().flat_map(|&size| [0, size as isize, 1]).collect();
        for side in 0..2 {
            inner[3 * (2 + side)] = padding[side] as isize;
            inner[3 * (2 + side) + 1] = (padding[side] + output[side]) as isize;
        }
        take_slices(&image, &inner)
    }
}

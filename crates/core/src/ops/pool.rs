//! Maxima over windows, the places where they were found, and elements put back there.

use super::index::numbered;
use super::pooling::{Count, Sides, Windows, image, maxima, maximum, unpooled};
use super::shaping::signed;
use super::{Index, Pair, Triple, ops};
use crate::create::room;
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::shape::show;
use crate::tensor::Tensor;

fn sliding<const N: usize>(x: &Tensor, sides: Sides<N>, ceil: bool) -> Result<Windows> {
    Windows::sliding(x, sides, ceil, Count::Inside)
}

fn unpool<const N: usize>(
    x: &Tensor,
    indices: &Index,
    (kernel, stride, padding): ([usize; N], [usize; N], [usize; N]),
    size: &[isize],
) -> Result<Tensor> {
    let input = image::<N>(x)?;
    if indices.shape() != x.shape() {
        bail!(Shape, "indices must have the shape {} of the input and have {}", show(x.shape()), show(indices.shape()));
    }
    let lead = x.rank() - N;
    let mut shape = signed(&x.shape()[..lead]);
    for i in 0..N {
        let default = ((input[i] - 1) * stride[i] + kernel[i]) as isize - 2 * padding[i] as isize;
        let wanted = if size.is_empty() { default } else { size.get(i).copied().unwrap_or(0) };
        let far = (wanted - default).unsigned_abs() >= stride[i] && wanted != default;
        if size.len() > N || wanted < 1 || far {
            bail!(
                Argument,
                "output size {size:?} must hold {N} numbers of 1 or more, number {i} less than stride {} from {default}",
                stride[i]
            );
        }
        shape.push(wanted);
    }
    let sizes: Vec<usize> = shape.iter().map(|&n| n as usize).collect();
    room(&sizes, x.dtype())?;
    let within = room(&sizes[lead..], x.dtype())?;
    let places = Tensor::new(numbered(indices, within, "index", "elements of an image")?, DType::Int64);
    unpooled(x, &places, &shape, lead)
}

ops! {
    /// Largest element of each window of `[batch, channels, width]` or without a batch; `stride` is the kernel by default.
    #[example("tensor([[[1, 3, 2, 0]]]).maxPool1d(2) // [[[3, 2]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn max_pool1d(
        x: &Tensor, kernel: usize;
        stride: usize = kernel, padding: usize = 0, dilation: usize = 1, ceil_mode: bool = false
    ) -> Tensor {
        maximum(x, &sliding(x, ([kernel], [stride], [padding], [dilation]), ceil_mode)?)
    }

    /// Where in its image `maxPool1d` found each element: `column`.
    #[example("tensor([[[1, 3, 2, 0]]]).maxPool1dIndices(2) // [[[1, 2]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn max_pool1d_indices(
        x: &Tensor, kernel: usize;
        stride: usize = kernel, padding: usize = 0, dilation: usize = 1, ceil_mode: bool = false
    ) -> Index {
        Ok(maxima(x, &sliding(x, ([kernel], [stride], [padding], [dilation]), ceil_mode)?)?.1)
    }

    /// Largest element of each window of `[batch, channels, height, width]` or without a batch; `stride` is the kernel by default.
    #[example(
        "tensor([[[[1, 2], [4, 3]]]]).maxPool2d(2) // [[[[4]]]]",
        "zeros([1, 8, 28, 28]).maxPool2d(3, { stride: 2 }) // shape [1, 8, 13, 13]",
    )]
    #[face(method, functional)]
    #[check(cases)]
    fn max_pool2d(
        x: &Tensor, kernel: Pair;
        stride: Pair = kernel, padding: Pair = 0, dilation: Pair = 1, ceil_mode: bool = false
    ) -> Tensor {
        maximum(x, &sliding(x, (kernel, stride, padding, dilation), ceil_mode)?)
    }

    /// Where in its image `maxPool2d` found each element: `row * width + column`.
    #[example("tensor([[[[1, 2], [4, 3]]]]).maxPool2dIndices(2) // [[[[2]]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn max_pool2d_indices(
        x: &Tensor, kernel: Pair;
        stride: Pair = kernel, padding: Pair = 0, dilation: Pair = 1, ceil_mode: bool = false
    ) -> Index {
        Ok(maxima(x, &sliding(x, (kernel, stride, padding, dilation), ceil_mode)?)?.1)
    }

    /// Largest element of each window of `[batch, channels, depth, height, width]` or without a batch; `stride` is the kernel by default.
    #[example("tensor([[[[[1, 2], [4, 3]], [[0, 9], [1, 1]]]]]).maxPool3d(2) // [[[[[9]]]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn max_pool3d(
        x: &Tensor, kernel: Triple;
        stride: Triple = kernel, padding: Triple = 0, dilation: Triple = 1, ceil_mode: bool = false
    ) -> Tensor {
        maximum(x, &sliding(x, (kernel, stride, padding, dilation), ceil_mode)?)
    }

    /// Where in its image `maxPool3d` found each element: `(slice * height + row) * width + column`.
    #[example("tensor([[[[[1, 2], [4, 3]], [[0, 9], [1, 1]]]]]).maxPool3dIndices(2) // [[[[[5]]]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn max_pool3d_indices(
        x: &Tensor, kernel: Triple;
        stride: Triple = kernel, padding: Triple = 0, dilation: Triple = 1, ceil_mode: bool = false
    ) -> Index {
        Ok(maxima(x, &sliding(x, (kernel, stride, padding, dilation), ceil_mode)?)?.1)
    }

    /// Largest element of each of `output` regions of about equal size, whatever the size of `[batch, channels, width]`.
    #[example("tensor([[[1, 3, 2]]]).adaptiveMaxPool1d(2) // [[[3, 3]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn adaptive_max_pool1d(x: &Tensor, output: usize) -> Tensor {
        maximum(x, &Windows::adaptive(x, [output])?)
    }

    /// Where in its image `adaptiveMaxPool1d` found each element: `column`.
    #[example("tensor([[[1, 3, 2]]]).adaptiveMaxPool1dIndices(2) // [[[1, 1]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn adaptive_max_pool1d_indices(x: &Tensor, output: usize) -> Index {
        Ok(maxima(x, &Windows::adaptive(x, [output])?)?.1)
    }

    /// Largest element of each of `output` regions of about equal size, whatever the size of `[batch, channels, height, width]`.
    #[example("tensor([[[[1, 2], [4, 3]]]]).adaptiveMaxPool2d(1) // [[[[4]]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn adaptive_max_pool2d(x: &Tensor, output: Pair) -> Tensor {
        maximum(x, &Windows::adaptive(x, output)?)
    }

    /// Where in its image `adaptiveMaxPool2d` found each element: `row * width + column`.
    #[example("tensor([[[[1, 2], [4, 3]]]]).adaptiveMaxPool2dIndices(1) // [[[[2]]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn adaptive_max_pool2d_indices(x: &Tensor, output: Pair) -> Index {
        Ok(maxima(x, &Windows::adaptive(x, output)?)?.1)
    }

    /// Largest element of each of `output` regions of about equal size, whatever the size of `[batch, channels, depth, height, width]`.
    #[example("tensor([[[[[1, 2], [4, 3]]]]]).adaptiveMaxPool3d(1) // [[[[[4]]]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn adaptive_max_pool3d(x: &Tensor, output: Triple) -> Tensor {
        maximum(x, &Windows::adaptive(x, output)?)
    }

    /// Where in its image `adaptiveMaxPool3d` found each element: `(slice * height + row) * width + column`.
    #[example("tensor([[[[[1, 2], [4, 3]]]]]).adaptiveMaxPool3dIndices(1) // [[[[[2]]]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn adaptive_max_pool3d_indices(x: &Tensor, output: Triple) -> Index {
        Ok(maxima(x, &Windows::adaptive(x, output)?)?.1)
    }

    /// Zeros with each element where `maxPool1dIndices` found it, the last where several meet; throws for an index outside.
    #[example("const at = tensor([[[1, 2]]], { dtype: 'int64' })", "tensor([[[5, 6]]]).maxUnpool1d(at, 2) // [[[0, 5, 6, 0]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn max_unpool1d(
        x: &Tensor, indices: &Index, kernel: usize;
        stride: usize = kernel, padding: usize = 0, output_size: &[isize] = []
    ) -> Tensor {
        unpool(x, indices, ([kernel], [stride], [padding]), output_size)
    }

    /// Zeros with each element where `maxPool2dIndices` found it, the last where several meet; throws for an index outside.
    #[example("const at = tensor([[[[2]]]], { dtype: 'int64' })", "tensor([[[[5]]]]).maxUnpool2d(at, 2) // [[[[0, 0], [5, 0]]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn max_unpool2d(
        x: &Tensor, indices: &Index, kernel: Pair;
        stride: Pair = kernel, padding: Pair = 0, output_size: &[isize] = []
    ) -> Tensor {
        unpool(x, indices, (kernel, stride, padding), output_size)
    }

    /// Zeros with each element where `maxPool3dIndices` found it, the last where several meet; throws for an index outside.
    #[example(
        "const at = tensor([[[[[2]]]]], { dtype: 'int64' })",
        "tensor([[[[[5]]]]]).maxUnpool3d(at, 2) // [[[[[0, 0], [5, 0]], [[0, 0], [0, 0]]]]]",
    )]
    #[face(method, functional)]
    #[check(cases)]
    fn max_unpool3d(
        x: &Tensor, indices: &Index, kernel: Triple;
        stride: Triple = kernel, padding: Triple = 0, output_size: &[isize] = []
    ) -> Tensor {
        unpool(x, indices, (kernel, stride, padding), output_size)
    }
}

//! Pooling over windows of the last two dimensions.

use burn_backend::ops::ModuleOps;
use burn_dispatch::Dispatch;
use burn_std::Shape;
use firn_kernels::pool::Pool;

use super::index::gather;
use super::shaping::{flatten, reshape, signed};
use super::{Index, Pair, ops};
use crate::cpu::{contiguous, from_vec, slice, with_slice};
use crate::create::{room, zeros};
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::shape::{Window, show};
use crate::tensor::Tensor;

crate::tape::copied!(Pool);

/// The windows of a pool, with every check of its arguments; padding is at most half a kernel, as in PyTorch.
fn geometry(x: &Tensor, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil: bool) -> Result<Pool> {
    if x.rank() != 4 || !x.dtype().is_float() {
        bail!(Shape, "expected a floating point [batch, channels, height, width] and got {} {}", x.dtype().name(), show(x.shape()));
    }
    let side = |i: usize| {
        if padding[i] > kernel[i] / 2 {
            bail!(Argument, "padding {} is more than half the kernel {}", padding[i], kernel[i]);
        }
        let input = x.shape()[i + 2];
        let output = Window { kernel: kernel[i], stride: stride[i], padding: padding[i], dilation: dilation[i] }.output(input, ceil)?;
        // The first of a window's places that is no padding.
        let first =
            |at: usize| if at < padding[i] { (padding[i] - at).next_multiple_of(dilation[i]) - (padding[i] - at) } else { at - padding[i] };
        if input > 0
            && let Some(at) = (0..output).find(|at| first(at * stride[i]) >= input)
        {
            bail!(Shape, "window {at} of an input of {input} lies in the padding {}; dilation {} is too far", padding[i], dilation[i]);
        }
        Ok(output)
    };
    let output: Pair = [side(0)?, side(1)?];
    Ok(Pool { input: [x.shape()[2], x.shape()[3]], output, kernel, stride, padding, dilation })
}

/// The largest element of each window and its place.
fn maxima(x: &Tensor, pool: Pool) -> Result<(Tensor, Index)> {
    let shape = Shape::from([x.shape()[0], x.shape()[1], pool.output[0], pool.output[1]]);
    if x.size() == 0 {
        return Ok((zeros(&shape, x.dtype())?, zeros(&shape, DType::Int64)?));
    }
    let (values, places) = if x.dtype() == DType::Float64 {
        let (values, places) = with_slice(x.value_ref(), |x: &[f64]| pool.max(x));
        (from_vec(values, shape.clone(), DType::Float64), places)
    } else {
        let (values, places) = with_slice(&x.value_as(DType::Float32), |x: &[f32]| pool.max(x));
        let values = from_vec(values, shape.clone(), DType::Float32);
        (Tensor::new(values.value_as(x.dtype()), x.dtype()), places)
    };
    Ok((values, from_vec(places, shape, DType::Int64)))
}

ops! {
    /// Largest element of each window; `stride` is the kernel by default.
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
        let pool = geometry(x, kernel, stride, padding, dilation, ceil_mode)?;
        let (values, places) = maxima(x, pool)?;
        max_pool2d_at(x, &values, &places, pool)
    }

    /// Where in its plane `maxPool2d` found each element: `row * width + column`.
    #[example("tensor([[[[1, 2], [4, 3]]]]).maxPool2dIndices(2) // [[[[2]]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn max_pool2d_indices(
        x: &Tensor, kernel: Pair;
        stride: Pair = kernel, padding: Pair = 0, dilation: Pair = 1, ceil_mode: bool = false
    ) -> Index {
        Ok(maxima(x, geometry(x, kernel, stride, padding, dilation, ceil_mode)?)?.1)
    }

    /// `values`, found at `places` of `x`, as a function of `x`.
    #[face()]
    #[check(none, "checked as maxPool2d")]
    fn max_pool2d_at(x: &Tensor, values: &Tensor, places: &Index, pool: Pool) -> Tensor {
        let _ = (x, places, pool);
        Ok(values.detach())
    }
    grad(g; places, pool) { x: max_pool2d_grad(g, places, pool)? }

    /// The gradient of `maxPool2d`: each element goes to where its maximum was.
    #[face()]
    #[check(none, "checked as the gradient of maxPool2d")]
    fn max_pool2d_grad(g: &Tensor, places: &Index, pool: Pool) -> Tensor {
        let shape = Shape::from([g.shape()[0], g.shape()[1], pool.input[0], pool.input[1]]);
        let places = contiguous(places);
        if g.dtype() == DType::Float64 {
            return Ok(from_vec(with_slice(g.value_ref(), |g: &[f64]| pool.max_grad(g, slice(&places))), shape, DType::Float64));
        }
        let out = with_slice(&g.value_as(DType::Float32), |g: &[f32]| pool.max_grad(g, slice(&places)));
        let out = from_vec(out, shape, DType::Float32);
        Ok(Tensor::new(out.value_as(g.dtype()), g.dtype()))
    }
    grad(h; places) {
        g: {
            let picked = gather(&flatten(h, 2, 3)?, 2, &flatten(places, 2, 3)?)?;
            reshape(&picked, &signed(places.shape()))?
        }
    }

    /// Mean of each window; `stride` is the kernel by default, and `countIncludePad` counts padding as zeros.
    #[example("tensor([[[[1, 2], [4, 3]]]]).avgPool2d(2) // [[[[2.5]]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn avg_pool2d(
        x: &Tensor, kernel: Pair;
        stride: Pair = kernel, padding: Pair = 0, ceil_mode: bool = false, count_include_pad: bool = true
    ) -> Tensor {
        let [height, width] = geometry(x, kernel, stride, padding, [1, 1], ceil_mode)?.output;
        if x.size() == 0 {
            return zeros(&[x.shape()[0], x.shape()[1], height, width], x.dtype());
        }
        Ok(Tensor::new(Dispatch::avg_pool2d(x.value(), kernel, stride, padding, count_include_pad, ceil_mode), x.dtype()))
    }
    grad(g; x, kernel, stride, padding, ceil_mode, count_include_pad) {
        x: avg_pool2d_grad(g, x, kernel, stride, padding, ceil_mode, count_include_pad)?
    }

    /// The gradient of `avgPool2d`; `like` gives the input's shape.
    #[face()]
    #[check(none, "checked as the gradient of avgPool2d")]
    fn avg_pool2d_grad(
        g: &Tensor, like: &Tensor, kernel: Pair, stride: Pair, padding: Pair, ceil_mode: bool, count_include_pad: bool
    ) -> Tensor {
        let value = Dispatch::avg_pool2d_backward(like.value(), g.value(), kernel, stride, padding, count_include_pad, ceil_mode);
        Ok(Tensor::new(value, g.dtype()))
    }
    grad(h; kernel, stride, padding, ceil_mode, count_include_pad) {
        g: avg_pool2d(h, kernel, stride, padding, ceil_mode, count_include_pad)?
    }

    /// Mean of each of `[height, width]` equal regions, whatever the input size.
    #[example("zeros([1, 8, 7, 5]).adaptiveAvgPool2d([3, 1]) // shape [1, 8, 3, 1]")]
    #[face(method, functional)]
    #[check(cases)]
    fn adaptive_avg_pool2d(x: &Tensor, output: Pair) -> Tensor {
        if x.rank() != 4 || !x.dtype().is_float() || output.contains(&0) {
            bail!(Shape, "expected a floating point [batch, channels, height, width] and sizes of 1 or more, got {} {} and {output:?}", x.dtype().name(), show(x.shape()));
        }
        room(&[x.shape()[0], x.shape()[1], output[0], output[1]], x.dtype())?;
        Ok(Tensor::new(Dispatch::adaptive_avg_pool2d(x.value(), output), x.dtype()))
    }
    grad(g; x, output) { x: adaptive_avg_pool2d_grad(g, x, output)? }

    /// The gradient of `adaptiveAvgPool2d`; `like` gives the input's shape.
    #[face()]
    #[check(none, "checked as the gradient of adaptiveAvgPool2d")]
    fn adaptive_avg_pool2d_grad(g: &Tensor, like: &Tensor, output: Pair) -> Tensor {
        let _ = output;
        Ok(Tensor::new(Dispatch::adaptive_avg_pool2d_backward(like.value(), g.value()), g.dtype()))
    }
    grad(h; output) { g: adaptive_avg_pool2d(h, output)? }
}

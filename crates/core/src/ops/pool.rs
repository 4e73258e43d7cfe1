//! Pooling over windows of the last two dimensions.

use burn_backend::ops::ModuleOps;
use burn_dispatch::Dispatch;

use super::index::gather;
use super::shaping::{flatten, reshape, signed};
use super::{Index, Pair, ops};
use crate::create::zeros;
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::shape::{Window, show};
use crate::tensor::Tensor;

/// Windows of a pool; padding is at most half a kernel, as in PyTorch.
fn output(x: &Tensor, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil: bool) -> Result<Pair> {
    if x.rank() != 4 || !x.dtype().is_float() {
        bail!(Shape, "expected a floating point [batch, channels, height, width] and got {} {}", x.dtype().name(), show(x.shape()));
    }
    let side = |i: usize| {
        if padding[i] > kernel[i] / 2 {
            bail!(Argument, "padding {} is more than half the kernel {}", padding[i], kernel[i]);
        }
        Window { kernel: kernel[i], stride: stride[i], padding: padding[i], dilation: dilation[i] }.output(x.shape()[i + 2], ceil)
    };
    Ok([side(0)?, side(1)?])
}

ops! {
    /// Largest element of each window; `stride` is the kernel by default.
    #[face(method, functional)]
    #[check(cases)]
    fn max_pool2d(
        x: &Tensor, kernel: Pair;
        stride: Pair = kernel, padding: Pair = 0, dilation: Pair = 1, ceil_mode: bool = false
    ) -> Tensor {
        let at = max_pool2d_indices(x, kernel, stride, padding, dilation, ceil_mode)?;
        let out = gather(&flatten(x, 2, 3)?, 2, &flatten(&at, 2, 3)?)?;
        reshape(&out, &signed(at.shape()))
    }

    /// Where in its plane `maxPool2d` found each element: `row * width + column`.
    #[face(method, functional)]
    #[check(cases)]
    fn max_pool2d_indices(
        x: &Tensor, kernel: Pair;
        stride: Pair = kernel, padding: Pair = 0, dilation: Pair = 1, ceil_mode: bool = false
    ) -> Index {
        let [height, width] = output(x, kernel, stride, padding, dilation, ceil_mode)?;
        if x.size() == 0 {
            return zeros(&[x.shape()[0], x.shape()[1], height, width], DType::Int64);
        }
        let out = Dispatch::max_pool2d_with_indices(x.value(), kernel, stride, padding, dilation, ceil_mode, DType::Int64.int());
        Ok(Tensor::new(out.indices, DType::Int64))
    }

    /// Mean of each window; `stride` is the kernel by default, and `countIncludePad` counts padding as zeros.
    #[face(method, functional)]
    #[check(cases)]
    fn avg_pool2d(
        x: &Tensor, kernel: Pair;
        stride: Pair = kernel, padding: Pair = 0, ceil_mode: bool = false, count_include_pad: bool = true
    ) -> Tensor {
        let [height, width] = output(x, kernel, stride, padding, [1, 1], ceil_mode)?;
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
    #[face(method, functional)]
    #[check(cases)]
    fn adaptive_avg_pool2d(x: &Tensor, output: Pair) -> Tensor {
        if x.rank() != 4 || !x.dtype().is_float() || output.contains(&0) {
            bail!(Shape, "expected a floating point [batch, channels, height, width] and sizes of 1 or more, got {} {} and {output:?}", x.dtype().name(), show(x.shape()));
        }
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

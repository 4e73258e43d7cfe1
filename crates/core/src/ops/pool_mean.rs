//! Means and power means over windows.

use super::activation::relu;
use super::elementwise::{abs, mul, pow, sign};
use super::pooling::{Count, Windows, window_mean};
use super::{Pair, Triple, ops};
use crate::error::{Result, bail};
use crate::tensor::Tensor;

fn mean<const N: usize>(
    x: &Tensor,
    (kernel, stride, padding): ([usize; N], [usize; N], [usize; N]),
    ceil: bool,
    padded: bool,
    divisor: Option<usize>,
) -> Result<Tensor> {
    let count = match divisor {
        Some(0) => bail!(Argument, "divisorOverride must be 1 or more and is 0; leave it out to divide by the size of the window"),
        Some(n) => Count::Fixed(n),
        None if padded => Count::Padded,
        None => Count::Inside,
    };
    window_mean(x, &Windows::sliding(x, (kernel, stride, padding, [1; N]), ceil, count)?)
}

/// `(sum of x ** p) ** (1 / p)` of each window, by way of the mean, as PyTorch.
fn power<const N: usize>(x: &Tensor, p: f64, (kernel, stride): ([usize; N], [usize; N]), ceil: bool) -> Result<Tensor> {
    let raised = pow(&x.into(), &p.into())?;
    let mean = mean(&raised, (kernel, stride, [0; N]), ceil, true, None)?;
    let positive = mul(&sign(&mean)?.into(), &relu(&abs(&mean)?)?.into())?;
    let size = kernel.iter().product::<usize>() as f64;
    pow(&mul(&positive.into(), &size.into())?.into(), &(1.0 / p).into())
}

ops! {
    /// Mean of each window of `[batch, channels, width]` or without a batch; `stride` is the kernel by default,
    /// `countIncludePad` counts padding as zeros.
    #[example("tensor([[[1, 3, 2, 4]]]).avgPool1d(2) // [[[2, 3]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn avg_pool1d(
        x: &Tensor, kernel: usize;
        stride: usize = kernel, padding: usize = 0, ceil_mode: bool = false, count_include_pad: bool = true
    ) -> Tensor {
        mean(x, ([kernel], [stride], [padding]), ceil_mode, count_include_pad, None)
    }

    /// Mean of each window of `[batch, channels, height, width]` or without a batch; `stride` is the kernel by default,
    /// `countIncludePad` counts padding as zeros, and `divisorOverride` takes the place of the size of the window.
    #[example("tensor([[[[1, 2], [4, 3]]]]).avgPool2d(2) // [[[[2.5]]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn avg_pool2d(
        x: &Tensor, kernel: Pair;
        stride: Pair = kernel, padding: Pair = 0, ceil_mode: bool = false, count_include_pad: bool = true,
        divisor_override: Option<usize> = None
    ) -> Tensor {
        mean(x, (kernel, stride, padding), ceil_mode, count_include_pad, divisor_override)
    }

    /// Mean of each window of `[batch, channels, depth, height, width]` or without a batch; `stride` is the kernel by default,
    /// `countIncludePad` counts padding as zeros, and `divisorOverride` takes the place of the size of the window.
    #[example("tensor([[[[[1, 2], [4, 3]], [[0, 8], [1, 1]]]]]).avgPool3d(2) // [[[[[2.5]]]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn avg_pool3d(
        x: &Tensor, kernel: Triple;
        stride: Triple = kernel, padding: Triple = 0, ceil_mode: bool = false, count_include_pad: bool = true,
        divisor_override: Option<usize> = None
    ) -> Tensor {
        mean(x, (kernel, stride, padding), ceil_mode, count_include_pad, divisor_override)
    }

    /// Mean of each of `output` regions of about equal size, whatever the size of `[batch, channels, width]`.
    #[example("zeros([1, 8, 7]).adaptiveAvgPool1d(3) // shape [1, 8, 3]")]
    #[face(method, functional)]
    #[check(cases)]
    fn adaptive_avg_pool1d(x: &Tensor, output: usize) -> Tensor {
        window_mean(x, &Windows::adaptive(x, [output])?)
    }

    /// Mean of each of `output` regions of about equal size, whatever the size of `[batch, channels, height, width]`.
    #[example("zeros([1, 8, 7, 5]).adaptiveAvgPool2d([3, 1]) // shape [1, 8, 3, 1]")]
    #[face(method, functional)]
    #[check(cases)]
    fn adaptive_avg_pool2d(x: &Tensor, output: Pair) -> Tensor {
        window_mean(x, &Windows::adaptive(x, output)?)
    }

    /// Mean of each of `output` regions of about equal size, whatever the size of `[batch, channels, depth, height, width]`.
    #[example("zeros([1, 8, 7, 5, 4]).adaptiveAvgPool3d([3, 1, 2]) // shape [1, 8, 3, 1, 2]")]
    #[face(method, functional)]
    #[check(cases)]
    fn adaptive_avg_pool3d(x: &Tensor, output: Triple) -> Tensor {
        window_mean(x, &Windows::adaptive(x, output)?)
    }

    /// `(sum of x ** p) ** (1 / p)`, p being `normType`, of each window of `[batch, channels, width]`, with p `normType`.
    #[example("tensor([[[3, 4, 6, 8]]]).lpPool1d(2, 2) // [[[5, 10]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn lp_pool1d(x: &Tensor, norm_type: f64, kernel: usize; stride: usize = kernel, ceil_mode: bool = false) -> Tensor {
        power(x, norm_type, ([kernel], [stride]), ceil_mode)
    }

    /// `(sum of x ** p) ** (1 / p)`, p being `normType`, of each window of `[batch, channels, height, width]`, with p `normType`.
    #[example("tensor([[[[1, 2], [4, 2]]]]).lpPool2d(2, 2) // [[[[5]]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn lp_pool2d(x: &Tensor, norm_type: f64, kernel: Pair; stride: Pair = kernel, ceil_mode: bool = false) -> Tensor {
        power(x, norm_type, (kernel, stride), ceil_mode)
    }

    /// `(sum of x ** p) ** (1 / p)`, p being `normType`, of each window of `[batch, channels, depth, height, width]`, with p `normType`.
    #[example("ones([1, 1, 2, 2, 2]).lpPool3d(3, 2) // [[[[[2]]]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn lp_pool3d(x: &Tensor, norm_type: f64, kernel: Triple; stride: Triple = kernel, ceil_mode: bool = false) -> Tensor {
        power(x, norm_type, (kernel, stride), ceil_mode)
    }
}

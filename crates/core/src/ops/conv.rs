//! Convolution. It is bilinear, so its two gradients are bilinear too, and the three ops differentiate into one another.

use burn_std::Shape;
use firn_kernels::conv::Conv;

use super::shaping::reshape;
use super::{Pair, ops};
use crate::cpu::{contiguous, from_vec, slice, with_slice};
use crate::create::zeros;
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::shape::{Window, show};
use crate::tensor::Tensor;

/// Stride, padding, dilation and groups of a call.
#[derive(Debug, Clone, Copy)]
pub struct Geometry {
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: usize,
}

impl Geometry {
    /// For an input and a weight of these shapes, whose output is `[height, width]`.
    fn kernel(self, x: &[usize], weight: &[usize], output: Pair) -> Conv {
        let Geometry { stride, padding, dilation, groups } = self;
        Conv {
            batch: x[0],
            in_channels: x[1],
            out_channels: weight[0],
            groups,
            input: [x[2], x[3]],
            output,
            kernel: [weight[2], weight[3]],
            stride,
            padding,
            dilation,
        }
    }
}

/// Runs a kernel on two tensors of one dtype, in their own precision, or in float32 for the half types.
fn run(
    a: &Tensor,
    b: &Tensor,
    shape: &[usize],
    single: impl FnOnce(&[f32], &[f32]) -> Vec<f32>,
    double: impl FnOnce(&[f64], &[f64]) -> Vec<f64>,
) -> Tensor {
    let (shape, dtype) = (Shape::from(shape), a.dtype());
    if dtype == DType::Float64 {
        let out = with_slice(a.value_ref(), |a: &[f64]| with_slice(b.value_ref(), |b: &[f64]| double(a, b)));
        return from_vec(out, shape, dtype);
    }
    let (a, b) = (a.value_as(DType::Float32), b.value_as(DType::Float32));
    let out = with_slice(&a, |a: &[f32]| with_slice(&b, |b: &[f32]| single(a, b)));
    let out = from_vec(out, shape, DType::Float32);
    Tensor::new(out.value_as(dtype), dtype)
}

crate::tape::copied!(Geometry);

/// Output size `[height, width]` of a convolution, with every check of its arguments.
fn output(x: &[usize], weight: &[usize], geometry: Geometry) -> Result<Pair> {
    let Geometry { stride, padding, dilation, groups } = geometry;
    if x.len() != 4 || weight.len() != 4 {
        bail!(
            Shape,
            "expected input [batch, channels, height, width] and weight [out, in / groups, height, width], got {} and {}",
            show(x),
            show(weight)
        );
    }
    if groups == 0 || x[1] != weight[1] * groups || !weight[0].is_multiple_of(groups) {
        bail!(
            Shape,
            "input {} has {} channels and weight {} with groups {groups} takes {}; the output channels must divide by groups",
            show(x),
            x[1],
            show(weight),
            weight[1] * groups
        );
    }
    let side =
        |i: usize| Window { kernel: weight[i + 2], stride: stride[i], padding: padding[i], dilation: dilation[i] }.output(x[i + 2], false);
    Ok([side(0)?, side(1)?])
}

ops! {
    /// 2-D convolution (cross-correlation) of `[batch, in, height, width]` with a weight `[out, in / groups, kh, kw]`.
    #[example(
        "const x = tensor([[[[1, 2], [3, 4]]]])",
        "F.conv2d(x, ones([1, 1, 2, 2])) // [[[[10]]]]",
        "F.conv2d(x, ones([8, 1, 3, 3]), { padding: 1 }) // shape [1, 8, 2, 2]",
    )]
    #[face(method, functional)]
    #[check(cases)]
    fn conv2d(
        x: &Tensor, weight: &Tensor;
        bias: Option<&Tensor> = None, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1, groups: usize = 1
    ) -> Tensor {
        let [height, width] = output(x.shape(), weight.shape(), Geometry { stride, padding, dilation, groups })?;
        if x.dtype() != weight.dtype() || bias.is_some_and(|b| b.dtype() != x.dtype()) || !x.dtype().is_float() {
            bail!(Dtype, "input, weight and bias must have one floating point dtype; input is {}, weight {}", x.dtype().name(), weight.dtype().name());
        }
        if let Some(bias) = bias.filter(|bias| bias.shape() != &weight.shape()[..1]) {
            bail!(Shape, "bias {} does not fit weight {}: expected [{}]", show(bias.shape()), show(weight.shape()), weight.shape()[0]);
        }
        if x.size() == 0 {
            return zeros(&[x.shape()[0], weight.shape()[0], height, width], x.dtype());
        }
        let conv = Geometry { stride, padding, dilation, groups }.kernel(x.shape(), weight.shape(), [height, width]);
        let shape = [x.shape()[0], weight.shape()[0], height, width];
        crate::create::room(&shape, x.dtype())?;
        let precise = if x.dtype() == DType::Float64 { DType::Float64 } else { DType::Float32 };
        let bias = bias.map(|bias| contiguous(&Tensor::new(bias.value_as(precise), precise)));
        Ok(run(
            x,
            weight,
            &shape,
            |x, weight| conv.forward(x, weight, bias.as_ref().map(slice)),
            |x, weight| conv.forward(x, weight, bias.as_ref().map(slice)),
        ))
    }
    grad(g; x, weight, geometry = Geometry { stride, padding, dilation, groups }) {
        x: conv2d_input_grad(g, weight, x, geometry)?,
        weight: conv2d_weight_grad(x, g, weight, geometry)?,
        bias: super::reduce::sum(g, &[0, 2, 3], false)?,
    }

    /// The gradient of `conv2d` for its input; `like` gives the input's shape.
    #[face()]
    #[check(none, "checked as the gradient of conv2d")]
    fn conv2d_input_grad(g: &Tensor, weight: &Tensor, like: &Tensor, geometry: Geometry) -> Tensor {
        if g.size() == 0 || like.size() == 0 {
            return zeros(like.shape(), g.dtype());
        }
        let conv = geometry.kernel(like.shape(), weight.shape(), [g.shape()[2], g.shape()[3]]);
        Ok(run(g, weight, like.shape(), |g, weight| conv.input_grad(g, weight), |g, weight| conv.input_grad(g, weight)))
    }
    grad(h; g, weight, geometry) {
        g: conv2d(h, weight, None, geometry.stride, geometry.padding, geometry.dilation, geometry.groups)?,
        weight: conv2d_weight_grad(h, g, weight, geometry)?,
    }

    /// The gradient of `conv2d` for its weight; `like` gives the weight's shape.
    #[face()]
    #[check(none, "checked as the gradient of conv2d")]
    fn conv2d_weight_grad(x: &Tensor, g: &Tensor, like: &Tensor, geometry: Geometry) -> Tensor {
        if g.size() == 0 || x.size() == 0 {
            return zeros(like.shape(), g.dtype());
        }
        let conv = geometry.kernel(x.shape(), like.shape(), [g.shape()[2], g.shape()[3]]);
        Ok(run(x, g, like.shape(), |x, g| conv.weight_grad(x, g), |x, g| conv.weight_grad(x, g)))
    }
    grad(h; x, g, geometry) {
        x: conv2d_input_grad(g, h, x, geometry)?,
        g: conv2d(x, h, None, geometry.stride, geometry.padding, geometry.dilation, geometry.groups)?,
    }
}

/// A bias `[channels]` as `[1, channels, 1, 1]`.
pub(crate) fn per_channel(x: &Tensor, rank: usize) -> Result<Tensor> {
    let mut shape = vec![1; rank];
    shape[1] = x.size() as isize;
    reshape(x, &shape)
}

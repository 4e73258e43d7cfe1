//! The three bilinear ops behind every convolution. They differentiate into one another, so gradients of any order need no more.

use burn_std::Shape;
use firn_kernels::conv::Conv;

use super::ops;
use super::reduce::sum;
use crate::cpu::{contiguous, from_vec, slice, with_slice};
use crate::create::{room, zeros};
use crate::dtype::DType;
use crate::tensor::Tensor;

/// Everything about a call but its numbers. `conv` speaks of three dimensions, of which the tensors have the last `rank`.
#[derive(Debug, Clone, Copy)]
pub struct Geometry {
    pub conv: Conv,
    pub rank: usize,
    pub batched: bool,
}

crate::tape::copied!(Geometry);

impl Geometry {
    fn image(&self, channels: usize, sizes: [usize; 3]) -> Vec<usize> {
        let mut shape = if self.batched { vec![self.conv.batch, channels] } else { vec![channels] };
        shape.extend(&sizes[3 - self.rank..]);
        shape
    }

    /// Shape of what is convolved.
    fn input(&self) -> Vec<usize> {
        self.image(self.conv.in_channels, self.conv.input)
    }

    /// Shape of the result.
    fn output(&self) -> Vec<usize> {
        self.image(self.conv.out_channels, self.conv.output)
    }

    fn weight(&self) -> Vec<usize> {
        let mut shape = vec![self.conv.out_channels, self.conv.in_channels / self.conv.groups];
        shape.extend(&self.conv.kernel[3 - self.rank..]);
        shape
    }

    /// Every dimension of an image but the channels.
    fn beside_channels(&self) -> Vec<isize> {
        let channels = isize::from(self.batched);
        (0..=channels + self.rank as isize).filter(|&dim| dim != channels).collect()
    }
}

/// Runs a kernel on two tensors of one dtype and a bias, in their own precision, or in float32 for the half types.
fn run(
    (a, b, bias): (&Tensor, &Tensor, Option<&Tensor>),
    shape: &[usize],
    single: impl FnOnce(&[f32], &[f32], Option<&[f32]>) -> Vec<f32>,
    double: impl FnOnce(&[f64], &[f64], Option<&[f64]>) -> Vec<f64>,
) -> Tensor {
    let (shape, dtype) = (Shape::from(shape), a.dtype());
    let precise = if dtype == DType::Float64 { dtype } else { DType::Float32 };
    let bias = bias.map(|bias| contiguous(&Tensor::new(bias.value_as(precise), precise)));
    let (a, b) = (a.value_as(precise), b.value_as(precise));
    if dtype == DType::Float64 {
        let out = with_slice(&a, |a: &[f64]| with_slice(&b, |b: &[f64]| double(a, b, bias.as_ref().map(slice))));
        return from_vec(out, shape, dtype);
    }
    let out = with_slice(&a, |a: &[f32]| with_slice(&b, |b: &[f32]| single(a, b, bias.as_ref().map(slice))));
    let out = from_vec(out, shape, precise);
    Tensor::new(out.value_as(dtype), dtype)
}

ops! {
    /// Convolution over one to three dimensions, its arguments checked.
    #[face()]
    #[check(none, "checked as conv1d, conv2d and conv3d")]
    fn convolution(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, geometry: Geometry) -> Tensor {
        let (conv, shape) = (geometry.conv, geometry.output());
        if x.size() == 0 {
            return zeros(&shape, x.dtype());
        }
        room(&shape, x.dtype())?;
        Ok(run((x, weight, bias), &shape, |x, weight, bias| conv.forward(x, weight, bias), |x, weight, bias| conv.forward(x, weight, bias)))
    }
    grad(g; x, weight, geometry) {
        x: convolution_input_grad(g, weight, None, geometry)?,
        weight: convolution_weight_grad(x, g, geometry)?,
        bias: sum(g, &geometry.beside_channels(), false)?,
    }

    /// The gradient of `convolution` for its input; with a bias of its own it is the transposed convolution.
    #[face()]
    #[check(none, "checked as convTranspose1d, convTranspose2d and convTranspose3d")]
    fn convolution_input_grad(g: &Tensor, weight: &Tensor, bias: Option<&Tensor>, geometry: Geometry) -> Tensor {
        let (conv, shape) = (geometry.conv, geometry.input());
        if g.size() == 0 || shape.contains(&0) {
            return zeros(&shape, g.dtype());
        }
        room(&shape, g.dtype())?;
        Ok(run((g, weight, bias), &shape, |g, weight, bias| conv.input_grad(g, weight, bias), |g, weight, bias| conv.input_grad(g, weight, bias)))
    }
    grad(h; g, weight, geometry) {
        g: convolution(h, weight, None, geometry)?,
        weight: convolution_weight_grad(h, g, geometry)?,
        bias: sum(h, &geometry.beside_channels(), false)?,
    }

    /// The gradient of `convolution` for its weight.
    #[face()]
    #[check(none, "checked as the gradient of conv1d, conv2d and conv3d")]
    fn convolution_weight_grad(x: &Tensor, g: &Tensor, geometry: Geometry) -> Tensor {
        let (conv, shape) = (geometry.conv, geometry.weight());
        if g.size() == 0 || x.size() == 0 {
            return zeros(&shape, g.dtype());
        }
        Ok(run((x, g, None), &shape, |x, g, _| conv.weight_grad(x, g), |x, g, _| conv.weight_grad(x, g)))
    }
    grad(h; x, g, geometry) {
        x: convolution_input_grad(g, h, None, geometry)?,
        g: convolution(x, h, None, geometry)?,
    }
}

//! Normalisation.

use burn_std::Shape;
use firn_kernels::groups::Groups;
use firn_kernels::normalise::{Channels, Rows};

use super::elementwise::{add, maximum, pow, rsqrt, square, to_dtype};
use super::magnitude::norm;
use super::ops;
use super::reduce::mean;
use super::shaping::{narrow, reshape, reshape_to, signed};
use super::vjp::{Real, composed, elements};
use crate::cpu::from_vec;
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::shape::{axis_of, show};
use crate::tape::is_enabled;
use crate::tensor::Tensor;

crate::tape::copied!(Rows, Channels, Groups);

/// What a kernel normalises.
trait Layout: Copy {
    fn forward<T: Real>(self, x: &[T], weight: Option<&[T]>, bias: Option<&[T]>) -> Vec<T>;
    fn backward<T: Real>(self, g: &[T], x: &[T], weight: Option<&[T]>) -> (Vec<T>, Vec<T>, Vec<T>);
    /// Of rows or channels without weight and bias.
    fn backward_plain<T: Real>(self, g: &[T], x: &[T]) -> Vec<T> {
        self.backward(g, x, None).0
    }
    /// `forward` of ops, without weight and bias, and those two in a shape that broadcasts.
    fn normal(self, x: &Tensor) -> Result<Tensor>;
    fn spread(self, parameter: &Tensor, rank: usize) -> Result<Tensor>;
}

impl Layout for Rows {
    fn forward<T: Real>(self, x: &[T], weight: Option<&[T]>, bias: Option<&[T]>) -> Vec<T> {
        Rows::forward(&self, x, weight, bias)
    }
    fn backward<T: Real>(self, g: &[T], x: &[T], weight: Option<&[T]>) -> (Vec<T>, Vec<T>, Vec<T>) {
        Rows::backward(&self, g, x, weight)
    }
    fn backward_plain<T: Real>(self, g: &[T], x: &[T]) -> Vec<T> {
        Rows::backward_plain(&self, g, x)
    }
    fn normal(self, x: &Tensor) -> Result<Tensor> {
        let centred = if self.centred { x - &mean(x, &[-1], true)? } else { x.clone() };
        let scale = rsqrt(&(mean(&square(&centred)?, &[-1], true)? + self.eps))?;
        Ok(centred * scale)
    }
    fn spread(self, parameter: &Tensor, _rank: usize) -> Result<Tensor> {
        Ok(parameter.clone())
    }
}

impl Layout for Channels {
    fn forward<T: Real>(self, x: &[T], weight: Option<&[T]>, bias: Option<&[T]>) -> Vec<T> {
        Channels::forward(&self, x, weight, bias)
    }
    fn backward<T: Real>(self, g: &[T], x: &[T], weight: Option<&[T]>) -> (Vec<T>, Vec<T>, Vec<T>) {
        Channels::backward(&self, g, x, weight)
    }
    fn normal(self, x: &Tensor) -> Result<Tensor> {
        let dims: Vec<isize> = (0..x.rank() as isize).filter(|&dim| dim != 1).collect();
        let centred = x - &mean(x, &dims, true)?;
        let scale = rsqrt(&(mean(&square(&centred)?, &dims, true)? + self.eps))?;
        Ok(centred * scale)
    }
    fn spread(self, parameter: &Tensor, rank: usize) -> Result<Tensor> {
        super::conv::per_channel(parameter, rank)
    }
}

impl Layout for Groups {
    fn forward<T: Real>(self, x: &[T], weight: Option<&[T]>, bias: Option<&[T]>) -> Vec<T> {
        Groups::forward(&self, x, weight, bias)
    }
    fn backward<T: Real>(self, g: &[T], x: &[T], weight: Option<&[T]>) -> (Vec<T>, Vec<T>, Vec<T>) {
        Groups::backward(&self, g, x, weight)
    }
    fn normal(self, x: &Tensor) -> Result<Tensor> {
        let size = self.channels / self.groups * self.size;
        let rows = Rows { size, eps: self.eps, centred: true };
        reshape_to(&rows.normal(&reshape(x, &[-1, size as isize])?)?, &Shape::from(x.shape()))
    }
    fn spread(self, parameter: &Tensor, rank: usize) -> Result<Tensor> {
        super::conv::per_channel(parameter, rank)
    }
}

/// `inputs` are x, then weight and bias where given; a single one is the weight if `weighted`.
fn parameters(inputs: &[Tensor], weighted: bool) -> (Option<&Tensor>, Option<&Tensor>) {
    match inputs {
        [_, weight, bias] => (Some(weight), Some(bias)),
        [_, one] if weighted => (Some(one), None),
        [_, one] => (None, Some(one)),
        _ => (None, None),
    }
}

fn with<T: Real, R>(x: Option<&Tensor>, f: impl FnOnce(Option<&[T]>) -> R) -> R {
    match x {
        Some(x) => elements(x, |x: &[T]| f(Some(x))),
        None => f(None),
    }
}

fn run<T: Real>(inputs: &[Tensor], weighted: bool, layout: impl Layout) -> Tensor {
    let (weight, bias) = parameters(inputs, weighted);
    let x = &inputs[0];
    let out = elements(x, |x: &[T]| with(weight, |weight| with(bias, |bias| layout.forward(x, weight, bias))));
    from_vec(out, x.shape().into(), T::DTYPE)
}

fn run_back<T: Real>(g: &Tensor, inputs: &[Tensor], weighted: bool, layout: impl Layout) -> Vec<Tensor> {
    let (weight, bias) = parameters(inputs, weighted);
    let x = &inputs[0];
    if inputs.len() == 1 {
        let dx = elements(g, |g: &[T]| elements(x, |x: &[T]| layout.backward_plain(g, x)));
        return vec![from_vec(dx, x.shape().into(), T::DTYPE)];
    }
    let (dx, dw, db) = elements(g, |g: &[T]| elements(x, |x: &[T]| with(weight, |weight| layout.backward(g, x, weight))));
    let mut out = vec![from_vec(dx, x.shape().into(), T::DTYPE)];
    out.extend(weight.map(|weight| from_vec(dw, weight.shape().into(), T::DTYPE)));
    out.extend(bias.map(|bias| from_vec(db, bias.shape().into(), T::DTYPE)));
    out
}

fn gradients(g: &Tensor, inputs: &[Tensor], weighted: bool, layout: impl Layout) -> Result<Vec<Tensor>> {
    if is_enabled() {
        return composed(inputs, g, |inputs| {
            let (weight, bias) = parameters(inputs, weighted);
            let mut out = layout.normal(&inputs[0])?;
            if let Some(weight) = weight {
                out = out * layout.spread(weight, inputs[0].rank())?;
            }
            if let Some(bias) = bias {
                out = out + layout.spread(bias, inputs[0].rank())?;
            }
            Ok(out)
        });
    }
    Ok(match inputs[0].dtype() {
        DType::Float64 => run_back::<f64>(g, inputs, weighted, layout),
        _ => run_back::<f32>(g, inputs, weighted, layout),
    })
}

/// x, and weight and bias where given, in the dtype that a kernel takes.
fn gathered(x: &Tensor, weight: Option<&Tensor>, bias: Option<&Tensor>) -> Result<Vec<Tensor>> {
    let dtype = x.dtype().precise();
    [Some(x), weight, bias].into_iter().flatten().map(|x| if x.dtype() == dtype { Ok(x.clone()) } else { to_dtype(x, dtype) }).collect()
}

fn back_to(x: Tensor, dtype: DType) -> Result<Tensor> {
    if x.dtype() == dtype { Ok(x) } else { to_dtype(&x, dtype) }
}

fn floating(x: &Tensor) -> Result<()> {
    if !x.dtype().is_float() {
        bail!(Dtype, "expected a floating point input and got {}; convert it with .to('float32')", x.dtype().name());
    }
    Ok(())
}

/// Checks that weight and bias have `shape` and the dtype of `x`.
fn parameters_fit(x: &Tensor, weight: Option<&Tensor>, bias: Option<&Tensor>, shape: &[usize]) -> Result<()> {
    for (name, tensor) in [("weight", weight), ("bias", bias)] {
        // PyTorch's "mixed data type": rows in a half type, all else in float32, as autocast leaves them.
        let mixed = |t: &Tensor| t.dtype() == DType::Float32 && x.dtype().precise() == DType::Float32;
        if let Some(tensor) = tensor.filter(|t| t.shape() != shape || !(t.dtype() == x.dtype() || mixed(t))) {
            bail!(Shape, "{name} is {} {} and must be {} {}", tensor.dtype().name(), show(tensor.shape()), x.dtype().name(), show(shape));
        }
    }
    Ok(())
}

/// Rows of the last dimensions, which must be `shape`, normalised.
fn trailing(x: &Tensor, shape: &[isize], weight: Option<&Tensor>, bias: Option<&Tensor>, eps: f64, centred: bool) -> Result<Tensor> {
    floating(x)?;
    let lead = x.rank().checked_sub(shape.len()).filter(|&lead| signed(&x.shape()[lead..]) == shape);
    let Some(lead) = lead.filter(|_| !shape.is_empty()) else {
        bail!(Shape, "normalizedShape {shape:?} must name one or more last dimensions of the input {}", show(x.shape()));
    };
    let inner = &x.shape()[lead..];
    parameters_fit(x, weight, bias, inner)?;
    let size: usize = inner.iter().product();
    if size == 0 {
        return Ok(x * 1.0);
    }
    let flat = |x: Option<&Tensor>| x.map(|x| reshape(x, &[size as isize])).transpose();
    let rows = reshape(x, &signed(&[x.size() / size, size]))?;
    let inputs = gathered(&rows, flat(weight)?.as_ref(), flat(bias)?.as_ref())?;
    let out = normal_rows(&inputs, weight.is_some(), Rows { size, eps, centred })?;
    reshape_to(&back_to(out, x.dtype())?, &Shape::from(x.shape()))
}

/// `[batch, groups, ...]` normalised group by group, then scaled and shifted by channel.
fn grouped(x: &Tensor, groups: usize, weight: Option<&Tensor>, bias: Option<&Tensor>, eps: f64) -> Result<Tensor> {
    let channels = x.shape()[1];
    parameters_fit(x, weight, bias, &[channels])?;
    if x.size() == 0 {
        return Ok(x * 1.0);
    }
    let layout = Groups { channels, groups, size: x.shape()[2..].iter().product(), eps };
    back_to(normal_groups(&gathered(x, weight, bias)?, weight.is_some(), layout)?, x.dtype())
}

ops! {
    /// Normalises each channel of `[batch, channels, ...]` by the mean and the biased variance of the batch, or by `runningMean` and
    /// `runningVar` unless `training`; then scales by `weight` and shifts by `bias`. All four are `[channels]`. Tensors are values:
    /// running statistics are read here and never written; `nn.BatchNorm2d` keeps them.
    #[example("F.batchNorm(tensor([[1], [3]])) // [[-1], [1]]")]
    #[face(functional)]
    #[check(cases)]
    fn batch_norm(
        x: &Tensor;
        running_mean: Option<&Tensor> = None, running_var: Option<&Tensor> = None, weight: Option<&Tensor> = None,
        bias: Option<&Tensor> = None, training: bool = true, eps: f64 = 1e-5
    ) -> Tensor {
        if x.rank() < 2 || !x.dtype().is_float() {
            bail!(Shape, "expected a floating point [batch, channels, ...] and got {} {}", x.dtype().name(), show(x.shape()));
        }
        let channels = x.shape()[1];
        parameters_fit(x, weight, bias, &[channels])?;
        parameters_fit(x, running_mean, running_var, &[channels])?;
        if !training {
            let (Some(mean), Some(var)) = (running_mean, running_var) else {
                bail!(Argument, "without training it needs runningMean and runningVar, each [{channels}]");
            };
            let scale = rsqrt(&(var + eps))?;
            let scale = weight.map_or_else(|| scale.clone(), |weight| &scale * weight);
            let out = (x - &super::conv::per_channel(mean, x.rank())?) * super::conv::per_channel(&scale, x.rank())?;
            let out = match bias {
                Some(bias) => out + super::conv::per_channel(bias, x.rank())?,
                None => out,
            };
            return back_to(out, x.dtype());
        }
        if x.size() <= channels {
            bail!(Shape, "{} holds one value a channel; batch statistics need more than one", show(x.shape()));
        }
        let size = x.shape()[2..].iter().product();
        let out = normal_channels(&gathered(x, weight, bias)?, weight.is_some(), Channels { channels, size, eps })?;
        back_to(out, x.dtype())
    }

    /// Normalises the last dimensions, of the sizes `normalizedShape`, by their mean and biased variance; then scales by `weight` and
    /// shifts by `bias`, both of that shape.
    #[example("F.layerNorm(tensor([[1, 3]]), 2) // [[-1, 1]]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn layer_norm(
        x: &Tensor, normalized_shape: &[isize];
        weight: Option<&Tensor> = None, bias: Option<&Tensor> = None, eps: f64 = 1e-5
    ) -> Tensor {
        trailing(x, normalized_shape, weight, bias, eps, true)
    }

    /// Divides by the root of the mean square over the last dimensions, of the sizes `normalizedShape`, and scales by `weight`; `eps`,
    /// the distance from 1 to the next number of the dtype by default, is added under the root.
    #[example("F.rmsNorm(tensor([3, 4]), 2) // [0.848528, 1.131371]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn rms_norm(x: &Tensor, normalized_shape: &[isize]; weight: Option<&Tensor> = None, eps: Option<f64> = None) -> Tensor {
        let eps = eps.unwrap_or(match x.dtype() {
            DType::Float64 => f64::EPSILON,
            // PyTorch computes half types in float32, and takes its epsilon.
            _ => f64::from(f32::EPSILON),
        });
        trailing(x, normalized_shape, weight, None, eps, false)
    }

    /// Normalises each of `groups` equal groups of channels of `[batch, channels, ...]` by its own mean and biased variance; then scales by
    /// `weight` and shifts by `bias`, both `[channels]`.
    #[example("F.groupNorm(tensor([[1, 3, 10, 30]]), 2) // [[-1, 1, -1, 1]]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn group_norm(x: &Tensor, groups: usize; weight: Option<&Tensor> = None, bias: Option<&Tensor> = None, eps: f64 = 1e-5) -> Tensor {
        floating(x)?;
        if x.rank() < 2 || groups == 0 || !x.shape()[1].is_multiple_of(groups) {
            bail!(Shape, "expected [batch, channels, ...] with channels that divide into {groups} groups and got {}", show(x.shape()));
        }
        grouped(x, groups, weight, bias, eps)
    }

    /// Normalises each channel of each sample of `[batch, channels, size, ...]` by its own mean and biased variance; then scales by `weight`
    /// and shifts by `bias`, both `[channels]`.
    #[example("F.instanceNorm(tensor([[[1, 3], [10, 30]]])) // [[[-1, 1], [-1, 1]]]")]
    #[face(functional)]
    #[check(cases)]
    fn instance_norm(x: &Tensor; weight: Option<&Tensor> = None, bias: Option<&Tensor> = None, eps: f64 = 1e-5) -> Tensor {
        floating(x)?;
        if x.rank() < 3 {
            bail!(Shape, "expected [batch, channels, size, ...] and got {}; unsqueeze(0) makes a batch of one sample", show(x.shape()));
        }
        if x.size() == x.shape()[0] * x.shape()[1] {
            bail!(Shape, "{} holds one value a channel; its statistics need more than one", show(x.shape()));
        }
        grouped(x, x.shape()[1], weight, bias, eps)
    }

    /// Divides by `(k + alpha * mean of squares)^beta`, where the mean is over `size` neighbouring channels of `[batch, channels, size, ...]`
    /// and counts absent ones as 0 (Krizhevsky et al., 2012).
    #[example("F.localResponseNorm(ones([1, 2, 1]), 2, { alpha: 1, beta: 1, k: 0 }) // [[[2], [1]]]")]
    #[face(functional)]
    #[check(cases)]
    fn local_response_norm(x: &Tensor, size: usize; alpha: f64 = 1e-4, beta: f64 = 0.75, k: f64 = 1.0) -> Tensor {
        floating(x)?;
        if x.rank() < 3 || size == 0 {
            bail!(Shape, "expected [batch, channels, size, ...] and a size of 1 or more, got {} and {size}", show(x.shape()));
        }
        let squares = square(x)?;
        let channels = x.shape()[1] as isize;
        let mut total: Option<Tensor> = None;
        for shift in 0..size as isize {
            // The channel that stands `offset` behind, where there is one.
            let offset = shift - size as isize / 2;
            let kept = channels - offset.abs();
            if kept <= 0 {
                continue;
            }
            let part = narrow(&squares, 1, offset.max(0) as usize, kept as usize)?;
            let gap = |n: isize| -> Result<Tensor> {
                let mut shape = x.shape().to_vec();
                shape[1] = n as usize;
                crate::create::zeros(&shape, x.dtype())
            };
            let part = super::shaping::cat(&[gap((-offset).max(0))?, part, gap(offset.max(0))?], 1)?;
            total = Some(match total {
                Some(total) => add(&total.into(), &part.into())?,
                None => part,
            });
        }
        let Some(total) = total else { return Ok(x * 1.0) };
        Ok(x / &pow(&(total * (alpha / size as f64) + k).into(), &beta.into())?)
    }

    /// Divides by the p-norm along `dim`, or by `eps` where that is larger.
    #[example("F.normalize(tensor([[3, 4]])) // [[0.6, 0.8]]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn normalize(x: &Tensor; p: f64 = 2.0, dim: isize = 1, eps: f64 = 1e-12) -> Tensor {
        floating(x)?;
        let dim = axis_of(x.shape(), dim)? as isize;
        Ok(x / &maximum(&norm(x, &[dim], p, true)?.into(), &eps.into())?)
    }

    /// Rows of `[rows, size]` by a kernel; `inputs` are x, then weight and bias if there are any, and `weighted` says which.
    #[face()]
    #[check(none, "checked as layerNorm and rmsNorm")]
    fn normal_rows(inputs: &[Tensor], weighted: bool, rows: Rows) -> Tensor {
        Ok(match inputs[0].dtype() {
            DType::Float64 => run::<f64>(inputs, weighted, rows),
            _ => run::<f32>(inputs, weighted, rows),
        })
    }
    grad(g; inputs, weighted, rows) { inputs: gradients(g, inputs, weighted, rows)? }

    /// Channels of `[batch, channels, ...]` by a kernel, as `normalRows`.
    #[face()]
    #[check(none, "checked as batchNorm")]
    fn normal_channels(inputs: &[Tensor], weighted: bool, channels: Channels) -> Tensor {
        Ok(match inputs[0].dtype() {
            DType::Float64 => run::<f64>(inputs, weighted, channels),
            _ => run::<f32>(inputs, weighted, channels),
        })
    }
    grad(g; inputs, weighted, channels) { inputs: gradients(g, inputs, weighted, channels)? }

    /// Groups of channels of `[batch, channels, ...]` by a kernel, as `normalRows`.
    #[face()]
    #[check(none, "checked as groupNorm")]
    fn normal_groups(inputs: &[Tensor], weighted: bool, groups: Groups) -> Tensor {
        Ok(match inputs[0].dtype() {
            DType::Float64 => run::<f64>(inputs, weighted, groups),
            _ => run::<f32>(inputs, weighted, groups),
        })
    }
    grad(g; inputs, weighted, groups) { inputs: gradients(g, inputs, weighted, groups)? }
}

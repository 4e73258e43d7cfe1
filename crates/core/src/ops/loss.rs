//! Losses of classes.

use burn_backend::ops::IntTensorOps;
use burn_dispatch::Dispatch;
use firn_kernels::entropy;

use super::choice::Reduction;
use super::compare::{eq, where_};
use super::index::{gather, index_select};
use super::reduce::{mean, sum};
use super::shaping::{reshape, signed, squeeze, unsqueeze};
use super::softmax::log_softmax;
use super::vjp::{Real, composed, elements};
use super::{Index, Labels, ops};
use crate::dtype::{BOOL, DType, Kind};
use crate::error::{Result, bail};
use crate::shape::show;
use crate::tape::is_enabled;
use crate::tensor::Tensor;

pub(crate) fn reduce(losses: &Tensor, reduction: Reduction) -> Result<Tensor> {
    match reduction {
        Reduction::Mean => mean(losses, &[], false),
        Reduction::Sum => sum(losses, &[], false),
        Reduction::None => Ok(losses.clone()),
    }
}

/// Log-probabilities `[batch, classes, ...]` against classes `[batch, ...]`, checked.
fn check(input: &Tensor, target: &Index, weight: Option<&Tensor>) -> Result<usize> {
    let shape = input.shape();
    let rest: Vec<usize> = match shape {
        [_] => vec![],
        [batch, _, rest @ ..] => [&[*batch], rest].concat(),
        [] => bail!(Shape, "expected [batch, classes, ...] and got a number (rank 0)"),
    };
    if target.shape() != rest {
        bail!(
            Shape,
            "input {} needs a target of shape {}, one class for each prediction, and got {}",
            show(shape),
            show(&rest),
            show(target.shape())
        );
    }
    if target.dtype().kind() != Kind::Int {
        bail!(Dtype, "the target holds classes and must be int64; it is {}: convert with .to('int64')", target.dtype().name());
    }
    let classes = shape[usize::from(shape.len() > 1)];
    if let Some(weight) = weight.filter(|weight| weight.shape() != [classes]) {
        bail!(Shape, "weight is {} and must hold one number for each of the {classes} classes", show(weight.shape()));
    }
    Ok(classes)
}

/// The targets with ignored ones replaced by class 0, and where they were kept; None when all are.
fn kept(target: &Index, ignore_index: isize, classes: usize) -> Result<(Index, Option<Tensor>)> {
    let target = Tensor::new(target.value_as(DType::Int64), DType::Int64);
    let ignored = crate::cpu::with_slice(target.value_ref(), |t: &[i64]| t.contains(&(ignore_index as i64)));
    if !ignored {
        crate::ops::index::numbered(&target, classes, "class", "classes")?;
        return Ok((target, None));
    }
    let mask = Tensor::new(Dispatch::int_not_equal_elem(target.value(), (ignore_index as i64).into(), BOOL), DType::Bool);
    Ok((where_(&mask, &target.into(), &0.0.into())?, Some(mask)))
}

/// The weight of each target: its class's, 0 where ignored; None when all are 1.
fn weights(target: &Index, mask: Option<&Tensor>, weight: Option<&Tensor>, dtype: DType) -> Result<Option<Tensor>> {
    let by_class = match weight {
        Some(weight) => Some(reshape(&index_select(weight, 0, &reshape(target, &[-1])?)?, &signed(target.shape()))?),
        None => None,
    };
    Ok(match (by_class, mask) {
        (None, None) => None,
        (Some(weights), None) => Some(weights),
        (None, Some(mask)) => Some(Tensor::new(mask.value_as(dtype), dtype)),
        (Some(weights), Some(mask)) => Some(where_(mask, &weights.into(), &0.0.into())?),
    })
}

/// Weighted losses brought together; a mean divides by the sum of the weights.
fn weighted(losses: Tensor, weights: Option<&Tensor>, reduction: Reduction) -> Result<Tensor> {
    let Some(weights) = weights else { return reduce(&losses, reduction) };
    let losses = losses * weights;
    match reduction {
        Reduction::Mean => Ok(sum(&losses, &[], false)? / &sum(weights, &[], false)?),
        _ => reduce(&losses, reduction),
    }
}

/// One number a class, times what has the classes in `dim`.
fn by_class(x: Tensor, weight: Option<&Tensor>, dim: isize) -> Result<Tensor> {
    let Some(weight) = weight else { return Ok(x) };
    let mut shape = vec![1; x.rank()];
    shape[dim as usize] = -1;
    Ok(x * reshape(weight, &shape)?)
}

/// Cross entropy for targets that are probabilities.
fn of_probabilities(x: &Tensor, target: &Tensor, weight: Option<&Tensor>, reduction: Reduction, smoothing: f64) -> Result<Tensor> {
    if x.rank() == 0 || x.shape() != target.shape() {
        let (x, target) = (show(x.shape()), show(target.shape()));
        bail!(Shape, "a floating point target holds probabilities in the shape of the input, {x}, and is {target}; classes must be int64");
    }
    let dim = if x.rank() > 1 { 1 } else { 0 };
    let classes = x.shape()[dim as usize];
    if let Some(weight) = weight.filter(|weight| weight.shape() != [classes]) {
        bail!(Shape, "weight is {} and must hold one number for each of the {classes} classes", show(weight.shape()));
    }
    let target = if smoothing == 0.0 { target.clone() } else { target * (1.0 - smoothing) + smoothing / classes as f64 };
    let losses = -sum(&by_class(log_softmax(x, dim)? * target, weight, dim)?, &[dim], false)?;
    reduce(&losses, reduction)
}

/// Cross entropy of a matrix of scores by the kernel.
fn of_rows(x: &Tensor, target: &Index, weight: Option<&Tensor>, ignore_index: isize, reduction: Reduction) -> Result<Tensor> {
    let classes = x.shape()[1];
    let ignored = ignore_index as i64;
    let list = crate::cpu::with_slice(&target.value_as(DType::Int64), |target: &[i64]| {
        target
            .iter()
            .map(|&class| match class {
                class if class == ignored => Ok(-1),
                class if class >= 0 && (class as usize) < classes => Ok(class),
                class => bail!(Argument, "class {class} is out of range for {classes} classes; expected 0 to {}", classes as isize - 1),
            })
            .collect::<Result<Vec<i64>>>()
    })?;
    let total = match weight {
        None => list.iter().filter(|class| **class >= 0).count() as f64,
        Some(weight) => crate::cpu::with_slice(&weight.value_as(DType::Float64), |weight: &[f64]| {
            list.iter().filter(|class| **class >= 0).map(|&class| weight[class as usize]).sum()
        }),
    };
    let target = crate::cpu::from_vec(list, target.shape().into(), DType::Int64);
    let losses = row_entropy(x, &target, weight)?;
    match reduction {
        Reduction::Mean => Ok(sum(&losses, &[], false)? / total),
        _ => reduce(&losses, reduction),
    }
}

fn with_weight<T: Real, R>(weight: Option<&Tensor>, f: impl FnOnce(Option<&[T]>) -> R) -> R {
    match weight {
        Some(weight) => elements(weight, |weight: &[T]| f(Some(weight))),
        None => f(None),
    }
}

fn row_losses<T: Real>(x: &Tensor, target: &Index, weight: Option<&Tensor>) -> Tensor {
    let classes = x.shape()[1];
    let out = elements(x, |x: &[T]| {
        crate::cpu::with_slice(target.value_ref(), |target: &[i64]| {
            with_weight(weight, |weight| entropy::forward(x, target, classes, weight))
        })
    });
    crate::cpu::from_vec(out, target.shape().into(), T::DTYPE)
}

fn row_slopes<T: Real>(g: &Tensor, x: &Tensor, target: &Index, weight: Option<&Tensor>) -> Tensor {
    let classes = x.shape()[1];
    let out = elements(g, |g: &[T]| {
        elements(x, |x: &[T]| {
            crate::cpu::with_slice(target.value_ref(), |target: &[i64]| {
                with_weight(weight, |weight| entropy::backward(g, x, target, classes, weight))
            })
        })
    });
    crate::cpu::from_vec(out, x.shape().into(), T::DTYPE)
}

ops! {
    /// Negative log-likelihood of log-probabilities `[batch, classes, ...]` for classes `[batch, ...]`.
    /// `weight` holds one number a class; targets equal to `ignoreIndex` do not count.
    #[example("const target = tensor([1], { dtype: 'int64' })", "F.nllLoss(tensor([[-2, -0.5]]), target) // 0.5")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn nll_loss(
        x: &Tensor, target: &Index;
        weight: Option<&Tensor> = None, ignore_index: isize = -100, reduction: Reduction = Mean
    ) -> Tensor {
        let classes = check(x, target, weight)?;
        let (target, mask) = kept(target, ignore_index, classes)?;
        let dim = if x.rank() > 1 { 1 } else { 0 };
        let picked = gather(x, dim, &unsqueeze(&target, dim)?)?;
        let losses = -squeeze(&picked, &[dim])?;
        // Not by a weight of 0 alone: 0 times an infinite loss would be NaN.
        let losses = match &mask {
            Some(mask) => where_(mask, &losses.into(), &0.0.into())?,
            None => losses,
        };
        weighted(losses, weights(&target, mask.as_ref(), weight, x.dtype())?.as_ref(), reduction)
    }

    /// Cross entropy of scores `[batch, classes, ...]` for targets that are classes `[batch, ...]`, or probabilities in the shape of the
    /// scores. `weight` holds one number a class; classes equal to `ignoreIndex` do not count; `labelSmoothing` of the target is spread
    /// evenly over all classes.
    #[example("const target = tensor([1, 0], { dtype: 'int64' })", "F.crossEntropy(tensor([[0, 0], [3, 1]]), target) // 0.410038")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn cross_entropy(
        x: &Tensor, target: &Labels;
        weight: Option<&Tensor> = None, ignore_index: isize = -100, reduction: Reduction = Mean, label_smoothing: f64 = 0.0
    ) -> Tensor {
        if !(0.0..=1.0).contains(&label_smoothing) {
            bail!(Argument, "labelSmoothing must lie in [0, 1] and is {label_smoothing}");
        }
        if target.dtype().is_float() {
            return of_probabilities(x, target, weight, reduction, label_smoothing);
        }
        let classes = check(x, target, weight)?;
        let fixed = weight.is_none_or(|weight| !weight.requires_grad() && weight.dtype() == x.dtype());
        let kernel = matches!(x.dtype(), DType::Float32 | DType::Float64) && x.rank() == 2 && x.size() > 0;
        if kernel && fixed && label_smoothing == 0.0 {
            return of_rows(x, target, weight, ignore_index, reduction);
        }
        let dim = if x.rank() > 1 { 1 } else { 0 };
        let log_probabilities = log_softmax(x, dim)?;
        let nll = nll_loss(&log_probabilities, target, weight, ignore_index, reduction)?;
        if label_smoothing == 0.0 {
            return Ok(nll);
        }
        let (target, mask) = kept(target, ignore_index, classes)?;
        let spread = -sum(&by_class(log_probabilities, weight, dim)?, &[dim], false)?;
        let spread = match &mask {
            Some(mask) => where_(mask, &spread.into(), &0.0.into())?,
            None => spread,
        };
        let spread = match (reduction, weights(&target, mask.as_ref(), weight, x.dtype())?) {
            (Reduction::Mean, Some(weights)) => sum(&spread, &[], false)? / &sum(&weights, &[], false)?,
            _ => reduce(&spread, reduction)?,
        };
        Ok(nll * (1.0 - label_smoothing) + spread * (label_smoothing / classes as f64))
    }

    /// The losses of rows of scores by a kernel; `target` is int64, and -1 where it does not count.
    #[face()]
    #[check(none, "checked as crossEntropy")]
    fn row_entropy(x: &Tensor, target: &Index, weight: Option<&Tensor>) -> Tensor {
        Ok(match x.dtype() {
            DType::Float64 => row_losses::<f64>(x, target, weight),
            _ => row_losses::<f32>(x, target, weight),
        })
    }
    grad(g; x, target, weight) {
        x: if is_enabled() {
            composed(std::slice::from_ref(x), g, |x| {
                nll_loss(&log_softmax(&x[0], 1)?, target, weight, -1, Reduction::None)
            })?.swap_remove(0)
        } else {
            match x.dtype() {
                DType::Float64 => row_slopes::<f64>(g, x, target, weight),
                _ => row_slopes::<f32>(g, x, target, weight),
            }
        }
    }

    /// The share of predictions `[batch, classes]` whose largest score is that of the class in `target`, as float32.
    #[example("const scores = tensor([[1, 2], [3, 0]])", "F.accuracy(scores, tensor([1, 1], { dtype: 'int64' })) // 0.5")]
    #[face(functional)]
    #[check(none, "PyTorch has no such function; tested by the accuracy meter")]
    fn accuracy(x: &Tensor, target: &Index) -> Tensor {
        check(x, target, None)?;
        let dim = if x.rank() > 1 { 1 } else { 0 };
        let hits = eq(&super::reduce::argmax(x, dim, false)?.into(), &target.into())?;
        mean(&Tensor::new(hits.value_as(DType::Float32), DType::Float32), &[], false)
    }
}

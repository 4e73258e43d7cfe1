//! Losses of each element: regression, probabilities, counts.

use std::f64::consts::{LN_2, PI, TAU};

use super::activation::{sigmoid, softplus};
use super::choice::{BatchReduction, Reduction};
use super::compare::{eq, gt, lt, where_};
use super::elementwise::{abs, clamp, exp, log, log1p, maximum, pow, square};
use super::loss::reduce;
use super::ops;
use super::reduce::{mean, sum};
use super::shaping::unsqueeze;
use crate::error::{Result, bail};
use crate::shape::show;
use crate::tensor::Tensor;

/// Checks that two floating point tensors have one shape: a broadcast loss is a mistake more often than not.
pub(crate) fn alike(x: &Tensor, target: &Tensor) -> Result<()> {
    for (name, tensor) in [("input", x), ("target", target)] {
        if !tensor.dtype().is_float() {
            bail!(Dtype, "{name} is {}; convert it with .to('float32')", tensor.dtype().name());
        }
    }
    if x.shape() != target.shape() {
        bail!(Shape, "input {} and target {} must have one shape; reshape or expand one of them", show(x.shape()), show(target.shape()));
    }
    Ok(())
}

fn weighs(losses: &Tensor, weight: &Tensor) -> Result<()> {
    if weight.shape() != losses.shape() {
        bail!(Shape, "weight is {} and must have the input's shape {}", show(weight.shape()), show(losses.shape()));
    }
    Ok(())
}

/// Losses times their weights; the mean divides by the sum of the weights.
fn weighted(losses: Tensor, weight: Option<&Tensor>, reduction: Reduction) -> Result<Tensor> {
    let Some(weight) = weight else { return reduce(&losses, reduction) };
    weighs(&losses, weight)?;
    match reduction {
        Reduction::Mean => Ok(sum(&(losses * weight), &[], false)? / &sum(weight, &[], false)?),
        _ => reduce(&(losses * weight), reduction),
    }
}

/// `x log(x)`, 0 at 0.
fn x_log_x(x: &Tensor) -> Result<Tensor> {
    let zero = eq(&x.into(), &0.0.into())?;
    let safe = where_(&zero, &1.0.into(), &x.into())?;
    where_(&zero, &0.0.into(), &(x * &log(&safe)?).into())
}

ops! {
    /// Mean of the squared differences; `weight` of the same shape weighs them, and the mean divides by its sum.
    #[example("F.mseLoss(tensor([1, 2]), tensor([1, 4])) // 2")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn mse_loss(x: &Tensor, target: &Tensor; weight: Option<&Tensor> = None, reduction: Reduction = Mean) -> Tensor {
        alike(x, target)?;
        weighted(square(&(x - target))?, weight, reduction)
    }

    /// Mean of the absolute differences; `weight` of the same shape weighs them, and the mean divides by its sum.
    #[example("F.l1Loss(tensor([1, 2]), tensor([1, 4])) // 1")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn l1_loss(x: &Tensor, target: &Tensor; weight: Option<&Tensor> = None, reduction: Reduction = Mean) -> Tensor {
        alike(x, target)?;
        weighted(abs(&(x - target))?, weight, reduction)
    }

    /// `d^2 / (2 beta)` for differences `d` below `beta`, `|d| - beta / 2` beyond; `l1Loss` where `beta` is 0.
    #[example("F.smoothL1Loss(tensor([0.5, 3]), tensor([0, 0]), { reduction: 'none' }) // [0.125, 2.5]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn smooth_l1_loss(x: &Tensor, target: &Tensor; beta: f64 = 1.0, reduction: Reduction = Mean) -> Tensor {
        if beta.is_nan() || beta < 0.0 {
            bail!(Argument, "beta must be 0 or more and is {beta}");
        }
        if beta == 0.0 {
            return l1_loss(x, target, None, reduction);
        }
        alike(x, target)?;
        reduce(&(huber(&(x - target), beta)? / beta), reduction)
    }

    /// `d^2 / 2` for differences `d` up to `delta`, `delta (|d| - delta / 2)` beyond; `weight` has the input's shape, and the mean
    /// divides by the number of elements.
    #[example("F.huberLoss(tensor([1, 4]), tensor([0, 0]), { delta: 2, reduction: 'none' }) // [0.5, 6]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn huber_loss(
        x: &Tensor, target: &Tensor;
        delta: f64 = 1.0, weight: Option<&Tensor> = None, reduction: Reduction = Mean
    ) -> Tensor {
        if delta.is_nan() || delta <= 0.0 {
            bail!(Argument, "delta must be positive and is {delta}");
        }
        alike(x, target)?;
        let losses = huber(&(x - target), delta)?;
        match weight {
            Some(weight) => {
                weighs(&losses, weight)?;
                reduce(&(losses * weight), reduction)
            }
            None => reduce(&losses, reduction),
        }
    }

    /// The loss of a difference: a parabola that goes on as lines from `delta` on.
    #[face()]
    #[check(none, "checked as huberLoss")]
    fn huber(d: &Tensor, delta: f64) -> Tensor {
        let size = abs(d)?;
        let line = (&size - 0.5 * delta) * delta;
        where_(&lt(&size.into(), &delta.into())?, &(square(d)? * 0.5).into(), &line.into())
    }
    grad(g; d, delta) { d: g * &clamp(d, Some(-delta), Some(delta))? }

    /// Cross entropy of probabilities and targets, both in [0, 1]; each logarithm is bounded below by -100, and `weight` broadcasts.
    #[example("F.binaryCrossEntropy(tensor([0.5, 0]), tensor([1, 1]), { reduction: 'none' }) // [0.693147, 100]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn binary_cross_entropy(x: &Tensor, target: &Tensor; weight: Option<&Tensor> = None, reduction: Reduction = Mean) -> Tensor {
        alike(x, target)?;
        if x.size() > 0 {
            let (low, high) = (lowest(x)?, -lowest(&-x)?);
            if !(low >= 0.0 && high <= 1.0) {
                bail!(Argument, "the input must hold probabilities in [0, 1] and reaches from {low} to {high}; take F.binaryCrossEntropyWithLogits for scores");
            }
        }
        let losses = bernoulli_nll(x, target)?;
        match weight {
            Some(weight) => reduce(&(losses * weight), reduction),
            None => reduce(&losses, reduction),
        }
    }

    /// `-t log(x) - (1 - t) log(1 - x)`, each logarithm at least -100.
    #[face()]
    #[check(none, "checked as binaryCrossEntropy")]
    fn bernoulli_nll(x: &Tensor, target: &Tensor) -> Tensor {
        let bounded = |x: Tensor| clamp(&x, Some(-100.0), None);
        let (yes, no) = (bounded(log(x)?)?, bounded(log1p(&-x)?)?);
        Ok((target - 1.0) * &no - target * &yes)
    }
    grad(g; x, target) {
        x: g * &(x - target) / &clamp(&(x * &(1.0 - x)), Some(1e-12), None)?,
        // Not bounded, as PyTorch's: infinite where x is 0 or 1.
        target: g * &(log1p(&-x)? - log(x)?),
    }

    /// Cross entropy of scores before the sigmoid and targets in [0, 1]; `posWeight` weighs the positive part, `weight` all of it, and
    /// both broadcast.
    #[example("F.binaryCrossEntropyWithLogits(tensor([0, 50]), tensor([1, 1]), { reduction: 'none' }) // [0.693147, 0]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn binary_cross_entropy_with_logits(
        x: &Tensor, target: &Tensor;
        weight: Option<&Tensor> = None, pos_weight: Option<&Tensor> = None, reduction: Reduction = Mean
    ) -> Tensor {
        alike(x, target)?;
        // -log(sigmoid(x))
        let positive = softplus(&-x)?;
        let positive = match pos_weight {
            Some(pos_weight) => positive * &((pos_weight - 1.0) * target + 1.0),
            None => positive,
        };
        let losses = (1.0 - target) * x + positive;
        match weight {
            Some(weight) => reduce(&(losses * weight), reduction),
            None => reduce(&losses, reduction),
        }
    }

    /// Kullback-Leibler divergence of log-probabilities `x` from probabilities `target`, or their logarithms with `logTarget`, element by
    /// element; `'batchmean'` divides the sum by the size of dim 0, which is the divergence by its definition.
    #[example("F.klDiv(tensor([[0.5, 0.5]]).log(), tensor([[1, 0]]), { reduction: 'batchmean' }) // 0.693147")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn kl_div(x: &Tensor, target: &Tensor; log_target: bool = false, reduction: BatchReduction = Mean) -> Tensor {
        alike(x, target)?;
        let losses = if log_target { exp(target)? * &(target - x) } else { x_log_x(target)? - target * x };
        match reduction {
            BatchReduction::Mean => reduce(&losses, Reduction::Mean),
            BatchReduction::Sum => reduce(&losses, Reduction::Sum),
            BatchReduction::None => Ok(losses),
            BatchReduction::BatchMean => match x.shape().first() {
                Some(&batch) => Ok(sum(&losses, &[], false)? / batch as f64),
                None => bail!(Shape, "reduction 'batchmean' needs a batch dimension and the input is a number (rank 0)"),
            },
        }
    }

    /// Negative log-likelihood of counts under a Poisson distribution of rate `e^x`, or `x` without `logInput`; `full` adds Stirling's
    /// approximation of `log(target!)` for targets above 1, and `eps` keeps the logarithm of a rate finite.
    #[example("F.poissonNllLoss(tensor([0, 1]), tensor([1, 0]), { reduction: 'none' }) // [1, 2.718282]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn poisson_nll_loss(
        x: &Tensor, target: &Tensor;
        log_input: bool = true, full: bool = false, eps: f64 = 1e-8, reduction: Reduction = Mean
    ) -> Tensor {
        alike(x, target)?;
        let losses = if log_input { exp(x)? - target * x } else { x - target * &log(&(x + eps))? };
        if !full {
            return reduce(&losses, reduction);
        }
        let large = gt(&target.into(), &1.0.into())?;
        let n = &where_(&large, &target.into(), &1.0.into())?;
        let stirling = n * &log(n)? - n + log(&(n * TAU))? * 0.5;
        reduce(&(losses + where_(&large, &stirling.into(), &0.0.into())?), reduction)
    }

    /// Negative log-likelihood under normal distributions of mean `x` and variance `variance`, of the input's shape, with a last dimension of
    /// 1, or without it; `variance` counts as `eps` at least, and `full` adds the constant `log(2 pi) / 2`.
    #[example("F.gaussianNllLoss(tensor([1, 2]), tensor([0, 2]), tensor([1, 4]), { reduction: 'none' }) // [0.5, 0.693147]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn gaussian_nll_loss(
        x: &Tensor, target: &Tensor, variance: &Tensor;
        full: bool = false, eps: f64 = 1e-6, reduction: Reduction = Mean
    ) -> Tensor {
        alike(x, target)?;
        let var = match (x.shape(), variance.shape()) {
            (of, given) if of == given => variance.clone(),
            ([rest @ .., _], given) if rest == given => unsqueeze(variance, -1)?,
            ([rest @ .., _], [given @ .., 1]) if rest == given => variance.clone(),
            (of, given) => bail!(Shape, "variance is {} and must be {}, or have a last dimension of 1 or none", show(given), show(of)),
        };
        if var.size() > 0 && lowest(&var)? < 0.0 {
            bail!(Argument, "variance holds {}, and none may be negative", lowest(&var)?);
        }
        // Bounded in value alone: its gradient is that of the variance itself, as PyTorch's.
        let bounded = &var + &(maximum(&(&var).into(), &eps.into())? - &var).detach();
        let losses = (log(&bounded)? + square(&(x - target))? / &bounded) * 0.5;
        reduce(&(if full { losses + 0.5 * (LN_2 + PI.ln()) } else { losses }), reduction)
    }

    /// Focal loss of scores before the sigmoid (Lin et al., 2017): `(1 - p)^gamma` times the cross entropy, where `p` is the probability
    /// of the target; `alpha` weighs positives and `1 - alpha` negatives, a negative `alpha` neither.
    #[example("F.sigmoidFocalLoss(tensor([0]), tensor([1])) // [0.043322]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn sigmoid_focal_loss(x: &Tensor, target: &Tensor; alpha: f64 = 0.25, gamma: f64 = 2.0, reduction: Reduction = None) -> Tensor {
        let losses = binary_cross_entropy_with_logits(x, target, None, None, Reduction::None)?;
        let p = sigmoid(x)?;
        let missed = 1.0 - (&p * target + (1.0 - &p) * (1.0 - target));
        let focused = losses * pow(&missed.into(), &gamma.into())?;
        if alpha < 0.0 {
            return reduce(&focused, reduction);
        }
        reduce(&(focused * (target * alpha + (1.0 - target) * (1.0 - alpha))), reduction)
    }

    /// `log(1 + e^(-target x))` for targets of 1 and -1.
    #[example("F.softMarginLoss(tensor([0, 100]), tensor([1, 1]), { reduction: 'none' }) // [0.693147, 0]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn soft_margin_loss(x: &Tensor, target: &Tensor; reduction: Reduction = Mean) -> Tensor {
        alike(x, target)?;
        reduce(&softplus(&-(target * x))?, reduction)
    }

    /// Cross entropy of each class by itself, a mean over the classes in the last dimension; targets are 0 or 1, `weight` holds one
    /// number a class.
    #[example("F.multilabelSoftMarginLoss(tensor([[0, 0]]), tensor([[1, 0]])) // 0.693147")]
    #[face(functional)]
    #[check(cases)]
    #[torch("multilabel_soft_margin_loss")]
    #[autocast(full)]
    fn multilabel_soft_margin_loss(x: &Tensor, target: &Tensor; weight: Option<&Tensor> = None, reduction: Reduction = Mean) -> Tensor {
        let losses = binary_cross_entropy_with_logits(x, target, weight, None, Reduction::None)?;
        if x.rank() == 0 {
            bail!(Shape, "expected [..., classes] and got a number (rank 0)");
        }
        reduce(&mean(&losses, &[-1], false)?, reduction)
    }
}

/// The smallest element; NaN where there is one.
fn lowest(x: &Tensor) -> Result<f64> {
    let found = super::reduce::amin(&x.detach(), &[], false)?;
    Ok(crate::cpu::with_slice(&found.value_as(crate::dtype::DType::Float64), |x: &[f64]| x[0]))
}

//! Losses of distances and margins.

use super::activation::relu;
use super::choice::Reduction;
use super::compare::{as_mask, eq, logical_not, lt, ne, where_};
use super::elementwise::{maximum, minimum, sqrt, square};
use super::index::{gather, index_select, numbered};
use super::loss::reduce;
use super::loss_pointwise::alike;
use super::ops;
use super::reduce::{norm, sum};
use super::shaping::{reshape, squeeze, unsqueeze};
use super::{Index, Mask};
use crate::cpu::{from_vec, with_slice};
use crate::create::arange;
use crate::dtype::{DType, Kind};
use crate::error::{Result, bail};
use crate::shape::show;
use crate::tensor::Tensor;

/// `[classes]` as `[1, classes]`; the flag says that a batch was added.
fn batched(x: &Tensor) -> Result<(Tensor, bool)> {
    match x.shape() {
        [_] => Ok((unsqueeze(x, 0)?, true)),
        [_, _] => Ok((x.clone(), false)),
        shape => bail!(Shape, "expected [batch, classes] or [classes] and got {}", show(shape)),
    }
}

fn floats(x: &Tensor) -> Result<()> {
    if !x.dtype().is_float() {
        bail!(Dtype, "expected a floating point input and got {}; convert it with .to('float32')", x.dtype().name());
    }
    Ok(())
}

fn broadcasts(a: &Tensor, b: &Tensor) -> Result<()> {
    crate::shape::broadcast(a.shape(), b.shape()).map(|_| ())
}

/// Which classes each row of a list of targets names, and which of its entries count: those before the first -1.
fn labels(target: &Index, classes: usize) -> Result<(Mask, Mask)> {
    if target.dtype().kind() != Kind::Int {
        bail!(Dtype, "the target holds classes and must be int64; it is {}: convert with .to('int64')", target.dtype().name());
    }
    let (mut named, mut counts) = (vec![0_i64; target.size()], vec![0_i64; target.size()]);
    with_slice(&target.value_as(DType::Int64), |target: &[i64]| {
        let rows = named.chunks_exact_mut(classes.max(1)).zip(counts.chunks_exact_mut(classes.max(1)));
        for (row, (named, counts)) in target.chunks_exact(classes.max(1)).zip(rows) {
            for (&class, counts) in row.iter().zip(counts).take_while(|(class, _)| **class != -1) {
                match usize::try_from(class).ok().and_then(|class| named.get_mut(class)) {
                    Some(named) => (*named, *counts) = (1, 1),
                    None => bail!(Argument, "class {class} is out of range for {classes} classes; -1 ends a list"),
                }
            }
        }
        Ok(())
    })?;
    let mask = |data| as_mask(&from_vec(data, target.shape().into(), DType::Int64));
    Ok((mask(named), mask(counts)))
}

ops! {
    /// Cosine of the angle between vectors along `dim`, with broadcasting; a norm counts as `eps` at least.
    #[example("F.cosineSimilarity(tensor([[3, 4]]), tensor([[4, 3]])) // [0.96]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn cosine_similarity(x: &Tensor, other: &Tensor; dim: isize = 1, eps: f64 = 1e-8) -> Tensor {
        floats(x)?;
        floats(other)?;
        broadcasts(x, other)?;
        // A dimension counts in the broadcast shape.
        let rank = x.rank().max(other.rank());
        let dim = crate::shape::axis_of(&vec![1; rank], dim)? as isize - rank as isize;
        let shape = crate::shape::broadcast(x.shape(), other.shape())?;
        let unit = |x: &Tensor| -> Result<Tensor> {
            let x = super::shaping::expand_to(x, &shape)?;
            Ok(&x / &maximum(&norm(&x, &[dim], 2.0, true)?.into(), &eps.into())?)
        };
        sum(&(unit(x)? * unit(other)?), &[dim], false)
    }

    /// `1 - cosine` for pairs with target 1, `max(0, cosine - margin)` for those with target -1; vectors `[batch, size]`, or `[size]`
    /// with a target of rank 0.
    #[example("F.cosineEmbeddingLoss(tensor([[1, 0]]), tensor([[0, 1]]), tensor([1])) // 1")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn cosine_embedding_loss(
        x: &Tensor, other: &Tensor, target: &Tensor;
        margin: f64 = 0.0, reduction: Reduction = Mean
    ) -> Tensor {
        alike(x, other)?;
        if target.rank() > 1 || x.shape().split_last().map(|(_, rest)| rest) != Some(target.shape()) {
            bail!(Shape, "inputs {} need a target of shape [batch], or a number for vectors, and got {}", show(x.shape()), show(target.shape()));
        }
        // PyTorch's own guard against vectors of zeros, in the squares.
        let squares = |x: &Tensor| Ok::<_, crate::error::Error>(sum(&square(x)?, &[-1], false)? + 1e-12);
        let cosine = sum(&(x * other), &[-1], false)? / sqrt(&(squares(x)? * squares(other)?))?;
        let same = where_(&eq(&target.into(), &1.0.into())?, &(1.0 - &cosine).into(), &0.0.into())?;
        let different = where_(&eq(&target.into(), &(-1.0).into())?, &relu(&(cosine - margin))?.into(), &0.0.into())?;
        reduce(&(same + different), reduction)
    }

    /// The p-norm of the difference of vectors in the last dimension, with broadcasting; `eps` is added to each difference.
    #[example("F.pairwiseDistance(tensor([[0, 0]]), tensor([[3, 4]])) // [5]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn pairwise_distance(x: &Tensor, other: &Tensor; p: f64 = 2.0, eps: f64 = 1e-6, keep_dim: bool = false) -> Tensor {
        floats(x)?;
        floats(other)?;
        broadcasts(x, other)?;
        norm(&(x - other + eps), &[-1], p, keep_dim)
    }

    /// `max(0, d(x, positive) - d(x, negative) + margin)` for vectors in the last dimension, where `d` is `pairwiseDistance`; `swap` takes
    /// the distance of positive and negative where that is smaller.
    #[example("F.tripletMarginLoss(tensor([[0, 0]]), tensor([[0, 1]]), tensor([[0, 3]])) // 0")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn triplet_margin_loss(
        x: &Tensor, positive: &Tensor, negative: &Tensor;
        margin: f64 = 1.0, p: f64 = 2.0, eps: f64 = 1e-6, swap: bool = false, reduction: Reduction = Mean
    ) -> Tensor {
        if x.rank() != positive.rank() || x.rank() != negative.rank() {
            bail!(Shape, "anchor {}, positive {} and negative {} must have one rank", show(x.shape()), show(positive.shape()), show(negative.shape()));
        }
        if margin.is_nan() || margin <= 0.0 {
            bail!(Argument, "margin must be positive and is {margin}");
        }
        let near = pairwise_distance(x, positive, p, eps, false)?;
        let mut far = pairwise_distance(x, negative, p, eps, false)?;
        if swap {
            far = minimum(&far.into(), &pairwise_distance(positive, negative, p, eps, false)?.into())?;
        }
        reduce(&relu(&(near - far + margin))?, reduction)
    }

    /// `max(0, margin - target (x - other))`: a target of 1 wants `x` larger, -1 smaller.
    #[example("F.marginRankingLoss(tensor([1, 1]), tensor([3, 0]), tensor([1, 1])) // 1")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn margin_ranking_loss(x: &Tensor, other: &Tensor, target: &Tensor; margin: f64 = 0.0, reduction: Reduction = Mean) -> Tensor {
        floats(x)?;
        floats(other)?;
        if x.rank() != other.rank() || x.rank() != target.rank() {
            bail!(Shape, "inputs {} and {} and target {} must have one rank", show(x.shape()), show(other.shape()), show(target.shape()));
        }
        broadcasts(x, other)?;
        reduce(&relu(&(-target * &(x - other) + margin))?, reduction)
    }

    /// `x` where the target is 1, `max(0, margin - x)` where it is -1.
    #[example("F.hingeEmbeddingLoss(tensor([2, 0.25]), tensor([1, -1]), { reduction: 'none' }) // [2, 0.75]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn hinge_embedding_loss(x: &Tensor, target: &Tensor; margin: f64 = 1.0, reduction: Reduction = Mean) -> Tensor {
        floats(x)?;
        broadcasts(x, target)?;
        let other = where_(&ne(&target.into(), &1.0.into())?, &relu(&(margin - x))?.into(), &0.0.into())?;
        let same = where_(&ne(&target.into(), &(-1.0).into())?, &x.into(), &0.0.into())?;
        reduce(&(other + same), reduction)
    }

    /// `sum(max(0, margin - x[target] + x[i])^p) / classes` over the other classes `i`, for scores `[batch, classes]` or `[classes]`; `p`
    /// is 1 or 2, and `weight` holds one number a class.
    #[example("F.multiMarginLoss(tensor([[0.5, 1]]), tensor([1], { dtype: 'int64' })) // 0.25")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn multi_margin_loss(
        x: &Tensor, target: &Index;
        p: f64 = 1.0, margin: f64 = 1.0, weight: Option<&Tensor> = None, reduction: Reduction = Mean
    ) -> Tensor {
        floats(x)?;
        let (x, single) = batched(x)?;
        let (batch, classes) = (x.shape()[0], x.shape()[1]);
        if (single && target.size() != 1) || (!single && target.shape() != [batch]) {
            bail!(Shape, "scores for {batch} predictions need as many classes as target and got {}", show(target.shape()));
        }
        if p != 1.0 && p != 2.0 {
            bail!(Argument, "p must be 1 or 2 and is {p}");
        }
        if classes == 0 {
            bail!(Shape, "input {} has no classes", show(x.shape()));
        }
        if let Some(weight) = weight.filter(|weight| weight.shape() != [classes]) {
            bail!(Shape, "weight is {} and must hold one number for each of the {classes} classes", show(weight.shape()));
        }
        let target = Tensor::new(numbered(&reshape(target, &[batch as isize, 1])?, classes, "class", "classes")?, DType::Int64);
        let range = arange(0.0, classes as f64, 1.0, DType::Int64)?;
        let own = eq(&(&target).into(), &range.into())?;
        let violation = relu(&(&x - &gather(&x, 1, &target)? + margin))?;
        let violation = where_(&own, &0.0.into(), &violation.into())?;
        let losses = sum(&(if p == 2.0 { square(&violation)? } else { violation }), &[1], false)? / classes as f64;
        let losses = match weight {
            Some(weight) => losses * index_select(weight, 0, &squeeze(&target, &[1])?)?,
            None => losses,
        };
        reduce(&(if single { reshape(&losses, &[])? } else { losses }), reduction)
    }

    /// `sum(max(0, 1 - x[j] + x[i])) / classes` over the classes `j` that the target lists and those `i` that it does not, for scores
    /// `[batch, classes]` or `[classes]`; a list of the same size ends at its first -1.
    #[example("F.multilabelMarginLoss(tensor([[0.5, 1]]), tensor([[1, -1]], { dtype: 'int64' })) // 0.25")]
    #[face(functional)]
    #[check(cases)]
    #[torch("multilabel_margin_loss")]
    #[autocast(full)]
    fn multilabel_margin_loss(x: &Tensor, target: &Index; reduction: Reduction = Mean) -> Tensor {
        floats(x)?;
        if x.shape() != target.shape() {
            bail!(Shape, "input {} and target {} must have one shape", show(x.shape()), show(target.shape()));
        }
        let ((x, single), (target, _)) = (batched(x)?, batched(target)?);
        let classes = x.shape()[1];
        if classes == 0 {
            bail!(Shape, "input {} has no classes", show(x.shape()));
        }
        let (named, counts) = labels(&target, classes)?;
        let listed = where_(&lt(&(&target).into(), &0.0.into())?, &0.0.into(), &(&target).into())?;
        // What lies behind the end of a list may be anything.
        let listed = where_(&counts, &listed.into(), &0.0.into())?;
        let own = unsqueeze(&gather(&x, 1, &listed)?, 2)?;
        let violation = relu(&(unsqueeze(&x, 1)? - &own + 1.0))?;
        let violation = where_(&unsqueeze(&counts, 2)?, &violation.into(), &0.0.into())?;
        let violation = where_(&unsqueeze(&logical_not(&named)?, 1)?, &violation.into(), &0.0.into())?;
        let losses = sum(&violation, &[1, 2], false)? / classes as f64;
        reduce(&(if single { reshape(&losses, &[])? } else { losses }), reduction)
    }

    /// `x^T weight[k] other + bias[k]` for each output `k`: `[..., in1]` and `[..., in2]` with a weight `[out, in1, in2]` and a bias
    /// `[out]` give `[..., out]`.
    #[example("F.bilinear(tensor([[1, 2]]), tensor([[3]]), tensor([[[1], [10]]])) // [[63]]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(widest)]
    fn bilinear(x: &Tensor, other: &Tensor, weight: &Tensor; bias: Option<&Tensor> = None) -> Tensor {
        let (&[out, left, right], Some((&a, lead)), Some((&b, rest))) = (weight.shape(), x.shape().split_last(), other.shape().split_last())
        else {
            bail!(Shape, "expected inputs [..., in1] and [..., in2] and a weight [out, in1, in2], got {}, {} and {}", show(x.shape()), show(other.shape()), show(weight.shape()));
        };
        if a != left || b != right || lead != rest || bias.is_some_and(|bias| bias.shape() != [out]) {
            bail!(
                Shape,
                "inputs {} and {} do not fit weight {} with bias {}: leading sizes must agree, the last are in1 and in2, and a bias is [out]",
                show(x.shape()), show(other.shape()), show(weight.shape()), bias.map_or("none".into(), |bias| show(bias.shape()))
            );
        }
        if x.dtype() != other.dtype() || x.dtype() != weight.dtype() || !x.dtype().is_float() {
            bail!(Dtype, "both inputs and the weight must have one floating point dtype, got {}, {} and {}", x.dtype().name(), other.dtype().name(), weight.dtype().name());
        }
        let rows = lead.iter().product::<usize>() as isize;
        let (out, left, right) = (out as isize, left as isize, right as isize);
        // [rows, in1] x [in1, out in2], then each row's [out, in2] with its other vector.
        let matrix = reshape(&super::shaping::permute(weight, &[1, 0, 2])?, &[left, out * right])?;
        let parts = reshape(&super::linalg::matmul(&reshape(x, &[rows, left])?, &matrix)?, &[rows, out, right])?;
        let y = sum(&(parts * reshape(other, &[rows, 1, right])?), &[2], false)?;
        let mut shape = super::shaping::signed(lead);
        shape.push(out);
        let y = reshape(&y, &shape)?;
        Ok(match bias {
            Some(bias) => y + bias,
            None => y,
        })
    }
}

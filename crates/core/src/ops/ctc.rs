//! Connectionist temporal classification.

use firn_kernels::ctc::Ctc;

use super::choice::Reduction;
use super::compare::{is_inf, where_};
use super::elementwise::to_dtype;
use super::index::numbered;
use super::loss::reduce;
use super::shaping::{reshape, unsqueeze};
use super::vjp::{Real, elements};
use super::{Index, ops};
use crate::cpu::{from_vec, with_slice};
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::shape::show;
use crate::tape::{Load, Save, is_enabled};
use crate::tensor::Tensor;

impl Save for &Ctc {
    type Saved = Ctc;
    fn save(self) -> Ctc {
        self.clone()
    }
}

impl Load for Ctc {
    type View<'a> = &'a Ctc;
    fn load(&self) -> &Ctc {
        self
    }
}

fn whole(x: &Index, size: usize, one: &str, all: &str) -> Result<Vec<usize>> {
    with_slice(&numbered(x, size, one, all)?, |x: &[i64]| Ok(x.iter().map(|&n| n as usize).collect()))
}

/// The labels of each sample, from rows `[batch, longest]` or one list after another.
fn labels(target: &Index, lengths: &[usize], classes: usize) -> Result<Vec<Vec<usize>>> {
    let total: usize = lengths.iter().sum();
    let width = match target.shape() {
        [batch, width] if *batch == lengths.len() => Some(*width),
        [length] if *length == total => None,
        shape => bail!(Shape, "targets are {} and must be [{}, longest], or all {total} labels in one list", show(shape), lengths.len()),
    };
    if let Some((longest, width)) = lengths.iter().max().zip(width).filter(|(longest, width)| *longest > width) {
        bail!(Shape, "a target of length {longest} does not fit into targets {}, {width} wide", show(target.shape()));
    }
    let value = target.value_as(DType::Int64);
    with_slice(&value, |all: &[i64]| {
        let mut start = 0;
        lengths
            .iter()
            .enumerate()
            .map(|(sample, &length)| {
                let from = width.map_or(start, |width| sample * width);
                start += length;
                all[from..from + length]
                    .iter()
                    .map(|&class| match usize::try_from(class).ok().filter(|&class| class < classes) {
                        Some(class) => Ok(class),
                        None => bail!(Argument, "class {class} is out of range for {classes} classes"),
                    })
                    .collect()
            })
            .collect()
    })
}

fn back<T: Real>(g: &Tensor, x: &Tensor, losses: &Tensor, ctc: &Ctc, zero_infinity: bool) -> Tensor {
    let out = elements(g, |g: &[T]| elements(x, |x: &[T]| elements(losses, |losses: &[T]| ctc.backward(g, x, losses, zero_infinity))));
    from_vec(out, x.shape().into(), T::DTYPE)
}

ops! {
    /// Connectionist temporal classification of log-probabilities `[steps, batch, classes]`, or `[steps, classes]` for one sample: the
    /// negative log-likelihood of all alignments of the labels, with `blank` between them. `targets` are `[batch, longest]` or all labels in
    /// one list; the lengths are `[batch]`, or numbers for one sample. The mean divides each loss by its number of labels first.
    /// `zeroInfinity` makes losses of targets that do not fit 0. The gradient is PyTorch's, right through a log-softmax only; it has no
    /// second one.
    #[example(
        "const labels = (...list: number[]) => tensor(list, { dtype: 'int64' })",
        "F.ctcLoss(zeros([2, 1, 3]).logSoftmax(-1), labels(1), labels(2), labels(1)) // 1.098612",
    )]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn ctc_loss(
        x: &Tensor, targets: &Index, input_lengths: &Index, target_lengths: &Index;
        blank: usize = 0, reduction: Reduction = Mean, zero_infinity: bool = false
    ) -> Tensor {
        if !x.dtype().is_float() || !(2..=3).contains(&x.rank()) {
            bail!(Shape, "expected floating point log-probabilities [steps, batch, classes] or [steps, classes] and got {} {}", x.dtype().name(), show(x.shape()));
        }
        let single = x.rank() == 2;
        let rows = if single { unsqueeze(x, 1)? } else { x.clone() };
        let (steps, batch, classes) = (rows.shape()[0], rows.shape()[1], rows.shape()[2]);
        if blank >= classes {
            bail!(Argument, "blank {blank} is out of range for {classes} classes");
        }
        if batch == 0 {
            bail!(Shape, "{} holds no sample", show(x.shape()));
        }
        for (name, lengths) in [("inputLengths", input_lengths), ("targetLengths", target_lengths)] {
            if lengths.size() != batch || lengths.rank() > 1 {
                bail!(Shape, "{name} is {} and must hold one length for each of {batch} samples", show(lengths.shape()));
            }
        }
        let spans = whole(input_lengths, steps + 1, "input length", "possible lengths")?;
        let counts = whole(target_lengths, 1 << 31, "target length", "possible lengths")?;
        let labels = labels(targets, &counts, classes)?;
        let exact = if rows.dtype() == rows.dtype().precise() { rows } else { to_dtype(&rows, rows.dtype().precise())? };
        let ctc = Ctc { classes, blank, steps: spans, labels };
        let mut losses = ctc_nll(&exact, &ctc, zero_infinity)?;
        if zero_infinity {
            losses = where_(&is_inf(&losses)?, &0.0.into(), &losses.into())?;
        }
        if reduction == Reduction::Mean {
            let counts = from_vec(counts.iter().map(|&n| n.max(1) as f64).collect(), [batch].into(), DType::Float64);
            losses = losses / &to_dtype(&counts, exact.dtype())?;
        }
        let out = reduce(&losses, reduction)?;
        let out = if single && reduction == Reduction::None { reshape(&out, &[])? } else { out };
        if out.dtype() == x.dtype() { Ok(out) } else { to_dtype(&out, x.dtype()) }
    }

    /// The losses `[batch]` by a kernel.
    #[face()]
    #[check(none, "checked as ctcLoss")]
    fn ctc_nll(x: &Tensor, ctc: &Ctc, zero_infinity: bool) -> Tensor {
        let _ = zero_infinity;
        let shape = [ctc.steps.len()];
        Ok(match x.dtype() {
            DType::Float64 => from_vec(elements(x, |x: &[f64]| ctc.forward(x)), shape.into(), DType::Float64),
            _ => from_vec(elements(x, |x: &[f32]| ctc.forward(x)), shape.into(), DType::Float32),
        })
    }
    grad(g, y; x, ctc, zero_infinity) {
        x: match x.dtype() {
            _ if is_enabled() => bail!(Autograd, "ctcLoss has no second gradient; leave createGraph out"),
            DType::Float64 => back::<f64>(g, x, y, ctc, zero_infinity),
            _ => back::<f32>(g, x, y, ctc, zero_infinity),
        }
    }
}

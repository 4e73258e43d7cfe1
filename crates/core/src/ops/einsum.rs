//! Sums over indices by Einstein's convention, lowered to products of batched matrices.

use super::diagonal::{strided, strides_of};
use super::elementwise::mul;
use super::linalg::matrices;
use super::ops;
use super::reduce::sum;
use super::shaping::{permute, reshape, squeeze};
use crate::error::{Result, bail};
use crate::shape::{axis_of, show};
use crate::tensor::Tensor;

/// A letter of the equation; those of an ellipsis count down from the last dimension, from `u32::MAX` on.
type Label = u32;

/// A tensor with a label for each of its dimensions.
#[derive(Clone)]
struct Term {
    x: Tensor,
    labels: Vec<Label>,
}

impl Term {
    fn size(&self, label: Label) -> Option<usize> {
        self.labels.iter().position(|&own| own == label).map(|dim| self.x.shape()[dim])
    }

    fn has(&self, label: Label) -> bool {
        self.labels.contains(&label)
    }

    /// Dimensions with these labels, all of them, in this order.
    fn ordered(&self, labels: &[Label]) -> Result<Tensor> {
        if self.labels == labels {
            return Ok(self.x.clone());
        }
        let at = |label: &Label| self.labels.iter().position(|own| own == label).map(|dim| dim as isize);
        permute(&self.x, &labels.iter().filter_map(at).collect::<Vec<_>>())
    }

    /// The product of the sizes of these labels.
    fn volume(&self, labels: &[Label]) -> usize {
        labels.iter().filter_map(|&label| self.size(label)).product()
    }
}

/// The labels of one side of an equation, `None` where an ellipsis stands.
fn letters(side: &str, equation: &str) -> Result<Vec<Option<Label>>> {
    let mut out = Vec::new();
    let mut rest = side;
    while let Some(letter) = rest.chars().next() {
        if rest.starts_with("...") {
            if out.contains(&None) {
                bail!(Argument, "'{side}' of '{equation}' holds '...' twice");
            }
            out.push(None);
            rest = &rest[3..];
            continue;
        }
        if !letter.is_ascii_alphabetic() {
            bail!(Argument, "'{letter}' in '{equation}' is no letter; an equation looks like 'ij,jk->ik'");
        }
        out.push(Some(letter as Label));
        rest = &rest[1..];
    }
    Ok(out)
}

/// The dimensions that `...` stands for among `rank`, by labels that count from the last one.
fn ellipsis(count: usize) -> impl Iterator<Item = Label> {
    (0..count).map(move |i| Label::MAX - (count - 1 - i) as Label)
}

/// Gives each dimension of `x` its label and takes the diagonal where one stands twice.
fn term(x: &Tensor, side: &[Option<Label>], text: &str) -> Result<Term> {
    let named = side.iter().flatten().count();
    let free = x.rank().checked_sub(named).filter(|&free| free == 0 || side.contains(&None));
    let Some(free) = free else {
        bail!(Shape, "'{text}' names {named} dimensions and its tensor is {}", show(x.shape()));
    };
    let mut all = Vec::with_capacity(x.rank());
    for label in side {
        match label {
            Some(label) => all.push(*label),
            None => all.extend(ellipsis(free)),
        }
    }
    let (mut labels, mut shape, mut strides) = (Vec::new(), Vec::new(), Vec::new());
    for ((&label, &size), stride) in all.iter().zip(x.shape()).zip(strides_of(x.shape())) {
        match labels.iter().position(|&own| own == label) {
            Some(dim) if shape[dim] != size as isize => bail!(
                Shape,
                "'{text}' takes a diagonal of dimensions of {} and {size} in {}; they must be equal",
                shape[dim],
                show(x.shape())
            ),
            Some(dim) => strides[dim] += stride,
            None => {
                labels.push(label);
                shape.push(size as isize);
                strides.push(stride);
            }
        }
    }
    let x = if labels.len() == all.len() { x.clone() } else { strided(x, &shape, &strides, 0)? };
    Ok(Term { x, labels })
}

/// The labels of a result that is not written: an ellipsis, then every letter that stands once, in alphabetical order.
fn implied(sides: &[Vec<Option<Label>>]) -> Vec<Option<Label>> {
    let mut all: Vec<Label> = sides.iter().flatten().flatten().copied().collect();
    all.sort_unstable();
    let once = |label: &&Label| all.iter().filter(|other| other == label).count() == 1;
    let dots = sides.iter().flatten().any(Option::is_none).then_some(None);
    dots.into_iter().chain(all.iter().filter(once).map(|&label| Some(label))).collect()
}

/// Sums out the labels that nothing else reads.
fn trimmed(term: Term, needed: impl Fn(Label) -> bool) -> Result<Term> {
    let gone: Vec<isize> = (0..term.labels.len()).filter(|&dim| !needed(term.labels[dim])).map(|dim| dim as isize).collect();
    if gone.is_empty() {
        return Ok(term);
    }
    let dtype = term.x.dtype();
    let x = super::elementwise::to_dtype(&sum(&term.x, &gone, false)?, dtype)?;
    Ok(Term { x, labels: term.labels.into_iter().filter(|&label| needed(label)).collect() })
}

/// One contraction: labels of both that are kept, of one, and of both that are summed.
fn pair(a: &Term, b: &Term, kept: impl Fn(Label) -> bool) -> Result<Term> {
    let both = |label: &&Label| b.has(**label);
    let batch: Vec<Label> = a.labels.iter().filter(both).filter(|&&label| kept(label)).copied().collect();
    let inner: Vec<Label> = a.labels.iter().filter(both).filter(|&&label| !kept(label)).copied().collect();
    let left: Vec<Label> = a.labels.iter().filter(|&&label| !b.has(label)).copied().collect();
    let right: Vec<Label> = b.labels.iter().filter(|&&label| !a.has(label)).copied().collect();
    let labels = [&batch[..], &left, &right].concat();
    let mut shape: Vec<isize> = labels.iter().filter_map(|&label| a.size(label).or(b.size(label))).map(|size| size as isize).collect();
    let ones = |labels: &[Label]| std::iter::repeat_n(1, labels.len());
    let sized =
        |term: &Term, labels: &[Label]| labels.iter().filter_map(|&label| term.size(label)).map(|size| size as isize).collect::<Vec<_>>();
    let rowless = left.is_empty() && right.is_empty() && !batch.is_empty();
    if inner.is_empty() || rowless {
        // No matrix here: products of elements, summed where something is.
        let x = reshape(
            &a.ordered(&[&batch[..], &left, &inner].concat())?,
            &[sized(a, &batch), sized(a, &left), ones(&right).collect(), sized(a, &inner)].concat(),
        )?;
        let y = reshape(
            &b.ordered(&[&batch[..], &right, &inner].concat())?,
            &[sized(b, &batch), ones(&left).collect(), sized(b, &right), sized(b, &inner)].concat(),
        )?;
        let product = Term { x: mul(&x.into(), &y.into())?, labels: [&labels[..], &inner].concat() };
        return trimmed(product, |label| labels.contains(&label));
    }
    let (batches, depth) = (a.volume(&batch), a.volume(&inner));
    let (rows, columns) = (a.volume(&left), b.volume(&right));
    let whole = |x: Tensor, shape: [usize; 3]| {
        let from = usize::from(batch.is_empty());
        reshape(&x, &shape[from..].iter().map(|&size| size as isize).collect::<Vec<_>>())
    };
    let x = whole(a.ordered(&[&batch[..], &left, &inner].concat())?, [batches, rows, depth])?;
    let y = whole(b.ordered(&[&batch[..], &inner, &right].concat())?, [batches, depth, columns])?;
    let product = matrices(&x, &y)?;
    if labels.is_empty() {
        shape.clear();
    }
    Ok(Term { x: reshape(&product, &shape)?, labels })
}

/// The two terms whose contraction makes the smallest result, and of those the one with the least work.
fn cheapest(terms: &[Term], output: &[Label]) -> (usize, usize) {
    let mut best = (0, 1);
    let mut least = (f64::INFINITY, f64::INFINITY);
    for i in 0..terms.len() {
        for j in i + 1..terms.len() {
            let kept =
                |label: Label| output.contains(&label) || terms.iter().enumerate().any(|(k, term)| k != i && k != j && term.has(label));
            let (mut size, mut work) = (1.0, 1.0);
            for &label in terms[i].labels.iter().chain(terms[j].labels.iter().filter(|&&label| !terms[i].has(label))) {
                let length = terms[i].size(label).or(terms[j].size(label)).unwrap_or(1) as f64;
                work *= length;
                if kept(label) {
                    size *= length;
                }
            }
            let inputs = (terms[i].x.size() + terms[j].x.size()) as f64;
            if (size - inputs, work) < least {
                (best, least) = ((i, j), (size - inputs, work));
            }
        }
    }
    best
}

/// Checks that labels agree in size, and drops dimensions of size 1 where another tensor has more.
fn agreed(terms: Vec<Term>, equation: &str) -> Result<Vec<Term>> {
    let mut sizes: Vec<(Label, usize)> = Vec::new();
    for term in &terms {
        for (&label, &size) in term.labels.iter().zip(term.x.shape()) {
            match sizes.iter_mut().find(|(own, _)| *own == label) {
                Some((_, known)) if *known == 1 => *known = size,
                Some((_, known)) if *known != size && size != 1 => {
                    let name = char::from_u32(label).filter(char::is_ascii_alphabetic).map_or("...".to_owned(), String::from);
                    bail!(Shape, "'{name}' of '{equation}' is {known} in one tensor and {size} in another")
                }
                Some(_) => {}
                None => sizes.push((label, size)),
            }
        }
    }
    let full = |label: Label, size: usize| sizes.iter().any(|&(own, known)| own == label && known == size);
    terms
        .into_iter()
        .map(|term| {
            let thin: Vec<isize> =
                (0..term.labels.len()).filter(|&dim| !full(term.labels[dim], term.x.shape()[dim])).map(|dim| dim as isize).collect();
            if thin.is_empty() {
                return Ok(term);
            }
            let labels = (0..term.labels.len()).filter(|&dim| !thin.contains(&(dim as isize))).map(|dim| term.labels[dim]).collect();
            Ok(Term { x: squeeze(&term.x, &thin)?, labels })
        })
        .collect()
}

ops! {
    /// The sum of products that `equation` writes by Einstein's convention.
    #[face(native)]
    #[check(none, "its face is einsum, tested there")]
    #[torch("einsum")]
    #[autocast(low)]
    fn einsum_of(equation: &str, tensors: &[Tensor]) -> Tensor {
        let text: String = equation.chars().filter(|letter| !letter.is_whitespace()).collect();
        let (inputs, written) = match text.split_once("->") {
            Some((inputs, output)) => (inputs, Some(output)),
            None => (text.as_str(), None),
        };
        let parts: Vec<&str> = inputs.split(',').collect();
        if parts.len() != tensors.len() {
            bail!(Argument, "'{equation}' describes {} tensors, and {} were given", parts.len(), tensors.len());
        }
        let sides = parts.iter().map(|part| letters(part, equation)).collect::<Result<Vec<_>>>()?;
        let terms = parts.iter().zip(&sides).zip(tensors).map(|((part, side), x)| term(x, side, part)).collect::<Result<Vec<_>>>()?;
        let dots = terms.iter().flat_map(|term| &term.labels).filter(|&&label| label > char::MAX as Label).map(|label| Label::MAX - label + 1).max();
        let mut output = Vec::new();
        for label in match written {
            Some(output) => letters(output, equation)?,
            None => implied(&sides),
        } {
            match label {
                Some(label) if output.contains(&label) || !sides.iter().flatten().any(|own| *own == Some(label)) => bail!(
                    Argument,
                    "the result of '{equation}' holds '{}', which must stand there once and in one of the tensors",
                    char::from_u32(label).unwrap_or('?')
                ),
                Some(label) => output.push(label),
                None => output.extend(ellipsis(dots.unwrap_or(0) as usize)),
            }
        }
        let mut terms = agreed(terms, equation)?;
        while terms.len() > 1 {
            let (i, j) = if terms.len() == 2 { (0, 1) } else { cheapest(&terms, &output) };
            let (b, a) = (terms.remove(j), terms.remove(i));
            let elsewhere = |label: Label| output.contains(&label) || terms.iter().any(|term| term.has(label));
            let a = trimmed(a, |label| elsewhere(label) || b.has(label))?;
            let b = trimmed(b, |label| elsewhere(label) || a.has(label))?;
            let product = pair(&a, &b, elsewhere)?;
            terms.insert(i, product);
        }
        let Some(last) = terms.pop() else { bail!(Argument, "at least one tensor is needed") };
        let last = trimmed(last, |label| output.contains(&label))?;
        last.ordered(&output)
    }

    /// The product of two tensors, summed over the dimensions `left` of the first and `right` of the second.
    #[face(native)]
    #[check(none, "its face is tensordot, tested there")]
    #[torch("tensordot")]
    #[autocast(widest)]
    fn tensordot_over(a: &Tensor, b: &Tensor, left: &[isize], right: &[isize]) -> Tensor {
        if left.len() != right.len() {
            bail!(Argument, "{left:?} and {right:?} must name as many dimensions of {} as of {}", show(a.shape()), show(b.shape()));
        }
        let mut labels: Vec<Label> = (0..b.rank() as Label).map(|dim| a.rank() as Label + dim).collect();
        let mut summed = Vec::new();
        for (&from, &to) in left.iter().zip(right) {
            let (from, to) = (axis_of(a.shape(), from)?, axis_of(b.shape(), to)?);
            if summed.contains(&(from as Label)) || labels[to] < a.rank() as Label {
                bail!(Argument, "{left:?} and {right:?} name a dimension twice");
            }
            if a.shape()[from] != b.shape()[to] {
                bail!(Shape, "dim {from} of {} and dim {to} of {} are summed together and must be equal", show(a.shape()), show(b.shape()));
            }
            labels[to] = from as Label;
            summed.push(from as Label);
        }
        let (x, y) = (Term { x: a.clone(), labels: (0..a.rank() as Label).collect() }, Term { x: b.clone(), labels });
        Ok(pair(&x, &y, |label| !summed.contains(&label))?.x)
    }
}

//! Cross entropy of rows of scores with one class each, and its gradient.

use crate::lanes::{max, sum};
use crate::math::Math;
use crate::parallel::{for_each, simd};

/// Elements a task handles at least.
const GRAIN: usize = 1 << 13;

/// The largest score and the logarithm of the sum of `e^(x - largest)`.
#[inline(always)]
fn log_sum<T: Math>(x: &[T]) -> (T, T) {
    let top = max(x);
    // Where all are minus infinity or one is infinite, the difference would be NaN; PyTorch has NaN there too.
    let total = sum(
        x,
        #[inline(always)]
        |x| (x - top).exp(),
    );
    (top, total.log())
}

/// `weight * (log(sum(e^x)) - x[target])` of each row of `classes` scores; a class below 0 does not count.
#[inline]
pub fn forward<T: Math>(x: &[T], targets: &[i64], classes: usize, weight: Option<&[T]>) -> Vec<T> {
    let mut out = vec![T::of(0.0); targets.len()];
    let task = (GRAIN / classes).max(1);
    let work = out.chunks_mut(task).zip(targets.chunks(task)).zip(x.chunks(task * classes)).collect();
    for_each(work, x.len(), |((out, targets), x): ((&mut [T], &[i64]), &[T])| {
        simd(
            #[inline(always)]
            || {
                for ((out, &target), x) in out.iter_mut().zip(targets).zip(x.chunks_exact(classes)) {
                    if target >= 0 {
                        let (top, log) = log_sum(x);
                        let loss = log - (x[target as usize] - top);
                        *out = weight.map_or(loss, |weight| loss * weight[target as usize]);
                    }
                }
            },
        );
    });
    out
}

/// The gradient for the scores: `g * weight * (softmax(x) - onehot(target))`.
#[inline]
pub fn backward<T: Math>(g: &[T], x: &[T], targets: &[i64], classes: usize, weight: Option<&[T]>) -> Vec<T> {
    let mut out = vec![T::of(0.0); x.len()];
    let task = (GRAIN / classes).max(1);
    let inputs = x.chunks(task * classes).zip(targets.chunks(task)).zip(g.chunks(task));
    let work = out.chunks_mut(task * classes).zip(inputs).collect();
    for_each(work, x.len(), |(out, ((x, targets), g)): (&mut [T], ((&[T], &[i64]), &[T]))| {
        simd(
            #[inline(always)]
            || {
                for (((out, x), &target), &g) in out.chunks_exact_mut(classes).zip(x.chunks_exact(classes)).zip(targets).zip(g) {
                    if target >= 0 {
                        let g = weight.map_or(g, |weight| g * weight[target as usize]);
                        let (top, log) = log_sum(x);
                        for (out, &x) in out.iter_mut().zip(x) {
                            *out = g * (x - top - log).exp();
                        }
                        out[target as usize] = out[target as usize] - g;
                    }
                }
            },
        );
    });
    out
}

//! Softmax and its logarithm over the middle of `[outer, n, inner]`, with their gradients along rows.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use crate::map::{Floats, Made};
use crate::math::{Fused, Math};
use crate::parallel::simd_fused;
use crate::zip::larger;

const LANES: usize = 16;
/// Columns that are taken side by side.
const COLUMNS: usize = 64;
/// Elements a task should have at least.
const GRAIN: usize = 1 << 14;

/// The elements of a slice, seen as the type to compute in.
pub(crate) trait Element<L>: Copy + Send + Sync {
    fn lift(self) -> L;
    fn lower(x: L) -> Self;
}

macro_rules! itself {
    ($($t:ty),+) => { $(
        impl Element<$t> for $t {
            #[inline(always)]
            fn lift(self) -> $t {
                self
            }
            #[inline(always)]
            fn lower(x: $t) -> $t {
                x
            }
        }
    )+ };
}

itself!(f32, f64);

impl Element<Fused> for f32 {
    #[inline(always)]
    fn lift(self) -> Fused {
        Fused(self)
    }
    #[inline(always)]
    fn lower(x: Fused) -> f32 {
        x.0
    }
}

/// `f(start, x)` of all elements, in lanes.
#[inline(always)]
pub(crate) fn fold<L: Math, E: Copy>(x: &[E], start: L, lift: impl Fn(L, E) -> L, merge: impl Fn(L, L) -> L) -> L {
    let mut lanes = [start; LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for chunk in whole {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = lift(*lane, x);
        }
    }
    let all = lanes.into_iter().fold(start, &merge);
    rest.iter().fold(
        all,
        #[inline(always)]
        |lane, &x| lift(lane, x),
    )
}

/// One row of softmax, or of its logarithm.
#[inline(always)]
fn row<L: Math, E: Element<L>>(x: &[E], out: &mut [MaybeUninit<E>], log: bool) {
    let top = fold(
        x,
        L::of(f64::NEG_INFINITY),
        #[inline(always)]
        |a, x: E| larger(a, x.lift()),
        larger,
    );
    let zero = L::of(0.0);
    if log {
        let sum = fold(
            x,
            zero,
            #[inline(always)]
            |a, x: E| a + (x.lift() - top).exp(),
            #[inline(always)]
            |a, b| a + b,
        );
        let shift = sum.log();
        for (out, &x) in out.iter_mut().zip(x) {
            out.write(E::lower((x.lift() - top) - shift));
        }
        return;
    }
    for (out, &x) in out.iter_mut().zip(x) {
        out.write(E::lower((x.lift() - top).exp()));
    }
    // SAFETY: the loop above has written every element, since a row and its place are of one length.
    let out = unsafe { out.assume_init_mut() };
    let sum = fold(
        out,
        zero,
        #[inline(always)]
        |a, e: E| a + e.lift(),
        #[inline(always)]
        |a, b| a + b,
    );
    let scale = L::of(1.0) / sum;
    out.iter_mut().for_each(
        #[inline(always)]
        |e| *e = E::lower(e.lift() * scale),
    );
}

/// Columns `from..from + width` of a table of rows of `inner` elements.
#[inline(always)]
fn columns<L: Math, E: Element<L>>(x: &[E], out: &mut [MaybeUninit<E>], inner: usize, from: usize, width: usize, log: bool) {
    let (mut top, mut sum) = ([L::of(f64::NEG_INFINITY); COLUMNS], [L::of(0.0); COLUMNS]);
    for row in x.chunks_exact(inner) {
        for (top, &x) in top[..width].iter_mut().zip(&row[from..from + width]) {
            *top = larger(*top, x.lift());
        }
    }
    for row in x.chunks_exact(inner) {
        for ((sum, &top), &x) in sum[..width].iter_mut().zip(&top).zip(&row[from..from + width]) {
            *sum = *sum + (x.lift() - top).exp();
        }
    }
    for sum in &mut sum[..width] {
        *sum = if log { sum.log() } else { L::of(1.0) / *sum };
    }
    for (row, out) in x.chunks_exact(inner).zip(out.chunks_exact_mut(inner)) {
        for ((out, &x), (&top, &sum)) in out[from..from + width].iter_mut().zip(&row[from..from + width]).zip(top.iter().zip(&sum)) {
            let shifted = x.lift() - top;
            out.write(E::lower(if log { shifted - sum } else { shifted.exp() * sum }));
        }
    }
}

#[inline]
fn forward<E: Element<E> + Element<F> + Math, F: Math>(x: &[E], [outer, n, inner]: [usize; 3], log: bool) -> Vec<E> {
    assert!(x.len() == outer * n * inner);
    let size = n * inner;
    let mut out = Vec::with_capacity(x.len());
    let place = &mut out.spare_capacity_mut()[..x.len()];
    let table = |x: &[E], out: &mut [MaybeUninit<E>]| {
        if inner == 1 {
            simd_fused(
                out,
                #[inline(always)]
                |out| row::<E, E>(x, out, log),
                #[inline(always)]
                |out| row::<F, E>(x, out, log),
            );
            return;
        }
        for from in (0..inner).step_by(COLUMNS) {
            let width = COLUMNS.min(inner - from);
            simd_fused(
                &mut *out,
                #[inline(always)]
                |out| columns::<E, E>(x, out, inner, from, width, log),
                #[inline(always)]
                |out| columns::<F, E>(x, out, inner, from, width, log),
            );
        }
    };
    if size == 0 {
        return Vec::new();
    }
    if x.len() <= 2 * GRAIN {
        x.chunks_exact(size).zip(place.chunks_exact_mut(size)).for_each(|(x, out)| table(x, out));
    } else {
        let least = (GRAIN / size).max(1);
        x.par_chunks_exact(size).zip(place.par_chunks_exact_mut(size)).with_min_len(least).for_each(|(x, out)| table(x, out));
    }
    // SAFETY: the tables cover all elements, and each is written whole.
    unsafe { out.set_len(x.len()) };
    out
}

/// `e^x / sum(e^x)` over the middle, or its logarithm.
pub fn softmax(x: Floats<'_>, shape: [usize; 3], log: bool) -> Made {
    match x {
        Floats::F32(x) => Made::F32(forward::<f32, Fused>(x, shape, log)),
        Floats::F64(x) => Made::F64(forward::<f64, f64>(x, shape, log)),
    }
}

/// One row of the gradient, from that of the output and from the output: `y (g - sum(g y))`; of the logarithm `g - e^y sum(g)`.
#[inline(always)]
fn gradient_row<L: Math, E: Element<L>>(g: &[E], y: &[E], out: &mut [MaybeUninit<E>], log: bool) {
    let mut lanes = [L::of(0.0); LANES];
    let ((whole, rest), (whole_y, rest_y)) = (g.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    #[inline(always)]
    fn part<L: Math, E: Element<L>>(g: E, y: E, log: bool) -> L {
        if log { g.lift() } else { g.lift() * y.lift() }
    }
    for (g, y) in whole.iter().zip(whole_y) {
        for (lane, (&g, &y)) in lanes.iter_mut().zip(g.iter().zip(y)) {
            *lane = *lane + part(g, y, log);
        }
    }
    let sum = lanes.into_iter().fold(L::of(0.0), |a, b| a + b);
    let sum = rest.iter().zip(rest_y).fold(sum, |sum, (&g, &y)| sum + part(g, y, log));
    for (out, (&g, &y)) in out.iter_mut().zip(g.iter().zip(y)) {
        let (g, y): (L, L) = (g.lift(), y.lift());
        out.write(E::lower(if log { g - y.exp() * sum } else { y * (g - sum) }));
    }
}

#[inline]
fn backward<E: Element<E> + Element<F> + Math, F: Math>(g: &[E], y: &[E], n: usize, log: bool) -> Vec<E> {
    assert!(g.len() == y.len() && n > 0);
    let mut out = Vec::with_capacity(y.len());
    let place = &mut out.spare_capacity_mut()[..y.len()];
    let rows = |start: usize, out: &mut [MaybeUninit<E>]| {
        for (i, out) in out.chunks_mut(n).enumerate() {
            let (from, to) = (start + i * n, start + (i + 1) * n);
            let (g, y) = (&g[from..to], &y[from..to]);
            simd_fused(
                out,
                #[inline(always)]
                |out| gradient_row::<E, E>(g, y, out, log),
                #[inline(always)]
                |out| gradient_row::<F, E>(g, y, out, log),
            );
        }
    };
    let piece = (GRAIN / n).max(1) * n;
    if y.len() <= 2 * GRAIN {
        rows(0, place);
    } else {
        place.par_chunks_mut(piece).enumerate().for_each(|(i, out)| rows(i * piece, out));
    }
    // SAFETY: the pieces cover all elements, and each row is written whole.
    unsafe { out.set_len(y.len()) };
    out
}

/// The gradient of `softmax` along rows of `n` elements, from that of its output and from its output.
pub fn softmax_gradient(g: Floats<'_>, y: Floats<'_>, n: usize, log: bool) -> Option<Made> {
    match (g, y) {
        (Floats::F32(g), Floats::F32(y)) => Some(Made::F32(backward::<f32, Fused>(g, y, n, log))),
        (Floats::F64(g), Floats::F64(y)) => Some(Made::F64(backward::<f64, f64>(g, y, n, log))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_columns_agree_with_the_formula() {
        for [outer, n, inner] in [[1, 1, 1], [3, 70, 1], [2, 33, 5], [5, 4, 130], [600, 100, 1], [1, 0, 3]] {
            let x: Vec<f64> = (0..outer * n * inner).map(|i| (i as f64 * 0.7).sin() * 20.0).collect();
            let single: Vec<f32> = x.iter().map(|&x| x as f32).collect();
            for log in [false, true] {
                let (Made::F64(y), Made::F32(z)) =
                    (softmax(Floats::F64(&x), [outer, n, inner], log), softmax(Floats::F32(&single), [outer, n, inner], log))
                else {
                    panic!("the precision changed")
                };
                for at in 0..x.len() {
                    let (i, j) = (at / (n * inner), at % inner);
                    let sum: f64 = (0..n).map(|k| x[(i * n + k) * inner + j].exp()).sum();
                    let expected = if log { x[at] - sum.ln() } else { x[at].exp() / sum };
                    assert!((y[at] - expected).abs() <= 1e-13 * expected.abs().max(1.0));
                    assert!(
                        (f64::from(z[at]) - expected).abs() <= 3e-6 * expected.abs().max(if log { 1.0 } else { 1e-3 }),
                        "{} and {expected}",
                        z[at]
                    );
                }
            }
        }
    }
}

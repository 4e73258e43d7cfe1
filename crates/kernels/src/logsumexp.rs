//! `log(sum(e^x))` over the middle of `[outer, n, inner]`, in one pass for the largest element and one for the sum.

use rayon::prelude::*;

use crate::map::{Floats, Made};
use crate::math::{Fused, Math};
use crate::parallel::simd_fused;
use crate::softmax::{Element, fold};
use crate::zip::larger;

/// Elements of a row that lanes take in before they are added up in float64.
const BLOCK: usize = 1024;
/// Elements of a row that one task takes at most.
const CHUNK: usize = 1 << 14;
/// Columns that are taken side by side, and rows before their lanes are added up.
const COLUMNS: usize = 64;
const ROWS: usize = 64;

/// A part of a sum: `scaled * e^shift`.
#[derive(Clone, Copy)]
struct Part {
    shift: f64,
    scaled: f64,
}

impl Part {
    fn log(self) -> f64 {
        self.scaled.ln() + self.shift
    }

    fn join(parts: &[Part]) -> Part {
        // A part of nothing but -inf is 0, whatever its shift.
        let full = || parts.iter().filter(|part| part.scaled != 0.0);
        let shift = full().map(|part| part.shift).reduce(f64::max).unwrap_or(0.0);
        // An infinite part, whose shift is 0, is not made smaller: infinity times 0 would be NaN.
        let at = |part: &Part| if part.scaled.is_finite() { part.scaled * (part.shift - shift).exp() } else { part.scaled };
        Part { shift, scaled: full().map(at).sum() }
    }
}

/// What to take off so that nothing overflows; 0 where the largest is infinite or NaN, and the sum says so by itself.
#[inline(always)]
fn shift<L: Math>(top: L) -> L {
    if top.is_finite() { top } else { L::of(0.0) }
}

#[inline(always)]
fn row<L: Math, E: Element<L>>(x: &[E]) -> Part {
    let top = fold(
        x,
        L::of(f64::NEG_INFINITY),
        #[inline(always)]
        |a, x: E| larger(a, x.lift()),
        larger,
    );
    let top = shift(top);
    let mut scaled = 0.0;
    for block in x.chunks(BLOCK) {
        let sum = fold(
            block,
            L::of(0.0),
            #[inline(always)]
            |a, x: E| a + (x.lift() - top).exp(),
            #[inline(always)]
            |a, b| a + b,
        );
        scaled += sum.f64();
    }
    Part { shift: top.f64(), scaled }
}

/// Columns `from..from + out.len()` of a table of rows of `inner` elements.
#[inline(always)]
fn columns<L: Math, E: Element<L>>(x: &[E], inner: usize, from: usize, out: &mut [E]) {
    let width = out.len();
    let mut top = [L::of(f64::NEG_INFINITY); COLUMNS];
    for row in x.chunks_exact(inner) {
        for (top, &x) in top.iter_mut().zip(&row[from..from + width]) {
            *top = larger(*top, x.lift());
        }
    }
    top.iter_mut().for_each(|top| *top = shift(*top));
    let mut totals = [0.0; COLUMNS];
    for rows in x.chunks(ROWS * inner) {
        let mut sums = [L::of(0.0); COLUMNS];
        for row in rows.chunks_exact(inner) {
            for ((sum, &top), &x) in sums.iter_mut().zip(&top).zip(&row[from..from + width]) {
                *sum = *sum + (x.lift() - top).exp();
            }
        }
        totals.iter_mut().zip(&sums).for_each(|(total, sum)| *total += sum.f64());
    }
    for (out, (&shift, &scaled)) in out.iter_mut().zip(top.iter().zip(&totals)) {
        *out = E::lower(L::of(Part { shift: shift.f64(), scaled }.log()));
    }
}

#[inline]
fn forward<E: Element<E> + Element<F> + Math, F: Math>(x: &[E], [outer, n, inner]: [usize; 3]) -> Vec<E> {
    assert!(x.len() == outer * n * inner);
    let mut out = vec![E::of(f64::NEG_INFINITY); outer * inner];
    if x.is_empty() {
        return out;
    }
    let part = |x: &[E]| {
        simd_fused(
            x,
            #[inline(always)]
            |x| row::<E, E>(x),
            #[inline(always)]
            |x| row::<F, E>(x),
        )
    };
    if inner == 1 && outer < 8 && n > CHUNK {
        for (out, x) in out.iter_mut().zip(x.chunks_exact(n)) {
            *out = E::of(Part::join(&x.par_chunks(CHUNK).map(part).collect::<Vec<_>>()).log());
        }
        return out;
    }
    let table = |(x, out): (&[E], &mut [E])| {
        if inner == 1 {
            out[0] = E::of(Part::join(&x.chunks(CHUNK).map(part).collect::<Vec<_>>()).log());
            return;
        }
        let work = |(i, out): (usize, &mut [E])| {
            simd_fused(
                out,
                #[inline(always)]
                |out| columns::<E, E>(x, inner, i * COLUMNS, out),
                #[inline(always)]
                |out| columns::<F, E>(x, inner, i * COLUMNS, out),
            );
        };
        if x.len() <= 2 * CHUNK {
            out.chunks_mut(COLUMNS).enumerate().for_each(work);
        } else {
            out.par_chunks_mut(COLUMNS).enumerate().for_each(work);
        }
    };
    let size = n * inner;
    if x.len() <= 2 * CHUNK {
        x.chunks_exact(size).zip(out.chunks_exact_mut(inner)).for_each(table);
    } else {
        x.par_chunks_exact(size).zip(out.par_chunks_exact_mut(inner)).with_min_len((CHUNK / size).max(1)).for_each(table);
    }
    out
}

/// `[outer, inner]` from `[outer, n, inner]`; -inf of nothing.
pub fn log_sum_exp(x: Floats<'_>, shape: [usize; 3]) -> Made {
    match x {
        Floats::F32(x) => Made::F32(forward::<f32, Fused>(x, shape)),
        Floats::F64(x) => Made::F64(forward::<f64, f64>(x, shape)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(x: &[f64], shape: [usize; 3]) -> Vec<f64> {
        let (Made::F64(wide), Made::F32(single)) =
            (log_sum_exp(Floats::F64(x), shape), log_sum_exp(Floats::F32(&x.iter().map(|&x| x as f32).collect::<Vec<_>>()), shape))
        else {
            panic!("the precision changed")
        };
        for (&wide, &single) in wide.iter().zip(&single) {
            let close = (wide - f64::from(single)).abs() <= 2e-6 * wide.abs().max(1.0);
            assert!(close || wide == f64::from(single) || (wide.is_nan() && single.is_nan()), "{wide} {single}");
        }
        wide
    }

    #[test]
    fn agrees_with_the_formula() {
        for [outer, n, inner] in [[1, 1, 1], [3, 70, 1], [2, 33, 5], [5, 4, 130], [1, 40_000, 1], [9, 20_000, 1], [1, 700, 100]] {
            let x: Vec<f64> = (0..outer * n * inner).map(|i| (i as f64 * 0.7).sin() * 20.0).collect();
            for (at, got) in of(&x, [outer, n, inner]).into_iter().enumerate() {
                let (i, j) = (at / inner, at % inner);
                let expected = (0..n).map(|k| x[(i * n + k) * inner + j].exp()).sum::<f64>().ln();
                assert!((got - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{got} {expected}");
            }
        }
    }

    #[test]
    fn infinities_and_nan() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        for n in [1, 3, 100, 40_000] {
            for inner in [1, 2] {
                let row = |value: f64, last: f64| {
                    let mut x = vec![value; n * inner];
                    x[(n - 1) * inner..].fill(last);
                    of(&x, [1, n, inner])[0]
                };
                assert_eq!(row(-inf, -inf), -inf);
                assert_eq!(row(-inf, -1000.0), -1000.0);
                assert_eq!(row(1000.0, inf), inf);
                assert!(row(0.0, nan).is_nan() && row(-inf, nan).is_nan());
            }
        }
        assert_eq!(of(&[], [2, 0, 1]), [-inf, -inf]);
    }
}

//! Reductions of `[outer, n, inner]` in row-major order over its middle: lanes in the element's own precision within blocks of fixed size,
//! blocks in a wider one, so that the result is accurate and never depends on the number of threads.

use rayon::prelude::*;

use crate::fold::{Fold, Powers, Sum};
use crate::parallel::simd;
use crate::real::Real;

const LANES: usize = 64;
/// Elements of a row that lanes take in before they are added up.
const BLOCK: usize = 2048;
/// Elements of a row that one task takes at most.
const CHUNK: usize = 1 << 15;
/// Columns that are taken side by side, and rows before their lanes are added up.
const COLUMNS: usize = 256;
const ROWS: usize = 64;
/// Elements a task should have at least.
const GRAIN: usize = 1 << 14;

/// Elements of a row that one lane takes in, where there are no more.
const FEW: usize = 16;

#[inline(always)]
fn row<F: Fold>(fold: F, x: &[F::Element]) -> F::Total {
    let mut total = fold.total();
    for block in x.chunks(BLOCK) {
        let (whole, rest) = block.as_chunks::<LANES>();
        if whole.is_empty() && rest.len() <= FEW {
            let lane = rest.iter().fold(
                fold.lane(),
                #[inline(always)]
                |lane, &x| fold.take(lane, x),
            );
            total = fold.add(total, lane);
            continue;
        }
        let mut lanes = [fold.lane(); LANES];
        // Four at a time: lanes are read and written back once for all of them.
        let (fours, others) = whole.as_chunks::<4>();
        for [first, second, third, fourth] in fours {
            for i in 0..LANES {
                let lane = fold.take(fold.take(lanes[i], first[i]), second[i]);
                lanes[i] = fold.take(fold.take(lane, third[i]), fourth[i]);
            }
        }
        for chunk in others {
            for (lane, &x) in lanes.iter_mut().zip(chunk) {
                *lane = fold.take(*lane, x);
            }
        }
        for (lane, &x) in lanes.iter_mut().zip(rest) {
            *lane = fold.take(*lane, x);
        }
        let mut width = LANES;
        while width > 1 {
            width /= 2;
            let (low, high) = lanes.split_at_mut(width);
            for (low, &high) in low.iter_mut().zip(&*high) {
                *low = fold.merge(*low, high);
            }
        }
        total = fold.add(total, lanes[0]);
    }
    total
}

/// Columns `from..from + folds.len()` of `x`, which has rows of `inner` elements.
#[inline(always)]
fn columns<F: Fold>(folds: &[F], x: &[F::Element], inner: usize, from: usize, totals: &mut [F::Total]) {
    for block in x.chunks(ROWS * inner) {
        let mut lanes = [folds[0].lane(); COLUMNS];
        for row in block.chunks_exact(inner) {
            for ((lane, fold), &x) in lanes.iter_mut().zip(folds).zip(&row[from..from + folds.len()]) {
                *lane = fold.take(*lane, x);
            }
        }
        for ((total, fold), &lane) in totals.iter_mut().zip(folds).zip(&lanes) {
            *total = fold.add(*total, lane);
        }
    }
}

/// Runs `f` on pieces of `out`, of `size` elements each, on all cores where that pays; a piece stands for `work` elements.
#[inline]
fn pieces<T: Send>(out: &mut [T], size: usize, work: usize, f: impl Fn(usize, &mut [T]) + Sync + Send) {
    if work.saturating_mul(out.len().div_ceil(size)) <= 2 * GRAIN {
        out.chunks_mut(size).enumerate().for_each(|(i, out)| f(i, out));
    } else {
        out.par_chunks_mut(size).enumerate().with_min_len((GRAIN / work.max(1)).max(1)).for_each(|(i, out)| f(i, out));
    }
}

/// `[outer, inner]` from `[outer, n, inner]`.
#[inline]
pub fn reduce<F: Fold>(fold: F, x: &[F::Element], outer: usize, n: usize, inner: usize) -> Vec<F::Out> {
    reduce_each(|_| fold, x, outer, n, inner)
}

/// The same with a fold for each of the results, whose position it gets.
#[inline]
fn reduce_each<F: Fold>(fold: impl Fn(usize) -> F + Sync, x: &[F::Element], outer: usize, n: usize, inner: usize) -> Vec<F::Out> {
    assert!(x.len() == outer * n * inner);
    if x.is_empty() {
        return (0..outer * inner).map(|i| fold(i).finish(fold(i).total())).collect();
    }
    let mut out = vec![F::Out::default(); outer * inner];
    if inner == 1 {
        if outer < 8 && n > CHUNK {
            for (i, (out, x)) in out.iter_mut().zip(x.chunks_exact(n)).enumerate() {
                let fold = fold(i);
                let parts: Vec<F::Total> = x
                    .par_chunks(CHUNK)
                    .map(|x| {
                        simd(
                            #[inline(always)]
                            || row(fold, x),
                        )
                    })
                    .collect();
                *out = fold.finish(parts.into_iter().fold(fold.total(), |a, b| fold.join(a, b)));
            }
        } else {
            pieces(&mut out, 1, n, |i, out| {
                let (x, fold) = (&x[i * n..(i + 1) * n], fold(i));
                let total = x.chunks(CHUNK).fold(fold.total(), |total, x| {
                    fold.join(
                        total,
                        simd(
                            #[inline(always)]
                            || row(fold, x),
                        ),
                    )
                });
                out[0] = fold.finish(total);
            });
        }
        return out;
    }
    let lengthy = n > 2 * ROWS && outer * inner <= 8 * COLUMNS && x.len() > 2 * GRAIN;
    let folds = |first: usize, width: usize| (first..first + width).map(&fold).collect::<Vec<F>>();
    for (i, (out, x)) in out.chunks_mut(inner).zip(x.chunks_exact(n * inner)).take(if lengthy { outer } else { 0 }).enumerate() {
        let folds = folds(i * inner, inner);
        // Few columns of many rows: a task takes some of the rows.
        let rows = (GRAIN / inner).max(ROWS);
        let parts: Vec<Vec<F::Total>> = x
            .par_chunks(rows * inner)
            .map(|x| {
                let mut part: Vec<F::Total> = folds.iter().map(|fold| fold.total()).collect();
                for (i, (totals, folds)) in part.chunks_mut(COLUMNS).zip(folds.chunks(COLUMNS)).enumerate() {
                    simd(
                        #[inline(always)]
                        || columns(folds, x, inner, i * COLUMNS, totals),
                    );
                }
                part
            })
            .collect();
        for ((i, out), fold) in out.iter_mut().enumerate().zip(&folds) {
            *out = fold.finish(parts.iter().fold(fold.total(), |total, part| fold.join(total, part[i])));
        }
    }
    if lengthy {
        return out;
    }
    pieces(&mut out, inner, n * inner, |i, out| {
        let x = &x[i * n * inner..(i + 1) * n * inner];
        pieces(out, COLUMNS, n * COLUMNS.min(inner), |j, out| {
            let folds = folds(i * inner + j * COLUMNS, out.len());
            let mut totals = [folds[0].total(); COLUMNS];
            simd(
                #[inline(always)]
                || columns(&folds, x, inner, j * COLUMNS, &mut totals[..folds.len()]),
            );
            out.iter_mut().zip(&totals).zip(&folds).for_each(|((out, &total), fold)| *out = fold.finish(total));
        });
    });
    out
}

/// Sums of squares about the mean, `[outer, inner]` from `[outer, n, inner]`.
#[inline]
pub fn squares_about_mean<T: Real + Default>(x: &[T], outer: usize, n: usize, inner: usize) -> Vec<f64> {
    let sums = reduce(Sum::<T, f64>::new(), x, outer, n, inner);
    // About the mean as the elements' type rounds it; what that adds is taken off.
    let means: Vec<(T, f64)> = sums.iter().map(|sum| (T::of(sum / n as f64), sum / n as f64)).collect();
    let mut out = reduce_each(|i| Powers::<T, f64, 2>::about(means[i].0), x, outer, n, inner);
    for (out, &(about, mean)) in out.iter_mut().zip(&means) {
        // Infinities and NaN stay what they are.
        let off = mean - about.f64();
        *out = if off.is_finite() { (*out - off * off * n as f64).max(0.0) } else { *out };
    }
    out
}

/// Positions along the middle of the elements that `fold` chooses: the first of equals, and NaN before all. `wins` says which of two it is.
#[inline]
pub fn positions<T: Copy + PartialOrd + Default + Send + Sync, F: Fold<Element = T, Out = T>>(
    fold: F,
    x: &[T],
    [outer, n, inner]: [usize; 3],
    wins: impl Fn(T, T) -> bool + Copy + Sync + Send,
) -> Vec<i64> {
    let mut out = vec![0_i64; outer * inner];
    if x.is_empty() {
        return out;
    }
    // NaN is what differs from itself.
    #[allow(clippy::eq_op)]
    let is_nan = |x: T| x != x;
    if inner == 1 {
        let chosen = reduce(fold, x, outer, n, inner);
        pieces(&mut out, 1, n, |i, out| {
            let top = chosen[i];
            let here = |&x: &T| x == top || (is_nan(x) && is_nan(top));
            out[0] = x[i * n..(i + 1) * n].iter().position(here).unwrap_or(0) as i64;
        });
        return out;
    }
    assert!(x.len() == outer * n * inner);
    pieces(&mut out, inner, n * inner, |i, out| {
        let x = &x[i * n * inner..(i + 1) * n * inner];
        pieces(out, COLUMNS, n * COLUMNS.min(inner), |j, out| {
            let from = j * COLUMNS;
            let mut best: Vec<T> = x[from..from + out.len()].to_vec();
            for (at, row) in x.chunks_exact(inner).enumerate().skip(1) {
                for ((best, out), &x) in best.iter_mut().zip(&mut *out).zip(&row[from..]) {
                    if wins(x, *best) || (is_nan(x) && !is_nan(*best)) {
                        (*best, *out) = (x, at as i64);
                    }
                }
            }
        });
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::{largest, smallest};

    /// Sizes around every block against sums in whole numbers, which floats of this size hold exactly.
    #[test]
    fn sums_and_extremes_agree_with_plain_loops() {
        for (outer, n, inner) in [
            (1, 0, 3),
            (2, 3, 0),
            (0, 3, 2),
            (3, 1, 1),
            (2, 63, 1),
            (5, 70, 1),
            (1, 2100, 1),
            (1, 100_001, 1),
            (9, 33_000, 1),
            (2, 70, 3),
            (1, 5000, 7),
            (3, 5, 300),
            (40, 130, 260),
        ] {
            let x: Vec<f32> = (0..outer * n * inner).map(|i| ((i * 7919) % 101) as f32 - 50.0).collect();
            let middle = |i: usize, j: usize| (0..n).map(move |k| (i * n + k) * inner + j);
            let plain: Vec<f32> = (0..outer * inner).map(|at| middle(at / inner, at % inner).map(|k| x[k]).sum()).collect();
            assert_eq!(reduce(Sum::<f32>::new(), &x, outer, n, inner), plain, "{outer} {n} {inner}");
            if n > 0 {
                let top: Vec<f32> =
                    (0..outer * inner).map(|at| middle(at / inner, at % inner).map(|k| x[k]).fold(f32::MIN, f32::max)).collect();
                assert_eq!(reduce(largest(f32::NEG_INFINITY), &x, outer, n, inner), top, "{outer} {n} {inner}");
                let first = positions(largest(f32::NEG_INFINITY), &x, [outer, n, inner], |a, b| a > b);
                for (at, &first) in first.iter().enumerate() {
                    let of_top = middle(at / inner, at % inner).position(|k| x[k] == top[at]);
                    assert_eq!(Some(first as usize), of_top);
                }
            }
        }
    }

    #[test]
    fn nan_wins_wherever_it_stands() {
        for n in [1, 5, 64, 200, 3000] {
            for at in [0, n / 2, n - 1] {
                let mut x = vec![1.0_f64; n];
                x[at] = f64::NAN;
                assert!(reduce(largest(f64::NEG_INFINITY), &x, 1, n, 1)[0].is_nan());
                assert!(reduce(smallest(f64::INFINITY), &x, 1, n, 1)[0].is_nan());
                assert_eq!(positions(largest(f64::NEG_INFINITY), &x, [1, n, 1], |a, b| a > b), [at as i64]);
            }
        }
    }
}

//! Reductions of `[outer, n, inner]` in row-major order over its middle: lanes in the element's own precision within blocks of fixed size,
//! blocks in a wider one, so that the result is accurate and never depends on the number of threads.

use rayon::prelude::*;

use crate::parallel::simd;
use crate::real::Real;
use crate::zip::{larger, smaller};

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

/// What a reduction does with its elements.
pub trait Fold: Copy + Sync {
    type Element: Copy + Sync;
    type Lane: Copy;
    type Total: Copy + Send + Sync;
    type Out: Copy + Default + Send;
    fn lane(self) -> Self::Lane;
    fn take(self, lane: Self::Lane, x: Self::Element) -> Self::Lane;
    fn merge(self, a: Self::Lane, b: Self::Lane) -> Self::Lane;
    fn total(self) -> Self::Total;
    fn add(self, total: Self::Total, lane: Self::Lane) -> Self::Total;
    fn join(self, a: Self::Total, b: Self::Total) -> Self::Total;
    fn finish(self, total: Self::Total) -> Self::Out;
}

#[inline(always)]
fn row<F: Fold>(fold: F, x: &[F::Element]) -> F::Total {
    let mut total = fold.total();
    for block in x.chunks(BLOCK) {
        let (whole, rest) = block.as_chunks::<LANES>();
        if !whole.is_empty() {
            let mut lanes = [fold.lane(); LANES];
            for chunk in whole {
                for (lane, &x) in lanes.iter_mut().zip(chunk) {
                    *lane = fold.take(*lane, x);
                }
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
        if !rest.is_empty() {
            total = fold.add(
                total,
                rest.iter().fold(
                    fold.lane(),
                    #[inline(always)]
                    |lane, &x| fold.take(lane, x),
                ),
            );
        }
    }
    total
}

/// Columns `from..from + totals.len()` of `x`, which has rows of `inner` elements.
#[inline(always)]
fn columns<F: Fold>(fold: F, x: &[F::Element], inner: usize, from: usize, totals: &mut [F::Total; COLUMNS], width: usize) {
    for block in x.chunks(ROWS * inner) {
        let mut lanes = [fold.lane(); COLUMNS];
        for row in block.chunks_exact(inner) {
            for (lane, &x) in lanes[..width].iter_mut().zip(&row[from..from + width]) {
                *lane = fold.take(*lane, x);
            }
        }
        for (total, &lane) in totals[..width].iter_mut().zip(&lanes) {
            *total = fold.add(*total, lane);
        }
    }
}

/// Runs `f` on pieces of `out`, of `size` elements each, on all cores where that pays; a piece stands for `work` elements.
fn pieces<T: Send>(out: &mut [T], size: usize, work: usize, f: impl Fn(usize, &mut [T]) + Sync + Send) {
    if work.saturating_mul(out.len().div_ceil(size)) <= 2 * GRAIN {
        out.chunks_mut(size).enumerate().for_each(|(i, out)| f(i, out));
    } else {
        out.par_chunks_mut(size).enumerate().with_min_len((GRAIN / work.max(1)).max(1)).for_each(|(i, out)| f(i, out));
    }
}

/// `[outer, inner]` from `[outer, n, inner]`.
pub fn reduce<F: Fold>(fold: F, x: &[F::Element], outer: usize, n: usize, inner: usize) -> Vec<F::Out> {
    assert!(x.len() == outer * n * inner);
    if x.is_empty() {
        return vec![fold.finish(fold.total()); outer * inner];
    }
    let mut out = vec![F::Out::default(); outer * inner];
    if inner == 1 {
        if outer < 8 && n > CHUNK {
            for (out, x) in out.iter_mut().zip(x.chunks_exact(n)) {
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
                let x = &x[i * n..(i + 1) * n];
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
    for (out, x) in out.chunks_mut(inner).zip(x.chunks_exact(n * inner)).take(if lengthy { outer } else { 0 }) {
        // Few columns of many rows: a task takes some of the rows.
        let rows = (GRAIN / inner).max(ROWS);
        let parts: Vec<Vec<F::Total>> = x
            .par_chunks(rows * inner)
            .map(|x| {
                let mut part = Vec::with_capacity(inner);
                for from in (0..inner).step_by(COLUMNS) {
                    let (mut totals, width) = ([fold.total(); COLUMNS], COLUMNS.min(inner - from));
                    simd(
                        #[inline(always)]
                        || columns(fold, x, inner, from, &mut totals, width),
                    );
                    part.extend_from_slice(&totals[..width]);
                }
                part
            })
            .collect();
        for (i, out) in out.iter_mut().enumerate() {
            *out = fold.finish(parts.iter().fold(fold.total(), |total, part| fold.join(total, part[i])));
        }
    }
    if lengthy {
        return out;
    }
    let block = |x: &[F::Element], from: usize, out: &mut [F::Out]| {
        let mut totals = [fold.total(); COLUMNS];
        simd(
            #[inline(always)]
            || columns(fold, x, inner, from, &mut totals, out.len()),
        );
        out.iter_mut().zip(&totals).for_each(|(out, &total)| *out = fold.finish(total));
    };
    pieces(&mut out, inner, n * inner, |i, out| {
        let x = &x[i * n * inner..(i + 1) * n * inner];
        pieces(out, COLUMNS, n * COLUMNS.min(inner), |j, out| block(x, j * COLUMNS, out));
    });
    out
}

/// The sum of floating point numbers, in f64 from block to block.
#[derive(Clone, Copy)]
pub struct Sum<T>(std::marker::PhantomData<T>);

/// The sum of integers, which wraps around.
#[derive(Clone, Copy)]
pub struct Count;

/// The largest and the smallest element; NaN wins.
#[derive(Clone, Copy)]
pub struct Largest<T>(T);
#[derive(Clone, Copy)]
pub struct Smallest<T>(T);

impl<T: Real> Sum<T> {
    #[allow(clippy::new_without_default)] // It is a choice, not a value.
    pub fn new() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<T: Real + Default> Fold for Sum<T> {
    type Element = T;
    type Lane = T;
    type Total = f64;
    type Out = T;
    #[inline(always)]
    fn lane(self) -> T {
        T::of(0.0)
    }
    #[inline(always)]
    fn take(self, lane: T, x: T) -> T {
        lane + x
    }
    #[inline(always)]
    fn merge(self, a: T, b: T) -> T {
        a + b
    }
    #[inline(always)]
    fn total(self) -> f64 {
        0.0
    }
    #[inline(always)]
    fn add(self, total: f64, lane: T) -> f64 {
        total + lane.f64()
    }
    #[inline(always)]
    fn join(self, a: f64, b: f64) -> f64 {
        a + b
    }
    #[inline(always)]
    fn finish(self, total: f64) -> T {
        T::of(total)
    }
}

macro_rules! plain {
    ($name:ty, [$($bound:tt)*], $t:ty, $start:expr, $join:expr) => {
        impl $($bound)* Fold for $name {
            type Element = $t;
            type Lane = $t;
            type Total = $t;
            type Out = $t;
            #[inline(always)]
            fn lane(self) -> $t {
                $start(self)
            }
            #[inline(always)]
            fn take(self, lane: $t, x: $t) -> $t {
                $join(lane, x)
            }
            #[inline(always)]
            fn merge(self, a: $t, b: $t) -> $t {
                $join(a, b)
            }
            #[inline(always)]
            fn total(self) -> $t {
                $start(self)
            }
            #[inline(always)]
            fn add(self, total: $t, lane: $t) -> $t {
                $join(total, lane)
            }
            #[inline(always)]
            fn join(self, a: $t, b: $t) -> $t {
                $join(a, b)
            }
            #[inline(always)]
            fn finish(self, total: $t) -> $t {
                total
            }
        }
    };
}

plain!(Count, [], i64, |_| 0, i64::wrapping_add);
plain!(Largest<T>, [<T: Copy + Default + PartialOrd + Send + Sync>], T, |fold: Largest<T>| fold.0, larger);
plain!(Smallest<T>, [<T: Copy + Default + PartialOrd + Send + Sync>], T, |fold: Smallest<T>| fold.0, smaller);

/// The largest of elements that are `least` or more.
pub fn largest<T>(least: T) -> Largest<T> {
    Largest(least)
}

/// The smallest of elements that are `greatest` or less.
pub fn smallest<T>(greatest: T) -> Smallest<T> {
    Smallest(greatest)
}

/// Positions along the middle of the elements that `fold` chooses: the first of equals, and NaN before all. `wins` says which of two it is.
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
            assert_eq!(reduce(Sum::new(), &x, outer, n, inner), plain, "{outer} {n} {inner}");
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

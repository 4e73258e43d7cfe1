//! Norms of gradients.

use crate::parallel::{map, pieces, simd, sum};
use crate::real::Real;

const LANES: usize = 16;
const BLOCK: usize = 1024;

/// Sum of `f(x)` of one slice: lanes in its own precision within a block, blocks in f64.
#[inline(always)]
fn fold<T: Real>(x: &[T], f: impl Fn(T) -> T) -> f64 {
    let mut total = 0.0;
    for block in x.chunks(BLOCK) {
        let mut lanes = [T::of(0.0); LANES];
        let (whole, rest) = block.as_chunks::<LANES>();
        for chunk in whole {
            for (lane, &x) in lanes.iter_mut().zip(chunk) {
                *lane = *lane + f(x);
            }
        }
        total += lanes.iter().map(|&lane| lane.f64()).sum::<f64>() + rest.iter().map(|&x| f(x).f64()).sum::<f64>();
    }
    total
}

fn total<T: Real>(slices: &[&[T]], f: impl Fn(&[T]) -> f64 + Sync + Send) -> f64 {
    let lengths: Vec<usize> = slices.iter().map(|s| s.len()).collect();
    let work = lengths.iter().sum();
    sum(&pieces(&lengths), work, |&(item, start, end)| {
        simd(
            #[inline(always)]
            || f(&slices[item][start..end]),
        )
    })
}

/// `sum(|x|^p)` over all slices.
pub fn power_sum<T: Real>(slices: &[&[T]], p: f64) -> f64 {
    match p {
        1.0 => total(
            slices,
            #[inline(always)]
            |x| fold(x, T::abs),
        ),
        2.0 => total(
            slices,
            #[inline(always)]
            |x| {
                fold(
                    x,
                    #[inline(always)]
                    |x| x * x,
                )
            },
        ),
        _ => total(slices, |x| x.iter().map(|x| x.abs().f64().powf(p)).sum()),
    }
}

/// Largest `|x|` over all slices; NaN if any is NaN.
pub fn largest<T: Real>(slices: &[&[T]]) -> f64 {
    let lengths: Vec<usize> = slices.iter().map(|s| s.len()).collect();
    let pieces = pieces(&lengths);
    let largest = |&(item, start, end): &(usize, usize, usize)| -> T {
        simd(
            #[inline(always)]
            || slices[item][start..end].iter().fold(T::of(0.0), |most, x| if x.abs() > most || x.is_nan() { x.abs() } else { most }),
        )
    };
    let each = map(&pieces, lengths.iter().sum(), largest);
    if each.iter().any(|x| x.is_nan()) { f64::NAN } else { each.iter().fold(0.0, |most, x| x.f64().max(most)) }
}

/// `sum(x^2)` of each slice.
pub fn squares<T: Real>(slices: &[&[T]]) -> Vec<f64> {
    let lengths: Vec<usize> = slices.iter().map(|s| s.len()).collect();
    let mut out = vec![0.0; slices.len()];
    let square = |&(item, start, end): &(usize, usize, usize)| {
        simd(
            #[inline(always)]
            || {
                fold(
                    &slices[item][start..end],
                    #[inline(always)]
                    |x| x * x,
                )
            },
        )
    };
    let pieces = pieces(&lengths);
    for (&(item, ..), part) in pieces.iter().zip(map(&pieces, lengths.iter().sum(), square)) {
        out[item] += part;
    }
    out
}

/// Whether every element is finite.
pub fn are_finite<T: Real>(slices: &[&[T]]) -> bool {
    // x * 0 is NaN for what is not finite, and 0 for the rest.
    total(
        slices,
        #[inline(always)]
        |x| {
            fold(
                x,
                #[inline(always)]
                |x| x * T::of(0.0),
            )
        },
    ) == 0.0
}

//! Norms of gradients.

use crate::fetch::{AHEAD, STRIDE, fetch};
use crate::parallel::{for_each, map, pieces, simd, threads};
use crate::real::Real;

const LANES: usize = 16;
const BLOCK: usize = 4096;
/// Elements that one thread takes at a time.
const PIECE: usize = 1 << 15;

/// Sum of `f(x)` of one slice: lanes in its own precision within a block, blocks in f64.
#[inline(always)]
fn fold<T: Real>(x: &[T], f: impl Fn(T) -> T) -> f64 {
    let mut total = 0.0;
    let mut rest = x;
    while !rest.is_empty() {
        let far = size_of_val(rest) > 2 * AHEAD + size_of::<[T; BLOCK]>();
        let (block, later) = rest.split_at(rest.len().min(BLOCK));
        let mut lanes = [T::of(0.0); STRIDE];
        let (whole, odd) = block.as_chunks::<STRIDE>();
        for chunk in whole {
            if far {
                fetch(chunk, 2 * AHEAD);
            }
            for (lane, &x) in lanes.iter_mut().zip(chunk) {
                *lane = *lane + f(x);
            }
        }
        for (lane, &x) in lanes.iter_mut().zip(odd) {
            *lane = *lane + f(x);
        }
        let mut half = STRIDE / 2;
        while half > 0 {
            for lane in 0..half {
                lanes[lane] = lanes[lane] + lanes[lane + half];
            }
            half /= 2;
        }
        total += lanes[0].f64();
        rest = later;
    }
    total
}

/// The sum of `f` over all slices. Each thread goes from its last piece to its first: an update, which follows, goes from the first to the
/// last, and finds in the caches what was read here last, as this finds what the update before ended with.
#[inline]
fn total<T: Real>(slices: &[&[T]], f: impl Fn(&[T]) -> f64 + Sync + Send) -> f64 {
    let lengths: Vec<usize> = slices.iter().map(|s| s.len()).collect();
    let pieces = pieces(&lengths);
    let mut order: Vec<usize> = (0..pieces.len()).collect();
    for share in order.chunks_mut(pieces.len().div_ceil(threads()).max(1)) {
        share.reverse();
    }
    let parts = map(&order, lengths.iter().sum(), |&at| {
        let (item, start, end) = pieces[at];
        simd(
            #[inline(always)]
            || f(&slices[item][start..end]),
        )
    });
    let mut sorted = vec![0.0; parts.len()];
    for (at, part) in order.into_iter().zip(parts) {
        sorted[at] = part;
    }
    sorted.into_iter().sum()
}

/// `sum(|x|^p)` over all slices.
#[inline]
pub fn power_sum<T: Real>(slices: &[&[T]], p: f64) -> f64 {
    match p {
        1.0 => total(
            slices,
            #[inline(always)]
            |x| {
                fold(
                    x,
                    #[inline(always)]
                    |x| x.abs(),
                )
            },
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
#[inline]
pub fn largest<T: Real>(slices: &[&[T]]) -> f64 {
    let lengths: Vec<usize> = slices.iter().map(|s| s.len()).collect();
    let each = map(&pieces(&lengths), lengths.iter().sum(), |&(item, start, end)| {
        simd(
            #[inline(always)]
            || most(&slices[item][start..end]),
        )
    });
    each.into_iter().fold(0.0, |a, b| if a >= b || a.is_nan() { a } else { b })
}

/// Largest `|x|` of one slice, lane by lane; NaN stays where it came up.
#[inline(always)]
fn most<T: Real>(x: &[T]) -> f64 {
    let mut lanes = [T::of(0.0); LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for chunk in whole.iter().map(|chunk| &chunk[..]).chain([rest]) {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            let x = x.abs();
            *lane = if *lane >= x || lane.is_nan() { *lane } else { x };
        }
    }
    lanes.into_iter().map(T::f64).fold(0.0, |a, b| if a >= b || a.is_nan() { a } else { b })
}

/// `sum(x^2)` of each slice.
#[inline]
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

/// Multiplies every element by `factor`.
#[inline]
pub fn scale<T: Real>(x: &mut [T], factor: T) {
    let work = x.len();
    for_each(x.chunks_mut(PIECE).collect(), work, |piece: &mut [T]| {
        simd(
            #[inline(always)]
            || {
                for x in piece {
                    *x = *x * factor;
                }
            },
        );
    });
}

/// Whether every element is finite.
#[inline]
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

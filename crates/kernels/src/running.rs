//! Running sums over the middle of `[outer, n, inner]`; those of float32 are carried in float64.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use crate::parallel::simd;
use crate::real::Real;

/// Rows that are taken side by side: one alone waits for each addition.
const ROWS: usize = 4;
/// Elements a task should have at least.
const GRAIN: usize = 1 << 14;

#[inline]
pub fn cumsum<T: Real>(x: &[T], shape: [usize; 3]) -> Vec<T> {
    scan(
        x,
        shape,
        0.0,
        #[inline(always)]
        |sum: f64, x: T| sum + x.f64(),
        T::of,
    )
}

/// The same for integers, which wrap around.
pub fn cumsum_integers(x: &[i64], shape: [usize; 3]) -> Vec<i64> {
    scan(
        x,
        shape,
        0,
        i64::wrapping_add,
        #[inline(always)]
        |sum| sum,
    )
}

/// `R` rows of `n` elements.
#[inline(always)]
fn rows<const R: usize, T: Copy, S: Copy>(x: &[T], out: &mut [MaybeUninit<T>], start: S, step: impl Fn(S, T) -> S, lower: impl Fn(S) -> T) {
    let n = x.len() / R;
    let x: [&[T]; R] = std::array::from_fn(|row| &x[row * n..(row + 1) * n]);
    let mut rest = out;
    let out: [&mut [MaybeUninit<T>]; R] = std::array::from_fn(|_| {
        let (row, others) = std::mem::take(&mut rest).split_at_mut(n);
        rest = others;
        row
    });
    let mut sums = [start; R];
    for i in 0..n {
        for row in 0..R {
            sums[row] = step(sums[row], x[row][i]);
            out[row][i].write(lower(sums[row]));
        }
    }
}

#[inline]
fn scan<T: Copy + Send + Sync, S: Copy + Send + Sync>(
    x: &[T],
    [outer, n, inner]: [usize; 3],
    start: S,
    step: impl Fn(S, T) -> S + Copy + Sync,
    lower: impl Fn(S) -> T + Copy + Sync,
) -> Vec<T> {
    assert!(x.len() == outer * n * inner);
    let block = n * inner;
    if x.is_empty() {
        return Vec::new();
    }
    let mut out = Vec::with_capacity(x.len());
    let place = &mut out.spare_capacity_mut()[..x.len()];
    let run = |(x, out): (&[T], &mut [MaybeUninit<T>])| {
        if inner == 1 {
            for (x, out) in x.chunks(ROWS * n).zip(out.chunks_mut(ROWS * n)) {
                if x.len() == ROWS * n {
                    rows::<ROWS, _, _>(x, out, start, step, lower);
                } else {
                    x.chunks(n).zip(out.chunks_mut(n)).for_each(|(x, out)| rows::<1, _, _>(x, out, start, step, lower));
                }
            }
            return;
        }
        for (x, out) in x.chunks(block).zip(out.chunks_mut(block)) {
            let mut sums = vec![start; inner];
            for (x, out) in x.chunks_exact(inner).zip(out.chunks_exact_mut(inner)) {
                simd(
                    #[inline(always)]
                    || {
                        for ((sum, &x), out) in sums.iter_mut().zip(x).zip(out) {
                            *sum = step(*sum, x);
                            out.write(lower(*sum));
                        }
                    },
                );
            }
        }
    };
    let piece = (GRAIN / block).max(1).next_multiple_of(ROWS) * block;
    if x.len() <= piece {
        run((x, place));
    } else {
        x.par_chunks(piece).zip(place.par_chunks_mut(piece)).for_each(run);
    }
    // SAFETY: the pieces cover all elements, and each row or block is written whole.
    unsafe { out.set_len(x.len()) };
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_a_plain_loop() {
        for [outer, n, inner] in [[1, 1, 1], [7, 50, 1], [1, 70_000, 1], [900, 100, 1], [3, 40, 9], [1, 300, 300], [40, 10, 100], [2, 0, 3]]
        {
            let x: Vec<i64> = (0..outer * n * inner).map(|i| (i * 7919 % 101) as i64).collect();
            let mut expected = x.clone();
            for at in 0..x.len() {
                if at % (n * inner) >= inner {
                    expected[at] += expected[at - inner];
                }
            }
            assert_eq!(cumsum_integers(&x, [outer, n, inner]), expected);
            let floats: Vec<f64> = x.iter().map(|&x| x as f64).collect();
            assert!(cumsum(&floats, [outer, n, inner]).iter().map(|&x| x as i64).eq(expected));
        }
    }
}

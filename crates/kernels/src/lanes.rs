//! Sums of slices in lanes, so that the compiler can use wide registers; the order depends on the length alone.

use crate::real::Real;

const FEW: usize = 16;
const MANY: usize = 64;

/// The sum of `f` of each element; `f` is marked `#[inline(always)]`.
#[inline(always)]
pub fn sum<T: Real>(x: &[T], f: impl Fn(T) -> T) -> T {
    sum_of_three(
        x,
        x,
        x,
        #[inline(always)]
        |x, _, _| f(x),
    )
}

/// The sum of `f` of each pair.
#[inline(always)]
pub fn sum_of_two<T: Real>(a: &[T], b: &[T], f: impl Fn(T, T) -> T) -> T {
    sum_of_three(
        a,
        b,
        b,
        #[inline(always)]
        |a, b, _| f(a, b),
    )
}

/// The sum of `f` of the elements in one place of three slices of one length.
#[inline(always)]
pub fn sum_of_three<T: Real>(a: &[T], b: &[T], c: &[T], f: impl Fn(T, T, T) -> T) -> T {
    // More lanes keep more additions under way, and cost more to add up.
    if a.len() < 4 * MANY { in_lanes::<T, FEW>(a, b, c, f) } else { in_lanes::<T, MANY>(a, b, c, f) }
}

#[inline(always)]
fn in_lanes<T: Real, const N: usize>(a: &[T], b: &[T], c: &[T], f: impl Fn(T, T, T) -> T) -> T {
    let mut lanes = [T::of(0.0); N];
    let (wide_a, wide_b, wide_c) = (a.chunks_exact(N), b.chunks_exact(N), c.chunks_exact(N));
    let rest = wide_a.remainder().iter().zip(wide_b.remainder()).zip(wide_c.remainder());
    for (lane, ((&a, &b), &c)) in lanes.iter_mut().zip(rest) {
        *lane = f(a, b, c);
    }
    for ((a, b), c) in wide_a.zip(wide_b).zip(wide_c) {
        for (((lane, &a), &b), &c) in lanes.iter_mut().zip(a).zip(b).zip(c) {
            *lane = *lane + f(a, b, c);
        }
    }
    let mut half = N / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] = lanes[lane] + lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// The largest of `x`, minus infinity for none; NaN may be passed over.
#[inline(always)]
pub fn max<T: Real>(x: &[T]) -> T {
    let mut lanes = [T::of(f64::NEG_INFINITY); FEW];
    let chunks = x.chunks_exact(FEW);
    for (lane, &x) in lanes.iter_mut().zip(chunks.remainder()) {
        *lane = if x > *lane { x } else { *lane };
    }
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = if x > *lane { x } else { *lane };
        }
    }
    lanes.into_iter().fold(T::of(f64::NEG_INFINITY), |a, b| if b > a { b } else { a })
}

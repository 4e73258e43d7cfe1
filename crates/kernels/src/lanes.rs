//! Sums of a slice in lanes, so that the compiler can use wide registers; the order depends on the length alone.

use crate::real::Real;

const LANES: usize = 32;

/// The sum of `f(i)` for `i` in `0..len`; `f` is marked `#[inline(always)]`.
#[inline(always)]
pub fn sum<T: Real>(len: usize, f: impl Fn(usize) -> T) -> T {
    let mut lanes = [T::of(0.0); LANES];
    let whole = len - len % LANES;
    let mut start = 0;
    while start < whole {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum = *sum + f(start + lane);
        }
        start += LANES;
    }
    for i in whole..len {
        lanes[i - whole] = lanes[i - whole] + f(i);
    }
    let mut half = LANES / 2;
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
    let mut lanes = [T::of(f64::NEG_INFINITY); LANES];
    let chunks = x.chunks_exact(LANES);
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

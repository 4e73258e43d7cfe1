//! Running sums, products and logarithms of sums along one dimension, products over it, and linear recurrences. float32 is carried in float64.

use crate::parallel::for_each;

/// The elements of one dimension: `size` of them, `inner` places apart.
#[derive(Clone, Copy)]
pub struct Along {
    pub size: usize,
    pub inner: usize,
}

/// An element, and what its sums and products are carried in.
pub trait Carried: Copy + Default + Send + Sync {
    type Wide: Copy + Send + Sync;
    const ONE: Self::Wide;
    const ZERO: Self::Wide;
    fn wide(self) -> Self::Wide;
    fn narrow(wide: Self::Wide) -> Self;
    fn add(a: Self::Wide, b: Self::Wide) -> Self::Wide;
    fn mul(a: Self::Wide, b: Self::Wide) -> Self::Wide;
}

macro_rules! carried {
    ($t:ty, $wide:ty, $add:expr, $mul:expr) => {
        impl Carried for $t {
            type Wide = $wide;
            const ONE: $wide = 1 as $wide;
            const ZERO: $wide = 0 as $wide;
            #[inline(always)]
            fn wide(self) -> $wide {
                <$wide>::from(self)
            }
            #[inline(always)]
            fn narrow(wide: $wide) -> $t {
                wide as $t
            }
            #[inline(always)]
            fn add(a: $wide, b: $wide) -> $wide {
                $add(a, b)
            }
            #[inline(always)]
            fn mul(a: $wide, b: $wide) -> $wide {
                $mul(a, b)
            }
        }
    };
}

carried!(f32, f64, |a: f64, b| a + b, |a: f64, b| a * b);
carried!(f64, f64, |a: f64, b| a + b, |a: f64, b| a * b);
carried!(i64, i64, i64::wrapping_add, i64::wrapping_mul);

/// `out[i] = f(out[i - 1], x[i])` along a dimension, from `start`.
#[inline]
fn scan<T: Carried>(x: &[T], along: Along, start: T::Wide, f: impl Fn(T::Wide, T::Wide) -> T::Wide + Sync + Send) -> Vec<T> {
    let mut out = vec![T::default(); x.len()];
    let block = along.size * along.inner;
    if block == 0 {
        return out;
    }
    let work: Vec<(&[T], &mut [T])> = x.chunks_exact(block).zip(out.chunks_exact_mut(block)).collect();
    for_each(work, x.len(), |(x, out)| {
        if along.inner == 1 {
            let mut carry = start;
            for (x, out) in x.iter().zip(out) {
                carry = f(carry, x.wide());
                *out = T::narrow(carry);
            }
            return;
        }
        let mut carries = vec![start; along.inner];
        for (x, out) in x.chunks_exact(along.inner).zip(out.chunks_exact_mut(along.inner)) {
            for ((x, out), carry) in x.iter().zip(out).zip(&mut carries) {
                *carry = f(*carry, x.wide());
                *out = T::narrow(*carry);
            }
        }
    });
    out
}

#[inline]
pub fn product<T: Carried>(x: &[T], along: Along) -> Vec<T> {
    scan(x, along, T::ONE, T::mul)
}

/// `log(e^a + e^b)` without overflow; of equal infinities that infinity.
#[inline(always)]
fn log_add_exp(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == high && low.is_infinite() { low } else { (low - high).exp().ln_1p() + high }
}

#[inline]
pub fn log_sum_exp<T: Carried<Wide = f64>>(x: &[T], along: Along) -> Vec<T> {
    scan(x, along, f64::NEG_INFINITY, log_add_exp)
}

/// The products over a dimension, one for each index of the others.
#[inline]
pub fn products<T: Carried>(x: &[T], along: Along) -> Vec<T> {
    let block = along.size * along.inner;
    if block == 0 {
        return Vec::new();
    }
    let mut out = vec![T::default(); x.len() / along.size];
    let work: Vec<(&[T], &mut [T])> = x.chunks_exact(block).zip(out.chunks_exact_mut(along.inner)).collect();
    for_each(work, x.len(), |(x, out)| {
        if along.inner == 1 {
            out[0] = T::narrow(line(x));
            return;
        }
        let mut carries = vec![T::ONE; along.inner];
        for x in x.chunks_exact(along.inner) {
            carries.iter_mut().zip(x).for_each(|(carry, x)| *carry = T::mul(*carry, x.wide()));
        }
        out.iter_mut().zip(carries).for_each(|(out, carry)| *out = T::narrow(carry));
    });
    out
}

/// The product of a line, in eight parts so that one need not wait for another.
#[inline]
fn line<T: Carried>(x: &[T]) -> T::Wide {
    let parts = x.chunks_exact(8);
    let rest = parts.remainder().iter().fold(T::ONE, |carry, x| T::mul(carry, x.wide()));
    let mut carries = [T::ONE; 8];
    for part in parts {
        carries.iter_mut().zip(part).for_each(|(carry, x)| *carry = T::mul(*carry, x.wide()));
    }
    carries.into_iter().fold(rest, T::mul)
}

/// `h[i] = b[i] + a[i] * h[i - 1]` along a dimension, from 0.
#[inline]
pub fn recurrence<T: Carried>(a: &[T], b: &[T], along: Along) -> Vec<T> {
    let mut out = vec![T::default(); b.len()];
    let block = along.size * along.inner;
    if block == 0 {
        return out;
    }
    let work: Vec<((&[T], &[T]), &mut [T])> = a.chunks_exact(block).zip(b.chunks_exact(block)).zip(out.chunks_exact_mut(block)).collect();
    for_each(work, b.len(), |((a, b), out)| {
        let mut carries = vec![T::ZERO; along.inner];
        let rows = a.chunks_exact(along.inner).zip(b.chunks_exact(along.inner)).zip(out.chunks_exact_mut(along.inner));
        for ((a, b), out) in rows {
            for (((a, b), out), carry) in a.iter().zip(b).zip(out).zip(&mut carries) {
                *carry = T::add(b.wide(), T::mul(a.wide(), *carry));
                *out = T::narrow(*carry);
            }
        }
    });
    out
}

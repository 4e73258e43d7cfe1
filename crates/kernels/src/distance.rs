//! Distances between the rows of two matrices, `(sum |x - y|^p)^(1/p)`.

use crate::math::Math;
use crate::parallel::{for_each, simd};

/// Rows of `[rows, columns]` and of `[others, columns]`, batch after batch, and which distance; no size is 0.
#[derive(Debug, Clone, Copy)]
pub struct Distance {
    pub rows: usize,
    pub others: usize,
    pub columns: usize,
    pub p: f64,
}

/// `f` of pairs of elements, added up in eight sums that do not wait for one another.
#[inline(always)]
fn total<T: Math>(x: &[T], y: &[T], f: impl Fn(T) -> T) -> T {
    let mut sums = [T::of(0.0); 8];
    let (xs, ys) = (x.chunks_exact(8), y.chunks_exact(8));
    let rest = xs.remainder().iter().zip(ys.remainder()).fold(T::of(0.0), |sum, (&x, &y)| sum + f(x - y));
    for (x, y) in xs.zip(ys) {
        for k in 0..8 {
            sums[k] = sums[k] + f(x[k] - y[k]);
        }
    }
    sums.iter().fold(rest, |sum, &part| sum + part)
}

impl Distance {
    #[inline(always)]
    fn of<T: Math>(&self, x: &[T], y: &[T]) -> T {
        match self.p {
            2.0 => total(x, y, |d| d * d).sqrt(),
            1.0 => total(x, y, |d| d.abs()),
            0.0 => total(x, y, |d| if d == T::of(0.0) { T::of(0.0) } else { T::of(1.0) }),
            f64::INFINITY => x.iter().zip(y).fold(T::of(0.0), |most, (&x, &y)| {
                let d = (x - y).abs();
                if d > most || d.is_nan() { d } else { most }
            }),
            p => T::of(x.iter().zip(y).map(|(&x, &y)| (x - y).abs().f64().powf(p)).sum::<f64>().powf(1.0 / p)),
        }
    }

    /// The derivative of a distance `d` for `x - y` in one column.
    #[inline(always)]
    fn slope<T: Math>(&self, difference: T, d: T) -> T {
        let zero = T::of(0.0);
        match self.p {
            _ if d == zero => zero,
            2.0 => difference / d,
            1.0 => difference.sign(),
            0.0 => zero,
            f64::INFINITY if difference.abs() == d => difference.sign(),
            f64::INFINITY => zero,
            _ if difference == zero => zero,
            p => T::of(difference.sign().f64() * (difference.abs() / d).f64().powf(p - 1.0)),
        }
    }

    /// `[batch, rows, others]`.
    #[inline]
    pub fn forward<T: Math>(&self, x: &[T], y: &[T]) -> Vec<T> {
        let mut out = vec![T::of(0.0); x.len() / self.columns * self.others];
        let work = out.len() * self.columns;
        let rows = x.chunks_exact(self.columns).zip(out.chunks_exact_mut(self.others)).enumerate().collect();
        for_each(rows, work, |(at, (x, out)): (usize, (&[T], &mut [T]))| {
            let y = &y[at / self.rows * self.others * self.columns..][..self.others * self.columns];
            simd(
                #[inline(always)]
                || out.iter_mut().zip(y.chunks_exact(self.columns)).for_each(|(out, y)| *out = self.of(x, y)),
            );
        });
        out
    }

    /// The gradient of `forward`, whose result was `d`, for `x`.
    #[inline]
    pub fn backward<T: Math>(&self, grad: &[T], d: &[T], x: &[T], y: &[T]) -> Vec<T> {
        let mut out = vec![T::of(0.0); x.len()];
        let work = d.len() * self.columns;
        let of_rows = grad.chunks_exact(self.others).zip(d.chunks_exact(self.others));
        let rows = x.chunks_exact(self.columns).zip(out.chunks_exact_mut(self.columns)).zip(of_rows).enumerate().collect();
        for_each(rows, work, |(at, ((x, out), (grad, d))): (usize, ((&[T], &mut [T]), (&[T], &[T])))| {
            let y = &y[at / self.rows * self.others * self.columns..][..self.others * self.columns];
            simd(
                #[inline(always)]
                || {
                    for ((&g, &d), y) in grad.iter().zip(d).zip(y.chunks_exact(self.columns)) {
                        for ((out, &x), &y) in out.iter_mut().zip(x).zip(y) {
                            *out = *out + g * self.slope(x - y, d);
                        }
                    }
                },
            );
        });
        out
    }
}

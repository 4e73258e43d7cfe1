//! Attention `softmax(scale q k^T) v` head by head, in tiles of queries: the scores of a tile are all of the matrix that ever exists, and
//! the backward pass computes them again (after Dao et al., "FlashAttention", 2022).

use crate::lanes::{max, sum, sum_of_two};
use crate::math::Math;
use crate::matrix::{Matrix, Threads, product};
use crate::parallel::{for_each, simd};

/// Queries of a tile.
const TILE: usize = 64;

/// Sizes of a head: queries `[queries, size]`, keys `[keys, size]`, values `[keys, value_size]`; with `causal`, query i sees the keys up to i.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    pub queries: usize,
    pub keys: usize,
    pub size: usize,
    pub value_size: usize,
    pub causal: bool,
    pub scale: f64,
}

impl Head {
    /// Tiles of queries `(start, end, keys seen)`.
    fn tiles(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let Self { queries, keys, causal, .. } = *self;
        (0..queries).step_by(TILE).map(move |start| {
            let end = (start + TILE).min(queries);
            (start, end, if causal { end.min(keys) } else { keys })
        })
    }

    /// The weights of a tile, `[rows, seen]`: the softmax of its scores.
    #[inline]
    fn weights<T: Math>(&self, weights: &mut [T], q: &[T], k: &[T], start: usize, seen: usize) {
        let rows = q.len() / self.size;
        product(weights, false, Matrix::new(q, rows, self.size), Matrix::new(k, seen, self.size).transposed(), Threads::One);
        let scale = T::of(self.scale);
        simd(
            #[inline(always)]
            || {
                for (row, weights) in weights.chunks_exact_mut(seen).enumerate() {
                    let open = if self.causal { (start + row + 1).min(seen) } else { seen };
                    let (weights, hidden) = weights.split_at_mut(open);
                    hidden.fill(T::of(0.0));
                    weights.iter_mut().for_each(|x| *x = *x * scale);
                    let top = max(weights);
                    weights.iter_mut().for_each(|x| *x = (*x - top).exp());
                    let total = sum(
                        weights,
                        #[inline(always)]
                        |x| x,
                    );
                    let share = T::of(1.0) / total;
                    weights.iter_mut().for_each(|x| *x = *x * share);
                }
            },
        );
    }

    /// Of all heads, one after another in each argument; no size is 0.
    #[inline]
    pub fn forward<T: Math>(&self, q: &[T], k: &[T], v: &[T]) -> Vec<T> {
        let Self { queries, keys, size, value_size, .. } = *self;
        let heads = q.len() / (queries * size);
        let mut out = vec![T::of(0.0); heads * queries * value_size];
        let mut work = Vec::new();
        for (head, mut rest) in out.chunks_exact_mut(queries * value_size).enumerate() {
            for (start, end, seen) in self.tiles() {
                let (tile, after) = rest.split_at_mut((end - start) * value_size);
                rest = after;
                work.push((head, start, end, seen, tile));
            }
        }
        for_each(work, heads * queries * keys, |(head, start, end, seen, out): (usize, usize, usize, usize, &mut [T])| {
            let q = &q[(head * queries + start) * size..(head * queries + end) * size];
            let k = &k[head * keys * size..][..seen * size];
            let v = &v[head * keys * value_size..][..seen * value_size];
            let mut weights = vec![T::of(0.0); (end - start) * seen];
            self.weights(&mut weights, q, k, start, seen);
            product(out, false, Matrix::new(&weights, end - start, seen), Matrix::new(v, seen, value_size), Threads::One);
        });
        out
    }

    /// The gradients for q, k and v.
    #[inline]
    pub fn backward<T: Math>(&self, g: &[T], q: &[T], k: &[T], v: &[T]) -> (Vec<T>, Vec<T>, Vec<T>) {
        let Self { queries, keys, size, value_size, .. } = *self;
        let [mut dq, mut dk, mut dv] = [q, k, v].map(|x| vec![T::of(0.0); x.len()]);
        let heads = dq
            .chunks_exact_mut(queries * size)
            .zip(dk.chunks_exact_mut(keys * size))
            .zip(dv.chunks_exact_mut(keys * value_size))
            .enumerate()
            .collect();
        let scale = T::of(self.scale);
        for_each(heads, q.len() * keys, |(head, ((dq, dk), dv)): (usize, ((&mut [T], &mut [T]), &mut [T]))| {
            let (q, k) = (&q[head * queries * size..][..queries * size], &k[head * keys * size..][..keys * size]);
            let (g, v) = (&g[head * queries * value_size..][..queries * value_size], &v[head * keys * value_size..][..keys * value_size]);
            let zeros = || vec![T::of(0.0); TILE.min(queries) * keys];
            let (mut weights, mut slopes) = (zeros(), zeros());
            for (start, end, seen) in self.tiles() {
                let rows = end - start;
                let (q, g) = (&q[start * size..end * size], &g[start * value_size..end * value_size]);
                let (k, v) = (&k[..seen * size], &v[..seen * value_size]);
                let (weights, slopes) = (&mut weights[..rows * seen], &mut slopes[..rows * seen]);
                self.weights(weights, q, k, start, seen);
                let gradient = Matrix::new(g, rows, value_size);
                product(&mut dv[..seen * value_size], true, Matrix::new(weights, rows, seen).transposed(), gradient, Threads::One);
                product(slopes, false, gradient, Matrix::new(v, seen, value_size).transposed(), Threads::One);
                simd(
                    #[inline(always)]
                    || {
                        for (slopes, weights) in slopes.chunks_exact_mut(seen).zip(weights.chunks_exact(seen)) {
                            let along = sum_of_two(
                                weights,
                                slopes,
                                #[inline(always)]
                                |weight, slope| weight * slope,
                            );
                            for (slope, &weight) in slopes.iter_mut().zip(weights) {
                                *slope = weight * (*slope - along) * scale;
                            }
                        }
                    },
                );
                let slopes = Matrix::new(slopes, rows, seen);
                product(&mut dq[start * size..end * size], false, slopes, Matrix::new(k, seen, size), Threads::One);
                product(&mut dk[..seen * size], true, slopes.transposed(), Matrix::new(q, rows, size), Threads::One);
            }
        });
        (dq, dk, dv)
    }
}

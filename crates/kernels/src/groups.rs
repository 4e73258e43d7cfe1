//! Normalisation of groups of channels, forward and backward, while a group lies in the cache.

use std::mem::MaybeUninit;

use crate::lanes::{sum, sum_of_two};
use crate::normalise::{GRAIN, Rows, TASKS, made};
use crate::parallel::{for_each, simd};
use crate::real::Real;

/// Planes up to here are added up one element after the other.
const SHORT: usize = 16;

/// `[batch, channels, size]`, each of `groups` groups of channels of an image brought to mean 0 and variance 1, and then each channel
/// scaled and shifted.
#[derive(Debug, Clone, Copy)]
pub struct Groups {
    pub channels: usize,
    pub groups: usize,
    pub size: usize,
    pub eps: f64,
}

impl Groups {
    fn rows(&self) -> Rows {
        Rows { size: self.channels / self.groups * self.size, eps: self.eps, centred: true }
    }

    /// Elements of the images that a task takes.
    fn task(&self, len: usize) -> usize {
        let image = self.channels * self.size;
        assert!(len.is_multiple_of(image), "whole images");
        (GRAIN / image).max((len / image).div_ceil(TASKS)).max(1) * image
    }

    /// The channels of a group, counted by groups from the first image on.
    fn channels_of(&self, group: usize) -> std::ops::Range<usize> {
        let each = self.channels / self.groups;
        let first = group % self.groups * each;
        first..first + each
    }

    /// `(x - mean) / deviation * weight + bias`; `x` is not empty.
    #[inline]
    pub fn forward<T: Real>(&self, x: &[T], weight: Option<&[T]>, bias: Option<&[T]>) -> Vec<T> {
        let (rows, task) = (self.rows(), self.task(x.len()));
        // SAFETY: a task is of whole groups, and every plane of them is written to its end.
        unsafe {
            made(x.len(), task, |at, out: &mut [MaybeUninit<T>]| {
                simd(
                    #[inline(always)]
                    || {
                        for (group, (out, x)) in out.chunks_exact_mut(rows.size).zip(x[at..].chunks_exact(rows.size)).enumerate() {
                            let (mean, scale) = rows.moments(x);
                            let planes = out.chunks_exact_mut(self.size).zip(x.chunks_exact(self.size));
                            for (c, (out, x)) in self.channels_of(group).zip(planes) {
                                let factor = weight.map_or(scale, |weight| scale * weight[c]);
                                let bias = bias.map_or(T::of(0.0), |bias| bias[c]);
                                out.iter_mut().zip(x).for_each(|(out, &x)| _ = out.write((x - mean) * factor + bias));
                            }
                        }
                    },
                );
            })
        }
    }

    /// The gradients for x, weight and bias; `x` is not empty.
    #[inline]
    pub fn backward<T: Real>(&self, g: &[T], x: &[T], weight: Option<&[T]>) -> (Vec<T>, Vec<T>, Vec<T>) {
        let (rows, task) = (self.rows(), self.task(x.len()));
        let zeros = || vec![T::of(0.0); self.channels];
        let mut dx = vec![T::of(0.0); x.len()];
        let mut sums: Vec<_> = (0..x.len().div_ceil(task)).map(|_| (zeros(), zeros())).collect();
        let work = dx.chunks_mut(task).zip(x.chunks(task)).zip(g.chunks(task)).zip(&mut sums).collect();
        for_each(work, x.len(), |(((dx, x), g), (dw, db)): (((&mut [T], &[T]), &[T]), &mut (Vec<T>, Vec<T>))| {
            simd(
                #[inline(always)]
                || {
                    let groups = dx.chunks_exact_mut(rows.size).zip(x.chunks_exact(rows.size)).zip(g.chunks_exact(rows.size));
                    for (group, ((dx, x), g)) in groups.enumerate() {
                        let channels = self.channels_of(group);
                        let weight = weight.map(|weight| &weight[channels.clone()]);
                        self.group_backward(rows, dx, x, g, weight, &mut dw[channels.clone()], &mut db[channels]);
                    }
                },
            );
        });
        let total = |part: fn(&(Vec<T>, Vec<T>)) -> &Vec<T>| {
            (0..self.channels).map(|c| T::of(sums.iter().map(|sums| part(sums)[c].f64()).sum())).collect()
        };
        let (dw, db) = (total(|sums| &sums.0), total(|sums| &sums.1));
        (dx, dw, db)
    }

    /// `dx = (g w - mean(g w) - normal * mean(g w normal)) / deviation` of one group.
    #[inline(always)]
    fn group_backward<T: Real>(&self, rows: Rows, dx: &mut [T], x: &[T], g: &[T], weight: Option<&[T]>, dw: &mut [T], db: &mut [T]) {
        let (mean, scale) = rows.moments(x);
        let one = T::of(1.0);
        let weight = |c: usize| weight.map_or(one, |weight| weight[c]);
        let (mut shift, mut along) = (T::of(0.0), T::of(0.0));
        for (c, (x, g)) in x.chunks_exact(self.size).zip(g.chunks_exact(self.size)).enumerate() {
            let (by_weight, by_bias) = if self.size <= SHORT {
                x.iter().zip(g).fold((T::of(0.0), T::of(0.0)), |(w, b), (&x, &g)| (w + g * ((x - mean) * scale), b + g))
            } else {
                let by_weight = sum_of_two(
                    x,
                    g,
                    #[inline(always)]
                    |x, g| g * ((x - mean) * scale),
                );
                let by_bias = sum(
                    g,
                    #[inline(always)]
                    |g| g,
                );
                (by_weight, by_bias)
            };
            dw[c] = dw[c] + by_weight;
            db[c] = db[c] + by_bias;
            along = along + weight(c) * by_weight;
            shift = shift + weight(c) * by_bias;
        }
        let n = T::of(rows.size as f64);
        let (shift, along) = (shift / n, along / n);
        let planes = dx.chunks_exact_mut(self.size).zip(x.chunks_exact(self.size)).zip(g.chunks_exact(self.size));
        for (c, ((dx, x), g)) in planes.enumerate() {
            let w = weight(c);
            for ((dx, &x), &g) in dx.iter_mut().zip(x).zip(g) {
                *dx = scale * (g * w - shift - (x - mean) * scale * along);
            }
        }
    }
}

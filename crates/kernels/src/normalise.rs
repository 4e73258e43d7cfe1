//! Normalisation of rows and of channels, forward and backward.

use std::mem::MaybeUninit;

use crate::lanes::{sum, sum_of_three, sum_of_two};
use crate::parallel::{for_each, simd};
use crate::real::Real;

/// Elements a task handles at least.
pub(crate) const GRAIN: usize = 1 << 14;
/// Tasks that keep sums of their own, at most.
pub(crate) const TASKS: usize = 64;

/// `len` elements in pieces of `task`: `write` gets where a piece starts, and its place, which holds nothing yet.
///
/// # Safety
/// `write` must initialise every element of the piece that it gets.
#[inline]
pub(crate) unsafe fn made<T: Real>(len: usize, task: usize, write: impl Fn(usize, &mut [MaybeUninit<T>]) + Sync + Send) -> Vec<T> {
    let mut out = Vec::with_capacity(len);
    let pieces = out.spare_capacity_mut()[..len].chunks_mut(task.max(1)).enumerate().collect();
    for_each(pieces, len, |(i, piece): (usize, &mut [MaybeUninit<T>])| write(i * task, piece));
    // SAFETY: the pieces cover the first `len` elements, and `write` has initialised each.
    unsafe { out.set_len(len) };
    out
}

/// Rows of `size` elements, brought to a variance (with `centred` after a mean of 0) or a mean square of 1.
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    pub size: usize,
    pub eps: f64,
    pub centred: bool,
}

impl Rows {
    /// Mean (0 if not centred) and reciprocal deviation.
    #[inline(always)]
    pub(crate) fn moments<T: Real>(&self, x: &[T]) -> (T, T) {
        let n = T::of(self.size as f64);
        let mean = if self.centred {
            sum(
                x,
                #[inline(always)]
                |x| x,
            ) / n
        } else {
            T::of(0.0)
        };
        let square = sum(
            x,
            #[inline(always)]
            |x| (x - mean) * (x - mean),
        ) / n;
        (mean, T::of(1.0) / (square + T::of(self.eps)).sqrt())
    }

    fn rows_a_task(&self, rows: usize) -> usize {
        (GRAIN / self.size.max(1)).max(rows.div_ceil(TASKS)).max(1)
    }

    /// `(x - mean) / deviation * weight + bias` of each row.
    #[inline]
    pub fn forward<T: Real>(&self, x: &[T], weight: Option<&[T]>, bias: Option<&[T]>) -> Vec<T> {
        let whole = x.len().is_multiple_of(self.size) && [weight, bias].into_iter().flatten().all(|one| one.len() == self.size);
        assert!(whole, "rows, weight and bias of one size");
        let task = self.rows_a_task(x.len() / self.size.max(1)) * self.size;
        // SAFETY: pieces are whole rows, and each is written to its end, since all are of one size.
        unsafe {
            made(x.len(), task, |at, out: &mut [MaybeUninit<T>]| {
                simd(
                    #[inline(always)]
                    || {
                        for (out, x) in out.chunks_exact_mut(self.size).zip(x[at..].chunks_exact(self.size)) {
                            let (mean, scale) = self.moments(x);
                            let rows = out.iter_mut().zip(x);
                            match (weight, bias) {
                                (Some(w), Some(b)) => rows.zip(w).zip(b).for_each(|(((out, &x), &w), &b)| {
                                    out.write((x - mean) * scale * w + b);
                                }),
                                (Some(w), None) => rows.zip(w).for_each(|((out, &x), &w)| {
                                    out.write((x - mean) * scale * w);
                                }),
                                (None, Some(b)) => rows.zip(b).for_each(|((out, &x), &b)| {
                                    out.write((x - mean) * scale + b);
                                }),
                                (None, None) => rows.for_each(|(out, &x)| {
                                    out.write((x - mean) * scale);
                                }),
                            }
                        }
                    },
                );
            })
        }
    }

    /// The gradient for x of rows without weight and bias.
    #[inline]
    pub fn backward_plain<T: Real>(&self, g: &[T], x: &[T]) -> Vec<T> {
        assert!(x.len().is_multiple_of(self.size) && g.len() == x.len(), "rows of one size");
        let task = self.rows_a_task(x.len() / self.size.max(1)) * self.size;
        let n = T::of(self.size as f64);
        // SAFETY: pieces are whole rows, and each is written to its end, since all are of one size.
        unsafe {
            made(x.len(), task, |at, out: &mut [MaybeUninit<T>]| {
                simd(
                    #[inline(always)]
                    || {
                        let rows = x[at..].chunks_exact(self.size).zip(g[at..].chunks_exact(self.size));
                        for (out, (x, g)) in out.chunks_exact_mut(self.size).zip(rows) {
                            let (mean, scale) = self.moments(x);
                            let shift = match self.centred {
                                true => {
                                    sum(
                                        g,
                                        #[inline(always)]
                                        |g| g,
                                    ) / n
                                }
                                false => T::of(0.0),
                            };
                            let along = sum_of_two(
                                x,
                                g,
                                #[inline(always)]
                                |x, g| g * ((x - mean) * scale),
                            ) / n;
                            for ((out, &x), &g) in out.iter_mut().zip(x).zip(g) {
                                out.write(scale * (g - shift - (x - mean) * scale * along));
                            }
                        }
                    },
                );
            })
        }
    }

    /// The gradients for x, weight and bias; those of weight and bias are sums over the rows.
    #[inline]
    pub fn backward<T: Real>(&self, g: &[T], x: &[T], weight: Option<&[T]>) -> (Vec<T>, Vec<T>, Vec<T>) {
        let zeros = |n| vec![T::of(0.0); n];
        let mut dx = zeros(x.len());
        if x.is_empty() {
            return (dx, zeros(self.size), zeros(self.size));
        }
        let ones = vec![T::of(1.0); if weight.is_some() { 0 } else { self.size }];
        let weight = weight.unwrap_or(&ones);
        let task = self.rows_a_task(x.len() / self.size) * self.size;
        let mut sums = vec![(zeros(self.size), zeros(self.size)); x.len().div_ceil(task)];
        let work = dx.chunks_mut(task).zip(x.chunks(task)).zip(g.chunks(task)).zip(&mut sums).collect();
        for_each(work, x.len(), |(((dx, x), g), (dw, db)): (((&mut [T], &[T]), &[T]), &mut (Vec<T>, Vec<T>))| {
            simd(
                #[inline(always)]
                || {
                    for ((dx, x), g) in dx.chunks_exact_mut(self.size).zip(x.chunks_exact(self.size)).zip(g.chunks_exact(self.size)) {
                        self.row_backward(dx, x, g, weight, dw, db);
                    }
                },
            );
        });
        let (mut dw, mut db) = (zeros(self.size), zeros(self.size));
        for (w, b) in &sums {
            dw.iter_mut().zip(w).for_each(|(sum, &x)| *sum = *sum + x);
            db.iter_mut().zip(b).for_each(|(sum, &x)| *sum = *sum + x);
        }
        (dx, dw, db)
    }

    /// `dx = (g w - mean(g w) - normal * mean(g w normal)) / deviation`, without the first mean if not centred.
    #[inline(always)]
    fn row_backward<T: Real>(&self, dx: &mut [T], x: &[T], g: &[T], weight: &[T], dw: &mut [T], db: &mut [T]) {
        let n = T::of(self.size as f64);
        let (mean, scale) = self.moments(x);
        let (x, g, weight) = (&x[..dx.len()], &g[..dx.len()], &weight[..dx.len()]);
        let (dw, db) = (&mut dw[..dx.len()], &mut db[..dx.len()]);
        let shift = if self.centred {
            sum_of_two(
                g,
                weight,
                #[inline(always)]
                |g, weight| g * weight,
            ) / n
        } else {
            T::of(0.0)
        };
        let along = sum_of_three(
            x,
            g,
            weight,
            #[inline(always)]
            |x, g, weight| g * weight * ((x - mean) * scale),
        ) / n;
        for i in 0..dx.len() {
            let normal = (x[i] - mean) * scale;
            dx[i] = scale * (g[i] * weight[i] - shift - normal * along);
            dw[i] = dw[i] + g[i] * normal;
            db[i] = db[i] + g[i];
        }
    }
}

/// `[batch, channels, size]`, each channel brought to mean 0 and variance 1.
#[derive(Debug, Clone, Copy)]
pub struct Channels {
    pub channels: usize,
    pub size: usize,
    pub eps: f64,
}

impl Channels {
    /// Sums over each channel of `f(x, g, channel)`, by images and then in order.
    #[inline]
    fn sums<T: Real>(&self, x: &[T], g: &[T], f: impl Fn(T, T, usize) -> T + Sync) -> Vec<f64> {
        let image = self.channels * self.size;
        let images = x.len() / image;
        let task = (GRAIN / image).max(images.div_ceil(TASKS)).max(1) * image;
        let mut parts = vec![vec![T::of(0.0); self.channels]; x.len().div_ceil(task)];
        let work = parts.iter_mut().zip(x.chunks(task).zip(g.chunks(task))).collect();
        for_each(work, x.len(), |(sums, (x, g)): (&mut Vec<T>, (&[T], &[T]))| {
            simd(
                #[inline(always)]
                || {
                    for (x, g) in x.chunks_exact(image).zip(g.chunks_exact(image)) {
                        if self.size == 1 {
                            for (c, ((out, &x), &g)) in sums.iter_mut().zip(x).zip(g).enumerate() {
                                *out = *out + f(x, g, c);
                            }
                            continue;
                        }
                        let planes = x.chunks_exact(self.size).zip(g.chunks_exact(self.size));
                        for (c, (out, (x, g))) in sums.iter_mut().zip(planes).enumerate() {
                            *out = *out
                                + sum_of_two(
                                    x,
                                    g,
                                    #[inline(always)]
                                    |x, g| f(x, g, c),
                                );
                        }
                    }
                },
            );
        });
        (0..self.channels).map(|c| parts.iter().map(|sums| sums[c].f64()).sum()).collect()
    }

    /// `f(x, g, channel)` for every element.
    #[inline]
    fn fill<T: Real>(&self, x: &[T], g: &[T], f: impl Fn(T, T, usize) -> T + Sync) -> Vec<T> {
        let image = self.channels * self.size;
        assert!(x.len().is_multiple_of(image) && g.len() == x.len(), "images of one size");
        // SAFETY: a piece is an image, and every plane of it is written to its end.
        unsafe {
            made(x.len(), image, |at, out: &mut [MaybeUninit<T>]| {
                simd(
                    #[inline(always)]
                    || {
                        let planes = x[at..].chunks_exact(self.size).zip(g[at..].chunks_exact(self.size));
                        for (c, (out, (x, g))) in out.chunks_exact_mut(self.size).zip(planes).enumerate() {
                            for ((out, &x), &g) in out.iter_mut().zip(x).zip(g) {
                                out.write(f(x, g, c));
                            }
                        }
                    },
                );
            })
        }
    }

    /// Mean and reciprocal deviation of each channel.
    #[inline]
    fn moments<T: Real>(&self, x: &[T]) -> (Vec<T>, Vec<T>) {
        let n = (x.len() / self.channels) as f64;
        let means: Vec<T> = self
            .sums(
                x,
                x,
                #[inline(always)]
                |x, _, _| x,
            )
            .into_iter()
            .map(|sum| T::of(sum / n))
            .collect();
        let squares = self.sums(
            x,
            x,
            #[inline(always)]
            |x, _, c| (x - means[c]) * (x - means[c]),
        );
        (means, squares.into_iter().map(|sum| T::of(1.0 / (sum / n + self.eps).sqrt())).collect())
    }

    /// `(x - mean) / deviation * weight + bias`; `x` is not empty.
    #[inline]
    pub fn forward<T: Real>(&self, x: &[T], weight: Option<&[T]>, bias: Option<&[T]>) -> Vec<T> {
        let (means, mut scales) = self.moments(x);
        if let Some(weight) = weight {
            scales.iter_mut().zip(weight).for_each(|(scale, &w)| *scale = *scale * w);
        }
        let zeros = vec![T::of(0.0); self.channels];
        let bias = bias.unwrap_or(&zeros);
        self.fill(
            x,
            x,
            #[inline(always)]
            |x, _, c| (x - means[c]) * scales[c] + bias[c],
        )
    }

    /// The gradients for x, weight and bias.
    #[inline]
    pub fn backward<T: Real>(&self, g: &[T], x: &[T], weight: Option<&[T]>) -> (Vec<T>, Vec<T>, Vec<T>) {
        let n = (x.len() / self.channels) as f64;
        let (means, scales) = self.moments(x);
        let bias = self.sums(
            x,
            g,
            #[inline(always)]
            |_, g, _| g,
        );
        let along = self.sums(
            x,
            g,
            #[inline(always)]
            |x, g, c| g * (x - means[c]) * scales[c],
        );
        let shifts: Vec<T> = bias.iter().map(|sum| T::of(sum / n)).collect();
        let alongs: Vec<T> = along.iter().map(|sum| T::of(sum / n)).collect();
        let factors: Vec<T> = match weight {
            Some(weight) => scales.iter().zip(weight).map(|(&scale, &w)| scale * w).collect(),
            None => scales.clone(),
        };
        let dx = self.fill(
            x,
            g,
            #[inline(always)]
            |x, g, c| factors[c] * (g - shifts[c] - (x - means[c]) * scales[c] * alongs[c]),
        );
        let made = |sums: Vec<f64>| sums.into_iter().map(T::of).collect();
        (dx, made(along), made(bias))
    }
}

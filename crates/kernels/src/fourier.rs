//! Discrete Fourier transforms along one dimension. A complex number is two elements, real part first.
//!
//! Stockham's form of the mixed radix algorithm (Van Loan, Computational Frameworks for the Fast Fourier Transform, 1.7), several lines at
//! once; lengths with a large prime factor by Bluestein's chirps.

use std::cell::RefCell;
use std::collections::HashMap;
use std::f64::consts::PI;
use std::sync::Arc;

use crate::parallel::{for_each, simd};
use crate::real::Real;

/// Factors up to here are taken apart directly.
const LARGEST_FACTOR: usize = 31;
/// Plans remembered by a thread.
const PLANS: usize = 64;
/// Lines that are transformed together.
const LANES: usize = 8;
/// Elements that a task handles about.
const TASK: usize = 1 << 13;

/// One pass: `m` groups of `radix` numbers, and what each result but the first of a group is multiplied by.
struct Stage<T> {
    radix: usize,
    m: usize,
    twiddles: Vec<(T, T)>,
    /// Roots of unity of `radix`.
    roots: Vec<(T, T)>,
}

enum Way<T> {
    Stages(Vec<Stage<T>>),
    /// `e^(-i pi k^2 / n)`, the transform of the conjugates, and the plan of a power of two that convolves.
    Chirp(Vec<(T, T)>, Vec<(T, T)>, Arc<Plan<T>>),
}

/// How a transform of `n` numbers is done.
pub struct Plan<T> {
    n: usize,
    way: Way<T>,
}

/// `e^(-2 pi i k / n)`.
#[inline]
fn root<T: Real>(k: usize, n: usize) -> (T, T) {
    let (sin, cos) = (-2.0 * PI * (k % n) as f64 / n as f64).sin_cos();
    (T::of(cos), T::of(sin))
}

fn factors(mut n: usize) -> Vec<usize> {
    let mut out = Vec::new();
    for p in [4, 2].into_iter().chain(3..) {
        while n.is_multiple_of(p) && n > 1 {
            out.push(p);
            n /= p;
        }
        if n == 1 {
            break;
        }
        if p * p > n && p > 4 {
            out.push(n);
            break;
        }
    }
    out
}

#[inline(always)]
fn times<T: Real>(a: (T, T), b: (T, T)) -> (T, T) {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

/// Real and imaginary parts of `[n, lanes]` numbers.
struct Numbers<T> {
    re: Vec<T>,
    im: Vec<T>,
}

impl<T: Real> Numbers<T> {
    fn new(size: usize) -> Self {
        Self { re: vec![T::of(0.0); size], im: vec![T::of(0.0); size] }
    }
}

impl<T: Fourier> Plan<T> {
    fn new(n: usize) -> Self {
        let factors = factors(n);
        if factors.iter().any(|&p| p > LARGEST_FACTOR) {
            let long = (2 * n - 1).next_power_of_two();
            let inner = T::plan(long);
            let chirp: Vec<(T, T)> = (0..n as u128).map(|k| root((k * k % (2 * n as u128)) as usize, 2 * n)).collect();
            let mut filter = Numbers::new(long);
            for (k, &(re, im)) in chirp.iter().enumerate() {
                for at in [k, (long - k) % long] {
                    (filter.re[at], filter.im[at]) = (re, -im);
                }
            }
            inner.forward(&mut filter, 1);
            let filter = filter.re.into_iter().zip(filter.im).collect();
            return Self { n, way: Way::Chirp(chirp, filter, inner) };
        }
        let mut left = n;
        let mut stage = |radix: usize| {
            let whole = left;
            left /= radix;
            let twiddles = (0..left).flat_map(|p| (1..radix).map(move |k| root(p * k, whole))).collect();
            Stage { radix, m: left, twiddles, roots: (0..radix).map(|k| root(k, radix)).collect() }
        };
        let stages = factors.into_iter().map(&mut stage).collect();
        Self { n, way: Way::Stages(stages) }
    }

    /// The transform of each of `lanes` lines, in place.
    fn forward(&self, x: &mut Numbers<T>, lanes: usize) {
        match &self.way {
            Way::Stages(stages) => {
                let mut other = Numbers::new(x.re.len());
                let mut stride = lanes;
                for stage in stages {
                    simd(
                        #[inline(always)]
                        || stage.run(x, &mut other, stride),
                    );
                    std::mem::swap(x, &mut other);
                    stride *= stage.radix;
                }
            }
            Way::Chirp(chirp, filter, inner) => {
                let mut long = Numbers::new(filter.len() * lanes);
                for at in 0..self.n * lanes {
                    (long.re[at], long.im[at]) = times((x.re[at], x.im[at]), chirp[at / lanes]);
                }
                inner.forward(&mut long, lanes);
                for (at, (re, im)) in long.re.iter_mut().zip(&mut long.im).enumerate() {
                    (*re, *im) = times((*re, *im), filter[at / lanes]);
                }
                inner.inverse(&mut long, lanes);
                let scale = T::of(1.0 / filter.len() as f64);
                for at in 0..self.n * lanes {
                    let (re, im) = times((long.re[at], long.im[at]), chirp[at / lanes]);
                    (x.re[at], x.im[at]) = (re * scale, im * scale);
                }
            }
        }
    }

    /// The other way round, not divided by `n`: with real and imaginary parts exchanged, before and after, it is `forward`.
    fn inverse(&self, x: &mut Numbers<T>, lanes: usize) {
        std::mem::swap(&mut x.re, &mut x.im);
        self.forward(x, lanes);
        std::mem::swap(&mut x.re, &mut x.im);
    }
}

impl<T: Real> Stage<T> {
    /// `x` holds `[radix, m, stride]`, `y` becomes `[m, radix, stride]`.
    #[inline(always)]
    fn run(&self, x: &Numbers<T>, y: &mut Numbers<T>, stride: usize) {
        let (radix, block) = (self.radix, self.m * stride);
        let out = y.re.chunks_exact_mut(radix * stride).zip(y.im.chunks_exact_mut(radix * stride));
        for (p, (out_re, out_im)) in out.enumerate() {
            let twiddles = &self.twiddles[p * (radix - 1)..(p + 1) * (radix - 1)];
            let re = |k: usize| &x.re[k * block + p * stride..][..stride];
            let im = |k: usize| &x.im[k * block + p * stride..][..stride];
            if radix == 2 {
                pair([re(0), re(1)], [im(0), im(1)], out_re, out_im, twiddles);
            } else if radix == 4 {
                four([re(0), re(1), re(2), re(3)], [im(0), im(1), im(2), im(3)], out_re, out_im, twiddles);
            } else {
                for (k, (out_re, out_im)) in out_re.chunks_exact_mut(stride).zip(out_im.chunks_exact_mut(stride)).enumerate() {
                    out_re.copy_from_slice(re(0));
                    out_im.copy_from_slice(im(0));
                    for j in 1..radix {
                        let (c, s) = self.roots[j * k % radix];
                        let parts = re(j).iter().zip(im(j));
                        for ((out_re, out_im), (&a, &b)) in out_re.iter_mut().zip(&mut *out_im).zip(parts) {
                            *out_re = *out_re + a * c - b * s;
                            *out_im = *out_im + a * s + b * c;
                        }
                    }
                    if k > 0 {
                        let twiddle = twiddles[k - 1];
                        for (re, im) in out_re.iter_mut().zip(out_im) {
                            (*re, *im) = times((*re, *im), twiddle);
                        }
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn pair<T: Real>(re: [&[T]; 2], im: [&[T]; 2], out_re: &mut [T], out_im: &mut [T], twiddles: &[(T, T)]) {
    let stride = re[0].len();
    let ((re0, re1), (im0, im1)) = (out_re.split_at_mut(stride), out_im.split_at_mut(stride));
    let w = twiddles[0];
    for q in 0..stride {
        let (a, b) = ((re[0][q], im[0][q]), (re[1][q], im[1][q]));
        (re0[q], im0[q]) = (a.0 + b.0, a.1 + b.1);
        (re1[q], im1[q]) = times((a.0 - b.0, a.1 - b.1), w);
    }
}

#[inline(always)]
fn four<T: Real>(re: [&[T]; 4], im: [&[T]; 4], out_re: &mut [T], out_im: &mut [T], twiddles: &[(T, T)]) {
    let stride = re[0].len();
    let (re01, re23) = out_re.split_at_mut(2 * stride);
    let (im01, im23) = out_im.split_at_mut(2 * stride);
    let ((re0, re1), (re2, re3)) = (re01.split_at_mut(stride), re23.split_at_mut(stride));
    let ((im0, im1), (im2, im3)) = (im01.split_at_mut(stride), im23.split_at_mut(stride));
    let [w1, w2, w3] = [twiddles[0], twiddles[1], twiddles[2]];
    let (re, im) = (re.map(|x| &x[..stride]), im.map(|x| &x[..stride]));
    for q in 0..stride {
        let even = (re[0][q] + re[2][q], im[0][q] + im[2][q]);
        let odd = (re[0][q] - re[2][q], im[0][q] - im[2][q]);
        let sum = (re[1][q] + re[3][q], im[1][q] + im[3][q]);
        // Times -i.
        let turned = (im[1][q] - im[3][q], re[3][q] - re[1][q]);
        (re0[q], im0[q]) = (even.0 + sum.0, even.1 + sum.1);
        (re1[q], im1[q]) = times((odd.0 + turned.0, odd.1 + turned.1), w1);
        (re2[q], im2[q]) = times((even.0 - sum.0, even.1 - sum.1), w2);
        (re3[q], im3[q]) = times((odd.0 - turned.0, odd.1 - turned.1), w3);
    }
}

/// An element type with the plans that a thread remembers.
pub trait Fourier: Real {
    fn plan(n: usize) -> Arc<Plan<Self>>;
}

macro_rules! fourier {
    ($($t:ty, $plans:ident;)+) => { $(
        thread_local! {
            static $plans: RefCell<HashMap<usize, Arc<Plan<$t>>>> = RefCell::new(HashMap::new());
        }
        impl Fourier for $t {
            fn plan(n: usize) -> Arc<Plan<$t>> {
                if let Some(plan) = $plans.with_borrow(|plans| plans.get(&n).cloned()) {
                    return plan;
                }
                let plan = Arc::new(Plan::new(n));
                $plans.with_borrow_mut(|plans| {
                    if plans.len() >= PLANS {
                        plans.clear();
                    }
                    plans.insert(n, plan.clone());
                });
                plan
            }
        }
    )+ };
}

fourier! {
    f32, SINGLE;
    f64, DOUBLE;
}

/// Lines of `n` numbers in a tensor of `[outer, n, inner]`; neither `n` nor `inner` is 0. Each result is multiplied by `scale`.
#[derive(Debug, Clone, Copy)]
pub struct Lines {
    pub n: usize,
    pub inner: usize,
    pub scale: f64,
}

/// Where a line goes: one of `lanes`; and its first element in the piece that it comes from.
#[derive(Clone, Copy)]
struct Lane {
    lanes: usize,
    lane: usize,
    start: usize,
}

impl Lines {
    fn half(&self) -> usize {
        self.n / 2 + 1
    }

    /// Transforms lines of `from` elements to lines of `to`. `read` and `write` move the line that begins at an element of a piece
    /// `[from, inner]` to and from a lane of many.
    #[inline]
    fn each<T: Fourier>(
        &self,
        x: &[T],
        (from, to): (usize, usize),
        inverse: bool,
        read: impl Fn(&mut Numbers<T>, Lane, &[T]) + Sync + Send,
        write: impl Fn(&Numbers<T>, Lane, &mut [T]) + Sync + Send,
    ) -> Vec<T> {
        let (plan, inner) = (T::plan(self.n), self.inner);
        let (before, after) = (from * inner, to * inner);
        let mut out = vec![T::of(0.0); x.len() / before * after];
        // Where pieces have few lines, several of them fill the lanes.
        let several = (TASK / before.max(after) + 1).next_multiple_of(if inner < LANES { LANES } else { 1 });
        let blocks = x.chunks(several * before).zip(out.chunks_mut(several * after)).collect();
        // A transform costs about ten passes.
        for_each(blocks, x.len() * 10, |(x, out): (&[T], &mut [T])| {
            let lines = x.len() / from;
            let mut numbers = Numbers::new(self.n * LANES.min(lines));
            for first in (0..lines).step_by(LANES) {
                let lanes = LANES.min(lines - first);
                numbers.re.truncate(self.n * lanes);
                numbers.im.truncate(self.n * lanes);
                for (lane, line) in (first..first + lanes).enumerate() {
                    let at = Lane { lanes, lane, start: line % inner };
                    read(&mut numbers, at, &x[line / inner * before..][..before]);
                }
                if inverse {
                    plan.inverse(&mut numbers, lanes);
                } else {
                    plan.forward(&mut numbers, lanes);
                }
                for (lane, line) in (first..first + lanes).enumerate() {
                    let at = Lane { lanes, lane, start: line % inner };
                    write(&numbers, at, &mut out[line / inner * after..][..after]);
                }
            }
        });
        out
    }

    /// Complex numbers `[outer, n, inner, 2]` to as many.
    #[inline]
    pub fn complex<T: Fourier>(&self, x: &[T], inverse: bool) -> Vec<T> {
        let (inner, scale) = (self.inner, T::of(self.scale));
        let read = |numbers: &mut Numbers<T>, at: Lane, x: &[T]| {
            for (k, row) in x.chunks_exact(2 * inner).enumerate() {
                numbers.re[k * at.lanes + at.lane] = row[2 * at.start];
                numbers.im[k * at.lanes + at.lane] = row[2 * at.start + 1];
            }
        };
        let write = |numbers: &Numbers<T>, at: Lane, out: &mut [T]| {
            for (k, row) in out.chunks_exact_mut(2 * inner).enumerate() {
                row[2 * at.start] = numbers.re[k * at.lanes + at.lane] * scale;
                row[2 * at.start + 1] = numbers.im[k * at.lanes + at.lane] * scale;
            }
        };
        self.each(x, (2 * self.n, 2 * self.n), inverse, read, write)
    }

    /// Real numbers `[outer, n, inner]` to the first `n / 2 + 1` of their transform, `[outer, n / 2 + 1, inner, 2]`.
    #[inline]
    pub fn real<T: Fourier>(&self, x: &[T]) -> Vec<T> {
        let (inner, scale) = (self.inner, T::of(self.scale));
        let read = |numbers: &mut Numbers<T>, at: Lane, x: &[T]| {
            for (k, row) in x.chunks_exact(inner).enumerate() {
                numbers.re[k * at.lanes + at.lane] = row[at.start];
                numbers.im[k * at.lanes + at.lane] = T::of(0.0);
            }
        };
        let write = |numbers: &Numbers<T>, at: Lane, out: &mut [T]| {
            for (k, row) in out.chunks_exact_mut(2 * inner).enumerate() {
                row[2 * at.start] = numbers.re[k * at.lanes + at.lane] * scale;
                row[2 * at.start + 1] = numbers.im[k * at.lanes + at.lane] * scale;
            }
        };
        self.each(x, (self.n, 2 * self.half()), false, read, write)
    }

    /// The real numbers whose transform begins with `[outer, n / 2 + 1, inner, 2]`, times `n`.
    #[inline]
    pub fn half_complex<T: Fourier>(&self, x: &[T]) -> Vec<T> {
        let (n, inner, scale) = (self.n, self.inner, T::of(self.scale));
        let read = |numbers: &mut Numbers<T>, at: Lane, x: &[T]| {
            for (k, row) in x.chunks_exact(2 * inner).enumerate() {
                let (re, im) = (row[2 * at.start], row[2 * at.start + 1]);
                let mirror = (n - k) % n;
                for (k, im) in [(k, im), (mirror, -im)] {
                    numbers.re[k * at.lanes + at.lane] = re;
                    // What is its own mirror image is real, whatever is given.
                    numbers.im[k * at.lanes + at.lane] = if 2 * k % n == 0 { T::of(0.0) } else { im };
                }
            }
        };
        let write = |numbers: &Numbers<T>, at: Lane, out: &mut [T]| {
            for (k, row) in out.chunks_exact_mut(inner).enumerate() {
                row[at.start] = numbers.re[k * at.lanes + at.lane] * scale;
            }
        };
        self.each(x, (2 * self.half(), n), true, read, write)
    }
}

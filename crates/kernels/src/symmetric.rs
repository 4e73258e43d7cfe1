//! Eigenvalues of symmetric matrices in float64: Householder reflections to a tridiagonal matrix, then implicit QL steps with Wilkinson's
//! shift (Golub and Van Loan, Matrix Computations, 4th ed., 8.3).

use crate::factor::leading_sign;
use crate::parallel::simd;

/// The diagonal, the entries beside it (`[n]`, the last 0), and the reflections that made them.
struct Tridiagonal {
    diagonal: Vec<f64>,
    beside: Vec<f64>,
    mirrors: Vec<(Vec<f64>, f64)>,
}

#[inline(always)]
fn dot(x: &[f64], y: &[f64]) -> f64 {
    // Eight sums that do not wait for one another.
    let mut sums = [0.0; 8];
    let (xs, ys) = (x.chunks_exact(8), y.chunks_exact(8));
    let rest: f64 = xs.remainder().iter().zip(ys.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in xs.zip(ys) {
        for k in 0..8 {
            sums[k] += x[k] * y[k];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// Only the lower triangle of `a` is read.
#[inline(always)]
fn tridiagonal(mut a: Vec<f64>, n: usize, keep: bool) -> Tridiagonal {
    let mut out = Tridiagonal { diagonal: vec![0.0; n], beside: vec![0.0; n], mirrors: Vec::new() };
    let mut w = vec![0.0; n];
    // From the last row up, so that what is left are the first rows: those of one length.
    for k in (1..n).rev() {
        out.diagonal[k] = a[k * n + k];
        let (rest, row) = a.split_at_mut(k * n);
        let v = &mut row[..k];
        let alpha = v[k - 1];
        let tail = dot(&v[..k - 1], &v[..k - 1]);
        if tail == 0.0 {
            out.beside[k - 1] = alpha;
            if keep {
                out.mirrors.push((Vec::new(), 0.0));
            }
            continue;
        }
        let norm = (alpha * alpha + tail).sqrt();
        let beta = if alpha < 0.0 { norm } else { -norm };
        let tau = (beta - alpha) / beta;
        v[..k - 1].iter_mut().for_each(|x| *x /= alpha - beta);
        v[k - 1] = 1.0;
        out.beside[k - 1] = beta;
        // w = tau A v from the lower triangle, each entry of which stands for two.
        w[..k].fill(0.0);
        for i in 0..k {
            let row = &rest[i * n..i * n + i];
            let vi = v[i];
            let sum = dot(row, &v[..i]) + rest[i * n + i] * vi;
            w[..i].iter_mut().zip(row).for_each(|(w, &x)| *w += x * vi);
            w[i] += sum;
        }
        w[..k].iter_mut().for_each(|w| *w *= tau);
        let half = 0.5 * tau * dot(&w[..k], &v[..k]);
        w[..k].iter_mut().zip(&*v).for_each(|(w, &v)| *w -= half * v);
        for i in 0..k {
            let (vi, wi) = (v[i], w[i]);
            let pairs = v[..=i].iter().zip(&w[..=i]);
            rest[i * n..=i * n + i].iter_mut().zip(pairs).for_each(|(x, (&v, &w))| *x -= vi * w + wi * v);
        }
        if keep {
            out.mirrors.push((v.to_vec(), tau));
        }
    }
    if n > 0 {
        out.diagonal[0] = a[0];
    }
    out
}

/// QL steps after which an eigenvalue has always been found, cubically, long before.
const STEPS: usize = 60;

/// The diagonal `d` becomes the eigenvalues of the tridiagonal matrix with `e` beside it; rows of `z`, `[n, columns]`, are turned along.
#[inline(always)]
fn ql(d: &mut [f64], e: &mut [f64], z: &mut [f64], columns: usize) {
    let n = d.len();
    for first in 0..n {
        for _ in 0..STEPS {
            let small = |m: usize| e[m].abs() <= f64::EPSILON * (d[m].abs() + d[m + 1].abs()) || e[m].abs() < f64::MIN_POSITIVE;
            let last = (first..n.saturating_sub(1)).find(|&m| small(m)).unwrap_or(n - 1);
            if last == first {
                break;
            }
            let g = (d[first + 1] - d[first]) / (2.0 * e[first]);
            let r = (g * g + 1.0).sqrt();
            let mut g = d[last] - d[first] + e[first] / (g + if g < 0.0 { -r } else { r });
            let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
            let mut cut = false;
            for i in (first..last).rev() {
                let (f, b) = (s * e[i], c * e[i]);
                let r = (f * f + g * g).sqrt();
                e[i + 1] = r;
                if r == 0.0 {
                    // The matrix falls apart here.
                    d[i + 1] -= p;
                    e[last] = 0.0;
                    cut = true;
                    break;
                }
                s = f / r;
                c = g / r;
                g = d[i + 1] - p;
                let turned = (d[i] - g) * s + 2.0 * c * b;
                p = s * turned;
                d[i + 1] = g + p;
                g = c * turned - b;
                if columns > 0 {
                    let (low, high) = z.split_at_mut((i + 1) * columns);
                    let rows = low[i * columns..].iter_mut().zip(&mut high[..columns]);
                    rows.for_each(|(x, y)| (*x, *y) = (c * *x - s * *y, s * *x + c * *y));
                }
            }
            if !cut {
                d[first] -= p;
                e[first] = g;
                e[last] = 0.0;
            }
        }
    }
}

/// `z -= tau v (v^T z)` for the first rows and columns, as many as `v` has entries.
#[inline(always)]
fn reflect(z: &mut [f64], n: usize, v: &[f64], tau: f64) {
    let k = v.len();
    let mut sums = vec![0.0; k];
    for (row, &factor) in z.chunks_exact(n).zip(v) {
        sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += factor * x);
    }
    for (row, &factor) in z.chunks_exact_mut(n).zip(v) {
        let factor = tau * factor;
        row.iter_mut().zip(&sums).for_each(|(x, &sum)| *x -= factor * sum);
    }
}

/// `a` over its largest element, and that: squares of elements neither overflow nor vanish where they count.
fn scaled(a: &[f64]) -> (Vec<f64>, f64) {
    let largest = a.iter().fold(0.0_f64, |best, x| best.max(x.abs()));
    let scale = if largest == 0.0 { 1.0 } else { largest };
    (a.iter().map(|x| x / scale).collect(), scale)
}

/// Eigenvalues of a symmetric, finite `a`, `[n, n]`, ascending.
pub fn values(a: &[f64], n: usize) -> Vec<f64> {
    let (a, scale) = scaled(a);
    let mut values = simd(
        #[inline(always)]
        || {
            let Tridiagonal { mut diagonal, mut beside, .. } = tridiagonal(a, n, false);
            ql(&mut diagonal, &mut beside, &mut [], 0);
            diagonal
        },
    );
    values.sort_by(f64::total_cmp);
    values.into_iter().map(|value| value * scale).collect()
}

/// Eigenvalues of a symmetric, finite `a`, `[n, n]`, ascending, and eigenvectors as columns, the largest component of each positive.
pub fn eigen(a: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let (a, scale) = scaled(a);
    let (d, z) = simd(
        #[inline(always)]
        || {
            let Tridiagonal { mut diagonal, mut beside, mirrors } = tridiagonal(a, n, true);
            // Rows of `z` are columns of the product of all reflections, the first of which came from the last row.
            let mut z = vec![0.0; n * n];
            (0..n).for_each(|i| z[i * n + i] = 1.0);
            for (v, tau) in mirrors.iter().rev().filter(|(_, tau)| *tau != 0.0) {
                reflect(&mut z, n, v, *tau);
            }
            transpose(&mut z, n);
            ql(&mut diagonal, &mut beside, &mut z, n);
            (diagonal, z)
        },
    );
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| d[i].total_cmp(&d[j]));
    let mut vectors = vec![0.0; n * n];
    for (to, &from) in order.iter().enumerate() {
        let vector = &z[from * n..(from + 1) * n];
        let sign = leading_sign(vector);
        vector.iter().enumerate().for_each(|(i, x)| vectors[i * n + to] = sign * x);
    }
    (order.iter().map(|&i| d[i] * scale).collect(), vectors)
}

fn transpose(x: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..i {
            x.swap(i * n + j, j * n + i);
        }
    }
}

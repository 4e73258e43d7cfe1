//! Factorisations of small and middling matrices in float64, row-major: LU, Cholesky, Householder QR, singular
//! values by Jacobi.
//! The algorithms are the textbook's (Golub and Van Loan, Matrix Computations, 4th ed.).

/// `a`, `[n, n]`, becomes L (unit, below) and U (on and above) of its rows in the order returned; also the sign of that order.
pub fn lu(a: &mut [f64], rows: usize, columns: usize) -> (Vec<usize>, f64) {
    let mut order: Vec<usize> = (0..rows).collect();
    let mut sign = 1.0;
    for k in 0..rows.min(columns) {
        let mut pivot = k;
        for i in k + 1..rows {
            if a[i * columns + k].abs() > a[pivot * columns + k].abs() {
                pivot = i;
            }
        }
        if pivot != k {
            order.swap(k, pivot);
            sign = -sign;
            for j in 0..columns {
                a.swap(k * columns + j, pivot * columns + j);
            }
        }
        let diagonal = a[k * columns + k];
        if diagonal == 0.0 {
            continue;
        }
        let (upper, lower) = a.split_at_mut((k + 1) * columns);
        let row = &upper[k * columns + k + 1..];
        for other in lower.chunks_exact_mut(columns) {
            let factor = other[k] / diagonal;
            other[k] = factor;
            if factor != 0.0 {
                other[k + 1..].iter_mut().zip(row).for_each(|(out, &x)| *out -= factor * x);
            }
        }
    }
    (order, sign)
}

/// Which triangle of a matrix a substitution reads, and whether its diagonal counts as ones.
#[derive(Debug, Clone, Copy)]
pub struct Triangle {
    pub upper: bool,
    pub unit: bool,
}

/// Solves `a x = b` for a triangle of `a`, `[n, n]`, in place of `b`, `[n, columns]`.
pub fn substitute(a: &[f64], n: usize, b: &mut [f64], columns: usize, triangle: Triangle) {
    for step in 0..n {
        let i = if triangle.upper { n - 1 - step } else { step };
        let known = if triangle.upper { i + 1..n } else { 0..i };
        for k in known {
            let factor = a[i * n + k];
            if factor == 0.0 {
                continue;
            }
            let (low, high) = b.split_at_mut(i.max(k) * columns);
            let (out, x) = if k > i {
                (&mut low[i * columns..(i + 1) * columns], &high[..columns])
            } else {
                (&mut high[..columns], &low[k * columns..(k + 1) * columns])
            };
            out.iter_mut().zip(x).for_each(|(out, &x)| *out -= factor * x);
        }
        if !triangle.unit {
            let diagonal = a[i * n + i];
            b[i * columns..(i + 1) * columns].iter_mut().for_each(|x| *x /= diagonal);
        }
    }
}

/// The lower triangle L with `a = L L^T`; an error holds the number of the leading minor that is not positive.
pub fn cholesky(a: &[f64], n: usize) -> Result<Vec<f64>, usize> {
    let mut l = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = l[i * n..i * n + j].iter().zip(&l[j * n..j * n + j]).map(|(x, y)| x * y).sum();
            let left = a[i * n + j] - dot;
            if i != j {
                l[i * n + j] = left / l[j * n + j];
            } else if left > 0.0 {
                l[i * n + i] = left.sqrt();
            } else {
                return Err(i + 1);
            }
        }
    }
    Ok(l)
}

/// Q, `[m, width]`, and R, `[width, n]`, of `a`, `[m, n]`; `width` is the smaller size, or m for a whole Q. Signs as LAPACK's.
pub fn qr(a: &[f64], m: usize, n: usize, width: usize) -> (Vec<f64>, Vec<f64>) {
    let mut r = a.to_vec();
    let mut mirrors: Vec<(Vec<f64>, f64)> = Vec::with_capacity(m.min(n));
    for k in 0..m.min(n) {
        let tail: f64 = (k + 1..m).map(|i| r[i * n + k] * r[i * n + k]).sum();
        let alpha = r[k * n + k];
        if tail == 0.0 {
            mirrors.push((Vec::new(), 0.0));
            continue;
        }
        let norm = alpha.hypot(tail.sqrt());
        let beta = if alpha < 0.0 { norm } else { -norm };
        let mut v: Vec<f64> = (k..m).map(|i| r[i * n + k] / (alpha - beta)).collect();
        v[0] = 1.0;
        let tau = (beta - alpha) / beta;
        mirror(&mut r, n, k, k, &v, tau);
        mirrors.push((v, tau));
    }
    let mut q = vec![0.0; m * width];
    for i in 0..width {
        q[i * width + i] = 1.0;
    }
    for (k, (v, tau)) in mirrors.iter().enumerate().rev() {
        if *tau != 0.0 {
            mirror(&mut q, width, k, 0, v, *tau);
        }
    }
    for i in 0..m {
        for j in 0..i.min(n) {
            r[i * n + j] = 0.0;
        }
    }
    r.truncate(width * n);
    (q, r)
}

/// `x -= tau v (v^T x)` for the rows from `top` and the columns from `left` on.
fn mirror(x: &mut [f64], columns: usize, top: usize, left: usize, v: &[f64], tau: f64) {
    let mut dots = vec![0.0; columns - left];
    for (i, &factor) in v.iter().enumerate() {
        let row = &x[(top + i) * columns + left..(top + i + 1) * columns];
        dots.iter_mut().zip(row).for_each(|(dot, &x)| *dot += factor * x);
    }
    for (i, &factor) in v.iter().enumerate() {
        let row = &mut x[(top + i) * columns + left..(top + i + 1) * columns];
        row.iter_mut().zip(&dots).for_each(|(x, &dot)| *x -= tau * factor * dot);
    }
}

/// Sweeps after which rotations have always converged, quadratically, long before.
const SWEEPS: usize = 60;

/// The cosine and sine of the rotation that makes `apq` zero.
fn rotation(app: f64, aqq: f64, apq: f64) -> (f64, f64) {
    let theta = (aqq - app) / (2.0 * apq);
    let t = if theta.abs() > 1e150 { 0.5 / theta } else { theta.signum() / (theta.abs() + theta.hypot(1.0)) };
    let c = 1.0 / t.hypot(1.0);
    (c, t * c)
}

/// Rotates rows p < q.
fn turn(x: &mut [f64], columns: usize, p: usize, q: usize, c: f64, s: f64) {
    let (low, high) = x.split_at_mut(q * columns);
    let rows = low[p * columns..(p + 1) * columns].iter_mut().zip(&mut high[..columns]);
    rows.for_each(|(x, y)| (*x, *y) = (c * *x - s * *y, s * *x + c * *y));
}

/// The sign of the component of the largest magnitude.
pub(crate) fn leading_sign(vector: &[f64]) -> f64 {
    let largest = vector.iter().fold(0.0_f64, |best, &x| if x.abs() > best.abs() * (1.0 + 1e-6) { x } else { best });
    if largest < 0.0 { -1.0 } else { 1.0 }
}

/// Singular values, descending, with U, `[m, k]`, and V, `[n, k]`, as columns, for k the smaller size; one-sided Jacobi. The largest
/// component of each column of U is positive.
pub fn svd(a: &[f64], m: usize, n: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    if m < n {
        let flipped: Vec<f64> = (0..n * m).map(|i| a[(i % m) * n + i / m]).collect();
        let (s, v, u) = svd(&flipped, n, m);
        return signed(s, u, v, m, n);
    }
    if m > n + n / 2 && n > 0 {
        // A tall matrix: the singular values are those of R, and Q takes the left vectors back.
        let (q, r) = qr(a, m, n, n);
        let (s, u, v) = svd(&r, n, n);
        let mut left = vec![0.0; m * n];
        for (row, out) in q.chunks_exact(n).zip(left.chunks_exact_mut(n)) {
            for (&x, u) in row.iter().zip(u.chunks_exact(n)) {
                out.iter_mut().zip(u).for_each(|(out, &u)| *out += x * u);
            }
        }
        return signed(s, left, v, m, n);
    }
    // Rows of `columns` are columns of a; they are turned until all are orthogonal.
    let mut columns: Vec<f64> = (0..n * m).map(|i| a[(i % m) * n + i / m]).collect();
    let mut v = vec![0.0; n * n];
    (0..n).for_each(|i| v[i * n + i] = 1.0);
    let dot = |x: &[f64], p: usize, q: usize| -> f64 { x[p * m..(p + 1) * m].iter().zip(&x[q * m..(q + 1) * m]).map(|(x, y)| x * y).sum() };
    for _ in 0..SWEEPS {
        let mut turned = false;
        for p in 0..n {
            for q in p + 1..n {
                let (alpha, beta, gamma) = (dot(&columns, p, p), dot(&columns, q, q), dot(&columns, p, q));
                if gamma.abs() <= 1e-16 * (alpha * beta).sqrt() || gamma == 0.0 || !gamma.is_finite() {
                    continue;
                }
                turned = true;
                let (c, s) = rotation(alpha, beta, gamma);
                turn(&mut columns, m, p, q, c, s);
                turn(&mut v, n, p, q, c, s);
            }
        }
        if !turned {
            break;
        }
    }
    let lengths: Vec<f64> = (0..n).map(|i| dot(&columns, i, i).sqrt()).collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| lengths[j].total_cmp(&lengths[i]));
    let largest = order.first().map_or(0.0, |&i| lengths[i]);
    let values: Vec<f64> = order.iter().map(|&i| lengths[i]).collect();
    let (mut left, mut right) = (vec![0.0; m * n], vec![0.0; n * n]);
    let mut rank = 0;
    for (to, &from) in order.iter().enumerate() {
        (0..n).for_each(|i| right[i * n + to] = v[from * n + i]);
        if lengths[from] > largest * 1e-15 * m as f64 {
            (0..m).for_each(|i| left[i * n + to] = columns[from * m + i] / lengths[from]);
            rank = to + 1;
        }
    }
    if rank < n {
        complete(&mut left, m, n, rank);
    }
    signed(values, left, right, m, n)
}

/// Fills the columns from `known` on with directions orthogonal to those before.
fn complete(left: &mut [f64], m: usize, n: usize, known: usize) {
    let whole: Vec<f64> = (0..m * known).map(|i| left[(i / known) * n + i % known]).collect();
    let (q, _) = qr(&whole, m, known, m);
    for i in 0..m {
        left[i * n + known..(i + 1) * n].copy_from_slice(&q[i * m + known..i * m + n]);
    }
}

fn signed(s: Vec<f64>, mut u: Vec<f64>, mut v: Vec<f64>, m: usize, n: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let k = s.len();
    for column in 0..k {
        let vector: Vec<f64> = (0..m).map(|i| u[i * k + column]).collect();
        if leading_sign(&vector) < 0.0 {
            (0..m).for_each(|i| u[i * k + column] = -u[i * k + column]);
            (0..n).for_each(|i| v[i * k + column] = -v[i * k + column]);
        }
    }
    (s, u, v)
}

//! Decompositions: QR, eigenvalues of symmetric matrices, singular values, and what is made of them.

use super::choice::QrMode;
use super::compare::where_;
use super::diagonal::{diag_embed, tril};
use super::elementwise::to_dtype;
use super::linalg::{matmul, matrices};
use super::products::{identity_like, square_matrix};
use super::reduce::{amax, amin, sum};
use super::shaping::{cat, narrow, reshape, signed, unsqueeze};
use super::solve::{Batch, mt, triangular};
use super::{Index, Outputs, ops};
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::shape::show;
use crate::tensor::Tensor;
use firn_kernels::factor::{qr as qr_of, svd as svd_of};
use firn_kernels::symmetric::{eigen, values};

/// Parts of a packed result: `shapes` one after the other in the last dimension.
fn apart<const N: usize>(x: &Tensor, shapes: [&[usize]; N]) -> Result<[Tensor; N]> {
    let mut start = 0;
    let lead = &x.shape()[..x.rank() - 1];
    let mut out = Vec::with_capacity(N);
    for shape in shapes {
        let size = shape.iter().product();
        out.push(reshape(&narrow(x, -1, start, size)?, &signed(&[lead, shape].concat()))?);
        start += size;
    }
    match out.try_into() {
        Ok(parts) => Ok(parts),
        Err(_) => bail!(Internal, "a packed result has another number of parts"),
    }
}

fn sizes(x: &Tensor) -> Result<(usize, usize)> {
    match x.shape() {
        &[.., m, n] => Ok((m, n)),
        shape => bail!(Shape, "{} is no matrix; two dimensions are needed", show(shape)),
    }
}

/// `x / e` outside the diagonal, 0 on it, where `e` is the difference of `values` by columns and by rows.
fn over_differences(x: &Tensor, values: &Tensor) -> Result<Tensor> {
    let one = identity_like(x)?;
    let differences = unsqueeze(values, -2)? - unsqueeze(values, -1)?;
    Ok(x / (differences + &one) * (1.0 - one))
}

fn skew(x: &Tensor) -> Result<Tensor> {
    Ok(x - mt(x)?)
}

/// The smallest singular value that counts, relative to the largest.
fn tolerance(x: &Tensor, rtol: Option<f64>) -> Result<f64> {
    let (m, n) = sizes(x)?;
    let eps = if x.dtype() == DType::Float64 { f64::EPSILON } else { f64::from(f32::EPSILON) };
    Ok(rtol.unwrap_or(m.max(n) as f64 * eps))
}

/// Checks what an iteration needs to end.
fn finite(batch: &Batch) -> Result<()> {
    if !batch.data.iter().all(|x| x.is_finite()) {
        bail!(Argument, "a matrix with infinities or NaN has no eigenvalues");
    }
    Ok(())
}

ops! {
    /// Q and R of matrices that are not wide, packed.
    #[face()]
    #[check(none, "checked as qr")]
    fn qr_packed(x: &Tensor) -> Tensor {
        let batch = Batch::of(x)?;
        let (m, n) = (batch.rows, batch.columns);
        let mut out = Vec::new();
        for i in 0..batch.count() {
            let (q, r) = qr_of(batch.matrix(i), m, n, n);
            out.extend(q);
            out.extend(r);
        }
        Ok(batch.tensor(out, &[m * n + n * n]))
    }
    grad(g, y; shape = burn_std::Shape::from(x.shape())) {
        x: {
            let (m, n) = (shape[shape.num_dims() - 2], shape[shape.num_dims() - 1]);
            let [q, r] = apart(y, [&[m, n], &[n, n]])?;
            let [gq, gr] = apart(g, [&[m, n], &[n, n]])?;
            let inner = matrices(&r, &mt(&gr)?)? - matrices(&mt(&gq)?, &q)?;
            let mirrored = tril(&inner, 0)? + mt(&tril(&inner, -1)?)?;
            let right = gq + matrices(&q, &mirrored)?;
            mt(&triangular(&r, &mt(&right)?, true, false)?)?
        }
    }

    /// `x = q r` with orthonormal columns in `q` and an upper triangle `r`; `'complete'` makes `q` square (without a gradient for tall
    /// matrices), `'r'` leaves it empty.
    #[example("const { r } = linalg.qr(tensor([[3, 1], [4, 2]]))", "r.abs() // [[5, 2.2], [0, 0.4]]")]
    #[outputs(q: Tensor, r: Tensor)]
    #[face(linalg)]
    #[check(cases)]
    #[torch("linalg.qr")]
    #[autocast(full)]
    fn qr(x: &Tensor; mode: QrMode = Reduced) -> Outputs {
        let (m, n) = sizes(x)?;
        if mode == QrMode::Complete && m > n {
            if x.requires_grad() && crate::tape::is_enabled() {
                bail!(Autograd, "a complete QR of a tall matrix {} has no gradient; use mode 'reduced' or .detach()", show(x.shape()));
            }
            let batch = Batch::of(x)?;
            let (mut q, mut r) = (Vec::new(), Vec::new());
            for i in 0..batch.count() {
                let (left, right) = qr_of(batch.matrix(i), m, n, m);
                q.extend(left);
                r.extend(right);
            }
            return Ok(vec![batch.tensor(q, &[m, m]), batch.tensor(r, &[m, n])]);
        }
        let k = m.min(n);
        let [q, mut r] = apart(&qr_packed(&narrow(x, -1, 0, k)?)?, [&[m, k], &[k, k]])?;
        if n > m {
            r = cat(&[r, matrices(&mt(&q)?, &narrow(x, -1, m, n - m)?)?], -1)?;
        }
        let q = if mode == QrMode::R { crate::create::zeros(&[0], x.dtype())? } else { q };
        Ok(vec![q, r])
    }

    /// Eigenvalues and eigenvectors of symmetric matrices, packed.
    #[face()]
    #[check(none, "checked as eigh")]
    fn eigh_packed(x: &Tensor) -> Tensor {
        let batch = Batch::of(x)?;
        let n = batch.rows;
        finite(&batch)?;
        let mut out = Vec::new();
        for i in 0..batch.count() {
            let (values, vectors) = eigen(batch.matrix(i), n);
            out.extend(values);
            out.extend(vectors);
        }
        Ok(batch.tensor(out, &[n + n * n]))
    }
    grad(g, y; n = *x.shape().last().unwrap_or(&0)) {
        x: {
            let [values, vectors] = apart(y, [&[n], &[n, n]])?;
            let [of_values, of_vectors] = apart(g, [&[n], &[n, n]])?;
            let turned = mt(&vectors)?;
            let inner = over_differences(&matrices(&turned, &of_vectors)?, &values)? + diag_embed(&of_values, 0, -2, -1)?;
            matrices(&matrices(&vectors, &inner)?, &turned)?
        }
    }

    /// Eigenvalues of symmetric matrices, ascending, and eigenvectors as columns, the largest component of each positive; of `x`, the mean
    /// with its transpose is read. The gradient of vectors needs eigenvalues that differ.
    #[example("const { eigenvalues } = linalg.eigh(tensor([[2, 1], [1, 2]]))", "eigenvalues // [1, 3]")]
    #[outputs(eigenvalues: Tensor, eigenvectors: Tensor)]
    #[face(linalg)]
    #[check(cases)]
    #[torch("linalg.eigh")]
    #[autocast(full)]
    fn eigh(x: &Tensor) -> Outputs {
        let n = square_matrix(x)?;
        let [values, vectors] = apart(&eigh_packed(&((x + mt(x)?) * 0.5))?, [&[n], &[n, n]])?;
        Ok(vec![values, vectors])
    }

    /// Eigenvalues of symmetric matrices, ascending.
    #[example("linalg.eigvalsh(tensor([[2, 1], [1, 2]])) // [1, 3]")]
    #[face(linalg)]
    #[check(cases)]
    #[torch("linalg.eigvalsh")]
    #[autocast(full)]
    fn eigvalsh(x: &Tensor) -> Tensor {
        // Vectors are for the gradient.
        if x.requires_grad() && crate::tape::is_enabled() {
            return Ok(eigh(x)?.swap_remove(0));
        }
        let n = square_matrix(x)?;
        let batch = Batch::of(&((x + mt(x)?) * 0.5))?;
        finite(&batch)?;
        Ok(batch.tensor((0..batch.count()).flat_map(|i| values(batch.matrix(i), n)).collect(), &[n]))
    }

    /// U, singular values and V, packed.
    #[face()]
    #[check(none, "checked as svd")]
    fn svd_packed(x: &Tensor) -> Tensor {
        let batch = Batch::of(x)?;
        let (m, n) = (batch.rows, batch.columns);
        let k = m.min(n);
        let mut out = Vec::new();
        for i in 0..batch.count() {
            let (s, u, v) = svd_of(batch.matrix(i), m, n);
            out.extend(u);
            out.extend(s);
            out.extend(v);
        }
        Ok(batch.tensor(out, &[m * k + k + n * k]))
    }
    grad(g, y; shape = burn_std::Shape::from(x.shape())) {
        x: {
            let (m, n) = (shape[shape.num_dims() - 2], shape[shape.num_dims() - 1]);
            let k = m.min(n);
            let [u, s, v] = apart(y, [&[m, k], &[k], &[n, k]])?;
            let [gu, gs, gv] = apart(g, [&[m, k], &[k], &[n, k]])?;
            let (ut, vt) = (mt(&u)?, mt(&v)?);
            let (across, down) = (unsqueeze(&s, -2)?, unsqueeze(&s, -1)?);
            let squares = &s * &s;
            let (of_u, of_v) = (matrices(&ut, &gu)?, matrices(&vt, &gv)?);
            let inner = over_differences(&skew(&of_u)?, &squares)? * &across
                + over_differences(&skew(&of_v)?, &squares)? * &down
                + diag_embed(&gs, 0, -2, -1)?;
            let mut left = matrices(&u, &inner)?;
            if m > k {
                left = left + (gu - matrices(&u, &of_u)?) / &across;
            }
            let mut out = matrices(&left, &vt)?;
            if n > k {
                out = out + matrices(&u, &(mt(&(gv - matrices(&v, &of_v)?))? / &down))?;
            }
            out
        }
    }

    /// `x = u diag(s) vh` with orthonormal columns in `u` and rows in `vh` and descending `s`; the largest component of each column of `u`
    /// is positive. `fullMatrices` makes both square; gradients flow through the first `min(m, n)` vectors, and need values that differ.
    #[example("const { s } = linalg.svd(tensor([[3, 0], [0, -4]]))", "s // [4, 3]")]
    #[outputs(u: Tensor, s: Tensor, vh: Tensor)]
    #[face(linalg)]
    #[check(cases)]
    #[torch("linalg.svd")]
    #[autocast(full)]
    fn svd(x: &Tensor; full_matrices: bool = true) -> Outputs {
        let (m, n) = sizes(x)?;
        let k = m.min(n);
        let [u, s, v] = apart(&svd_packed(x)?, [&[m, k], &[k], &[n, k]])?;
        let whole = |x: Tensor, size: usize| -> Result<Tensor> {
            if !full_matrices || size == k {
                return Ok(x);
            }
            let q = qr(&x.detach(), QrMode::Complete)?.swap_remove(0);
            cat(&[x, narrow(&q, -1, k, size - k)?], -1)
        };
        Ok(vec![whole(u, m)?, s, mt(&whole(v, n)?)?])
    }

    /// Singular values, descending.
    #[example("linalg.svdvals(tensor([[3, 0], [0, -4]])) // [4, 3]")]
    #[face(linalg)]
    #[check(cases)]
    #[torch("linalg.svdvals")]
    #[autocast(full)]
    fn svdvals(x: &Tensor) -> Tensor { Ok(svd(x, false)?.swap_remove(1)) }

    /// The Moore-Penrose inverse; singular values up to `rtol` times the largest count as 0 (by default the larger size times epsilon).
    #[example("linalg.pinv(tensor([[1], [1]])) // [[0.5, 0.5]]")]
    #[face(linalg, method)]
    #[check(cases)]
    #[torch("linalg.pinv")]
    #[autocast(full)]
    fn pinv(x: &Tensor; rtol: Option<f64> = None) -> Tensor {
        let (m, n) = sizes(x)?;
        if x.size() == 0 {
            return Ok(mt(x)?.detach());
        }
        let [u, s, v] = apart(&svd_packed(x)?, [&[m, m.min(n)], &[m.min(n)], &[n, m.min(n)]])?;
        let least = amax(&s, &[-1], true)? * tolerance(x, rtol)?;
        let small = super::compare::le(&(&s).into(), &least.into())?;
        let inverse = where_(&small, &0.0.into(), &(1.0 / where_(&small, &1.0.into(), &s.into())?).into())?;
        matrices(&(v * unsqueeze(&inverse, -2)?), &mt(&u)?)
    }
    grad(g, y; x) {
        // After Golub and Pereyra (1973), in PyTorch's form, which never makes the larger of the two squares.
        x: {
            let (p, pt, gt) = (y, mt(y)?, mt(g)?);
            if x.shape()[x.rank() - 2] <= x.shape()[x.rank() - 1] {
                let k = matrices(&gt, p)?;
                let kp = matrices(&k, &pt)?;
                kp.clone() - mt(&matrices(p, &k)?)? - matrices(&matrices(x, p)?, &kp)? + matrices(&matrices(&pt, p)?, &(gt - matrices(&k, x)?))?
            } else {
                let k = matrices(p, &gt)?;
                let pk = matrices(&pt, &k)?;
                pk.clone() - mt(&matrices(&k, p)?)? + matrices(&matrices(&(gt - matrices(x, &k)?), p)?, &pt)? - matrices(&matrices(&pk, p)?, x)?
            }
        }
    }

    /// The `x` of the least norm among those that make `|a x - b|` smallest, by `pinv`.
    #[example("linalg.lstsq(tensor([[1], [1]]), tensor([[1], [3]])) // [[2]]")]
    #[face(linalg)]
    #[check(cases)]
    #[torch("linalg.lstsq")]
    #[autocast(full)]
    fn lstsq(a: &Tensor, b: &Tensor; rtol: Option<f64> = None) -> Tensor { matmul(&pinv(a, rtol)?, b) }

    /// How many singular values exceed `rtol` times the largest (by default the larger size times epsilon).
    #[example("linalg.matrixRank(tensor([[1, 2], [2, 4]])) // 1")]
    #[face(linalg)]
    #[check(cases)]
    #[torch("linalg.matrix_rank")]
    #[autocast(full)]
    fn matrix_rank(x: &Tensor; rtol: Option<f64> = None) -> Index {
        let s = svdvals(&x.detach())?;
        if s.shape()[s.rank() - 1] == 0 {
            return sum(&to_dtype(&s, DType::Int64)?, &[-1], false);
        }
        let least = amax(&s, &[-1], true)? * tolerance(x, rtol)?;
        sum(&super::compare::gt(&(&s).into(), &least.into())?, &[-1], false)
    }

    /// The condition number: the largest singular value over the smallest.
    #[example("linalg.cond(tensor([[4, 0], [0, 2]])) // 2")]
    #[face(linalg)]
    #[check(cases)]
    #[torch("linalg.cond")]
    #[autocast(full)]
    fn cond(x: &Tensor) -> Tensor {
        let s = svdvals(x)?;
        if x.size() == 0 {
            return crate::create::zeros(&x.shape()[..x.rank() - 2], s.dtype());
        }
        Ok(amax(&s, &[-1], false)? / amin(&s, &[-1], false)?)
    }

    /// `e` to the power of a matrix, or of each of a batch, by scaling, a Taylor series, and squaring.
    #[example("linalg.matrixExp(tensor([[0, 1], [0, 0]])) // [[1, 1], [0, 1]]")]
    #[face(linalg, method)]
    #[check(cases)]
    #[torch("linalg.matrix_exp")]
    #[autocast(full)]
    fn matrix_exp(x: &Tensor) -> Tensor {
        let n = square_matrix(x)?;
        // Every squaring doubles what rounding left before it: rounded once, at the end.
        if matches!(x.dtype(), DType::Float16 | DType::BFloat16 | DType::Float32) {
            return to_dtype(&matrix_exp(&to_dtype(x, DType::Float64)?)?, x.dtype());
        }
        let batch = Batch::of(x)?;
        let column = |i: usize, j: usize| (0..n).map(|row| batch.matrix(i)[row * n + j].abs()).sum::<f64>();
        let largest = (0..batch.count()).flat_map(|i| (0..n).map(move |j| (i, j))).map(|(i, j)| column(i, j)).fold(0.0, f64::max);
        let halvings = if largest > 0.5 && largest.is_finite() { (largest / 0.5).log2().ceil() as i32 } else { 0 };
        let scaled = x * 0.5_f64.powi(halvings);
        // The remainder of 16 terms is below 0.5^17 / 17!, 2e-20.
        let one = identity_like(x)?;
        let mut out = one.clone();
        for term in (1..=16).rev() {
            out = matrices(&scaled, &out)? / f64::from(term) + &one;
        }
        for _ in 0..halvings {
            out = matrices(&out, &out)?;
        }
        Ok(out)
    }
}

//! What LU factors and singular values make: `P L U`, and the gradient of determinants where there is no inverse.

use firn_kernels::factor::{lu as lu_of, svd as svd_of};

use super::diagonal::{tril, triu};
use super::index::{gather, index_select};
use super::linalg::matrices;
use super::products::identity_like;
use super::shaping::{cat, expand, narrow, reshape, signed, stack};
use super::solve::{Batch, det, mt, triangular};
use super::vjp::composed;
use super::{Outputs, ops};
use crate::cpu::from_vec;
use crate::create::{zeros, zeros_like};
use crate::dtype::DType;
use crate::error::Result;
use crate::tape::{is_enabled, with_enabled};
use crate::tensor::Tensor;

/// Each element's determinant of what is left without its row and column, with the sign of its place: differentiable to any order.
fn minors(x: &Tensor) -> Result<Tensor> {
    let n = x.shape()[x.rank() - 1];
    let without = |k: usize| from_vec((0..n as i64).filter(|&i| i != k as i64).collect(), [n - 1].into(), DType::Int64);
    let mut out = Vec::new();
    for i in 0..n {
        let rows = index_select(x, -2, &without(i))?;
        for j in 0..n {
            let minor = det(&index_select(&rows, -1, &without(j))?)?;
            out.push(if (i + j) % 2 == 0 { minor } else { -minor });
        }
    }
    reshape(&stack(&out, -1)?, &signed(x.shape()))
}

/// The gradient of the cofactors of `x`, recorded where that is asked for.
fn of_cofactors(x: &Tensor, g: &Tensor) -> Result<Tensor> {
    let gradient = || Ok(composed(std::slice::from_ref(x), g, |x| minors(&x[0]))?.swap_remove(0));
    if is_enabled() { gradient() } else { Ok(with_enabled(true, gradient)?.detach()) }
}

ops! {
    /// The cofactors of square matrices: the gradient of the determinant, whether or not there is an inverse. By singular values.
    #[face()]
    #[check(none, "checked as the gradient of det")]
    fn cofactors(x: &Tensor) -> Tensor {
        let batch = Batch::of(x)?;
        let n = batch.rows;
        let mut out = Vec::with_capacity(batch.data.len());
        for at in 0..batch.count() {
            let (s, mut u, mut v) = svd_of(batch.matrix(at), n, n);
            let rest: Vec<f64> = (0..n).map(|k| (0..n).filter(|&m| m != k).map(|m| s[m]).product()).collect();
            let mut found = vec![0.0; n * n];
            for (u, found) in u.chunks_exact(n).zip(found.chunks_exact_mut(n)) {
                for (v, out) in v.chunks_exact(n).zip(found) {
                    *out = u.iter().zip(v).zip(&rest).map(|((u, v), rest)| u * v * rest).sum();
                }
            }
            let way = |q: &mut [f64]| {
                let (_, sign) = lu_of(q, n, n);
                (0..n).fold(sign, |sign, i| sign * q[i * n + i].signum())
            };
            let sign = way(&mut u) * way(&mut v);
            out.extend(found.iter().map(|x| sign * x));
        }
        Ok(batch.tensor(out, &[n, n]))
    }
    grad(g; x) {
        // The minors of a single number are 1.
        x: if x.shape()[x.rank() - 1] < 2 { zeros_like(x)? } else { of_cofactors(x, g)? }
    }

    /// L below the diagonal and U from it up, of square matrices whose rows need no exchange.
    #[face()]
    #[check(none, "checked as lu")]
    fn lu_packed(x: &Tensor) -> Tensor {
        let batch = Batch::of(x)?;
        let n = batch.rows;
        let mut out = Vec::with_capacity(batch.data.len());
        for i in 0..batch.count() {
            let mut factors = batch.matrix(i).to_vec();
            lu_of(&mut factors, n, n);
            out.extend(factors);
        }
        Ok(batch.tensor(out, &[n, n]))
    }
    grad(g, y) {
        x: {
            let l = tril(y, -1)? + identity_like(y)?;
            let u = triu(y, 0)?;
            let inner = tril(&matrices(&mt(&l)?, &tril(g, -1)?)?, -1)? + triu(&matrices(&triu(g, 0)?, &mt(&u)?)?, 0)?;
            // L^-T inner U^-T.
            let left = triangular(&mt(&l)?, &inner, true, true)?;
            mt(&triangular(&u, &mt(&left)?, true, false)?)?
        }
    }

    /// `x = p l u`: a permutation, a lower triangle with ones on its diagonal, and an upper triangle, by pivots of the largest magnitude.
    /// Matrices need not be square; the gradient needs the first `min(m, n)` columns to be independent.
    #[example("const { p, l, u } = linalg.lu(tensor([[1, 2], [4, 4]]))", "p // [[0, 1], [1, 0]]", "l // [[1, 0], [0.25, 1]]", "u // [[4, 4], [0, 1]]")]
    #[outputs(p: Tensor, l: Tensor, u: Tensor)]
    #[face(linalg)]
    #[check(cases)]
    #[torch("linalg.lu")]
    #[autocast(full)]
    fn lu(x: &Tensor) -> Outputs {
        let batch = Batch::of(x)?;
        let (m, n) = (batch.rows, batch.columns);
        let k = m.min(n);
        let (mut orders, mut permutation) = (Vec::new(), Vec::new());
        for i in 0..batch.count() {
            let (order, _) = lu_of(&mut batch.matrix(i).to_vec(), m, n);
            let mut p = vec![0.0; m * m];
            order.iter().enumerate().for_each(|(to, &from)| p[from * m + to] = 1.0);
            permutation.extend(p);
            orders.extend(order.into_iter().map(|row| row as i64));
        }
        let p = batch.tensor(permutation, &[m, m]);
        if x.size() == 0 {
            let empty = |rows: usize, columns: usize| zeros(&[&batch.lead[..], &[rows, columns]].concat(), x.dtype());
            return Ok(vec![p, empty(m, k)?, empty(k, n)?]);
        }
        let order = from_vec(orders, [&batch.lead[..], &[m, 1]].concat().into(), DType::Int64);
        let sorted = gather(x, -2, &expand(&order, &signed(x.shape()))?)?;
        let packed = lu_packed(&narrow(&narrow(&sorted, -2, 0, k)?, -1, 0, k)?)?;
        let (mut l, mut u) = (tril(&packed, -1)? + identity_like(&packed)?, triu(&packed, 0)?);
        if m > k {
            // The rows below: L U with the U that is there.
            let below = narrow(&sorted, -2, k, m - k)?;
            l = cat(&[l, mt(&triangular(&mt(&u)?, &mt(&below)?, false, false)?)?], -2)?;
        } else if n > k {
            let right = triangular(&l, &narrow(&sorted, -1, k, n - k)?, false, true)?;
            u = cat(&[u, right], -1)?;
        }
        Ok(vec![p, l, u])
    }
}

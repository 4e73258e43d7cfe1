//! Linear systems, inverses, determinants.

use super::choice::MatrixNorm;
use super::diagonal::{tril, triu};
use super::elementwise::abs;
use super::factors::cofactors;
use super::linalg::matrices;
use super::products::{identity_like, square_matrix};
use super::reduce::{amax, amin, norm, sum};
use super::shaping::{expand, permute, signed, squeeze, transpose, unsqueeze};
use super::{Outputs, ops};
use crate::cpu::{from_vec, with_slice};
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::shape::{axes, axis, broadcast, show};
use crate::tensor::{Tensor, cast};
use firn_kernels::factor::{Triangle, cholesky as cholesky_of, lu, substitute};

/// A batch of matrices in float64, row-major.
pub(crate) struct Batch {
    pub data: Vec<f64>,
    pub lead: Vec<usize>,
    pub rows: usize,
    pub columns: usize,
    pub dtype: DType,
}

impl Batch {
    pub fn of(x: &Tensor) -> Result<Self> {
        if !x.dtype().is_float() {
            bail!(Dtype, "matrices of {} have no factors; convert with .to('float32')", x.dtype().name());
        }
        let &[ref lead @ .., rows, columns] = x.shape() else {
            bail!(Shape, "{} is no matrix; two dimensions are needed", show(x.shape()))
        };
        let data = with_slice(&x.value_as(DType::Float64), <[f64]>::to_vec);
        Ok(Self { data, lead: lead.to_vec(), rows, columns, dtype: x.dtype() })
    }

    pub fn count(&self) -> usize {
        self.lead.iter().product()
    }

    pub fn matrix(&self, i: usize) -> &[f64] {
        let size = self.rows * self.columns;
        &self.data[i * size..(i + 1) * size]
    }

    /// A tensor of the batch's dtype with `shape` for each matrix.
    pub fn tensor(&self, data: Vec<f64>, shape: &[usize]) -> Tensor {
        let all = [&self.lead[..], shape].concat();
        let wide = from_vec(data, all.into(), DType::Float64);
        Tensor::new(cast(wide.value(), DType::Float64, self.dtype), self.dtype)
    }

    /// Which matrix a message means.
    pub fn name(&self, i: usize) -> String {
        if self.lead.is_empty() { "the matrix".into() } else { format!("matrix {i} of the batch") }
    }
}

pub(crate) fn mt(x: &Tensor) -> Result<Tensor> {
    transpose(x, -1, -2)
}

/// A number for each matrix, ready to broadcast against them.
fn scalars(x: &Tensor) -> Result<Tensor> {
    unsqueeze(&unsqueeze(x, -1)?, -1)
}

/// Both with the batches that they broadcast to.
fn together(a: &Tensor, b: &Tensor) -> Result<(Tensor, Tensor)> {
    if a.dtype() != b.dtype() {
        bail!(Dtype, "the matrix is {} and the right side {}; convert one of them", a.dtype().name(), b.dtype().name());
    }
    let (left, right) = (&a.shape()[..a.rank() - 2], &b.shape()[..b.rank() - 2]);
    if left == right {
        return Ok((a.clone(), b.clone()));
    }
    let lead = broadcast(left, right)?;
    let to = |x: &Tensor| expand(x, &signed(&[&lead[..], &x.shape()[x.rank() - 2..]].concat()));
    Ok((to(a)?, to(b)?))
}

/// Checks that the right side is a matrix with as many rows as `a`.
fn right_side(a: &Tensor, b: &Tensor) -> Result<()> {
    let n = square_matrix(a)?;
    if b.rank() < 2 || b.shape()[b.rank() - 2] != n {
        bail!(Shape, "the right side {} does not fit {}: it needs {n} rows", show(b.shape()), show(a.shape()));
    }
    Ok(())
}

ops! {
    /// Solves `a x = b` for matrices of one batch.
    #[face()]
    #[check(none, "checked as solve and inv")]
    fn solve_matrices(a: &Tensor, b: &Tensor) -> Tensor {
        let (left, right) = (Batch::of(a)?, Batch::of(b)?);
        let (n, k) = (left.rows, right.columns);
        let mut out = vec![0.0; right.data.len()];
        for i in 0..left.count() {
            let mut factors = left.matrix(i).to_vec();
            let (order, _) = lu(&mut factors, n, n);
            if (0..n).any(|i| factors[i * n + i] == 0.0) {
                bail!(Argument, "{} is singular and has no inverse; use linalg.pinv or linalg.lstsq", left.name(i));
            }
            let x = &mut out[i * n * k..(i + 1) * n * k];
            for (to, &from) in order.iter().enumerate() {
                x[to * k..(to + 1) * k].copy_from_slice(&right.matrix(i)[from * k..(from + 1) * k]);
            }
            substitute(&factors, n, x, k, Triangle { upper: false, unit: true });
            substitute(&factors, n, x, k, Triangle { upper: true, unit: false });
        }
        Ok(right.tensor(out, &[n, k]))
    }
    grad(g, y; a) {
        a: -matrices(&solve_matrices(&mt(a)?, g)?, &mt(y)?)?,
        b: solve_matrices(&mt(a)?, g)?,
    }

    /// The solution of `a x = b`, for a vector or a matrix `b` and batches, with broadcasting; a singular `a` throws `'argument'`.
    #[example("linalg.solve(tensor([[2, 0], [0, 4]]), tensor([2, 2])) // [1, 0.5]", "linalg.solve(zeros([2, 2]), ones([2])) // throws 'argument'")]
    #[face(linalg)]
    #[check(cases)]
    #[torch("linalg.solve")]
    #[autocast(full)]
    fn solve(a: &Tensor, b: &Tensor) -> Tensor {
        square_matrix(a)?;
        let vector = b.rank() == 1 || (b.rank() + 1 == a.rank() && b.shape() == &a.shape()[..a.rank() - 1]);
        let right = if vector { unsqueeze(b, -1)? } else { b.clone() };
        right_side(a, &right)?;
        let (left, right) = together(a, &right)?;
        let x = solve_matrices(&left, &right)?;
        if vector { squeeze(&x, &[-1]) } else { Ok(x) }
    }

    /// The inverse of a matrix, or of each of a batch; a singular one throws `'argument'`.
    #[example("tensor([[2, 0], [0, 4]]).inv() // [[0.5, 0], [0, 0.25]]")]
    #[face(method, linalg)]
    #[check(cases)]
    #[torch("linalg.inv")]
    #[autocast(full)]
    fn inv(x: &Tensor) -> Tensor { solve_matrices(x, &identity_like(x)?) }

    /// The determinant of a matrix, or of each of a batch; its gradient, the cofactors, needs no inverse.
    #[example("tensor([[1, 2], [3, 4]]).det() // -2")]
    #[face(method, linalg)]
    #[check(cases)]
    #[torch("linalg.det")]
    #[autocast(full)]
    fn det(x: &Tensor) -> Tensor {
        let n = square_matrix(x)?;
        let batch = Batch::of(x)?;
        let of = |i: usize| {
            let mut factors = batch.matrix(i).to_vec();
            let (_, sign) = lu(&mut factors, n, n);
            sign * (0..n).map(|i| factors[i * n + i]).product::<f64>()
        };
        Ok(batch.tensor((0..batch.count()).map(of).collect(), &[]))
    }
    grad(g, y; x) {
        x: if with_slice(&y.value_as(DType::Float64), |y: &[f64]| y.contains(&0.0)) {
            scalars(g)? * cofactors(x)?
        } else {
            scalars(&(g * y))? * mt(&inv(x)?)?
        }
    }

    /// `log(|det x|)`.
    #[face()]
    #[check(none, "checked as slogdet")]
    fn log_abs_det(x: &Tensor) -> Tensor {
        let n = square_matrix(x)?;
        let batch = Batch::of(x)?;
        let of = |i: usize| {
            let mut factors = batch.matrix(i).to_vec();
            lu(&mut factors, n, n);
            (0..n).map(|i| factors[i * n + i].abs().ln()).sum()
        };
        Ok(batch.tensor((0..batch.count()).map(of).collect(), &[]))
    }
    grad(g; x) { x: scalars(g)? * mt(&inv(x)?)? }

    /// The sign of the determinant and the logarithm of its magnitude, which cannot overflow; 0 and -Infinity for a singular matrix.
    #[example("const { sign, logabsdet } = tensor([[1, 2], [3, 4]]).slogdet()", "sign // -1", "logabsdet // 0.693147")]
    #[outputs(sign: Tensor, logabsdet: Tensor)]
    #[face(method, linalg)]
    #[check(cases)]
    #[torch("linalg.slogdet")]
    #[autocast(full)]
    fn slogdet(x: &Tensor) -> Outputs {
        let n = square_matrix(x)?;
        let batch = Batch::of(x)?;
        let of = |i: usize| {
            let mut factors = batch.matrix(i).to_vec();
            let (_, sign) = lu(&mut factors, n, n);
            (0..n).fold(sign, |sign, i| if factors[i * n + i] == 0.0 { 0.0 } else { sign * factors[i * n + i].signum() })
        };
        Ok(vec![batch.tensor((0..batch.count()).map(of).collect(), &[]), log_abs_det(x)?])
    }

    /// Solves `a x = b` for triangles of one batch.
    #[face()]
    #[check(none, "checked as solveTriangular")]
    fn triangular(a: &Tensor, b: &Tensor, upper: bool, unit: bool) -> Tensor {
        let (left, mut right) = (Batch::of(a)?, Batch::of(b)?);
        let (n, k) = (left.rows, right.columns);
        let mut data = std::mem::take(&mut right.data);
        for i in 0..left.count() {
            substitute(left.matrix(i), n, &mut data[i * n * k..(i + 1) * n * k], k, Triangle { upper, unit });
        }
        Ok(right.tensor(data, &[n, k]))
    }
    grad(g, y; a, upper, unit) {
        a: {
            let whole = -matrices(&triangular(&mt(a)?, g, !upper, unit)?, &mt(y)?)?;
            let edge = isize::from(unit);
            if upper { triu(&whole, edge)? } else { tril(&whole, -edge)? }
        },
        b: triangular(&mt(a)?, g, !upper, unit)?,
    }

    /// The solution of `a x = b`, or of `x a = b` without `left`, for a triangle of `a`, whose other elements are not read; batches broadcast.
    #[example("linalg.solveTriangular(tensor([[2, 0], [1, 1]]), tensor([[2], [3]])) // [[1], [2]]")]
    #[face(linalg)]
    #[check(cases)]
    #[torch("linalg.solve_triangular")]
    #[autocast(full)]
    fn solve_triangular(a: &Tensor, b: &Tensor; upper: bool = false, left: bool = true, unitriangular: bool = false) -> Tensor {
        if !left {
            return mt(&solve_triangular(&mt(a)?, &mt(b)?, !upper, true, unitriangular)?);
        }
        right_side(a, b)?;
        let (a, b) = together(a, b)?;
        triangular(&a, &b, upper, unitriangular)
    }

    /// The lower triangle L with `x = L L^T`.
    #[face()]
    #[check(none, "checked as cholesky")]
    fn lower_cholesky(x: &Tensor) -> Tensor {
        let n = square_matrix(x)?;
        let batch = Batch::of(x)?;
        let mut out = Vec::with_capacity(batch.data.len());
        for i in 0..batch.count() {
            match cholesky_of(batch.matrix(i), n) {
                Ok(l) => out.extend(l),
                Err(minor) => bail!(Argument, "{} is not positive definite: its leading minor of order {minor} is not positive", batch.name(i)),
            }
        }
        Ok(batch.tensor(out, &[n, n]))
    }
    grad(g, y) {
        x: {
            let product = matrices(&mt(y)?, g)?;
            let half = (tril(&product, 0)? + tril(&product, -1)?) * 0.5;
            let upper = mt(y)?;
            let left = triangular(&upper, &half, true, false)?;
            mt(&triangular(&upper, &mt(&left)?, true, false)?)?
        }
    }

    /// The lower triangle L with `x = L L^T` (its transpose with `upper`) of symmetric positive definite matrices; others throw `'argument'`.
    #[example("linalg.cholesky(tensor([[4, 2], [2, 5]])) // [[2, 0], [1, 2]]")]
    #[face(linalg)]
    #[check(cases)]
    #[torch("linalg.cholesky")]
    #[autocast(full)]
    fn cholesky(x: &Tensor; upper: bool = false) -> Tensor {
        square_matrix(x)?;
        let lower = lower_cholesky(&((x + mt(x)?) * 0.5))?;
        if upper { mt(&lower) } else { Ok(lower) }
    }

    /// The solution of `a x = b` from the triangle that `cholesky` made of `a`.
    #[example("tensor([[4], [4]]).choleskySolve(tensor([[2, 0], [0, 1]])) // [[1], [4]]")]
    #[face(method)]
    #[check(cases)]
    #[autocast(full)]
    fn cholesky_solve(b: &Tensor, factor: &Tensor; upper: bool = false) -> Tensor {
        let lower = if upper { mt(factor)? } else { factor.clone() };
        let half = solve_triangular(&lower, b, false, true, false)?;
        solve_triangular(&mt(&lower)?, &half, true, true, false)
    }

    /// A norm of each matrix: of its elements, of its singular values, or the largest sum of a column or row (the smallest with a minus).
    /// `dim` names rows and columns.
    #[example("linalg.matrixNorm(tensor([[3, 0], [0, 4]])) // 5", "linalg.matrixNorm(tensor([[1, 2], [3, 4]]), { ord: '1' }) // 6")]
    #[face(linalg)]
    #[check(cases)]
    #[torch("linalg.matrix_norm")]
    #[autocast(full)]
    fn matrix_norm(x: &Tensor; ord: MatrixNorm = Fro, dim: &[isize] = [-2, -1], keep_dim: bool = false) -> Tensor {
        if x.rank() < 2 {
            bail!(Shape, "{} is no matrix; two dimensions are needed", show(x.shape()));
        }
        let &[rows, columns] = dim else { bail!(Argument, "dim names rows and columns, two dimensions, and is {dim:?}") };
        let (rows, columns) = (axis(rows, x.rank())?, axis(columns, x.rank())?);
        axes(dim, x.rank())?;
        let mut order: Vec<isize> = (0..x.rank()).filter(|&at| at != rows && at != columns).map(|at| at as isize).collect();
        order.extend([rows as isize, columns as isize]);
        let turned = permute(x, &order)?;
        let over = |dim: isize| sum(&abs(&turned)?, &[dim], true);
        let singular = || unsqueeze(&super::decompose::svdvals(&turned)?, -1);
        let out = match ord {
            MatrixNorm::Fro => norm(&turned, &[-2, -1], 2.0, true)?,
            MatrixNorm::Nuc => sum(&singular()?, &[-2], true)?,
            MatrixNorm::One => amax(&over(-2)?, &[-1], true)?,
            MatrixNorm::MinusOne => amin(&over(-2)?, &[-1], true)?,
            MatrixNorm::Inf => amax(&over(-1)?, &[-2], true)?,
            MatrixNorm::MinusInf => amin(&over(-1)?, &[-2], true)?,
            MatrixNorm::Two => amax(&singular()?, &[-2], true)?,
            MatrixNorm::MinusTwo => amin(&singular()?, &[-2], true)?,
        };
        let out = squeeze(&out, &[-2, -1])?;
        if !keep_dim {
            return Ok(out);
        }
        let (first, second) = (rows.min(columns) as isize, rows.max(columns) as isize);
        unsqueeze(&unsqueeze(&out, first)?, second)
    }
}

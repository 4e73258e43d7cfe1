//! Products of vectors and matrices beyond `matmul`.

use super::compare::where_;
use super::elementwise::{add, mul, sub};
use super::linalg::matrices;
use super::ops;
use super::reduce::sum;
use super::shaping::{cat, expand, narrow, signed, squeeze, unsqueeze};
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::shape::{axis_of, broadcast, show};
use crate::tensor::Tensor;

/// Checks the ranks of both sides of a product.
fn ranks(a: &Tensor, b: &Tensor, left: usize, right: usize, example: &str) -> Result<()> {
    if a.rank() != left || b.rank() != right {
        bail!(Shape, "{} and {} were given, and {example} are needed; .matmul() takes any", show(a.shape()), show(b.shape()));
    }
    Ok(())
}

fn inner_sizes(a: &Tensor, b: &Tensor, k: usize, m: usize) -> Result<()> {
    if k != m {
        bail!(Shape, "{} x {}: inner sizes differ ({k} and {m})", show(a.shape()), show(b.shape()));
    }
    Ok(())
}

/// `beta * x + alpha * product`; with beta 0, x does not count at all, NaN or not.
fn blended(x: &Tensor, product: Tensor, beta: f64, alpha: f64) -> Result<Tensor> {
    let to = signed(product.shape());
    let product = if alpha == 1.0 { product } else { product * alpha };
    let x = expand(x, &to)?;
    if beta == 0.0 {
        let nowhere = crate::create::zeros(&[], DType::Bool)?;
        return where_(&nowhere, &x.into(), &product.into());
    }
    add(&(if beta == 1.0 { x } else { x * beta }).into(), &product.into())
}

ops! {
    /// Product of two matrices, without broadcasting.
    #[example("tensor([[1, 2]]).mm(tensor([[3], [4]])) // [[11]]")]
    #[face(method)]
    #[check(cases)]
    #[autocast(low)]
    fn mm(a: &Tensor, b: &Tensor) -> Tensor {
        ranks(a, b, 2, 2, "two matrices")?;
        inner_sizes(a, b, a.shape()[1], b.shape()[0])?;
        matrices(a, b)
    }

    /// Products of two batches of matrices, one by one, without broadcasting.
    #[example("ones([2, 1, 3]).bmm(ones([2, 3, 1])) // [[[3]], [[3]]]")]
    #[face(method)]
    #[check(cases)]
    #[autocast(low)]
    fn bmm(a: &Tensor, b: &Tensor) -> Tensor {
        ranks(a, b, 3, 3, "two batches of matrices")?;
        if a.shape()[0] != b.shape()[0] {
            bail!(Shape, "{} and {} hold different numbers of matrices", show(a.shape()), show(b.shape()));
        }
        inner_sizes(a, b, a.shape()[2], b.shape()[1])?;
        matrices(a, b)
    }

    /// Product of a matrix and a vector.
    #[example("tensor([[1, 2], [3, 4]]).mv(tensor([1, 1])) // [3, 7]")]
    #[face(method)]
    #[check(cases)]
    #[autocast(low)]
    fn mv(a: &Tensor, b: &Tensor) -> Tensor {
        ranks(a, b, 2, 1, "a matrix and a vector")?;
        super::linalg::matmul(a, b)
    }

    /// Inner product of two vectors.
    #[example("tensor([1, 2]).dot(tensor([3, 4])) // 11")]
    #[face(method)]
    #[check(cases)]
    #[autocast(widest)]
    fn dot(a: &Tensor, b: &Tensor) -> Tensor {
        ranks(a, b, 1, 1, "two vectors")?;
        super::linalg::matmul(a, b)
    }

    /// Like `dot`; the two differ for complex numbers only.
    #[example("tensor([1, 2]).vdot(tensor([3, 4])) // 11")]
    #[face(method)]
    #[check(cases)]
    #[autocast(widest)]
    fn vdot(a: &Tensor, b: &Tensor) -> Tensor { dot(a, b) }

    /// Sums of products over the last dimension of both; with a number on either side, `mul`.
    #[example("tensor([[1, 2], [3, 4]]).inner(tensor([1, 10])) // [21, 43]")]
    #[face(method)]
    #[check(cases)]
    fn inner(a: &Tensor, b: &Tensor) -> Tensor {
        if a.rank() == 0 || b.rank() == 0 {
            return mul(&a.into(), &b.into());
        }
        super::einsum::tensordot_over(a, b, &[-1], &[-1])
    }

    /// Product of each element of one vector with each of another: `[n, m]`.
    #[example("tensor([1, 2]).outer(tensor([3, 4])) // [[3, 4], [6, 8]]")]
    #[face(method)]
    #[check(cases)]
    fn outer(a: &Tensor, b: &Tensor) -> Tensor {
        ranks(a, b, 1, 1, "two vectors")?;
        mul(&unsqueeze(a, 1)?.into(), &b.into())
    }

    /// `beta * x + alpha * (a @ b)` for matrices; `x` broadcasts, and does not count with beta 0.
    #[example("ones([1, 1]).addmm(tensor([[1, 2]]), tensor([[3], [4]])) // [[12]]")]
    #[face(method)]
    #[check(cases)]
    #[autocast(low)]
    fn addmm(x: &Tensor, a: &Tensor, b: &Tensor; beta: f64 = 1.0, alpha: f64 = 1.0) -> Tensor { blended(x, mm(a, b)?, beta, alpha) }

    /// `beta * x + alpha * (a @ b)` for a matrix and a vector; `x` broadcasts, and does not count with beta 0.
    #[example("ones([1]).addmv(tensor([[1, 2]]), tensor([3, 4])) // [12]")]
    #[face(method)]
    #[check(cases)]
    #[autocast(low)]
    fn addmv(x: &Tensor, a: &Tensor, b: &Tensor; beta: f64 = 1.0, alpha: f64 = 1.0) -> Tensor { blended(x, mv(a, b)?, beta, alpha) }

    /// `beta * x + alpha * outer(a, b)`; `x` broadcasts, and does not count with beta 0.
    #[example("zeros([2, 2]).addr(tensor([1, 2]), tensor([3, 4])) // [[3, 4], [6, 8]]")]
    #[face(method)]
    #[check(cases)]
    #[autocast(low)]
    fn addr(x: &Tensor, a: &Tensor, b: &Tensor; beta: f64 = 1.0, alpha: f64 = 1.0) -> Tensor { blended(x, outer(a, b)?, beta, alpha) }

    /// `beta * x + alpha * (a @ b)` for batches of matrices; `x` broadcasts, and does not count with beta 0.
    #[example("ones([1]).baddbmm(ones([2, 1, 3]), ones([2, 3, 1])) // [[[4]], [[4]]]")]
    #[face(method)]
    #[check(cases)]
    #[autocast(low)]
    fn baddbmm(x: &Tensor, a: &Tensor, b: &Tensor; beta: f64 = 1.0, alpha: f64 = 1.0) -> Tensor { blended(x, bmm(a, b)?, beta, alpha) }

    /// Cross product of vectors of 3 along `dim`, with broadcasting.
    #[example("tensor([1, 0, 0]).cross(tensor([0, 1, 0])) // [0, 0, 1]")]
    #[face(method, linalg)]
    #[check(cases)]
    #[torch("linalg.cross")]
    #[autocast(widest)]
    fn cross(a: &Tensor, b: &Tensor; dim: isize = -1) -> Tensor {
        let shape = broadcast(a.shape(), b.shape())?;
        let at = axis_of(&shape, dim)?;
        if a.rank() != b.rank() || a.shape()[at] != 3 || b.shape()[at] != 3 {
            bail!(Shape, "{} and {} must both have 3 entries in dim {dim}, and the same rank", show(a.shape()), show(b.shape()));
        }
        let (a, b) = (expand(a, &signed(&shape))?, expand(b, &signed(&shape))?);
        let part = |x: &Tensor, i: usize| narrow(x, at as isize, i, 1);
        let one = |i: usize, j: usize| sub(&mul(&part(&a, i)?.into(), &part(&b, j)?.into())?.into(), &mul(&part(&a, j)?.into(), &part(&b, i)?.into())?.into());
        cat(&[one(1, 2)?, one(2, 0)?, one(0, 1)?], at as isize)
    }

    /// Sums of products along `dim`, with broadcasting.
    #[example("linalg.vecdot(tensor([[1, 2], [3, 4]]), tensor([1, 10])) // [21, 43]")]
    #[face(linalg)]
    #[check(cases)]
    #[torch("linalg.vecdot")]
    #[autocast(low)]
    fn vecdot(a: &Tensor, b: &Tensor; dim: isize = -1) -> Tensor {
        let product = mul(&a.into(), &b.into())?;
        super::elementwise::to_dtype(&sum(&product, &[dim], false)?, product.dtype())
    }

    /// Product of several matrices in the order of least work; the first and the last may be vectors.
    #[example("linalg.multiDot([tensor([[1, 2]]), tensor([[3], [4]]), tensor([[2]])]) // [[22]]")]
    #[face(linalg)]
    #[check(cases)]
    #[torch("linalg.multi_dot")]
    #[autocast(low)]
    fn multi_dot(tensors: &[Tensor]) -> Tensor {
        let count = tensors.len();
        if count < 2 {
            bail!(Argument, "at least two tensors are needed, got {count}");
        }
        let mut chain = tensors.to_vec();
        let (row, column) = (chain[0].rank() == 1, chain[count - 1].rank() == 1);
        if row {
            chain[0] = unsqueeze(&chain[0], 0)?;
        }
        if column {
            chain[count - 1] = unsqueeze(&chain[count - 1], 1)?;
        }
        for pair in chain.windows(2) {
            ranks(&pair[0], &pair[1], 2, 2, "matrices")?;
            inner_sizes(&pair[0], &pair[1], pair[0].shape()[1], pair[1].shape()[0])?;
        }
        let mut out = in_order(&chain, &cuts(&chain), 0, count - 1)?;
        if row {
            out = squeeze(&out, &[0])?;
        }
        if column { squeeze(&out, &[-1]) } else { Ok(out) }
    }

    /// The matrix, or each of a batch, times itself `n` times; 0 gives the identity, a negative power that of the inverse.
    #[example("tensor([[1, 1], [0, 1]]).matrixPower(3) // [[1, 3], [0, 1]]")]
    #[face(method, linalg)]
    #[check(cases)]
    #[torch("linalg.matrix_power")]
    fn matrix_power(x: &Tensor, n: isize) -> Tensor {
        square_matrix(x)?;
        if n == 0 {
            return identity_like(x);
        }
        let (mut base, mut left) = (if n < 0 { super::solve::inv(x)? } else { x.clone() }, n.unsigned_abs());
        let mut out: Option<Tensor> = None;
        loop {
            if left % 2 == 1 {
                out = Some(match out {
                    Some(out) => matrices(&out, &base)?,
                    None => base.clone(),
                });
            }
            left /= 2;
            match out {
                Some(out) if left == 0 => return Ok(out),
                _ => base = matrices(&base, &base)?,
            }
        }
    }
}

/// Checks that the last two sizes are equal.
pub(crate) fn square_matrix(x: &Tensor) -> Result<usize> {
    match x.shape() {
        &[.., n, m] if n == m => Ok(n),
        shape => bail!(Shape, "{} is no square matrix, nor a batch of them", show(shape)),
    }
}

/// Identity matrices of the shape of `x`.
pub(crate) fn identity_like(x: &Tensor) -> Result<Tensor> {
    let n = square_matrix(x)?;
    let ones = crate::create::full(&[n], 1.0, x.dtype())?;
    let one = super::diagonal::diag_embed(&ones, 0, 0, 1)?;
    expand(&one, &signed(x.shape()))
}

/// `cuts[i][j]`: after which matrix the product of `i` to `j` is cut to take the fewest multiplications (the textbook's dynamic program).
fn cuts(chain: &[Tensor]) -> Vec<Vec<usize>> {
    let count = chain.len();
    let size = |i: usize| if i == 0 { chain[0].shape()[0] } else { chain[i - 1].shape()[1] } as f64;
    let mut cost = vec![vec![0.0; count]; count];
    let mut cut = vec![vec![0; count]; count];
    for length in 1..count {
        for i in 0..count - length {
            let j = i + length;
            cost[i][j] = f64::INFINITY;
            for k in i..j {
                let total = cost[i][k] + cost[k + 1][j] + size(i) * size(k + 1) * size(j + 1);
                if total < cost[i][j] {
                    (cost[i][j], cut[i][j]) = (total, k);
                }
            }
        }
    }
    cut
}

fn in_order(chain: &[Tensor], cuts: &[Vec<usize>], i: usize, j: usize) -> Result<Tensor> {
    if i == j {
        return Ok(chain[i].clone());
    }
    let cut = cuts[i][j];
    matrices(&in_order(chain, cuts, i, cut)?, &in_order(chain, cuts, cut + 1, j)?)
}

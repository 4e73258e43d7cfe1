//! Norms, distances, and tensors scaled to a norm.

use super::compare::{eq, gt, ne, where_};
use super::elementwise::{abs, maximum, pow, sign, sqrt, square};
use super::linalg::matmul;
use super::reduce::{amax, amin, float_of, restored, sum};
use super::shaping::{expand_to, transpose, unsqueeze};
use super::{Floating, ops};
use crate::error::{Result, bail};
use crate::folds;
use crate::shape::{axes, axis_of, broadcast, reduced, show};
use crate::tensor::Tensor;

ops! {
    /// The p-norm over `dims`, all by default: `sum(|x|^p)^(1/p)`; Infinity and -Infinity give the largest and smallest `|x|`, 0 the number of
    /// elements that are not 0, without a gradient.
    #[example("tensor([3, -4]).norm() // 5", "tensor([3, -4]).norm([], { p: 1 }) // 7", "tensor([3, 0]).norm([], { p: 0 }) // 1")]
    #[face(method)]
    #[check(cases)]
    #[torch("linalg.vector_norm")]
    #[autocast(full)]
    fn norm(x: &Tensor, dims: &[isize] = []; p: f64 = 2.0, keep_dim: bool = false) -> Floating {
        let x = float_of(x);
        match p {
            p if p == f64::INFINITY => amax(&abs(&x)?, dims, keep_dim),
            p if p == f64::NEG_INFINITY => amin(&abs(&x)?, dims, keep_dim),
            0.0 => {
                let some = ne(&(&x).into(), &0.0.into())?;
                sum(&Tensor::new(some.value_as(x.dtype()), x.dtype()), dims, keep_dim)
            }
            p if p.is_finite() => power_norm(&x, dims, p, keep_dim),
            p => bail!(Argument, "p is {p} and must be a number"),
        }
    }

    /// `norm` for a finite `p` other than 0; where the norm is 0 its gradient is 0, and that of an element that is 0 if `p` is below 1.
    #[face()]
    #[check(none, "checked as norm")]
    fn power_norm(x: &Tensor, dims: &[isize], p: f64, keep_dim: bool) -> Tensor {
        let over = axes(dims, x.rank())?;
        let to = reduced(x.shape(), &over, keep_dim);
        if p == 1.0 {
            return match folds::powers::<1>(x, &over, &to) {
                Some(out) => Ok(out),
                None => sum(&abs(x)?, dims, keep_dim),
            };
        }
        if p == 2.0 {
            return match folds::powers::<2>(x, &over, &to) {
                Some(out) => sqrt(&out),
                None => sqrt(&sum(&square(x)?, dims, keep_dim)?),
            };
        }
        pow(&sum(&pow(&abs(x)?.into(), &p.into())?, dims, keep_dim)?.into(), &(1.0 / p).into())
    }
    grad(g, y; x, dims, p) {
        x: {
            let (g, y) = (restored(g, x.shape(), dims)?, restored(y, x.shape(), dims)?);
            let zero = eq(&(&y).into(), &0.0.into())?;
            let safe = where_(&zero, &1.0.into(), &y.into())?;
            let slope = match p {
                1.0 => sign(x)?,
                2.0 => x / &safe,
                p if p < 1.0 => {
                    let none = eq(&x.into(), &0.0.into())?;
                    let size = where_(&none, &1.0.into(), &abs(x)?.into())?;
                    &sign(x)? * &pow(&(&size / &safe).into(), &(p - 1.0).into())?
                }
                p => &sign(x)? * &pow(&(&abs(x)? / &safe).into(), &(p - 1.0).into())?,
            };
            where_(&zero, &0.0.into(), &(g * slope).into())?
        }
    }

    /// The p-norm of the difference of two tensors that broadcast.
    #[example("tensor([1, 2]).dist(tensor([4, 6])) // 5")]
    #[face(method)]
    #[check(cases)]
    #[autocast(full)]
    fn dist(x: &Tensor, other: &Tensor; p: f64 = 2.0) -> Floating { norm(&(x - other), &[], p, false) }

    /// The p-norms of the differences of each row of `x` (`[..., n, features]`) and each of `other` (`[..., m, features]`), batches
    /// broadcast: `[..., n, m]`. Where two rows are equal the gradient is 0.
    #[example("tensor([[0, 0], [3, 4]]).cdist(tensor([[0, 0]])) // [[0], [5]]")]
    #[face(method)]
    #[check(cases)]
    #[autocast(full)]
    fn cdist(x: &Tensor, other: &Tensor; p: f64 = 2.0) -> Tensor {
        if x.rank() < 2 || other.rank() < 2 || x.shape()[x.rank() - 1] != other.shape()[other.rank() - 1] {
            bail!(Shape, "x {} and other {} must be rows of the same length, [..., rows, features]", show(x.shape()), show(other.shape()));
        }
        if !x.dtype().is_float() || x.dtype() != other.dtype() || p < 0.0 || p.is_nan() {
            bail!(Argument, "expected two floating point tensors of one dtype and p of 0 or more, and got {}, {}, p {p}", x.dtype().name(), other.dtype().name());
        }
        broadcast(&x.shape()[..x.rank() - 2], &other.shape()[..other.rank() - 2])?;
        if p == 2.0 {
            return euclidean(x, other);
        }
        norm(&apart(x, other)?, &[-1], p, false)
    }

    /// `cdist` for p = 2: by products of matrices where there are many rows, whose differences would need much room.
    #[face()]
    #[check(none, "checked as cdist")]
    fn euclidean(x: &Tensor, other: &Tensor) -> Tensor {
        if x.shape()[x.rank() - 2].max(other.shape()[other.rank() - 2]) <= 25 {
            return sqrt(&sum(&square(&apart(x, other)?)?, &[-1], false)?);
        }
        let squares = sum(&square(x)?, &[-1], true)? + &transpose(&sum(&square(other)?, &[-1], true)?, -1, -2)?;
        let products = matmul(x, &transpose(other, -1, -2)?)?;
        sqrt(&maximum(&(squares - products * 2.0).into(), &0.0.into())?)
    }
    // d|a - b|/da = (a - b) / |a - b|.
    grad(g, y; x, other) {
        x: pulled(&ratio(g, y)?, x, other)?,
        other: pulled(&transpose(&ratio(g, y)?, -1, -2)?, other, x)?,
    }

    /// The p-norms of the differences of each two rows of a matrix, as a list: of the first with all behind it, of the second, and so on.
    #[example("tensor([[0, 0], [3, 4], [0, 1]]).pdist() // [5, 1, 4.242641]")]
    #[face(method)]
    #[check(cases)]
    #[torch("nn.functional.pdist")]
    fn pdist(x: &Tensor; p: f64 = 2.0) -> Tensor {
        if x.rank() != 2 {
            bail!(Shape, "expected a matrix of rows and got {}", show(x.shape()));
        }
        let places = crate::create::triangle(x.shape()[0], x.shape()[0], 1, true)?;
        let end = |at: isize| super::index::index_select(x, 0, &super::select::select(&places, 0, at)?);
        if p < 0.0 || p.is_nan() {
            bail!(Argument, "p is {p} and must be 0 or more");
        }
        norm(&(end(0)? - end(1)?), &[-1], p, false)
    }

    /// `x` with each entry along `dim` whose p-norm is above `maxNorm` scaled down to it.
    #[example("tensor([[3, 4], [0, 1]]).renorm(2, 0, { maxNorm: 1 }) // [[0.6, 0.8], [0, 1]]")]
    #[face(method)]
    #[check(cases)]
    #[autocast(full)]
    fn renorm(x: &Tensor, p: f64, dim: isize; max_norm: f64 = 1.0) -> Tensor {
        let at = axis_of(x.shape(), dim)?;
        if x.rank() < 2 || !x.dtype().is_float() || !(p > 0.0) || !(max_norm >= 0.0) {
            bail!(Argument, "expected a floating point tensor of rank 2 or more, p above 0 and maxNorm of 0 or more, and got {} {}, p {p}, maxNorm {max_norm}", x.dtype().name(), show(x.shape()));
        }
        let rest: Vec<isize> = (0..x.rank()).filter(|&dim| dim != at).map(|dim| dim as isize).collect();
        let norms = norm(x, &rest, p, true)?;
        let above = gt(&(&norms).into(), &max_norm.into())?;
        // PyTorch's guard against division by zero.
        Ok(x * &where_(&above, &(max_norm / &(norms + 1e-7)).into(), &1.0.into())?)
    }
}

/// The differences of each row of `x` and each of `other`.
fn apart(x: &Tensor, other: &Tensor) -> Result<Tensor> {
    Ok(unsqueeze(x, -2)? - unsqueeze(other, -3)?)
}

fn ratio(g: &Tensor, y: &Tensor) -> Result<Tensor> {
    let zero = eq(&y.into(), &0.0.into())?;
    let safe = where_(&zero, &1.0.into(), &y.into())?;
    where_(&zero, &0.0.into(), &(g / &safe).into())
}

/// What `ratio[i][j] * (x[i] - other[j])` add up to for each i.
fn pulled(ratio: &Tensor, x: &Tensor, other: &Tensor) -> Result<Tensor> {
    let mut shape = ratio.shape().to_vec();
    shape[ratio.rank() - 1] = x.shape()[x.rank() - 1];
    Ok(expand_to(&(x * &sum(ratio, &[-1], true)?), &shape)? - matmul(ratio, other)?)
}

//! Norms, the distance of two tensors, and tensors scaled to a norm.

use super::compare::{eq, gt, ne, where_};
use super::elementwise::{abs, pow, sign, sqrt, square};
use super::reduce::{amax, amin, float_of, restored, sum};
use super::{Floating, ops};
use crate::error::bail;
use crate::folds;
use crate::shape::{axes, axis_of, reduced, show};
use crate::tensor::Tensor;

ops! {
    /// The p-norm over `dims`, all by default: `sum(|x|^p)^(1/p)`; Infinity and -Infinity give the largest and smallest `|x|`, 0 the number of
    /// elements that are not 0, without a gradient.
    #[example("tensor([3, -4]).norm() // 5", "tensor([3, -4]).norm([], { p: 1 }) // 7", "tensor([3, 0]).norm([], { p: 0 }) // 1")]
    #[face(method)]
    #[check(cases)]
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

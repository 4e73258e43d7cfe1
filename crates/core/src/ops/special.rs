//! Special functions.

use firn_kernels::wide;

use super::elementwise::{exp, square};
use super::{Floating, ops};
use crate::error::bail;
use crate::tensor::Tensor;

ops! {
    /// `1 - erf(x)`, accurate where that is small.
    #[example("tensor([0, 3]).erfc() // [1, 0.0000221]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    fn erfc(x: &Tensor) -> Floating { x.map(wide::erfc) }
    grad(g; x) { x: g * &exp(&-square(x)?)? * -std::f64::consts::FRAC_2_SQRT_PI }

    /// The inverse of `erf`; NaN outside `[-1, 1]`.
    #[example("tensor([0, 0.5]).erfinv() // [0, 0.476936]")]
    #[face(method)]
    #[check(unary, -0.9, 0.9)]
    #[autocast(full)]
    fn erfinv(x: &Tensor) -> Floating { x.map(wide::erfinv) }
    grad(g, y) { x: g * &exp(&square(y)?)? * (1.0 / std::f64::consts::FRAC_2_SQRT_PI) }

    /// Logarithm of the absolute value of the gamma function.
    #[example("tensor([1, 5]).lgamma() // [0, 3.178054]")]
    #[face(method)]
    #[check(unary, 0.5, 4.0)]
    fn lgamma(x: &Tensor) -> Floating { x.map(wide::lgamma) }
    grad(g; x) { x: g * &digamma(x)? }

    /// The derivative of `lgamma`.
    #[example("tensor([1, 2]).digamma() // [-0.577216, 0.422784]")]
    #[face(method)]
    #[check(unary, 0.5, 4.0)]
    fn digamma(x: &Tensor) -> Floating { x.map(wide::digamma) }
    grad(g; x) { x: g * &polygamma(x, 1)? }

    /// The derivative of order `n` of `digamma`, which itself is that of order 0.
    #[example("tensor([1]).polygamma(1) // [1.644934]")]
    #[face(method)]
    #[check(cases)]
    fn polygamma(x: &Tensor, n: usize) -> Floating {
        if n > 100 {
            bail!(Argument, "n is {n}; orders up to 100 have values that a float can hold");
        }
        if n == 0 { digamma(x) } else { x.map(|x| wide::polygamma(x, n as u32)) }
    }
    grad(g; x, n) { x: g * &polygamma(x, n + 1)? }

    /// The modified Bessel function of the first kind of order 0.
    #[example("tensor([0, 1]).i0() // [1, 1.266066]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    fn i0(x: &Tensor) -> Floating { x.map(wide::i0) }
    grad(g; x) { x: g * &i1(x)? }

    /// The modified Bessel function of the first kind of order 1.
    #[example("tensor([0, 1]).i1() // [0, 0.565159]")]
    #[face(method)]
    #[check(unary, 0.5, 2.0)]
    fn i1(x: &Tensor) -> Floating { x.map(wide::i1) }
    grad(g, y; x) {
        x: {
            // At 0 the quotient has the limit 1/2.
            let zero = super::compare::eq(&x.into(), &0.0.into())?;
            let ratio = y / &super::compare::where_(&zero, &1.0.into(), &x.into())?;
            let ratio = super::compare::where_(&zero, &0.5.into(), &ratio.into())?;
            g * &(i0(x)? - ratio)
        }
    }
}

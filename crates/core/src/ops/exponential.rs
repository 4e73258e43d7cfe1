//! Exponentials and logarithms of other bases and of sums, and what is made of them.

use std::f64::consts::{LN_2, LN_10};

use firn_kernels::functions;

use super::compare::{eq, is_nan, logical_and, where_};
use super::elementwise::{abs, exp, log, log1p, maximum};
use super::pair::floats;
use super::{Floating, Operand, Quotient, ops};
use crate::error::Result;
use crate::tensor::Tensor;

/// `max(a, b) + log(1 + base^-|a - b|)` over that base's logarithm: sums of exponentials that do not overflow.
fn log_add(a: &Operand, b: &Operand, ln_base: f64) -> Result<Tensor> {
    let (a, b) = floats(a, b)?;
    let top = maximum(&(&a).into(), &(&b).into())?.detach();
    // Equal infinities have no difference.
    let same = eq(&(&a).into(), &(&b).into())?;
    let gap = where_(&same, &0.0.into(), &(&a - &b).into())?;
    let rest = log1p(&exp(&(abs(&gap)? * -ln_base))?)? / ln_base;
    Ok(top + rest)
}

/// The share of `a` in a sum of exponentials, `1 / (1 + base^(b - a))`; a half where both are the same.
fn share(a: &Tensor, b: &Tensor, ln_base: f64) -> Result<Tensor> {
    let same = eq(&a.into(), &b.into())?;
    super::activation::sigmoid(&(where_(&same, &0.0.into(), &(a - b).into())? * ln_base))
}

ops! {
    /// Two to the power of each element.
    #[example("tensor([0, 3, -1]).exp2() // [1, 8, 0.5]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    fn exp2(x: &Tensor) -> Floating { x.map(functions::exp2) }
    grad(g, y) { x: g * y * LN_2 }

    /// Logarithm to base 2; NaN for negative input.
    #[example("tensor([1, 8]).log2() // [0, 3]")]
    #[face(method)]
    #[check(unary, 0.1, 4.0)]
    #[autocast(full)]
    fn log2(x: &Tensor) -> Floating { x.map(functions::log2) }
    grad(g; x) { x: g / (x * LN_2) }

    /// Logarithm to base 10; NaN for negative input.
    #[example("tensor([1, 1000]).log10() // [0, 3]")]
    #[face(method)]
    #[check(unary, 0.1, 4.0)]
    #[autocast(full)]
    fn log10(x: &Tensor) -> Floating { x.map(functions::log10) }
    grad(g; x) { x: g / (x * LN_10) }

    /// `log(x / (1 - x))`, the inverse of `sigmoid`; `eps` bounds x to `[eps, 1 - eps]` first.
    #[example("tensor([0.5, 0.9]).logit() // [0, 2.197225]")]
    #[face(method)]
    #[check(unary, 0.1, 0.9)]
    fn logit(x: &Tensor; eps: Option<f64> = None) -> Floating {
        let x = match eps {
            Some(eps) => super::elementwise::clamp(&super::reduce::float_of(x), Some(eps), Some(1.0 - eps))?,
            None => x.clone(),
        };
        log(&(&x / (1.0 - &x)))
    }
    grad(g; x, eps) {
        x: {
            let slope = g / (x * (1.0 - x));
            match eps {
                Some(eps) => {
                    let inside = logical_and(&super::compare::ge(&x.into(), &eps.into())?, &super::compare::le(&x.into(), &(1.0 - eps).into())?)?;
                    where_(&inside, &slope.into(), &0.0.into())?
                }
                None => slope,
            }
        }
    }

    /// `a * log(b)`, 0 where `a` is 0 unless `b` is NaN, with broadcasting.
    #[example("tensor([0, 2]).xlogy(tensor([0, Math.E])) // [0, 2]")]
    #[face(method, free)]
    #[check(binary, 0.5, 2.0)]
    fn xlogy(a: &Operand, b: &Operand) -> Quotient {
        let (a, b) = floats(a, b)?;
        let zero = logical_and(&eq(&(&a).into(), &0.0.into())?, &super::compare::logical_not(&is_nan(&b)?)?)?;
        where_(&zero, &0.0.into(), &(&a * &log(&b)?).into())
    }
    grad(g; a, b) {
        a: {
            let (a, b) = floats(a, b)?;
            let none = logical_and(&eq(&(&a).into(), &0.0.into())?, &super::compare::le(&(&b).into(), &0.0.into())?)?;
            where_(&none, &0.0.into(), &(g * &log(&b)?).into())?
        },
        b: { let (a, b) = floats(a, b)?; g * &(a / b) },
    }

    /// `log(e^a + e^b)` in a form that does not overflow, with broadcasting.
    #[example("tensor([0, 1000]).logAddExp(tensor([0, 1000])) // [0.693147, 1000.693147]")]
    #[face(method, free)]
    #[check(binary, -2.0, 2.0)]
    #[torch("logaddexp")]
    fn log_add_exp(a: &Operand, b: &Operand) -> Quotient { log_add(a, b, 1.0) }
    grad(g; a, b) {
        a: { let (a, b) = floats(a, b)?; g * &share(&a, &b, 1.0)? },
        b: { let (a, b) = floats(a, b)?; g * &share(&b, &a, 1.0)? },
    }

    /// `log2(2^a + 2^b)` in a form that does not overflow, with broadcasting.
    #[example("tensor([3]).logAddExp2(tensor([3])) // [4]")]
    #[face(method, free)]
    #[check(binary, -2.0, 2.0)]
    #[torch("logaddexp2")]
    fn log_add_exp2(a: &Operand, b: &Operand) -> Quotient { log_add(a, b, LN_2) }
    grad(g; a, b) {
        a: { let (a, b) = floats(a, b)?; g * &share(&a, &b, LN_2)? },
        b: { let (a, b) = floats(a, b)?; g * &share(&b, &a, LN_2)? },
    }

    /// `a * 2^b`, with broadcasting.
    #[example("tensor([1, 3]).ldexp(tensor([4, -1])) // [16, 1.5]")]
    #[face(method, free)]
    #[check(binary, -2.0, 2.0)]
    fn ldexp(a: &Operand, b: &Operand) -> Quotient {
        let (a, b) = floats(a, b)?;
        Ok(a * exp2(&b)?)
    }
}

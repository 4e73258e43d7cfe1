//! Mixtures of tensors, and choices between them.

use super::compare::{eq, gt, is_nan, logical_and, logical_not, logical_or, lt, where_};
use super::elementwise::{maximum, minimum, share};
use super::pair::promoted;
use super::{Mask, Operand, Promoted, ops};
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::tensor::Tensor;

fn same_float(what: &str, x: &Tensor, other: &Tensor) -> Result<()> {
    if x.dtype() != other.dtype() {
        bail!(Dtype, "x is {} and {what} {}; both must have one dtype", x.dtype().name(), other.dtype().name());
    }
    Ok(())
}

/// `choose` of two, where a NaN gives way to the other.
fn without_nan(a: &Operand, b: &Operand, choose: fn(&Operand, &Operand) -> Result<Tensor>) -> Result<Tensor> {
    let (a, b) = promoted(a, b)?;
    if !a.dtype().is_float() {
        return choose(&a.into(), &b.into());
    }
    let filled = |x: &Tensor, by: &Tensor| where_(&is_nan(x)?, &by.into(), &x.into());
    let (x, y) = (filled(&a, &b)?, filled(&b, &a)?);
    choose(&x.into(), &y.into())
}

/// The gradient of `x`, chosen against `other` where it `beats` that. Of two NaN the `first` is chosen.
fn chosen(g: &Tensor, x: &Tensor, other: &Tensor, beats: fn(&Operand, &Operand) -> Result<Mask>, first: bool) -> Result<Tensor> {
    let ties = eq(&x.into(), &other.into())?;
    let alone = match first {
        true => is_nan(other)?,
        false => logical_and(&is_nan(other)?, &logical_not(&is_nan(x)?)?)?,
    };
    let wins = logical_or(&logical_or(&beats(&x.into(), &other.into())?, &alone)?, &ties)?;
    share(g, &logical_not(&wins)?, &ties)
}

ops! {
    /// `a + weight * (b - a)`, with broadcasting; exactly `b` at a weight of 1.
    #[example("tensor([0, 10]).lerp(tensor([10, 20]), 0.25) // [2.5, 12.5]")]
    #[face(method)]
    #[check(cases)]
    fn lerp(x: &Tensor, end: &Tensor, weight: &Operand) -> Tensor {
        if !x.dtype().is_float() {
            bail!(Dtype, "there is nothing between values of dtype {}; convert first: x.to('float32')", x.dtype().name());
        }
        same_float("end", x, end)?;
        let weight = weight.tensor(x.dtype())?;
        same_float("weight", x, &weight)?;
        // From the nearer end, as PyTorch: no rounding at a weight of 1.
        let near = lt(&super::elementwise::abs(&weight)?.into(), &0.5.into())?;
        let gap = end - x;
        where_(&near, &(x + &(&gap * &weight)).into(), &(end - &(gap * &(1.0 - &weight))).into())
    }

    /// `x + value * a * b`, with broadcasting.
    #[example("tensor([1, 1]).addcmul(tensor([2, 3]), tensor([4, 5]), { value: 0.5 }) // [5, 8.5]")]
    #[face(method)]
    #[check(cases)]
    #[autocast(widest)]
    fn addcmul(x: &Tensor, a: &Tensor, b: &Tensor; value: f64 = 1.0) -> Tensor {
        same_float("a", x, a)?;
        same_float("b", x, b)?;
        let product = a * b;
        Ok(if value == 1.0 { x + &product } else { x + &(product * value) })
    }

    /// `x + value * a / b`, with broadcasting; floating point only.
    #[example("tensor([1, 1]).addcdiv(tensor([2, 3]), tensor([4, 6])) // [1.5, 1.5]")]
    #[face(method)]
    #[check(cases)]
    #[autocast(widest)]
    fn addcdiv(x: &Tensor, a: &Tensor, b: &Tensor; value: f64 = 1.0) -> Tensor {
        if !x.dtype().is_float() {
            bail!(Dtype, "a quotient of dtype {} would have fractions; convert first: x.to('float32')", x.dtype().name());
        }
        same_float("a", x, a)?;
        same_float("b", x, b)?;
        Ok(x + &(a / b * value))
    }

    /// Larger of two elements, where a NaN gives way to the other; at equality both share the gradient.
    #[example("tensor([1, NaN]).fmax(tensor([3, 4])) // [3, 4]")]
    #[face(method, free)]
    #[check(binary, -2.0, 2.0)]
    fn fmax(a: &Operand, b: &Operand) -> Promoted { without_nan(a, b, maximum) }
    grad(g; a, b) {
        a: { let (a, b) = promoted(a, b)?; chosen(g, &a, &b, gt, true)? },
        b: { let (a, b) = promoted(a, b)?; chosen(g, &b, &a, gt, false)? },
    }

    /// Smaller of two elements, where a NaN gives way to the other; at equality both share the gradient.
    #[example("tensor([1, NaN]).fmin(tensor([3, 4])) // [1, 4]")]
    #[face(method, free)]
    #[check(binary, -2.0, 2.0)]
    fn fmin(a: &Operand, b: &Operand) -> Promoted { without_nan(a, b, minimum) }
    grad(g; a, b) {
        a: { let (a, b) = promoted(a, b)?; chosen(g, &a, &b, lt, true)? },
        b: { let (a, b) = promoted(a, b)?; chosen(g, &b, &a, lt, false)? },
    }

    /// NaN and infinities by numbers: `nan`, and the largest and least of the dtype unless `posInf` and `negInf` are given.
    #[example("tensor([NaN, 1, Infinity]).nanToNum({ nan: 0, posInf: 9 }) // [0, 1, 9]")]
    #[face(method)]
    #[check(cases)]
    fn nan_to_num(x: &Tensor; nan: f64 = 0.0, pos_inf: Option<f64> = None, neg_inf: Option<f64> = None) -> Tensor {
        let Some(most) = largest(x.dtype()) else { return Ok(x.clone()) };
        let out = where_(&is_nan(x)?, &nan.into(), &x.into())?;
        let out = where_(&eq(&x.into(), &f64::INFINITY.into())?, &pos_inf.unwrap_or(most).into(), &out.into())?;
        where_(&eq(&x.into(), &f64::NEG_INFINITY.into())?, &neg_inf.unwrap_or(-most).into(), &out.into())
    }

    /// Bounds each element to `[min, max]`, tensors or numbers, with broadcasting; the gradient goes to `x` inside and at the bounds.
    #[example("tensor([-2, 0, 5]).clampBetween(tensor([-1, 1, 1]), 3) // [-1, 1, 3]")]
    #[face(method)]
    #[check(cases)]
    #[torch("clamp")]
    fn clamp_between(x: &Tensor, min: &Operand, max: &Operand) -> Tensor {
        let [min, max] = [min, max].map(|bound| bound.tensor(x.dtype()));
        let (min, max) = (min?, max?);
        same_float("min", x, &min)?;
        same_float("max", x, &max)?;
        let below = lt(&x.into(), &(&min).into())?;
        let raised = where_(&below, &(&min).into(), &x.into())?;
        let above = gt(&(&raised).into(), &(&max).into())?;
        where_(&above, &(&max).into(), &raised.into())
    }
}

/// The largest number of a floating point dtype.
fn largest(dtype: DType) -> Option<f64> {
    match dtype {
        DType::Float64 => Some(f64::MAX),
        DType::Float32 => Some(f64::from(f32::MAX)),
        DType::BFloat16 => Some(3.389_531_389_251_535_5e38),
        DType::Float16 => Some(65504.0),
        _ => None,
    }
}

//! Operations on the bits of integers; of booleans they are those of logic.

use super::pair::{promoted, zip_ints};
use super::{Discrete, Operand, ops};
use crate::dtype::{DType, Kind};
use crate::error::{Result, bail};
use crate::tensor::Tensor;

/// `f` of integers or booleans of one dtype.
fn bitwise(a: &Operand, b: &Operand, f: fn(i64, i64) -> i64) -> Result<Tensor> {
    let (a, b) = promoted(a, b)?;
    match a.dtype().kind() {
        Kind::Float => bail!(Dtype, "a {} has no bits to combine; convert to integers with .to('int64')", a.dtype().name()),
        _ => zip_ints(&a, &b, f),
    }
}

fn shift(a: &Operand, b: &Operand, f: fn(i64, i64) -> i64) -> Result<Tensor> {
    let (x, _) = promoted(a, b)?;
    if x.dtype() == DType::Bool {
        bail!(Dtype, "booleans do not shift; convert to integers with .to('int64')");
    }
    bitwise(a, b, f)
}

ops! {
    /// The bits that are set in both, with broadcasting.
    #[example("tensor([6], { dtype: 'int32' }).bitwiseAnd(3) // [2]")]
    #[face(method)]
    #[check(cases)]
    fn bitwise_and(a: &Operand, b: &Operand) -> Discrete { bitwise(a, b, |a, b| a & b) }

    /// The bits that are set in either, with broadcasting.
    #[example("tensor([6], { dtype: 'int32' }).bitwiseOr(3) // [7]")]
    #[face(method)]
    #[check(cases)]
    fn bitwise_or(a: &Operand, b: &Operand) -> Discrete { bitwise(a, b, |a, b| a | b) }

    /// The bits that are set in one of both, with broadcasting.
    #[example("tensor([6], { dtype: 'int32' }).bitwiseXor(3) // [5]")]
    #[face(method)]
    #[check(cases)]
    fn bitwise_xor(a: &Operand, b: &Operand) -> Discrete { bitwise(a, b, |a, b| a ^ b) }

    /// Every bit turned over.
    #[example("tensor([0, 5], { dtype: 'int32' }).bitwiseNot() // [-1, -6]")]
    #[face(method)]
    #[check(cases)]
    fn bitwise_not(x: &Tensor) -> Discrete {
        match x.dtype() {
            DType::Bool => super::compare::logical_not(x),
            // -1 has every bit, in any width.
            _ => bitwise(&x.into(), &(if x.dtype() == DType::UInt8 { 255.0 } else { -1.0 }).into(), |a, b| a ^ b),
        }
    }

    /// The bits of `a` moved up by `b` places, with broadcasting; what leaves the dtype is lost.
    #[example("tensor([3], { dtype: 'int32' }).bitwiseLeftShift(2) // [12]")]
    #[face(method)]
    #[check(cases)]
    fn bitwise_left_shift(a: &Operand, b: &Operand) -> Discrete {
        shift(a, b, |a, b| u32::try_from(b).ok().and_then(|b| a.checked_shl(b)).unwrap_or(0))
    }

    /// The bits of `a` moved down by `b` places, the sign kept, with broadcasting.
    #[example("tensor([-8, 9], { dtype: 'int32' }).bitwiseRightShift(1) // [-4, 4]")]
    #[face(method)]
    #[check(cases)]
    fn bitwise_right_shift(a: &Operand, b: &Operand) -> Discrete {
        shift(a, b, |a, b| u32::try_from(b).ok().and_then(|b| a.checked_shr(b)).unwrap_or(if a < 0 { -1 } else { 0 }))
    }
}

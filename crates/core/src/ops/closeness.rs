//! Signs and infinities of elements, and whether tensors are the same or nearly so.

use super::compare::{eq, is_finite, is_nan, le, logical_and, logical_or};
use super::elementwise::abs;
use super::pair::promoted;
use super::reduce::all;
use super::{Mask, ops};
use crate::create::full;
use crate::dtype::DType;
use crate::error::bail;
use crate::tensor::Tensor;

ops! {
    /// Whether elements are positive infinity.
    #[example("tensor([1, Infinity, -Infinity]).isPosInf() // [false, true, false]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    #[torch("isposinf")]
    fn is_pos_inf(x: &Tensor) -> Mask { if x.dtype().is_float() { eq(&x.into(), &f64::INFINITY.into()) } else { full(x.shape(), 0.0, DType::Bool) } }

    /// Whether elements are negative infinity.
    #[example("tensor([1, Infinity, -Infinity]).isNegInf() // [false, false, true]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    #[torch("isneginf")]
    fn is_neg_inf(x: &Tensor) -> Mask { if x.dtype().is_float() { eq(&x.into(), &f64::NEG_INFINITY.into()) } else { full(x.shape(), 0.0, DType::Bool) } }

    /// Whether the sign bit is set: of negative elements, and of -0.
    #[example("tensor([-1, -0, 2]).signBit() // [true, true, false]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    #[torch("signbit")]
    fn sign_bit(x: &Tensor) -> Mask {
        if !x.dtype().is_float() {
            return if x.dtype() == DType::Bool { full(x.shape(), 0.0, DType::Bool) } else { super::compare::lt(&x.into(), &0.0.into()) };
        }
        let signs = super::pair::zip_floats(&full(&[], 1.0, x.dtype())?, x, f64::copysign)?;
        super::compare::lt(&signs.into(), &0.0.into())
    }

    /// Whether elements differ by at most `atol + rtol * |other|`, with broadcasting; NaN is close to NaN if `equalNan`.
    #[example("tensor([1, 2]).isClose(tensor([1.000001, 2.1])) // [true, false]")]
    #[face(method)]
    #[check(cases)]
    #[torch("isclose")]
    fn is_close(x: &Tensor, other: &Tensor; rtol: f64 = 1e-5, atol: f64 = 1e-8, equal_nan: bool = false) -> Mask {
        if x.dtype() != other.dtype() {
            bail!(Dtype, "x is {} and the other {}; both must have one dtype", x.dtype().name(), other.dtype().name());
        }
        if !(rtol >= 0.0 && atol >= 0.0) {
            bail!(Argument, "rtol {rtol} and atol {atol} must be 0 or more");
        }
        let same = eq(&x.into(), &other.into())?;
        let (a, b) = (Tensor::new(x.value_as(DType::Float64), DType::Float64), Tensor::new(other.value_as(DType::Float64), DType::Float64));
        let allowed = abs(&b)? * rtol + atol;
        let gap = abs(&(&a - &b))?;
        let near = logical_and(&le(&(&gap).into(), &allowed.into())?, &is_finite(&gap)?)?;
        let close = logical_or(&same, &near)?;
        if !equal_nan {
            return Ok(close);
        }
        logical_or(&close, &logical_and(&is_nan(x)?, &is_nan(other)?)?)
    }

    /// Whether all elements of two tensors are close, as one boolean (rank 0); see `isClose`.
    #[example("tensor([1, 2]).allClose(tensor([1, 2.1]), { atol: 0.2 }) // true")]
    #[face(method)]
    #[check(cases)]
    #[torch("allclose")]
    fn all_close(x: &Tensor, other: &Tensor; rtol: f64 = 1e-5, atol: f64 = 1e-8, equal_nan: bool = false) -> Mask {
        all(&is_close(x, other, rtol, atol, equal_nan)?, &[], false)
    }

    /// Whether two tensors have one shape and equal elements, as one boolean (rank 0).
    #[example("tensor([1, 2]).equal(tensor([1, 2])) // true", "tensor([1, 2]).equal(tensor([[1, 2]])) // false")]
    #[face(method)]
    #[check(cases)]
    fn equal(x: &Tensor, other: &Tensor) -> Mask {
        if x.shape() != other.shape() {
            return full(&[], 0.0, DType::Bool);
        }
        let (a, b) = promoted(&x.into(), &other.into())?;
        all(&eq(&(&a).into(), &(&b).into())?, &[], false)
    }
}

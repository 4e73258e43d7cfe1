//! Comparisons, logic and selection by a mask.

use burn_backend::Scalar;
use burn_backend::ops::{BoolTensorOps, FloatTensorOps, IntTensorOps};
use burn_dispatch::Dispatch;
use burn_std::{BoolDType, Shape};
use firn_kernels::zip::Comparison;

use super::operand::{Promoted as Operands, promoted};
use super::{Mask, Operand, Promoted, ops};
use crate::dtype::{BOOL, DType, Kind, promote};
use crate::error::{Result, bail};
use crate::pairs::{self, Right};
use crate::shape;
use crate::tensor::{Tensor, Value, cast};

type Tensors = fn(Value, Value, BoolDType) -> Value;
type Elem = fn(Value, Scalar, BoolDType) -> Value;

fn compare(op: Comparison, a: &Operand, b: &Operand, float: (Tensors, Elem), int: (Tensors, Elem)) -> Result<Mask> {
    let mask = |value| Ok(Tensor::new(value, DType::Bool));
    // The result is boolean whatever the number is, so integers may meet a fraction.
    let widened = match (a, b) {
        (Operand::Tensor(t), Operand::Number(n))
            if t.dtype() == DType::Bool || (!t.dtype().is_float() && (n.fract() != 0.0 || !n.is_finite())) =>
        {
            Some(Operand::Tensor(Tensor::new(t.value_as(DType::Float64), DType::Float64)))
        }
        _ => None,
    };
    let (a, b, dtype) = match promoted(widened.as_ref().unwrap_or(a), b)? {
        Operands::Number(a, number, dtype) => {
            return match pairs::compare(op, &a, Right::Number(number), dtype)? {
                Some(out) => Ok(out),
                None if dtype.is_float() => mask(float.1(a, number.into(), BOOL)),
                None => mask(int.1(a, (number as i64).into(), BOOL)),
            };
        }
        Operands::Tensors(a, b, DType::Bool) => (cast(a, DType::Bool, DType::Int64), cast(b, DType::Bool, DType::Int64), DType::Int64),
        Operands::Tensors(a, b, dtype) => (a, b, dtype),
    };
    match pairs::compare(op, &a, Right::Value(&b), dtype)? {
        Some(out) => Ok(out),
        None => mask(if dtype.is_float() { float.0(a, b, BOOL) } else { int.0(a, b, BOOL) }),
    }
}

fn truth(x: &Tensor) -> Value {
    x.value_as(DType::Bool)
}

/// Brings a value of any kind to `shape`, without a copy.
pub(crate) fn expand(value: Value, kind: Kind, shape: &Shape) -> Value {
    match kind {
        Kind::Float => Dispatch::float_expand(value, shape.clone()),
        Kind::Int => Dispatch::int_expand(value, shape.clone()),
        Kind::Bool => Dispatch::bool_expand(value, shape.clone()),
    }
}

fn logical(a: &Tensor, b: &Tensor, f: fn(Value, Value) -> Value) -> Result<Mask> {
    let shape = shape::broadcast(a.shape(), b.shape())?;
    let side = |x| expand(truth(x), Kind::Bool, &shape);
    Ok(Tensor::new(f(side(a), side(b)), DType::Bool))
}

fn operand_shape(x: &Operand) -> &[usize] {
    match x {
        Operand::Tensor(tensor) => tensor.shape(),
        Operand::Number(_) => &[],
    }
}

ops! {
    /// Whether elements are equal.
    #[example("tensor([1, 2]).eq(tensor([1, 3])) // [true, false]")]
    #[face(method)]
    #[check(binary, -2.0, 2.0)]
    fn eq(a: &Operand, b: &Operand) -> Mask {
        compare(Comparison::Equal, a, b, (Dispatch::float_equal, Dispatch::float_equal_elem), (Dispatch::int_equal, Dispatch::int_equal_elem))
    }

    /// Whether elements differ.
    #[example("tensor([1, 2]).ne(1) // [false, true]")]
    #[face(method)]
    #[check(binary, -2.0, 2.0)]
    fn ne(a: &Operand, b: &Operand) -> Mask {
        compare(
            Comparison::Differ,
            a,
            b,
            (Dispatch::float_not_equal, Dispatch::float_not_equal_elem),
            (Dispatch::int_not_equal, Dispatch::int_not_equal_elem),
        )
    }

    /// Whether elements of `a` are less than those of `b`.
    #[example("tensor([1, 2, 3]).lt(2) // [true, false, false]")]
    #[face(method)]
    #[check(binary, -2.0, 2.0)]
    fn lt(a: &Operand, b: &Operand) -> Mask {
        compare(Comparison::Less, a, b, (Dispatch::float_lower, Dispatch::float_lower_elem), (Dispatch::int_lower, Dispatch::int_lower_elem))
    }

    /// Whether elements of `a` are less than or equal to those of `b`.
    #[example("tensor([1, 2, 3]).le(2) // [true, true, false]")]
    #[face(method)]
    #[check(binary, -2.0, 2.0)]
    fn le(a: &Operand, b: &Operand) -> Mask {
        compare(
            Comparison::LessEqual,
            a,
            b,
            (Dispatch::float_lower_equal, Dispatch::float_lower_equal_elem),
            (Dispatch::int_lower_equal, Dispatch::int_lower_equal_elem),
        )
    }

    /// Whether elements of `a` are greater than those of `b`.
    #[example("tensor([1, 2, 3]).gt(2) // [false, false, true]")]
    #[face(method)]
    #[check(binary, -2.0, 2.0)]
    fn gt(a: &Operand, b: &Operand) -> Mask {
        compare(Comparison::Greater, a, b, (Dispatch::float_greater, Dispatch::float_greater_elem), (Dispatch::int_greater, Dispatch::int_greater_elem))
    }

    /// Whether elements of `a` are greater than or equal to those of `b`.
    #[example("tensor([1, 2, 3]).ge(2) // [false, true, true]")]
    #[face(method)]
    #[check(binary, -2.0, 2.0)]
    fn ge(a: &Operand, b: &Operand) -> Mask {
        compare(
            Comparison::GreaterEqual,
            a,
            b,
            (Dispatch::float_greater_equal, Dispatch::float_greater_equal_elem),
            (Dispatch::int_greater_equal, Dispatch::int_greater_equal_elem),
        )
    }

    /// Whether elements are NaN.
    #[example("tensor([1, NaN]).isNan() // [false, true]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    #[torch("isnan")]
    fn is_nan(x: &Tensor) -> Mask { Ok(Tensor::new(Dispatch::float_is_nan(x.float().0, BOOL), DType::Bool)) }

    /// Whether elements are infinite, of either sign.
    #[example("tensor([1, -Infinity]).isInf() // [false, true]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    #[torch("isinf")]
    fn is_inf(x: &Tensor) -> Mask { Ok(Tensor::new(Dispatch::float_is_inf(x.float().0, BOOL), DType::Bool)) }

    /// Whether elements are neither infinite nor NaN.
    #[example("tensor([1, Infinity, NaN]).isFinite() // [true, false, false]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    #[torch("isfinite")]
    fn is_finite(x: &Tensor) -> Mask { logical_not(&logical_or(&is_nan(x)?, &is_inf(x)?)?) }

    /// Logical not; anything but 0 counts as true.
    #[example("tensor([0, 2]).logicalNot() // [true, false]")]
    #[face(method)]
    #[check(cases)]
    fn logical_not(x: &Tensor) -> Mask { Ok(Tensor::new(Dispatch::bool_not(truth(x)), DType::Bool)) }

    /// Logical and, with broadcasting.
    #[example("tensor([true, true]).logicalAnd(tensor([true, false])) // [true, false]")]
    #[face(method)]
    #[check(cases)]
    fn logical_and(a: &Tensor, b: &Tensor) -> Mask { logical(a, b, Dispatch::bool_and) }

    /// Logical or, with broadcasting.
    #[example("tensor([true, false]).logicalOr(tensor([false, false])) // [true, false]")]
    #[face(method)]
    #[check(cases)]
    fn logical_or(a: &Tensor, b: &Tensor) -> Mask { logical(a, b, Dispatch::bool_or) }

    /// Logical exclusive or, with broadcasting.
    #[example("tensor([true, true]).logicalXor(tensor([true, false])) // [false, true]")]
    #[face(method)]
    #[check(cases)]
    fn logical_xor(a: &Tensor, b: &Tensor) -> Mask { logical(a, b, Dispatch::bool_xor) }

    /// The elements of `a` where `mask` is true, of `b` elsewhere, with broadcasting.
    #[example("const x = tensor([1, -2, 3])", "where(x.gt(0), x, 0) // [1, 0, 3]")]
    #[face(free)]
    #[check(cases)]
    fn where_(mask: &Mask, a: &Operand, b: &Operand) -> Promoted {
        if mask.dtype() != DType::Bool {
            bail!(Dtype, "the mask must be bool and is {}; compare first, as in x.gt(0)", mask.dtype().name());
        }
        let dtype = match (a, b) {
            (Operand::Tensor(a), Operand::Tensor(b)) => promote(a.dtype(), b.dtype()),
            (Operand::Tensor(t), Operand::Number(_)) | (Operand::Number(_), Operand::Tensor(t)) => t.dtype(),
            (Operand::Number(_), Operand::Number(_)) => DType::Float32,
        };
        let shape = shape::broadcast(&shape::broadcast(operand_shape(a), operand_shape(b))?, mask.shape())?;
        let mask = expand(mask.value(), Kind::Bool, &shape);
        let side = |x: &Operand| -> Result<Value> {
            let x = x.tensor(dtype)?;
            Ok(expand(x.value_as(dtype), dtype.kind(), &shape))
        };
        let (a, b) = (side(a)?, side(b)?);
        if let Some(out) = pairs::choose(&mask, &a, &b, &shape, dtype) {
            return Ok(out);
        }
        let out = match dtype.kind() {
            Kind::Float => Dispatch::float_mask_where(b, mask, a),
            Kind::Int => Dispatch::int_mask_where(b, mask, a),
            Kind::Bool => Dispatch::bool_mask_where(b, mask, a),
        };
        Ok(Tensor::new(out, dtype))
    }
    grad(g; mask) { a: where_(mask, &g.into(), &0.0.into())?, b: where_(mask, &0.0.into(), &g.into())? }

    /// `x` with `value` where `mask` is true.
    #[example("const x = tensor([1, -2, 3])", "x.maskedFill(x.lt(0), 9) // [1, 9, 3]")]
    #[face(method)]
    #[check(cases)]
    fn masked_fill(x: &Tensor, mask: &Mask, value: f64) -> Tensor { where_(mask, &x.full_like(value)?, &x.into()) }
}

impl Tensor {
    /// A number as an operand of this tensor's dtype.
    fn full_like(&self, value: f64) -> Result<Operand> {
        Ok(Operand::Tensor(crate::create::full(&[], value, self.dtype())?))
    }
}

/// Any tensor as booleans; anything but 0 counts as true.
pub(crate) fn as_mask(x: &Tensor) -> Mask {
    Tensor::new(truth(x), DType::Bool)
}

//! How a row of two operands finds its kernel: by ours where there is one for the dtype, else by the engine.

use firn_kernels::zip::Arithmetic;

use super::Operand;
use super::compare::{is_nan, where_};
use super::operand::{Promoted as Operands, promoted};
use crate::dtype::{DType, Kind};
use crate::error::Result;
use crate::pairs::{self, Pair, Right};
use crate::tensor::{Tensor, Value, cast};

pub(super) type Tensors = fn(Value, Value) -> Value;
pub(super) type Scalar = fn(Value, burn_backend::Scalar) -> Value;

/// An op on two tensors, and on a tensor and a number.
pub(super) type Forms = (Tensors, Scalar);
pub(super) type Kernel = (Pair, fn(&[f32], &[f32]) -> Vec<f32>);

/// A binary op: by our own kernels (the second is for operands that are ready for it: one shape, float32, in row-major order), else by
/// kind. `int` is None where integers have no such op and are brought to float32.
pub(super) fn binary(a: &Operand, b: &Operand, kernel: Option<Kernel>, float: Forms, int: Option<Forms>) -> Result<Tensor> {
    if let (Some((_, kernel)), Operand::Tensor(a), Operand::Tensor(b)) = (kernel, a, b)
        && let Some(out) = crate::cpu::zip(a, b, kernel)
    {
        return Ok(out);
    }
    let (a, b, dtype) = match promoted(a, b)? {
        Operands::Number(a, number, dtype) => {
            if let Some((op, _)) = kernel
                && let Some(out) = pairs::arithmetic(op, &a, Right::Number(number), dtype)?
            {
                return Ok(out);
            }
            let (scalar, a, dtype) = match (dtype.kind(), int) {
                (Kind::Float, _) => (float.1, a, dtype),
                (_, Some(int)) => (int.1, a, dtype),
                (_, None) => (float.1, cast(a, dtype, DType::Float32), DType::Float32),
            };
            let number = if dtype.is_float() { number.into() } else { (number as i64).into() };
            return Ok(Tensor::new(scalar(a, number), dtype));
        }
        Operands::Tensors(a, b, dtype) => (a, b, dtype),
    };
    // Booleans add and multiply as integers would; PyTorch's `or` and `and` are logicalOr and logicalAnd here.
    let (a, b, dtype) = match dtype.kind() {
        Kind::Bool => (cast(a, dtype, DType::Int64), cast(b, dtype, DType::Int64), DType::Int64),
        _ => (a, b, dtype),
    };
    if let Some((op, _)) = kernel
        && let Some(out) = pairs::arithmetic(op, &a, Right::Value(&b), dtype)?
    {
        return Ok(out);
    }
    Ok(match (dtype.kind(), int) {
        (Kind::Float, _) => Tensor::new((float.0)(a, b), dtype),
        (_, Some(int)) => Tensor::new((int.0)(a, b), dtype),
        (_, None) => {
            let (a, b) = (cast(a, dtype, DType::Float32), cast(b, dtype, DType::Float32));
            Tensor::new((float.0)(a, b), DType::Float32)
        }
    })
}

/// The larger or the smaller elements, by our kernel or where `wins` says that they are in `a`; NaN in either stays NaN.
pub(super) fn extremum(op: Arithmetic, a: &Operand, b: &Operand, wins: fn(&Operand, &Operand) -> Result<Tensor>) -> Result<Tensor> {
    let ours = match promoted(a, b)? {
        Operands::Tensors(a, b, dtype) => pairs::arithmetic(Pair::Exact(op), &a, Right::Value(&b), dtype)?,
        Operands::Number(a, number, dtype) => pairs::arithmetic(Pair::Exact(op), &a, Right::Number(number), dtype)?,
    };
    if let Some(out) = ours {
        return Ok(out);
    }
    let mask = wins(a, b)?;
    let picked = where_(&mask, a, b)?;
    match a {
        Operand::Tensor(t) if t.dtype().is_float() => {
            // A comparison with NaN is false, so only a NaN in `a` needs care.
            where_(&is_nan(t)?, a, &picked.into())
        }
        _ => Ok(picked),
    }
}

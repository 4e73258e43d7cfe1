//! Functions of two elements, with broadcasting, that are neither arithmetic nor comparisons.

use burn_std::Shape;
use firn_kernels::map::{Floats, Made};
use firn_kernels::wide;

use super::Operand;
use super::compare::expand;
use super::elementwise::to_dtype;
use crate::cpu::{contiguous, from_vec, slice};
use crate::dtype::{DType, Kind, promote};
use crate::error::{Result, bail};
use crate::shape;
use crate::tensor::Tensor;

/// Two operands as tensors of the dtype they promote to, on the tape.
pub(crate) fn promoted(a: &Operand, b: &Operand) -> Result<(Tensor, Tensor)> {
    let like = match (a, b) {
        (Operand::Number(_), Operand::Number(_)) => {
            bail!(Argument, "both operands are plain numbers; at least one must be a tensor")
        }
        (Operand::Tensor(x), _) | (_, Operand::Tensor(x)) => x.dtype(),
    };
    let (a, b) = (a.tensor(like)?, b.tensor(like)?);
    let dtype = promote(a.dtype(), b.dtype());
    Ok((brought(&a, dtype)?, brought(&b, dtype)?))
}

/// `promoted`, and float32 where that is no floating point dtype; numbers may then have fractions.
pub(crate) fn floats(a: &Operand, b: &Operand) -> Result<(Tensor, Tensor)> {
    let float = |x: &Operand| -> Result<Operand> {
        Ok(match x {
            Operand::Tensor(t) if !t.dtype().is_float() => Operand::Tensor(brought(t, DType::Float32)?),
            other => other.clone(),
        })
    };
    // An integer beside a float takes the float's dtype, not float32.
    match (a, b) {
        (Operand::Tensor(x), Operand::Tensor(y)) if x.dtype().is_float() || y.dtype().is_float() => promoted(a, b),
        _ => promoted(&float(a)?, &float(b)?),
    }
}

fn brought(x: &Tensor, dtype: DType) -> Result<Tensor> {
    if x.dtype() == dtype { Ok(x.clone()) } else { to_dtype(x, dtype) }
}

/// A tensor broadcast to a shape and laid out in row-major order, as one of the dtypes that a kernel computes in.
fn dense(x: &Tensor, shape: &Shape, dtype: DType) -> Tensor {
    let wide = Tensor::new(expand(x.value_as(dtype), dtype.kind(), shape), dtype);
    Tensor::new(contiguous(&wide), dtype)
}

/// `f` of each pair of two floating point tensors of one dtype.
pub(crate) fn zip_floats(a: &Tensor, b: &Tensor, f: fn(f64, f64) -> f64) -> Result<Tensor> {
    let shape = shape::broadcast(a.shape(), b.shape())?;
    let inner = a.dtype().precise();
    let (x, y) = (dense(a, &shape, inner), dense(b, &shape, inner));
    let made = match inner {
        DType::Float64 => wide::zip(Floats::F64(slice(x.value_ref())), Floats::F64(slice(y.value_ref())), f),
        _ => wide::zip(Floats::F32(slice(x.value_ref())), Floats::F32(slice(y.value_ref())), f),
    };
    let out = match made {
        Made::F32(data) => from_vec(data, shape, DType::Float32),
        Made::F64(data) => from_vec(data, shape, DType::Float64),
    };
    Ok(Tensor::new(out.value_as(a.dtype()), a.dtype()))
}

/// `f` of each pair of two integer tensors of one dtype, computed in int64 and wrapped to the dtype.
pub(crate) fn zip_ints(a: &Tensor, b: &Tensor, f: fn(i64, i64) -> i64) -> Result<Tensor> {
    let shape = shape::broadcast(a.shape(), b.shape())?;
    let (x, y) = (dense(a, &shape, DType::Int64), dense(b, &shape, DType::Int64));
    let out = wide::pairs(slice::<i64>(x.value_ref()), slice::<i64>(y.value_ref()), f);
    let out = from_vec(out, shape, DType::Int64);
    Ok(Tensor::new(out.value_as(a.dtype()), a.dtype()))
}

/// A function of two numbers of any kind but booleans: floats in float64, integers in int64.
pub(crate) fn zip(a: &Operand, b: &Operand, float: fn(f64, f64) -> f64, int: fn(i64, i64) -> i64) -> Result<Tensor> {
    let (a, b) = promoted(a, b)?;
    match a.dtype().kind() {
        Kind::Float => zip_floats(&a, &b, float),
        Kind::Int => zip_ints(&a, &b, int),
        Kind::Bool => bail!(Dtype, "two boolean tensors have no such function; convert one first: x.to('int64')"),
    }
}

/// Refuses a divisor of 0 among integers, which have no infinity.
pub(crate) fn no_zero_divisor(a: &Operand, b: &Operand) -> Result<()> {
    let float = |x: &Operand| matches!(x, Operand::Tensor(t) if t.dtype().is_float());
    let zero = match b {
        _ if float(a) || float(b) => false,
        Operand::Number(n) => *n == 0.0,
        Operand::Tensor(t) => crate::cpu::with_slice(&t.value_as(DType::Int64), |x: &[i64]| x.contains(&0)),
    };
    if zero {
        bail!(Argument, "an integer was to be divided by 0; integers have no infinity: convert first, x.to('float32')");
    }
    Ok(())
}

//! Conversion of a value between any two dtypes, as PyTorch converts.

use burn_std::{Shape, bf16, f16};
use firn_kernels::cast::{Source, Truth, cast as convert};

use crate::cpu::{from_vec, raw};
use crate::dtype::DType;
use crate::tensor::Value;

/// The elements of `value`, of dtype `from`, as `to`; outside the tape.
pub(crate) fn cast(value: Value, from: DType, to: DType) -> Value {
    if from == to {
        return value;
    }
    macro_rules! source {
        ($($dtype:pat => $t:ty),+) => {
            match from { $($dtype => raw(&value, from, |bytes, shape| elements(bytemuck::cast_slice::<u8, $t>(bytes), shape, to))),+ }
        };
    }
    source! {
        DType::Bool | DType::UInt8 => u8,
        DType::Int8 => i8,
        DType::Int16 => i16,
        DType::Int32 => i32,
        DType::Int64 => i64,
        DType::Float16 => f16,
        DType::BFloat16 => bf16,
        DType::Float32 => f32,
        DType::Float64 => f64
    }
}

/// Elements of any type as a value of dtype `to`.
pub(crate) fn elements<A: Source>(x: &[A], shape: Shape, to: DType) -> Value {
    let tensor = match to {
        // Collected in place: a `Truth` is a byte.
        DType::Bool => from_vec(convert::<A, Truth>(x).into_iter().map(|truth| truth.0).collect::<Vec<u8>>(), shape, to),
        DType::UInt8 => from_vec(convert::<A, u8>(x), shape, to),
        DType::Int8 => from_vec(convert::<A, i8>(x), shape, to),
        DType::Int16 => from_vec(convert::<A, i16>(x), shape, to),
        DType::Int32 => from_vec(convert::<A, i32>(x), shape, to),
        DType::Int64 => from_vec(convert::<A, i64>(x), shape, to),
        DType::Float16 => from_vec(convert::<A, f16>(x), shape, to),
        DType::BFloat16 => from_vec(convert::<A, bf16>(x), shape, to),
        DType::Float32 => from_vec(convert::<A, f32>(x), shape, to),
        DType::Float64 => from_vec(convert::<A, f64>(x), shape, to),
    };
    tensor.into_value()
}

//! Tensors from nothing: bytes, constants, ranges.

use burn_backend::ops::{BoolTensorOps, FloatTensorOps, IntTensorOps};
use burn_dispatch::Dispatch;
use burn_std::{Bytes, Shape, TensorData};

use crate::device::cpu;
use crate::dtype::{BOOL, DType, Kind};
use crate::error::{Result, bail};
use crate::tensor::Tensor;

/// A tensor over `bytes`, the elements in row-major order, little-endian.
pub fn from_bytes(bytes: Vec<u8>, shape: &[usize], dtype: DType) -> Result<Tensor> {
    let expected = shape.iter().product::<usize>() * dtype.size();
    if bytes.len() != expected {
        bail!(
            Shape,
            "{} elements of {} were given, and shape {} needs {}",
            bytes.len() / dtype.size(),
            dtype.name(),
            crate::shape::show(shape),
            expected / dtype.size()
        );
    }
    let data = TensorData::from_bytes(Bytes::from_bytes_vec(bytes), Shape::from(shape), dtype.burn());
    let value = match dtype.kind() {
        Kind::Float => Dispatch::float_from_data(data, &cpu()),
        Kind::Int => Dispatch::int_from_data(data, &cpu()),
        Kind::Bool => Dispatch::bool_from_data(data, &cpu()),
    };
    Ok(Tensor::new(value, dtype))
}

/// A tensor filled with one number.
pub fn full(shape: &[usize], value: f64, dtype: DType) -> Result<Tensor> {
    let shape = Shape::from(shape);
    if dtype.kind() == Kind::Int {
        whole(value, dtype)?;
    }
    let value = match dtype.kind() {
        Kind::Float => Dispatch::float_full(shape, value.into(), &cpu(), dtype.float()),
        Kind::Int => Dispatch::int_full(shape, (value as i64).into(), &cpu(), dtype.int()),
        Kind::Bool if value != 0.0 => Dispatch::bool_ones(shape, &cpu(), BOOL),
        Kind::Bool => Dispatch::bool_zeros(shape, &cpu(), BOOL),
    };
    Ok(Tensor::new(value, dtype))
}

/// Refuses a number that integers cannot hold.
pub(crate) fn whole(value: f64, dtype: DType) -> Result<()> {
    if value.fract() != 0.0 || !value.is_finite() {
        bail!(
            Dtype,
            "{value} is no whole number, and a tensor of dtype {} holds nothing else; convert it first: x.to('float32')",
            dtype.name()
        );
    }
    Ok(())
}

pub fn zeros(shape: &[usize], dtype: DType) -> Result<Tensor> {
    full(shape, 0.0, dtype)
}

pub fn zeros_like(x: &Tensor) -> Result<Tensor> {
    zeros(x.shape(), x.dtype())
}

/// `start`, `start + step`, ... up to but without `end`.
pub fn arange(start: f64, end: f64, step: f64, dtype: DType) -> Result<Tensor> {
    if step == 0.0 || !((end - start) / step).is_finite() {
        bail!(Argument, "a range from {start} to {end} by {step} has no end; step must lead from start to end");
    }
    if (end - start) / step < 0.0 {
        bail!(Argument, "a range from {start} to {end} needs a {} step and got {step}", if end > start { "positive" } else { "negative" });
    }
    let count = ((end - start) / step).ceil() as usize;
    let values: Vec<f64> = (0..count).map(|i| start + i as f64 * step).collect();
    Ok(crate::cpu::from_vec(values, Shape::new([count]), DType::Float64)).map(|t| Tensor::new(t.value_as(dtype), dtype))
}

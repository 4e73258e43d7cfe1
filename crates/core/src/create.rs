//! Tensors from nothing: bytes, constants, ranges.

use burn_backend::ops::{BoolTensorOps, FloatTensorOps, IntTensorOps};
use burn_dispatch::Dispatch;
use burn_std::{Bytes, Shape, TensorData};

use crate::device::cpu;
use crate::dtype::{BOOL, DType, Kind};
use crate::error::{Result, bail};
use crate::tensor::Tensor;

/// Elements of a new tensor; an error where no memory of that size is to be had, which would end the process later.
pub(crate) fn room(shape: &[usize], dtype: DType) -> Result<usize> {
    const LARGE: usize = 1 << 30;
    if shape.contains(&0) {
        return Ok(0);
    }
    let size = shape.iter().try_fold(1_usize, |size, &n| size.checked_mul(n));
    let bytes = size.and_then(|size| size.checked_mul(dtype.size()));
    match (size, bytes) {
        (Some(size), Some(bytes)) if bytes < LARGE || (bytes <= machine() && Vec::<u8>::new().try_reserve_exact(bytes).is_ok()) => Ok(size),
        _ => bail!(Memory, "no memory for a tensor of shape {} and dtype {}", crate::shape::show(shape), dtype.name()),
    }
}

/// Bytes of memory and swap of this machine where Linux says so: it may promise more, and ends the process that takes it up on that.
fn machine() -> usize {
    static BYTES: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    *BYTES.get_or_init(|| {
        let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kib = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<usize>().ok()
        };
        kib("MemTotal:").map_or(usize::MAX, |memory| (memory + kib("SwapTotal:").unwrap_or(0)).saturating_mul(1024))
    })
}

/// A tensor over `bytes`, the elements in row-major order, little-endian.
pub fn from_bytes(bytes: Vec<u8>, shape: &[usize], dtype: DType) -> Result<Tensor> {
    let expected = room(shape, dtype)? * dtype.size();
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

/// A tensor of numbers; an integer dtype takes what it can hold, cut off towards zero.
pub fn from_numbers(numbers: &[f64], shape: &[usize], dtype: DType) -> Result<Tensor> {
    if room(shape, dtype)? != numbers.len() {
        bail!(
            Shape,
            "{} numbers were given, and shape {} needs {}",
            numbers.len(),
            crate::shape::show(shape),
            shape.iter().product::<usize>()
        );
    }
    if dtype.kind() == Kind::Int {
        for &number in numbers {
            if !number.is_finite() {
                whole(number, dtype)?;
            }
            within(number.trunc(), dtype)?;
        }
    }
    let value = match dtype {
        DType::Float64 => return Ok(crate::cpu::from_vec(numbers.to_vec(), shape.into(), dtype)),
        _ => crate::cast::elements(numbers, shape.into(), dtype),
    };
    Ok(Tensor::new(value, dtype))
}

/// A tensor filled with one number.
pub fn full(shape: &[usize], value: f64, dtype: DType) -> Result<Tensor> {
    room(shape, dtype)?;
    let shape = Shape::from(shape);
    if dtype.kind() == Kind::Int {
        whole(value, dtype)?;
        within(value, dtype)?;
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

/// Refuses a number outside the range of an integer dtype.
pub(crate) fn within(value: f64, dtype: DType) -> Result<()> {
    let (low, high) = dtype.range();
    if value < low || value > high {
        bail!(Argument, "{value} is outside the range of dtype {}, [{low}, {high}]", dtype.name());
    }
    Ok(())
}

pub fn zeros(shape: &[usize], dtype: DType) -> Result<Tensor> {
    full(shape, 0.0, dtype)
}

pub fn zeros_like(x: &Tensor) -> Result<Tensor> {
    zeros(x.shape(), x.dtype())
}

fn of(values: Vec<f64>, dtype: DType) -> Tensor {
    let shape = Shape::new([values.len()]);
    let values = crate::cpu::from_vec(values, shape, DType::Float64);
    Tensor::new(values.value_as(dtype), dtype)
}

/// `start`, `start + step`, ... up to but without `end`.
pub fn arange(start: f64, end: f64, step: f64, dtype: DType) -> Result<Tensor> {
    if step == 0.0 || !((end - start) / step).is_finite() {
        bail!(Argument, "a range from {start} to {end} by {step} has no end; step must lead from start to end");
    }
    if (end - start) / step < 0.0 {
        bail!(Argument, "a range from {start} to {end} needs a {} step and got {step}", if end > start { "positive" } else { "negative" });
    }
    match dtype.kind() {
        Kind::Float => {}
        Kind::Int => {
            whole(start, dtype)?;
            whole(step, dtype)?;
        }
        Kind::Bool => bail!(Dtype, "a range holds numbers, and dtype bool holds none; make an integer range and compare it"),
    }
    let count = room(&[((end - start) / step).ceil() as usize], DType::Float64)?;
    Ok(of((0..count).map(|i| start + i as f64 * step).collect(), dtype))
}

/// The exponents or numbers of `linspace` and `logspace`: from either end to the middle, so that both ends are exact and a range around
/// zero is symmetric, as PyTorch has it.
fn spaced(start: f64, end: f64, steps: usize) -> impl Iterator<Item = f64> {
    let step = (end - start) / steps.saturating_sub(1).max(1) as f64;
    (0..steps).map(move |i| if i < steps.div_ceil(2) { start + step * i as f64 } else { end - step * (steps - 1 - i) as f64 })
}

/// `steps` numbers from `start` to `end`, both included.
pub fn linspace(start: f64, end: f64, steps: usize, dtype: DType) -> Result<Tensor> {
    room(&[steps], DType::Float64)?;
    Ok(of(spaced(start, end, steps).collect(), dtype))
}

/// `base` to the power of each number of `linspace`.
pub fn logspace(start: f64, end: f64, steps: usize, base: f64, dtype: DType) -> Result<Tensor> {
    room(&[steps], DType::Float64)?;
    Ok(of(spaced(start, end, steps).map(|exponent| base.powf(exponent)).collect(), dtype))
}

/// Ones on the main diagonal.
pub fn eye(rows: usize, columns: usize, dtype: DType) -> Result<Tensor> {
    let mut values = vec![0_u8; room(&[rows, columns], dtype)?];
    values.iter_mut().step_by(columns + 1).take(rows.min(columns)).for_each(|value| *value = 1);
    let ones = crate::cpu::from_vec(values, Shape::new([rows, columns]), DType::UInt8);
    Ok(Tensor::new(ones.value_as(dtype), dtype))
}

/// Row and column of every element on and below the diagonal `offset` (`upper`: on and above), row by row: int64 `[2, n]`.
pub fn triangle(rows: usize, columns: usize, offset: i64, upper: bool) -> Result<Tensor> {
    room(&[2, rows, columns], DType::Int64)?;
    let (mut y, mut x) = (Vec::new(), Vec::new());
    for row in 0..rows as i64 {
        let edge = (row + offset + i64::from(!upper)).clamp(0, columns as i64);
        for column in if upper { edge..columns as i64 } else { 0..edge } {
            y.push(row);
            x.push(column);
        }
    }
    let count = y.len();
    y.append(&mut x);
    Ok(crate::cpu::from_vec(y, Shape::new([2, count]), DType::Int64))
}

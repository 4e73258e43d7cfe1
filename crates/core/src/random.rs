//! Randomness by counting: a value depends on the seed, the number of the call and its position, never on threads.
//!
//! So a run repeats exactly, whatever the number of cores, and the whole state to save is two numbers. Uniform numbers are the same
//! bits on every machine; normal ones go through its logarithm and cosine.

use std::cell::Cell;

use burn_std::Shape;
use firn_kernels::philox::{self, Key};

use crate::cpu::from_vec;
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::tensor::Tensor;

/// The generator's whole state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    pub seed: u64,
    /// Random calls made since the seed was set.
    pub calls: u64,
}

thread_local! {
    static STATE: Cell<State> = const { Cell::new(State { seed: 0, calls: 0 }) };
}

pub fn state() -> State {
    STATE.get()
}

pub fn set_state(state: State) {
    STATE.set(state);
}

/// Starts over from `seed`.
pub fn seed(seed: u64) {
    set_state(State { seed, calls: 0 });
}

/// The key of one random call.
pub fn next() -> Key {
    let State { seed, calls } = STATE.get();
    STATE.set(State { seed, calls: calls + 1 });
    Key { seed, call: calls }
}

fn float(values: Vec<f32>, shape: &[usize], dtype: DType) -> Result<Tensor> {
    if !dtype.is_float() {
        bail!(Dtype, "expected a floating point dtype and got {}; use randint for integers", dtype.name());
    }
    let tensor = from_vec(values, Shape::from(shape), DType::Float32);
    Ok(Tensor::new(tensor.value_as(dtype), dtype))
}

/// Uniform in `[low, high)`, drawn with 24 bits.
pub fn uniform(shape: &[usize], low: f64, high: f64, dtype: DType) -> Result<Tensor> {
    let mut values = vec![0.0; shape.iter().product()];
    philox::uniform(next(), &mut values, low as f32, high as f32);
    float(values, shape, dtype)
}

/// Normal with the given mean and standard deviation.
pub fn normal(shape: &[usize], mean: f64, std: f64, dtype: DType) -> Result<Tensor> {
    let mut values = vec![0.0; shape.iter().product()];
    philox::normal(next(), &mut values, mean as f32, std as f32);
    float(values, shape, dtype)
}

/// 1 with probability `p`, else 0.
pub fn bernoulli(shape: &[usize], p: f64, dtype: DType) -> Result<Tensor> {
    if !(0.0..=1.0).contains(&p) {
        bail!(Argument, "p is a probability in [0, 1] and is {p}");
    }
    let mut values = vec![0.0_f32; shape.iter().product()];
    philox::uniform(next(), &mut values, 0.0, 1.0);
    for value in &mut values {
        *value = f32::from(f64::from(*value) < p);
    }
    let tensor = from_vec(values, Shape::from(shape), DType::Float32);
    Ok(Tensor::new(tensor.value_as(dtype), dtype))
}

/// Whole numbers in `[low, high)`.
pub fn randint(shape: &[usize], low: i64, high: i64, dtype: DType) -> Result<Tensor> {
    if low >= high {
        bail!(Argument, "no whole number lies in [{low}, {high})");
    }
    let span = high.abs_diff(low);
    let key = next();
    let count = shape.iter().product::<usize>();
    let values = (0..count as u64).map(|i| low.wrapping_add_unsigned(philox::below(key, i, span))).collect::<Vec<i64>>();
    let tensor = from_vec(values, Shape::from(shape), DType::Int64);
    Ok(Tensor::new(tensor.value_as(dtype), dtype))
}

/// The numbers `0..n` in random order (Fisher and Yates), int64.
pub fn randperm(n: usize) -> Result<Tensor> {
    let key = next();
    let mut values: Vec<i64> = (0..n as i64).collect();
    for i in (1..n).rev() {
        values.swap(i, philox::below(key, i as u64, i as u64 + 1) as usize);
    }
    Ok(from_vec(values, Shape::from([n].as_slice()), DType::Int64))
}

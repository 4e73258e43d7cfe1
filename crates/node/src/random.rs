//! Tensors drawn from the generator, and its state.

use firn_core::{DType, random, table};
use napi_derive::napi;

use crate::call::{call, out, sizes};

#[napi]
pub fn random_uniform(shape: &[u32], low: f64, high: f64, dtype: u32) -> napi::Result<u32> {
    call("uniform", || out(random::uniform(&sizes(shape), low, high, DType::from_code(dtype)?)?))
}

#[napi]
pub fn random_normal(shape: &[u32], mean: f64, std: f64, dtype: u32) -> napi::Result<u32> {
    call("normal", || out(random::normal(&sizes(shape), mean, std, DType::from_code(dtype)?)?))
}

#[napi]
pub fn random_bernoulli(shape: &[u32], p: f64, dtype: u32) -> napi::Result<u32> {
    call("bernoulli", || out(random::bernoulli(&sizes(shape), p, DType::from_code(dtype)?)?))
}

#[napi]
pub fn random_bernoulli_at(p: u32, dtype: u32) -> napi::Result<u32> {
    call("bernoulli", || out(random::bernoulli_at(&table::get(p)?, DType::from_code(dtype)?)?))
}

#[napi]
pub fn random_int(shape: &[u32], low: f64, high: f64, dtype: u32) -> napi::Result<u32> {
    call("randint", || out(random::randint(&sizes(shape), low as i64, high as i64, DType::from_code(dtype)?)?))
}

#[napi]
pub fn random_permutation(n: u32) -> napi::Result<u32> {
    call("randperm", || out(random::randperm(n as usize)?))
}

/// `law`: 0 exponential(a), 1 cauchy(a, b), 2 geometric(a).
#[napi]
pub fn random_law(shape: &[u32], law: u32, a: f64, b: f64, dtype: u32) -> napi::Result<u32> {
    let name = ["exponential", "cauchy", "geometric"].get(law as usize).copied().unwrap_or("random");
    call(name, || out(random::by_law(&sizes(shape), random::Law::from_code(law, a, b)?, DType::from_code(dtype)?)?))
}

#[napi]
pub fn random_multinomial(weights: u32, count: u32, replacement: bool) -> napi::Result<u32> {
    call("multinomial", || out(random::multinomial(&table::get(weights)?, count as usize, replacement)?))
}

fn seed(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// `[seed low, seed high, calls]`.
#[napi]
pub fn random_state() -> Vec<f64> {
    let random::State { seed, calls } = random::state();
    vec![f64::from(seed as u32), f64::from((seed >> 32) as u32), calls as f64]
}

#[napi]
pub fn set_random_state(seed_low: u32, seed_high: u32, calls: f64) {
    random::set_state(random::State { seed: seed(seed_low, seed_high), calls: calls as u64 });
}

/// `[seed low, seed high]` of a stream of a seed.
#[napi]
pub fn random_stream(seed_low: u32, seed_high: u32, name: String) -> Vec<u32> {
    let stream = random::stream(seed(seed_low, seed_high), &name);
    vec![stream as u32, (stream >> 32) as u32]
}

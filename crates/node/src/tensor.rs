//! Creating, reading and freeing tensors.

use firn_core::{DType, cpu, create, random, table, tensor};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::call::{call, out, sizes};

#[napi]
pub fn from_bytes(bytes: &[u8], shape: &[u32], dtype: u32) -> napi::Result<u32> {
    call("tensor", || out(create::from_bytes(bytes.to_vec(), &sizes(shape), DType::from_code(dtype)?)?))
}

#[napi]
pub fn full(shape: &[u32], value: f64, dtype: u32) -> napi::Result<u32> {
    call("full", || out(create::full(&sizes(shape), value, DType::from_code(dtype)?)?))
}

#[napi]
pub fn arange(start: f64, end: f64, step: f64, dtype: u32) -> napi::Result<u32> {
    call("arange", || out(create::arange(start, end, step, DType::from_code(dtype)?)?))
}

#[napi]
pub fn random_uniform(shape: &[u32], low: f64, high: f64, dtype: u32) -> napi::Result<u32> {
    call("rand", || out(random::uniform(&sizes(shape), low, high, DType::from_code(dtype)?)?))
}

#[napi]
pub fn random_normal(shape: &[u32], mean: f64, std: f64, dtype: u32) -> napi::Result<u32> {
    call("randn", || out(random::normal(&sizes(shape), mean, std, DType::from_code(dtype)?)?))
}

#[napi]
pub fn random_bernoulli(shape: &[u32], p: f64, dtype: u32) -> napi::Result<u32> {
    call("bernoulli", || out(random::bernoulli(&sizes(shape), p, DType::from_code(dtype)?)?))
}

#[napi]
pub fn random_int(shape: &[u32], low: f64, high: f64, dtype: u32) -> napi::Result<u32> {
    call("randint", || out(random::randint(&sizes(shape), low as i64, high as i64, DType::from_code(dtype)?)?))
}

#[napi]
pub fn random_permutation(n: u32) -> napi::Result<u32> {
    call("randperm", || out(random::randperm(n as usize)?))
}

/// `[seed low, seed high, calls]`.
#[napi]
pub fn random_state() -> Vec<f64> {
    let random::State { seed, calls } = random::state();
    vec![f64::from(seed as u32), f64::from((seed >> 32) as u32), calls as f64]
}

#[napi]
pub fn set_random_state(seed_low: u32, seed_high: u32, calls: f64) {
    random::set_state(random::State { seed: u64::from(seed_low) | u64::from(seed_high) << 32, calls: calls as u64 });
}

/// `[dtype, ...shape]`.
#[napi]
pub fn describe(x: u32) -> napi::Result<Vec<u32>> {
    call("describe", || {
        let x = table::get(x)?;
        Ok(std::iter::once(x.dtype().code()).chain(x.shape().iter().map(|&n| n as u32)).collect())
    })
}

/// The elements in row-major order, little-endian.
#[napi]
pub fn read(x: u32) -> napi::Result<Uint8Array> {
    call("data", || Ok(Uint8Array::new(cpu::bytes(&table::get(x)?, <[u8]>::to_vec))))
}

#[napi]
pub fn assign(to: u32, from: u32) -> napi::Result<()> {
    call("assign", || {
        let from = table::get(from)?;
        table::with_mut(&[to], |tensors| tensors[0].assign(&from))
    })
}

#[napi]
pub fn detach(x: u32) -> napi::Result<u32> {
    call("detach", || out(table::get(x)?.detach()))
}

#[napi]
pub fn device_of(x: u32) -> napi::Result<String> {
    call("device", || Ok(table::get(x)?.device().into()))
}

#[napi]
pub fn free(handles: &[u32]) {
    table::free(handles);
}

#[napi]
pub fn free_one(handle: u32) {
    table::free(&[handle]);
}

#[napi]
pub fn is_live(handle: u32) -> bool {
    table::is_live(handle)
}

#[napi]
pub fn keep(handle: u32) -> napi::Result<()> {
    call("keep", || table::keep(handle))
}

#[napi]
pub fn scope_begin() -> u32 {
    table::scope_begin()
}

/// Ends a scope that nothing survives.
#[napi]
pub fn scope_end(scope: u32) -> napi::Result<()> {
    call("tensorScope", || table::scope_end(scope, &[]))
}

#[napi]
pub fn scope_end_except(scope: u32, survivors: &[u32]) -> napi::Result<()> {
    call("tensorScope", || table::scope_end(scope, survivors))
}

/// `[handles, tensors, bytes]` alive on this thread.
#[napi]
pub fn memory() -> Vec<f64> {
    let (tensors, bytes) = tensor::live();
    vec![table::live_handles() as f64, tensors as f64, bytes as f64]
}

//! Creating, reading and freeing tensors.

use firn_core::{DType, cpu, create, table, tensor};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::call::{call, out, sizes};

#[napi]
pub fn from_bytes(bytes: &[u8], shape: &[u32], dtype: u32) -> napi::Result<u32> {
    call("tensor", || out(create::from_bytes(bytes.to_vec(), &sizes(shape), DType::from_code(dtype)?)?))
}

#[napi]
pub fn from_numbers(numbers: &[f64], shape: &[u32], dtype: u32) -> napi::Result<u32> {
    call("tensor", || out(create::from_numbers(numbers, &sizes(shape), DType::from_code(dtype)?)?))
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
pub fn linspace(start: f64, end: f64, steps: u32, dtype: u32) -> napi::Result<u32> {
    call("linspace", || out(create::linspace(start, end, steps as usize, DType::from_code(dtype)?)?))
}

#[napi]
pub fn logspace(start: f64, end: f64, steps: u32, base: f64, dtype: u32) -> napi::Result<u32> {
    call("logspace", || out(create::logspace(start, end, steps as usize, base, DType::from_code(dtype)?)?))
}

#[napi]
pub fn eye(rows: u32, columns: u32, dtype: u32) -> napi::Result<u32> {
    call("eye", || out(create::eye(rows as usize, columns as usize, DType::from_code(dtype)?)?))
}

#[napi]
pub fn triangle(rows: u32, columns: u32, offset: i32, upper: bool) -> napi::Result<u32> {
    let name = if upper { "triu_indices" } else { "tril_indices" };
    call(name, || out(create::triangle(rows as usize, columns as usize, i64::from(offset), upper)?))
}

/// `[dtype, ...shape]`.
#[napi]
pub fn describe(x: u32) -> napi::Result<Vec<u32>> {
    call("describe", || {
        let x = table::get(x)?;
        Ok(std::iter::once(x.dtype().code()).chain(x.shape().iter().map(|&n| n as u32)).collect())
    })
}

/// Writes the elements in row-major order, little-endian, into `to`, which has their size.
#[napi]
pub fn read(x: u32, mut to: Uint8Array) -> napi::Result<()> {
    // SAFETY: no JavaScript runs during this call, so nothing else touches the array.
    call("data", || cpu::read(&table::get(x)?, unsafe { to.as_mut() }))
}

/// The element of a tensor of size 1.
#[napi]
pub fn item(x: u32) -> napi::Result<f64> {
    call("item", || cpu::item(&table::get(x)?))
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

/// Opens a lane with one scope and enters it.
#[napi]
pub fn lane_begin() -> u32 {
    table::lane_begin()
}

/// Enters another lane, with a handle that its code made just now, or 0.
#[napi]
pub fn lane_enter(lane: u32, handle: u32) {
    table::lane_enter(lane, handle);
}

/// Closes a lane and enters `heir`, to which the survivors go.
#[napi]
pub fn lane_end(lane: u32, survivors: &[u32], heir: u32) {
    table::lane_end(lane, survivors, heir);
}

/// `[handles, tensors, bytes, peak bytes]` alive on this thread.
#[napi]
pub fn memory() -> Vec<f64> {
    let (tensors, bytes) = tensor::live();
    vec![table::live_handles() as f64, tensors as f64, bytes as f64, tensor::peak() as f64]
}

#[napi]
pub fn reset_peak() {
    tensor::reset_peak();
}

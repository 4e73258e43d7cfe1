//! What this build is.

use napi_derive::napi;

use crate::call::call;

#[napi(object)]
pub struct NativeInfo {
    pub version: String,
    /// Cargo features that decide the devices.
    pub features: Vec<String>,
    pub devices: Vec<String>,
    /// Threads of the CPU kernels.
    pub threads: u32,
    /// The SIMD level chosen for this machine.
    pub simd: String,
}

#[napi]
pub fn info() -> NativeInfo {
    NativeInfo {
        version: env!("CARGO_PKG_VERSION").into(),
        features: vec!["cpu".into()],
        devices: firn_core::device::available().iter().map(|&name| name.into()).collect(),
        threads: firn_core::cpu::threads() as u32,
        simd: firn_core::cpu::simd().into(),
    }
}

/// Bytes a second of the triad `a = b + s * c` over arrays of `bytes` together.
#[napi]
pub fn memory_bandwidth(bytes: f64) -> napi::Result<f64> {
    call("memory_bandwidth", || Ok(firn_core::cpu::bandwidth(bytes as usize)))
}

/// Resolves `'auto'` or a device name to the device's own.
#[napi]
pub fn resolve_device(name: String) -> napi::Result<String> {
    call("device", || firn_core::device::parse(&name).map(str::to_owned))
}

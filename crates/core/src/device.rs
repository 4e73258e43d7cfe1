//! Devices: what this build offers, by name.

use burn_dispatch::{DispatchDevice, DispatchTensorKind};

use crate::error::{Result, bail};
use crate::tensor::Value;

/// The CPU, through burn-flex.
pub(crate) fn cpu() -> DispatchDevice {
    DispatchDevice::Flex(Default::default())
}

/// The name of the device a value is on.
pub(crate) fn name_of(value: &Value) -> &'static str {
    match &value.kind {
        DispatchTensorKind::Flex(_) => "cpu",
    }
}

/// Names that `parse` accepts in this build, best first.
pub fn available() -> &'static [&'static str] {
    &["cpu"]
}

/// Resolves `'auto'` or a device name.
pub fn parse(name: &str) -> Result<&'static str> {
    if name == "auto" {
        return Ok(available()[0]);
    }
    match available().iter().find(|known| **known == name) {
        Some(known) => Ok(known),
        None => bail!(Device, "'{name}' is not in this build; available: auto, {}", available().join(", ")),
    }
}

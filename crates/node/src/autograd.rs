//! Gradients.

use firn_core::{table, tape};
use napi_derive::napi;

use crate::call::{call, list, optional, out};

#[napi]
pub fn requires_grad(x: u32) -> napi::Result<bool> {
    call("requires_grad", || Ok(table::get(x)?.requires_grad()))
}

#[napi]
pub fn set_requires_grad(x: u32, requires_grad: bool) -> napi::Result<()> {
    call("requires_grad", || table::get(x)?.set_requires_grad(requires_grad))
}

/// The gradient of a leaf, 0 when there is none.
#[napi]
pub fn grad_of(x: u32) -> napi::Result<u32> {
    call("grad", || match table::get(x)?.grad() {
        Some(grad) => out(grad),
        None => Ok(0),
    })
}

#[napi]
pub fn set_grad(x: u32, grad: u32) -> napi::Result<()> {
    call("grad", || table::get(x)?.set_grad(optional(grad)?.map(|grad| grad.detach())))
}

/// Bits of `flags`.
const RETAIN: u32 = 1;
const CREATE: u32 = 2;

#[napi]
pub fn backward(x: u32, gradient: u32, flags: u32) -> napi::Result<()> {
    call("backward", || {
        let gradient = optional(gradient)?;
        let walk = tape::Walk { retain_graph: flags & RETAIN != 0, create_graph: flags & CREATE != 0 };
        tape::backward(&table::get(x)?, gradient.as_ref(), walk)
    })
}

/// Gradients of `outputs`, each with a starting gradient or 0, for `inputs`; 0 where no output came from an input.
#[napi]
pub fn gradients(outputs: &[u32], starts: &[u32], inputs: &[u32], retain_graph: bool, create_graph: bool) -> napi::Result<Vec<u32>> {
    call("grad", || {
        let mut roots = Vec::with_capacity(outputs.len());
        for (&output, &start) in outputs.iter().zip(starts) {
            roots.push((table::get(output)?, optional(start)?));
        }
        let found = tape::grad(&roots, &list(inputs)?, tape::Walk { retain_graph, create_graph })?;
        found.into_iter().map(|grad| grad.map_or(Ok(0), out)).collect()
    })
}

/// Switches recording on or off; gives what it was.
#[napi]
pub fn set_grad_enabled(enabled: bool) -> bool {
    tape::set_enabled(enabled)
}

#[napi]
pub fn is_grad_enabled() -> bool {
    tape::is_enabled()
}

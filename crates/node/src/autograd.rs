//! Gradients.

use std::rc::Rc;

use firn_core::tape::autocast::{self, Autocast};
use firn_core::tape::{anomaly, checkpoint, custom, hooks};
use firn_core::{DType, Result, Tensor, table, tape};
use napi::Env;
use napi::bindgen_prelude::{Function, FunctionRef};
use napi_derive::napi;

use crate::call::{call, list, optional, out, outs};
use crate::callback::{Callback, Signature};

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

/// The same from several tensors at once, each with a starting gradient or 0.
#[napi]
pub fn backward_from(roots: &[u32], starts: &[u32], flags: u32) -> napi::Result<()> {
    call("backward", || {
        let walk = tape::Walk { retain_graph: flags & RETAIN != 0, create_graph: flags & CREATE != 0 };
        tape::backward(&started(roots, starts)?, walk)
    })
}

/// Walks from one tensor, as most passes do.
#[napi]
pub fn backward(x: u32, start: u32, flags: u32) -> napi::Result<()> {
    call("backward", || {
        let walk = tape::Walk { retain_graph: flags & RETAIN != 0, create_graph: flags & CREATE != 0 };
        tape::backward(&[(table::get(x)?, optional(start)?)], walk)
    })
}

fn started(roots: &[u32], starts: &[u32]) -> Result<Vec<(Tensor, Option<Tensor>)>> {
    roots.iter().zip(starts).map(|(&root, &start)| Ok((table::get(root)?, optional(start)?))).collect()
}

/// Gradients of `outputs`, each with a starting gradient or 0, for `inputs`; 0 where no output came from an input.
#[napi]
pub fn gradients(outputs: &[u32], starts: &[u32], inputs: &[u32], retain_graph: bool, create_graph: bool) -> napi::Result<Vec<u32>> {
    call("grad", || {
        let found = tape::grad(&started(outputs, starts)?, &list(inputs)?, tape::Walk { retain_graph, create_graph })?;
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

/// Opens a region of autocast to a low dtype, or one without; gives what was before, for `autocast_leave`.
#[napi]
pub fn autocast_enter(enabled: bool, dtype: u32, cache: bool) -> napi::Result<u32> {
    call("autocast", || {
        let low = DType::from_code(dtype)?;
        Ok(code(autocast::enter(enabled.then_some(Autocast { low, cache }))))
    })
}

/// Closes the region opened last.
#[napi]
pub fn autocast_leave(before: u32) -> napi::Result<()> {
    call("autocast", || {
        let (cache, dtype) = (before & 1 != 0, before >> 1);
        let before = if dtype == 0 { None } else { Some(Autocast { low: DType::from_code(dtype - 1)?, cache }) };
        autocast::leave(before);
        Ok(())
    })
}

/// A region as a number; 0 is none.
fn code(region: Option<Autocast>) -> u32 {
    region.map_or(0, |Autocast { low, cache }| (low.code() + 1) << 1 | u32::from(cache))
}

#[napi]
pub fn is_autocast_enabled() -> bool {
    autocast::mode().is_some()
}

#[napi]
pub fn is_leaf(x: u32) -> napi::Result<bool> {
    call("is_leaf", || Ok(table::get(x)?.is_leaf()))
}

#[napi]
pub fn retain_grad(x: u32) -> napi::Result<()> {
    call("retain_grad", || hooks::retain_grad(&table::get(x)?))
}

/// Lets `hook` see the gradient of `x`, and answer with another; gives its number.
#[napi]
pub fn register_hook(env: Env, x: u32, hook: Function<Signature, bool>) -> napi::Result<u32> {
    let hook = Callback::new(env, &hook)?;
    call("register_hook", || hooks::add(&table::get(x)?, Rc::new(move |gradient| Ok(hook.call(vec![gradient.clone()])?.pop().flatten()))))
}

/// Calls `hook` when a backward pass has added to the gradient of the leaf `x`; gives its number.
#[napi]
pub fn register_post_hook(env: Env, x: u32, hook: Function<Signature, bool>) -> napi::Result<u32> {
    let hook = Callback::new(env, &hook)?;
    call("register_post_accumulate_grad_hook", || hooks::add_after(&table::get(x)?, Rc::new(move || hook.call(Vec::new()).map(drop))))
}

#[napi]
pub fn remove_hook(x: u32, number: u32) -> napi::Result<()> {
    call("remove", || {
        hooks::remove(&table::get(x)?, number);
        Ok(())
    })
}

/// Records a function that made `outputs`; 0 among `inputs` stands for an argument that is no tensor. `backward` gets the gradients
/// of the outputs and then what was saved.
#[napi]
pub fn custom_function(
    env: Env,
    inputs: &[u32],
    outputs: &[u32],
    constant: Vec<bool>,
    saved: &[u32],
    backward: Function<Signature, bool>,
) -> napi::Result<Vec<u32>> {
    let backward = Callback::new(env, &backward)?;
    call("custom_function", || {
        let inputs = inputs.iter().map(|&handle| optional(handle)).collect::<Result<Vec<_>>>()?;
        let rule = move |mut gradients: Vec<Tensor>, saved: Vec<Tensor>| {
            gradients.extend(saved);
            backward.call(gradients)
        };
        outs(custom::custom(&inputs, &list(outputs)?, &constant, &list(saved)?, Rc::new(rule))?)
    })
}

/// Begins a run of a function whose intermediate results `again` makes again from `inputs`; false where there is nothing to do.
#[napi]
pub fn checkpoint_begin(env: Env, inputs: &[u32], again: Function<Signature, bool>) -> napi::Result<bool> {
    let again = Callback::new(env, &again)?;
    call("checkpoint", || {
        let run = move |inputs: &[Tensor]| again.call(inputs.to_vec()).map(drop);
        Ok(checkpoint::begin(list(inputs)?, Box::new(run)))
    })
}

#[napi]
pub fn checkpoint_end() {
    checkpoint::end();
}

/// `mode`: 1 searches gradients for NaN, 2 the results of ops too; gives what it was. `site` tells where the call under way is.
#[napi]
pub fn set_anomaly(env: Env, mode: u32, site: Function<(), String>) -> napi::Result<u32> {
    let site: FunctionRef<(), String> = site.create_ref()?;
    anomaly::set_site(Box::new(move || site.borrow_back(&env).and_then(|site| site.call(())).unwrap_or_default()));
    let before = anomaly::set(anomaly::Anomaly { backward: mode & 1 != 0, forward: mode & 2 != 0 });
    Ok(u32::from(before.backward) | u32::from(before.forward) << 1)
}

//! Functions of TypeScript that the tape calls during a walk.

use std::cell::RefCell;

use firn_core::{Code, Error, Result, Tensor, table};
use napi::Env;
use napi::bindgen_prelude::{FnArgs, Function, FunctionRef};
use napi_derive::napi;

use crate::call::{call, optional, out};

/// Takes a scope, which it ends, and the handles made in it; false when it threw.
pub(crate) type Signature = FnArgs<(u32, Vec<u32>)>;

thread_local! {
    /// What the callback under way returns.
    static ANSWER: RefCell<Vec<Option<Tensor>>> = const { RefCell::new(Vec::new()) };
}

/// What a callback returns: handles, 0 for none. A callback says it before its scope ends.
#[napi]
pub fn answer(handles: &[u32]) -> napi::Result<()> {
    call("answer", || {
        ANSWER.set(handles.iter().map(|&handle| optional(handle)).collect::<Result<_>>()?);
        Ok(())
    })
}

pub(crate) struct Callback {
    env: Env,
    function: FunctionRef<Signature, bool>,
}

impl Callback {
    pub(crate) fn new(env: Env, function: &Function<Signature, bool>) -> napi::Result<Self> {
        Ok(Self { env, function: function.create_ref()? })
    }

    /// Calls it with tensors that live as long as the call.
    pub(crate) fn call(&self, tensors: Vec<Tensor>) -> Result<Vec<Option<Tensor>>> {
        ANSWER.take();
        let scope = table::scope_begin();
        let handles = tensors.into_iter().map(out).collect::<Result<Vec<u32>>>()?;
        match self.function.borrow_back(&self.env).and_then(|function| function.call((scope, handles).into())) {
            Ok(true) => Ok(ANSWER.take()),
            // TypeScript holds what was thrown, and throws it again once the walk is over.
            _ => Err(Error::new(Code::Internal, "a function called by the tape threw")),
        }
    }
}

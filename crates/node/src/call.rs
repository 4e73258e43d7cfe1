//! The border: every export goes through `call`, which turns errors and panics into JavaScript errors.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use firn_core::error::camel_case;
use firn_core::ops::Operand;
use firn_core::{Code, Error, Result, Tensor, table};
use napi::bindgen_prelude::{FnArgs, Function, FunctionRef};
use napi::{Env, Status};
use napi_derive::napi;

type Thrower = FunctionRef<FnArgs<(String, String)>, ()>;

thread_local! {
    /// This thread's environment, and the JavaScript function that throws a `FirnError(code, message)`.
    static THROWER: RefCell<Option<(Env, Thrower)>> = const { RefCell::new(None) };
}

/// Tells the addon how to throw: `thrower(code, message)` throws the error a user sees; and whether this is the main thread.
#[napi]
pub fn install(env: Env, thrower: Function<FnArgs<(String, String)>, ()>, is_main_thread: bool) -> napi::Result<()> {
    if is_main_thread {
        firn_core::cpu::join_pool();
    }
    if std::env::var_os("FIRN_DEBUG").is_none() {
        // A panic arrives as an error; its text is for those who look for it.
        std::panic::set_hook(Box::new(|_| {}));
    }
    let thrower = thrower.create_ref()?;
    THROWER.replace(Some((env, thrower)));
    // The reference belongs to the environment, and a worker's ends before its thread does.
    env.add_env_cleanup_hook((), |()| drop(THROWER.take()))?;
    Ok(())
}

/// Runs one export.
#[inline]
pub(crate) fn call<T>(name: &'static str, f: impl FnOnce() -> Result<T>) -> napi::Result<T> {
    let error = match catch_unwind(AssertUnwindSafe(f)) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error,
        Err(panic) => match panic.downcast::<Error>() {
            Ok(error) => *error,
            Err(_) => Error::new(
                Code::Internal,
                "failed inside the engine; this is a bug in firn: please report it with what FIRN_DEBUG=1 prints",
            ),
        },
    };
    Err(thrown(&error.in_op(name)))
}

#[cold]
fn thrown(error: &Error) -> napi::Error {
    let message = format!("{}: {}", camel_case(error.op), error.message);
    THROWER.with_borrow(|thrower| match thrower {
        Some((env, thrower)) => {
            let called = thrower.borrow_back(env).and_then(|throw| throw.call((error.code.name().to_owned(), message.clone()).into()));
            // The call throws; its exception is the error.
            called.err().unwrap_or_else(|| napi::Error::new(Status::GenericFailure, message))
        }
        None => napi::Error::new(Status::GenericFailure, message),
    })
}

/// A result's handle. A result that is an argument itself becomes a tensor of its own.
pub(crate) fn out(tensor: Tensor) -> Result<u32> {
    table::insert(tensor.apart())
}

/// The handles of several results.
pub(crate) fn outs(tensors: Vec<Tensor>) -> Result<Vec<u32>> {
    tensors.into_iter().map(out).collect()
}

/// A tensor or, when `is_number`, the number itself; a handle fits a double exactly.
pub(crate) fn operand(value: f64, is_number: bool) -> Result<Operand> {
    if is_number { Ok(Operand::Number(value)) } else { Ok(Operand::Tensor(table::get(value as u32)?)) }
}

/// Handle 0 stands for none.
pub(crate) fn optional(handle: u32) -> Result<Option<Tensor>> {
    if handle == 0 { Ok(None) } else { table::get(handle).map(Some) }
}

pub(crate) fn list(handles: &[u32]) -> Result<Vec<Tensor>> {
    handles.iter().map(|&handle| table::get(handle)).collect()
}

pub(crate) fn signed(numbers: &[i32]) -> Vec<isize> {
    numbers.iter().map(|&n| n as isize).collect()
}

pub(crate) fn sizes(numbers: &[u32]) -> Vec<usize> {
    numbers.iter().map(|&n| n as usize).collect()
}

/// NaN stands for none.
pub(crate) fn number(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

//! The Node addon: a flat list of functions over numbers, handles and typed arrays. Converts and forwards, no arithmetic.

mod autograd;
mod call;
mod callback;
mod info;
#[path = "ops.gen.rs"]
#[rustfmt::skip]
mod ops;
mod optim;
mod random;
mod store;
mod tensor;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

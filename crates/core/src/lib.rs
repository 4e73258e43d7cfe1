//! firn's core: rank-free tensors, the tape, ops as rows, optimizer rules, files.
//!
//! | module | holds |
//! | --- | --- |
//! | [`tensor`] | [`Tensor`]: a value, its dtype and shape, and the node that made it |
//! | [`tape`] | how an op records itself, and the walk of a backward pass |
//! | [`ops`] | every op, one row each: documented function, gradient rule, test domain |
//! | [`optim`] | optimizer rules: options, plain form, fused form |
//! | [`table`] | handles: how tensors are named outside Rust, and scopes that free them |
//! | [`random`] | the counter-based generator |
//! | [`store`] | safetensors |
//!
//! All calls to burn live here and in `firn-kernels`. No module below knows JavaScript.

mod cast;
pub mod cpu;
pub mod create;
pub mod device;
pub mod dtype;
pub mod error;
mod folds;
mod moves;
pub mod ops;
pub mod optim;
mod pairs;
pub mod random;
pub mod shape;
pub mod store;
pub mod table;
pub mod tape;
pub mod tensor;

pub use dtype::DType;
pub use error::{Code, Error, Result};
pub use tensor::Tensor;

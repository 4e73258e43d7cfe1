//! Fused kernels over plain slices: one pass over memory, all cores (rayon), SIMD chosen at run time (pulp).
//!
//! Arithmetic is written as plain loops that the compiler vectorises for the widest instruction set of the machine;
//! without fused multiply-add, so that every machine gives the same bits.

pub mod adamw;
pub mod conv;
pub mod grads;
pub mod matrix;
pub mod parallel;
pub mod philox;
pub mod pool;
pub mod sgd;
pub mod step;

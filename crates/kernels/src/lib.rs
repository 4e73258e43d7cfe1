//! Fused kernels over plain slices: one pass over memory, all cores (rayon), SIMD chosen at run time (pulp).
//!
//! Arithmetic of each element is written as plain loops that the compiler vectorises for the widest instruction set of the
//! machine, without fused multiply-add, so that it gives the same bits everywhere; functions that come from the platform's library
//! (those of float64, and `wide`) may differ in the last one. Matrix products are the `gemm` crate's, which
//! fuses and orders its sums as fits the machine.

mod approx;
pub mod attention;
pub mod bandwidth;
pub mod cast;
pub mod conv;
pub mod ctc;
pub mod distance;
pub mod elementwise;
pub mod entropy;
pub mod factor;
pub mod fourier;
pub mod functions;
pub mod grads;
pub mod grid;
pub mod half;
pub mod lanes;
pub mod map;
pub mod math;
pub mod matrix;
pub mod normalise;
pub mod parallel;
pub mod philox;
pub mod pool;
pub mod quantised;
pub mod random;
pub mod real;
pub mod recurrent;
pub mod resample;
pub mod scatter;
pub mod special;
pub mod step;
pub mod strided;
pub mod symmetric;
pub mod wide;

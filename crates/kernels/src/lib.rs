//! Fused kernels over plain slices: one pass over memory, all cores (rayon), SIMD chosen at run time (pulp).
//!
//! Loops are plain and the compiler vectorises them for the widest instruction set of the machine. Results never depend on the number of
//! threads: what is cut into pieces is cut by sizes alone, and parts are joined in order. Between machines, arithmetic and comparisons of
//! each element give the same bits, and so do float32 random numbers. Elementary functions (`approx`, with fused multiply-add where the
//! machine has it), functions of the platform's library (those of float64, and `wide`) and matrix products (the `gemm` crate's) may differ
//! in the last one. docs/design/numbers.md says why.
//!
//! Generic functions are marked `#[inline]`: else the compiler puts whatever the core makes of them into one unit, which one processor alone
//! would compile for minutes.

mod approx;
pub mod attention;
pub mod bandwidth;
pub mod cast;
pub mod conv;
pub mod copy;
pub mod ctc;
pub mod distance;
pub mod elementwise;
pub mod entropy;
pub mod factor;
pub mod factored;
pub mod fetch;
pub mod fold;
pub mod fourier;
pub mod functions;
pub mod grads;
pub mod grid;
pub mod groups;
pub mod half;
pub mod join;
pub mod lanes;
pub mod logsumexp;
pub mod map;
pub mod math;
pub mod matrix;
pub mod nonzero;
pub mod normalise;
pub mod order;
pub mod parallel;
pub mod philox;
pub mod pick;
pub mod pool;
pub mod quantised;
pub mod random;
pub mod real;
pub mod recurrent;
pub mod reduce;
pub mod resample;
pub mod running;
pub mod scan;
pub mod scatter;
pub mod slopes;
pub mod softmax;
pub mod special;
pub mod step;
pub mod strided;
pub mod symmetric;
pub mod wide;
pub mod zip;

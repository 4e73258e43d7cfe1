//! Ops that draw from the generator.

use firn_kernels::philox::{self, Key};

use super::ops;
use crate::cpu::{from_vec, with_slice};
use crate::dtype::DType;
use crate::error::bail;
use crate::tensor::Tensor;

crate::tape::copied!(Key);

ops! {
    /// Sets each element to 0 with probability `p` and scales the others by `1 / (1 - p)`; the input itself unless `training`.
    #[example(
        "seed(0)",
        "const kept = ones([1000]).dropout(0.25).ne(0)",
        "kept.to('float32').mean().itemSync() > 0.7 // true",
        "ones([2]).dropout(0.9, { training: false }) // [1, 1]",
    )]
    #[face(method, functional)]
    #[check(none, "random; tested for its rate, its scale and its gradient")]
    fn dropout(x: &Tensor, p: f64 = 0.5; training: bool = true) -> Tensor {
        if !(0.0..=1.0).contains(&p) {
            bail!(Argument, "p is a probability in [0, 1] and is {p}");
        }
        if !training || p == 0.0 { Ok(x.clone()) } else { dropout_at(x, p, crate::random::next()) }
    }

    /// `dropout` with the key of an earlier call: it drops the same elements again, so its gradient keeps no mask.
    #[face()]
    #[check(none, "checked as the gradient of dropout")]
    fn dropout_at(x: &Tensor, p: f64, key: Key) -> Tensor {
        let value = x.value_as(DType::Float32);
        let out = with_slice(&value, |x: &[f32]| philox::dropout(key, x, p as f32));
        let out = from_vec(out, x.shape().into(), DType::Float32);
        Ok(Tensor::new(out.value_as(x.dtype()), x.dtype()))
    }
    grad(g; p, key) { x: dropout_at(g, p, key)? }
}

//! The 16-bit types: stored, and widened to float32 to be computed with.

use half::slice::HalfFloatSliceExt;

pub trait Half: Copy + Send + Sync + 'static {
    /// `to[i] = from[i]`.
    fn widen(from: &[Self], to: &mut [f32]);
    /// `to[i] = from[i]`, to the nearest, ties to even.
    fn narrow(from: &[f32], to: &mut [Self]);
}

macro_rules! half {
    ($($t:ty),+) => { $(
        impl Half for $t {
            fn widen(from: &[Self], to: &mut [f32]) { from.convert_to_f32_slice(to) }
            fn narrow(from: &[f32], to: &mut [Self]) { to.convert_from_f32_slice(from) }
        }
    )+ };
}

half!(half::f16, half::bf16);

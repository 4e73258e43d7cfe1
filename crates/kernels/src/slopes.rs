//! Gradients of functions of one element, in one pass: the gradient of the result times the derivative.

use crate::math::{Fused, Math};
use crate::zip::{View, zip, zip_fused};

/// A function's derivative, at its argument or by its result.
pub trait Slope: Copy + Sync {
    /// `g` times the derivative. To be marked `#[inline(always)]`.
    fn times<T: Math>(self, g: T, x: T) -> T;
}

/// `g` times the derivative at each `x`, over `shape`, in row-major order.
pub fn single<S: Slope>(slope: S, shape: &[usize], g: View<'_, f32>, x: View<'_, f32>) -> Vec<f32> {
    zip_fused(
        shape,
        g,
        x,
        #[inline(always)]
        |g, x| slope.times(g, x),
        #[inline(always)]
        |g, x| slope.times(Fused(g), Fused(x)).0,
    )
}

/// The same in float64.
pub fn double<S: Slope>(slope: S, shape: &[usize], g: View<'_, f64>, x: View<'_, f64>) -> Vec<f64> {
    zip(
        shape,
        g,
        x,
        #[inline(always)]
        |g, x| slope.times(g, x),
    )
}

/// `Name: |g, x| value` with the value for any `T: Math`, or `Name { number }: ...` where the function has a number, in f64.
macro_rules! slopes {
    ($($(#[$doc:meta])* $name:ident $({ $number:ident })?: |$g:ident, $x:ident| $value:expr;)+) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name { $(pub $number: f64)? }

        impl Slope for $name {
            #[inline(always)]
            fn times<T: Math>(self, $g: T, $x: T) -> T {
                $(let $number = T::of(self.$number);)?
                $value
            }
        }
    )+ };
}

slopes! {
    /// By the result; NaN lets the gradient through.
    Relu: |g, y| if y <= T::of(0.0) { T::of(0.0) } else { g };
    LeakyRelu { slope }: |g, x| if x > T::of(0.0) { g } else { g * slope };
    Elu { alpha }: |g, x| if x > T::of(0.0) { g } else { g * alpha * x.exp() };
    /// By the result.
    Sigmoid: |g, y| g * (y * (T::of(1.0) - y));
    /// By the result.
    Tanh: |g, y| g * (T::of(1.0) - y * y);
    Softplus: |g, x| g * x.sigmoid();
    Silu: |g, x| {
        let s = x.sigmoid();
        g * (s * (x * (T::of(1.0) - s) + T::of(1.0)))
    };
    Mish: |g, x| {
        let t = x.tanh_softplus();
        g * (t + x * (T::of(1.0) - t * t) * x.sigmoid())
    };
    Gelu: |g, x| g * (x.normal_cdf() + x * x.normal_density());
    GeluTanh: |g, x| {
        let (scale, cube) = (T::of(1.595_769_121_605_730_7), T::of(0.044_715) * x * x);
        let s = (x * (cube + T::of(1.0)) * scale).sigmoid();
        g * (s + x * ((cube * T::of(3.0) + T::of(1.0)) * scale) * s * (T::of(1.0) - s))
    };
    Erf: |g, x| g * (-(x * x)).exp() * T::of(std::f64::consts::FRAC_2_SQRT_PI);
}

//! `Real`: the element types that a kernel computes in.

use std::ops::{Add, Div, Mul, Neg, Sub};

pub trait Real:
    Copy
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + 'static
{
    fn of(x: f64) -> Self;
    fn f64(self) -> f64;
    fn sqrt(self) -> Self;
    fn max(self, other: Self) -> Self;
    fn min(self, other: Self) -> Self;
    fn abs(self) -> Self;
    fn is_nan(self) -> bool;
    fn is_finite(self) -> bool;
    /// -1, 0 or 1; 0 for NaN, as PyTorch.
    #[inline(always)]
    fn sign(self) -> Self {
        let (zero, one) = (Self::of(0.0), Self::of(1.0));
        let below = if self < zero { -one } else { zero };
        if self > zero { one } else { below }
    }
}

macro_rules! real {
    ($($t:ty),+) => { $(
        impl Real for $t {
            #[inline(always)]
            fn of(x: f64) -> $t { x as $t }
            #[inline(always)]
            fn f64(self) -> f64 { f64::from(self) }
            #[inline(always)]
            fn sqrt(self) -> $t { self.sqrt() }
            #[inline(always)]
            fn max(self, other: $t) -> $t { self.max(other) }
            #[inline(always)]
            fn min(self, other: $t) -> $t { self.min(other) }
            #[inline(always)]
            fn abs(self) -> $t { self.abs() }
            #[inline(always)]
            fn is_nan(self) -> bool { self.is_nan() }
            #[inline(always)]
            fn is_finite(self) -> bool { self.is_finite() }
        }
    )+ };
}

real!(f32, f64);

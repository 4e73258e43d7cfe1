//! Conversion between element types, as PyTorch converts on x86.
//!
//! Floats truncate towards zero. What int32 or int64 cannot express (NaN and infinities too) becomes the smallest of them; narrower
//! integers take the low bits of that. Integers wrap around. Halves are rounded from float32, ties to even.

use half::{bf16, f16};

use crate::map::map;

/// A source of conversions.
pub trait Source: Copy + Send + Sync {
    fn f32(self) -> f32;
    fn f64(self) -> f64;
    /// Truncated and wrapped to 32 bits.
    fn i32(self) -> i32;
    fn i64(self) -> i64;
    /// Whether it is anything but zero.
    fn truth(self) -> bool;
}

/// A result of conversions.
pub trait Target: Copy + Send {
    fn of<A: Source>(a: A) -> Self;
}

/// Booleans, a byte each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Truth(pub u8);

macro_rules! integers {
    ($($t:ty),+) => { $(
        impl Source for $t {
            #[inline(always)]
            fn f32(self) -> f32 { self as f32 }
            #[inline(always)]
            fn f64(self) -> f64 { self as f64 }
            #[inline(always)]
            fn i32(self) -> i32 { self as i32 }
            #[inline(always)]
            fn i64(self) -> i64 { self as i64 }
            #[inline(always)]
            fn truth(self) -> bool { self != 0 }
        }
    )+ };
}

integers!(u8, i8, i16, i32, i64);

macro_rules! floats {
    ($($t:ty),+) => { $(
        impl Source for $t {
            #[inline(always)]
            fn f32(self) -> f32 { self as f32 }
            #[inline(always)]
            fn f64(self) -> f64 { self as f64 }
            #[inline(always)]
            fn i32(self) -> i32 { if self < 2_147_483_648.0 { self as i32 } else { i32::MIN } }
            #[inline(always)]
            fn i64(self) -> i64 { if self < 9_223_372_036_854_775_808.0 { self as i64 } else { i64::MIN } }
            #[inline(always)]
            fn truth(self) -> bool { self != 0.0 }
        }
    )+ };
}

floats!(f32, f64);

macro_rules! halves {
    ($($t:ty),+) => { $(
        impl Source for $t {
            #[inline(always)]
            fn f32(self) -> f32 { self.to_f32() }
            #[inline(always)]
            fn f64(self) -> f64 { f64::from(self.to_f32()) }
            #[inline(always)]
            fn i32(self) -> i32 { Source::i32(self.to_f32()) }
            #[inline(always)]
            fn i64(self) -> i64 { Source::i64(self.to_f32()) }
            #[inline(always)]
            fn truth(self) -> bool { self.to_f32() != 0.0 }
        }
        impl Target for $t {
            #[inline(always)]
            fn of<A: Source>(a: A) -> Self { <$t>::from_f32(a.f32()) }
        }
    )+ };
}

halves!(f16, bf16);

macro_rules! targets {
    ($($t:ty: |$a:ident| $value:expr;)+) => { $(
        impl Target for $t {
            #[inline(always)]
            fn of<A: Source>($a: A) -> Self { $value }
        }
    )+ };
}

targets! {
    f32: |a| a.f32();
    f64: |a| a.f64();
    i64: |a| a.i64();
    i32: |a| a.i32();
    i16: |a| a.i32() as i16;
    i8: |a| a.i32() as i8;
    u8: |a| a.i64() as u8;
    Truth: |a| Truth(u8::from(a.truth()));
}

/// Every element as a `B`.
#[inline]
pub fn cast<A: Source, B: Target>(from: &[A]) -> Vec<B> {
    map(
        from,
        #[inline(always)]
        |a| B::of(a),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit() {
        let x = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 3e9, -3e9, 300.7, -1.5];
        let least = i32::MIN;
        assert_eq!(cast::<f32, i32>(&x), [least, least, least, least, least, 300, -1]);
        assert_eq!(cast::<f32, i64>(&x)[3..], [3_000_000_000, -3_000_000_000, 300, -1]);
        assert_eq!(cast::<f32, u8>(&x), [0, 0, 0, 0, 0, 44, 255]);
        assert_eq!(cast::<f32, i8>(&x), [0, 0, 0, 0, 0, 44, -1]);
        assert_eq!(cast::<f32, Truth>(&[f32::NAN, -0.0, 1e-40]), [Truth(1), Truth(0), Truth(1)]);
        assert_eq!(cast::<i64, i8>(&[300, -129]), [44, 127]);
    }

    #[test]
    fn pieces_are_like_the_whole() {
        let x: Vec<f32> = (0..100_000).map(|i| i as f32 - 5e4).collect();
        let expected: Vec<i16> = x.iter().map(|&v| v as i32 as i16).collect();
        assert_eq!(cast::<f32, i16>(&x), expected);
    }
}

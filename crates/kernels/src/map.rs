//! Functions of each element: the loop over cores and SIMD, and `unary!`, which names a function in both precisions.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use crate::parallel::{simd, simd_fused};

/// Elements of float32 or float64, whichever a tensor has.
#[derive(Clone, Copy)]
pub enum Floats<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
}

/// What a function made of `Floats`.
pub enum Made {
    F32(Vec<f32>),
    F64(Vec<f64>),
}

/// Elements a piece holds: few enough to stay in a core's cache with its operands.
const PIECE: usize = 1 << 14;

/// `len` elements, made in pieces on all cores: `write` gets where a piece starts, and its place.
///
/// # Safety
/// `write` must initialise every element of the piece that it gets.
#[inline]
pub(crate) unsafe fn collect<T: Send>(len: usize, write: &(dyn Fn(usize, &mut [MaybeUninit<T>]) + Sync)) -> Vec<T> {
    let mut out = Vec::with_capacity(len);
    let place = &mut out.spare_capacity_mut()[..len];
    if len <= 2 * PIECE {
        write(0, place);
    } else {
        place.par_chunks_mut(PIECE).enumerate().for_each(|(i, piece)| write(i * PIECE, piece));
    }
    // SAFETY: the pieces cover the first `len` elements, and `write` has initialised each.
    unsafe { out.set_len(len) };
    out
}

/// `f` of each element; `f` is marked `#[inline(always)]`.
#[inline(always)]
pub fn map<A: Copy + Sync, O: Send>(x: &[A], f: impl Fn(A) -> O + Copy + Sync) -> Vec<O> {
    map_fused(x, f, f)
}

/// `plain` of each element, or `fused`, which is the same for a machine with fused multiply-add. Both are marked `#[inline(always)]`.
#[inline(always)]
pub fn map_fused<A: Copy + Sync, O: Send>(x: &[A], plain: impl Fn(A) -> O + Copy + Sync, fused: impl Fn(A) -> O + Copy + Sync) -> Vec<O> {
    // SAFETY: a piece and the part of x under it are of one length.
    unsafe {
        collect(x.len(), &|start, out: &mut [MaybeUninit<O>]| {
            let x = &x[start..start + out.len()];
            simd_fused(
                out,
                #[inline(always)]
                |out| write(out, x, plain),
                #[inline(always)]
                |out| write(out, x, fused),
            );
        })
    }
}

#[inline(always)]
fn write<A: Copy, O>(out: &mut [MaybeUninit<O>], x: &[A], f: impl Fn(A) -> O) {
    for (out, &x) in out.iter_mut().zip(x) {
        out.write(f(x));
    }
}

/// `plain` or `fused` of each element, but `sure` of those that are `far`, which are few. All are marked `#[inline(always)]`.
#[inline(always)]
pub fn map_unless<A: Copy + Sync, O: Send>(
    x: &[A],
    plain: impl Fn(A) -> O + Copy + Sync,
    fused: impl Fn(A) -> O + Copy + Sync,
    far: impl Fn(A) -> bool + Copy + Sync,
    sure: impl Fn(A) -> O + Copy + Sync,
) -> Vec<O> {
    const BLOCK: usize = 1024;
    // SAFETY: a piece and the part of x under it are of one length.
    unsafe {
        collect(x.len(), &|start, out: &mut [MaybeUninit<O>]| {
            let x = &x[start..start + out.len()];
            for (out, x) in out.chunks_mut(BLOCK).zip(x.chunks(BLOCK)) {
                simd_fused(
                    &mut *out,
                    #[inline(always)]
                    |out| write(out, x, plain),
                    #[inline(always)]
                    |out| write(out, x, fused),
                );
                let any = simd(
                    #[inline(always)]
                    || x.iter().fold(false, |any, &x| any | far(x)),
                );
                if any {
                    out.iter_mut().zip(x).filter(|&(_, &x)| far(x)).for_each(|(out, &x)| _ = out.write(sure(x)));
                }
            }
        })
    }
}

/// Functions of one element and of numbers, `name(x, number, ...) = value`, where the value is written for any `T: Math`. Each becomes
/// `fn name(x: Floats, number: f64, ...) -> Made`.
macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident($x:ident $(, $number:ident)*) = $value:expr;)+) => { $(
        $(#[$doc])*
        pub fn $name(x: $crate::map::Floats<'_> $(, $number: f64)*) -> $crate::map::Made {
            #[inline(always)]
            fn call<T: $crate::math::Math>($x: T $(, $number: T)*) -> T {
                $value
            }
            match x {
                $crate::map::Floats::F32(x) => $crate::map::Made::F32($crate::map::map_fused(
                    x,
                    #[inline(always)]
                    move |x| call::<f32>(x $(, $number as f32)*),
                    #[inline(always)]
                    move |x| call($crate::math::Fused(x) $(, $crate::math::Fused($number as f32))*).0,
                )),
                $crate::map::Floats::F64(x) => $crate::map::Made::F64($crate::map::map(
                    x,
                    #[inline(always)]
                    move |x| call(x $(, $number)*),
                )),
            }
        }
    )+ };
}
pub(crate) use unary;

/// The same for a function with a quick form that does not hold everywhere: `name = quick unless far then sure`, methods of `Math`.
macro_rules! unary_unless {
    ($($(#[$doc:meta])* $name:ident = $quick:ident unless $far:ident then $sure:ident;)+) => { $(
        $(#[$doc])*
        pub fn $name(x: $crate::map::Floats<'_>) -> $crate::map::Made {
            use $crate::math::Math;
            match x {
                $crate::map::Floats::F32(x) => $crate::map::Made::F32($crate::map::map_unless(
                    x,
                    <f32 as Math>::$quick,
                    #[inline(always)]
                    |x| $crate::math::Fused(x).$quick().0,
                    <f32 as Math>::$far,
                    <f32 as Math>::$sure,
                )),
                $crate::map::Floats::F64(x) => $crate::map::Made::F64($crate::map::map(x, <f64 as Math>::$sure)),
            }
        }
    )+ };
}
pub(crate) use unary_unless;

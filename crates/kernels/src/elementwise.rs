//! Arithmetic of two slices, element by element.

use std::mem::MaybeUninit;

use crate::map::collect;
use crate::parallel::simd;
use crate::real::Real;
use crate::zip::{View, power};

/// Up to here a plain loop is done before wide instructions are chosen.
const SMALL: usize = 64;

/// `f(a, b)` of each pair; `f` is marked `#[inline(always)]`.
#[inline(always)]
fn zip<T: Real>(a: &[T], b: &[T], f: impl Fn(T, T) -> T + Copy + Send + Sync) -> Vec<T> {
    assert!(a.len() == b.len());
    if a.len() <= SMALL {
        return a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect();
    }
    // SAFETY: a piece and the parts of a and b under it are of one length.
    unsafe {
        collect(a.len(), &|start, out: &mut [MaybeUninit<T>]| {
            let (a, b) = (&a[start..start + out.len()], &b[start..start + out.len()]);
            simd(
                #[inline(always)]
                || out.iter_mut().zip(a.iter().zip(b)).for_each(|(out, (&a, &b))| _ = out.write(f(a, b))),
            );
        })
    }
}

macro_rules! pairwise {
    ($($name:ident: $op:tt;)+) => { $(
        pub fn $name<T: Real>(a: &[T], b: &[T]) -> Vec<T> {
            zip(
                a,
                b,
                #[inline(always)]
                |a, b| a $op b,
            )
        }
    )+ };
}

pairwise! {
    add: +;
    sub: -;
    mul: *;
    div: /;
}

/// `a^b` of each pair.
pub fn pow(a: &[f32], b: &[f32]) -> Vec<f32> {
    assert!(a.len() == b.len());
    let view = |data| View { data, start: 0, strides: &[1] };
    power(&[a.len()], view(a), view(b))
}

//! Arithmetic of two slices, element by element.

use crate::parallel::{for_each, simd};
use crate::real::Real;

/// Elements a piece holds: few enough to stay in a core's cache with both operands.
const PIECE: usize = 1 << 15;

/// `f(a, b)` of each pair; `f` is marked `#[inline(always)]`.
#[inline(always)]
fn zip<T: Real>(a: &[T], b: &[T], f: impl Fn(T, T) -> T + Copy + Send + Sync) -> Vec<T> {
    assert!(a.len() == b.len());
    if a.len() <= PIECE {
        return simd(
            #[inline(always)]
            || a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect(),
        );
    }
    let mut out = vec![T::of(0.0); a.len()];
    let work = out.chunks_mut(PIECE).zip(a.chunks(PIECE).zip(b.chunks(PIECE))).collect();
    for_each(work, a.len(), |(out, (a, b)): (&mut [T], (&[T], &[T]))| {
        simd(
            #[inline(always)]
            || out.iter_mut().zip(a.iter().zip(b)).for_each(|(out, (&a, &b))| *out = f(a, b)),
        );
    });
    out
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

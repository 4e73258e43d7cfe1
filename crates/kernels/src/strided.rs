//! Sums into places of a row-major order that lie at regular distances, and may be the same.

use std::ops::AddAssign;

/// Places: `start` plus a multiple of each stride, for every index of `shape`.
pub struct Strides<'a> {
    pub shape: &'a [usize],
    pub strides: &'a [isize],
    pub start: usize,
}

/// Zeros, `total` of them, with each element of `x` added at its place.
#[inline]
pub fn add<T: Copy + Default + AddAssign>(x: &[T], places: &Strides<'_>, total: usize) -> Vec<T> {
    let mut out = vec![T::default(); total];
    if x.is_empty() {
        return out;
    }
    let (inner, step) = match (places.shape.last(), places.strides.last()) {
        (Some(&size), Some(&step)) => (size, step as usize),
        _ => (1, 1),
    };
    let lead = places.shape.len().saturating_sub(1);
    let mut index = vec![0; lead];
    let mut at = places.start;
    for row in x.chunks_exact(inner) {
        if step == 1 {
            out[at..at + inner].iter_mut().zip(row).for_each(|(out, &x)| *out += x);
        } else {
            row.iter().enumerate().for_each(|(i, &x)| out[at + i * step] += x);
        }
        for dim in (0..lead).rev() {
            at += places.strides[dim] as usize;
            index[dim] += 1;
            if index[dim] < places.shape[dim] {
                break;
            }
            at -= places.strides[dim] as usize * places.shape[dim];
            index[dim] = 0;
        }
    }
    out
}

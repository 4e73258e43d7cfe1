//! Elements and entries read where an index points; positions are checked on the way.

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::map::collect;

/// `[outer, m, inner]` from `x`, `[outer, n, inner]`, with a position among the `n` for each element; None if one lies outside.
#[inline]
pub fn gather<T: Copy + Default + Send + Sync>(x: &[T], index: &[i64], [n, m, inner]: [usize; 3]) -> Option<Vec<T>> {
    let outside = AtomicBool::new(false);
    let block = m * inner;
    // SAFETY: each part of a line is written whole, and the parts make up `out`.
    let out = unsafe {
        collect(index.len(), &|first, mut out: &mut [MaybeUninit<T>]| {
            let mut at = first;
            let mut missed = false;
            while !out.is_empty() {
                // A line of the result lies in one block, and reads one column a place.
                let (outer, line, column) = (at / block, at % block / inner, at % inner);
                let length = if inner == 1 { m - line } else { inner - column }.min(out.len());
                let (part, rest) = out.split_at_mut(length);
                let (x, index) = (&x[outer * n * inner..(outer + 1) * n * inner], &index[at..at + length]);
                if inner == 1 {
                    for (out, &to) in part.iter_mut().zip(index) {
                        let found = usize::try_from(to).ok().and_then(|to| x.get(to));
                        missed |= found.is_none();
                        out.write(found.copied().unwrap_or_default());
                    }
                } else {
                    for (i, (out, &to)) in part.iter_mut().zip(index).enumerate() {
                        let inside = (to as u64) < n as u64;
                        missed |= !inside;
                        out.write(if inside { x[to as usize * inner + column + i] } else { T::default() });
                    }
                }
                (at, out) = (at + length, rest);
            }
            if missed {
                outside.store(true, Ordering::Relaxed);
            }
        })
    };
    (!outside.into_inner()).then_some(out)
}

/// `[outer, index.len(), inner]`: the entries of `x`, `[outer, n, inner]`, at the positions of a list; None if one lies outside.
#[inline]
pub fn select<T: Copy + Send + Sync>(x: &[T], index: &[i64], [outer, n, inner]: [usize; 3]) -> Option<Vec<T>> {
    if index.iter().any(|&at| at as u64 >= n as u64) {
        return None;
    }
    let m = index.len();
    // SAFETY: each entry or row of them is written whole, and they make up `out`.
    Some(unsafe {
        collect(outer * m * inner, &|first, mut out: &mut [MaybeUninit<T>]| {
            let mut at = first;
            while !out.is_empty() {
                let (block, line, column) = (at / (m * inner), at / inner % m, at % inner);
                let x = &x[block * n * inner..(block + 1) * n * inner];
                let length = if inner == 1 { m - line } else { inner - column }.min(out.len());
                let (part, rest) = out.split_at_mut(length);
                if inner == 1 {
                    part.iter_mut().zip(&index[line..]).for_each(|(out, &from)| _ = out.write(x[from as usize]));
                } else {
                    let from = index[line] as usize * inner + column;
                    part.iter_mut().zip(&x[from..from + length]).for_each(|(out, &x)| _ = out.write(x));
                }
                (at, out) = (at + length, rest);
            }
        })
    })
}

/// The places of what is not 0 in `[..., last]` of truth values, one after the other, a position for each dimension.
pub fn nonzero(hits: &[u8], shape: &[usize]) -> Vec<i64> {
    let rank = shape.len();
    let count = hits.iter().filter(|&&hit| hit != 0).count();
    let mut out = Vec::with_capacity(count * rank);
    let Some((&last, lead)) = shape.split_last() else { return out };
    let mut at = vec![0_i64; rank];
    for line in hits.chunks(last.max(1)) {
        for (i, _) in line.iter().enumerate().filter(|(_, hit)| **hit != 0) {
            at[rank - 1] = i as i64;
            out.extend_from_slice(&at);
        }
        for (dim, &size) in lead.iter().enumerate().rev() {
            at[dim] += 1;
            if at[dim] < size as i64 {
                break;
            }
            at[dim] = 0;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_every_rank() {
        assert_eq!(nonzero(&[1], &[]), []);
        assert_eq!(nonzero(&[0, 2, 1], &[3]), [1, 2]);
        assert_eq!(nonzero(&[0, 1, 0, 0, 1, 1], &[1, 3, 2]), [0, 0, 1, 0, 2, 0, 0, 2, 1]);
        assert_eq!(nonzero(&[], &[2, 0]), []);
    }

    #[test]
    fn both_agree_with_plain_loops() {
        for [outer, n, m, inner] in [[1, 5, 7, 1], [3, 4, 9, 1], [2, 6, 3, 5], [1, 300, 200, 301], [90, 7, 900, 1], [7, 50, 60, 100]] {
            let x: Vec<u16> = (0..outer * n * inner).map(|i| i as u16).collect();
            let index: Vec<i64> = (0..outer * m * inner).map(|i| (i * 7919 % n) as i64).collect();
            let expected: Vec<u16> = (0..index.len()).map(|i| x[(i / (m * inner) * n + index[i] as usize) * inner + i % inner]).collect();
            assert_eq!(gather(&x, &index, [n, m, inner]), Some(expected));
            let list = &index[..m];
            let expected: Vec<u16> =
                (0..outer * m * inner).map(|i| x[(i / (m * inner) * n + list[i / inner % m] as usize) * inner + i % inner]).collect();
            assert_eq!(select(&x, list, [outer, n, inner]), Some(expected));
        }
    }

    #[test]
    fn positions_outside_are_refused() {
        for bad in [-1, 3, i64::MIN, i64::MAX] {
            assert_eq!(gather(&[1.0, 2.0, 3.0], &[0, bad], [3, 2, 1]), None);
            assert_eq!(gather(&[1.0; 6], &[0, 1, bad, 0], [3, 2, 2]), None);
            assert_eq!(select(&[1_u8, 2, 3], &[bad], [1, 3, 1]), None);
        }
    }
}

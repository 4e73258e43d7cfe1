//! Elements and entries read where an index points; positions are checked on the way.

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::map::collect;
use crate::parallel::{for_each, simd};

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

/// Where runs of positions that follow each other start in a list, if there are few of them: what lies side by side is copied at once.
fn runs(index: &[i64]) -> Option<Vec<usize>> {
    let breaks = simd(
        #[inline(always)]
        || index.windows(2).filter(|pair| pair[0] + 1 != pair[1]).count(),
    );
    let next = || (1..index.len()).filter(|&i| index[i - 1] + 1 != index[i]);
    (breaks <= index.len() / 8).then(|| std::iter::once(0).chain(next()).collect())
}

/// `[outer, index.len(), inner]`: the entries of `x`, `[outer, n, inner]`, at the positions of a list; None if one lies outside.
#[inline]
pub fn select<T: Copy + Send + Sync>(x: &[T], index: &[i64], [outer, n, inner]: [usize; 3]) -> Option<Vec<T>> {
    let outside = simd(
        #[inline(always)]
        || index.iter().fold(false, |outside, &at| outside | (at as u64 >= n as u64)),
    );
    if outside {
        return None;
    }
    let m = index.len();
    let runs = runs(index);
    // SAFETY: each entry or row of them is written whole, and they make up `out`.
    Some(unsafe {
        collect(outer * m * inner, &|first, mut out: &mut [MaybeUninit<T>]| {
            let mut at = first;
            while !out.is_empty() {
                let (block, line, column) = (at / (m * inner), at / inner % m, at % inner);
                let x = &x[block * n * inner..(block + 1) * n * inner];
                let lines = match &runs {
                    Some(starts) => starts.get(starts.partition_point(|&start| start <= line)).unwrap_or(&m) - line,
                    None if inner == 1 => m - line,
                    None => 1,
                };
                let length = (lines * inner - column).min(out.len());
                let (part, rest) = out.split_at_mut(length);
                if inner == 1 && runs.is_none() {
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

/// `[outer, lines.len(), columns.len()]`: of each matrix of `x`, `[outer, n, width]`, the elements at positions of both lists; None if one
/// lies outside.
#[inline]
pub fn select_both<T: Copy + Send + Sync>(x: &[T], lines: &[i64], columns: &[i64], [outer, n, width]: [usize; 3]) -> Option<Vec<T>> {
    let outside = |index: &[i64], size: usize| index.iter().any(|&at| at as u64 >= size as u64);
    if outside(lines, n) || outside(columns, width) {
        return None;
    }
    let (m, length) = (lines.len(), columns.len());
    let starts: Vec<usize> = (0..length).filter(|&i| i == 0 || columns[i - 1] + 1 != columns[i]).collect();
    let line_of = |at: usize| (at / m * n + lines[at % m] as usize) * width;
    // SAFETY: each line is written run by run, from where a piece starts in it to where it or the line ends.
    Some(unsafe {
        collect(outer * m * length, &|first, mut out: &mut [MaybeUninit<T>]| {
            let mut at = first;
            while !out.is_empty() {
                let (from, mut column) = (line_of(at / length), at % length);
                let (mut line, rest) = out.split_at_mut((length - column).min(out.len()));
                at += line.len();
                out = rest;
                let mut run = starts.partition_point(|&start| start <= column);
                while !line.is_empty() {
                    let end = starts.get(run).copied().unwrap_or(length);
                    let (part, rest) = line.split_at_mut((end - column).min(line.len()));
                    let x = &x[from + columns[column] as usize..][..part.len()];
                    part.iter_mut().zip(x).for_each(|(out, &x)| _ = out.write(x));
                    (line, column, run) = (rest, end, run + 1);
                }
            }
        })
    })
}

/// Brings positions along a dimension of `size`, negative ones from its end, behind those in `rows`: `row * size + position`. False if one
/// lies outside.
pub fn descend(rows: &mut [i64], index: &[i64], size: usize) -> bool {
    assert!(rows.len() == index.len());
    let (size, outside) = (size as i64, AtomicBool::new(false));
    for_each(rows.chunks_mut(PART).zip(index.chunks(PART)).collect(), index.len(), |(rows, index): (&mut [i64], &[i64])| {
        let missed = simd(
            #[inline(always)]
            || {
                rows.iter_mut().zip(index).fold(false, |missed, (row, &at)| {
                    let place = if at < 0 { at.wrapping_add(size) } else { at };
                    *row = row.wrapping_mul(size).wrapping_add(place);
                    missed | (place as u64 >= size as u64)
                })
            },
        );
        if missed {
            outside.store(true, Ordering::Relaxed);
        }
    });
    !outside.into_inner()
}

/// Elements that a task handles.
const PART: usize = 1 << 14;
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_of_dimensions_become_rows() {
        let mut rows = vec![0, 0, 0];
        assert!(descend(&mut rows, &[1, -1, 0], 3));
        assert!(descend(&mut rows, &[3, 0, -4], 4));
        assert_eq!(rows, [7, 8, 0]);
        for bad in [3, -4, i64::MIN, i64::MAX] {
            assert!(!descend(&mut [0, 0], &[0, bad], 3));
        }
        assert!(!descend(&mut [0], &[0], 0));
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
            // Runs, as of a reflection.
            let list: Vec<i64> = (0..m).map(|i| i.abs_diff(m / 9).min(n - 1) as i64).collect();
            let expected: Vec<u16> =
                (0..outer * m * inner).map(|i| x[(i / (m * inner) * n + list[i / inner % m] as usize) * inner + i % inner]).collect();
            assert_eq!(select(&x, &list, [outer, n, inner]), Some(expected));
        }
    }

    #[test]
    fn both_dimensions_at_once_are_one_after_the_other() {
        for [outer, n, width] in [[1, 3, 4], [2, 5, 1], [3, 40, 700], [1, 300, 301]] {
            let x: Vec<u32> = (0..outer * n * width).map(|i| i as u32).collect();
            let around = |size: usize| (-1..=size as i64).map(|i| i.abs().min(size as i64 - 1)).collect::<Vec<i64>>();
            let scattered: Vec<i64> = (0..width as i64 * 2).map(|i| i * 7919 % width as i64).collect();
            for (lines, columns) in [(around(n), around(width)), (around(n), scattered), (vec![], around(width)), (around(n), vec![])] {
                let wide = select(&x, &columns, [outer * n, width, 1]);
                let expected = wide.and_then(|wide| select(&wide, &lines, [outer, n, columns.len()]));
                assert_eq!(select_both(&x, &lines, &columns, [outer, n, width]), expected);
            }
        }
        assert_eq!(select_both(&[1, 2], &[1], &[0], [1, 1, 2]), None);
        assert_eq!(select_both(&[1, 2], &[0], &[2], [1, 1, 2]), None);
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

//! Elements at regular distances, copied into row-major order.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use crate::map::collect;
use crate::zip::{View, merged};

/// Side of the squares in which matrices are turned: a row of it is a cache line of float32.
const SIDE: usize = 16;
/// Elements a task should have at least.
const GRAIN: usize = 1 << 14;

/// The elements of `view` over `shape`, in row-major order.
#[inline]
pub fn copy<T: Copy + Send + Sync>(shape: &[usize], view: View<'_, T>) -> Vec<T> {
    let total = shape.iter().product();
    if total == 0 {
        return Vec::new();
    }
    let (dims, sizes) = merged(shape, &[view.strides]);
    let strides: Vec<isize> = dims.iter().map(|&dim| view.strides[dim]).collect();
    let Some((&last, lead)) = strides.split_last() else { return vec![view.data[view.start]] };
    let side = |&(_, stride): &(usize, &isize)| stride.abs();
    match lead.iter().enumerate().filter(|(_, stride)| **stride != 0).min_by_key(side) {
        Some((dim, &stride)) if stride.abs() < last.abs() => turned(&sizes, &strides, dim, view.data, view.start, total),
        _ => lines(&sizes, lead, last, view.data, view.start, total),
    }
}

/// Where the line `line` of the leading dimensions begins.
fn place(sizes: &[usize], strides: &[isize], start: usize, mut line: usize) -> usize {
    let mut at = start as isize;
    for (&size, &stride) in sizes.iter().zip(strides).rev() {
        at += (line % size) as isize * stride;
        line /= size;
    }
    at as usize
}

/// Line by line along the last dimension.
#[inline]
fn lines<T: Copy + Send + Sync>(sizes: &[usize], lead: &[isize], step: isize, data: &[T], start: usize, total: usize) -> Vec<T> {
    let (row, outer) = (sizes[lead.len()], &sizes[..lead.len()]);
    // SAFETY: each part of a line is written whole, and the parts make up `out`.
    unsafe {
        collect(total, &|first, out: &mut [MaybeUninit<T>]| {
            let (mut line, mut at, mut out) = (first / row, first % row, out);
            while !out.is_empty() {
                let (part, rest) = out.split_at_mut((row - at).min(out.len()));
                let from = (place(outer, lead, start, line) as isize + at as isize * step) as usize;
                let length = part.len();
                match step {
                    1 => part.iter_mut().zip(&data[from..from + length]).for_each(|(out, &x)| _ = out.write(x)),
                    0 => part.fill(MaybeUninit::new(data[from])),
                    -1 => part.iter_mut().zip(data[from + 1 - length..=from].iter().rev()).for_each(|(out, &x)| _ = out.write(x)),
                    _ => part.iter_mut().enumerate().for_each(|(i, out)| _ = out.write(data[(from as isize + i as isize * step) as usize])),
                }
                (line, at, out) = (line + 1, 0, rest);
            }
        })
    }
}

/// In squares between the last dimension and `dim`, along which elements lie closer.
#[inline]
fn turned<T: Copy + Send + Sync>(sizes: &[usize], strides: &[isize], dim: usize, data: &[T], start: usize, total: usize) -> Vec<T> {
    let last = sizes.len() - 1;
    let row: usize = sizes[dim + 1..].iter().product();
    let (middle, columns) = (row / sizes[last], sizes[last]);
    let (down, across) = (strides[dim], strides[last]);
    let mut out = Vec::with_capacity(total);
    // A task writes some rows of `dim` under one place of the dimensions before it.
    let rows = (GRAIN / row).max(SIDE).next_multiple_of(SIDE);
    let tasks: Vec<(usize, &mut [MaybeUninit<T>])> = out.spare_capacity_mut()[..total]
        .chunks_mut(sizes[dim] * row)
        .enumerate()
        .flat_map(|(outer, out)| {
            let from = place(&sizes[..dim], &strides[..dim], start, outer);
            let step = rows as isize * down;
            out.chunks_mut(rows * row).enumerate().map(move |(i, out)| ((from as isize + i as isize * step) as usize, out))
        })
        .collect();
    let run = |(start, out): (usize, &mut [MaybeUninit<T>])| {
        let rows = out.len() / row;
        for line in 0..middle {
            let start = place(&sizes[dim + 1..last], &strides[dim + 1..last], start, line) as isize;
            for i in (0..rows).step_by(SIDE) {
                let height = SIDE.min(rows - i);
                for j in (0..columns).step_by(SIDE) {
                    let width = SIDE.min(columns - j);
                    let from = start + i as isize * down + j as isize * across;
                    let to = i * row + line * columns + j;
                    square(data, from, [down, across], &mut out[to..], row, [height, width]);
                }
            }
        }
    };
    if total <= 2 * GRAIN {
        tasks.into_iter().for_each(run);
    } else {
        tasks.into_par_iter().for_each(run);
    }
    // SAFETY: the squares cover every row, line and column once.
    unsafe { out.set_len(total) };
    out
}

/// `out[i * row + j] = data[from + i * down + j * across]` for `height` rows of `width`.
#[inline(always)]
fn square<T: Copy>(
    data: &[T],
    from: isize,
    [down, across]: [isize; 2],
    out: &mut [MaybeUninit<T>],
    row: usize,
    [height, width]: [usize; 2],
) {
    if down == 1 && [height, width] == [SIDE, SIDE] {
        let mut buffer = [[data[from as usize]; SIDE]; SIDE];
        for (j, column) in buffer.iter_mut().enumerate() {
            let from = (from + j as isize * across) as usize;
            column.copy_from_slice(&data[from..from + SIDE]);
        }
        for i in 0..SIDE {
            let line = &mut out[i * row..i * row + SIDE];
            for (out, column) in line.iter_mut().zip(&buffer) {
                out.write(column[i]);
            }
        }
        return;
    }
    for i in 0..height {
        let from = from + i as isize * down;
        for (j, out) in out[i * row..i * row + width].iter_mut().enumerate() {
            out.write(data[(from + j as isize * across) as usize]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_of_dimensions_and_direction() {
        let data: Vec<u32> = (0..70 * 33 * 41).collect();
        let sizes = [70, 33, 41];
        let dense = [33 * 41, 41, 1];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            for reversed in [None, Some(0), Some(1), Some(2)] {
                for step in [1, 2] {
                    let shape = order.map(|dim| if dim == 1 { sizes[dim] / step } else { sizes[dim] });
                    let mut strides = order.map(|dim| dense[dim] * if dim == 1 { step as isize } else { 1 });
                    let mut start = 0;
                    if let Some(at) = reversed {
                        start = (shape[at] as isize - 1) * strides[at];
                        strides[at] = -strides[at];
                    }
                    let mut expected = Vec::new();
                    for i in 0..shape[0] as isize {
                        for j in 0..shape[1] as isize {
                            for k in 0..shape[2] as isize {
                                expected.push(data[(start + i * strides[0] + j * strides[1] + k * strides[2]) as usize]);
                            }
                        }
                    }
                    let view = View { data: &data, start: start as usize, strides: &strides };
                    assert!(copy(&shape, view) == expected, "{order:?} {reversed:?} {step}");
                }
            }
        }
    }

    #[test]
    fn repeated_and_empty_dimensions() {
        let data = [7_u8, 8, 9];
        assert_eq!(copy(&[2, 3], View { data: &data, start: 0, strides: &[0, 1] }), [7, 8, 9, 7, 8, 9]);
        assert_eq!(copy(&[3, 2], View { data: &data, start: 0, strides: &[1, 0] }), [7, 7, 8, 8, 9, 9]);
        assert_eq!(copy(&[], View { data: &data, start: 2, strides: &[] }), [9]);
        assert!(copy(&[0, 2], View { data: &data, start: 0, strides: &[1, 0] }).is_empty());
    }
}

//! Tensors laid side by side.

use std::mem::MaybeUninit;

use crate::map::collect;

/// `outer` times a row of each part after the other; a part is its elements and the width of a row.
#[inline]
pub fn join<T: Copy + Send + Sync>(parts: &[(&[T], usize)], outer: usize) -> Vec<T> {
    let width: usize = parts.iter().map(|part| part.1).sum();
    let mut ends: Vec<usize> = Vec::with_capacity(parts.len());
    for part in parts {
        ends.push(ends.last().unwrap_or(&0) + part.1);
    }
    // SAFETY: each stretch is written whole, and they make up `out`.
    unsafe {
        collect(outer * width, &|first, mut out: &mut [MaybeUninit<T>]| {
            let (mut row, mut at) = (first / width.max(1), first % width.max(1));
            let mut part = ends.partition_point(|&end| end <= at);
            while !out.is_empty() {
                let ((data, own), end) = (parts[part], ends[part]);
                let from = row * own + at + own - end;
                let length = (end - at).min(out.len());
                let (stretch, rest) = out.split_at_mut(length);
                stretch.iter_mut().zip(&data[from..from + length]).for_each(|(out, &x)| _ = out.write(x));
                (at, out, part) = (end, rest, part + 1);
                if at == width {
                    (row, at, part) = (row + 1, 0, 0);
                }
                while part < parts.len() && parts[part].1 == 0 {
                    part += 1;
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_parts_stand_after_each_other() {
        let (a, b): (Vec<u32>, Vec<u32>) = ((0..60_000).collect(), (100_000..140_000).collect());
        let joined = join(&[(&[], 0), (&a, 3), (&[], 0), (&b, 2), (&[], 0)], 20_000);
        assert_eq!(joined.len(), 100_000);
        for (i, row) in joined.chunks_exact(5).enumerate() {
            assert_eq!([&row[..3], &row[3..]], [&a[3 * i..3 * i + 3], &b[2 * i..2 * i + 2]]);
        }
        assert!(join::<u8>(&[(&[], 0)], 3).is_empty());
    }
}

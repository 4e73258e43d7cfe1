//! The places of truth values that hold, found eight at a time.

use std::mem::MaybeUninit;

use crate::parallel::{for_each, map, simd};

/// Elements that a task handles.
const PART: usize = 1 << 14;
/// Elements looked through at a time.
const LOOK: usize = 1024;
/// Lines below this length are not looked for the end of.
const SHORT: usize = 32;

/// By the bits of a byte: the positions of those that are set, from the lowest, and zeros.
static SET_BITS: [[u8; 8]; 256] = {
    let mut table = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut bit, mut count) = (0, 0);
        while bit < 8 {
            if byte >> bit & 1 == 1 {
                table[byte][count] = bit;
                count += 1;
            }
            bit += 1;
        }
        byte += 1;
    }
    table
};

/// Puts the positions of what is not 0 among at most `LOOK` truth values into `found`, from its front; how many they are.
#[inline(always)]
fn look(hits: &[u8], found: &mut [u32; LOOK + 8]) -> usize {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let (words, rest) = hits.as_chunks::<8>();
    let mut count = 0;
    for (i, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The high bit of each byte that is not 0; the product brings the eight together at the top.
        let high = (((word & LOW) + LOW) | word) & !LOW;
        let byte = ((high >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as usize;
        for (to, &bit) in found[count..count + 8].iter_mut().zip(&SET_BITS[byte]) {
            *to = (i * 8) as u32 + u32::from(bit);
        }
        count += byte.count_ones() as usize;
    }
    for (i, _) in rest.iter().enumerate().filter(|(_, hit)| **hit != 0) {
        found[count] = (words.len() * 8 + i) as u32;
        count += 1;
    }
    count
}

/// A line of the last dimension, and where it stands in the others.
struct Line<'a> {
    lead: &'a [usize],
    at: Vec<i64>,
    start: usize,
    length: usize,
}

impl<'a> Line<'a> {
    /// The line that holds the element `first` of the row-major order.
    fn of(first: usize, shape: &'a [usize]) -> Self {
        let (lead, length) = (&shape[..shape.len() - 1], shape[shape.len() - 1]);
        let mut line = first / length;
        let mut at = vec![0; lead.len()];
        for (at, &size) in at.iter_mut().zip(lead).rev() {
            *at = (line % size) as i64;
            line /= size;
        }
        Self { lead, at, start: first - first % length, length }
    }

    fn end(&self) -> usize {
        self.start + self.length
    }

    fn advance(&mut self) {
        self.start += self.length;
        for (at, &size) in self.at.iter_mut().zip(self.lead).rev() {
            *at += 1;
            if *at < size as i64 {
                break;
            }
            *at = 0;
        }
    }

    /// Writes the places of elements of this line, which are `found` behind the element `base`.
    fn write(&self, found: &[u32], base: usize, out: &mut [MaybeUninit<i64>]) {
        let rank = self.at.len() + 1;
        for (dim, &at) in self.at.iter().enumerate() {
            out.chunks_exact_mut(rank).for_each(|place| _ = place[dim].write(at));
        }
        let shift = base as i64 - self.start as i64;
        out.chunks_exact_mut(rank).zip(found).for_each(|(place, &at)| _ = place[rank - 1].write(i64::from(at) + shift));
    }
}

/// The places of what is not 0 in `[..., last]` of truth values, one after the other, a position for each dimension.
pub fn nonzero(hits: &[u8], shape: &[usize]) -> Vec<i64> {
    let rank = shape.len();
    if rank == 0 || hits.is_empty() {
        return Vec::new();
    }
    let parts: Vec<&[u8]> = hits.chunks(PART).collect();
    let counts = map(&parts, hits.len(), |hits| {
        simd(
            #[inline(always)]
            || hits.chunks(255).map(|hits| usize::from(hits.iter().fold(0_u8, |sum, &hit| sum + u8::from(hit != 0)))).sum::<usize>(),
        )
    });
    let total = counts.iter().sum::<usize>() * rank;
    let mut out = Vec::with_capacity(total);
    let mut room = &mut out.spare_capacity_mut()[..total];
    let mut work = Vec::with_capacity(parts.len());
    for (i, (hits, count)) in parts.into_iter().zip(counts).enumerate() {
        let (part, rest) = room.split_at_mut(count * rank);
        work.push((i * PART, hits, part));
        room = rest;
    }
    for_each(work, hits.len(), |(first, hits, mut out): (usize, &[u8], &mut [MaybeUninit<i64>])| {
        let mut line = Line::of(first, shape);
        let mut found = [0; LOOK + 8];
        for (i, hits) in hits.chunks(LOOK).enumerate() {
            let base = first + i * LOOK;
            let count = simd(
                #[inline(always)]
                || look(hits, &mut found),
            );
            let mut found = &found[..count];
            if line.length < SHORT {
                for (&at, place) in found.iter().zip(out.chunks_exact_mut(rank)) {
                    while base + at as usize >= line.end() {
                        line.advance();
                    }
                    line.write(&[at], base, place);
                }
                out = &mut out[count * rank..];
                continue;
            }
            while let Some(&next) = found.first() {
                while base + next as usize >= line.end() {
                    line.advance();
                }
                let here = found[..found.len().min(line.length)].partition_point(|&at| base + (at as usize) < line.end());
                let (part, rest) = out.split_at_mut(here * rank);
                line.write(&found[..here], base, part);
                (found, out) = (&found[here..], rest);
            }
        }
    });
    // SAFETY: each part has room for the places of its hits, and all of them were written.
    unsafe { out.set_len(total) };
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
        for shape in [&[100_001][..], &[3, 20_011], &[300, 7, 50], &[40_000, 2], &[9, 1, 11, 1, 13, 61]] {
            let hits: Vec<u8> = (0..shape.iter().product::<usize>()).map(|i| (i * 7919 % 5 % 3) as u8).collect();
            let mut expected = Vec::new();
            for (i, _) in hits.iter().enumerate().filter(|(_, hit)| **hit != 0) {
                let mut step = hits.len();
                expected.extend(shape.iter().map(|&size| {
                    step /= size;
                    (i / step % size) as i64
                }));
            }
            assert_eq!(nonzero(&hits, shape), expected, "{shape:?}");
        }
    }
}

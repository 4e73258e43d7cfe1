//! Philox4x32-10, the counter-based generator (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).

use rayon::prelude::*;

use crate::parallel::simd;

/// Names one random call; with a position it names one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    pub seed: u64,
    pub call: u64,
}

const CHUNK: usize = 1 << 14;

/// Blocks computed side by side, one a SIMD lane.
pub(crate) const LANES: usize = 16;

/// Four random words for each of `L` blocks from `first` on: `words[w][lane]`.
#[inline(always)]
fn blocks<const L: usize>(key: Key, first: u64) -> [[u32; L]; 4] {
    let [mut x0, mut x1] = [[0; L]; 2];
    let (mut x2, mut x3) = ([key.call as u32; L], [(key.call >> 32) as u32; L]);
    for lane in 0..L {
        let block = first.wrapping_add(lane as u64);
        (x0[lane], x1[lane]) = (block as u32, (block >> 32) as u32);
    }
    let (mut k0, mut k1) = (key.seed as u32, (key.seed >> 32) as u32);
    for _ in 0..10 {
        for lane in 0..L {
            let a = u64::from(x0[lane]) * 0xD251_1F53;
            let b = u64::from(x2[lane]) * 0xCD9E_8D57;
            x0[lane] = (b >> 32) as u32 ^ x1[lane] ^ k0;
            x1[lane] = b as u32;
            x2[lane] = (a >> 32) as u32 ^ x3[lane] ^ k1;
            x3[lane] = a as u32;
        }
        (k0, k1) = (k0.wrapping_add(0x9E37_79B9), k1.wrapping_add(0xBB67_AE85));
    }
    [x0, x1, x2, x3]
}

/// Four random words for block `block` of a call.
#[inline(always)]
pub fn block(key: Key, block: u64) -> [u32; 4] {
    blocks::<1>(key, block).map(|[word]| word)
}

/// Runs `f(words)` over `out`, `W` elements a block; `f` is marked `#[inline(always)]`.
///
/// `LANES` blocks make one run of elements: the first word of each, then the second of each, and so on, so that nothing is transposed.
/// This order is part of what a key names.
#[inline(always)]
pub(crate) fn fill<T: Copy + Send, const W: usize>(
    key: Key,
    out: &mut [T],
    f: impl Fn(&[[u32; LANES]; 4]) -> [[T; LANES]; W] + Sync + Send,
) {
    let fill = |(part, chunk): (usize, &mut [T])| {
        simd(
            #[inline(always)]
            || {
                let mut first = (part * CHUNK / W) as u64;
                let mut runs = chunk.chunks_exact_mut(W * LANES);
                for run in &mut runs {
                    let values = f(&blocks::<LANES>(key, first));
                    for (out, value) in run.iter_mut().zip(values.as_flattened()) {
                        *out = *value;
                    }
                    first += LANES as u64;
                }
                let rest = runs.into_remainder();
                if !rest.is_empty() {
                    rest.copy_from_slice(&f(&blocks::<LANES>(key, first)).as_flattened()[..rest.len()]);
                }
            },
        );
    };
    if out.len() <= CHUNK {
        out.chunks_mut(CHUNK).enumerate().for_each(fill);
    } else {
        out.par_chunks_mut(CHUNK).enumerate().for_each(fill);
    }
}

/// `f(word, x)` of each element and its word, in the order of `fill`; `f` is marked `#[inline(always)]`.
#[inline(always)]
pub(crate) fn map<T: Copy + Default + Send + Sync>(key: Key, x: &[T], f: impl Fn(u32, T) -> T + Sync + Send) -> Vec<T> {
    let mut out = vec![T::default(); x.len()];
    let map = |(part, (out, x)): (usize, (&mut [T], &[T]))| {
        simd(
            #[inline(always)]
            || {
                let mut first = (part * CHUNK / 4) as u64;
                for (out, x) in out.chunks_mut(4 * LANES).zip(x.chunks(4 * LANES)) {
                    let words = blocks::<LANES>(key, first);
                    for ((out, &x), &word) in out.iter_mut().zip(x).zip(words.as_flattened()) {
                        *out = f(word, x);
                    }
                    first += LANES as u64;
                }
            },
        );
    };
    if x.len() <= CHUNK {
        map((0, (&mut out, x)));
    } else {
        out.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).enumerate().for_each(map);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of Random123's `philox4x32 10` test vectors.
    #[test]
    fn known_answers() {
        assert_eq!(block(Key { seed: 0, call: 0 }, 0), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(block(Key { seed: u64::MAX, call: u64::MAX }, u64::MAX), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
    }
}

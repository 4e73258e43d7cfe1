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
const LANES: usize = 16;

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

/// 24 bits as a float in `[0, 1)`.
#[inline(always)]
fn unit(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// Runs `f(words, out)` over `out` four elements at a time.
fn fill(key: Key, out: &mut [f32], f: impl Fn([u32; 4]) -> [f32; 4] + Sync) {
    let run = |(part, chunk): (usize, &mut [f32])| {
        simd(
            #[inline(always)]
            || {
                let first = (part * CHUNK / 4) as u64;
                for (i, run) in chunk.chunks_mut(4 * LANES).enumerate() {
                    let words = blocks::<LANES>(key, first + (i * LANES) as u64);
                    let mut values = [[0.0; 4]; LANES];
                    for (lane, values) in values.iter_mut().enumerate() {
                        *values = f(words.map(|word| word[lane]));
                    }
                    run.copy_from_slice(&values.as_flattened()[..run.len()]);
                }
            },
        );
    };
    if out.len() <= CHUNK {
        out.chunks_mut(CHUNK).enumerate().for_each(run);
    } else {
        out.par_chunks_mut(CHUNK).enumerate().for_each(run);
    }
}

/// Uniform in `[low, high)`.
pub fn uniform(key: Key, out: &mut [f32], low: f32, high: f32) {
    fill(
        key,
        out,
        #[inline(always)]
        |[a, b, c, d]| {
            [low + (high - low) * unit(a), low + (high - low) * unit(b), low + (high - low) * unit(c), low + (high - low) * unit(d)]
        },
    );
}

/// Normal, by Box and Muller's transform.
pub fn normal(key: Key, out: &mut [f32], mean: f32, std: f32) {
    fill(key, out, |words| {
        let pair = |a: u32, b: u32| {
            // 1 - u lies in (0, 1], so the logarithm is finite.
            let radius = (-2.0 * f64::from(1.0 - unit(a)).ln()).sqrt();
            let (sin, cos) = (std::f64::consts::TAU * f64::from(unit(b))).sin_cos();
            [(radius * cos) as f32, (radius * sin) as f32]
        };
        let ([a, b], [c, d]) = (pair(words[0], words[1]), pair(words[2], words[3]));
        [a, b, c, d].map(|z| mean + std * z)
    });
}

/// A whole number in `0..span`, for position `index` of a call; its bias is below `span / 2^64`.
pub fn below(key: Key, index: u64, span: u64) -> u64 {
    let words = block(key, index);
    let word = u128::from(u64::from(words[0]) | u64::from(words[1]) << 32);
    ((word * u128::from(span)) >> 64) as u64
}

/// `x` with each element 0 with probability `p`, else scaled by `1 / (1 - p)`.
pub fn dropout(key: Key, x: &[f32], p: f32) -> Vec<f32> {
    let scale = if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 };
    let mut out = vec![0.0; x.len()];
    uniform(key, &mut out, 0.0, 1.0);
    simd(
        #[inline(always)]
        || {
            for (out, &x) in out.iter_mut().zip(x) {
                *out = if *out < p { 0.0 } else { x * scale };
            }
        },
    );
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

    #[test]
    fn a_value_depends_on_its_position_only() {
        let key = Key { seed: 7, call: 3 };
        let (mut short, mut long) = (vec![0.0; 10], vec![0.0; 100_000]);
        uniform(key, &mut short, 0.0, 1.0);
        uniform(key, &mut long, 0.0, 1.0);
        assert_eq!(short, long[..10]);
    }

    #[test]
    fn moments() {
        let mut z = vec![0.0; 200_000];
        normal(Key { seed: 1, call: 0 }, &mut z, 2.0, 3.0);
        let n = z.len() as f64;
        let mean = z.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let var = z.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
        assert!((mean - 2.0).abs() < 0.03 && (var.sqrt() - 3.0).abs() < 0.03, "{mean} {var}");
    }
}

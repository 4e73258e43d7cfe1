//! Distributions over Philox's words: a value depends on its key and position only.

use std::f64::consts::TAU;

use rayon::prelude::*;

use crate::parallel::simd;
use crate::philox::{Key, LANES, block, fill, map};

/// `f` of each word; plain loops that the compiler vectorises.
#[inline(always)]
fn lanes<T: Copy + Default>(words: &[[u32; LANES]; 4], f: impl Fn(u32) -> T) -> [[T; LANES]; 4] {
    let mut out = [[T::default(); LANES]; 4];
    for (out, &word) in out.as_flattened_mut().iter_mut().zip(words.as_flattened()) {
        *out = f(word);
    }
    out
}

/// 53 bits of two words as a float in `[0, 1)`.
#[inline(always)]
fn wide(low: u32, high: u32) -> f64 {
    ((u64::from(low) | u64::from(high) << 32) >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// Uniform in `[low, high)`, of the upper `bits` of each word, at most 24; `last` is the largest result, since rounding may reach `high`.
pub fn uniform(key: Key, out: &mut [f32], low: f32, high: f32, bits: u32, last: f32) {
    let (scale, span, shift) = (1.0 / (1_u32 << bits) as f32, high - low, 32 - bits);
    fill(
        key,
        out,
        #[inline(always)]
        |words| {
            lanes(
                words,
                #[inline(always)]
                |word| (low + span * ((word >> shift) as i32 as f32 * scale)).min(last),
            )
        },
    );
}

/// Uniform in `[low, high)`, drawn with 53 bits.
pub fn uniform_f64(key: Key, out: &mut [f64], low: f64, high: f64) {
    let (span, last) = (high - low, high.next_down().max(low));
    fill(
        key,
        out,
        #[inline(always)]
        |[a, b, c, d]| {
            let mut pairs = [[0.0; LANES]; 2];
            for lane in 0..LANES {
                pairs[0][lane] = (low + span * wide(a[lane], b[lane])).min(last);
                pairs[1][lane] = (low + span * wide(c[lane], d[lane])).min(last);
            }
            pairs
        },
    );
}

/// The natural logarithm for `x` in `(0, 1]`, within two units in the last place (Cephes, `logf`).
#[inline(always)]
fn ln(x: f32) -> f32 {
    // x = m * 2^e with m in [sqrt(1/2), sqrt(2)).
    const ROOT: u32 = 0x3F35_04F3;
    let bits = x.to_bits().wrapping_sub(ROOT);
    let e = ((bits as i32) >> 23) as f32;
    let m = f32::from_bits((bits & 0x007F_FFFF) + ROOT) - 1.0;
    let z = m * m;
    let mut y = 7.037_683_6e-2;
    for c in [-1.151_461e-1, 1.167_699_9e-1, -1.242_014_1e-1, 1.424_932_3e-1, -1.666_805_8e-1, 2.000_071_5e-1, -2.499_999_4e-1, 0.333_333_3]
    {
        y = y * m + c;
    }
    // e * ln(2) in two parts, the larger one exact.
    m + (y * m * z + e * -2.121_944_4e-4 - 0.5 * z) + e * (355.0 / 512.0)
}

/// Cosine and sine of `word / 2^32` turns (Cephes, `sinf` and `cosf`).
#[inline(always)]
fn turn(word: u32) -> (f32, f32) {
    let quarter = word.wrapping_add(1 << 29) >> 30;
    let t = word.wrapping_sub(quarter << 30) as i32 as f32 * (TAU / 4_294_967_296.0) as f32;
    let z = t * t;
    let sin = t + t * z * (-1.666_665_5e-1 + z * (8.332_161e-3 + z * -1.951_529_6e-4));
    let cos = 1.0 - 0.5 * z + z * z * (4.166_664_6e-2 + z * (-1.388_731_6e-3 + z * 2.443_315_7e-5));
    let (c, s) = if quarter & 1 == 0 { (cos, sin) } else { (sin, cos) };
    let negative = |value: f32, sign: u32| f32::from_bits(value.to_bits() ^ (sign & 2) << 30);
    (negative(c, quarter + 1), negative(s, quarter))
}

/// Normal, by Box and Muller's transform, in arithmetic that rounds alike on every machine.
pub fn normal(key: Key, out: &mut [f32], mean: f32, std: f32) {
    fill(
        key,
        out,
        #[inline(always)]
        |[a, b, c, d]| {
            let mut z = [[0.0; LANES]; 4];
            for (at, radii, angles) in [(0, a, b), (2, c, d)] {
                for lane in 0..LANES {
                    // In (0, 1], so the logarithm is finite.
                    let u = ((radii[lane] >> 1) as i32 as f32 + 0.5) * (1.0 / 2_147_483_648.0);
                    let radius = (-2.0 * ln(u)).sqrt() * std;
                    let (cos, sin) = turn(angles[lane]);
                    z[at][lane] = mean + radius * cos;
                    z[at + 1][lane] = mean + radius * sin;
                }
            }
            z
        },
    );
}

/// Normal, drawn with 53 bits, through the C library's logarithm and circle functions.
pub fn normal_f64(key: Key, out: &mut [f64], mean: f64, std: f64) {
    fill(key, out, |[a, b, c, d]| {
        let mut z = [[0.0; LANES]; 2];
        for lane in 0..LANES {
            let radius = (-2.0 * (1.0 - wide(a[lane], b[lane])).ln()).sqrt() * std;
            let (sin, cos) = (TAU * wide(c[lane], d[lane])).sin_cos();
            (z[0][lane], z[1][lane]) = (mean + radius * cos, mean + radius * sin);
        }
        z
    });
}

/// A whole number in `0..span`, for position `index` of a call; its bias is below `span / 2^64`.
#[inline(always)]
pub fn below(key: Key, index: u64, span: u64) -> u64 {
    let words = block(key, index);
    let word = u128::from(u64::from(words[0]) | u64::from(words[1]) << 32);
    ((word * u128::from(span)) >> 64) as u64
}

/// Whole numbers in `low..low + span`.
pub fn integers(key: Key, out: &mut [i64], low: i64, span: u64) {
    const PIECE: usize = 1 << 13;
    let run = |(part, piece): (usize, &mut [i64])| {
        for (i, value) in piece.iter_mut().enumerate() {
            *value = low.wrapping_add_unsigned(below(key, (part * PIECE + i) as u64, span));
        }
    };
    if out.len() <= PIECE { out.chunks_mut(PIECE).enumerate().for_each(run) } else { out.par_chunks_mut(PIECE).enumerate().for_each(run) }
}

/// The largest word of an event of probability `p`, to 32 bits; None where it never happens.
fn limit(p: f64) -> Option<u32> {
    ((p * 4_294_967_296.0).round() as u64).checked_sub(1).map(|last| last as u32)
}

/// 1 with probability `p`, else 0.
pub fn bernoulli(key: Key, out: &mut [f32], p: f64) {
    let Some(limit) = limit(p) else { return out.fill(0.0) };
    fill(
        key,
        out,
        #[inline(always)]
        |words| {
            lanes(
                words,
                #[inline(always)]
                |word| if word <= limit { 1.0 } else { 0.0 },
            )
        },
    );
}

/// A number type that dropout scales.
pub trait Scaled: Copy + Default + Send + Sync + std::ops::Mul<Output = Self> {
    fn of(x: f64) -> Self;
}

impl Scaled for f32 {
    #[inline(always)]
    fn of(x: f64) -> f32 {
        x as f32
    }
}

impl Scaled for f64 {
    #[inline(always)]
    fn of(x: f64) -> f64 {
        x
    }
}

/// `x` with each element 0 with probability `p`, else scaled by `1 / (1 - p)`.
#[inline]
pub fn dropout<T: Scaled>(key: Key, x: &[T], p: f64) -> Vec<T> {
    let Some(limit) = limit(p) else { return x.to_vec() };
    let scale = T::of(if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 });
    map(
        key,
        x,
        #[inline(always)]
        |word, x| if word <= limit { T::default() } else { x * scale },
    )
}

/// `f` of uniform numbers in `(0, 1)`, drawn with 53 bits.
pub fn each(key: Key, out: &mut [f64], f: impl Fn(f64) -> f64 + Sync + Send) {
    uniform_f64(key, out, 0.0, 1.0);
    let run = |value: &mut f64| *value = f(*value + 0.5 / 9_007_199_254_740_992.0);
    simd(|| if out.len() < 1 << 13 { out.iter_mut().for_each(run) } else { out.par_iter_mut().for_each(run) });
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key { seed: 7, call: 3 };

    #[test]
    fn a_value_depends_on_its_position_only() {
        let (mut short, mut long) = (vec![0.0; 10], vec![0.0; 100_000]);
        normal(KEY, &mut short, 0.0, 1.0);
        normal(KEY, &mut long, 0.0, 1.0);
        assert_eq!(short, long[..10]);
        let ones = vec![1.0_f32; 100_000];
        assert_eq!(dropout(KEY, &ones[..10], 0.5), dropout(KEY, &ones, 0.5)[..10]);
    }

    #[test]
    fn logarithm_and_turn_are_accurate() {
        for i in 1..=100_000_u32 {
            let x = i as f32 / 100_000.0;
            let exact = f64::from(x).ln();
            assert!((f64::from(ln(x)) - exact).abs() <= 1.5e-7 * exact.abs().max(1e-2), "ln {x}: {} {exact}", ln(x));
            let word = i.wrapping_mul(42_949);
            let (cos, sin) = turn(word);
            let angle = TAU * f64::from(word) / 4_294_967_296.0;
            assert!((f64::from(cos) - angle.cos()).abs() < 1.2e-7 && (f64::from(sin) - angle.sin()).abs() < 1.2e-7, "{angle}");
        }
        assert!(ln(1.0) == 0.0 && (ln(2.0_f32.powi(-32)) + 22.180_71).abs() < 2e-6);
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

    #[test]
    fn rounding_does_not_reach_the_end() {
        let mut x = vec![0.0; 1 << 16];
        uniform(KEY, &mut x, 1e8, 1e8 + 16.0, 24, (1e8_f32 + 16.0).next_down());
        assert!(x.iter().all(|&v| (1e8..1e8 + 16.0).contains(&v)));
    }
}

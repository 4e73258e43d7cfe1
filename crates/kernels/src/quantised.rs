//! Optimizer state in 8 bits: blocks of values as codes of a fixed map, each block scaled by its largest (Dettmers et al., "8-bit optimizers
//! via block-wise quantization", ICLR 2022).

use std::sync::LazyLock;

use crate::step::{Average, Incoming, Kernel, Part, Piece, Sums};

/// Values that share a scale.
pub const BLOCK: usize = 256;

/// Decades that a map covers below 1.
const DECADES: i32 = 7;

/// Bits of a number's mantissa, after its exponent, that choose its bucket: no bucket holds more than one middle between values.
const BUCKET_BITS: u32 = 7;
/// The other bits of the mantissa, which tell on which side of that middle a number is.
const LOW_BITS: u32 = 23 - BUCKET_BITS;
const LOW: u32 = (1 << LOW_BITS) - 1;
/// Numbers below have the code of 0.
const LEAST: f32 = 1.0 / (1 << 23) as f32;
/// Where buckets are counted from: that of what is below `LEAST`.
const FIRST: u32 = (LEAST.to_bits() >> LOW_BITS) - 1;
/// That of 1, which nothing is above.
const LAST: u32 = 1.0_f32.to_bits() >> LOW_BITS;
/// Places for the buckets of one sign.
const BUCKETS: usize = ((LAST - FIRST + 1) as usize).next_power_of_two();

/// The 256 values that codes stand for, ascending: dense in relative terms from 1e-7 to 1.
pub struct Map {
    pub values: [f32; 256],
    /// Between a value and the next.
    middles: [f32; 255],
    /// For each bucket of magnitudes, positive and then negative: the code of its smallest, and in the bits above how many there are of
    /// that code.
    buckets: [u32; 2 * BUCKETS],
}

/// For values of either sign, as the mean of gradients.
pub static SIGNED: LazyLock<Map> = LazyLock::new(|| Map::dynamic(true));
/// For values of 0 or more, as the mean of their squares: twice as fine.
pub static UNSIGNED: LazyLock<Map> = LazyLock::new(|| Map::dynamic(false));

impl Map {
    /// Each decade is cut into twice as many equal parts as the one below, and a part is stood for by its middle.
    fn dynamic(signed: bool) -> Map {
        let mut all = vec![0.0, 1.0];
        for decade in 0..DECADES {
            let parts = if signed { 1 << decade } else { 2 << decade };
            let scale = 10_f64.powi(decade - DECADES + 1);
            for part in 0..parts {
                let middle = 0.1 + 0.9 * (f64::from(part) + 0.5) / f64::from(parts);
                all.push(scale * middle);
                if signed {
                    all.push(-scale * middle);
                }
            }
        }
        all.sort_by(f64::total_cmp);
        let mut values = [0.0; 256];
        for (value, exact) in values.iter_mut().zip(&all) {
            *value = *exact as f32;
        }
        let mut middles = [0.0; 255];
        for (middle, pair) in middles.iter_mut().zip(values.windows(2)) {
            *middle = (pair[0] + pair[1]) / 2.0;
        }
        let mut map = Map { values, middles, buckets: [0; 2 * BUCKETS] };
        for sign in [0, 1] {
            for bucket in FIRST..=LAST {
                let first = if bucket == FIRST { 0 } else { bucket << LOW_BITS };
                let code = |low: u32| map.nearest(f32::from_bits((first + low) | (sign << 31)));
                // Found by halving: those below `many` have the code of the first.
                let (mut many, mut most) = (1, 1 << LOW_BITS);
                while many < most && bucket != FIRST {
                    let middle = (many + most) / 2;
                    (many, most) = if code(middle) == code(0) { (middle + 1, most) } else { (many, middle) };
                }
                map.buckets[(bucket - FIRST) as usize + sign as usize * BUCKETS] = u32::from(code(0)) | (most << 8);
            }
        }
        map
    }

    /// The code of 0.
    pub fn zero(&self) -> u8 {
        self.nearest(0.0)
    }

    /// All values of a tensor.
    pub fn widen(&self, codes: &[u8], scales: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; codes.len()];
        for ((codes, out), &scale) in codes.chunks(BLOCK).zip(out.chunks_mut(BLOCK)).zip(scales) {
            self.read(codes, scale, out);
        }
        out
    }

    /// A tensor's codes and scales.
    pub fn narrow(&self, values: &[f32]) -> (Vec<u8>, Vec<f32>) {
        let mut codes = vec![0; values.len()];
        let blocks = values.chunks(BLOCK).zip(codes.chunks_mut(BLOCK));
        let scales = blocks.map(|(values, codes)| self.write(values, codes)).collect();
        (codes, scales)
    }

    /// The code of the nearest value: how many middles lie below.
    fn nearest(&self, x: f32) -> u8 {
        self.middles.partition_point(|&middle| middle < x) as u8
    }

    /// `nearest` for numbers up to 1 either way: what differs within a bucket is one code at most.
    #[inline(always)]
    fn code(&self, x: f32) -> u8 {
        let magnitude = x.to_bits() & 0x7fff_ffff;
        let negative = x.to_bits() >> 31;
        let bucket = (magnitude >> LOW_BITS).clamp(FIRST, LAST) - FIRST;
        let found = self.buckets[(bucket + negative * BUCKETS as u32) as usize % (2 * BUCKETS)];
        let beyond = u32::from(magnitude & LOW >= found >> 8);
        (found.wrapping_add(beyond).wrapping_sub(2 * (beyond & negative)) & 0xff) as u8
    }

    #[inline(always)]
    fn read(&self, codes: &[u8], scale: f32, out: &mut [f32]) {
        for (out, &code) in out.iter_mut().zip(codes) {
            *out = self.values[usize::from(code)] * scale;
        }
    }

    /// Gives the scale.
    #[inline(always)]
    fn write(&self, values: &[f32], codes: &mut [u8]) -> f32 {
        let scale = magnitude(values);
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        for (code, &x) in codes.iter_mut().zip(values) {
            *code = self.code(x * inverse);
        }
        scale
    }
}

/// `a` or the magnitude of `b`, which NaN has none of.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if b.abs() > a { b.abs() } else { a }
}

/// The largest magnitude.
#[inline(always)]
fn magnitude(values: &[f32]) -> f32 {
    let (whole, odd) = values.as_chunks::<64>();
    let mut lanes = [0.0; 64];
    for chunk in whole {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, x);
        }
    }
    let mut half = lanes.len() / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] = larger(lanes[lane], lanes[lane + half]);
        }
        half /= 2;
    }
    odd.iter().copied().fold(lanes[0], larger)
}

/// One state tensor in 8 bits.
pub struct Codes<'a> {
    pub codes: &'a mut [u8],
    /// One a block.
    pub scales: &'a mut [f32],
    pub map: &'static Map,
}

impl Codes<'_> {
    fn split(self, at: usize) -> (Self, Self) {
        let Codes { codes, scales, map } = self;
        let ((codes, c), (scales, s)) = (codes.split_at_mut(at), scales.split_at_mut(at / BLOCK));
        (Codes { codes, scales, map }, Codes { codes: c, scales: s, map })
    }
}

/// A float32 parameter whose two state tensors are in 8 bits.
pub struct Quantised<'a, K> {
    pub kernel: K,
    pub incoming: Incoming,
    pub param: &'a mut [f32],
    pub grad: &'a [f32],
    pub state: [Codes<'a>; 2],
    pub average: Average<'a, f32>,
}

impl<K: Kernel> Part for Quantised<'_, K> {
    fn size(&self) -> usize {
        self.param.len()
    }

    fn split(self, at: usize) -> (Self, Self) {
        let Quantised { kernel, incoming, param, grad, state: [a, b], average } = self;
        let ((param, p), (grad, g)) = (param.split_at_mut(at), grad.split_at(at));
        let ((a, x), (b, y), (average, rest)) = (a.split(at), b.split(at), average.split(at));
        (
            Quantised { kernel, incoming, param, grad, state: [a, b], average },
            Quantised { kernel, incoming, param: p, grad: g, state: [x, y], average: rest },
        )
    }

    // Sums would be those of values before they are rounded; no rule that goes by them is quantised.
    #[inline(always)]
    fn update(self) -> Sums {
        let Quantised { kernel, incoming, param, grad, state: [a, b], mut average } = self;
        let (mut first, mut second) = ([0.0; BLOCK], [0.0; BLOCK]);
        let blocks = param.chunks_mut(BLOCK).zip(grad.chunks(BLOCK));
        let codes = a.codes.chunks_mut(BLOCK).zip(b.codes.chunks_mut(BLOCK)).zip(a.scales.iter_mut().zip(b.scales.iter_mut()));
        for ((param, grad), ((code_a, code_b), (scale_a, scale_b))) in blocks.zip(codes) {
            let at = param.len();
            a.map.read(code_a, *scale_a, &mut first[..at]);
            b.map.read(code_b, *scale_b, &mut second[..at]);
            let state = [&mut first[..at], &mut second[..at], Default::default()];
            incoming.apply(kernel, Piece { param: &mut *param, grad, state });
            *scale_a = a.map.write(&first[..at], code_a);
            *scale_b = b.map.write(&second[..at], code_b);
            let (here, rest) = average.split(at);
            here.follow(param);
            average = rest;
        }
        [0.0; 2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_full_and_ascending() {
        for map in [&*SIGNED, &*UNSIGNED] {
            assert!(map.values.windows(2).all(|pair| pair[0] < pair[1]));
            assert_eq!(map.values[255], 1.0);
            for (code, &value) in map.values.iter().enumerate() {
                assert_eq!(usize::from(map.code(value)), code);
            }
        }
    }

    #[test]
    fn buckets_give_the_nearest_value() {
        for map in [&*SIGNED, &*UNSIGNED] {
            for sign in [0, 1 << 31] {
                let about = map.middles.iter().flat_map(|middle| (0..5).map(|by| (middle.to_bits() & 0x7fff_ffff) + by - 2));
                for magnitude in about.chain((0..=1.0_f32.to_bits()).step_by(4099)) {
                    let x = f32::from_bits(magnitude | sign);
                    assert_eq!(map.code(x), map.nearest(x), "{x:e}");
                }
            }
        }
    }

    #[test]
    fn a_block_comes_back_within_half_a_part() {
        let values: Vec<f32> = (0..BLOCK).map(|i| (i as f32 - 100.0) * 0.037).collect();
        let (mut codes, mut back) = ([0; BLOCK], [0.0; BLOCK]);
        let scale = SIGNED.write(&values, &mut codes);
        SIGNED.read(&codes, scale, &mut back);
        for (x, y) in values.iter().zip(back) {
            assert!((x - y).abs() <= 0.01 * scale && x * y >= 0.0, "{x} came back as {y}");
        }
    }
}

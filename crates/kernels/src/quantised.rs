//! Optimizer state in 8 bits: blocks of values as codes of a fixed map, each block scaled by its largest (Dettmers et al., "8-bit optimizers
//! via block-wise quantization", ICLR 2022).

use std::sync::LazyLock;

use crate::step::{Average, Incoming, Kernel, Part, Piece};

/// Values that share a scale.
pub const BLOCK: usize = 256;

/// Decades that a map covers below 1.
const DECADES: i32 = 7;

/// The 256 values that codes stand for, ascending: dense in relative terms from 1e-7 to 1.
pub struct Map {
    pub values: [f32; 256],
    /// Between a value and the next.
    middles: [f32; 255],
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
        Map { values, middles }
    }

    /// The code of 0.
    pub fn zero(&self) -> u8 {
        self.code(0.0)
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

    /// The code of the nearest value: how many middles lie below, found by halving.
    #[inline(always)]
    fn code(&self, x: f32) -> u8 {
        let mut at = 0;
        for step in [128, 64, 32, 16, 8, 4, 2, 1] {
            at += if self.middles[at + step - 1] < x { step } else { 0 };
        }
        at as u8
    }

    #[inline(always)]
    fn read(&self, codes: &[u8], scale: f32, out: &mut [f32]) {
        for (out, &code) in out.iter_mut().zip(codes) {
            *out = self.values[usize::from(code)] * scale;
        }
    }

    /// Gives the scale. A value that is not 0 keeps its sign.
    #[inline(always)]
    fn write(&self, values: &[f32], codes: &mut [u8]) -> f32 {
        let scale = values.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        for (code, &x) in codes.iter_mut().zip(values) {
            let nearest = self.code(x * inverse);
            *code = match self.values[usize::from(nearest)] {
                kept if kept < 0.0 && x > 0.0 => nearest + 1,
                kept if kept > 0.0 && x < 0.0 => nearest - 1,
                _ => nearest,
            };
        }
        scale
    }
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

    #[inline(always)]
    fn update(self) {
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

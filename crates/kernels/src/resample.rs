//! Images made larger or smaller: along one dimension, each entry of the result is a weighted sum of a few of the input.

use crate::parallel::for_each;
use crate::real::Real;

/// Positions of the input and their weights for each entry of the result.
#[derive(Debug, Clone)]
pub struct Taps {
    pub input: usize,
    /// Where the taps of each entry begin, and where the last ones end.
    starts: Vec<usize>,
    positions: Vec<usize>,
    weights: Vec<f64>,
}

impl Taps {
    /// Entry by entry; positions beyond an end of the input stand for that end.
    pub fn new(input: usize, entries: impl Iterator<Item = Vec<(isize, f64)>>) -> Taps {
        let mut taps = Taps { input, starts: vec![0], positions: Vec::new(), weights: Vec::new() };
        for entry in entries {
            for (position, weight) in entry {
                taps.positions.push(position.clamp(0, input as isize - 1) as usize);
                taps.weights.push(weight);
            }
            taps.starts.push(taps.positions.len());
        }
        taps
    }

    pub fn output(&self) -> usize {
        self.starts.len() - 1
    }

    fn of(&self, output: usize) -> impl Iterator<Item = (usize, f64)> {
        let taps = self.starts[output]..self.starts[output + 1];
        self.positions[taps.clone()].iter().copied().zip(self.weights[taps].iter().copied())
    }

    /// Runs `f` on the rows `[from, inner]` of one tensor and `[to, inner]` of another.
    #[inline]
    fn each<T: Real>(&self, x: &[T], (from, to): (usize, usize), f: impl Fn(&[T], &mut [T]) + Sync + Send) -> Vec<T> {
        let mut out = vec![T::of(0.0); x.len() / from * to];
        let work = x.len().max(out.len()) * self.positions.len().div_ceil(self.output());
        // Rows of a last dimension are short: a task takes several.
        let rows = (1 << 12) / from.max(to) + 1;
        let blocks = x.chunks(rows * from).zip(out.chunks_mut(rows * to)).collect();
        for_each(blocks, work, |(x, out): (&[T], &mut [T])| {
            x.chunks_exact(from).zip(out.chunks_exact_mut(to)).for_each(|(x, out)| f(x, out));
        });
        out
    }

    /// `[outer, input, inner]` to `[outer, output, inner]`; no size may be 0.
    #[inline]
    pub fn forward<T: Real>(&self, x: &[T], inner: usize) -> Vec<T> {
        self.each(x, (self.input * inner, self.output() * inner), |x, out| {
            for (at, out) in out.chunks_exact_mut(inner).enumerate() {
                for (position, weight) in self.of(at) {
                    let weight = T::of(weight);
                    for (out, &x) in out.iter_mut().zip(&x[position * inner..][..inner]) {
                        *out = *out + weight * x;
                    }
                }
            }
        })
    }

    /// The gradient of `forward` for its input.
    #[inline]
    pub fn backward<T: Real>(&self, grad: &[T], inner: usize) -> Vec<T> {
        self.each(grad, (self.output() * inner, self.input * inner), |grad, out| {
            for (at, grad) in grad.chunks_exact(inner).enumerate() {
                for (position, weight) in self.of(at) {
                    let weight = T::of(weight);
                    for (out, &g) in out[position * inner..][..inner].iter_mut().zip(grad) {
                        *out = *out + weight * g;
                    }
                }
            }
        })
    }
}

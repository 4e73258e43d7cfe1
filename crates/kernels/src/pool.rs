//! Max pooling over planes `[height, width]`, one after another.

use crate::parallel::for_each;
use crate::real::Real;

/// Geometry of a pool: input and output sizes, kernel, stride, padding and dilation, each `[height, width]`.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    pub input: [usize; 2],
    pub output: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub dilation: [usize; 2],
}

impl Pool {
    fn planes(&self) -> (usize, usize) {
        (self.input[0] * self.input[1], self.output[0] * self.output[1])
    }

    /// The first row or column of the input in window `at` along `side`, and the end behind the last.
    #[inline(always)]
    fn window(&self, side: usize, at: usize) -> (usize, usize) {
        let (start, padding, dilation) = (at * self.stride[side], self.padding[side], self.dilation[side]);
        let end = (start + (self.kernel[side] - 1) * dilation + 1).saturating_sub(padding).min(self.input[side]);
        // A window that begins in the padding keeps its rhythm.
        let skipped = padding.saturating_sub(start).div_ceil(dilation) * dilation;
        (start + skipped - padding, end)
    }

    /// The largest element of each window, and where it is in its plane. The first of equals; NaN beats all, the last of them.
    pub fn max<T: Real>(&self, x: &[T]) -> (Vec<T>, Vec<i64>) {
        let (from, to) = self.planes();
        let planes = x.len().checked_div(from).unwrap_or(0);
        let mut values = vec![T::of(0.0); planes * to];
        let mut places = vec![0; planes * to];
        let outputs = values.chunks_exact_mut(to.max(1)).zip(places.chunks_exact_mut(to.max(1)));
        let work = x.chunks_exact(from.max(1)).zip(outputs).collect();
        for_each(work, x.len(), |(plane, (values, places))| self.max_plane(plane, values, places));
        (values, places)
    }

    fn max_plane<T: Real>(&self, plane: &[T], values: &mut [T], places: &mut [i64]) {
        let [_, width] = self.input;
        let [rows_apart, columns_apart] = self.dilation;
        let columns: Vec<(usize, usize)> = (0..self.output[1]).map(|column| self.window(1, column)).collect();
        let mut out = values.iter_mut().zip(places);
        for row in 0..self.output[0] {
            let (top, bottom) = self.window(0, row);
            for (&(left, right), (value, place)) in columns.iter().zip(out.by_ref()) {
                let (mut best, mut at) = (plane[top * width + left], top * width + left);
                let mut i = top;
                while i < bottom {
                    let mut j = left;
                    while j < right {
                        let x = plane[i * width + j];
                        // Selected rather than branched upon: which one wins is a coin toss to the processor.
                        let wins = (x > best) | x.is_nan();
                        best = std::hint::select_unpredictable(wins, x, best);
                        at = std::hint::select_unpredictable(wins, i * width + j, at);
                        j += columns_apart;
                    }
                    i += rows_apart;
                }
                (*value, *place) = (best, at as i64);
            }
        }
    }

    /// Sends each gradient to where its maximum was.
    pub fn max_grad<T: Real>(&self, grad: &[T], places: &[i64]) -> Vec<T> {
        let (from, to) = self.planes();
        let planes = grad.len().checked_div(to).unwrap_or(0);
        let mut out = vec![T::of(0.0); planes * from];
        let total = out.len();
        let inputs = grad.chunks_exact(to.max(1)).zip(places.chunks_exact(to.max(1)));
        let work = out.chunks_exact_mut(from.max(1)).zip(inputs).collect();
        for_each(work, total, |(out, (grad, places))| {
            for (&g, &place) in grad.iter().zip(places) {
                out[place as usize] = out[place as usize] + g;
            }
        });
        out
    }
}

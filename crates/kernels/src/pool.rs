//! Pooling over images `[depth, height, width]`, one after another; images of fewer dimensions have sides of 1 in front.

use crate::parallel::for_each;
use crate::real::Real;

/// The entries of one side that lie in a window: from `start` to before `end`.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    pub start: usize,
    pub end: usize,
    /// What this side brings to the number that a mean divides by.
    pub count: usize,
}

/// The windows of a pool: those of each side, in every combination. No span is empty.
#[derive(Debug, Clone)]
pub struct Pool {
    pub input: [usize; 3],
    pub spans: [Vec<Span>; 3],
    /// Distance between the entries of a window.
    pub dilation: [usize; 3],
}

/// Sum of a row; long ones in eight parts, which do not wait for one another.
#[inline(always)]
fn total<T: Real>(row: &[T]) -> T {
    const LANES: usize = 8;
    if row.len() < 2 * LANES {
        return row.iter().fold(T::of(0.0), |sum, &x| sum + x);
    }
    let mut parts = [T::of(0.0); LANES];
    let chunks = row.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (part, &x) in parts.iter_mut().zip(chunk) {
            *part = *part + x;
        }
    }
    parts.iter().chain(rest).fold(T::of(0.0), |sum, &x| sum + x)
}

impl Pool {
    /// Elements of an image before and after.
    fn sizes(&self) -> (usize, usize) {
        (self.input.iter().product(), self.spans.iter().map(Vec::len).product())
    }

    /// Every window in order.
    #[inline(always)]
    fn windows(&self) -> impl Iterator<Item = [Span; 3]> {
        let [depth, height, width] = &self.spans;
        depth.iter().flat_map(move |&z| height.iter().flat_map(move |&y| width.iter().map(move |&x| [z, y, x])))
    }

    /// Runs `f` on each image of `from` and what becomes of it.
    #[inline]
    fn each<A: Sync, B: Send>(from: &[A], to: &mut [B], (before, after): (usize, usize), f: impl Fn(&[A], &mut [B]) + Sync + Send) {
        let work = from.len().max(to.len());
        let images = from.chunks_exact(before.max(1)).zip(to.chunks_exact_mut(after.max(1))).collect();
        for_each(images, work, |(from, to)| f(from, to));
    }

    /// The largest element of each window, and where it is in its image. The first of equals; NaN beats all, the last of them.
    #[inline]
    pub fn max<T: Real>(&self, x: &[T]) -> (Vec<T>, Vec<i64>) {
        let (from, to) = self.sizes();
        let images = x.len().checked_div(from).unwrap_or(0);
        let mut values = vec![T::of(0.0); images * to];
        let mut places = vec![0; images * to];
        let outputs = values.chunks_exact_mut(to.max(1)).zip(places.chunks_exact_mut(to.max(1)));
        let work = x.chunks_exact(from.max(1)).zip(outputs).collect();
        for_each(work, x.len(), |(image, (values, places))| self.max_image(image, values, places));
        (values, places)
    }

    #[inline]
    fn max_image<T: Real>(&self, image: &[T], values: &mut [T], places: &mut [i64]) {
        let [_, height, width] = self.input;
        let [depths, rows, columns] = self.dilation;
        for ([z, y, x], (value, place)) in self.windows().zip(values.iter_mut().zip(places)) {
            let first = (z.start * height + y.start) * width + x.start;
            let (mut best, mut at) = (image[first], first);
            for k in (z.start..z.end).step_by(depths) {
                let mut i = y.start;
                while i < y.end {
                    let mut j = x.start;
                    while j < x.end {
                        let here = (k * height + i) * width + j;
                        let x = image[here];
                        // Selected rather than branched upon: which one wins is a coin toss to the processor.
                        let wins = (x > best) | x.is_nan();
                        best = std::hint::select_unpredictable(wins, x, best);
                        at = std::hint::select_unpredictable(wins, here, at);
                        j += columns;
                    }
                    i += rows;
                }
            }
            (*value, *place) = (best, at as i64);
        }
    }

    /// Sends each gradient to where its maximum was.
    #[inline]
    pub fn max_grad<T: Real>(&self, grad: &[T], places: &[i64]) -> Vec<T> {
        let (from, to) = self.sizes();
        let images = grad.len().checked_div(to).unwrap_or(0);
        let mut out = vec![T::of(0.0); images * from];
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

    /// Mean of each window.
    #[inline]
    pub fn mean<T: Real>(&self, x: &[T]) -> Vec<T> {
        let (from, to) = self.sizes();
        let [_, height, width] = self.input;
        let mut out = vec![T::of(0.0); x.len().checked_div(from).unwrap_or(0) * to];
        Self::each(x, &mut out, (from, to), |image, out| {
            for ([z, y, x], out) in self.windows().zip(out) {
                let mut sum = T::of(0.0);
                for k in z.start..z.end {
                    for i in y.start..y.end {
                        let row = (k * height + i) * width;
                        sum = sum + total(&image[row + x.start..row + x.end]);
                    }
                }
                *out = sum / T::of((z.count * y.count * x.count) as f64);
            }
        });
        out
    }

    /// Spreads each gradient over its window.
    #[inline]
    pub fn mean_grad<T: Real>(&self, grad: &[T]) -> Vec<T> {
        let (from, to) = self.sizes();
        let [_, height, width] = self.input;
        let mut out = vec![T::of(0.0); grad.len().checked_div(to).unwrap_or(0) * from];
        Self::each(grad, &mut out, (to, from), |grad, out| {
            for ([z, y, x], &g) in self.windows().zip(grad) {
                let share = g / T::of((z.count * y.count * x.count) as f64);
                for k in z.start..z.end {
                    for i in y.start..y.end {
                        let row = (k * height + i) * width;
                        for out in &mut out[row + x.start..row + x.end] {
                            *out = *out + share;
                        }
                    }
                }
            }
        });
        out
    }
}

/// Images of `size` zeros with each element of `x` at its place, the last one where several meet; `of` elements of `x` an image.
/// The places lie inside.
#[inline]
pub fn unpool<T: Real>(x: &[T], places: &[i64], of: usize, size: usize) -> Vec<T> {
    let mut out = vec![T::of(0.0); x.len().checked_div(of).unwrap_or(0) * size];
    let inputs = x.chunks_exact(of.max(1)).zip(places.chunks_exact(of.max(1)));
    for (out, (x, places)) in out.chunks_exact_mut(size.max(1)).zip(inputs) {
        for (&x, &place) in x.iter().zip(places) {
            out[place as usize] = x;
        }
    }
    out
}

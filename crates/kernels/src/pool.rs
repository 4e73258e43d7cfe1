//! Pooling over images `[depth, height, width]`, one after another; images of fewer dimensions have sides of 1 in front.

use crate::parallel::{for_each, simd};
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

/// Puts `x`, which is `here`, in the place of the best so far if it is larger or NaN.
#[inline(always)]
fn one<T: Real>(best: &mut T, place: &mut i64, x: T, here: usize) {
    // Selected rather than branched upon: which one wins is a coin toss to the processor.
    let wins = (x > *best) | x.is_nan();
    *best = std::hint::select_unpredictable(wins, x, *best);
    *place = std::hint::select_unpredictable(wins, here as i64, *place);
}

/// `one` for each of a row, with elements that are `STRIDE` apart; the first of them is `from`.
#[inline(always)]
fn compete<T: Real, const STRIDE: usize>(best: &mut [T], places: &mut [i64], line: &[T], from: usize) {
    let (whole, rest) = line.as_chunks::<STRIDE>();
    for (at, ((best, place), x)) in best.iter_mut().zip(places.iter_mut()).zip(whole).enumerate() {
        one(best, place, x[0], from + at * STRIDE);
    }
    // The last stands alone where nothing follows it.
    if let (Some(&x), Some(best), Some(place)) = (rest.first(), best.last_mut(), places.last_mut()) {
        one(best, place, x, from + whole.len() * STRIDE);
    }
}

/// Where the first span starts, how far apart they start and how wide they are, if that is the same for all.
fn even(spans: &[Span]) -> Option<(usize, usize, usize)> {
    let (first, second) = (spans.first()?, spans.get(1)?);
    let (stride, size) = (second.start.checked_sub(first.start)?, first.end - first.start);
    let alike = |(at, span): (usize, &Span)| span.start == first.start + at * stride && span.end - span.start == size;
    (stride > 0 && spans.iter().enumerate().all(alike)).then_some((first.start, stride, size))
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
        let even = even(&self.spans[2]);
        for_each(work, x.len(), |(image, (values, places))| match even {
            Some(even) => simd(
                #[inline(always)]
                || self.max_rows(image, values, places, even),
            ),
            None => self.max_windows(image, values, places),
        });
        (values, places)
    }

    /// Row by row of the outputs, whose windows start `stride` apart and are `size` wide: one entry of all windows of a row after another,
    /// in the order of `max_windows`.
    #[inline(always)]
    fn max_rows<T: Real>(&self, image: &[T], values: &mut [T], places: &mut [i64], (first, stride, size): (usize, usize, usize)) {
        let [_, height, width] = self.input;
        let [depths, rows, columns] = self.dilation;
        let across = self.spans[2].len();
        let lines = self.spans[0].iter().flat_map(|z| self.spans[1].iter().map(move |y| (z, y)));
        for ((z, y), (values, places)) in lines.zip(values.chunks_exact_mut(across).zip(places.chunks_exact_mut(across))) {
            values.fill(T::of(f64::NEG_INFINITY));
            let start = (z.start * height + y.start) * width + first;
            places.iter_mut().enumerate().for_each(|(i, place)| *place = (start + i * stride) as i64);
            for k in (z.start..z.end).step_by(depths) {
                for i in (y.start..y.end).step_by(rows) {
                    for j in (0..size).step_by(columns) {
                        let from = (k * height + i) * width + first + j;
                        let line = &image[from..from + (across - 1) * stride + 1];
                        match stride {
                            1 => compete::<T, 1>(values, places, line, from),
                            2 => compete::<T, 2>(values, places, line, from),
                            3 => compete::<T, 3>(values, places, line, from),
                            _ => {
                                for (at, (best, place)) in values.iter_mut().zip(places.iter_mut()).enumerate() {
                                    one(best, place, line[at * stride], from + at * stride);
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Window by window.
    #[inline]
    fn max_windows<T: Real>(&self, image: &[T], values: &mut [T], places: &mut [i64]) {
        let [_, height, width] = self.input;
        let [depths, rows, columns] = self.dilation;
        for ([z, y, x], (value, place)) in self.windows().zip(values.iter_mut().zip(places)) {
            let first = (z.start * height + y.start) * width + x.start;
            let (mut best, mut at) = (image[first], first as i64);
            for k in (z.start..z.end).step_by(depths) {
                let mut i = y.start;
                while i < y.end {
                    let mut j = x.start;
                    while j < x.end {
                        let here = (k * height + i) * width + j;
                        one(&mut best, &mut at, image[here], here);
                        j += columns;
                    }
                    i += rows;
                }
            }
            (*value, *place) = (best, at);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of windows against window by window: strides, sizes, dilations, equals, NaN and infinities.
    #[test]
    fn rows_and_windows_agree() {
        let input = [3, 17, 23];
        let image: Vec<f32> = (0..input.iter().product::<usize>())
            .map(|i| match i * 7919 % 101 {
                0 => f32::NAN,
                1 => f32::INFINITY,
                n if n < 40 => f32::NEG_INFINITY,
                n => (n % 9) as f32,
            })
            .collect();
        for stride in 1..5 {
            for (size, dilation) in [(1, 1), (2, 1), (3, 1), (2, 2), (3, 3)] {
                let reach = (size - 1) * dilation + 1;
                let side = |length: usize| -> Vec<Span> {
                    (0..)
                        .map(|i| i * stride)
                        .take_while(|start| start + reach <= length)
                        .map(|start| Span { start, end: start + reach, count: 1 })
                        .collect()
                };
                let spans =
                    if reach > 3 { [vec![Span { start: 0, end: 1, count: 1 }], side(17), side(23)] } else { [side(3), side(17), side(23)] };
                let pool = Pool { input, spans, dilation: [dilation; 3] };
                let (_, count) = pool.sizes();
                let (mut values, mut places) = (vec![0.0; count], vec![0; count]);
                pool.max_windows(&image, &mut values, &mut places);
                let (found, at) = pool.max(&image);
                assert_eq!(at, places, "stride {stride}, size {size}, dilation {dilation}");
                assert!(found.iter().zip(&values).all(|(a, b)| a.to_bits() == b.to_bits()));
            }
        }
    }
}

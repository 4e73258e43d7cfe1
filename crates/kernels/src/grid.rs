//! Samples of images at the places of a grid, as PyTorch's `grid_sample` takes them.

use crate::math::Math;
use crate::parallel::{for_each, map};

/// How a place between elements is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    Linear,
    Nearest,
    Cubic,
}

/// What is read beyond the border.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    Zeros,
    Border,
    Reflection,
}

/// Images `[batch, channels, depth, height, width]`, the depth 1 where they have two dimensions, and grids `[batch, places, rank]` whose
/// coordinates run from -1 to 1, the one along the width first.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    pub batch: usize,
    pub channels: usize,
    pub input: [usize; 3],
    pub places: usize,
    pub rank: usize,
    pub filter: Filter,
    pub outside: Outside,
    /// -1 and 1 are the centres of the outermost elements rather than their outer edges.
    pub corners: bool,
}

/// No element: reads as 0.
const NOWHERE: usize = usize::MAX;

/// One element that a coordinate reads along its dimension. Its weight is a polynomial in the distance from the coordinate.
#[derive(Debug, Clone, Copy)]
struct Tap<T> {
    at: usize,
    weight: [T; 4],
}

/// Places a task takes.
const BLOCK: usize = 512;

impl Grid {
    /// Taps that a coordinate has along its dimension.
    pub fn taps(&self) -> usize {
        match self.filter {
            Filter::Nearest => 1,
            Filter::Linear => 2,
            Filter::Cubic => 4,
        }
    }

    /// Combinations of taps over the dimensions.
    pub fn combinations(&self) -> usize {
        self.taps().pow(self.rank as u32)
    }

    fn pixels(&self) -> usize {
        self.input.iter().product()
    }

    /// `x` clamped to the image, and whether it was inside; NaN becomes the first element.
    #[inline]
    fn clipped<T: Math>(x: T, size: usize) -> (T, bool) {
        let last = T::of((size - 1) as f64);
        if x >= last {
            (last, false)
        } else if x > T::of(0.0) {
            (x, true)
        } else {
            (T::of(0.0), false)
        }
    }

    /// `x` folded back at both ends as often as it takes, and which way it goes then.
    #[inline]
    fn reflected<T: Math>(&self, x: T, size: usize) -> (T, T) {
        let (low, span) = if self.corners { (0.0, (size - 1) as f64) } else { (-0.5, size as f64) };
        if span == 0.0 {
            return (T::of(0.0), T::of(0.0));
        }
        let from = (x - T::of(low)).f64();
        let (distance, way) = if from < 0.0 { (-from, -1.0) } else { (from, 1.0) };
        let (rest, flips) = (distance % span, (distance / span).floor());
        let (place, way) = if flips % 2.0 == 0.0 { (rest + low, way) } else { (span - rest + low, -way) };
        (T::of(place), T::of(way))
    }

    /// Where in the image an element at `place` lies, which may be beyond.
    #[inline]
    fn element<T: Math>(&self, place: T, size: usize) -> usize {
        let place = match self.outside {
            Outside::Zeros => place,
            Outside::Border => Self::clipped(place, size).0,
            Outside::Reflection => Self::clipped(self.reflected(place, size).0, size).0,
        };
        if place >= T::of(0.0) && place < T::of(size as f64) { place.f64() as usize } else { NOWHERE }
    }

    /// The elements that coordinate `x` reads along a dimension of `size`; as many as `taps` says.
    #[inline]
    fn side<T: Math>(&self, x: T, size: usize) -> [Tap<T>; 4] {
        let (zero, one) = (T::of(0.0), T::of(1.0));
        let mut out = [Tap { at: NOWHERE, weight: [zero; 4] }; 4];
        let (scale, shift) = if self.corners { ((size as f64 - 1.0) / 2.0, 0.0) } else { (size as f64 / 2.0, 0.5) };
        let mut slope = T::of(scale);
        let mut place = (x + one) * slope - T::of(shift);
        if self.filter == Filter::Cubic {
            let first = place.floor();
            let t = (place - first).f64();
            for (i, tap) in out.iter_mut().enumerate() {
                tap.at = self.element(first + T::of(i as f64 - 1.0), size);
                let mut power = 1.0;
                for (weight, part) in tap.weight.iter_mut().zip(cubic(i, t)) {
                    *weight = T::of(part * power);
                    power *= scale;
                }
            }
            return out;
        }
        let mut way = one;
        if self.outside == Outside::Reflection {
            (place, way) = self.reflected(place, size);
        }
        if self.outside != Outside::Zeros {
            let inside;
            (place, inside) = Self::clipped(place, size);
            slope = if inside { slope * way } else { zero };
        }
        if self.filter == Filter::Nearest {
            let place = place.round_even();
            let within = place >= zero && place < T::of(size as f64);
            out[0] = Tap { at: if within { place.f64() as usize } else { NOWHERE }, weight: [one, zero, zero, zero] };
            return out;
        }
        let first = place.floor();
        let t = place - first;
        for (tap, (place, weight, slope)) in out.iter_mut().zip([(first, one - t, -slope), (first + one, t, slope)]) {
            let within = place >= zero && place < T::of(size as f64);
            *tap = Tap { at: if within { place.f64() as usize } else { NOWHERE }, weight: [weight, slope, zero, zero] };
        }
        out
    }

    /// The taps of a place along width, height and depth.
    #[inline]
    fn sides<T: Math>(&self, place: &[T]) -> [[Tap<T>; 4]; 3] {
        let one = Tap { at: 0, weight: [T::of(1.0), T::of(0.0), T::of(0.0), T::of(0.0)] };
        std::array::from_fn(|side| match place.get(side) {
            Some(&x) => self.side(x, self.input[2 - side]),
            None => [one; 4],
        })
    }

    /// Runs `f` on every combination of taps of a place: the element, and the taps along width, height and depth.
    #[inline(always)]
    fn combine<T: Math>(&self, sides: &[[Tap<T>; 4]; 3], mut f: impl FnMut(usize, [&Tap<T>; 3])) {
        let [_, height, width] = self.input;
        let taps = self.taps();
        for z in &sides[2][..if self.rank == 3 { taps } else { 1 }] {
            for y in &sides[1][..taps] {
                for x in &sides[0][..taps] {
                    let lost = x.at == NOWHERE || y.at == NOWHERE || z.at == NOWHERE;
                    f(if lost { NOWHERE } else { (z.at * height + y.at) * width + x.at }, [x, y, z]);
                }
            }
        }
    }

    /// Elements and weights of every place of one grid, a combination after another.
    #[inline]
    fn table<T: Math>(&self, grid: &[T]) -> (Vec<usize>, Vec<T>) {
        let each = self.combinations();
        let mut elements = vec![NOWHERE; self.places * each];
        let mut weights = vec![T::of(0.0); self.places * each];
        let blocks = grid.chunks(BLOCK * self.rank).zip(elements.chunks_mut(BLOCK * each)).zip(weights.chunks_mut(BLOCK * each)).collect();
        for_each(blocks, self.places * each * 8, |((grid, elements), weights): ((&[T], &mut [usize]), &mut [T])| {
            let rows = elements.chunks_exact_mut(each).zip(weights.chunks_exact_mut(each));
            for (place, (elements, weights)) in grid.chunks_exact(self.rank).zip(rows) {
                let mut k = 0;
                self.combine(&self.sides(place), |at, [x, y, z]| {
                    (elements[k], weights[k]) = (at, x.weight[0] * y.weight[0] * z.weight[0]);
                    k += 1;
                });
            }
        });
        (elements, weights)
    }

    /// `[batch, channels, places]`.
    #[inline]
    pub fn forward<T: Math>(&self, x: &[T], grid: &[T]) -> Vec<T> {
        let (pixels, each) = (self.pixels(), self.combinations());
        let mut out = vec![T::of(0.0); self.batch * self.channels * self.places];
        let images = x.chunks_exact(pixels * self.channels).zip(grid.chunks_exact(self.places * self.rank));
        for ((x, grid), out) in images.zip(out.chunks_exact_mut(self.channels * self.places)) {
            let (elements, weights) = self.table(grid);
            let channels = x.chunks_exact(pixels).zip(out.chunks_exact_mut(self.places)).collect();
            for_each(channels, self.channels * elements.len(), |(x, out): (&[T], &mut [T])| {
                for (out, (at, weight)) in out.iter_mut().zip(elements.chunks_exact(each).zip(weights.chunks_exact(each))) {
                    *out = at.iter().zip(weight).fold(T::of(0.0), |sum, (&at, &weight)| sum + weight * read(x, at));
                }
            });
        }
        out
    }

    /// The gradient of `forward` for the images.
    #[inline]
    pub fn image_grad<T: Math>(&self, grad: &[T], grid: &[T]) -> Vec<T> {
        let (pixels, each) = (self.pixels(), self.combinations());
        let mut out = vec![T::of(0.0); self.batch * self.channels * pixels];
        let images = grad.chunks_exact(self.places * self.channels).zip(grid.chunks_exact(self.places * self.rank));
        for ((grad, grid), out) in images.zip(out.chunks_exact_mut(self.channels * pixels)) {
            let (elements, weights) = self.table(grid);
            let channels = grad.chunks_exact(self.places).zip(out.chunks_exact_mut(pixels)).collect();
            for_each(channels, self.channels * elements.len(), |(grad, out): (&[T], &mut [T])| {
                for (&g, (at, weight)) in grad.iter().zip(elements.chunks_exact(each).zip(weights.chunks_exact(each))) {
                    for (&at, &weight) in at.iter().zip(weight) {
                        if let Some(out) = out.get_mut(at) {
                            *out = *out + weight * g;
                        }
                    }
                }
            });
        }
        out
    }

    /// The gradient of `forward` for the grids.
    #[inline]
    pub fn grid_grad<T: Math>(&self, grad: &[T], x: &[T], grid: &[T]) -> Vec<T> {
        let (pixels, places) = (self.pixels(), self.places);
        let mut out = vec![T::of(0.0); grid.len()];
        let images = x.chunks_exact(pixels * self.channels).zip(grad.chunks_exact(places * self.channels));
        for ((x, grad), (grid, out)) in images.zip(grid.chunks_exact(places * self.rank).zip(out.chunks_exact_mut(places * self.rank))) {
            let blocks = grid.chunks(BLOCK * self.rank).zip(out.chunks_mut(BLOCK * self.rank)).enumerate().collect();
            for_each(blocks, places * self.combinations() * self.channels, |(block, (grid, out)): (usize, (&[T], &mut [T]))| {
                for (at, (place, out)) in grid.chunks_exact(self.rank).zip(out.chunks_exact_mut(self.rank)).enumerate() {
                    let at = block * BLOCK + at;
                    let mut sums = [T::of(0.0); 3];
                    self.combine(&self.sides(place), |element, [a, b, c]| {
                        if element == NOWHERE {
                            return;
                        }
                        let channels = x.chunks_exact(pixels).zip(grad.chunks_exact(places));
                        let dot = channels.fold(T::of(0.0), |sum, (x, grad)| sum + x[element] * grad[at]);
                        sums[0] = sums[0] + dot * a.weight[1] * b.weight[0] * c.weight[0];
                        sums[1] = sums[1] + dot * a.weight[0] * b.weight[1] * c.weight[0];
                        sums[2] = sums[2] + dot * a.weight[0] * b.weight[0] * c.weight[1];
                    });
                    out.copy_from_slice(&sums[..self.rank]);
                }
            });
        }
        out
    }

    /// The element that each place reads in each combination of taps, -1 for none: a list of `[batch * places]` for each combination.
    #[inline]
    pub fn elements<T: Math>(&self, grid: &[T]) -> Vec<Vec<i64>> {
        let mut out = vec![Vec::with_capacity(self.batch * self.places); self.combinations()];
        for place in grid.chunks_exact(self.rank) {
            let mut lists = out.iter_mut();
            self.combine(&self.sides(place), |at, _| {
                if let Some(list) = lists.next() {
                    list.push(if at == NOWHERE { -1 } else { at as i64 });
                }
            });
        }
        out
    }

    /// The polynomials of the weights: for each dimension and tap the coefficients of `(x - x0)^0` to `(x - x0)^3`, a list of
    /// `[batch * places]` each.
    #[inline]
    pub fn polynomials<T: Math>(&self, grid: &[T]) -> Vec<Vec<[Vec<T>; 4]>> {
        let places: Vec<&[T]> = grid.chunks_exact(self.rank).collect();
        let sides = map(&places, places.len() * 8, |place| self.sides(place));
        let list = |side: usize, tap: usize, power: usize| sides.iter().map(|taps| taps[side][tap].weight[power]).collect();
        (0..self.rank).map(|side| (0..self.taps()).map(|tap| std::array::from_fn(|power| list(side, tap, power))).collect()).collect()
    }
}

#[inline(always)]
fn read<T: Math>(x: &[T], at: usize) -> T {
    x.get(at).copied().unwrap_or(T::of(0.0))
}

/// Keys' cubic convolution with a = -0.75: the weight of the element `tap - 1` from the one before the place, which lies `t` behind that
/// one, and its derivatives over the factorials.
fn cubic(tap: usize, t: f64) -> [f64; 4] {
    const A: f64 = -0.75;
    // Far: a x^3 - 5a x^2 + 8a x - 4a at 1 < x < 2; near: (a + 2) x^3 - (a + 3) x^2 + 1 below.
    let (c, x, way) = match tap {
        0 => ([-4.0 * A, 8.0 * A, -5.0 * A, A], t + 1.0, 1.0),
        1 => ([1.0, 0.0, -(A + 3.0), A + 2.0], t, 1.0),
        2 => ([1.0, 0.0, -(A + 3.0), A + 2.0], 1.0 - t, -1.0),
        _ => ([-4.0 * A, 8.0 * A, -5.0 * A, A], 2.0 - t, -1.0),
    };
    let first = (3.0 * c[3] * x + 2.0 * c[2]) * x + c[1];
    [((c[3] * x + c[2]) * x + c[1]) * x + c[0], way * first, 3.0 * c[3] * x + c[2], way * c[3]]
}

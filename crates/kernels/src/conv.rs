//! 2-D convolution as matrix products: the windows of an image become the columns of a matrix.

use rayon::prelude::*;

use crate::matrix::{Matrix, Threads, product};
use crate::real::Real;

/// Geometry of a convolution; pairs are `[height, width]`.
#[derive(Debug, Clone, Copy)]
pub struct Conv {
    pub batch: usize,
    pub in_channels: usize,
    pub out_channels: usize,
    pub groups: usize,
    pub input: [usize; 2],
    pub output: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub dilation: [usize; 2],
}

/// Parts of a batch whose weight gradients are summed apart; fixed, so that the result does not depend on the machine.
const PARTS: usize = 8;

impl Conv {
    /// Elements of one image of the input and of the output.
    fn image(&self) -> (usize, usize) {
        (self.in_channels * self.input[0] * self.input[1], self.out_channels * self.places())
    }

    fn places(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Rows of the matrix of windows: the elements of a window over the channels of one group.
    fn depth(&self) -> usize {
        self.in_channels / self.groups * self.kernel[0] * self.kernel[1]
    }

    /// A 1 x 1 convolution sees the image itself as its matrix of windows.
    fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.padding == [0, 0]
    }

    /// Few images share the cores within each product, many are worked on side by side.
    fn threads(&self) -> Threads {
        if self.batch < rayon::current_num_threads() { Threads::All } else { Threads::One }
    }

    /// Runs `work` on each image of an input and its place in an output, given with their sizes; `work` gets a buffer of its own.
    fn each_image<T: Real>(
        &self,
        (input, from): (&[T], usize),
        (output, to): (&mut [T], usize),
        work: impl Fn(&mut Vec<T>, (&[T], &mut [T])) + Sync + Send,
    ) {
        match self.threads() {
            Threads::One => input.par_chunks_exact(from).zip(output.par_chunks_exact_mut(to)).for_each_init(Vec::new, work),
            Threads::All => {
                let mut buffer = Vec::new();
                input.chunks_exact(from).zip(output.chunks_exact_mut(to)).for_each(|images| work(&mut buffer, images));
            }
        }
    }

    /// `[batch, out, height, width]` from an input and a weight `[out, in / groups, kh, kw]`.
    pub fn forward<T: Real>(&self, x: &[T], weight: &[T], bias: Option<&[T]>) -> Vec<T> {
        let (from, to) = self.image();
        let (places, depth, threads) = (self.places(), self.depth(), self.threads());
        let each = self.out_channels / self.groups;
        let mut out = vec![T::of(0.0); self.batch * to];
        let run = |columns: &mut Vec<T>, (image, out): (&[T], &mut [T])| {
            if let Some(bias) = bias {
                for (channel, &b) in out.chunks_exact_mut(places).zip(bias) {
                    channel.fill(b);
                }
            }
            for (group, out) in out.chunks_exact_mut(each * places).enumerate() {
                let columns = self.columns(image, group, columns);
                let weight = Matrix::new(&weight[group * each * depth..], each, depth);
                product(out, bias.is_some(), weight, Matrix::new(columns, depth, places), threads);
            }
        };
        self.each_image((x, from), (&mut out, to), run);
        out
    }

    /// The gradient for the input, from the output's.
    pub fn input_grad<T: Real>(&self, grad: &[T], weight: &[T]) -> Vec<T> {
        let (from, to) = self.image();
        let (places, depth, threads) = (self.places(), self.depth(), self.threads());
        let each = self.out_channels / self.groups;
        let mut out = vec![T::of(0.0); self.batch * from];
        let run = |columns: &mut Vec<T>, (grad, image): (&[T], &mut [T])| {
            for (group, grad) in grad.chunks_exact(each * places).enumerate() {
                let weight = Matrix::new(&weight[group * each * depth..], each, depth).transposed();
                let part = image.len() / self.groups;
                let image = &mut image[group * part..(group + 1) * part];
                if self.is_pointwise() {
                    product(image, false, weight, Matrix::new(grad, each, places), threads);
                } else {
                    columns.resize(depth * places, T::of(0.0));
                    product(columns, false, weight, Matrix::new(grad, each, places), threads);
                    self.scatter(columns, image);
                }
            }
        };
        self.each_image((grad, to), (&mut out, from), run);
        out
    }

    /// The gradient for the weight, from the output's.
    pub fn weight_grad<T: Real>(&self, x: &[T], grad: &[T]) -> Vec<T> {
        let (from, to) = self.image();
        let (places, depth) = (self.places(), self.depth());
        let each = self.out_channels / self.groups;
        let images = self.batch.div_ceil(PARTS).max(1);
        let threads = if self.batch.div_ceil(images) < rayon::current_num_threads() { Threads::All } else { Threads::One };
        let part = |(x, grad): (&[T], &[T])| {
            let (mut out, mut columns) = (vec![T::of(0.0); self.out_channels * depth], Vec::new());
            for (image, grad) in x.chunks_exact(from).zip(grad.chunks_exact(to)) {
                for (group, (out, grad)) in out.chunks_exact_mut(each * depth).zip(grad.chunks_exact(each * places)).enumerate() {
                    let columns = Matrix::new(self.columns(image, group, &mut columns), depth, places);
                    product(out, true, Matrix::new(grad, each, places), columns.transposed(), threads);
                }
            }
            out
        };
        let parts: Vec<Vec<T>> = match threads {
            Threads::One => x.par_chunks(images * from).zip(grad.par_chunks(images * to)).map(part).collect(),
            Threads::All => x.chunks(images * from).zip(grad.chunks(images * to)).map(part).collect(),
        };
        let mut parts = parts.into_iter();
        let mut total = parts.next().unwrap_or_else(|| vec![T::of(0.0); self.out_channels * depth]);
        for part in parts {
            for (total, part) in total.iter_mut().zip(part) {
                *total = *total + part;
            }
        }
        total
    }

    /// Calls `f(row, offset, column range, first column of the input)` for each run of a window element over one output row; the
    /// output columns outside the range see padding.
    #[inline(always)]
    fn runs(&self, mut f: impl FnMut(usize, usize, std::ops::Range<usize>, usize)) {
        let [height, width] = self.input;
        let [rows, columns] = self.output;
        for channel in 0..self.in_channels / self.groups {
            for ki in 0..self.kernel[0] {
                for kj in 0..self.kernel[1] {
                    let row = (channel * self.kernel[0] + ki) * self.kernel[1] + kj;
                    let across = kj * self.dilation[1];
                    // Output columns whose window element lies inside the image.
                    let first = self.padding[1].saturating_sub(across).div_ceil(self.stride[1]).min(columns);
                    let end = (width + self.padding[1]).saturating_sub(across).div_ceil(self.stride[1]).clamp(first, columns);
                    for i in 0..rows {
                        let down = (i * self.stride[0] + ki * self.dilation[0]).checked_sub(self.padding[0]);
                        match down.filter(|&down| down < height) {
                            Some(down) => {
                                let left = (first * self.stride[1] + across).wrapping_sub(self.padding[1]);
                                f(row, i * columns, first..end, (channel * height + down) * width + left);
                            }
                            None => f(row, i * columns, 0..0, 0),
                        }
                    }
                }
            }
        }
    }

    /// The matrix of windows `[depth, places]` of one group of an image.
    fn columns<'a, T: Real>(&self, image: &'a [T], group: usize, buffer: &'a mut Vec<T>) -> &'a [T] {
        let part = image.len() / self.groups;
        let image = &image[group * part..(group + 1) * part];
        if self.is_pointwise() {
            return image;
        }
        let (places, stride, wide) = (self.places(), self.stride[1], self.output[1]);
        buffer.resize(self.depth() * places, T::of(0.0));
        self.runs(|row, offset, inside, from| {
            let out = &mut buffer[row * places + offset..][..wide];
            let (count, end) = (inside.len(), inside.end);
            out[..inside.start].fill(T::of(0.0));
            out[end..].fill(T::of(0.0));
            let out = &mut out[inside];
            match stride {
                _ if count == 0 => {}
                1 => out.copy_from_slice(&image[from..from + count]),
                _ => out.iter_mut().zip(image[from..].iter().step_by(stride)).for_each(|(out, &x)| *out = x),
            }
        });
        buffer
    }

    /// Adds a matrix of windows back to where its elements came from.
    fn scatter<T: Real>(&self, columns: &[T], image: &mut [T]) {
        let (places, stride) = (self.places(), self.stride[1]);
        self.runs(|row, offset, inside, to| {
            let count = inside.len();
            let from = &columns[row * places + offset..][inside];
            match stride {
                _ if count == 0 => {}
                1 => image[to..to + count].iter_mut().zip(from).for_each(|(out, &x)| *out = *out + x),
                _ => image[to..].iter_mut().step_by(stride).zip(from).for_each(|(out, &x)| *out = *out + x),
            }
        });
    }
}

//! Convolution over one to three dimensions as matrix products: the windows of an image become the columns of a matrix.

use rayon::prelude::*;

use crate::lanes::sum_of_two;
use crate::matrix::{Matrix, Threads, product};
use crate::parallel::simd;
use crate::real::Real;

/// Geometry of a convolution; sizes are `[depth, height, width]`, 1 where there are fewer dimensions.
#[derive(Debug, Clone, Copy)]
pub struct Conv {
    pub batch: usize,
    pub in_channels: usize,
    pub out_channels: usize,
    pub groups: usize,
    pub input: [usize; 3],
    pub output: [usize; 3],
    pub kernel: [usize; 3],
    pub stride: [usize; 3],
    /// Zeros before the first element; what `output` asks for beyond the last reads as zeros too.
    pub padding: [usize; 3],
    pub dilation: [usize; 3],
}

/// Outputs of one channel from which on a matrix product is the quicker way.
const FEW: usize = 4;

/// Parts of a batch whose weight gradients are summed apart; fixed, so that the result does not depend on the machine.
const PARTS: usize = 8;

/// Copies a row of a window, most of which are too short for a call of `memcpy` to pay.
#[inline(always)]
fn copy<T: Copy>(out: &mut [T], from: &[T]) {
    const PART: usize = 8;
    let count = out.len();
    if !(PART..=4 * PART).contains(&count) {
        out.copy_from_slice(from);
        return;
    }
    let (whole, _) = out.as_chunks_mut::<PART>();
    for (out, from) in whole.iter_mut().zip(from.as_chunks::<PART>().0) {
        *out = *from;
    }
    // Over what was copied already.
    if let (Some(out), Some(from)) = (out.last_chunk_mut::<PART>(), from.last_chunk::<PART>()) {
        *out = *from;
    }
}

impl Conv {
    /// Elements of one image of the input and of the output.
    fn image(&self) -> (usize, usize) {
        (self.in_channels * self.input.iter().product::<usize>(), self.out_channels * self.places())
    }

    fn places(&self) -> usize {
        self.output.iter().product()
    }

    /// Rows of the matrix of windows: the elements of a window over the channels of one group.
    fn depth(&self) -> usize {
        self.in_channels / self.groups * self.kernel.iter().product::<usize>()
    }

    /// A 1 x 1 convolution sees the image itself as its matrix of windows.
    fn is_pointwise(&self) -> bool {
        self.kernel == [1; 3] && self.stride == [1; 3] && self.padding == [0; 3] && self.input == self.output
    }

    /// Few images share the cores within each product, many are worked on side by side.
    fn threads(&self) -> Threads {
        if self.batch < rayon::current_num_threads() { Threads::All } else { Threads::One }
    }

    /// Runs `work` on each image of an input and its place in an output, given with their sizes; `work` gets a buffer of its own.
    #[inline]
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

    /// Every output sees one channel, and few see the same: a matrix product would have few rows, for as many copies of the image as the
    /// kernel has elements.
    fn is_depthwise(&self) -> bool {
        self.in_channels == self.groups && self.out_channels < FEW * self.groups && !self.is_pointwise()
    }

    /// `[batch, out, ...output]` from an input and a weight `[out, in / groups, ...kernel]`.
    #[inline]
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
                if self.is_depthwise() {
                    self.depthwise(self.part(image, group), &weight[group * each * depth..], out);
                    continue;
                }
                let columns = self.columns(image, group, columns);
                let weight = Matrix::new(&weight[group * each * depth..], each, depth);
                product(out, bias.is_some(), weight, Matrix::new(columns, depth, places), threads);
            }
        };
        self.each_image((x, from), (&mut out, to), run);
        out
    }

    /// The gradient for the input, from the output's; as a transposed convolution it has a bias.
    #[inline]
    pub fn input_grad<T: Real>(&self, grad: &[T], weight: &[T], bias: Option<&[T]>) -> Vec<T> {
        let (from, to) = self.image();
        let (places, depth, threads) = (self.places(), self.depth(), self.threads());
        let each = self.out_channels / self.groups;
        let mut out = vec![T::of(0.0); self.batch * from];
        let run = |columns: &mut Vec<T>, (grad, image): (&[T], &mut [T])| {
            if let Some(bias) = bias {
                for (channel, &b) in image.chunks_exact_mut(from / self.in_channels).zip(bias) {
                    channel.fill(b);
                }
            }
            for (group, grad) in grad.chunks_exact(each * places).enumerate() {
                let part = image.len() / self.groups;
                let image = &mut image[group * part..(group + 1) * part];
                if self.is_depthwise() {
                    self.depthwise_input_grad(grad, &weight[group * each * depth..], image);
                    continue;
                }
                let weight = Matrix::new(&weight[group * each * depth..], each, depth).transposed();
                if self.is_pointwise() {
                    product(image, bias.is_some(), weight, Matrix::new(grad, each, places), threads);
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
    #[inline]
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
                    if self.is_depthwise() {
                        self.depthwise_weight_grad(self.part(image, group), grad, out);
                        continue;
                    }
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
        let [depth, height, width] = self.input;
        let [planes, rows, columns] = self.output;
        let [kernel_depth, kernel_height, kernel_width] = self.kernel;
        // The row of the input that an output row sees through a kernel row, where there is one.
        let inside = |side: usize, out: usize, kernel: usize, size: usize| {
            (out * self.stride[side] + kernel * self.dilation[side]).checked_sub(self.padding[side]).filter(|&at| at < size)
        };
        let window = kernel_depth * kernel_height * kernel_width;
        for row in 0..self.in_channels / self.groups * window {
            let (channel, element) = (row / window, row % window);
            let (kd, kh, kw) = (element / (kernel_height * kernel_width), element / kernel_width % kernel_height, element % kernel_width);
            let across = kw * self.dilation[2];
            // Output columns whose window element lies inside the image.
            let first = self.padding[2].saturating_sub(across).div_ceil(self.stride[2]).min(columns);
            let end = (width + self.padding[2]).saturating_sub(across).div_ceil(self.stride[2]).clamp(first, columns);
            let left = (first * self.stride[2] + across).wrapping_sub(self.padding[2]);
            let mut offset = 0;
            for plane in 0..planes {
                let plane = inside(0, plane, kd, depth);
                for line in 0..rows {
                    match (plane, inside(1, line, kh, height)) {
                        (Some(d), Some(h)) => f(row, offset, first..end, ((channel * depth + d) * height + h) * width + left),
                        _ => f(row, offset, 0..0, 0),
                    }
                    offset += columns;
                }
            }
        }
    }

    /// One group of an image.
    #[inline]
    fn part<'a, T>(&self, image: &'a [T], group: usize) -> &'a [T] {
        let part = image.len() / self.groups;
        &image[group * part..(group + 1) * part]
    }

    /// Adds the convolution of one channel to the outputs `[out / groups, ...]` that see it.
    #[inline]
    fn depthwise<T: Real>(&self, image: &[T], weight: &[T], out: &mut [T]) {
        let stride = self.stride[2];
        for (out, weight) in out.chunks_exact_mut(self.places()).zip(weight.chunks_exact(self.depth())) {
            simd(
                #[inline(always)]
                || {
                    self.runs(
                        #[inline(always)]
                        |row, offset, inside, from| {
                            let (w, count, out) = (weight[row], inside.len(), &mut out[offset..][inside]);
                            match stride {
                                _ if count == 0 => {}
                                1 => out.iter_mut().zip(&image[from..from + count]).for_each(|(out, &x)| *out = *out + w * x),
                                _ => out.iter_mut().zip(image[from..].iter().step_by(stride)).for_each(|(out, &x)| *out = *out + w * x),
                            }
                        },
                    );
                },
            );
        }
    }

    /// Adds the gradients of the outputs that see a channel to the channel's.
    #[inline]
    fn depthwise_input_grad<T: Real>(&self, grad: &[T], weight: &[T], image: &mut [T]) {
        let stride = self.stride[2];
        for (grad, weight) in grad.chunks_exact(self.places()).zip(weight.chunks_exact(self.depth())) {
            simd(
                #[inline(always)]
                || {
                    self.runs(
                        #[inline(always)]
                        |row, offset, inside, to| {
                            let (w, count, grad) = (weight[row], inside.len(), &grad[offset..][inside]);
                            match stride {
                                _ if count == 0 => {}
                                1 => image[to..to + count].iter_mut().zip(grad).for_each(|(out, &g)| *out = *out + w * g),
                                _ => image[to..].iter_mut().step_by(stride).zip(grad).for_each(|(out, &g)| *out = *out + w * g),
                            }
                        },
                    );
                },
            );
        }
    }

    /// Adds to the gradients of the weights `[out / groups, ...kernel]` that one channel is seen through.
    #[inline]
    fn depthwise_weight_grad<T: Real>(&self, image: &[T], grad: &[T], out: &mut [T]) {
        let stride = self.stride[2];
        for (grad, out) in grad.chunks_exact(self.places()).zip(out.chunks_exact_mut(self.depth())) {
            simd(
                #[inline(always)]
                || {
                    self.runs(
                        #[inline(always)]
                        |row, offset, inside, from| {
                            let (count, grad) = (inside.len(), &grad[offset..][inside]);
                            let sum = match stride {
                                _ if count == 0 => return,
                                1 => sum_of_two(
                                    grad,
                                    &image[from..from + count],
                                    #[inline(always)]
                                    |g, x| g * x,
                                ),
                                _ => grad.iter().zip(image[from..].iter().step_by(stride)).fold(T::of(0.0), |sum, (&g, &x)| sum + g * x),
                            };
                            out[row] = out[row] + sum;
                        },
                    );
                },
            );
        }
    }

    /// The matrix of windows `[depth, places]` of one group of an image.
    #[inline]
    fn columns<'a, T: Real>(&self, image: &'a [T], group: usize, buffer: &'a mut Vec<T>) -> &'a [T] {
        let image = self.part(image, group);
        if self.is_pointwise() {
            return image;
        }
        let (places, stride, wide) = (self.places(), self.stride[2], self.output[2]);
        buffer.resize(self.depth() * places, T::of(0.0));
        self.runs(|row, offset, inside, from| {
            let out = &mut buffer[row * places + offset..][..wide];
            let count = inside.len();
            if count < wide {
                out[..inside.start].fill(T::of(0.0));
                out[inside.end..].fill(T::of(0.0));
            }
            let out = &mut out[inside];
            match stride {
                _ if count == 0 => {}
                1 => copy(out, &image[from..from + count]),
                _ => out.iter_mut().zip(image[from..].iter().step_by(stride)).for_each(|(out, &x)| *out = x),
            }
        });
        buffer
    }

    /// Adds a matrix of windows back to where its elements came from.
    #[inline]
    fn scatter<T: Real>(&self, columns: &[T], image: &mut [T]) {
        let (places, stride) = (self.places(), self.stride[2]);
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

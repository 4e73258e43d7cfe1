//! The ops behind every pool: where its windows lie, maxima and means over them, and the way back.

use std::rc::Rc;

use burn_std::Shape;
use firn_kernels::pool::{Pool, Span, unpool};

use super::index::gather;
use super::shaping::{flatten, reshape, signed};
use super::{Index, ops};
use crate::cpu::{contiguous, from_vec, slice, with_slice};
use crate::create::{room, zeros};
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::shape::{Window, show};
use crate::tensor::Tensor;

/// The windows of one call. `pool` speaks of three dimensions, of which the tensors have the last `rank`.
#[derive(Debug, Clone)]
pub struct Windows {
    pool: Rc<Pool>,
    rank: usize,
}

/// What a mean divides by: the places of a window with or without padding, or a number.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Count {
    Padded,
    Inside,
    Fixed(usize),
}

/// Kernel, stride, padding and dilation.
pub(crate) type Sides<const N: usize> = ([usize; N], [usize; N], [usize; N], [usize; N]);

/// The spatial sizes of `x`.
pub(crate) fn image<const N: usize>(x: &Tensor) -> Result<[usize; N]> {
    let sizes = x.shape().len().checked_sub(N).and_then(|at| <[usize; N]>::try_from(&x.shape()[at..]).ok());
    let batched = x.rank() == N + 2;
    match sizes {
        Some(sizes) if (batched || x.rank() == N + 1) && x.dtype().is_float() => {
            if x.shape()[usize::from(batched)..].contains(&0) {
                bail!(Shape, "only the batch may be empty; input is {}", show(x.shape()));
            }
            Ok(sizes)
        }
        _ => {
            let axes = ["depth", "height", "width"][3 - N..].join(", ");
            bail!(
                Shape,
                "expected a floating point [batch, channels, {axes}] or [channels, {axes}] and got {} {}",
                x.dtype().name(),
                show(x.shape())
            )
        }
    }
}

impl Windows {
    fn new<const N: usize>(input: [usize; N], spans: [Vec<Span>; N], dilation: [usize; N], extra: usize) -> Windows {
        let mut pool = Pool { input: [1; 3], spans: [const { Vec::new() }; 3], dilation: [1; 3] };
        pool.spans.fill(vec![Span { start: 0, end: 1, count: 1 }]);
        for (i, spans) in spans.into_iter().enumerate() {
            let side = 3 - N + i;
            (pool.input[side], pool.dilation[side], pool.spans[side]) = (input[i], dilation[i], spans);
        }
        pool.spans[0].iter_mut().for_each(|span| span.count *= extra);
        Windows { pool: Rc::new(pool), rank: N }
    }

    /// Windows that slide, with every check of their arguments; padding is at most half a kernel, as in PyTorch.
    pub(crate) fn sliding<const N: usize>(x: &Tensor, sides: Sides<N>, ceil: bool, count: Count) -> Result<Windows> {
        let (kernel, stride, padding, dilation) = sides;
        let input = image::<N>(x)?;
        let mut spans = [const { Vec::new() }; N];
        for i in 0..N {
            let (size, before, step) = (input[i], padding[i], dilation[i]);
            if before > kernel[i] / 2 {
                bail!(Argument, "padding {before} is more than half the kernel {}", kernel[i]);
            }
            let output = Window { kernel: kernel[i], stride: stride[i], padding: before, dilation: step }.output(size, ceil)?;
            for at in 0..output {
                let from = at * stride[i];
                let reach = (from + (kernel[i] - 1) * step + 1).min(size + 2 * before);
                // A window that begins in the padding keeps its rhythm.
                let start = from + before.saturating_sub(from).div_ceil(step) * step - before;
                let end = reach.saturating_sub(before).min(size);
                if start >= end {
                    bail!(Shape, "window {at} of an input of {size} lies in the padding {before}; dilation {step} is too far");
                }
                let count = match count {
                    Count::Padded => reach - from,
                    Count::Inside => end - start,
                    Count::Fixed(_) => 1,
                };
                spans[i].push(Span { start, end, count });
            }
        }
        let extra = if let Count::Fixed(n) = count { n } else { 1 };
        Ok(Windows::new(input, spans, dilation, extra))
    }

    /// As many windows as `output` says, about equal, that cover the input.
    pub(crate) fn adaptive<const N: usize>(x: &Tensor, output: [usize; N]) -> Result<Windows> {
        let input = image::<N>(x)?;
        if output.contains(&0) {
            bail!(Argument, "output sizes must be 1 or more and are {output:?}");
        }
        room(&[&x.shape()[..x.rank() - N], &output].concat(), x.dtype())?;
        let mut spans = [const { Vec::new() }; N];
        for i in 0..N {
            let (size, count) = (input[i], output[i]);
            spans[i] = (0..count)
                .map(|at| {
                    let (start, end) = (at * size / count, ((at + 1) * size).div_ceil(count));
                    Span { start, end, count: end - start }
                })
                .collect();
        }
        Ok(Windows::new(input, spans, [1; N], 1))
    }

    fn shape(&self, like: &Tensor, sizes: [usize; 3]) -> Shape {
        let lead = like.rank() - self.rank;
        let shape: Vec<usize> = like.shape()[..lead].iter().chain(&sizes[3 - self.rank..]).copied().collect();
        Shape::from(shape)
    }

    fn input(&self, like: &Tensor) -> Shape {
        self.shape(like, self.pool.input)
    }

    fn output(&self, like: &Tensor) -> Shape {
        self.shape(like, [0, 1, 2].map(|side| self.pool.spans[side].len()))
    }
}

/// Runs a kernel in the tensor's own precision, or in float32 for the half types.
pub(crate) fn run(
    x: &Tensor,
    shape: Shape,
    single: impl FnOnce(&[f32]) -> Vec<f32>,
    double: impl FnOnce(&[f64]) -> Vec<f64>,
) -> Result<Tensor> {
    if x.size() == 0 {
        return zeros(&shape, x.dtype());
    }
    if x.dtype() == DType::Float64 {
        return Ok(from_vec(with_slice(x.value_ref(), double), shape, DType::Float64));
    }
    let out = from_vec(with_slice(&x.value_as(DType::Float32), single), shape, DType::Float32);
    Ok(Tensor::new(out.value_as(x.dtype()), x.dtype()))
}

/// The largest element of each window and its place.
pub(crate) fn maxima(x: &Tensor, windows: &Windows) -> Result<(Tensor, Index)> {
    let (shape, pool) = (windows.output(x), &windows.pool);
    if x.size() == 0 {
        return Ok((zeros(&shape, x.dtype())?, zeros(&shape, DType::Int64)?));
    }
    let (values, places) = if x.dtype() == DType::Float64 {
        let (values, places) = with_slice(x.value_ref(), |x: &[f64]| pool.max(x));
        (from_vec(values, shape.clone(), DType::Float64), places)
    } else {
        let (values, places) = with_slice(&x.value_as(DType::Float32), |x: &[f32]| pool.max(x));
        let values = from_vec(values, shape.clone(), DType::Float32);
        (Tensor::new(values.value_as(x.dtype()), x.dtype()), places)
    };
    Ok((values, from_vec(places, shape, DType::Int64)))
}

/// The largest element of each window, as a function of `x`.
pub(crate) fn maximum(x: &Tensor, windows: &Windows) -> Result<Tensor> {
    let (values, places) = maxima(x, windows)?;
    maximum_at(x, &values, &places, windows)
}

/// What stands at `places` of the images of `x`, which begin behind `lead` dimensions.
fn picked(x: &Tensor, places: &Index, lead: usize) -> Result<Tensor> {
    let dim = lead as isize;
    reshape(&gather(&flatten(x, dim, -1)?, dim, &flatten(places, dim, -1)?)?, &signed(places.shape()))
}

ops! {
    /// `values`, found at `places` of `x`, as a function of `x`.
    #[face()]
    #[check(none, "checked as maxPool1d, maxPool2d and maxPool3d")]
    fn maximum_at(x: &Tensor, values: &Tensor, places: &Index, windows: &Windows) -> Tensor {
        let _ = (x, places, windows);
        Ok(values.detach())
    }
    grad(g; places, windows) { x: maximum_grad(g, places, windows)? }

    /// The gradient of `maximum_at`: each element goes to where its maximum was.
    #[face()]
    #[check(none, "checked as the gradient of maxPool1d, maxPool2d and maxPool3d")]
    fn maximum_grad(g: &Tensor, places: &Index, windows: &Windows) -> Tensor {
        let (at, pool) = (contiguous(places), &windows.pool);
        run(g, windows.input(g), |g| pool.max_grad(g, slice(&at)), |g| pool.max_grad(g, slice(&at)))
    }
    grad(h; places, lead = g.rank() - windows.rank) { g: picked(h, places, lead)? }

    /// The mean of each window.
    #[face()]
    #[check(none, "checked as avgPool1d, avgPool2d and avgPool3d")]
    fn window_mean(x: &Tensor, windows: &Windows) -> Tensor {
        run(x, windows.output(x), |x| windows.pool.mean(x), |x| windows.pool.mean(x))
    }
    grad(g; windows) { x: window_mean_grad(g, windows)? }

    /// The gradient of `window_mean`: each element spread over its window.
    #[face()]
    #[check(none, "checked as the gradient of avgPool1d, avgPool2d and avgPool3d")]
    fn window_mean_grad(g: &Tensor, windows: &Windows) -> Tensor {
        run(g, windows.input(g), |g| windows.pool.mean_grad(g), |g| windows.pool.mean_grad(g))
    }
    grad(h; windows) { g: window_mean(h, windows)? }

    /// Zeros of `shape` with the elements of `x` at `places` of images that begin behind `lead` dimensions; places are checked.
    #[face()]
    #[check(none, "checked as maxUnpool1d, maxUnpool2d and maxUnpool3d")]
    fn unpooled(x: &Tensor, places: &Index, shape: &[isize], lead: usize) -> Tensor {
        let shape: Vec<usize> = shape.iter().map(|&n| n as usize).collect();
        let (of, size) = (x.shape()[lead..].iter().product(), shape[lead..].iter().product());
        let at = contiguous(places);
        run(x, Shape::from(shape), |x| unpool(x, slice(&at), of, size), |x| unpool(x, slice(&at), of, size))
    }
    grad(g; places, lead) { x: picked(g, places, lead)? }
}

//! Images made larger or smaller: one dimension after another, each entry a weighted sum of a few along it.

use std::rc::Rc;

use burn_std::Shape;
use firn_kernels::resample::Taps;

use super::choice::Interpolation;
use super::ops;
use super::pooling::{Windows, image, run, window_mean};
use crate::create::room;
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::shape::show;
use crate::tensor::Tensor;

/// Weights along `dim`, a dimension counted from the front.
#[derive(Debug, Clone)]
pub struct Along {
    dim: usize,
    taps: Rc<Taps>,
}

impl Along {
    fn shape(&self, x: &Tensor, size: usize) -> Shape {
        let mut shape = x.shape().to_vec();
        shape[self.dim] = size;
        Shape::from(shape)
    }

    fn inner(&self, x: &Tensor) -> usize {
        x.shape()[self.dim + 1..].iter().product()
    }
}

/// How `input` entries become `output`, with PyTorch's coordinates: places are worked out in the precision of the tensor.
struct Side {
    input: usize,
    output: usize,
    /// The factor that the user gave, which PyTorch prefers to the quotient of the sizes.
    factor: Option<f64>,
    corners: bool,
    double: bool,
}

impl Side {
    fn round(&self, x: f64) -> f64 {
        if self.double { x } else { f64::from(x as f32) }
    }

    fn scale(&self) -> f64 {
        if self.corners {
            return if self.output > 1 { self.round((self.input - 1) as f64 / (self.output - 1) as f64) } else { 0.0 };
        }
        self.round(self.factor.map_or(self.input as f64 / self.output as f64, |factor| 1.0 / factor))
    }

    /// Where entry `at` of the output lies between those of the input.
    fn place(&self, at: usize) -> f64 {
        let scale = self.scale();
        if self.corners { self.round(scale * at as f64) } else { self.round(self.round(scale * (at as f64 + 0.5)) - 0.5) }
    }

    fn taps(&self, of: impl Fn(usize) -> Vec<(isize, f64)>) -> Taps {
        Taps::new(self.input, (0..self.output).map(of))
    }

    fn nearest(&self, centre: f64) -> Taps {
        let scale = self.scale();
        self.taps(|at| vec![(self.round(scale * (at as f64 + centre)).floor() as isize, 1.0)])
    }

    fn linear(&self) -> Taps {
        self.taps(|at| {
            let place = self.place(at).max(0.0);
            let first = place.floor().min((self.input - 1) as f64);
            let weight = (place - first).clamp(0.0, 1.0);
            vec![(first as isize, 1.0 - weight), (first as isize + 1, weight)]
        })
    }

    fn cubic(&self) -> Taps {
        self.taps(|at| {
            let place = self.place(at);
            let first = place.floor();
            (-1..3).map(|i| (first as isize + i, keys(place - first - i as f64, -0.75))).collect()
        })
    }

    /// Every entry under a filter as wide as `support` entries of the output, or of the input where there are more.
    fn antialiased(&self, support: f64, filter: impl Fn(f64) -> f64) -> Taps {
        let scale = self.scale();
        let stretch = scale.max(1.0);
        self.taps(|at| {
            let centre = scale * (at as f64 + 0.5);
            let first = ((centre - support * stretch + 0.5) as isize).max(0);
            let end = ((centre + support * stretch + 0.5) as isize).min(self.input as isize);
            let weights: Vec<f64> = (first..end).map(|i| filter((i as f64 - centre + 0.5) / stretch)).collect();
            let total: f64 = weights.iter().sum();
            (first..end).zip(weights).map(|(i, weight)| (i, if total == 0.0 { weight } else { weight / total })).collect()
        })
    }
}

/// Keys' cubic convolution.
fn keys(x: f64, a: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * a
    } else {
        0.0
    }
}

/// What `interpolate` is told beside its input.
struct How<'a> {
    size: &'a [isize],
    factor: &'a [f64],
    mode: Interpolation,
    corners: bool,
    recompute: bool,
    antialias: bool,
}

fn resized<const N: usize>(x: &Tensor, how: &How<'_>) -> Result<Tensor> {
    let (input, size, factor) = (image::<N>(x)?, how.size, how.factor);
    let each = |list: &[f64]| match list {
        [one] => Some([*one; N]),
        many => <[f64; N]>::try_from(many).ok(),
    };
    let sizes: Vec<f64> = size.iter().map(|&n| n as f64).collect();
    let (output, mut factors) = match (each(&sizes), each(factor)) {
        (Some(output), None) if factor.is_empty() => (output, None),
        (None, Some(factors)) if size.is_empty() => (std::array::from_fn(|i| (input[i] as f64 * factors[i]).floor()), Some(factors)),
        _ => bail!(Argument, "give either size or scaleFactor, one number or {N}; got size {size:?} and scaleFactor {factor:?}"),
    };
    if output.iter().any(|n| n.is_nan() || *n < 1.0) {
        bail!(Argument, "an output of {output:?} has no places; size {size:?}, scaleFactor {factor:?} of {input:?}");
    }
    if how.recompute {
        factors = None;
    }
    let output = output.map(|n| n as usize);
    let lead = x.rank() - N;
    room(&[&x.shape()[..lead], &output].concat(), x.dtype())?;
    if how.mode == Interpolation::Area {
        return window_mean(x, &Windows::adaptive(x, output)?);
    }
    let mut out = x.clone();
    for i in (0..N).rev() {
        let factor = factors.map(|factors| factors[i]);
        let side = Side { input: input[i], output: output[i], factor, corners: how.corners, double: x.dtype() == DType::Float64 };
        let taps = match how.mode {
            Interpolation::Nearest => side.nearest(0.0),
            Interpolation::NearestExact => side.nearest(0.5),
            Interpolation::Bicubic if how.antialias => side.antialiased(2.0, |x| keys(x, -0.5)),
            Interpolation::Bicubic => side.cubic(),
            _ if how.antialias => side.antialiased(1.0, |x| (1.0 - x.abs()).max(0.0)),
            _ => side.linear(),
        };
        out = resampled(&out, &Along { dim: lead + i, taps: Rc::new(taps) })?;
    }
    Ok(out)
}

ops! {
    /// Images `[batch, channels, ...]` of one to three dimensions made larger or smaller: to `size`, or by `scaleFactor`, one number or one
    /// for each dimension. `linear`, `bilinear` and `trilinear` are for one, two and three, `bicubic` for two; `alignCorners` is for these and
    /// lets corners stay corners, `antialias` is for two and widens the filter when an image shrinks. Coordinates come from `scaleFactor` as
    /// it is, with `recomputeScaleFactor` from the sizes.
    #[example(
        "F.interpolate(tensor([[[1, 2]]]), { scaleFactor: 2 }) // [[[1, 1, 2, 2]]]",
        "F.interpolate(tensor([[[1, 2]]]), { size: 3, mode: 'linear', alignCorners: true }) // [[[1, 1.5, 2]]]",
    )]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn interpolate(
        x: &Tensor;
        size: &[isize] = [], scale_factor: &[f64] = [], mode: Interpolation = Nearest, align_corners: bool = false,
        recompute_scale_factor: bool = false, antialias: bool = false
    ) -> Tensor {
        use Interpolation::{Area, Bicubic, Bilinear, Linear, Nearest, NearestExact, Trilinear};
        let all = matches!(mode, Nearest | NearestExact | Area);
        if align_corners && all {
            bail!(Argument, "alignCorners is for mode 'linear', 'bilinear', 'trilinear' and 'bicubic'");
        }
        if antialias && !matches!(mode, Bilinear | Bicubic) {
            bail!(Argument, "antialias is for mode 'bilinear' and 'bicubic'");
        }
        if recompute_scale_factor && scale_factor.is_empty() {
            bail!(Argument, "recomputeScaleFactor needs a scaleFactor");
        }
        let how = How { size, factor: scale_factor, mode, corners: align_corners, recompute: recompute_scale_factor, antialias };
        match x.rank() {
            3 if all || mode == Linear => resized::<1>(x, &how),
            4 if all || matches!(mode, Bilinear | Bicubic) => resized::<2>(x, &how),
            5 if all || mode == Trilinear => resized::<3>(x, &how),
            _ => bail!(Shape, "input {}: 'linear' takes rank 3, 'bilinear' and 'bicubic' 4, 'trilinear' 5, the others 3 to 5", show(x.shape())),
        }
    }

    /// The weighted sums along one dimension.
    #[face()]
    #[check(none, "checked as interpolate")]
    fn resampled(x: &Tensor, along: &Along) -> Tensor {
        let inner = along.inner(x);
        run(x, along.shape(x, along.taps.output()), |x| along.taps.forward(x, inner), |x| along.taps.forward(x, inner))
    }
    grad(g; along) { x: resampled_grad(g, along)? }

    /// The gradient of `resampled`.
    #[face()]
    #[check(none, "checked as the gradient of interpolate")]
    fn resampled_grad(g: &Tensor, along: &Along) -> Tensor {
        let inner = along.inner(g);
        run(g, along.shape(g, along.taps.input), |g| along.taps.backward(g, inner), |g| along.taps.backward(g, inner))
    }
    grad(h; along) { g: resampled(h, along)? }
}

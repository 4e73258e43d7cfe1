//! Discrete Fourier transforms: which dimensions, of which size, by which scale. The transforms themselves are in `fourier`.

use super::arrange::roll;
use super::choice::FourierNorm;
use super::complex::complex_conj;
use super::elementwise::to_dtype;
use super::fourier::{complex_rank, half_transformed, line_of, real_transformed, sized, transformed, working};
use super::{Floating, ops};
use crate::error::{Result, bail};
use crate::shape::{axes, show};
use crate::tensor::Tensor;

/// What a transform of `n` numbers is multiplied by.
fn scale(norm: FourierNorm, n: usize, inverse: bool) -> f64 {
    match (norm, inverse) {
        (FourierNorm::Ortho, _) => 1.0 / (n as f64).sqrt(),
        (FourierNorm::Backward, true) | (FourierNorm::Forward, false) => 1.0 / n as f64,
        _ => 1.0,
    }
}

/// Complex to complex along dimensions `(dim, size)`.
fn along(x: &Tensor, dims: &[(usize, usize)], norm: FourierNorm, inverse: bool) -> Result<Tensor> {
    let mut out = x.clone();
    for &(dim, n) in dims {
        out = transformed(&sized(&out, dim, n)?, dim, inverse, scale(norm, n, inverse))?;
    }
    Ok(out)
}

/// The dimensions and sizes that `s` and `dim` ask for: `usual` dimensions, or the last as many as there are sizes, or all.
fn chosen(x: &Tensor, rank: usize, s: &[isize], dim: &[isize], usual: &[isize]) -> Result<Vec<(usize, usize)>> {
    let last: Vec<isize>;
    let dims = match (dim, usual, s) {
        ([], [], []) => {
            last = (0..rank as isize).collect();
            &last
        }
        ([], [], sizes) => {
            last = (1..=sizes.len() as isize).rev().map(|at| -at).collect();
            &last
        }
        ([], usual, _) => usual,
        (dim, ..) => dim,
    };
    if !s.is_empty() && s.len() != dims.len() {
        bail!(Argument, "sizes {s:?} for the dimensions {dims:?}: one for each is needed");
    }
    if dims.is_empty() {
        bail!(Shape, "{} has no dimension to transform", show(x.shape()));
    }
    axes(dims, rank)?;
    let mut out = Vec::new();
    for (at, &dim) in dims.iter().enumerate() {
        let (dim, now) = line_of(x, dim, rank)?;
        let size = match s.get(at) {
            None | Some(-1) => now,
            Some(&n) if n >= 1 => n as usize,
            Some(n) => bail!(Argument, "size {n} in {s:?} is neither 1 or more nor -1, the size that is there"),
        };
        out.push((dim, size));
    }
    Ok(out)
}

/// `chosen` for a result of real numbers, whose last size is not the input's.
fn chosen_real(x: &Tensor, s: &[isize], dim: &[isize], usual: &[isize]) -> Result<(Vec<(usize, usize)>, (usize, usize))> {
    let mut dims = chosen(x, complex_rank(x)?, s, dim, usual)?;
    match dims.pop() {
        Some((last, size)) => {
            let open = matches!(s.last(), None | Some(-1));
            Ok((dims, (last, if open { 2 * size.saturating_sub(1) } else { size })))
        }
        None => bail!(Internal, "no dimension was chosen"),
    }
}

/// Complex to real: `x` is half of a spectrum along the dimension `(last, n)`.
fn to_real(x: &Tensor, (dims, (last, n)): (Vec<(usize, usize)>, (usize, usize)), norm: FourierNorm, inverse: bool) -> Result<Tensor> {
    if n == 0 {
        bail!(Argument, "{} has one value along dimension {last}, which leaves n open: give it", show(x.shape()));
    }
    let (x, dtype) = working(x)?;
    let x = along(&x, &dims, norm, true)?;
    // The scale of the other dimensions is that of the direction asked for, though the transform is always the inverse.
    let others: f64 = dims.iter().map(|&(_, n)| scale(norm, n, inverse) / scale(norm, n, true)).product();
    to_dtype(&real_transformed(&sized(&x, last, n / 2 + 1)?, last, n, others * scale(norm, n, inverse))?, dtype)
}

/// Real to complex: half of the spectrum along the last of `dims`.
fn from_real(x: &Tensor, dims: &[(usize, usize)], norm: FourierNorm, inverse: bool) -> Result<Tensor> {
    let Some((&(last, n), rest)) = dims.split_last() else { bail!(Internal, "no dimension was chosen") };
    let (x, dtype) = working(x)?;
    let half = half_transformed(&sized(&x, last, n)?, last, scale(norm, n, inverse))?;
    let others: f64 = rest.iter().map(|&(_, n)| scale(norm, n, inverse) / scale(norm, n, false)).product();
    let out = along(&half, rest, norm, false)?;
    to_dtype(&if others == 1.0 { out } else { out * others }, dtype)
}

/// A transform of complex numbers in several dimensions.
fn complex_many(x: &Tensor, s: &[isize], dim: &[isize], usual: &[isize], norm: FourierNorm, inverse: bool) -> Result<Tensor> {
    let dims = chosen(x, complex_rank(x)?, s, dim, usual)?;
    let (x, dtype) = working(x)?;
    to_dtype(&along(&x, &dims, norm, inverse)?, dtype)
}

/// `n`, or the size that is there, along `dim`.
fn one(x: &Tensor, n: Option<usize>, dim: isize, rank: usize) -> Result<(usize, usize)> {
    let (dim, now) = line_of(x, dim, rank)?;
    Ok((dim, n.unwrap_or(now)))
}

/// `n`, or the even number of real values of a half spectrum, along `dim`.
fn one_real(x: &Tensor, n: Option<usize>, dim: isize) -> Result<(Vec<(usize, usize)>, (usize, usize))> {
    let (dim, now) = line_of(x, dim, complex_rank(x)?)?;
    Ok((Vec::new(), (dim, n.unwrap_or(2 * now.saturating_sub(1)))))
}

/// The steps by which halves of the dimensions `dims` change places.
fn shifts(x: &Tensor, dims: &[isize], half: impl Fn(usize) -> usize) -> Result<(Vec<isize>, Vec<isize>)> {
    if x.rank() == 0 {
        bail!(Shape, "a single number has no dimension to shift");
    }
    let dims = axes(dims, x.rank())?;
    Ok((dims.iter().map(|&dim| half(x.shape()[dim]) as isize).collect(), dims.iter().map(|&dim| dim as isize).collect()))
}

ops! {
    /// The discrete Fourier transform of complex numbers `[..., 2]` along `dim`, which is counted without the parts; `n` cuts them or adds
    /// zeros. `norm: 'forward'` divides by `n`, `'ortho'` by its root.
    #[example("fft.fft(fft.complex(tensor([1, 2, 3, 4]))) // [[10, 0], [-2, 2], [-2, 0], [-2, -2]]")]
    #[face(fft)]
    #[check(cases)]
    #[autocast(full)]
    fn fft(x: &Tensor; n: Option<usize> = None, dim: isize = -1, norm: FourierNorm = Backward) -> Floating {
        let line = one(x, n, dim, complex_rank(x)?)?;
        let (x, dtype) = working(x)?;
        to_dtype(&along(&x, &[line], norm, false)?, dtype)
    }

    /// The inverse of `fft`: divides by `n` unless `norm` says otherwise.
    #[example("fft.ifft(tensor([[10, 0], [-2, 2], [-2, 0], [-2, -2]])) // [[1, 0], [2, 0], [3, 0], [4, 0]]")]
    #[face(fft)]
    #[check(cases)]
    #[autocast(full)]
    fn ifft(x: &Tensor; n: Option<usize> = None, dim: isize = -1, norm: FourierNorm = Backward) -> Floating {
        let line = one(x, n, dim, complex_rank(x)?)?;
        let (x, dtype) = working(x)?;
        to_dtype(&along(&x, &[line], norm, true)?, dtype)
    }

    /// The first `n / 2 + 1` complex numbers `[..., 2]` of the transform of real ones along `dim`; the others are their conjugates.
    #[example("fft.rfft(tensor([1, 2, 3, 4])) // [[10, 0], [-2, 2], [-2, 0]]")]
    #[face(fft)]
    #[check(cases)]
    #[autocast(full)]
    fn rfft(x: &Tensor; n: Option<usize> = None, dim: isize = -1, norm: FourierNorm = Backward) -> Floating {
        from_real(x, &[one(x, n, dim, x.rank())?], norm, false)
    }

    /// The inverse of `rfft`: `n` real numbers from half of their transform `[..., 2]`; as many as an even `n` has by default.
    #[example("fft.irfft(tensor([[10, 0], [-2, 2], [-2, 0]])) // [1, 2, 3, 4]")]
    #[face(fft)]
    #[check(cases)]
    #[autocast(full)]
    fn irfft(x: &Tensor; n: Option<usize> = None, dim: isize = -1, norm: FourierNorm = Backward) -> Floating {
        to_real(x, one_real(x, n, dim)?, norm, true)
    }

    /// The transform, which is real, of complex numbers whose second half mirrors the first; `x` is the first, `n` the number of all.
    #[example("fft.hfft(tensor([[1, 0], [2, 1], [3, 0]])) // [8, 0, 0, -4]")]
    #[face(fft)]
    #[check(cases)]
    #[autocast(full)]
    fn hfft(x: &Tensor; n: Option<usize> = None, dim: isize = -1, norm: FourierNorm = Backward) -> Floating {
        to_real(&complex_conj(x)?, one_real(x, n, dim)?, norm, false)
    }

    /// The inverse of `hfft`: the first half of the inverse transform of real numbers.
    #[example("fft.ihfft(tensor([8, 0, 0, -4])) // [[1, 0], [2, 1], [3, 0]]")]
    #[face(fft)]
    #[check(cases)]
    #[autocast(full)]
    fn ihfft(x: &Tensor; n: Option<usize> = None, dim: isize = -1, norm: FourierNorm = Backward) -> Floating {
        complex_conj(&from_real(x, &[one(x, n, dim, x.rank())?], norm, true)?)
    }

    /// `fft` in two dimensions, the last two unless `dim` names others.
    #[example("fft.fft2(fft.complex(tensor([[1, 2], [3, 4]]))) // [[[10, 0], [-2, 0]], [[-4, 0], [0, 0]]]")]
    #[face(fft)]
    #[check(cases)]
    #[autocast(full)]
    fn fft2(x: &Tensor; s: &[isize] = [], dim: &[isize] = [-2, -1], norm: FourierNorm = Backward) -> Floating {
        complex_many(x, s, dim, &[-2, -1], norm, false)
    }

    /// The inverse of `fft2`.
    #[example("fft.ifft2(fft.complex(tensor([[10, -2], [-4, 0]]))) // [[[1, 0], [2, 0]], [[3, 0], [4, 0]]]")]
    #[face(fft)]
    #[check(cases)]
    #[autocast(full)]
    fn ifft2(x: &Tensor; s: &[isize] = [], dim: &[isize] = [-2, -1], norm: FourierNorm = Backward) -> Floating {
        complex_many(x, s, dim, &[-2, -1], norm, true)
    }

    /// `rfft` in two dimensions: half of the transform along the last of them.
    #[example("fft.rfft2(tensor([[1, 2], [3, 4]])) // [[[10, 0], [-2, 0]], [[-4, 0], [0, 0]]]")]
    #[face(fft)]
    #[check(cases)]
    #[autocast(full)]
    fn rfft2(x: &Tensor; s: &[isize] = [], dim: &[isize] = [-2, -1], norm: FourierNorm = Backward) -> Floating {
        from_real(x, &chosen(x, x.rank(), s, dim, &[-2, -1])?, norm, false)
    }

    /// The inverse of `rfft2`.
    #[example("fft.irfft2(fft.complex(tensor([[10, -2], [-4, 0]]))) // [[1, 2], [3, 4]]")]
    #[face(fft)]
    #[check(cases)]
    #[autocast(full)]
    fn irfft2(x: &Tensor; s: &[isize] = [], dim: &[isize] = [-2, -1], norm: FourierNorm = Backward) -> Floating {
        to_real(x, chosen_real(x, s, dim, &[-2, -1])?, norm, true)
    }

    /// `fft` in the dimensions `dim`: the last as many as there are sizes in `s`, or all, unless given. A size of -1 is the one that is there.
    #[example("fft.fftn(ones([2, 2, 2, 2])) // shape [2, 2, 2, 2]", "fft.fftn(fft.complex(ones([2, 2]))) // [[[4, 0], [0, 0]], [[0, 0], [0, 0]]]")]
    #[face(fft)]
    #[check(cases)]
    #[autocast(full)]
    fn fftn(x: &Tensor; s: &[isize] = [], dim: &[isize] = [], norm: FourierNorm = Backward) -> Floating {
        complex_many(x, s, dim, &[], norm, false)
    }

    /// The inverse of `fftn`.
    #[example("fft.ifftn(fft.complex(ones([2, 2]))) // [[[1, 0], [0, 0]], [[0, 0], [0, 0]]]")]
    #[face(fft)]
    #[check(cases)]
    #[autocast(full)]
    fn ifftn(x: &Tensor; s: &[isize] = [], dim: &[isize] = [], norm: FourierNorm = Backward) -> Floating {
        complex_many(x, s, dim, &[], norm, true)
    }

    /// `rfft` in several dimensions, chosen as by `fftn`: half of the transform along the last of them.
    #[example("fft.rfftn(ones([2, 2])) // [[[4, 0], [0, 0]], [[0, 0], [0, 0]]]")]
    #[face(fft)]
    #[check(cases)]
    #[autocast(full)]
    fn rfftn(x: &Tensor; s: &[isize] = [], dim: &[isize] = [], norm: FourierNorm = Backward) -> Floating {
        from_real(x, &chosen(x, x.rank(), s, dim, &[])?, norm, false)
    }

    /// The inverse of `rfftn`.
    #[example("fft.irfftn(fft.rfftn(tensor([[1, 2], [3, 4]]))) // [[1, 2], [3, 4]]")]
    #[face(fft)]
    #[check(cases)]
    #[autocast(full)]
    fn irfftn(x: &Tensor; s: &[isize] = [], dim: &[isize] = [], norm: FourierNorm = Backward) -> Floating {
        to_real(x, chosen_real(x, s, dim, &[])?, norm, true)
    }

    /// `hfft` in several dimensions, chosen as by `fftn`: the last is the one that is given by half.
    #[example("fft.hfftn(fft.ihfftn(tensor([[1, 2], [3, 4]]))) // [[1, 2], [3, 4]]")]
    #[face(fft)]
    #[check(cases)]
    #[autocast(full)]
    fn hfftn(x: &Tensor; s: &[isize] = [], dim: &[isize] = [], norm: FourierNorm = Backward) -> Floating {
        to_real(&complex_conj(x)?, chosen_real(x, s, dim, &[])?, norm, false)
    }

    /// The inverse of `hfftn`.
    #[example("fft.ihfftn(ones([2, 2])) // [[[1, 0], [0, 0]], [[0, 0], [0, 0]]]")]
    #[face(fft)]
    #[check(cases)]
    #[autocast(full)]
    fn ihfftn(x: &Tensor; s: &[isize] = [], dim: &[isize] = [], norm: FourierNorm = Backward) -> Floating {
        complex_conj(&from_real(x, &chosen(x, x.rank(), s, dim, &[])?, norm, true)?)
    }

    /// Rolls the dimensions `dim` so that what stands first stands in the middle: frequency 0 of a transform. These are dimensions of the
    /// tensor as it is, so for complex numbers of an image `[rows, columns, 2]` they are `[0, 1]`.
    #[example("fft.fftshift(tensor([0, 1, 2, -2, -1]), 0) // [-2, -1, 0, 1, 2]")]
    #[face(fft)]
    #[check(cases)]
    fn fftshift(x: &Tensor, dim: &[isize]) -> Tensor {
        let (steps, dims) = shifts(x, dim, |n| n / 2)?;
        roll(x, &steps, &dims)
    }

    /// Undoes `fftshift`.
    #[example("fft.ifftshift(tensor([-2, -1, 0, 1, 2]), 0) // [0, 1, 2, -2, -1]")]
    #[face(fft)]
    #[check(cases)]
    fn ifftshift(x: &Tensor, dim: &[isize]) -> Tensor {
        let (steps, dims) = shifts(x, dim, |n| n.div_ceil(2))?;
        roll(x, &steps, &dims)
    }
}

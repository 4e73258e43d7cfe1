//! The three transforms along one dimension that every row of `fft` is made of. They are one another's adjoints, so gradients of any order
//! need no more. A complex tensor has a last dimension of 2, real and imaginary part; dimensions are counted without it.

use burn_std::Shape;
use firn_kernels::fourier::{Fourier, Lines};

use super::choice::PadMode;
use super::elementwise::to_dtype;
use super::ops;
use super::shaping::{narrow, pad, reshape};
use super::vjp::{Real, elements};
use crate::cpu::from_vec;
use crate::create::{from_numbers, room, zeros};
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::shape::{axis, show};
use crate::tensor::Tensor;

/// `[outer, size, inner, 2]` or `[outer, size, inner]` around dimension `dim`.
fn lines(x: &Tensor, dim: usize, n: usize, scale: f64, complex: bool) -> Lines {
    let end = x.rank() - usize::from(complex);
    Lines { n, inner: x.shape()[dim + 1..end].iter().product(), scale }
}

fn run<T: Real + Fourier>(x: &Tensor, shape: Shape, kernel: impl FnOnce(&[T]) -> Vec<T>) -> Tensor {
    from_vec(elements(x, kernel), shape, T::DTYPE)
}

/// `x` with another size of dimension `dim`.
fn with_size(x: &Tensor, dim: usize, size: usize) -> Vec<usize> {
    let mut shape = x.shape().to_vec();
    shape[dim] = size;
    shape
}

/// The half of a transform with all but the values that stand for themselves alone times `factor`.
fn mirrored(x: &Tensor, dim: usize, n: usize, factor: f64) -> Result<Tensor> {
    let size = n / 2 + 1;
    let factors: Vec<f64> = (0..size).map(|k| if k == 0 || 2 * k == n { 1.0 } else { factor }).collect();
    let mut shape = vec![1; x.rank()];
    shape[dim] = size as isize;
    Ok(x * reshape(&from_numbers(&factors, &[size], x.dtype())?, &shape)?)
}

/// `x` in a dtype that is transformed, and the one of the result.
pub(crate) fn working(x: &Tensor) -> Result<(Tensor, DType)> {
    match x.dtype() {
        DType::Float64 | DType::Float32 => Ok((x.clone(), x.dtype())),
        DType::Float16 | DType::BFloat16 => Ok((to_dtype(x, DType::Float32)?, x.dtype())),
        _ => Ok((to_dtype(x, DType::Float32)?, DType::Float32)),
    }
}

/// Checks that `x` holds complex numbers, and gives the rank without their parts.
pub(crate) fn complex_rank(x: &Tensor) -> Result<usize> {
    match x.shape() {
        [.., 2] => Ok(x.rank() - 1),
        shape => {
            bail!(Shape, "{} is not complex: a last dimension of 2 holds real and imaginary parts; fft.complex(x) makes it", show(shape))
        }
    }
}

/// Dimension `dim` of `rank`, and its size, at least 1.
pub(crate) fn line_of(x: &Tensor, dim: isize, rank: usize) -> Result<(usize, usize)> {
    if rank == 0 {
        bail!(Shape, "a single number has no dimension to transform");
    }
    let dim = axis(dim, rank)?;
    Ok((dim, x.shape()[dim]))
}

/// Dimension `dim` cut or filled up with zeros to `size`.
pub(crate) fn sized(x: &Tensor, dim: usize, size: usize) -> Result<Tensor> {
    let now = x.shape()[dim];
    if size == 0 {
        bail!(Argument, "a transform of 0 numbers along dimension {dim} of {}: give n", show(x.shape()));
    }
    if size <= now {
        return if size == now { Ok(x.clone()) } else { narrow(x, dim as isize, 0, size) };
    }
    room(&with_size(x, dim, size), x.dtype())?;
    let mut sides = vec![0; 2 * (x.rank() - dim)];
    if let Some(last) = sides.last_mut() {
        *last = (size - now) as isize;
    }
    pad(x, &sides, 0.0, PadMode::Constant)
}

ops! {
    /// Complex to complex along `dim`, every result times `scale`.
    #[face()]
    #[check(none, "checked as fft and ifft")]
    fn transformed(x: &Tensor, dim: usize, inverse: bool, scale: f64) -> Tensor {
        let lines = lines(x, dim, x.shape()[dim], scale, true);
        match x.dtype() {
            _ if x.size() == 0 => zeros(x.shape(), x.dtype()),
            DType::Float64 => Ok(run::<f64>(x, x.shape().into(), |x| lines.complex(x, inverse))),
            _ => Ok(run::<f32>(x, x.shape().into(), |x| lines.complex(x, inverse))),
        }
    }
    grad(g; dim, inverse, scale) { x: transformed(g, dim, !inverse, scale)? }

    /// Real numbers along `dim` to the first half of their transform, every result times `scale`.
    #[face()]
    #[check(none, "checked as rfft")]
    fn half_transformed(x: &Tensor, dim: usize, scale: f64) -> Tensor {
        let n = x.shape()[dim];
        let lines = lines(x, dim, n, scale, false);
        let mut shape = with_size(x, dim, n / 2 + 1);
        shape.push(2);
        match x.dtype() {
            _ if x.size() == 0 => zeros(&shape, x.dtype()),
            DType::Float64 => Ok(run::<f64>(x, shape.into(), |x| lines.real(x))),
            _ => Ok(run::<f32>(x, shape.into(), |x| lines.real(x))),
        }
    }
    grad(g; dim, n = x.shape()[dim], scale) { x: real_transformed(&mirrored(g, dim, n, 0.5)?, dim, n, scale)? }

    /// The `n` real numbers whose forward transform begins with `x` along `dim`, times `n` and `scale`.
    #[face()]
    #[check(none, "checked as irfft")]
    fn real_transformed(x: &Tensor, dim: usize, n: usize, scale: f64) -> Tensor {
        let lines = lines(x, dim, n, scale, true);
        let mut shape = with_size(x, dim, n);
        shape.pop();
        match x.dtype() {
            _ if x.size() == 0 => zeros(&shape, x.dtype()),
            DType::Float64 => Ok(run::<f64>(x, shape.into(), |x| lines.half_complex(x))),
            _ => Ok(run::<f32>(x, shape.into(), |x| lines.half_complex(x))),
        }
    }
    grad(g; dim, n, scale) { x: mirrored(&half_transformed(g, dim, scale)?, dim, n, 2.0)? }
}

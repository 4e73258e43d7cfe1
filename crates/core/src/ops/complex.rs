//! Complex numbers as pairs: a last dimension of 2 holds real and imaginary part, as PyTorch's `view_as_real` shows them.

use super::fourier::complex_rank;
use super::magnitude::norm;
use super::select::select;
use super::shaping::stack;
use super::{Floating, ops};
use crate::create::{from_numbers, zeros_like};
use crate::error::{Result, bail};
use crate::shape::show;
use crate::tensor::Tensor;

/// Real and imaginary part.
fn parts(x: &Tensor) -> Result<(Tensor, Tensor)> {
    complex_rank(x)?;
    Ok((select(x, -1, 0)?, select(x, -1, 1)?))
}

ops! {
    /// Complex numbers `[..., 2]` of real parts and imaginary ones, which are 0 unless given.
    #[example("fft.complex(tensor([1, 2])) // [[1, 0], [2, 0]]", "fft.complex(tensor([1, 2]), tensor([3, 4])) // [[1, 3], [2, 4]]")]
    #[face(fft)]
    #[check(cases)]
    fn complex(x: &Tensor, imaginary: Option<&Tensor> = None) -> Tensor {
        match imaginary {
            None => stack(&[x.clone(), zeros_like(x)?], -1),
            Some(imaginary) if imaginary.shape() == x.shape() && imaginary.dtype() == x.dtype() => stack(&[x.clone(), imaginary.clone()], -1),
            Some(other) => bail!(
                Shape,
                "real parts {} {} and imaginary parts {} {} must have one dtype and shape",
                x.dtype().name(), show(x.shape()), other.dtype().name(), show(other.shape())
            ),
        }
    }

    /// Complex numbers `[..., 2]` with their imaginary parts negated.
    #[example("fft.complexConj(tensor([[1, 3], [2, -4]])) // [[1, -3], [2, 4]]")]
    #[face(fft)]
    #[check(cases)]
    fn complex_conj(x: &Tensor) -> Tensor {
        complex_rank(x)?;
        Ok(x * from_numbers(&[1.0, -1.0], &[2], x.dtype())?)
    }

    /// The product of complex numbers `[..., 2]`, which broadcast.
    #[example("fft.complexMul(tensor([0, 1]), tensor([[0, 1], [2, 3]])) // [[-1, 0], [-3, 2]]")]
    #[face(fft)]
    #[check(cases)]
    fn complex_mul(a: &Tensor, b: &Tensor) -> Tensor {
        let ((x, y), (u, v)) = (parts(a)?, parts(b)?);
        stack(&[&x * &u - &y * &v, x * v + y * u], -1)
    }

    /// The absolute values of complex numbers `[..., 2]`; the gradient at 0 is 0.
    #[example("fft.complexAbs(tensor([[3, 4], [0, -2]])) // [5, 2]")]
    #[face(fft)]
    #[check(cases)]
    fn complex_abs(x: &Tensor) -> Floating {
        complex_rank(x)?;
        norm(x, &[-1], 2.0, false)
    }
}

//! Elements chosen by a mask.

use burn_std::Shape;

use super::compare::{expand, where_};
use super::index::{gather, scatter_add};
use super::shaping::{expand_to, reshape};
use super::{Mask, ops};
use crate::cpu::{from_vec, raw};
use crate::create::zeros;
use crate::dtype::{DType, Kind};
use crate::error::{Result, bail};
use crate::shape::{self, show};
use crate::tensor::Tensor;

fn is_mask(mask: &Mask) -> Result<()> {
    if mask.dtype() != DType::Bool {
        bail!(Dtype, "the mask must be bool and is {}; compare first, as in x.gt(0)", mask.dtype().name());
    }
    Ok(())
}

/// Where a mask brought to a shape is true, as places in row-major order.
fn places(mask: &Mask, to: &Shape) -> Tensor {
    let mask = expand(mask.value(), Kind::Bool, to);
    let found: Vec<i64> = raw(&mask, DType::Bool, |mask, _| (0_i64..).zip(mask).filter(|(_, on)| **on != 0).map(|(at, _)| at).collect());
    let count = found.len();
    from_vec(found, [count].into(), DType::Int64)
}

ops! {
    /// The elements of `x` where `mask` is true, as a list in row-major order; both broadcast.
    #[example("const x = tensor([[1, 2], [3, 4]])", "x.maskedSelect(x.gt(1)) // [2, 3, 4]")]
    #[face(method)]
    #[check(cases)]
    fn masked_select(x: &Tensor, mask: &Mask) -> Tensor {
        is_mask(mask)?;
        let shape = shape::broadcast(x.shape(), mask.shape())?;
        let flat = reshape(&expand_to(x, &shape)?, &[-1])?;
        gather(&flat, 0, &places(mask, &shape))
    }

    /// `x` with the elements of `source`, in row-major order, where `mask` is true; `mask` broadcasts to `x`.
    #[example("tensor([1, 2, 3]).maskedScatter(tensor([true, false, true]), tensor([7, 8])) // [7, 2, 8]")]
    #[face(method)]
    #[check(cases)]
    fn masked_scatter(x: &Tensor, mask: &Mask, source: &Tensor) -> Tensor {
        is_mask(mask)?;
        if x.dtype() != source.dtype() {
            bail!(Dtype, "x is {} and source {}; both must have one dtype", x.dtype().name(), source.dtype().name());
        }
        let shape = shape::broadcast(x.shape(), mask.shape())?;
        let x = expand_to(x, &shape)?;
        let places = places(mask, &shape);
        if places.size() > source.size() {
            bail!(Shape, "source {} has {} elements and the mask chooses {}", show(source.shape()), source.size(), places.size());
        }
        if x.dtype() == DType::Bool {
            bail!(Dtype, "booleans cannot be scattered; convert to integers first");
        }
        let taken = super::shaping::narrow(&reshape(source, &[-1])?, 0, 0, places.size())?;
        let spread = scatter_add(&zeros(&[x.size()], x.dtype())?, 0, &places, &taken)?;
        where_(mask, &reshape(&spread, &super::shaping::signed(&shape))?.into(), &x.into())
    }

    /// `x` with the one element of `value` where `mask` is true; the gradient of `value` is the sum over those places.
    #[example("tensor([1, 2]).maskedFillWith(tensor([true, false]), tensor(9)) // [9, 2]")]
    #[face(method)]
    #[check(cases)]
    #[torch("masked_fill")]
    fn masked_fill_with(x: &Tensor, mask: &Mask, value: &Tensor) -> Tensor {
        is_mask(mask)?;
        if value.size() != 1 || value.dtype() != x.dtype() {
            bail!(Shape, "value is {} {} and must be one number of {}", value.dtype().name(), show(value.shape()), x.dtype().name());
        }
        where_(mask, &reshape(value, &[])?.into(), &x.into())
    }
}

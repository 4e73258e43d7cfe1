//! Orders.

use burn_backend::ops::{FloatTensorOps, IntTensorOps};
use burn_dispatch::Dispatch;

use super::index::gather;
use super::{Index, Outputs, ops};
use crate::dtype::{DType, Kind};
use crate::shape::axis;
use crate::tensor::Tensor;

ops! {
    /// The elements in ascending order along `dim`, and where each stood; equal ones keep their order, NaN counts as largest.
    #[example("const { values, indices } = tensor([3, 1, 2]).sort()", "values // [1, 2, 3]", "indices // [1, 2, 0]")]
    #[outputs(values: Tensor, indices: Index)]
    #[face(method)]
    #[check(cases)]
    fn sort(x: &Tensor, dim: isize = -1; descending: bool = false) -> Outputs {
        let indices = argsort(x, dim, descending)?;
        if x.rank() == 0 {
            return Ok(vec![x.clone(), indices]);
        }
        Ok(vec![gather(x, dim, &indices)?, indices])
    }

    /// Where each element of the ascending order along `dim` stands; equal ones keep their order, NaN counts as largest.
    #[example("tensor([3, 1, 2]).argsort() // [1, 2, 0]")]
    #[face(method)]
    #[check(cases)]
    fn argsort(x: &Tensor, dim: isize = -1; descending: bool = false) -> Index {
        let axis = axis(dim, x.rank())?;
        if x.rank() == 0 {
            return crate::create::zeros(&[], DType::Int64);
        }
        let value = match x.dtype().kind() {
            Kind::Float => Dispatch::float_argsort(x.value(), axis, descending, DType::Int64.int()),
            _ => Dispatch::int_argsort(x.value_as(DType::Int64), axis, descending),
        };
        Ok(Tensor::new(value, DType::Int64))
    }
}

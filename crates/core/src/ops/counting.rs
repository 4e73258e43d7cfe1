//! Reductions that leave NaN out, and counts.

use super::compare::{as_mask, is_nan, logical_not, where_};
use super::reduce::{amax, amin, sum};
use super::{Index, Outputs, Summed, ops};
use crate::dtype::DType;
use crate::error::bail;
use crate::tensor::Tensor;

ops! {
    /// Sum over `dims`, all by default, with NaN as 0; integers and booleans give int64.
    #[example("tensor([1, NaN, 2]).nanSum() // 3")]
    #[face(method)]
    #[check(cases)]
    #[torch("nansum")]
    fn nan_sum(x: &Tensor, dims: &[isize] = []; keep_dim: bool = false) -> Summed {
        if !x.dtype().is_float() {
            return sum(x, dims, keep_dim);
        }
        sum(&where_(&is_nan(x)?, &0.0.into(), &x.into())?, dims, keep_dim)
    }

    /// Mean over `dims`, all by default, of the elements that are not NaN; NaN where there are none. Integers are refused.
    #[example("tensor([[1, NaN], [3, 5]]).nanMean(0) // [2, 5]")]
    #[face(method)]
    #[check(cases)]
    #[torch("nanmean")]
    fn nan_mean(x: &Tensor, dims: &[isize] = []; keep_dim: bool = false) -> Tensor {
        if !x.dtype().is_float() {
            bail!(Dtype, "the mean of {} would need another dtype; convert first: x.to('float32')", x.dtype().name());
        }
        let present = sum(&logical_not(&is_nan(x)?)?, dims, keep_dim)?;
        Ok(nan_sum(x, dims, keep_dim)? / present)
    }

    /// How many elements over `dims`, all by default, differ from 0; NaN does.
    #[example("tensor([[1, 0], [2, 3]]).countNonzero(0) // [2, 1]")]
    #[face(method)]
    #[check(cases)]
    fn count_nonzero(x: &Tensor, dims: &[isize] = []) -> Index {
        let hits = as_mask(x);
        sum(&Tensor::new(hits.value_as(DType::Int64), DType::Int64), dims, false)
    }

    /// Smallest and largest element over `dims`, all by default; equal ones share the gradient.
    #[example("const { min, max } = tensor([[1, 5], [3, 2]]).aminmax(1)", "min // [1, 2]", "max // [5, 3]")]
    #[outputs(min: Tensor, max: Tensor)]
    #[face(method)]
    #[check(cases)]
    fn aminmax(x: &Tensor, dims: &[isize] = []; keep_dim: bool = false) -> Outputs {
        Ok(vec![amin(x, dims, keep_dim)?, amax(x, dims, keep_dim)?])
    }
}

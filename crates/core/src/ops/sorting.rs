//! Orders.

use firn_kernels::order::Task;

use super::lines::{picked, places};
use super::{Index, Outputs, ops};
use crate::tensor::Tensor;

ops! {
    /// The elements in ascending order along `dim`, and where each stood; equal ones keep their order, NaN counts as largest.
    #[example("const { values, indices } = tensor([3, 1, 2]).sort()", "values // [1, 2, 3]", "indices // [1, 2, 0]")]
    #[outputs(values: Tensor, indices: Index)]
    #[face(method)]
    #[check(cases)]
    fn sort(x: &Tensor, dim: isize = -1; descending: bool = false) -> Outputs { picked(x, dim, Task::Sort { descending }) }

    /// Where each element of the ascending order along `dim` stands; equal ones keep their order, NaN counts as largest.
    #[example("tensor([3, 1, 2]).argsort() // [1, 2, 0]")]
    #[face(method)]
    #[check(cases)]
    fn argsort(x: &Tensor, dim: isize = -1; descending: bool = false) -> Index { places(x, dim, Task::Sort { descending }) }

    /// The rows in ascending order, element by element along the first dimension: `sort(0)` without its places.
    #[example("tensor([[3, 1], [2, 5]]).msort() // [[2, 1], [3, 5]]")]
    #[face(method)]
    #[check(cases)]
    fn msort(x: &Tensor) -> Tensor { Ok(sort(x, 0, false)?.swap_remove(0)) }
}

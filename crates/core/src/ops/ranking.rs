//! Extremes, ranks and running extremes along a dimension, with where they stood. Values are gathered from the places, so gradients flow
//! there; among all elements those that equal the value share them, as in PyTorch.

use firn_kernels::order::Task;

use super::compare::{eq, is_nan, logical_and, logical_or, where_};
use super::index::gather;
use super::lines::{chosen, line_of, nonempty, one, picked, without};
use super::reduce::{argmax, argmin, sum};
use super::{Outputs, ops};
use crate::error::{Result, bail};
use crate::shape::{axis, show};
use crate::tensor::Tensor;

ops! {
    /// The largest element along `dim`, of all by default, and where it stands, the first of equals; NaN counts as largest. Among all, equal
    /// ones share the gradient. `amax` reduces over several dims.
    #[example("const { values, indices } = tensor([[1, 5], [7, 2]]).max(1)", "values // [5, 7]", "indices // [1, 0]", "tensor([[1, 5], [7, 2]]).max().values // 7")]
    #[outputs(values: Tensor, indices: Index)]
    #[face(method)]
    #[check(cases)]
    fn max(x: &Tensor, dim: Option<isize> = None; keep_dim: bool = false) -> Outputs { extreme(x, dim, keep_dim, argmax) }

    /// The smallest element along `dim`, of all by default, and where it stands, the first of equals; NaN counts as smallest. Among all, equal
    /// ones share the gradient. `amin` reduces over several dims.
    #[example("const { values, indices } = tensor([[1, 5], [7, 2]]).min(1)", "values // [1, 2]", "indices // [0, 1]")]
    #[outputs(values: Tensor, indices: Index)]
    #[face(method)]
    #[check(cases)]
    fn min(x: &Tensor, dim: Option<isize> = None; keep_dim: bool = false) -> Outputs { extreme(x, dim, keep_dim, argmin) }

    /// The middle element along `dim`, of all by default, the lower of two, and where it stands; NaN where there is one. Among all, equal
    /// ones share the gradient.
    #[example("tensor([[3, 1, 2], [9, 7, 8]]).median(1).values // [2, 8]", "tensor([4, 1, 3, 2]).median().values // 2")]
    #[outputs(values: Tensor, indices: Index)]
    #[face(method)]
    #[check(cases)]
    fn median(x: &Tensor, dim: Option<isize> = None; keep_dim: bool = false) -> Outputs {
        one(x, dim, keep_dim, Task::Middle { skip_nan: false })
    }

    /// `median` of the elements that are not NaN; NaN where there are none.
    #[example("tensor([NaN, 3, 1]).nanMedian().values // 1")]
    #[outputs(values: Tensor, indices: Index)]
    #[face(method)]
    #[check(cases)]
    #[torch("nanmedian")]
    fn nan_median(x: &Tensor, dim: Option<isize> = None; keep_dim: bool = false) -> Outputs {
        one(x, dim, keep_dim, Task::Middle { skip_nan: true })
    }

    /// The value that occurs most often along `dim`, the smallest of such, and the last place where it stands; NaN equals NaN.
    #[example("const { values, indices } = tensor([3, 1, 3, 2]).mode()", "values // 3", "indices // 2")]
    #[outputs(values: Tensor, indices: Index)]
    #[face(method)]
    #[check(cases)]
    fn mode(x: &Tensor, dim: isize = -1; keep_dim: bool = false) -> Outputs { one(x, Some(dim), keep_dim, Task::Mode) }

    /// The `k`-th smallest element along `dim`, `k` from 1, and where it stands; NaN counts as largest.
    #[example("tensor([30, 10, 20]).kthvalue(2).values // 20")]
    #[outputs(values: Tensor, indices: Index)]
    #[face(method)]
    #[check(cases)]
    fn kthvalue(x: &Tensor, k: usize, dim: isize = -1; keep_dim: bool = false) -> Outputs {
        let size = nonempty(x, dim)?;
        if k == 0 || k > size {
            bail!(Argument, "k is {k} and must lie in 1 to {size}, the size of dim {dim}");
        }
        one(x, Some(dim), keep_dim, Task::Rank(k - 1))
    }

    /// The `k` largest elements along `dim`, or smallest unless `largest`, in order, the first of equals before the others, and where they
    /// stand; NaN counts as largest.
    #[example("const { values, indices } = tensor([1, 9, 5]).topk(2)", "values // [9, 5]", "indices // [1, 2]")]
    #[outputs(values: Tensor, indices: Index)]
    #[face(method)]
    #[check(cases)]
    fn topk(x: &Tensor, k: usize, dim: isize = -1; largest: bool = true) -> Outputs {
        let size = x.shape().get(axis(dim, x.rank())?).copied().unwrap_or(1);
        if k > size {
            bail!(Argument, "k is {k} and dim {dim} of {} has {size} elements", show(x.shape()));
        }
        if x.rank() == 0 && k == 0 {
            bail!(Argument, "k is 0 and a number cannot become a list of none; reshape it first: x.reshape(1)");
        }
        picked(x, dim, Task::First { count: k, descending: largest })
    }

    /// The largest element so far along `dim`, and where it stands, the last of equals; NaN stays.
    #[example("tensor([1, 3, 2]).cummax(0).values // [1, 3, 3]")]
    #[outputs(values: Tensor, indices: Index)]
    #[face(method)]
    #[check(cases)]
    fn cummax(x: &Tensor, dim: isize) -> Outputs { picked(x, dim, Task::Running { largest: true }) }

    /// The smallest element so far along `dim`, and where it stands, the last of equals; NaN stays.
    #[example("tensor([3, 1, 2]).cummin(0).values // [3, 1, 1]")]
    #[outputs(values: Tensor, indices: Index)]
    #[face(method)]
    #[check(cases)]
    fn cummin(x: &Tensor, dim: isize) -> Outputs { picked(x, dim, Task::Running { largest: false }) }

    /// The element of a list at a place that stands for all that equal it, NaN for every NaN: they share the gradient.
    #[face()]
    #[check(none, "checked as max, min and median of all elements")]
    fn standing(x: &Tensor, place: &Tensor) -> Tensor { gather(x, 0, place) }
    grad(g, y; x) {
        x: {
            let equal = logical_or(&eq(&x.into(), &y.into())?, &logical_and(&is_nan(x)?, &is_nan(y)?)?)?;
            // Halves could not count far enough.
            let precise = x.dtype().precise();
            let count = sum(&Tensor::new(equal.value_as(precise), precise), &[], false)?;
            where_(&equal, &(g / count).into(), &0.0.into())?
        }
    }
}

fn extreme(
    x: &Tensor,
    dim: Option<isize>,
    keep_dim: bool,
    find: fn(&Tensor, Option<isize>, bool) -> Result<Tensor>,
) -> Result<Vec<Tensor>> {
    let (line, along) = line_of(x, dim)?;
    let places = find(&line, Some(along), true)?;
    let values = chosen(&line, along, &places, dim)?;
    [values, places].iter().map(|out| without(out, x.rank(), along, dim, keep_dim)).collect()
}

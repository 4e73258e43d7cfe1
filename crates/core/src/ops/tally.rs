//! Which values occur.

use firn_kernels::order::Task;

use super::buckets::searchsorted;
use super::compare::{eq, logical_not};
use super::elementwise::clamp;
use super::index::index_select;
use super::lines::{ordered, places};
use super::shaping::{flatten, reshape, signed};
use super::sorting::sort;
use super::{Mask, Outputs, ops};
use crate::cpu::{contiguous, from_vec, slice};
use crate::create::full;
use crate::dtype::{DType, promote};
use crate::error::Result;
use crate::tensor::Tensor;

ops! {
    /// The values that occur, ascending, as a list; for each element the place of its value among them; and how often each occurs. NaN equals
    /// nothing, itself neither.
    #[example("const { values, inverse, counts } = tensor([3, 1, 3]).unique()", "values // [1, 3]", "inverse // [1, 0, 1]", "counts // [1, 2]")]
    #[outputs(values: Tensor, inverse: Index, counts: Index)]
    #[face(method)]
    #[check(cases)]
    fn unique(x: &Tensor) -> Outputs { runs(x, true) }

    /// `unique` of runs: equal neighbours, in row-major order, are one value.
    #[example("const { values, counts } = tensor([3, 3, 1, 3]).uniqueConsecutive()", "values // [3, 1, 3]", "counts // [2, 1, 1]")]
    #[outputs(values: Tensor, inverse: Index, counts: Index)]
    #[face(method)]
    #[check(cases)]
    fn unique_consecutive(x: &Tensor) -> Outputs { runs(x, false) }

    /// Whether each element is among `values`, of any shape; with `invert`, whether it is not. NaN equals nothing.
    #[example("tensor([1, 2, 3]).isIn(tensor([3, 1])) // [true, false, true]")]
    #[face(method)]
    #[check(cases)]
    #[torch("isin")]
    fn is_in(x: &Tensor, values: &Tensor; invert: bool = false) -> Mask {
        let common = promote(x.dtype(), values.dtype());
        let like = |x: &Tensor| if x.dtype() == common { x.detach() } else { Tensor::new(x.value_as(common), common) };
        let (x, values) = (like(x), flatten(&like(values), 0, -1)?);
        if values.size() == 0 {
            return full(x.shape(), f64::from(u8::from(invert)), DType::Bool);
        }
        let values = sort(&values, 0, false)?.swap_remove(0);
        let at = clamp(&searchsorted(&values, &x, false)?, None, Some(values.size() as f64 - 1.0))?;
        let found = eq(&reshape(&index_select(&values, 0, &flatten(&at, 0, -1)?)?, &signed(x.shape()))?.into(), &(&x).into())?;
        if invert { logical_not(&found) } else { Ok(found) }
    }
}

fn runs(x: &Tensor, sorted: bool) -> Result<Vec<Tensor>> {
    let flat = flatten(&x.detach(), 0, -1)?;
    let order = if sorted { Some(contiguous(&places(&flat, 0, Task::Sort { descending: false })?)) } else { None };
    let order = order.as_ref().map(slice::<i64>);
    let (value, dtype) = ordered(&flat);
    let (firsts, inverse, counts) = match dtype {
        DType::Float32 => cut(slice::<f32>(&value), order),
        DType::Float64 => cut(slice::<f64>(&value), order),
        _ => cut(slice::<i64>(&value), order),
    };
    let size = firsts.len();
    let values = index_select(&flat, 0, &from_vec(firsts, [size].into(), DType::Int64))?;
    Ok(vec![values, from_vec(inverse, x.shape().into(), DType::Int64), from_vec(counts, [size].into(), DType::Int64)])
}

/// Where each run of equals in an order begins, the run of each element, and the lengths.
fn cut<T: PartialEq + Copy>(all: &[T], order: Option<&[i64]>) -> (Vec<i64>, Vec<i64>, Vec<i64>) {
    let (mut firsts, mut counts, mut inverse) = (Vec::new(), Vec::new(), vec![0; all.len()]);
    let mut last = None;
    for i in 0..all.len() {
        let at = order.map_or(i, |order| order[i] as usize);
        if last != Some(all[at]) {
            firsts.push(at as i64);
            counts.push(0_i64);
            last = Some(all[at]);
        }
        inverse[at] = counts.len() as i64 - 1;
        if let Some(count) = counts.last_mut() {
            *count += 1;
        }
    }
    (firsts, inverse, counts)
}

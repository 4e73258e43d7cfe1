//! Places in ascending lists.

use super::lines::ordered;
use super::{Index, ops};
use crate::cpu::{from_vec, slice};
use crate::dtype::{DType, promote};
use crate::error::bail;
use crate::shape::show;
use crate::tensor::{Tensor, Value};

ops! {
    /// Where each of `values` belongs in `sorted`, ascending along its last dimension: before its equals, or behind them if `right`.
    #[example("tensor([1, 3, 5]).searchsorted(tensor([3, 6])) // [1, 3]")]
    #[face(method)]
    #[check(cases)]
    fn searchsorted(sorted: &Tensor, values: &Tensor; right: bool = false) -> Index {
        let (rank, lead) = (sorted.rank(), sorted.rank().saturating_sub(1));
        if rank == 0 || (rank > 1 && (values.rank() != rank || values.shape()[..lead] != sorted.shape()[..lead])) {
            bail!(Shape, "sorted {} must be a list, or agree with values {} in all dimensions but the last", show(sorted.shape()), show(values.shape()));
        }
        let size = sorted.shape()[lead];
        let each = if rank == 1 { values.size() } else { values.shape()[lead] };
        let common = promote(sorted.dtype(), values.dtype());
        let (edges, dtype) = ordered(&Tensor::new(sorted.value_as(common), common));
        let (wanted, _) = ordered(&Tensor::new(values.value_as(common), common));
        let found = match dtype {
            DType::Float32 => searched::<f32>(&edges, &wanted, size, each, right),
            DType::Float64 => searched::<f64>(&edges, &wanted, size, each, right),
            _ => searched::<i64>(&edges, &wanted, size, each, right),
        };
        Ok(from_vec(found, values.shape().into(), DType::Int64))
    }

    /// The bucket of each element between ascending `boundaries`, a list: the first whose boundary is not below it, or is above it if `right`.
    #[example("tensor([0, 2, 9]).bucketize(tensor([1, 2, 3])) // [0, 1, 3]")]
    #[face(method)]
    #[check(cases)]
    fn bucketize(x: &Tensor, boundaries: &Tensor; right: bool = false) -> Index {
        if boundaries.rank() != 1 {
            bail!(Shape, "boundaries must be a list (rank 1) and are {}", show(boundaries.shape()));
        }
        searchsorted(boundaries, x, right)
    }
}

fn searched<T>(edges: &Value, wanted: &Value, size: usize, each: usize, right: bool) -> Vec<i64>
where
    T: firn_kernels::order::Key + burn_std::Element + bytemuck::Pod,
{
    let (edges, wanted) = (slice::<T>(edges), slice::<T>(wanted));
    let mut out = vec![0; wanted.len()];
    if each > 0 {
        for (i, (wanted, out)) in wanted.chunks_exact(each).zip(out.chunks_exact_mut(each)).enumerate() {
            firn_kernels::order::search(&edges[i * size..][..size], wanted, right, out);
        }
    }
    out
}

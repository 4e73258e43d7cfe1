//! Places in ascending lists, and counts of what falls between their entries.

use super::lines::ordered;
use super::{Index, ops};
use crate::cpu::{contiguous, from_vec, slice};
use crate::dtype::{DType, Kind, promote};
use crate::error::{Result, bail};
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

    /// How often each number from 0 on stands in a list of integers of 0 or more; at least `minLength` counts.
    #[example("tensor([0, 2, 2], { dtype: 'int64' }).bincount() // [1, 0, 2]")]
    #[face(method)]
    #[check(cases)]
    fn bincount(x: &Index; min_length: usize = 0) -> Index {
        let (numbers, size) = counted(x, min_length)?;
        let mut counts = vec![0_i64; size];
        for &n in slice::<i64>(&numbers) {
            counts[n as usize] += 1;
        }
        Ok(from_vec(counts, [size].into(), DType::Int64))
    }

    /// How many elements fall into each of `bins` equal intervals from `min` to `max`, both of the data where equal; others are left out.
    #[example("tensor([0, 1, 1, 3]).histc({ bins: 3 }) // [1, 2, 1]")]
    #[face(method)]
    #[check(cases)]
    fn histc(x: &Tensor; bins: usize = 100, min: f64 = 0.0, max: f64 = 0.0) -> Tensor {
        if !x.dtype().is_float() {
            bail!(Dtype, "expected a floating point tensor and got {}; convert first: x.to('float32')", x.dtype().name());
        }
        if bins == 0 || min > max || !(max - min).is_finite() {
            bail!(Argument, "expected one bin or more and finite min <= max, and got bins {bins}, min {min}, max {max}");
        }
        let value = contiguous(&Tensor::new(x.value_as(DType::Float64), DType::Float64));
        let all = slice::<f64>(&value);
        let (mut low, mut high) = (min, max);
        if low == high && !all.is_empty() {
            // NaN passes through, for the message.
            (low, high) = all.iter().fold((all[0], all[0]), |(a, b), &x| (if x.is_nan() || x < a { x } else { a }, if x > b { x } else { b }));
        }
        if !(high - low).is_finite() {
            bail!(Argument, "the data reaches from {low} to {high}; give finite min and max");
        }
        if low == high {
            (low, high) = (low - 1.0, high + 1.0);
        }
        let mut counts = vec![0.0_f64; bins];
        for &x in all.iter().filter(|&&x| x >= low && x <= high) {
            let bin = ((x - low) / (high - low) * bins as f64) as usize;
            counts[bin.min(bins - 1)] += 1.0;
        }
        let counts = from_vec(counts, [bins].into(), DType::Float64);
        Ok(Tensor::new(counts.value_as(x.dtype()), x.dtype()))
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

/// The numbers of a list, none negative, and how many counts they need.
fn counted(x: &Index, min_length: usize) -> Result<(Value, usize)> {
    if x.rank() != 1 || x.dtype().kind() != Kind::Int {
        bail!(Shape, "expected a list of integers and got {} {}", x.dtype().name(), show(x.shape()));
    }
    let value = contiguous(&Tensor::new(x.value_as(DType::Int64), DType::Int64));
    let (least, most) = slice::<i64>(&value).iter().fold((0, -1), |(least, most), &n| (n.min(least), n.max(most)));
    if least < 0 {
        bail!(Argument, "counts are of numbers of 0 or more and {least} is among them");
    }
    let size = (most.saturating_add(1) as usize).max(min_length);
    crate::create::room(&[size], DType::Int64)?;
    Ok((value, size))
}

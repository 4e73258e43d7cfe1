//! Counts of numbers and of what falls into intervals.

use super::buckets::searchsorted;
use super::{Index, Operand, Outputs, ops};
use crate::cpu::{contiguous, from_vec, slice};
use crate::create::{from_numbers, linspace};
use crate::dtype::{DType, Kind};
use crate::error::{Result, bail};
use crate::shape::show;
use crate::tensor::{Tensor, Value};

ops! {
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
        if bins == 0 {
            bail!(Argument, "expected one bin or more");
        }
        let value = contiguous(&Tensor::new(x.value_as(DType::Float64), DType::Float64));
        let all = slice::<f64>(&value);
        let (low, high) = reach(all, min, max, 1.0)?;
        let mut counts = vec![0.0_f64; bins];
        for &x in all.iter().filter(|&&x| x >= low && x <= high) {
            let bin = ((x - low) / (high - low) * bins as f64) as usize;
            counts[bin.min(bins - 1)] += 1.0;
        }
        let counts = from_vec(counts, [bins].into(), DType::Float64);
        Ok(Tensor::new(counts.value_as(x.dtype()), x.dtype()))
    }

    /// How many elements fall between neighbouring edges: ascending ones given as `bins`, or those of that many equal intervals over `range`,
    /// `[low, high]`, by default of the data. Each interval has its left end, the last both. `weight` has a number for each element to
    /// add instead of 1; with `density` the area is 1.
    #[example("const { counts, edges } = tensor([0, 1, 1, 4]).histogram(2)", "counts // [3, 1]", "edges // [0, 2, 4]")]
    #[outputs(counts: Tensor, edges: Tensor)]
    #[face(method)]
    #[check(cases)]
    fn histogram(x: &Tensor, bins: &Operand; range: &[f64] = [], weight: Option<&Tensor> = None, density: bool = false) -> Outputs {
        if !x.dtype().is_float() {
            bail!(Dtype, "expected a floating point tensor and got {}; convert first: x.to('float32')", x.dtype().name());
        }
        if let Some(weight) = weight && (weight.shape() != x.shape() || weight.dtype() != x.dtype()) {
            bail!(Shape, "weight is {} {} and x {} {}; they must agree", weight.dtype().name(), show(weight.shape()), x.dtype().name(), show(x.shape()));
        }
        let wide = |x: &Tensor| contiguous(&Tensor::new(x.value_as(DType::Float64), DType::Float64));
        let all = wide(x);
        let all = slice::<f64>(&all);
        let edges = match bins {
            Operand::Tensor(edges) if !range.is_empty() => bail!(Argument, "bins {} are edges, which leave nothing to say by range {range:?}", show(edges.shape())),
            Operand::Tensor(edges) => edges.clone(),
            Operand::Number(bins) => {
                if bins.fract() != 0.0 || !(1.0..1e9).contains(bins) {
                    bail!(Argument, "bins is {bins}; expected a whole number of 1 or more, or a tensor of edges");
                }
                let (low, high) = match range {
                    [] if all.is_empty() => (0.0, 1.0),
                    [] => reach(all, 0.0, 0.0, 0.5)?,
                    [low, high] => reach(all, *low, *high, 0.5)?,
                    _ => bail!(Argument, "range is {range:?}; expected [low, high]"),
                };
                linspace(low, high, *bins as usize + 1, x.dtype())?
            }
        };
        let list = wide(&edges);
        let ends = slice::<f64>(&list);
        if edges.rank() != 1 || ends.is_empty() || edges.dtype() != x.dtype() || !ends.is_sorted() {
            bail!(Argument, "bins are {} {} and must be ascending edges, a list of {}", edges.dtype().name(), show(edges.shape()), x.dtype().name());
        }
        let weights = weight.map(wide);
        let weights = weights.as_ref().map(slice::<f64>);
        let places = contiguous(&searchsorted(&edges, x, true)?);
        let mut counts = vec![0.0; ends.len() - 1];
        for (i, (&x, &at)) in all.iter().zip(slice::<i64>(&places)).enumerate() {
            let last = x == ends[ends.len() - 1];
            // NaN is behind all edges.
            if let Some(count) = (at as usize - usize::from(last && at > 0)).checked_sub(1).and_then(|bin| counts.get_mut(bin)) {
                *count += weights.map_or(1.0, |weights| weights[i]);
            }
        }
        if density {
            let total: f64 = counts.iter().sum();
            counts.iter_mut().zip(ends.windows(2)).for_each(|(count, ends)| *count /= total * (ends[1] - ends[0]));
        }
        Ok(vec![from_numbers(&counts, &[counts.len()], x.dtype())?, edges])
    }
}

/// Where intervals begin and end: as asked, or as the data where both are the same; a single value gets `room` on either side.
fn reach(all: &[f64], min: f64, max: f64, room: f64) -> Result<(f64, f64)> {
    if min > max || !(max - min).is_finite() {
        bail!(Argument, "expected finite ends, the lower first, and got {min} and {max}");
    }
    let (mut low, mut high) = (min, max);
    if low == high && !all.is_empty() {
        // NaN passes through, for the message.
        let wider = |(a, b): (f64, f64), &x: &f64| (if x.is_nan() || x < a { x } else { a }, if x > b { x } else { b });
        (low, high) = all.iter().fold((all[0], all[0]), wider);
    }
    if !(high - low).is_finite() {
        bail!(Argument, "the data reaches from {low} to {high}; give finite ends");
    }
    Ok(if low == high { (low - room, high + room) } else { (low, high) })
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

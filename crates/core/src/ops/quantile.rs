//! Quantiles, with and without NaN.

use super::blend::lerp;
use super::choice::QuantileInterpolation;
use super::compare::{is_nan, logical_not, where_};
use super::elementwise::{ceil, floor, maximum, round};
use super::index::gather;
use super::lines::{line_of, nonempty, without};
use super::ops;
use super::reduce::{any, sum};
use super::shaping::stack;
use super::sorting::sort;
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::tensor::Tensor;

ops! {
    /// The quantiles `q`, from 0 to 1, along `dim`, of all elements by default; several give a first dimension of their own. Between two
    /// elements `interpolation` says what is taken. NaN where there is one.
    #[example("tensor([0, 10, 20]).quantile(0.25) // 5", "tensor([0, 10, 20]).quantile([0.5, 1]) // [10, 20]")]
    #[face(method)]
    #[check(cases)]
    #[autocast(full)]
    fn quantile(x: &Tensor, q: &[f64], dim: Option<isize> = None; keep_dim: bool = false, interpolation: QuantileInterpolation = Linear) -> Tensor {
        quantiles(x, q, dim, keep_dim, interpolation, false)
    }

    /// `quantile` of the elements that are not NaN; NaN where there are none.
    #[example("tensor([0, NaN, 20]).nanQuantile(0.5) // 10")]
    #[face(method)]
    #[check(cases)]
    #[torch("nanquantile")]
    #[autocast(full)]
    fn nan_quantile(x: &Tensor, q: &[f64], dim: Option<isize> = None; keep_dim: bool = false, interpolation: QuantileInterpolation = Linear) -> Tensor {
        quantiles(x, q, dim, keep_dim, interpolation, true)
    }
}

fn quantiles(
    x: &Tensor,
    q: &[f64],
    dim: Option<isize>,
    keep_dim: bool,
    interpolation: QuantileInterpolation,
    skip_nan: bool,
) -> Result<Tensor> {
    if !x.dtype().is_float() {
        bail!(Dtype, "quantiles of {} lie between its values; convert first: x.to('float32')", x.dtype().name());
    }
    if let Some(wrong) = q.iter().find(|q| !(0.0..=1.0).contains(*q)) {
        bail!(Argument, "a quantile lies in [0, 1] and one is {wrong}");
    }
    let (line, along) = line_of(x, dim)?;
    let most = nonempty(&line, along)? as f64 - 1.0;
    let broken = is_nan(&line.detach())?;
    // NaN is sorted last: the last of all is NaN where one is, and the last number has the number of numbers.
    let last = if skip_nan {
        maximum(&(sum(&as_doubles(&logical_not(&broken)?), &[along], true)? - 1.0).into(), &0.0.into())?
    } else {
        crate::create::full(&[], most, DType::Float64)?
    };
    let broken = any(&broken, &[along], true)?;
    let sorted = sort(&line, along, false)?.swap_remove(0);
    let at = |rank: &Tensor| gather(&sorted, along, &Tensor::new(rank.value_as(DType::Int64), DType::Int64));
    let mut out = Vec::with_capacity(q.len());
    for &q in q {
        let rank = if skip_nan { &last * q } else { where_(&broken, &most.into(), &(&last * q).into())? };
        let low = floor(&rank)?;
        let value = match interpolation {
            QuantileInterpolation::Lower => at(&low)?,
            QuantileInterpolation::Higher => at(&ceil(&rank)?)?,
            QuantileInterpolation::Nearest => at(&round(&rank)?)?,
            QuantileInterpolation::Midpoint => lerp(&at(&low)?, &at(&ceil(&rank)?)?, &0.5.into())?,
            QuantileInterpolation::Linear => {
                let share = &rank - &low;
                lerp(&at(&low)?, &at(&ceil(&rank)?)?, &Tensor::new(share.value_as(x.dtype()), x.dtype()).into())?
            }
        };
        out.push(without(&value, x.rank(), along, dim, keep_dim)?);
    }
    match &out[..] {
        [one] => Ok(one.clone()),
        _ => stack(&out, 0),
    }
}

fn as_doubles(x: &Tensor) -> Tensor {
    Tensor::new(x.value_as(DType::Float64), DType::Float64)
}

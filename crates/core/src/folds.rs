//! Kernels of reductions over tensors: dims become `[outer, n, inner]`, dtypes become types.

use burn_std::Element;
use firn_kernels::fold::{Count, Fold, Powers, Sum, largest, smallest};
use firn_kernels::map::{Floats, Made};
use firn_kernels::real::Real;
use firn_kernels::reduce::{positions, reduce, squares_about_mean};
use firn_kernels::zip::Number;
use firn_kernels::{logsumexp, running, softmax as kernel};

use crate::cpu::{from_vec, with_slice};
use crate::dtype::DType;
use crate::shape::Axes;
use crate::tensor::{Tensor, cast};

/// What to do after another to reduce over `axes`: neighbouring ones go at once, the last first.
fn stages(shape: &[usize], axes: &Axes) -> Vec<[usize; 3]> {
    let mut sizes = shape.to_vec();
    let mut axes = axes.to_vec();
    axes.sort_unstable();
    let mut out = Vec::new();
    while let Some(last) = axes.pop() {
        let mut first = last;
        while axes.last().is_some_and(|&axis| axis + 1 == first) {
            first -= 1;
            axes.pop();
        }
        out.push([product(&sizes[..first]), product(&sizes[first..=last]), product(&sizes[last + 1..])]);
        sizes[first..=last].fill(1);
    }
    if out.is_empty() {
        out.push([product(shape), 1, 1]);
    }
    out
}

fn product(sizes: &[usize]) -> usize {
    sizes.iter().product()
}

fn fold<E: Element + bytemuck::Pod + Send + Sync, F: Fold<Element = E, Out = E>>(
    x: &Tensor,
    axes: &Axes,
    to: &[usize],
    dtype: DType,
    f: F,
) -> Tensor {
    let stages = stages(x.shape(), axes);
    let out = with_slice(x.value_ref(), |x: &[E]| {
        let [outer, n, inner] = stages[0];
        stages[1..].iter().fold(reduce(f, x, outer, n, inner), |x, &[outer, n, inner]| reduce(f, &x, outer, n, inner))
    });
    from_vec(out, to.into(), dtype)
}

/// The sum over `axes`, of shape `to`; None for dtypes that have no kernel of ours.
pub(crate) fn sum(x: &Tensor, axes: &Axes, to: &[usize]) -> Option<Tensor> {
    match x.dtype() {
        DType::Float32 => Some(fold(x, axes, to, x.dtype(), Sum::<f32>::new())),
        DType::Float64 => Some(fold(x, axes, to, x.dtype(), Sum::<f64>::new())),
        DType::Int64 => Some(fold(x, axes, to, x.dtype(), Count)),
        _ => None,
    }
}

/// The sum of `|x|^P` over `axes`, for a `P` of 1 or 2.
pub(crate) fn powers<const P: usize>(x: &Tensor, axes: &Axes, to: &[usize]) -> Option<Tensor> {
    fn by<T: Real + Default + Element + bytemuck::Pod, const P: usize>(x: &Tensor, axes: &Axes, to: &[usize]) -> Tensor {
        let stages = stages(x.shape(), axes);
        let out = with_slice(x.value_ref(), |x: &[T]| {
            let [outer, n, inner] = stages[0];
            let first = reduce(Powers::<T, T, P>::about(T::of(0.0)), x, outer, n, inner);
            stages[1..].iter().fold(first, |x, &[outer, n, inner]| reduce(Sum::<T>::new(), &x, outer, n, inner))
        });
        from_vec(out, to.into(), x.dtype())
    }
    match x.dtype() {
        DType::Float32 => Some(by::<f32, P>(x, axes, to)),
        DType::Float64 => Some(by::<f64, P>(x, axes, to)),
        _ => None,
    }
}

/// The sum of squares about the mean over `axes`, divided by `divisor`; None where the axes are no neighbours.
pub(crate) fn variance(x: &Tensor, axes: &Axes, to: &[usize], divisor: f64) -> Option<Tensor> {
    fn by<T: Real + Default + Element + bytemuck::Pod>(x: &Tensor, [outer, n, inner]: [usize; 3], to: &[usize], divisor: f64) -> Tensor {
        let squares = with_slice(x.value_ref(), |x: &[T]| squares_about_mean(x, outer, n, inner));
        from_vec(squares.into_iter().map(|sum| T::of(sum / divisor)).collect::<Vec<T>>(), to.into(), x.dtype())
    }
    match (&stages(x.shape(), axes)[..], x.dtype()) {
        (&[stage], DType::Float32) => Some(by::<f32>(x, stage, to, divisor)),
        (&[stage], DType::Float64) => Some(by::<f64>(x, stage, to, divisor)),
        _ => None,
    }
}

/// `log(sum(e^x))` over `axes`; None for half types, and where the axes are no neighbours.
pub(crate) fn log_sum_exp(x: &Tensor, axes: &Axes, to: &[usize]) -> Option<Tensor> {
    let &[stage] = &stages(x.shape(), axes)[..] else { return None };
    let made = match x.dtype() {
        DType::Float32 => with_slice(x.value_ref(), |x| logsumexp::log_sum_exp(Floats::F32(x), stage)),
        DType::Float64 => with_slice(x.value_ref(), |x| logsumexp::log_sum_exp(Floats::F64(x), stage)),
        _ => return None,
    };
    Some(match made {
        Made::F32(out) => from_vec(out, to.into(), DType::Float32),
        Made::F64(out) => from_vec(out, to.into(), DType::Float64),
    })
}

/// Running sums along `axis`; None for dtypes that have no kernel of ours.
pub(crate) fn cumsum(x: &Tensor, axis: usize) -> Option<Tensor> {
    let shape = around(x.shape(), axis);
    let to = x.shape().into();
    Some(match x.dtype() {
        DType::Float32 => from_vec(with_slice(x.value_ref(), |x: &[f32]| running::cumsum(x, shape)), to, x.dtype()),
        DType::Float64 => from_vec(with_slice(x.value_ref(), |x: &[f64]| running::cumsum(x, shape)), to, x.dtype()),
        DType::Int64 => from_vec(with_slice(x.value_ref(), |x: &[i64]| running::cumsum_integers(x, shape)), to, x.dtype()),
        _ => return None,
    })
}

/// Which of the elements to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extreme {
    Largest,
    Smallest,
}

/// The largest or smallest element over `axes`, of shape `to`; of booleans, whether any or all are true.
pub(crate) fn extreme(which: Extreme, x: &Tensor, axes: &Axes, to: &[usize]) -> Option<Tensor> {
    fn by<E: Element + bytemuck::Pod + Number>(
        which: Extreme,
        x: &Tensor,
        axes: &Axes,
        to: &[usize],
        [least, greatest]: [E; 2],
    ) -> Option<Tensor> {
        Some(match which {
            Extreme::Largest => fold(x, axes, to, x.dtype(), largest(least)),
            Extreme::Smallest => fold(x, axes, to, x.dtype(), smallest(greatest)),
        })
    }
    match x.dtype() {
        DType::Float32 => by(which, x, axes, to, [f32::NEG_INFINITY, f32::INFINITY]),
        DType::Float64 => by(which, x, axes, to, [f64::NEG_INFINITY, f64::INFINITY]),
        DType::Int64 => by(which, x, axes, to, [i64::MIN, i64::MAX]),
        DType::Int32 => by(which, x, axes, to, [i32::MIN, i32::MAX]),
        DType::Bool => by(which, x, axes, to, [0_u8, 1]),
        _ => None,
    }
}

/// The shape around one dimension: what lies outside of it, its size, what lies inside.
pub(crate) fn around(shape: &[usize], axis: usize) -> [usize; 3] {
    match shape.get(axis) {
        Some(&n) => [product(&shape[..axis]), n, product(&shape[axis + 1..])],
        None => [1, 1, 1],
    }
}

/// Positions of the largest or smallest elements along `axis`, of shape `to`.
pub(crate) fn extreme_at(which: Extreme, x: &Tensor, axis: usize, to: &[usize]) -> Option<Tensor> {
    fn by<E: Element + bytemuck::Pod + Number>(
        which: Extreme,
        x: &Tensor,
        axis: usize,
        to: &[usize],
        [least, greatest]: [E; 2],
    ) -> Option<Tensor> {
        let shape = around(x.shape(), axis);
        let at = with_slice(x.value_ref(), |x: &[E]| match which {
            Extreme::Largest => positions(largest(least), x, shape, |a, b| a > b),
            Extreme::Smallest => positions(smallest(greatest), x, shape, |a, b| a < b),
        });
        Some(from_vec(at, to.into(), DType::Int64))
    }
    match x.dtype() {
        DType::Float32 => by(which, x, axis, to, [f32::NEG_INFINITY, f32::INFINITY]),
        DType::Float64 => by(which, x, axis, to, [f64::NEG_INFINITY, f64::INFINITY]),
        DType::Int64 => by(which, x, axis, to, [i64::MIN, i64::MAX]),
        DType::Int32 => by(which, x, axis, to, [i32::MIN, i32::MAX]),
        _ => None,
    }
}

/// Softmax of floats along `axis`, or its logarithm; half types take the way through float32.
pub(crate) fn softmax(x: &Tensor, axis: usize, log: bool) -> Tensor {
    let shape = around(x.shape(), axis);
    let inner = if x.dtype() == DType::Float64 { DType::Float64 } else { DType::Float32 };
    let value = x.value_as(inner);
    let made = match inner {
        DType::Float64 => with_slice(&value, |x| kernel::softmax(Floats::F64(x), shape, log)),
        _ => with_slice(&value, |x| kernel::softmax(Floats::F32(x), shape, log)),
    };
    let out = match made {
        Made::F32(out) => from_vec(out, x.shape().into(), DType::Float32),
        Made::F64(out) => from_vec(out, x.shape().into(), DType::Float64),
    };
    Tensor::new(cast(out.into_value(), inner, x.dtype()), x.dtype())
}

/// The gradient of `softmax` along the last axis, of float32 and float64; None elsewhere.
pub(crate) fn softmax_gradient(g: &Tensor, y: &Tensor, axis: usize, log: bool) -> Option<Tensor> {
    let n = *y.shape().last()?;
    if axis + 1 != y.rank() || y.size() == 0 || g.dtype() != y.dtype() || g.shape() != y.shape() {
        return None;
    }
    let made = match y.dtype() {
        DType::Float32 => {
            with_slice(g.value_ref(), |g| with_slice(y.value_ref(), |y| kernel::softmax_gradient(Floats::F32(g), Floats::F32(y), n, log)))
        }
        DType::Float64 => {
            with_slice(g.value_ref(), |g| with_slice(y.value_ref(), |y| kernel::softmax_gradient(Floats::F64(g), Floats::F64(y), n, log)))
        }
        _ => None,
    };
    Some(match made? {
        Made::F32(out) => from_vec(out, y.shape().into(), DType::Float32),
        Made::F64(out) => from_vec(out, y.shape().into(), DType::Float64),
    })
}

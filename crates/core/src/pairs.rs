//! Kernels of two operands over tensors: broadcasting and layouts become strides, dtypes become types.

use burn_flex::{FlexTensor, Layout};
use burn_std::{Element, Shape};
use firn_kernels::matrix;
use firn_kernels::real::Real;
use firn_kernels::slopes::{self, Slope};
use firn_kernels::zip::{self, Arithmetic, Comparison, Number, View};
use smallvec::{SmallVec, smallvec};

use crate::cpu::{dense_start, flex, from_parts};
use crate::dtype::DType;
use crate::error::Result;
use crate::tensor::{Tensor, Value};

type Strides = SmallVec<[isize; 8]>;

/// What stands on the right: a value of the left one's dtype, or a number.
#[derive(Clone, Copy)]
pub(crate) enum Right<'a> {
    Value(&'a Value),
    Number(f64),
}

/// Strides over `shape`, to which the layout broadcasts.
fn over(layout: &Layout, shape: &[usize]) -> Strides {
    let lead = shape.len() - layout.num_dims();
    let stride = |(dim, &size): (usize, &usize)| match dim.checked_sub(lead) {
        Some(own) if layout.shape()[own] == size => layout.strides()[own],
        _ => 0,
    };
    shape.iter().enumerate().map(stride).collect()
}

fn view<'a, E: Element + bytemuck::Pod>(tensor: &'a FlexTensor, strides: &'a Strides) -> View<'a, E> {
    View { data: tensor.storage(), start: tensor.layout().start_offset(), strides }
}

/// Runs a kernel of two operands and puts its result into a tensor.
fn run<E: Element + bytemuck::Pod, O: Element + bytemuck::Pod + Send + Sync>(
    a: &Value,
    b: Right<'_>,
    number: impl Fn(f64) -> E,
    dtype: DType,
    kernel: impl FnOnce(&[usize], View<'_, E>, View<'_, E>) -> Vec<O>,
) -> Result<Tensor> {
    let left = flex(a);
    let layout = left.layout();
    let alike = match b {
        Right::Value(b) => flex(b).layout().strides() == layout.strides() && flex(b).layout().shape() == layout.shape(),
        Right::Number(_) => true,
    };
    // Operands that fill their storage in one order need no thought about dimensions, and the result keeps that order.
    if let (true, Some(start)) = (alike, dense_start(layout)) {
        let ones: Strides = smallvec![1];
        let zeros: Strides = smallvec![0];
        let whole = [layout.num_elements()];
        let left = View { data: left.storage::<E>(), start, strides: &ones };
        let kept = Layout::new(layout.shape().clone(), layout.strides().to_vec(), 0);
        let out = match b {
            Right::Value(b) => kernel(&whole, left, view(flex(b), &ones)),
            Right::Number(n) => kernel(&whole, left, View { data: &[number(n)], start: 0, strides: &zeros }),
        };
        return Ok(from_parts(out, kept, dtype));
    }
    let shape = match b {
        Right::Value(b) => crate::shape::broadcast(layout.shape(), flex(b).layout().shape())?,
        Right::Number(_) => layout.shape().clone(),
    };
    let strides = over(layout, &shape);
    let left = view(left, &strides);
    let out = match b {
        Right::Value(b) => {
            let strides = over(flex(b).layout(), &shape);
            kernel(&shape, left, view(flex(b), &strides))
        }
        Right::Number(n) => {
            let strides: Strides = smallvec![0; shape.num_dims()];
            kernel(&shape, left, View { data: &[number(n)], start: 0, strides: &strides })
        }
    };
    Ok(from_parts(out, Layout::contiguous(shape), dtype))
}

/// A binary op of numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pair {
    Exact(Arithmetic),
    Divide,
    /// Of floats only.
    Power,
}

/// `a op b` by our kernel; None for dtypes that have none.
pub(crate) fn arithmetic(op: Pair, a: &Value, b: Right<'_>, dtype: DType) -> Result<Option<Tensor>> {
    let out = match (op, dtype) {
        (Pair::Exact(op), DType::Float32) => exact(op, a, b, |n| n as f32, dtype)?,
        (Pair::Exact(op), DType::Float64) => exact(op, a, b, |n| n, dtype)?,
        (Pair::Exact(op), DType::Int64) => exact(op, a, b, |n| n as i64, dtype)?,
        (Pair::Exact(op), DType::Int32) => exact(op, a, b, |n| n as i32, dtype)?,
        (Pair::Divide, DType::Float32) => run(a, b, |n| n as f32, dtype, zip::divide)?,
        (Pair::Divide, DType::Float64) => run(a, b, |n| n, dtype, zip::divide)?,
        (Pair::Power, DType::Float32) => run(a, b, |n| n as f32, dtype, zip::power)?,
        (Pair::Power, DType::Float64) => run(a, b, |n| n, dtype, zip::power_double)?,
        _ => return Ok(None),
    };
    Ok(Some(out))
}

fn exact<E: Element + bytemuck::Pod + Number>(
    op: Arithmetic,
    a: &Value,
    b: Right<'_>,
    number: impl Fn(f64) -> E,
    dtype: DType,
) -> Result<Tensor> {
    run(a, b, number, dtype, |shape, a, b| zip::arithmetic(op, shape, a, b))
}

/// Where `a op b` holds, by our kernel; None for dtypes that have none.
pub(crate) fn compare(op: Comparison, a: &Value, b: Right<'_>, dtype: DType) -> Result<Option<Tensor>> {
    fn by<E: Element + bytemuck::Pod + Number>(
        op: Comparison,
        a: &Value,
        b: Right<'_>,
        number: impl Fn(f64) -> E,
    ) -> Result<Option<Tensor>> {
        run(a, b, number, DType::Bool, |shape, a, b| zip::compare(op, shape, a, b)).map(Some)
    }
    match dtype {
        DType::Float32 => by(op, a, b, |n| n as f32),
        DType::Float64 => by(op, a, b, |n| n),
        DType::Int64 => by(op, a, b, |n| n as i64),
        DType::Int32 => by(op, a, b, |n| n as i32),
        _ => Ok(None),
    }
}

/// The gradient `g` of a function's result, times the derivative by our kernel; None for dtypes that have none.
pub(crate) fn times_slope<S: Slope>(slope: S, g: &Value, x: &Value, dtype: DType) -> Result<Option<Tensor>> {
    let x = Right::Value(x);
    Ok(match dtype {
        DType::Float32 => Some(run(g, x, |n| n as f32, dtype, |shape, g, x| slopes::single(slope, shape, g, x))?),
        DType::Float64 => Some(run(g, x, |n| n, dtype, |shape, g, x| slopes::double(slope, shape, g, x))?),
        _ => None,
    })
}

/// The products of (batches of) matrices, which broadcast to `shape`; None for dtypes that have no kernel of ours.
pub(crate) fn products(a: &Value, b: &Value, shape: &[usize], dtype: DType) -> Option<Tensor> {
    fn by<E: Element + bytemuck::Pod + Real>(a: &Value, b: &Value, shape: &[usize], dtype: DType) -> Tensor {
        let [a, b] = [a, b].map(flex);
        let (batch, sizes) = shape.split_at(shape.len() - 2);
        let inner = a.layout().shape()[a.layout().num_dims() - 1];
        let over = |x: &FlexTensor, sizes: [usize; 2]| over(x.layout(), &[batch, &sizes].concat());
        let (left, right) = (over(a, [sizes[0], inner]), over(b, [inner, sizes[1]]));
        let out = matrix::products(batch, [sizes[0], inner, sizes[1]], view::<E>(a, &left), view(b, &right));
        from_parts(out, Layout::contiguous(shape.into()), dtype)
    }
    match dtype {
        DType::Float32 => Some(by::<f32>(a, b, shape, dtype)),
        DType::Float64 => Some(by::<f64>(a, b, shape, dtype)),
        _ => None,
    }
}

/// The elements of `a` where `mask`, of `b` elsewhere, all broadcast to `shape`; None for dtypes that have no kernel of ours.
pub(crate) fn choose(mask: &Value, a: &Value, b: &Value, shape: &Shape, dtype: DType) -> Option<Tensor> {
    fn by<E: Element + bytemuck::Pod + Default>(mask: &Value, a: &Value, b: &Value, shape: &Shape, dtype: DType) -> Option<Tensor> {
        let [mask, a, b] = [mask, a, b].map(flex);
        let strides = [mask, a, b].map(|x| over(x.layout(), shape));
        let out = zip::choose(shape, view(mask, &strides[0]), view::<E>(a, &strides[1]), view(b, &strides[2]));
        Some(from_parts(out, Layout::contiguous(shape.clone()), dtype))
    }
    match dtype {
        DType::Float32 => by::<f32>(mask, a, b, shape, dtype),
        DType::Float64 => by::<f64>(mask, a, b, shape, dtype),
        DType::Int64 => by::<i64>(mask, a, b, shape, dtype),
        DType::Int32 => by::<i32>(mask, a, b, shape, dtype),
        DType::Bool => by::<u8>(mask, a, b, shape, dtype),
        _ => None,
    }
}

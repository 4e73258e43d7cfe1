//! Moves of elements on the CPU. What only moves needs no type, so there is one kernel for each size of an element.

use burn_flex::{FlexTensor, Layout};
use burn_std::{Bytes, Shape};
use bytemuck::Pod;
use firn_kernels::zip::View;
use firn_kernels::{copy, join, pick};

use crate::cpu::{flex, with_slice, wrapped};
use crate::dtype::DType;
use crate::folds::around;
use crate::tensor::{Tensor, Value};

/// Runs `$body` with `$T` an unsigned number of as many bytes as an element has.
macro_rules! by_size {
    ($size:expr, $T:ident => $body:expr) => {
        match $size {
            1 => {
                type $T = u8;
                $body
            }
            2 => {
                type $T = u16;
                $body
            }
            4 => {
                type $T = u32;
                $body
            }
            _ => {
                type $T = u64;
                $body
            }
        }
    };
}

/// A tensor with the dtype of `like` around elements that were moved as numbers of their size.
fn made<T: Pod + Send + Sync>(data: Vec<T>, shape: Shape, like: &FlexTensor) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(data), Layout::contiguous(shape), like.dtype())
}

/// Runs `f` over the elements in row-major order, as numbers of their size.
fn with_elements<T: Pod, R>(x: &FlexTensor, f: impl FnOnce(&[T]) -> R) -> R {
    match x.layout().contiguous_offsets() {
        Some((start, end)) => f(&bytemuck::cast_slice(x.bytes())[start..end]),
        None => f(bytemuck::cast_slice(contiguous(x).bytes())),
    }
}

/// The same elements in row-major order, in storage that holds nothing else.
pub(crate) fn contiguous(x: &FlexTensor) -> FlexTensor {
    let layout = x.layout();
    let whole = layout.num_elements() * x.dtype().size() == x.bytes().len();
    if whole && layout.start_offset() == 0 && layout.is_contiguous() {
        return x.clone();
    }
    by_size!(x.dtype().size(), T => {
        let view = View { data: bytemuck::cast_slice::<u8, T>(x.bytes()), start: layout.start_offset(), strides: layout.strides() };
        made(copy::copy(layout.shape(), view), layout.shape().clone(), x)
    })
}

/// For each position of `index`, of the shape of `x` outside of `axis`, the element there; None if one lies outside.
pub(crate) fn gather(x: &Tensor, axis: usize, index: &Value, to: &[usize]) -> Option<Tensor> {
    let (from, [_, n, inner]) = (flex(x.value_ref()), around(x.shape(), axis));
    let out = by_size!(from.dtype().size(), T => {
        let out = with_elements(from, |x: &[T]| with_slice(index, |index: &[i64]| pick::gather(x, index, [n, to[axis], inner])));
        made(out?, to.into(), from)
    });
    Some(wrapped(out, x.dtype()))
}

/// The entries of `x` at a list of positions along `axis`; None if one lies outside.
pub(crate) fn select(x: &Tensor, axis: usize, index: &Value) -> Option<Tensor> {
    let from = flex(x.value_ref());
    let shape = around(x.shape(), axis);
    let mut to = x.shape().to_vec();
    to[axis] = flex(index).layout().num_elements();
    let out = by_size!(from.dtype().size(), T => {
        let out = with_elements(from, |x: &[T]| with_slice(index, |index: &[i64]| pick::select(x, index, shape)));
        made(out?, to.into(), from)
    });
    Some(wrapped(out, x.dtype()))
}

/// The elements of the matrices that the last two dimensions hold, at positions of two lists; None if one lies outside.
pub(crate) fn select_both(x: &Tensor, lines: &Value, columns: &Value) -> Option<Tensor> {
    let from = flex(x.value_ref());
    let rank = x.rank();
    let mut to = x.shape().to_vec();
    let (n, width) = (to[rank - 2], to[rank - 1]);
    let outer = to[..rank - 2].iter().product();
    to[rank - 2] = flex(lines).layout().num_elements();
    to[rank - 1] = flex(columns).layout().num_elements();
    let out = by_size!(from.dtype().size(), T => {
        let out = with_elements(from, |x: &[T]| {
            with_slice(lines, |lines: &[i64]| with_slice(columns, |columns: &[i64]| pick::select_both(x, lines, columns, [outer, n, width])))
        });
        made(out?, to.into(), from)
    });
    Some(wrapped(out, x.dtype()))
}

/// Values of one dtype, which agree outside of `axis`, after each other along it.
pub(crate) fn cat(values: &[Value], axis: usize, dtype: DType) -> Tensor {
    let parts: Vec<FlexTensor> = values
        .iter()
        .map(|value| {
            let tensor = flex(value);
            if tensor.layout().contiguous_offsets().is_some() { tensor.clone() } else { contiguous(tensor) }
        })
        .collect();
    let mut to = parts[0].layout().shape().to_vec();
    to[axis] = parts.iter().map(|part| part.layout().shape()[axis]).sum();
    let (outer, inner) = (to[..axis].iter().product(), to[axis + 1..].iter().product::<usize>());
    let out = by_size!(dtype.size(), T => {
        let rows: Vec<(&[T], usize)> = parts
            .iter()
            .map(|part| {
                let start = part.layout().start_offset();
                let data = &bytemuck::cast_slice::<u8, T>(part.bytes())[start..start + part.layout().num_elements()];
                (data, part.layout().shape()[axis] * inner)
            })
            .collect();
        made(join::join(&rows, outer), to.into(), &parts[0])
    });
    wrapped(out, dtype)
}

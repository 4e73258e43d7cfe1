//! Slices of tensors on the CPU: how our own kernels reach burn-flex's storage.

use std::borrow::Cow;

use burn_dispatch::{BackendTensor, DispatchTensor, DispatchTensorKind};
use burn_flex::{FlexTensor, Layout};
use burn_std::{Bytes, Element, Shape};
use firn_kernels::map::{Floats, Made};

use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::moves;
use crate::tensor::{Tensor, Value, cast};

pub(crate) fn flex(value: &Value) -> &FlexTensor {
    match &value.kind {
        DispatchTensorKind::Flex(BackendTensor::Float(t) | BackendTensor::Int(t) | BackendTensor::Bool(t)) => t,
        #[allow(unreachable_patterns)]
        _ => unreachable!("the CPU holds plain tensors only"),
    }
}

fn flex_mut(value: &mut Value) -> &mut FlexTensor {
    match &mut value.kind {
        DispatchTensorKind::Flex(BackendTensor::Float(t) | BackendTensor::Int(t) | BackendTensor::Bool(t)) => t,
        #[allow(unreachable_patterns)]
        _ => unreachable!("the CPU holds plain tensors only"),
    }
}

/// Runs `f` over the elements in row-major order; copies only what is not laid out so.
pub(crate) fn with_slice<E: Element + bytemuck::Pod, R>(value: &Value, f: impl FnOnce(&[E]) -> R) -> R {
    let tensor = flex(value);
    match tensor.as_slice::<E>() {
        Some(slice) => f(slice),
        None => f(moves::contiguous(tensor).storage::<E>()),
    }
}

/// The elements in row-major order, to be written; storage that others share is copied first.
pub(crate) fn slice_mut<E: Element + bytemuck::Pod>(value: &mut Value) -> &mut [E] {
    let tensor = flex_mut(value);
    let whole = tensor.layout().num_elements() * size_of::<E>() == tensor.bytes().len();
    if !(tensor.is_contiguous() && tensor.layout().start_offset() == 0 && whole) {
        let copy = moves::contiguous(tensor);
        *tensor = copy;
    }
    tensor.storage_mut::<E>()
}

/// `f` of the elements of two float32 tensors of one shape; None where they have to be copied or converted first.
pub(crate) fn zip(a: &Tensor, b: &Tensor, f: fn(&[f32], &[f32]) -> Vec<f32>) -> Option<Tensor> {
    if a.dtype() != DType::Float32 || b.dtype() != DType::Float32 || a.shape() != b.shape() {
        return None;
    }
    let left = flex(a.value_ref());
    let out = f(left.as_slice::<f32>()?, flex(b.value_ref()).as_slice::<f32>()?);
    // A layout at hand costs less than a new one.
    let layout = if left.layout().start_offset() == 0 { left.layout().clone() } else { Layout::contiguous(a.shape().into()) };
    Some(from_parts(out, layout, DType::Float32))
}

impl Tensor {
    /// `f` of each element: `x.map(functions::exp)`, with numbers `x.map(|x| functions::elu(x, alpha))`. Integers and booleans are brought
    /// to float32 first, and half types take the way through it. The functions are those of `unary!` in firn-kernels.
    pub(crate) fn map(&self, f: impl FnOnce(Floats<'_>) -> Made) -> Result<Tensor> {
        let dtype = if self.dtype().is_float() { self.dtype() } else { DType::Float32 };
        let inner = dtype.precise();
        let value = self.value_as(inner);
        let tensor = flex(&value);
        let copy;
        let (tensor, start) = match dense_start(tensor.layout()) {
            Some(start) => (tensor, start),
            None => {
                copy = moves::contiguous(tensor);
                (&copy, 0)
            }
        };
        let range = start..start + tensor.layout().num_elements();
        let made = match inner {
            DType::Float64 => f(Floats::F64(&tensor.storage()[range])),
            _ => f(Floats::F32(&tensor.storage()[range])),
        };
        let layout = Layout::new(tensor.layout().shape().clone(), tensor.layout().strides().to_vec(), 0);
        let out = match made {
            Made::F32(data) => from_parts(data, layout, DType::Float32),
            Made::F64(data) => from_parts(data, layout, DType::Float64),
        };
        Ok(if inner == dtype { out } else { Tensor::new(cast(out.into_value(), inner, dtype), dtype) })
    }
}

/// Where the elements start in the storage, if they fill one stretch of it in the order of some permutation of the dimensions.
pub(crate) fn dense_start(layout: &Layout) -> Option<usize> {
    if let Some((start, _)) = layout.contiguous_offsets() {
        return Some(start);
    }
    let mut dims: Vec<(isize, usize)> =
        layout.strides().iter().copied().zip(layout.shape().iter().copied()).filter(|dim| dim.1 != 1).collect();
    dims.sort_unstable();
    let mut expected = 1;
    for (stride, size) in dims {
        if stride != expected {
            return None;
        }
        expected *= size as isize;
    }
    Some(layout.start_offset())
}

/// A tensor around elements in row-major order.
pub(crate) fn from_vec<E: Element + bytemuck::Pod + Send + Sync>(data: Vec<E>, shape: Shape, dtype: DType) -> Tensor {
    from_parts(data, Layout::contiguous(shape), dtype)
}

pub(crate) fn from_parts<E: Element + bytemuck::Pod + Send + Sync>(data: Vec<E>, layout: Layout, dtype: DType) -> Tensor {
    wrapped(FlexTensor::new(Bytes::from_elems(data), layout, dtype.burn()), dtype)
}

pub(crate) fn wrapped(tensor: FlexTensor, dtype: DType) -> Tensor {
    let kind = match dtype.kind() {
        crate::dtype::Kind::Float => BackendTensor::Float(tensor),
        crate::dtype::Kind::Int => BackendTensor::Int(tensor),
        crate::dtype::Kind::Bool => BackendTensor::Bool(tensor),
    };
    Tensor::new(DispatchTensor { kind: DispatchTensorKind::Flex(kind), autodiff: Default::default() }, dtype)
}

/// The bytes of the elements in row-major order.
pub fn bytes<R>(tensor: &Tensor, f: impl FnOnce(&[u8]) -> R) -> R {
    raw(tensor.value_ref(), tensor.dtype(), |bytes, _| f(bytes))
}

/// Copies the bytes of the elements in row-major order into `to`, which has their size.
pub fn read(tensor: &Tensor, to: &mut [u8]) -> Result<()> {
    bytes(tensor, |from| {
        if from.len() != to.len() {
            bail!(Internal, "{} bytes were to be read into {}", from.len(), to.len());
        }
        to.copy_from_slice(from);
        Ok(())
    })
}

/// The bytes of a value's elements in row-major order, and its shape.
pub(crate) fn raw<R>(value: &Value, dtype: DType, f: impl FnOnce(&[u8], Shape) -> R) -> R {
    let flex = flex(value);
    let (size, layout) = (dtype.size(), flex.layout());
    match layout.contiguous_offsets() {
        Some((start, end)) => f(&flex.bytes()[start * size..end * size], layout.shape().clone()),
        None => f(moves::contiguous(flex).bytes(), layout.shape().clone()),
    }
}

/// The element of a tensor of size 1, rounded to a double.
pub fn item(tensor: &Tensor) -> Result<f64> {
    if tensor.size() != 1 {
        bail!(
            Shape,
            "expected one element and shape {} has {}; use data() or index first",
            crate::shape::show(tensor.shape()),
            tensor.size()
        );
    }
    Ok(with_slice(&tensor.value_as(DType::Float64), |x: &[f64]| x[0]))
}

/// The value laid out in row-major order over storage of its own length.
pub(crate) fn contiguous(tensor: &Tensor) -> Value {
    as_contiguous(tensor).into_owned()
}

/// The same, borrowed where it is laid out so.
pub(crate) fn as_contiguous(tensor: &Tensor) -> Cow<'_, Value> {
    let value = tensor.value_ref();
    let inner = flex(value);
    if inner.layout().contiguous_offsets().is_some() {
        return Cow::Borrowed(value);
    }
    let mut copy = value.clone();
    *flex_mut(&mut copy) = moves::contiguous(inner);
    Cow::Owned(copy)
}

/// A value that can be seen in another shape: itself where its layout allows that, else its elements in row-major order.
pub(crate) fn dense_unless_view(mut value: Value, shape: &Shape) -> Value {
    let tensor = flex_mut(&mut value);
    if tensor.layout().num_elements() > 0 && tensor.layout().reshape(shape.clone()).is_none() {
        *tensor = moves::contiguous(tensor);
    }
    value
}

/// The elements at `start` plus multiples of `strides` of the row-major order, as a view; the caller keeps them inside.
pub(crate) fn strided(tensor: &Tensor, shape: &[usize], strides: &[isize], start: usize) -> Value {
    let mut value = contiguous(tensor);
    let inner = flex_mut(&mut value);
    let layout = Layout::new(shape.into(), strides.to_vec(), inner.layout().start_offset() + start);
    *inner = inner.clone().with_layout(layout);
    value
}

/// The elements of a value that `contiguous` gave.
pub(crate) fn slice<E: Element + bytemuck::Pod>(value: &Value) -> &[E] {
    let inner = flex(value);
    match inner.layout().contiguous_offsets() {
        Some((start, end)) => &inner.storage::<E>()[start..end],
        None => unreachable!("the value was made contiguous"),
    }
}

/// Lets this thread, which should be the program's main one, work along in kernels.
pub fn join_pool() {
    firn_kernels::parallel::join_pool();
}

/// Threads that kernels run on; `RAYON_NUM_THREADS` sets it.
pub fn threads() -> usize {
    firn_kernels::parallel::threads()
}

/// Bytes a second that a streaming kernel reaches on this machine, measured over arrays of `bytes` together.
pub fn bandwidth(bytes: usize) -> f64 {
    firn_kernels::bandwidth::triad(bytes)
}

/// The SIMD level kernels run with on this machine.
pub fn simd() -> &'static str {
    firn_kernels::parallel::simd_level()
}

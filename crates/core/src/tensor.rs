//! `Tensor`: a value on a device with its shape and dtype, and the tape node that made it.
//!
//! Tensors have value semantics: no operation on one is ever seen through another. Storage is shared where
//! it can be and copied when written, so a view costs nothing and a saved tensor never changes under the tape.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use burn_backend::TensorMetadata;
use burn_backend::ops::{BoolTensorOps, FloatTensorOps, IntTensorOps};
use burn_dispatch::{Dispatch, DispatchTensor};
use burn_std::Shape;

use crate::dtype::{DType, Kind};
use crate::error::{Result, bail};
use crate::shape;
use crate::tape::Node;

pub(crate) use crate::cast::cast;

/// A tensor of the engine: what kernels see.
pub(crate) type Value = DispatchTensor;

#[derive(Clone)]
pub struct Tensor(Rc<Inner>);

struct Inner {
    value: Value,
    shape: Shape,
    dtype: DType,
    node: RefCell<Option<Rc<Node>>>,
    _counted: Counted,
}

/// Holds a tensor's place in `live()`; the bytes it accounts for.
struct Counted(usize);

thread_local! {
    static LIVE: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

/// Tensors alive on this thread (handles, the tape's saved ones, gradients, states) and their bytes;
/// a view counts the bytes of what it shows.
pub fn live() -> (usize, usize) {
    LIVE.get()
}

/// The most bytes that were alive on this thread at once, since the start or `reset_peak`.
pub fn peak() -> usize {
    PEAK.get()
}

/// Lets the peak begin again at what is alive now.
pub fn reset_peak() {
    PEAK.set(LIVE.get().1);
}

impl Counted {
    fn new(bytes: usize) -> Self {
        let (tensors, before) = LIVE.get();
        LIVE.set((tensors + 1, before + bytes));
        PEAK.set(PEAK.get().max(before + bytes));
        Self(bytes)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let (tensors, bytes) = LIVE.get();
        LIVE.set((tensors - 1, bytes - self.0));
    }
}

impl Tensor {
    pub(crate) fn new(value: Value, dtype: DType) -> Self {
        let shape = value.shape();
        let counted = Counted::new(shape.num_elements() * dtype.size());
        Self(Rc::new(Inner { value, shape, dtype, node: RefCell::new(None), _counted: counted }))
    }

    /// The output of `node`, seen again from inside its own gradient rule.
    pub(crate) fn output_of(node: &Rc<Node>, value: &Value) -> Self {
        let tensor = Self::new(value.clone(), node.dtype);
        tensor.set_node(Some(node.clone()));
        tensor
    }

    pub fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    pub fn rank(&self) -> usize {
        self.0.shape.num_dims()
    }

    /// Number of elements.
    pub fn size(&self) -> usize {
        self.0.shape.num_elements()
    }

    pub fn dtype(&self) -> DType {
        self.0.dtype
    }

    pub(crate) fn value(&self) -> Value {
        self.0.value.clone()
    }

    /// The value in place.
    pub(crate) fn value_ref(&self) -> &Value {
        &self.0.value
    }

    /// The value, without a second reference to its storage when this was the only owner.
    pub(crate) fn into_value(self) -> Value {
        match Rc::try_unwrap(self.0) {
            Ok(inner) => inner.value,
            Err(shared) => shared.value.clone(),
        }
    }

    /// The value to be written. Whoever else holds this tensor (the tape, say) keeps what it had.
    pub(crate) fn value_mut(&mut self) -> &mut Value {
        if Rc::get_mut(&mut self.0).is_none() {
            *self = self.clone().apart();
        }
        match Rc::get_mut(&mut self.0) {
            Some(inner) => &mut inner.value,
            None => unreachable!("a tensor made just now has one owner"),
        }
    }

    pub(crate) fn node(&self) -> Option<Rc<Node>> {
        self.0.node.borrow().clone()
    }

    pub(crate) fn set_node(&self, node: Option<Rc<Node>>) {
        self.0.node.replace(node);
    }

    /// Whether this is the very same tensor.
    pub(crate) fn is(&self, other: &Tensor) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// Whether this is not the result of a recorded op.
    pub fn is_leaf(&self) -> bool {
        self.0.node.borrow().as_ref().is_none_or(|node| node.is_leaf())
    }

    /// Whether gradients flow to this tensor.
    pub fn requires_grad(&self) -> bool {
        self.0.node.borrow().is_some()
    }

    /// Makes this a leaf that collects gradients, or stops it from doing so.
    pub fn set_requires_grad(&self, requires_grad: bool) -> Result<()> {
        let node = self.node();
        match (requires_grad, &node) {
            (true, Some(_)) => {}
            (true, None) if !self.dtype().is_float() => bail!(
                Dtype,
                "only floating point tensors can require gradients, and this one is {}; convert it with .to('float32')",
                self.dtype().name()
            ),
            (true, None) => self.set_node(Some(Node::leaf(&self.0.shape, self.dtype()))),
            (false, Some(node)) if !node.is_leaf() => bail!(
                Autograd,
                "requiresGrad can be switched off on leaves only, and this tensor is the result of {}; use .detach()",
                crate::error::camel_case(node.op)
            ),
            (false, _) => self.set_node(None),
        }
        Ok(())
    }

    /// The gradient collected by backward passes.
    pub fn grad(&self) -> Option<Tensor> {
        self.0.node.borrow().as_ref().and_then(|node| node.grad.borrow().clone())
    }

    /// Replaces the collected gradient, or drops it.
    pub fn set_grad(&self, grad: Option<Tensor>) -> Result<()> {
        let Some(node) = self.node().filter(|node| node.is_leaf()) else {
            if grad.is_none() {
                return Ok(());
            }
            bail!(Autograd, "a gradient can be set on a leaf that requires gradients only; set requiresGrad = true first");
        };
        if let Some(grad) = &grad {
            self.must_match(grad, "a gradient must match its tensor")?;
        }
        node.grad.replace(grad);
        Ok(())
    }

    fn must_match(&self, given: &Tensor, rule: &str) -> Result<()> {
        if given.shape() != self.shape() || given.dtype() != self.dtype() {
            let describe = |x: &Tensor| format!("{} {}", x.dtype().name(), shape::show(x.shape()));
            bail!(Shape, "{rule}: got {}, expected {}", describe(given), describe(self));
        }
        Ok(())
    }

    /// This tensor if nobody else holds it, else another with the same value and the same place on the tape.
    pub fn apart(self) -> Tensor {
        if Rc::strong_count(&self.0) == 1 {
            return self;
        }
        let other = Tensor::new(self.value(), self.dtype());
        other.set_node(self.node());
        other
    }

    /// Where the value is.
    pub fn device(&self) -> &'static str {
        crate::device::name_of(&self.0.value)
    }

    /// The same value, cut off from the tape.
    pub fn detach(&self) -> Tensor {
        Tensor::new(self.value(), self.dtype())
    }

    /// Replaces the value, outside the tape; shape and dtype stay.
    pub fn assign(&mut self, from: &Tensor) -> Result<()> {
        self.must_match(from, "assign keeps shape and dtype")?;
        match self.node() {
            Some(node) if !node.is_leaf() => {
                bail!(Autograd, "assign to the result of an op would leave its gradient wrong; assign to a leaf, or to .detach()")
            }
            Some(_) if crate::tape::is_enabled() => bail!(
                Autograd,
                "this leaf requires gradients, and no gradient flows through an assignment; wrap it: noGrad(() => x.assign(value)), \
                 or write x.update((x) => ...)"
            ),
            _ => {}
        }
        *self.value_mut() = from.value();
        Ok(())
    }

    /// The value as a float tensor of the engine; integers and booleans become float32.
    pub(crate) fn float(&self) -> (Value, DType) {
        let value = self.value();
        match self.dtype().kind() {
            Kind::Float => (value, self.dtype()),
            _ => (cast(value, self.dtype(), DType::Float32), DType::Float32),
        }
    }

    /// Applies the engine function for this tensor's kind; the dtype stays.
    pub(crate) fn kind_map(
        &self,
        float: impl FnOnce(Value) -> Value,
        int: impl FnOnce(Value) -> Value,
        bool: impl FnOnce(Value) -> Value,
    ) -> Tensor {
        let value = self.value();
        let out = match self.dtype().kind() {
            Kind::Float => float(value),
            Kind::Int => int(value),
            Kind::Bool => bool(value),
        };
        Tensor::new(out, self.dtype())
    }

    /// The value brought to `dtype`, outside the tape.
    pub(crate) fn value_as(&self, dtype: DType) -> Value {
        cast(self.value(), self.dtype(), dtype)
    }
}

/// Reshapes a value of any kind.
pub(crate) fn reshape(value: Value, kind: Kind, shape: Shape) -> Value {
    let value = crate::cpu::dense_unless_view(value, &shape);
    match kind {
        Kind::Float => Dispatch::float_reshape(value, shape),
        Kind::Int => Dispatch::int_reshape(value, shape),
        Kind::Bool => Dispatch::bool_reshape(value, shape),
    }
}

//! Anomaly mode: which op made a NaN, and where it was called.

use std::cell::{Cell, RefCell};

use super::node::Node;
use crate::cpu;
use crate::dtype::DType;
use crate::error::{Code, Error, Result, bail, camel_case};
use crate::shape::show;
use crate::tensor::Tensor;

/// What is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Anomaly {
    /// Ops remember where they were called, and gradients are searched for NaN.
    pub backward: bool,
    /// Results of recorded ops are searched too.
    pub forward: bool,
}

type Site = Box<dyn Fn() -> String>;

thread_local! {
    static MODE: Cell<Anomaly> = const { Cell::new(Anomaly { backward: false, forward: false }) };
    static SITE: RefCell<Option<Site>> = const { RefCell::new(None) };
}

/// Tells how the place of the call that is under way is found.
pub fn set_site(site: Site) {
    SITE.set(Some(site));
}

/// Sets the mode; returns what it was.
pub fn set(mode: Anomaly) -> Anomaly {
    let before = MODE.replace(mode);
    super::watch();
    before
}

pub(super) fn is_on() -> bool {
    MODE.get() != Anomaly::default()
}

/// Notes where the op of `node` was called, and looks at its result.
pub(super) fn note(node: &Node, out: &Tensor) {
    let mode = MODE.get();
    if !mode.backward {
        return;
    }
    let site = SITE.with_borrow(|site| site.as_ref().map(|site| site()));
    if mode.forward && has_nan(out) {
        let message = format!("the result of shape {} holds NaN{}", show(out.shape()), called(node, site.as_deref()));
        // Recording cannot fail; the error unwinds to the border, as those of operators in rules do.
        std::panic::panic_any(Error::new(Code::Autograd, message).in_op(node.op));
    }
    node.with_extras(|extras| extras.site = site);
}

/// Fails where the rule of `node` made a NaN.
pub(super) fn check(node: &Node, gradients: &[Option<Tensor>]) -> Result<()> {
    if !MODE.get().backward {
        return Ok(());
    }
    let Some(at) = gradients.iter().position(|gradient| gradient.as_ref().is_some_and(has_nan)) else { return Ok(()) };
    let site = node.extras.borrow().as_ref().and_then(|extras| extras.site.clone());
    let op = camel_case(node.op);
    bail!(Autograd, "gradient of {op}: what it gives for its input {at} holds NaN{}", called(node, site.as_deref()))
}

/// The shapes of what went into `node`, and where.
fn called(node: &Node, site: Option<&str>) -> String {
    let shapes: Vec<String> =
        node.edges.borrow().iter().map(|edge| edge.as_ref().map_or("(no gradient)".into(), |edge| show(&edge.shape))).collect();
    let place = match site {
        Some(site) if !site.is_empty() => format!("called\n{site}"),
        _ => "called outside of detectAnomaly(), so the place is not known".into(),
    };
    format!("; its inputs: {}; {place}", shapes.join(", "))
}

fn has_nan(x: &Tensor) -> bool {
    match x.dtype() {
        DType::Float32 => cpu::with_slice::<f32, _>(x.value_ref(), |values| values.iter().any(|v| v.is_nan())),
        DType::Float64 => cpu::with_slice::<f64, _>(x.value_ref(), |values| values.iter().any(|v| v.is_nan())),
        dtype if dtype.is_float() => has_nan(&Tensor::new(x.value_as(DType::Float32), DType::Float32)),
        _ => false,
    }
}

//! The tape: reference-counted nodes, one an op, walked by descending creation order.
//!
//! A node knows the nodes of its inputs and a rule that turns the gradient of its output into theirs. Rules are
//! written with our own ops, so a backward pass run with `create_graph` is itself on the tape.
//!
//! | module | holds |
//! | --- | --- |
//! | `node` | what an op leaves behind, and how it is freed |
//! | `save` | what a rule keeps of its op's arguments |
//! | `walk` | the backward pass |
//! | `hooks` | what runs when a gradient is complete |
//! | `custom` | functions whose rule is given from outside |
//! | `checkpoint` | rules let go of after the forward, and made again |
//! | `anomaly` | finding the op that made a NaN |
//! | `autocast` | the dtypes that ops compute in |

pub mod anomaly;
pub mod autocast;
pub mod checkpoint;
pub mod custom;
pub mod hooks;
mod node;
mod save;
mod walk;

use std::cell::Cell;
use std::rc::Rc;

use smallvec::SmallVec;

use crate::tensor::Tensor;
use node::Rule;
pub(crate) use node::{Edges, Grads, Node, OpRule};
pub(crate) use save::{Load, Save, copied};
pub use walk::{Walk, backward, grad};

/// How ops on this thread go about their work; one value, so that an op asks once and changes both at once.
#[derive(Clone, Copy)]
struct Modes {
    recording: bool,
    autocast: Option<autocast::Autocast>,
}

thread_local! {
    static MODES: Cell<Modes> = const { Cell::new(Modes { recording: true, autocast: None }) };
    /// Whether checkpointing or anomaly mode has a say in how ops record themselves.
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}

/// Whether ops record themselves on this thread.
pub fn is_enabled() -> bool {
    MODES.get().recording
}

/// Switches recording on or off; returns what it was.
pub fn set_enabled(enabled: bool) -> bool {
    let modes = MODES.get();
    MODES.set(Modes { recording: enabled, ..modes });
    modes.recording
}

/// Runs `f` with recording set to `enabled` and autocast off, and restores both even when `f` unwinds: what the core does by itself, bodies of
/// ops and rules among it, computes in the dtypes that it is given.
pub fn with_enabled<R>(enabled: bool, f: impl FnOnce() -> R) -> R {
    struct Restore(Modes);
    impl Drop for Restore {
        fn drop(&mut self) {
            MODES.set(self.0);
        }
    }
    let _restore = Restore(MODES.replace(Modes { recording: enabled, autocast: None }));
    f()
}

/// An argument of an op that gradients may flow to.
pub(crate) trait Input {
    fn nodes(&self, out: &mut Edges);
}

impl Input for &Tensor {
    fn nodes(&self, out: &mut Edges) {
        out.push(self.node());
    }
}

impl Input for Option<&Tensor> {
    fn nodes(&self, out: &mut Edges) {
        out.push(self.and_then(Tensor::node));
    }
}

impl Input for &[Tensor] {
    fn nodes(&self, out: &mut Edges) {
        out.extend(self.iter().map(Tensor::node));
    }
}

/// The inputs of one call, when any of them is tracked and recording is on.
pub(crate) struct Inputs {
    edges: Edges,
    /// How many edges each argument has: one, or as many as a list is long.
    pub(crate) counts: SmallVec<[usize; 3]>,
}

pub(crate) fn inputs(arguments: &[&dyn Input]) -> Option<Inputs> {
    if !is_enabled() {
        return None;
    }
    let mut inputs = Inputs { edges: Edges::new(), counts: SmallVec::new() };
    for argument in arguments {
        let before = inputs.edges.len();
        argument.nodes(&mut inputs.edges);
        inputs.counts.push(inputs.edges.len() - before);
    }
    inputs.edges.iter().any(Option::is_some).then_some(inputs)
}

/// Puts `out` on the tape.
pub(crate) fn record(op: &'static str, out: &Tensor, inputs: Inputs, rule: Rc<OpRule>) {
    out.set_node(Some(place(op, out, inputs.edges, Rule::Op(rule))));
}

/// The node of `out`; checkpointing and anomaly mode step in here.
fn place(op: &'static str, out: &Tensor, edges: Edges, rule: Rule) -> Rc<Node> {
    if !WATCHED.get() {
        return Node::new(op, out.shape(), out.dtype(), edges, Some(rule));
    }
    let node = checkpoint::place(op, out, edges, rule);
    anomaly::note(&node, out);
    node
}

fn watch() {
    WATCHED.set(checkpoint::is_on() || anomaly::is_on());
}

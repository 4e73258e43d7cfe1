//! Checkpoints: a function whose rules are let go of after the forward, and made again when a walk needs one.
//!
//! While such a function runs, its ops go on the tape with hollow rules, which hold nothing but the region they belong to. The first
//! walk that meets one runs the function again, and each op of this second run gives its rule to the node that the same op of
//! the first run left. From there on the tape is what it would have been without a checkpoint, so gradients reach captured
//! parameters, and gradients of any order work.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use super::autocast::{self, Autocast};
use super::node::{Edges, Node, Rule};
use crate::error::{Result, bail, camel_case};
use crate::random;
use crate::shape::show;
use crate::tensor::Tensor;

/// Runs the function again on its inputs.
pub type Again = Box<dyn Fn(&[Tensor]) -> Result<()>>;

/// The ops of one run of a checkpointed function.
pub(crate) struct Region {
    again: Again,
    inputs: RefCell<Vec<Tensor>>,
    random: random::State,
    autocast: Option<Autocast>,
    /// In the order of their ops. Whatever is dropped needs no rule.
    nodes: RefCell<Vec<Weak<Node>>>,
    /// Whether the first run is still going on.
    open: Cell<bool>,
}

/// What happens to ops as they are recorded.
#[derive(Default)]
struct State {
    /// The region whose function runs again, how many of its ops have come, and the first that differs.
    fill: Option<(Rc<Region>, usize, Option<String>)>,
    /// The region that takes rules away.
    hollow: Option<Rc<Region>>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Whether a checkpointed function runs, for the first time or again.
pub(super) fn is_on() -> bool {
    STATE.with_borrow(|state| state.fill.is_some() || state.hollow.is_some())
}

/// Whether a checkpointed function runs again.
pub(super) fn is_filling() -> bool {
    STATE.with_borrow(|state| state.fill.is_some())
}

/// Begins the first run of a function; false where nothing is to be done: off the tape, or inside a region that is hollow already.
pub fn begin(inputs: Vec<Tensor>, again: Again) -> bool {
    if !super::is_enabled() || STATE.with_borrow(|state| state.hollow.is_some()) {
        return false;
    }
    let region = Region {
        again,
        inputs: RefCell::new(inputs),
        random: random::state(),
        autocast: autocast::mode(),
        nodes: RefCell::default(),
        open: Cell::new(true),
    };
    STATE.with_borrow_mut(|state| state.hollow = Some(Rc::new(region)));
    super::watch();
    true
}

/// Ends the first run of the function begun last.
pub fn end() {
    let region = STATE.with_borrow_mut(|state| state.hollow.take());
    if let Some(region) = region {
        region.open.set(false);
    }
    super::watch();
}

/// The node of an op: a new one, or the one that this op left in the first run.
pub(super) fn place(op: &'static str, out: &Tensor, edges: Edges, rule: Rule) -> Rc<Node> {
    // What is let go of is dropped at the end, when the state is free again.
    let mut rule = Some(rule);
    let mut old = None;
    STATE.with_borrow_mut(|state| {
        let rule = match &state.hollow {
            Some(region) if !matches!(rule, Some(Rule::Part(_))) => Some(Rule::Hollow(region.clone())),
            _ => rule.take(),
        };
        let node = state.fill.as_mut().and_then(|fill| first_of(fill, op, out));
        let node = match node {
            Some(node) => {
                let mut held = node.rule.borrow_mut();
                if matches!(&*held, Some(Rule::Hollow(of)) if state.fill.as_ref().is_some_and(|(region, ..)| Rc::ptr_eq(of, region))) {
                    old = std::mem::replace(&mut *held, rule);
                }
                drop(held);
                node
            }
            None => Node::new(op, out.shape(), out.dtype(), edges, rule),
        };
        if let Some(region) = &state.hollow {
            region.nodes.borrow_mut().push(Rc::downgrade(&node));
        }
        node
    })
}

/// The node that the next op of a second run left in the first.
fn first_of((region, count, differs): &mut (Rc<Region>, usize, Option<String>), op: &'static str, out: &Tensor) -> Option<Rc<Node>> {
    let at = *count;
    *count += 1;
    let nodes = region.nodes.borrow();
    let node = nodes.get(at)?.upgrade()?;
    if node.op == op && *node.shape == *out.shape() && node.dtype == out.dtype() {
        return Some(node);
    }
    differs.get_or_insert_with(|| {
        let (then, now) = (camel_case(node.op), camel_case(op));
        format!("its op {at} was {then} {} in the forward and is {now} {}", show(&node.shape), show(out.shape()))
    });
    None
}

impl Region {
    /// Runs the function again, which gives every node of the region its rule.
    pub(super) fn fill(self: &Rc<Self>) -> Result<()> {
        struct Restore(State, random::State);
        impl Drop for Restore {
            fn drop(&mut self) {
                STATE.set(std::mem::take(&mut self.0));
                random::set_state(self.1);
                super::watch();
            }
        }
        if self.open.get() {
            bail!(
                Autograd,
                "a backward pass inside a function that checkpoint() still runs would need what it let go of; take this gradient outside"
            );
        }
        let restore = Restore(STATE.replace(State { fill: Some((self.clone(), 0, None)), hollow: None }), random::state());
        random::set_state(self.random);
        super::watch();
        let inputs = self.inputs.borrow().clone();
        super::with_enabled(true, || autocast::within(self.autocast, || (self.again)(&inputs)))?;
        let filled = STATE.with_borrow_mut(|state| state.fill.take());
        drop(restore);
        let Some((_, count, differs)) = filled else { return Ok(()) };
        let expected = self.nodes.borrow().len();
        let differs = differs.or_else(|| (count != expected).then(|| format!("it recorded {expected} ops in the forward and {count} now")));
        if let Some(differs) = differs {
            bail!(
                Autograd,
                "a checkpointed function did something else when it ran again: {differs}; it must depend on its inputs only \
                 (and random numbers, which repeat), with its modules in the same mode"
            );
        }
        // Filled for good: nothing will ask again.
        self.inputs.take();
        self.nodes.take();
        Ok(())
    }
}

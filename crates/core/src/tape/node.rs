//! Nodes: what an op leaves behind for the backward walk.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use burn_std::Shape;
use smallvec::SmallVec;

use super::checkpoint::Region;
use super::hooks::Hooks;
use crate::dtype::DType;
use crate::error::Result;
use crate::tensor::Tensor;

pub(crate) type Edges = SmallVec<[Option<Rc<Node>>; 2]>;
pub(crate) type OpRule = dyn Fn(&Rc<Node>, &Tensor) -> Result<Grads>;
pub(super) type JoinRule = dyn Fn(&Rc<Node>, Vec<Option<Tensor>>) -> Result<Grads>;

/// How the gradient of a node becomes those of the nodes below.
#[derive(Clone)]
pub(super) enum Rule {
    Op(Rc<OpRule>),
    /// Of a function with several outputs: takes the gradients of all of them at once.
    Join(Rc<JoinRule>),
    /// One output of the join below it.
    Part(usize),
    /// Was let go of, and is made again by running the checkpointed function once more.
    Hollow(Rc<Region>),
}

pub(crate) struct Node {
    pub(super) id: u64,
    /// The op that made it, `leaf` for a tensor that collects gradients itself.
    pub(crate) op: &'static str,
    pub(crate) dtype: DType,
    pub(super) shape: Shape,
    pub(super) edges: RefCell<Edges>,
    /// None for a leaf, and after a walk that did not retain the graph.
    pub(super) rule: RefCell<Option<Rule>>,
    pub(crate) grad: RefCell<Option<Tensor>>,
    /// What few nodes have.
    pub(super) extras: RefCell<Option<Box<Extras>>>,
}

#[derive(Default)]
pub(super) struct Extras {
    pub(super) hooks: Hooks,
    /// Where the op was called, in anomaly mode.
    pub(super) site: Option<String>,
}

thread_local! {
    static NEXT_ID: Cell<u64> = const { Cell::new(0) };
    static GRAVEYARD: RefCell<Option<Vec<Rc<Node>>>> = const { RefCell::new(None) };
}

fn next_id() -> u64 {
    NEXT_ID.set(NEXT_ID.get() + 1);
    NEXT_ID.get()
}

impl Node {
    pub(super) fn new(op: &'static str, shape: &[usize], dtype: DType, edges: Edges, rule: Option<Rule>) -> Rc<Node> {
        Rc::new(Node {
            id: next_id(),
            op,
            dtype,
            shape: Shape::from(shape),
            edges: RefCell::new(edges),
            rule: RefCell::new(rule),
            grad: RefCell::default(),
            extras: RefCell::default(),
        })
    }

    pub(crate) fn leaf(shape: &[usize], dtype: DType) -> Rc<Node> {
        Self::new("leaf", shape, dtype, Edges::new(), None)
    }

    pub(crate) fn is_leaf(&self) -> bool {
        self.op == "leaf"
    }

    pub(super) fn with_extras<R>(&self, f: impl FnOnce(&mut Extras) -> R) -> R {
        f(self.extras.borrow_mut().get_or_insert_default())
    }
}

impl Drop for Node {
    /// Drops what hangs below in a loop, so that a tape of a million ops does not overflow the stack.
    fn drop(&mut self) {
        self.rule.take();
        let below = std::mem::take(self.edges.get_mut());
        if below.is_empty() {
            return;
        }
        // While another node is being dropped further up the stack, that one takes over what hangs below this one.
        let mut below = Some(below);
        let nested = GRAVEYARD.try_with(|graveyard| match &mut *graveyard.borrow_mut() {
            Some(queue) => {
                queue.extend(below.take().into_iter().flatten().flatten());
                true
            }
            idle => {
                *idle = Some(Vec::new());
                false
            }
        });
        if !matches!(nested, Ok(false)) {
            return;
        }
        drop(below);
        while let Some(node) = GRAVEYARD.with_borrow_mut(|graveyard| graveyard.as_mut().and_then(Vec::pop)) {
            drop(node);
        }
        GRAVEYARD.set(None);
    }
}

/// What a rule hands back: a gradient for each edge that wants one.
pub(crate) struct Grads(pub(super) SmallVec<[Option<Tensor>; 2]>);

/// What the expression of one argument in a rule may be.
pub(crate) trait Contribution {
    fn contribute(self, out: &mut SmallVec<[Option<Tensor>; 2]>);
}

impl Contribution for Tensor {
    fn contribute(self, out: &mut SmallVec<[Option<Tensor>; 2]>) {
        out.push(Some(self));
    }
}

impl Contribution for Vec<Tensor> {
    fn contribute(self, out: &mut SmallVec<[Option<Tensor>; 2]>) {
        out.extend(self.into_iter().map(Some));
    }
}

impl Grads {
    pub(crate) fn new() -> Self {
        Self(SmallVec::new())
    }

    /// Adds the gradient of the next argument, computed only if one of its `count` edges wants it.
    pub(crate) fn put<C: Contribution>(&mut self, node: &Node, count: usize, rule: impl FnOnce() -> Result<C>) -> Result<()> {
        let start = self.0.len();
        let wanted = node.edges.borrow()[start..start + count].iter().any(|edge| edge.as_ref().is_some_and(super::walk::wants));
        if wanted {
            rule()?.contribute(&mut self.0);
        } else {
            self.0.extend(std::iter::repeat_n(None, count));
        }
        Ok(())
    }
}

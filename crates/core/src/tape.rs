//! The tape: reference-counted nodes, one an op, walked by descending creation order.
//!
//! A node knows the nodes of its inputs and a rule that turns the gradient of its output into theirs. Rules are
//! written with our own ops, so a backward pass run with `create_graph` is itself on the tape.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use burn_std::Shape;
use smallvec::SmallVec;

use crate::dtype::DType;
use crate::error::{Result, bail, camel_case};
use crate::ops;
use crate::ops::pooling::Windows;
use crate::shape::show;
use crate::tensor::Tensor;

type Edges = SmallVec<[Option<Rc<Node>>; 2]>;
pub(crate) type Rule = Rc<dyn Fn(&Rc<Node>, &Tensor) -> Result<Grads>>;

pub(crate) struct Node {
    id: u64,
    /// The op that made it, `leaf` for a tensor that collects gradients itself.
    pub(crate) op: &'static str,
    pub(crate) dtype: DType,
    shape: Shape,
    edges: RefCell<Edges>,
    /// None for a leaf, and after a walk that did not retain the graph.
    rule: RefCell<Option<Rule>>,
    pub(crate) grad: RefCell<Option<Tensor>>,
}

thread_local! {
    static NEXT_ID: Cell<u64> = const { Cell::new(0) };
    static ENABLED: Cell<bool> = const { Cell::new(true) };
    static GRAVEYARD: RefCell<Option<Vec<Rc<Node>>>> = const { RefCell::new(None) };
}

fn next_id() -> u64 {
    NEXT_ID.set(NEXT_ID.get() + 1);
    NEXT_ID.get()
}

impl Node {
    pub(crate) fn leaf(shape: &Shape, dtype: DType) -> Rc<Node> {
        Rc::new(Node {
            id: next_id(),
            op: "leaf",
            dtype,
            shape: shape.clone(),
            edges: RefCell::default(),
            rule: RefCell::default(),
            grad: RefCell::default(),
        })
    }

    pub(crate) fn is_leaf(&self) -> bool {
        self.op == "leaf"
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

/// Whether ops record themselves on this thread.
pub fn is_enabled() -> bool {
    ENABLED.get()
}

/// Switches recording on or off; returns what it was.
pub fn set_enabled(enabled: bool) -> bool {
    ENABLED.replace(enabled)
}

/// Runs `f` with recording set to `enabled`, and restores it even when `f` unwinds.
pub fn with_enabled<R>(enabled: bool, f: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            ENABLED.set(self.0);
        }
    }
    let _restore = Restore(ENABLED.replace(enabled));
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
pub(crate) fn record(op: &'static str, out: &Tensor, inputs: Inputs, rule: Rule) {
    out.set_node(Some(Rc::new(Node {
        id: next_id(),
        op,
        dtype: out.dtype(),
        shape: Shape::from(out.shape()),
        edges: RefCell::new(inputs.edges),
        rule: RefCell::new(Some(rule)),
        grad: RefCell::default(),
    })));
}

/// What a rule hands back: a gradient for each edge that wants one.
pub(crate) struct Grads(SmallVec<[Option<Tensor>; 2]>);

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
        if node.edges.borrow()[start..start + count].iter().any(Option::is_some) {
            rule()?.contribute(&mut self.0);
        } else {
            self.0.extend(std::iter::repeat_n(None, count));
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Walk {
    /// Keep what the rules saved, so that another backward pass can follow.
    pub retain_graph: bool,
    /// Record the pass itself, for gradients of gradients. Implies `retain_graph`.
    pub create_graph: bool,
}

/// Adds the gradients of `root` to the `.grad` of every leaf it came from.
pub fn backward(root: &Tensor, gradient: Option<&Tensor>, walk: Walk) -> Result<()> {
    let roots = [(root.clone(), gradient.cloned())];
    run(&roots, walk, |node, gradient| {
        if !node.is_leaf() {
            return Ok(());
        }
        let before = node.grad.take();
        let sum = match before {
            Some(before) => add(before, gradient, walk.create_graph)?,
            None => gradient,
        };
        node.grad.replace(Some(sum));
        Ok(())
    })
}

/// The gradients of `outputs` for `inputs`, leaving every `.grad` alone; None for an input that no output came from.
pub fn grad(outputs: &[(Tensor, Option<Tensor>)], inputs: &[Tensor], walk: Walk) -> Result<Vec<Option<Tensor>>> {
    let mut wanted = Vec::with_capacity(inputs.len());
    for (index, input) in inputs.iter().enumerate() {
        match input.node() {
            Some(node) => wanted.push(node.id),
            None => bail!(Autograd, "input {index} does not require gradients; set requiresGrad = true before it is used"),
        }
    }
    let mut found = vec![None; inputs.len()];
    run(outputs, walk, |node, gradient| {
        for (slot, id) in found.iter_mut().zip(&wanted) {
            if *id == node.id {
                *slot = Some(gradient.clone());
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// The walk: nodes in descending order of creation, each once, after all that used it. `visit` sees every complete gradient.
fn run(roots: &[(Tensor, Option<Tensor>)], walk: Walk, mut visit: impl FnMut(&Rc<Node>, Tensor) -> Result<()>) -> Result<()> {
    let retain = walk.retain_graph || walk.create_graph;
    with_enabled(walk.create_graph, || {
        let mut pending: BTreeMap<u64, (Rc<Node>, Tensor)> = BTreeMap::new();
        for (root, gradient) in roots {
            let (node, gradient) = start(root, gradient.as_ref())?;
            collect(&mut pending, node, gradient, walk.create_graph)?;
        }
        while let Some((_, (node, gradient))) = pending.pop_last() {
            if node.is_leaf() {
                visit(&node, gradient)?;
                continue;
            }
            visit(&node, gradient.clone())?;
            let rule = if retain { node.rule.borrow().clone() } else { node.rule.take() };
            let Some(rule) = rule else {
                bail!(
                    Autograd,
                    "the graph behind {} was freed by an earlier backward pass; pass {{ retainGraph: true }} to that pass to walk it twice",
                    camel_case(node.op)
                );
            };
            let Grads(grads) = rule(&node, &gradient).map_err(|e| {
                let op = camel_case(node.op);
                crate::error::Error { message: format!("gradient of {op}: {}", e.message), ..e }
            })?;
            // What the rule saved goes now, before the gradients below are made.
            drop((rule, gradient));
            let edges = if retain { node.edges.borrow().clone() } else { node.edges.take() };
            for (edge, gradient) in edges.into_iter().zip(grads) {
                if let (Some(edge), Some(gradient)) = (edge, gradient) {
                    collect(&mut pending, edge, gradient, walk.create_graph)?;
                }
            }
        }
        Ok(())
    })
}

fn start(root: &Tensor, gradient: Option<&Tensor>) -> Result<(Rc<Node>, Tensor)> {
    let Some(node) = root.node() else {
        bail!(
            Autograd,
            "this tensor has no gradient path: no input requires gradients, or it was made under noGrad; \
             set requiresGrad = true on a leaf before using it"
        );
    };
    let gradient = match gradient {
        Some(gradient) if gradient.shape() != root.shape() => bail!(
            Shape,
            "the gradient argument must have the tensor's shape: got {}, expected {}",
            show(gradient.shape()),
            show(root.shape())
        ),
        Some(gradient) => gradient.clone(),
        None if root.size() != 1 => bail!(
            Autograd,
            "it starts from one number, and this tensor has shape {}; reduce it (.sum(), .mean()) or pass {{ gradient }}",
            show(root.shape())
        ),
        None => crate::create::full(root.shape(), 1.0, root.dtype())?,
    };
    Ok((node, gradient))
}

/// Adds a gradient to what `node` has so far, brought to its shape and dtype (a broadcast operand gets the sum).
fn collect(pending: &mut BTreeMap<u64, (Rc<Node>, Tensor)>, node: Rc<Node>, gradient: Tensor, create_graph: bool) -> Result<()> {
    let mut gradient = gradient;
    if gradient.shape() != &*node.shape {
        gradient = ops::reduce::sum_to(&gradient, &node.shape)?;
    }
    if gradient.dtype() != node.dtype {
        gradient = ops::elementwise::to_dtype(&gradient, node.dtype)?;
    }
    match pending.remove(&node.id) {
        Some((node, before)) => {
            let sum = add(before, gradient, create_graph)?;
            pending.insert(node.id, (node, sum));
        }
        None => {
            pending.insert(node.id, (node, gradient));
        }
    }
    Ok(())
}

fn add(a: Tensor, b: Tensor, create_graph: bool) -> Result<Tensor> {
    if create_graph { Ok(a + b) } else { ops::elementwise::add_owned(a, b) }
}

/// How an argument is kept for the gradient rule, and seen again inside it.
pub(crate) trait Save {
    type Saved: Load + 'static;
    fn save(self) -> Self::Saved;
}

pub(crate) trait Load {
    type View<'a>
    where
        Self: 'a;
    #[allow(clippy::needless_lifetimes)]
    fn load<'a>(&'a self) -> Self::View<'a>;
}

macro_rules! saved {
    ($($from:ty => $kept:ty => $view:ty, |$x:ident| $save:expr, |$y:ident| $load:expr;)+) => { $(
        impl Save for $from {
            type Saved = $kept;
            fn save(self) -> $kept { let $x = self; $save }
        }
        impl Load for $kept {
            type View<'a> = $view;
            #[allow(clippy::needless_lifetimes)]
            fn load<'a>(&'a self) -> $view { let $y = self; $load }
        }
    )+ };
}

/// `copied!(T)`: plain data that a rule keeps as it is.
macro_rules! copied {
    ($($t:ty),+) => { $(
        impl $crate::tape::Save for $t {
            type Saved = $t;
            fn save(self) -> $t { self }
        }
        impl $crate::tape::Load for $t {
            type View<'a> = $t;
            fn load(&self) -> $t { *self }
        }
    )+ };
}
pub(crate) use copied;

copied!(f64, isize, usize, bool, [usize; 2], Option<f64>, Option<isize>);

saved! {
    &Tensor => Tensor => &'a Tensor, |x| x.clone(), |y| y;
    Option<&Tensor> => Option<Tensor> => Option<&'a Tensor>, |x| x.cloned(), |y| y.as_ref();
    &[isize] => Vec<isize> => &'a [isize], |x| x.to_vec(), |y| y;
    Shape => Shape => &'a Shape, |x| x, |y| y;
    &Windows => Windows => &'a Windows, |x| x.clone(), |y| y;
    Vec<usize> => Vec<usize> => &'a [usize], |x| x, |y| y;
}

//! The walk of a backward pass: nodes in descending order of creation, each once, after all that used it.

use std::cell::{Cell, RefCell};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use super::node::{Edges, Grads, Node, Rule};
use super::{anomaly, hooks, with_enabled};
use crate::error::{Error, Result, bail, camel_case};
use crate::ops;
use crate::shape::show;
use crate::tensor::Tensor;

#[derive(Debug, Clone, Copy, Default)]
pub struct Walk {
    /// Keep what the rules saved, so that another backward pass can follow.
    pub retain_graph: bool,
    /// Record the pass itself, for gradients of gradients. Implies `retain_graph`.
    pub create_graph: bool,
}

/// Adds the gradients of `roots` to the `.grad` of every leaf they came from, and of those that retain theirs.
pub fn backward(roots: &[(Tensor, Option<Tensor>)], walk: Walk) -> Result<()> {
    run(roots, walk, None, |node, gradient| {
        if !node.is_leaf() && !hooks::retains(node) {
            return Ok(());
        }
        let before = node.grad.take();
        let sum = match before {
            Some(before) => add(before, gradient, walk.create_graph)?,
            None => gradient,
        };
        node.grad.replace(Some(sum));
        if node.is_leaf() { hooks::run_after(node) } else { Ok(()) }
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
    run(outputs, walk, Some(&wanted), |node, gradient| {
        for (slot, id) in found.iter_mut().zip(&wanted) {
            if *id == node.id {
                *slot = Some(gradient.clone());
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// The nodes that a walk to some inputs comes by.
struct Way {
    /// Those that get a gradient.
    reached: HashSet<u64>,
    /// Those whose rules run, since an input lies below.
    passed: HashSet<u64>,
}

thread_local! {
    /// Of the walk under way; None where every gradient is wanted.
    static WAY: RefCell<Option<Way>> = const { RefCell::new(None) };
    /// Whether there is one; quicker to ask.
    static NARROW: Cell<bool> = const { Cell::new(false) };
}

/// Sets the way of the walk under way; gives the one before.
fn set_way(way: Option<Way>) -> Option<Way> {
    NARROW.set(way.is_some());
    WAY.replace(way)
}

/// Whether the walk under way wants the gradient of a node.
pub(super) fn wants(node: &Rc<Node>) -> bool {
    !NARROW.get() || WAY.with_borrow(|way| way.as_ref().is_none_or(|way| way.reached.contains(&node.id)))
}

fn passes(node: &Node) -> bool {
    !NARROW.get() || WAY.with_borrow(|way| way.as_ref().is_none_or(|way| way.passed.contains(&node.id)))
}

/// All nodes from `roots` down, by age.
fn below(roots: &[(Tensor, Option<Tensor>)]) -> BTreeMap<u64, Rc<Node>> {
    let mut seen = BTreeMap::new();
    let mut stack: Vec<Rc<Node>> = roots.iter().filter_map(|(root, _)| root.node()).collect();
    while let Some(node) = stack.pop() {
        if let Entry::Vacant(place) = seen.entry(node.id) {
            stack.extend(node.edges.borrow().iter().flatten().cloned());
            place.insert(node);
        }
    }
    seen
}

impl Way {
    fn find(nodes: &BTreeMap<u64, Rc<Node>>, wanted: &[u64]) -> Self {
        let mut way = Way { reached: wanted.iter().copied().collect(), passed: HashSet::new() };
        // Oldest first, so that what lies below is known.
        for (&id, node) in nodes {
            if node.edges.borrow().iter().flatten().any(|edge| way.reached.contains(&edge.id)) {
                way.passed.insert(id);
                way.reached.insert(id);
            }
        }
        way
    }
}

/// A gradient on its way to its node.
enum Gradient {
    Whole(Tensor),
    /// Of a join, one for each output.
    Parts(Box<[Option<Tensor>]>),
}

/// What waits to be visited, by age. The youngest stands apart: in a chain it is the only one, and no tree is built.
#[derive(Default)]
struct Pending {
    youngest: Option<(Rc<Node>, Gradient)>,
    older: BTreeMap<u64, (Rc<Node>, Gradient)>,
}

impl Pending {
    fn pop(&mut self) -> Option<(Rc<Node>, Gradient)> {
        self.youngest.take().or_else(|| self.older.pop_last().map(|(_, entry)| entry))
    }

    fn take(&mut self, id: u64) -> Option<(Rc<Node>, Gradient)> {
        match &self.youngest {
            Some((node, _)) if node.id == id => self.youngest.take(),
            _ => self.older.remove(&id),
        }
    }

    /// Adds one whose node is not among those that wait.
    fn put(&mut self, node: Rc<Node>, gradient: Gradient) {
        let next = match &self.youngest {
            Some((youngest, _)) => Some(youngest.id),
            None => self.older.last_key_value().map(|(&id, _)| id),
        };
        if next.is_some_and(|next| next > node.id) {
            self.older.insert(node.id, (node, gradient));
        } else if let Some((before, waiting)) = self.youngest.replace((node, gradient)) {
            self.older.insert(before.id, (before, waiting));
        }
    }
}

struct Pass {
    walk: Walk,
    pending: Pending,
    /// How many gradients are still to come for each leaf; only where hooks make it matter when a leaf is visited.
    leaves: Option<HashMap<u64, usize>>,
}

/// Walks from `roots`. `visit` sees every complete gradient, after the hooks.
fn run(
    roots: &[(Tensor, Option<Tensor>)],
    walk: Walk,
    wanted: Option<&[u64]>,
    mut visit: impl FnMut(&Rc<Node>, Tensor) -> Result<()>,
) -> Result<()> {
    struct Restore(Option<Way>);
    impl Drop for Restore {
        fn drop(&mut self) {
            set_way(self.0.take());
        }
    }
    let nodes = if wanted.is_some() || hooks::any() { below(roots) } else { BTreeMap::new() };
    let way = wanted.map(|wanted| Way::find(&nodes, wanted));
    let _restore = (way.is_some() || NARROW.get()).then(|| Restore(set_way(way)));
    let leaves = hooks::any().then(|| {
        let mut leaves = HashMap::new();
        for node in nodes.values().filter(|node| passes(node)) {
            for edge in node.edges.borrow().iter().flatten().filter(|edge| edge.is_leaf()) {
                *leaves.entry(edge.id).or_default() += 1;
            }
        }
        leaves
    });
    drop(nodes);
    with_enabled(walk.create_graph, || {
        let mut pass = Pass { walk, pending: Pending::default(), leaves };
        for (root, gradient) in roots {
            let (node, gradient) = start(root, gradient.as_ref())?;
            if wants(&node) {
                pass.collect(node, gradient)?;
            }
        }
        while let Some((node, gradient)) = pass.pending.pop() {
            pass.step(node, gradient, &mut visit)?;
        }
        Ok(())
    })
}

impl Pass {
    fn step(&mut self, node: Rc<Node>, gradient: Gradient, visit: &mut impl FnMut(&Rc<Node>, Tensor) -> Result<()>) -> Result<()> {
        let gradient = match gradient {
            Gradient::Whole(gradient) => {
                let gradient = hooks::run(&node, gradient)?;
                if node.is_leaf() {
                    return visit(&node, gradient);
                }
                visit(&node, gradient.clone())?;
                Gradient::Whole(gradient)
            }
            parts => parts,
        };
        if !passes(&node) {
            return Ok(());
        }
        let retain = self.walk.retain_graph || self.walk.create_graph;
        let rule = rule(&node, retain)?;
        if let (Rule::Part(at), Gradient::Whole(gradient)) = (&rule, &gradient) {
            if let Some(Some(join)) = edges(&node, retain).into_iter().next() {
                self.collect_part(join, *at, gradient)?;
            }
            return Ok(());
        }
        let Grads(grads) = match (&rule, gradient) {
            (Rule::Op(rule), Gradient::Whole(gradient)) => rule(&node, &gradient),
            (Rule::Join(rule), Gradient::Parts(parts)) => rule(&node, parts.into_vec()),
            _ => unreachable!("a node gets the kind of gradient that its rule takes"),
        }
        .map_err(|e| Error { message: format!("gradient of {}: {}", camel_case(node.op), e.message), ..e })?;
        anomaly::check(&node, &grads)?;
        // What the rule saved goes now, before the gradients below are made.
        drop(rule);
        let mut complete = Vec::new();
        for (edge, gradient) in edges(&node, retain).into_iter().zip(grads) {
            let Some(edge) = edge else { continue };
            let last = self.leaves.as_mut().and_then(|leaves| leaves.get_mut(&edge.id)).is_some_and(|left| {
                *left = left.saturating_sub(1);
                *left == 0
            });
            if last {
                complete.push(edge.id);
            }
            if let Some(gradient) = gradient
                && wants(&edge)
            {
                self.collect(edge, gradient)?;
            }
        }
        drop(node);
        // A leaf is visited as soon as its gradient is complete, so that what waits for it can free the gradient early.
        for id in complete {
            if let Some((leaf, gradient)) = self.pending.take(id) {
                self.step(leaf, gradient, visit)?;
            }
        }
        Ok(())
    }

    /// Adds a gradient to what `node` has so far, brought to its shape and dtype (a broadcast operand gets the sum).
    fn collect(&mut self, node: Rc<Node>, gradient: Tensor) -> Result<()> {
        let mut gradient = gradient;
        if gradient.shape() != &*node.shape {
            gradient = ops::reduce::sum_to(&gradient, &node.shape)?;
        }
        if gradient.dtype() != node.dtype {
            gradient = ops::elementwise::to_dtype(&gradient, node.dtype)?;
        }
        if let Some((_, Gradient::Whole(before))) = self.pending.take(node.id) {
            gradient = add(before, gradient, self.walk.create_graph)?;
        }
        self.pending.put(node, Gradient::Whole(gradient));
        Ok(())
    }

    /// Adds the gradient of one output to what a join has so far.
    fn collect_part(&mut self, join: Rc<Node>, at: usize, gradient: &Tensor) -> Result<()> {
        let mut parts = match self.pending.take(join.id) {
            Some((_, Gradient::Parts(parts))) => parts.into_vec(),
            _ => Vec::new(),
        };
        if parts.len() <= at {
            parts.resize(at + 1, None);
        }
        parts[at] = Some(match parts[at].take() {
            Some(before) => add(before, gradient.clone(), self.walk.create_graph)?,
            None => gradient.clone(),
        });
        self.pending.put(join, Gradient::Parts(parts.into()));
        Ok(())
    }
}

/// The rule of a node, taken from it unless the graph is kept.
fn rule(node: &Node, retain: bool) -> Result<Rule> {
    let hollow = match &*node.rule.borrow() {
        Some(Rule::Hollow(region)) => Some(region.clone()),
        _ => None,
    };
    if let Some(region) = hollow {
        region.fill()?;
        return rule(node, retain);
    }
    match if retain { node.rule.borrow().clone() } else { node.rule.take() } {
        Some(rule) => Ok(rule),
        None => bail!(
            Autograd,
            "the graph behind {} was freed by an earlier backward pass; pass {{ retainGraph: true }} to that pass to walk it twice",
            camel_case(node.op)
        ),
    }
}

/// The edges of a node; unless the graph is kept, they are taken, and its hooks, which cannot run again, go.
fn edges(node: &Node, retain: bool) -> Edges {
    if retain {
        return node.edges.borrow().clone();
    }
    drop(node.extras.take());
    node.edges.take()
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

fn add(a: Tensor, b: Tensor, create_graph: bool) -> Result<Tensor> {
    if create_graph { Ok(a + b) } else { ops::elementwise::add_owned(a, b) }
}

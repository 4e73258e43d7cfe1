//! Hooks: what runs in a walk when the gradient of a tensor is complete.

use std::cell::Cell;
use std::rc::Rc;

use super::node::Node;
use crate::error::{Result, bail};
use crate::shape::show;
use crate::tensor::Tensor;

/// Sees a gradient, and may put another in its place.
pub type Hook = Rc<dyn Fn(&Tensor) -> Result<Option<Tensor>>>;
/// Runs after a leaf has collected its gradient.
pub type PostHook = Rc<dyn Fn() -> Result<()>>;

#[derive(Default)]
pub(super) struct Hooks {
    /// In the order of registration, each with its number.
    before: Vec<Entry<Hook>>,
    after: Vec<Entry<PostHook>>,
    /// Whether a tensor that is no leaf keeps its gradient.
    retains: bool,
}

struct Entry<T> {
    number: u32,
    call: T,
    _alive: Alive,
}

thread_local! {
    static ALIVE: Cell<usize> = const { Cell::new(0) };
    static NUMBERS: Cell<u32> = const { Cell::new(0) };
}

/// Holds a hook's place in the count of those alive.
struct Alive;

impl Alive {
    fn new() -> Self {
        ALIVE.set(ALIVE.get() + 1);
        Self
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        ALIVE.set(ALIVE.get() - 1);
    }
}

/// Whether any hook of this thread is alive, so that it matters when a leaf is visited.
pub(super) fn any() -> bool {
    ALIVE.get() > 0
}

fn entry<T>(call: T) -> Entry<T> {
    NUMBERS.set(NUMBERS.get().wrapping_add(1));
    Entry { number: NUMBERS.get(), call, _alive: Alive::new() }
}

fn tracked(x: &Tensor) -> Result<Rc<Node>> {
    match x.node() {
        Some(node) => Ok(node),
        None => bail!(Autograd, "this tensor has no gradient: set requiresGrad = true on it, or compute it from one that has"),
    }
}

/// Lets `hook` see the gradient of `x` in every walk, after the hooks registered before; gives its number.
pub fn add(x: &Tensor, hook: Hook) -> Result<u32> {
    let node = tracked(x)?;
    // A second run of a checkpointed function meets nodes that have their hooks already.
    if super::checkpoint::is_filling() {
        return Ok(0);
    }
    let entry = entry(hook);
    let number = entry.number;
    node.with_extras(|extras| extras.hooks.before.push(entry));
    Ok(number)
}

/// Runs `hook` after a backward pass has added to the `.grad` of the leaf `x`; gives its number.
pub fn add_after(x: &Tensor, hook: PostHook) -> Result<u32> {
    let node = tracked(x)?;
    if !node.is_leaf() {
        bail!(
            Autograd,
            "only leaves collect gradients, and this tensor is the result of {}; use registerHook",
            crate::error::camel_case(node.op)
        );
    }
    let entry = entry(hook);
    let number = entry.number;
    node.with_extras(|extras| extras.hooks.after.push(entry));
    Ok(number)
}

/// Takes a hook off `x`; one that is gone already stays so.
pub fn remove(x: &Tensor, number: u32) {
    // Dropped after the node is let go of: what a hook holds may hold nodes.
    let mut gone = (None, None);
    if let Some(node) = x.node()
        && let Some(extras) = &mut *node.extras.borrow_mut()
    {
        let Hooks { before, after, .. } = &mut extras.hooks;
        gone.0 = before.iter().position(|entry| entry.number == number).map(|at| before.remove(at));
        gone.1 = after.iter().position(|entry| entry.number == number).map(|at| after.remove(at));
    }
}

/// Makes backward passes leave the gradient of `x` in its `.grad`, though it is no leaf.
pub fn retain_grad(x: &Tensor) -> Result<()> {
    let node = tracked(x)?;
    if !node.is_leaf() {
        node.with_extras(|extras| extras.hooks.retains = true);
    }
    Ok(())
}

/// Whether the gradient of `node` is kept though it is no leaf.
pub(super) fn retains(node: &Node) -> bool {
    node.extras.borrow().as_ref().is_some_and(|extras| extras.hooks.retains)
}

/// The complete gradient of `node` as its hooks leave it.
pub(super) fn run(node: &Node, mut gradient: Tensor) -> Result<Tensor> {
    let calls: Vec<Hook> = match &*node.extras.borrow() {
        Some(extras) => extras.hooks.before.iter().map(|entry| entry.call.clone()).collect(),
        None => return Ok(gradient),
    };
    for call in calls {
        let Some(other) = call(&gradient)? else { continue };
        if other.shape() != gradient.shape() || other.dtype() != gradient.dtype() {
            bail!(
                Shape,
                "a hook of the result of {} returned {} {}; it must return nothing, or a gradient like the one it got, {} {}",
                crate::error::camel_case(node.op),
                other.dtype().name(),
                show(other.shape()),
                gradient.dtype().name(),
                show(gradient.shape())
            );
        }
        gradient = if super::is_enabled() || !other.requires_grad() { other } else { other.detach() };
    }
    Ok(gradient)
}

/// Runs what waits for the leaf `node` to have its gradient.
pub(super) fn run_after(node: &Node) -> Result<()> {
    let calls: Vec<PostHook> = match &*node.extras.borrow() {
        Some(extras) => extras.hooks.after.iter().map(|entry| entry.call.clone()).collect(),
        None => return Ok(()),
    };
    calls.iter().try_for_each(|call| call())
}

//! Functions whose gradient rule comes from outside, with any number of outputs.
//!
//! A node has one output, so such a function is a join: a node below those of its outputs. Each output hands its
//! gradient down as one part, and the join's rule runs once, with all parts.

use std::rc::Rc;

use super::autocast;
use super::node::{Edges, Grads, Node, Rule};
use crate::create::zeros;
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::shape::{broadcast, show};
use crate::tensor::{Tensor, Value};

/// From the gradients of all outputs and what was saved, the gradient of each input.
pub type Backward = Rc<dyn Fn(Vec<Tensor>, Vec<Tensor>) -> Result<Vec<Option<Tensor>>>>;

/// A saved tensor. An output is kept without its node, which would hold the rule that holds the output.
enum Saved {
    Plain(Tensor),
    Output(usize, Value),
}

/// Puts a function on the tape that made `outputs` of `inputs`; None stands for an argument that is no tensor. The results have the
/// outputs' values; those that are `constant`, or hold no floating point numbers, have no gradient.
pub fn custom(
    inputs: &[Option<Tensor>],
    outputs: &[Tensor],
    constant: &[bool],
    saved: &[Tensor],
    backward: Backward,
) -> Result<Vec<Tensor>> {
    let mut results: Vec<Tensor> = outputs.iter().map(Tensor::detach).collect();
    let edges: Edges = inputs.iter().map(|input| input.as_ref().and_then(Tensor::node)).collect();
    let Some(first) = results.first() else { bail!(Argument, "forward must return at least one tensor") };
    if !super::is_enabled() || edges.iter().all(Option::is_none) {
        return Ok(results);
    }
    let kept: Vec<Saved> = saved
        .iter()
        .map(|tensor| match outputs.iter().position(|output| output.is(tensor)) {
            Some(at) => Saved::Output(at, tensor.value()),
            None => Saved::Plain(tensor.clone()),
        })
        .collect();
    let kinds: Vec<(Vec<usize>, DType)> = results.iter().map(|out| (out.shape().to_vec(), out.dtype())).collect();
    let differentiable: Vec<bool> = results.iter().zip(constant).map(|(out, constant)| !constant && out.dtype().is_float()).collect();
    let (known, wants) = (kinds.clone(), differentiable.clone());
    let region = autocast::mode();
    let rule = move |node: &Rc<Node>, parts: Vec<Option<Tensor>>| {
        let mut gradients = Vec::with_capacity(known.len());
        for (i, (shape, dtype)) in known.iter().enumerate() {
            let part = parts.get(i).cloned().flatten();
            gradients.push(part.map_or_else(|| zeros(shape, if dtype.is_float() { *dtype } else { DType::Float32 }), Ok)?);
        }
        let seen = kept.iter().map(|saved| match saved {
            Saved::Plain(tensor) => tensor.clone(),
            Saved::Output(at, value) => {
                let (shape, dtype) = &known[*at];
                let tensor = Tensor::new(value.clone(), *dtype);
                if wants[*at] {
                    tensor.set_node(Some(part(node, *at, shape, *dtype)));
                }
                tensor
            }
        });
        let saved = seen.collect();
        // The rule computes in what the forward computed in, so gradients may come in the dtype of the region.
        let given = autocast::within(region, || backward(gradients, saved))?;
        checked(node, given, region.map(|region| region.low))
    };
    let join = super::place("custom_function", first, edges, Rule::Join(Rc::new(rule)));
    for (at, out) in results.iter_mut().enumerate() {
        if differentiable[at] {
            let below: Edges = [Some(join.clone())].into_iter().collect();
            out.set_node(Some(super::place("custom_function", out, below, Rule::Part(at))));
        }
    }
    Ok(results)
}

fn part(join: &Rc<Node>, at: usize, shape: &[usize], dtype: DType) -> Rc<Node> {
    Node::new("custom_function", shape, dtype, [Some(join.clone())].into_iter().collect(), Some(Rule::Part(at)))
}

/// Compares what the backward function gave with the inputs; a gradient in `low` is brought to the dtype of its input by the walk.
fn checked(node: &Node, gradients: Vec<Option<Tensor>>, low: Option<DType>) -> Result<Grads> {
    let edges = node.edges.borrow();
    if gradients.len() != edges.len() {
        bail!(
            Autograd,
            "backward returned {} gradients, and forward has {} arguments: return one for each, null for those without",
            gradients.len(),
            edges.len()
        );
    }
    for (i, (edge, gradient)) in edges.iter().zip(&gradients).enumerate() {
        let (Some(edge), Some(gradient)) = (edge, gradient) else { continue };
        if gradient.dtype() != edge.dtype && !(low == Some(gradient.dtype()) && edge.dtype.is_float()) {
            bail!(
                Dtype,
                "backward returned {} for argument {i}, which is {}; convert the gradient with .to('{1}')",
                gradient.dtype().name(),
                edge.dtype.name()
            );
        }
        // A gradient that the argument would broadcast to is summed by the walk.
        if !broadcast(&edge.shape, gradient.shape()).is_ok_and(|both| *both == *gradient.shape()) {
            bail!(
                Shape,
                "backward returned a gradient of shape {} for argument {i}, which has shape {}",
                show(gradient.shape()),
                show(&edge.shape)
            );
        }
    }
    Ok(Grads(gradients.into_iter().collect()))
}

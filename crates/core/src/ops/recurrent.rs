//! Recurrent layers over sequences, and single steps of them.

use std::cell::OnceCell;
use std::rc::Rc;

use firn_kernels::recurrent::{Cell, Given, Layer};

use super::activation::{relu, sigmoid};
use super::choice::Nonlinearity;
use super::elementwise::{tanh, to_dtype};
use super::linalg::{linear, matmul};
use super::random::dropout;
use super::shaping::{cat, narrow, reshape, signed, transpose, unsqueeze};
use super::vjp::{Real, composed, elements};
use super::{Outputs, ops};
use crate::cpu::from_vec;
use crate::create::zeros;
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::shape::show;
use crate::tape::{Load, Save, is_enabled};
use crate::tensor::Tensor;

crate::tape::copied!(Layer);

/// What the kernel of a layer leaves for its gradient.
#[derive(Clone, Default)]
pub struct Work(Rc<OnceCell<(Tensor, Tensor)>>);

impl Save for &Work {
    type Saved = Work;
    fn save(self) -> Work {
        self.clone()
    }
}

impl Load for Work {
    type View<'a> = &'a Work;
    fn load(&self) -> &Work {
        self
    }
}

/// Runs `f` on the inputs of a layer: the input's part of the gates, weight, state, and a cell state or a hidden bias.
fn given<T: Real, R>(inputs: &[Tensor], cell: Cell, f: impl FnOnce(&Given<'_, T>) -> R) -> R {
    let [input, weight, state, ..] = inputs else { unreachable!("a layer has an input, a weight and a state") };
    elements(input, |input: &[T]| {
        elements(weight, |weight: &[T]| {
            elements(state, |state: &[T]| match inputs.get(3) {
                Some(fourth) => elements(fourth, |fourth: &[T]| {
                    let (cell, bias): (&[T], &[T]) = if cell == Cell::Lstm { (fourth, &[]) } else { (&[], fourth) };
                    f(&Given { input, weight, state, cell, bias })
                }),
                None => f(&Given { input, weight, state, cell: &[], bias: &[] }),
            })
        })
    })
}

fn run<T: Real>(inputs: &[Tensor], layer: Layer, work: &Work) -> Tensor {
    let made = given(inputs, layer.cell, |given: &Given<'_, T>| layer.forward(given));
    let flat = |data: Vec<T>| {
        let length = data.len();
        from_vec(data, [length].into(), T::DTYPE)
    };
    // Set once: every call has a Work of its own.
    let _ = work.0.set((flat(made.gates), flat(made.cells)));
    let steps = layer.steps + usize::from(layer.cell == Cell::Lstm);
    from_vec(made.out, [steps, layer.batch, layer.hidden].into(), T::DTYPE)
}

fn back<T: Real>(g: &Tensor, out: &Tensor, inputs: &[Tensor], layer: Layer, work: &Work) -> Result<Vec<Tensor>> {
    let Some((gates, cells)) = work.0.get() else { bail!(Autograd, "the layer was not run") };
    let grads = given(inputs, layer.cell, |given: &Given<'_, T>| {
        elements(g, |g: &[T]| {
            elements(out, |out: &[T]| {
                elements(gates, |gates: &[T]| elements(cells, |cells: &[T]| layer.backward(g, given, out, gates, cells)))
            })
        })
    });
    let fourth = if layer.cell == Cell::Lstm { grads.cell } else { grads.bias };
    let parts = [grads.input, grads.weight, grads.state, fourth];
    Ok(inputs.iter().zip(parts).map(|(x, data)| from_vec(data, x.shape().into(), T::DTYPE)).collect())
}

/// A layer made of ops, for gradients of gradients.
fn stepwise(inputs: &[Tensor], layer: Layer) -> Result<Tensor> {
    let Layer { cell, steps, batch, hidden, reverse } = layer;
    let width = cell.gates() * hidden;
    let weight = transpose(&inputs[1], 0, 1)?;
    let mut state = inputs[2].clone();
    let mut memory = inputs.get(3).cloned();
    let mut out = vec![state.clone(); steps];
    for at in 0..steps {
        let t = if reverse { steps - 1 - at } else { at };
        let input = reshape(&narrow(&inputs[0], 0, t, 1)?, &[batch as isize, width as isize])?;
        let inner = matmul(&state, &weight)?;
        let part = |x: &Tensor, k: usize| narrow(x, 1, k * hidden, hidden);
        state = match (cell, &memory) {
            (Cell::Lstm, Some(before)) => {
                let sums = input + inner;
                let (i, f, o) = (sigmoid(&part(&sums, 0)?)?, sigmoid(&part(&sums, 1)?)?, sigmoid(&part(&sums, 3)?)?);
                let after = f * before + i * tanh(&part(&sums, 2)?)?;
                let state = o * tanh(&after)?;
                memory = Some(after);
                state
            }
            (Cell::Gru, Some(bias)) => {
                let inner = inner + bias;
                let r = sigmoid(&(part(&input, 0)? + part(&inner, 0)?))?;
                let z = sigmoid(&(part(&input, 1)? + part(&inner, 1)?))?;
                let n = tanh(&(part(&input, 2)? + r * part(&inner, 2)?))?;
                &n + &(z * (state - &n))
            }
            (Cell::Relu, _) => relu(&(input + inner))?,
            _ => tanh(&(input + inner))?,
        };
        out[t] = unsqueeze(&state, 0)?;
    }
    if let (Cell::Lstm, Some(memory)) = (cell, memory) {
        out.push(unsqueeze(&memory, 0)?);
    }
    cat(&out, 0)
}

/// How a network is built, from the options of its op.
struct Network<'a> {
    cell: Cell,
    weights: &'a [Tensor],
    layers: usize,
    bias: bool,
    bidirectional: bool,
    dropout: f64,
    training: bool,
}

impl Network<'_> {
    fn directions(&self) -> usize {
        1 + usize::from(self.bidirectional)
    }

    fn per_layer(&self) -> usize {
        if self.bias { 4 } else { 2 }
    }

    /// The hidden size, with every check of the weights.
    fn check(&self, x: &Tensor, features: usize) -> Result<usize> {
        let expected = self.layers * self.directions() * self.per_layer();
        if self.layers == 0 || self.weights.len() != expected {
            bail!(
                Argument,
                "{} layers in {} directions need {expected} weights, for each weight_ih, weight_hh{}, and got {}",
                self.layers,
                self.directions(),
                if self.bias { ", bias_ih, bias_hh" } else { "" },
                self.weights.len()
            );
        }
        let hidden = self.weights[1].shape().last().copied().unwrap_or(0);
        let gates = self.cell.gates() * hidden;
        for (i, weight) in self.weights.iter().enumerate() {
            let layer = i / (self.per_layer() * self.directions());
            let shape = match i % self.per_layer() {
                0 if layer == 0 => vec![gates, features],
                0 => vec![gates, hidden * self.directions()],
                1 => vec![gates, hidden],
                _ => vec![gates],
            };
            if weight.shape() != shape || weight.dtype() != x.dtype() {
                let (got, want) = (weight.dtype().name(), x.dtype().name());
                bail!(Shape, "weight {i} is {got} {} and must be {want} {} for hidden size {hidden}", show(weight.shape()), show(&shape));
            }
        }
        Ok(hidden)
    }

    /// A first state `[layers directions, batch, hidden]`, zeros where none is given.
    fn state(&self, given: Option<&Tensor>, name: &str, like: &Tensor, batch: usize, hidden: usize, batched: bool) -> Result<Tensor> {
        let count = self.layers * self.directions();
        let Some(given) = given else { return zeros(&[count, batch, hidden], like.dtype()) };
        let shape = if batched { vec![count, batch, hidden] } else { vec![count, hidden] };
        if given.shape() != shape || given.dtype() != like.dtype() {
            let (got, want) = (given.dtype().name(), like.dtype().name());
            bail!(Shape, "{name} is {got} {} and must be {want} {}", show(given.shape()), show(&shape));
        }
        reshape(given, &signed(&[count, batch, hidden]))
    }

    /// Outputs, last states and, of an LSTM, last cell states, for `[steps, batch, features]` or `[steps, features]`.
    fn run(&self, x: &Tensor, state: Option<&Tensor>, memory: Option<&Tensor>, batch_first: bool) -> Result<Outputs> {
        if !x.dtype().is_float() || !(2..=3).contains(&x.rank()) {
            bail!(
                Shape,
                "expected a floating point [steps, batch, features], or [steps, features] without a batch, and got {} {}",
                x.dtype().name(),
                show(x.shape())
            );
        }
        if !(0.0..=1.0).contains(&self.dropout) {
            bail!(Argument, "dropout is a probability in [0, 1] and is {}", self.dropout);
        }
        let batched = x.rank() == 3;
        let mut sequence = match (batched, batch_first) {
            (false, _) => unsqueeze(x, 1)?,
            (true, true) => transpose(x, 0, 1)?,
            (true, false) => x.clone(),
        };
        let (steps, batch) = (sequence.shape()[0], sequence.shape()[1]);
        if steps == 0 {
            bail!(Shape, "the sequence in {} has no steps", show(x.shape()));
        }
        let hidden = self.check(x, sequence.shape()[2])?;
        let dtype = x.dtype().precise();
        let exact = |x: &Tensor| if x.dtype() == dtype { Ok(x.clone()) } else { to_dtype(x, dtype) };
        let states = exact(&self.state(state, "hidden", x, batch, hidden, batched)?)?;
        let memories = match self.cell {
            Cell::Lstm => Some(exact(&self.state(memory, "cell", x, batch, hidden, batched)?)?),
            _ => None,
        };
        let weights = self.weights.iter().map(exact).collect::<Result<Vec<_>>>()?;
        sequence = exact(&sequence)?;
        let first = |states: &Tensor, i: usize| reshape(&narrow(states, 0, i, 1)?, &signed(&[batch, hidden]));
        let (mut last_states, mut last_memories) = (Vec::new(), Vec::new());
        for layer in 0..self.layers {
            if layer > 0 {
                sequence = dropout(&sequence, self.dropout, self.training)?;
            }
            let mut outs = Vec::new();
            for direction in 0..self.directions() {
                let at = layer * self.directions() + direction;
                let weights = &weights[at * self.per_layer()..][..self.per_layer()];
                let (bias, inner) = match (weights, self.cell) {
                    ([_, _, bias, inner], Cell::Gru) => (Some(bias.clone()), Some(inner.clone())),
                    ([_, _, bias, inner], _) => (Some(bias + inner), None),
                    (_, Cell::Gru) => (None, Some(zeros(&[weights[0].shape()[0]], dtype)?)),
                    _ => (None, None),
                };
                let mut inputs = vec![linear(&sequence, &weights[0], bias.as_ref())?, weights[1].clone(), first(&states, at)?];
                inputs.extend(memories.as_ref().map(|memories| first(memories, at)).transpose()?);
                inputs.extend(inner);
                let layer = Layer { cell: self.cell, steps, batch, hidden, reverse: direction == 1 };
                let mut out = recurrent_layer(&inputs, layer, &Work::default())?;
                if self.cell == Cell::Lstm {
                    last_memories.push(narrow(&out, 0, steps, 1)?);
                    out = narrow(&out, 0, 0, steps)?;
                }
                last_states.push(narrow(&out, 0, if direction == 1 { 0 } else { steps - 1 }, 1)?);
                outs.push(out);
            }
            sequence = match &outs[..] {
                [one] => one.clone(),
                both => cat(both, 2)?,
            };
        }
        let final_shape = |x: Tensor| -> Result<Tensor> {
            let x = if x.dtype() == self.weights[0].dtype() { x } else { to_dtype(&x, self.weights[0].dtype())? };
            if batched { Ok(x) } else { super::shaping::squeeze(&x, &[1]) }
        };
        let output = if batched && batch_first { transpose(&sequence, 0, 1)? } else { sequence };
        let mut results = vec![final_shape(output)?, final_shape(cat(&last_states, 0)?)?];
        if self.cell == Cell::Lstm {
            results.push(final_shape(cat(&last_memories, 0)?)?);
        }
        Ok(results)
    }

    /// One step of `[batch, features]` or `[features]`: the states after it.
    fn step(&self, x: &Tensor, state: Option<&Tensor>, memory: Option<&Tensor>) -> Result<Outputs> {
        if !(1..=2).contains(&x.rank()) {
            bail!(Shape, "expected [batch, features] or [features] and got {}", show(x.shape()));
        }
        let lead = |x: Option<&Tensor>| x.map(|x| unsqueeze(x, 0)).transpose();
        let results = self.run(&unsqueeze(x, 0)?, lead(state)?.as_ref(), lead(memory)?.as_ref(), false)?;
        results[1..].iter().map(|x| super::shaping::squeeze(x, &[0])).collect()
    }
}

fn plain(nonlinearity: Nonlinearity) -> Cell {
    match nonlinearity {
        Nonlinearity::Tanh => Cell::Tanh,
        Nonlinearity::Relu => Cell::Relu,
    }
}

/// A cell: one layer, with biases if there are four weights.
fn single(cell: Cell, weights: &[Tensor]) -> Network<'_> {
    Network { cell, weights, layers: 1, bias: weights.len() == 4, bidirectional: false, dropout: 0.0, training: false }
}

ops! {
    /// An Elman network: `h = tanh(x W_ih^T + b_ih + h W_hh^T + b_hh)`, or relu, along the steps of `[steps, batch, features]`.
    /// `weights` is a flat list in PyTorch's order: for each layer and direction weight_ih, weight_hh, and bias_ih, bias_hh unless `bias` is
    /// false. `hidden` holds the first states, `[numLayers directions, batch, hidden]`, zeros by default; `dropout` works between layers
    /// while `training`. Without a batch all shapes lack that dimension.
    #[example(
        "const weights = [[[1]], [[1]]].map((weight) => tensor(weight))",
        "const { output } = F.rnn(tensor([[0.5], [0]]), weights, { bias: false, nonlinearity: 'relu' })",
        "output // [[0.5], [0.5]]",
    )]
    #[outputs(output: Tensor, hidden: Tensor)]
    #[face(functional)]
    #[check(cases)]
    #[autocast(low)]
    fn rnn(
        x: &Tensor, weights: &[Tensor];
        hidden: Option<&Tensor> = None, num_layers: usize = 1, nonlinearity: Nonlinearity = Tanh, bias: bool = true,
        batch_first: bool = false, dropout: f64 = 0.0, training: bool = true, bidirectional: bool = false
    ) -> Outputs {
        let cell = plain(nonlinearity);
        Network { cell, weights, layers: num_layers, bias, bidirectional, dropout, training }.run(x, hidden, None, batch_first)
    }

    /// A long short-term memory (Hochreiter and Schmidhuber, 1997) along the steps of `[steps, batch, features]`, its gates in PyTorch's
    /// order: input, forget, cell, output. Weights, states and options are those of `rnn`; `cell` holds the first cell states.
    #[example(
        "const weights = [zeros([8, 3]), zeros([8, 2]), zeros([8]), zeros([8])]",
        "const { output, hidden, cell } = F.lstm(ones([5, 4, 3]), weights)",
        "output // shape [5, 4, 2]",
        "cell // shape [1, 4, 2]",
    )]
    #[outputs(output: Tensor, hidden: Tensor, cell: Tensor)]
    #[face(functional)]
    #[check(cases)]
    #[autocast(low)]
    fn lstm(
        x: &Tensor, weights: &[Tensor];
        hidden: Option<&Tensor> = None, cell: Option<&Tensor> = None, num_layers: usize = 1, bias: bool = true,
        batch_first: bool = false, dropout: f64 = 0.0, training: bool = true, bidirectional: bool = false
    ) -> Outputs {
        let network = Network { cell: Cell::Lstm, weights, layers: num_layers, bias, bidirectional, dropout, training };
        network.run(x, hidden, cell, batch_first)
    }

    /// A gated recurrent unit (Cho et al., 2014) along the steps of `[steps, batch, features]`, its gates in PyTorch's order: reset, update,
    /// new. Weights, states and options are those of `rnn`.
    #[example("F.gru(ones([5, 4, 3]), [zeros([6, 3]), zeros([6, 2]), zeros([6]), zeros([6])]).output // shape [5, 4, 2]")]
    #[outputs(output: Tensor, hidden: Tensor)]
    #[face(functional)]
    #[check(cases)]
    #[autocast(low)]
    fn gru(
        x: &Tensor, weights: &[Tensor];
        hidden: Option<&Tensor> = None, num_layers: usize = 1, bias: bool = true, batch_first: bool = false,
        dropout: f64 = 0.0, training: bool = true, bidirectional: bool = false
    ) -> Outputs {
        let network = Network { cell: Cell::Gru, weights, layers: num_layers, bias, bidirectional, dropout, training };
        network.run(x, hidden, None, batch_first)
    }

    /// One step of `rnn` for `[batch, features]`: the states `[batch, hidden]` after it. `weights` are weight_ih, weight_hh, and bias_ih,
    /// bias_hh or neither.
    #[example("F.rnnCell(tensor([2]), [tensor([[1]]), tensor([[1]])], { hidden: tensor([3]), nonlinearity: 'relu' }) // [5]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(low)]
    fn rnn_cell(x: &Tensor, weights: &[Tensor]; hidden: Option<&Tensor> = None, nonlinearity: Nonlinearity = Tanh) -> Tensor {
        Ok(single(plain(nonlinearity), weights).step(x, hidden, None)?.swap_remove(0))
    }

    /// One step of `lstm` for `[batch, features]`: the states and cell states `[batch, hidden]` after it; weights as those of `rnnCell`.
    #[example("F.lstmCell(tensor([1]), [zeros([4, 1]), zeros([4, 1])], { cell: tensor([2]) }).cell // [1]")]
    #[outputs(hidden: Tensor, cell: Tensor)]
    #[face(functional)]
    #[check(cases)]
    #[autocast(low)]
    fn lstm_cell(x: &Tensor, weights: &[Tensor]; hidden: Option<&Tensor> = None, cell: Option<&Tensor> = None) -> Outputs {
        single(Cell::Lstm, weights).step(x, hidden, cell)
    }

    /// One step of `gru` for `[batch, features]`: the states `[batch, hidden]` after it; weights as those of `rnnCell`.
    #[example("F.gruCell(tensor([1]), [zeros([3, 1]), zeros([3, 1])], { hidden: tensor([2]) }) // [1]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(low)]
    fn gru_cell(x: &Tensor, weights: &[Tensor]; hidden: Option<&Tensor> = None) -> Tensor {
        Ok(single(Cell::Gru, weights).step(x, hidden, None)?.swap_remove(0))
    }

    /// One direction of one layer by a kernel, `[steps, batch, hidden]`, and for an LSTM a last entry with the cell states.
    #[face()]
    #[check(none, "checked as rnn, lstm and gru")]
    fn recurrent_layer(inputs: &[Tensor], layer: Layer, work: &Work) -> Tensor {
        Ok(match inputs[0].dtype() {
            DType::Float64 => run::<f64>(inputs, layer, work),
            _ => run::<f32>(inputs, layer, work),
        })
    }
    grad(g, y; inputs, layer, work) {
        inputs: if is_enabled() {
            composed(inputs, g, |inputs| stepwise(inputs, layer))?
        } else {
            match y.dtype() {
                DType::Float64 => back::<f64>(g, y, inputs, layer, work)?,
                _ => back::<f32>(g, y, inputs, layer, work)?,
            }
        }
    }
}

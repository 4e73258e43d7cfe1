//! Recurrent layers over a sequence: LSTM, GRU and plain cells, forward and backward, with the gates of a step in one pass.

use crate::math::Math;
use crate::matrix::{Matrix, Threads, product};
use crate::parallel::{simd, threads};
use rayon::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    Lstm,
    Gru,
    Tanh,
    Relu,
}

impl Cell {
    /// How many vectors of the hidden size a step computes from its input.
    pub fn gates(self) -> usize {
        match self {
            Cell::Lstm => 4,
            Cell::Gru => 3,
            Cell::Tanh | Cell::Relu => 1,
        }
    }

    /// How many of them the backward pass wants to see again: the gates, and for a GRU the hidden part of the candidate.
    fn kept(self) -> usize {
        match self {
            Cell::Lstm | Cell::Gru => 4,
            Cell::Tanh | Cell::Relu => 1,
        }
    }
}

/// One direction of one layer. Sequences are `[steps, batch, ...]`; a reversed one starts at the last step.
#[derive(Debug, Clone, Copy)]
pub struct Layer {
    pub cell: Cell,
    pub steps: usize,
    pub batch: usize,
    pub hidden: usize,
    pub reverse: bool,
}

/// What goes into a layer: the input's part of the gates with its biases `[steps, batch, gates hidden]`, the hidden weight
/// `[gates hidden, hidden]`, the first states `[batch, hidden]`, and a GRU's hidden bias `[gates hidden]`; what a cell lacks is empty.
pub struct Given<'a, T> {
    pub input: &'a [T],
    pub weight: &'a [T],
    pub state: &'a [T],
    pub cell: &'a [T],
    pub bias: &'a [T],
}

/// What comes out: the states `[steps, batch, hidden]`, followed for an LSTM by the last cell state; and what the backward pass needs.
pub struct Made<T> {
    pub out: Vec<T>,
    pub gates: Vec<T>,
    pub cells: Vec<T>,
}

/// Gradients of what was given, in its shapes.
pub struct Grads<T> {
    pub input: Vec<T>,
    pub weight: Vec<T>,
    pub state: Vec<T>,
    pub cell: Vec<T>,
    pub bias: Vec<T>,
}

/// Cuts `[steps, batch, width]` into groups of `rows` sequences: `[group][step]`.
#[inline]
fn by_group<T>(data: &mut [T], batch: usize, rows: usize, width: usize) -> Vec<Vec<&mut [T]>> {
    let mut groups: Vec<Vec<&mut [T]>> = (0..batch.div_ceil(rows)).map(|_| Vec::new()).collect();
    for step in data.chunks_exact_mut(batch * width) {
        for (group, part) in groups.iter_mut().zip(step.chunks_mut(rows * width)) {
            group.push(part);
        }
    }
    groups
}

impl Layer {
    /// The step of the sequence that is computed as number `at`.
    fn time(&self, at: usize) -> usize {
        if self.reverse { self.steps - 1 - at } else { at }
    }

    /// Sequences a task works on: each goes through all steps without waiting for the others.
    fn rows(&self) -> usize {
        self.batch.div_ceil(threads()).max(4).min(self.batch)
    }

    #[inline]
    pub fn forward<T: Math>(&self, given: &Given<'_, T>) -> Made<T> {
        let Self { cell, steps, batch, hidden, .. } = *self;
        let zeros = |n: usize| vec![T::of(0.0); n];
        let lstm = cell == Cell::Lstm;
        let mut out = zeros((steps + usize::from(lstm)) * batch * hidden);
        let mut gates = zeros(steps * batch * hidden * cell.kept());
        let mut cells = zeros(if lstm { steps * batch * hidden } else { 0 });
        if batch * hidden == 0 {
            return Made { out, gates, cells };
        }
        let rows = self.rows();
        let groups = batch.div_ceil(rows);
        let mut cells_by_group = by_group(&mut cells, batch, rows, hidden);
        cells_by_group.resize_with(groups, Vec::new);
        let work: Vec<_> = by_group(&mut out, batch, rows, hidden)
            .into_iter()
            .zip(by_group(&mut gates, batch, rows, hidden * cell.kept()))
            .zip(cells_by_group)
            .enumerate()
            .collect();
        work.into_par_iter().for_each(|(group, ((mut out, mut gates), mut cells))| {
            let from = group * rows;
            let count = rows.min(batch - from);
            let mut state = given.state[from * hidden..(from + count) * hidden].to_vec();
            let mut memory = if lstm { given.cell[from * hidden..(from + count) * hidden].to_vec() } else { Vec::new() };
            let width = cell.gates() * hidden;
            let mut sums = zeros(count * width);
            for at in 0..steps {
                let t = self.time(at);
                let input = &given.input[(t * batch + from) * width..][..count * width];
                let weight = Matrix::new(given.weight, width, hidden).transposed();
                if cell == Cell::Gru {
                    sums.chunks_exact_mut(width).for_each(|sums| sums.copy_from_slice(given.bias));
                } else {
                    sums.copy_from_slice(input);
                }
                product(&mut sums, true, Matrix::new(&state, count, hidden), weight, Threads::One);
                simd(
                    #[inline(always)]
                    || match cell {
                        Cell::Lstm => lstm_step(&sums, &mut state, &mut memory, gates[t], hidden),
                        Cell::Gru => gru_step(input, &sums, &mut state, gates[t], hidden),
                        Cell::Tanh => state.iter_mut().zip(&sums).for_each(|(state, &sum)| *state = sum.tanh()),
                        Cell::Relu => state.iter_mut().zip(&sums).for_each(|(state, &sum)| *state = sum.max(T::of(0.0))),
                    },
                );
                out[t].copy_from_slice(&state);
                if lstm {
                    cells[t].copy_from_slice(&memory);
                }
            }
            if lstm {
                out[steps].copy_from_slice(&memory);
            }
        });
        Made { out, gates, cells }
    }

    #[inline]
    pub fn backward<T: Math>(&self, grad: &[T], given: &Given<'_, T>, out: &[T], gates: &[T], cells: &[T]) -> Grads<T> {
        let Self { cell, steps, batch, hidden, .. } = *self;
        let zeros = |n: usize| vec![T::of(0.0); n];
        let (lstm, gru) = (cell == Cell::Lstm, cell == Cell::Gru);
        let (width, plane) = (cell.gates() * hidden, batch * hidden);
        let mut input = zeros(steps * batch * width);
        // Of the hidden part of the gates, which is that of the input's part but for a GRU.
        let mut inner = zeros(if gru { steps * batch * width } else { 0 });
        let mut state = zeros(plane);
        let mut memory = zeros(if lstm { plane } else { 0 });
        let mut weight = zeros(width * hidden);
        let mut bias = zeros(if gru { width } else { 0 });
        if plane == 0 {
            return Grads { input, weight, state, cell: memory, bias };
        }
        let rows = self.rows();
        let groups = batch.div_ceil(rows);
        let mut inner_by_group = by_group(&mut inner, batch, rows, width);
        inner_by_group.resize_with(groups, Vec::new);
        let mut memory_by_group: Vec<&mut [T]> = memory.chunks_mut(rows * hidden).collect();
        memory_by_group.resize_with(groups, Default::default);
        let work: Vec<_> = by_group(&mut input, batch, rows, width)
            .into_iter()
            .zip(inner_by_group)
            .zip(state.chunks_mut(rows * hidden).zip(memory_by_group))
            .enumerate()
            .collect();
        work.into_par_iter().for_each(|(group, ((mut input, mut inner), (state, memory)))| {
            let from = group * rows;
            let count = rows.min(batch - from);
            let part = |t: usize, width: usize| (t * batch + from) * width..(t * batch + from + count) * width;
            if lstm {
                memory.copy_from_slice(&grad[part(steps, hidden)]);
            }
            for at in (0..steps).rev() {
                let t = self.time(at);
                let before = |first: &'_ [T], all: &'_ [T]| -> Vec<T> {
                    if at == 0 { first[part(0, hidden)].to_vec() } else { all[part(self.time(at - 1), hidden)].to_vec() }
                };
                simd(
                    #[inline(always)]
                    || {
                        state.iter_mut().zip(&grad[part(t, hidden)]).for_each(|(state, &g)| *state = *state + g);
                        match cell {
                            Cell::Lstm => {
                                let cells_before = before(given.cell, cells);
                                let (gates, cells) = (&gates[part(t, 4 * hidden)], &cells[part(t, hidden)]);
                                lstm_back(input[t], state, memory, gates, cells, &cells_before, hidden);
                            }
                            Cell::Gru => {
                                gru_back(input[t], inner[t], state, &gates[part(t, 4 * hidden)], &before(given.state, out), hidden);
                            }
                            Cell::Tanh => {
                                for ((input, &state), &y) in input[t].iter_mut().zip(state.iter()).zip(&out[part(t, hidden)]) {
                                    *input = state * (T::of(1.0) - y * y);
                                }
                            }
                            Cell::Relu => {
                                for ((input, &state), &y) in input[t].iter_mut().zip(state.iter()).zip(&out[part(t, hidden)]) {
                                    *input = if y > T::of(0.0) { state } else { T::of(0.0) };
                                }
                            }
                        }
                    },
                );
                let through = if gru { &*inner[t] } else { &*input[t] };
                // A GRU passes a part of the gradient on by itself.
                product(state, gru, Matrix::new(through, count, width), Matrix::new(given.weight, width, hidden), Threads::One);
            }
        });
        let through = if gru { &inner } else { &input };
        let mut states_before = zeros(steps * plane);
        for at in 0..steps {
            let from = if at == 0 { given.state } else { &out[self.time(at - 1) * plane..][..plane] };
            states_before[self.time(at) * plane..][..plane].copy_from_slice(from);
        }
        let rows = steps * batch;
        let left = Matrix::new(through, rows, width).transposed();
        product(&mut weight, false, left, Matrix::new(&states_before, rows, hidden), Threads::All);
        for row in inner.chunks_exact(width) {
            bias.iter_mut().zip(row).for_each(|(sum, &x)| *sum = *sum + x);
        }
        Grads { input, weight, state, cell: memory, bias }
    }
}

/// `i, f, o = sigmoid`, `g = tanh`; `c = f c + i g`, `h = o tanh(c)`. Keeps the gates.
#[inline(always)]
fn lstm_step<T: Math>(sums: &[T], state: &mut [T], memory: &mut [T], kept: &mut [T], hidden: usize) {
    let rows = sums.chunks_exact(4 * hidden).zip(kept.chunks_exact_mut(4 * hidden));
    for ((sums, kept), (state, memory)) in rows.zip(state.chunks_exact_mut(hidden).zip(memory.chunks_exact_mut(hidden))) {
        for (k, (kept, sums)) in kept.chunks_exact_mut(hidden).zip(sums.chunks_exact(hidden)).enumerate() {
            if k == 2 {
                kept.iter_mut().zip(sums).for_each(|(kept, &sum)| *kept = sum.tanh());
            } else {
                kept.iter_mut().zip(sums).for_each(|(kept, &sum)| *kept = sum.sigmoid());
            }
        }
        let (i, rest) = kept.split_at(hidden);
        let (f, rest) = rest.split_at(hidden);
        let (g, o) = rest.split_at(hidden);
        for k in 0..hidden {
            memory[k] = f[k] * memory[k] + i[k] * g[k];
            state[k] = o[k] * memory[k].tanh();
        }
    }
}

/// `memory` and `state` hold the gradients of the states after the step; `memory` becomes that of the cell state before.
#[inline(always)]
fn lstm_back<T: Math>(input: &mut [T], state: &[T], memory: &mut [T], gates: &[T], cells: &[T], cells_before: &[T], hidden: usize) {
    let one = T::of(1.0);
    let rows = input.chunks_exact_mut(4 * hidden).zip(gates.chunks_exact(4 * hidden));
    let states = state.chunks_exact(hidden).zip(memory.chunks_exact_mut(hidden));
    let cells = cells.chunks_exact(hidden).zip(cells_before.chunks_exact(hidden));
    for (((input, gates), (state, memory)), (cells, before)) in rows.zip(states).zip(cells) {
        let (i, rest) = gates.split_at(hidden);
        let (f, rest) = rest.split_at(hidden);
        let (g, o) = rest.split_at(hidden);
        let (di, rest) = input.split_at_mut(hidden);
        let (df, rest) = rest.split_at_mut(hidden);
        let (dg, d_o) = rest.split_at_mut(hidden);
        for k in 0..hidden {
            let y = cells[k].tanh();
            let dc = memory[k] + state[k] * o[k] * (one - y * y);
            d_o[k] = state[k] * y * (o[k] * (one - o[k]));
            di[k] = dc * g[k] * (i[k] * (one - i[k]));
            df[k] = dc * before[k] * (f[k] * (one - f[k]));
            dg[k] = dc * i[k] * (one - g[k] * g[k]);
            memory[k] = dc * f[k];
        }
    }
}

/// `r, z = sigmoid`, `n = tanh(input + r hidden)`, `h = n + z (h - n)`. Keeps r, z, n and the hidden part of n.
#[inline(always)]
fn gru_step<T: Math>(input: &[T], sums: &[T], state: &mut [T], kept: &mut [T], hidden: usize) {
    let rows = input.chunks_exact(3 * hidden).zip(sums.chunks_exact(3 * hidden));
    for (((input, sums), kept), state) in rows.zip(kept.chunks_exact_mut(4 * hidden)).zip(state.chunks_exact_mut(hidden)) {
        let (r, rest) = kept.split_at_mut(hidden);
        let (z, rest) = rest.split_at_mut(hidden);
        let (n, inner) = rest.split_at_mut(hidden);
        for k in 0..hidden {
            r[k] = (input[k] + sums[k]).sigmoid();
            z[k] = (input[hidden + k] + sums[hidden + k]).sigmoid();
            inner[k] = sums[2 * hidden + k];
            n[k] = (input[2 * hidden + k] + r[k] * inner[k]).tanh();
            state[k] = n[k] + z[k] * (state[k] - n[k]);
        }
    }
}

/// `state` becomes the part of its gradient that goes past the gates.
#[inline(always)]
fn gru_back<T: Math>(input: &mut [T], through: &mut [T], state: &mut [T], gates: &[T], before: &[T], hidden: usize) {
    let one = T::of(1.0);
    let rows = input.chunks_exact_mut(3 * hidden).zip(through.chunks_exact_mut(3 * hidden)).zip(gates.chunks_exact(4 * hidden));
    for (((input, through), gates), (state, before)) in rows.zip(state.chunks_exact_mut(hidden).zip(before.chunks_exact(hidden))) {
        let (r, rest) = gates.split_at(hidden);
        let (z, rest) = rest.split_at(hidden);
        let (n, inner) = rest.split_at(hidden);
        let (dr, rest) = input.split_at_mut(hidden);
        let (dz, dn) = rest.split_at_mut(hidden);
        for k in 0..hidden {
            dz[k] = state[k] * (before[k] - n[k]) * (z[k] * (one - z[k]));
            dn[k] = state[k] * (one - z[k]) * (one - n[k] * n[k]);
            dr[k] = dn[k] * inner[k] * (r[k] * (one - r[k]));
            state[k] = state[k] * z[k];
        }
        through[..hidden].copy_from_slice(dr);
        through[hidden..2 * hidden].copy_from_slice(dz);
        for k in 0..hidden {
            through[2 * hidden + k] = dn[k] * r[k];
        }
    }
}

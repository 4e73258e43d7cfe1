//! Randomness by counting: a value depends on the seed, the number of the call and its position, never on threads.
//!
//! So a run repeats exactly, whatever the number of cores, and the whole state to save is two numbers. What is drawn in float32 is
//! the same bits on every machine; what is drawn in float64 goes through its logarithm and circle functions, but for uniform numbers.

use std::cell::Cell;

use burn_std::{Shape, bf16, f16};
use firn_kernels::philox::{Key, block};
use firn_kernels::random as draw;

use crate::cpu::{from_vec, with_slice};
use crate::create::{room, within};
use crate::dtype::{DType, Kind};
use crate::error::{Result, bail};
use crate::tensor::Tensor;

/// The generator's whole state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    pub seed: u64,
    /// Random calls made since the seed was set.
    pub calls: u64,
}

thread_local! {
    static STATE: Cell<State> = const { Cell::new(State { seed: 0, calls: 0 }) };
}

pub fn state() -> State {
    STATE.get()
}

pub fn set_state(state: State) {
    STATE.set(state);
}

/// Starts over from `seed`.
pub fn seed(seed: u64) {
    set_state(State { seed, calls: 0 });
}

/// The seed of the stream `name` of `seed`: a random function of both.
pub fn stream(seed: u64, name: &str) -> u64 {
    // FNV-1a, 64 bits.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let [low, high, ..] = block(Key { seed, call: hash }, u64::MAX);
    u64::from(low) | u64::from(high) << 32
}

/// The key of one random call.
pub fn next() -> Key {
    let State { seed, calls } = STATE.get();
    STATE.set(State { seed, calls: calls + 1 });
    Key { seed, call: calls }
}

fn float(dtype: DType) -> Result<()> {
    if !dtype.is_float() {
        bail!(Dtype, "expected a floating point dtype and got {}; use randint for integers", dtype.name());
    }
    Ok(())
}

fn tensor32(values: Vec<f32>, shape: &[usize], dtype: DType) -> Tensor {
    let tensor = from_vec(values, Shape::from(shape), DType::Float32);
    Tensor::new(tensor.value_as(dtype), dtype)
}

fn tensor64(values: Vec<f64>, shape: &[usize], dtype: DType) -> Tensor {
    let tensor = from_vec(values, Shape::from(shape), DType::Float64);
    Tensor::new(tensor.value_as(dtype), dtype)
}

/// Uniform in `[low, high)`, drawn with as many bits as the dtype's fraction has.
pub fn uniform(shape: &[usize], low: f64, high: f64, dtype: DType) -> Result<Tensor> {
    float(dtype)?;
    if !(low <= high && (high - low).is_finite()) {
        bail!(Argument, "expected finite low <= high and got low = {low}, high = {high}");
    }
    let size = room(shape, dtype)?;
    if dtype == DType::Float64 {
        let mut values = vec![0.0; size];
        draw::uniform_f64(next(), &mut values, low, high);
        return Ok(tensor64(values, shape, dtype));
    }
    let end = high as f32;
    // The largest number of the dtype below the end; toward zero is down for a positive end only.
    let (bits, last) = match dtype {
        DType::Float16 => (11, below(f16::from_f32(end).to_bits(), |bits| f16::from_bits(bits).to_f32())),
        DType::BFloat16 => (8, below(bf16::from_f32(end).to_bits(), |bits| bf16::from_bits(bits).to_f32())),
        _ => (24, end.next_down()),
    };
    let mut values = vec![0.0; size];
    draw::uniform(next(), &mut values, low as f32, end, bits, last.max(low as f32));
    Ok(tensor32(values, shape, dtype))
}

/// The number before the one with these bits, in a format of 16.
fn below(bits: u16, value: impl Fn(u16) -> f32) -> f32 {
    match bits {
        0 | 0x8000 => value(0x8001),
        1..0x8000 => value(bits - 1),
        _ => value(bits + 1),
    }
}

/// Normal with the given mean and standard deviation.
pub fn normal(shape: &[usize], mean: f64, std: f64, dtype: DType) -> Result<Tensor> {
    float(dtype)?;
    if std.is_nan() || std < 0.0 {
        bail!(Argument, "std must be 0 or more and is {std}");
    }
    let size = room(shape, dtype)?;
    if dtype == DType::Float64 {
        let mut values = vec![0.0; size];
        draw::normal_f64(next(), &mut values, mean, std);
        return Ok(tensor64(values, shape, dtype));
    }
    let mut values = vec![0.0; size];
    draw::normal(next(), &mut values, mean as f32, std as f32);
    Ok(tensor32(values, shape, dtype))
}

/// 1 with probability `p`, else 0.
pub fn bernoulli(shape: &[usize], p: f64, dtype: DType) -> Result<Tensor> {
    probability(p)?;
    let mut values = vec![0.0; room(shape, dtype)?];
    draw::bernoulli(next(), &mut values, p);
    Ok(tensor32(values, shape, dtype))
}

pub(crate) fn probability(p: f64) -> Result<()> {
    if !(0.0..=1.0).contains(&p) {
        bail!(Argument, "p is a probability in [0, 1] and is {p}");
    }
    Ok(())
}

/// 1 with the probability at the same place of `p`, else 0.
pub fn bernoulli_at(p: &Tensor, dtype: DType) -> Result<Tensor> {
    float(p.dtype())?;
    let mut values = vec![0.0; p.size()];
    draw::each(next(), &mut values, |u| u);
    with_slice(&p.value_as(DType::Float64), |p: &[f64]| {
        if let Some(&p) = p.iter().find(|p| !(0.0..=1.0).contains(*p)) {
            probability(p)?;
        }
        values.iter_mut().zip(p).for_each(|(value, &p)| *value = f64::from(*value < p));
        Ok(())
    })?;
    Ok(tensor64(values, p.shape(), dtype))
}

/// Whole numbers in `[low, high)`.
pub fn randint(shape: &[usize], low: i64, high: i64, dtype: DType) -> Result<Tensor> {
    if low >= high {
        bail!(Argument, "no whole number lies in [{low}, {high})");
    }
    if dtype.kind() != Kind::Float {
        within(low as f64, dtype)?;
        within((high - 1) as f64, dtype)?;
    }
    let mut values = vec![0; room(shape, DType::Int64)?];
    draw::integers(next(), &mut values, low, high.abs_diff(low));
    let tensor = from_vec(values, Shape::from(shape), DType::Int64);
    Ok(Tensor::new(tensor.value_as(dtype), dtype))
}

/// The numbers `0..n` in random order (Fisher and Yates), int64.
pub fn randperm(n: usize) -> Result<Tensor> {
    room(&[n], DType::Int64)?;
    let key = next();
    let mut values: Vec<i64> = (0..n as i64).collect();
    for i in (1..n).rev() {
        values.swap(i, draw::below(key, i as u64, i as u64 + 1) as usize);
    }
    Ok(from_vec(values, Shape::from([n].as_slice()), DType::Int64))
}

/// Distributions that are a function of one uniform number.
#[derive(Debug, Clone, Copy)]
pub enum Law {
    /// With density `rate * exp(-rate x)`.
    Exponential {
        rate: f64,
    },
    Cauchy {
        median: f64,
        sigma: f64,
    },
    /// The number of trials up to the first success.
    Geometric {
        p: f64,
    },
}

impl Law {
    /// A law by its code at the language border.
    pub fn from_code(code: u32, a: f64, b: f64) -> Result<Self> {
        Ok(match code {
            0 if a > 0.0 => Law::Exponential { rate: a },
            0 => bail!(Argument, "rate must be above 0 and is {a}"),
            1 if b > 0.0 => Law::Cauchy { median: a, sigma: b },
            1 => bail!(Argument, "sigma must be above 0 and is {b}"),
            2 if a > 0.0 && a < 1.0 => Law::Geometric { p: a },
            2 => bail!(Argument, "p must lie in (0, 1) and is {a}"),
            _ => bail!(Internal, "no distribution has the code {code}"),
        })
    }
}

/// Independent draws by a law.
pub fn by_law(shape: &[usize], law: Law, dtype: DType) -> Result<Tensor> {
    if !matches!(law, Law::Geometric { .. }) {
        float(dtype)?;
    }
    let mut values = vec![0.0; room(shape, DType::Float64)?];
    match law {
        Law::Exponential { rate } => draw::each(next(), &mut values, |u| -u.ln() / rate),
        Law::Cauchy { median, sigma } => draw::each(next(), &mut values, |u| median + sigma * (std::f64::consts::PI * (u - 0.5)).tan()),
        Law::Geometric { p } => draw::each(next(), &mut values, |u| (u.ln() / (-p).ln_1p()).ceil().max(1.0)),
    }
    Ok(tensor64(values, shape, dtype))
}

/// `count` positions drawn from each row of weights, which need not add up to 1: int64 `[count]` or `[rows, count]`.
pub fn multinomial(weights: &Tensor, count: usize, replacement: bool) -> Result<Tensor> {
    float(weights.dtype())?;
    let (shape, width) = match *weights.shape() {
        [width] => (vec![count], width),
        [rows, width] => (vec![rows, count], width),
        _ => bail!(Shape, "expected weights of one or two dimensions and got shape {}", crate::shape::show(weights.shape())),
    };
    if count == 0 || width == 0 {
        bail!(Argument, "expected 1 or more draws of 1 or more categories and got {count} of {width}");
    }
    if !replacement && count > width {
        bail!(Argument, "{count} draws of {width} categories need {{ replacement: true }}");
    }
    let rows = weights.size() / width;
    let mut drawn = vec![0.0; rows * if replacement { count } else { width }];
    draw::each(next(), &mut drawn, |u| u);
    let mut out = Vec::with_capacity(room(&[rows, count], DType::Int64)?);
    with_slice(&weights.value_as(DType::Float64), |all: &[f64]| {
        for (row, u) in all.chunks(width).zip(drawn.chunks(drawn.len() / rows.max(1))) {
            if let Some(wrong) = row.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
                bail!(Argument, "weights are finite numbers of 0 or more, and one is {wrong}");
            }
            let positive = row.iter().filter(|w| **w > 0.0).count();
            if positive == 0 || (!replacement && positive < count) {
                bail!(Argument, "{count} draws need {} weights above 0, and there are {positive}", if replacement { 1 } else { count });
            }
            if replacement { with_replacement(row, u, &mut out) } else { without_replacement(row, u, count, &mut out) }
        }
        Ok(())
    })?;
    Ok(from_vec(out, Shape::from(shape), DType::Int64))
}

fn with_replacement(row: &[f64], u: &[f64], out: &mut Vec<i64>) {
    let mut total = 0.0;
    let sums: Vec<f64> = row.iter().map(|w| (total += w, total).1).collect();
    // Rounding may reach the total itself: then the first place that does is the last weight above 0.
    let last = sums.partition_point(|&sum| sum < total);
    out.extend(u.iter().map(|u| sums.partition_point(|&sum| sum <= u * total).min(last) as i64));
}

/// The first `count` of a race in which each category arrives after an exponential time of its rate (Efraimidis and Spirakis, 2006).
fn without_replacement(row: &[f64], u: &[f64], count: usize, out: &mut Vec<i64>) {
    let mut times: Vec<(f64, i64)> =
        row.iter().zip(u).zip(0..).filter(|((w, _), _)| **w > 0.0).map(|((w, u), i)| (-u.ln() / w, i)).collect();
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    out.extend(times.iter().take(count).map(|&(_, i)| i));
}

//! Adam with its state in 8 bits.

use firn_kernels::quantised::{BLOCK, Codes, Map, Quantised, SIGNED, UNSIGNED};
use firn_kernels::step::run;

use super::adam::{Adam, Numbers};
use crate::cpu::{self, from_vec};
use crate::create::{full, zeros};
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::optim::elementwise::{average, with_kernels};
use crate::optim::rule::{Part, Rule, Work, like};
use crate::tensor::Tensor;

/// Elements from which a tensor's state is in 8 bits; smaller ones stay in float32.
const SMALLEST: usize = 4096;

/// The map of each state tensor.
fn map(slot: usize) -> &'static Map {
    if slot == 0 { &SIGNED } else { &UNSIGNED }
}

fn is_quantised(param: &Tensor) -> bool {
    param.dtype() == DType::Float32 && param.size() >= SMALLEST
}

fn uses(slot: usize, param: &Tensor) -> bool {
    slot < 2 || is_quantised(param)
}

fn first(slot: usize, param: &Tensor) -> Result<Tensor> {
    match slot {
        0 | 1 if is_quantised(param) => full(param.shape(), f64::from(map(slot).zero()), DType::UInt8),
        0 | 1 => like(param, 0.0),
        _ => zeros(&[param.size().div_ceil(BLOCK)], DType::Float32),
    }
}

/// The state in float32, the numbers' plain form, and the state in 8 bits again.
fn plain(numbers: Numbers, part: Part<'_>) -> Result<Tensor> {
    // Asked of the state: the float32 copy of a half parameter looks like one whose state is in 8 bits.
    if part.state[2].is_none() {
        return numbers.plain(Part { state: &mut part.state[..2], ..part });
    }
    let Part { param, grad, state, step, fresh } = part;
    let [Some(first), Some(second), Some(scale_a), Some(scale_b)] = state else { bail!(Internal, "the state of 8-bit Adam is missing") };
    let pairs = [(first, scale_a), (second, scale_b)];
    let mut wide = Vec::with_capacity(2);
    for (slot, (codes, scales)) in pairs.iter().enumerate() {
        let (codes, scales) = (cpu::contiguous(codes), cpu::contiguous(scales));
        wide.push(Some(from_vec(map(slot).widen(cpu::slice(&codes), cpu::slice(&scales)), param.shape().into(), DType::Float32)));
    }
    let moved = numbers.plain(Part { param: param.clone(), grad, state: &mut wide, step, fresh })?;
    for (slot, ((codes, scales), wide)) in pairs.into_iter().zip(wide).enumerate() {
        let Some(wide) = wide else { continue };
        let (narrow, sizes) = map(slot).narrow(cpu::slice(&cpu::contiguous(&wide)));
        *codes = from_vec(narrow, param.shape().into(), DType::UInt8);
        *scales = from_vec(sizes, [param.size().div_ceil(BLOCK)].into(), DType::Float32);
    }
    Ok(moved)
}

fn fused<'a, R: Rule>(work: Vec<Work<'a, R>>, numbers: impl Fn(&R) -> Numbers) -> Result<Vec<Work<'a, R>>> {
    let (mut quantised, mut wide): (Vec<_>, Vec<_>) = work.into_iter().partition(|work| is_quantised(work.param));
    with_kernels(&mut wide, 2, |work| Ok(numbers(work.rule).kernel(work.step)))?;
    let mut parts: Vec<Quantised<'_, Adam>> = Vec::with_capacity(quantised.len());
    for work in &mut quantised {
        let kernel = numbers(work.rule).kernel(work.step);
        let [Some(a), Some(b), Some(scale_a), Some(scale_b)] = work.state else { bail!(Internal, "the state of 8-bit Adam is missing") };
        parts.push(Quantised {
            kernel,
            incoming: work.incoming,
            param: cpu::slice_mut(work.param.value_mut()),
            grad: cpu::slice(&work.grad),
            state: [(a, scale_a, 0), (b, scale_b, 1)].map(|(codes, scales, slot)| Codes {
                codes: cpu::slice_mut(codes.value_mut()),
                scales: cpu::slice_mut(scales.value_mut()),
                map: map(slot),
            }),
            average: average(work.average, work.average_weight),
        });
    }
    run(parts);
    Ok(Vec::new())
}

macro_rules! adam8bit {
    ($module:ident, $(#[doc = $doc:literal])+ $rule:ident as $name:ident, $decay:literal, $decoupled:literal, $decay_doc:literal) => {
        pub(super) mod $module {
            use super::Numbers;
            use crate::error::Result;
            use crate::optim::options::options;
            use crate::optim::rule::{Part, Rule, Work};
            use crate::tensor::Tensor;

            options! {
                $(#[doc = $doc])+
                rule $rule as $name, slots ["state1", "state2", "absmax1", "absmax2"]
                /// Learning rate.
                lr: f64 = 1e-3, ">= 0";
                /// Decay rates of the means of the gradient and of its square.
                betas: [f64; 2] = [0.9, 0.999], "in [0, 1)";
                /// Added to the denominator.
                eps: f64 = 1e-8, ">= 0";
                #[doc = $decay_doc]
                weight_decay: f64 = $decay, ">= 0";
                /// Ascend instead of descend.
                maximize: bool = false, "";
            }

            impl $rule {
                fn numbers(&self) -> Numbers {
                    let $rule { lr, betas, eps, weight_decay, .. } = *self;
                    Numbers::new(lr, betas, eps, weight_decay, $decoupled, false)
                }
            }

            impl Rule for $rule {
                fn uses(&self, slot: usize, param: &Tensor) -> bool {
                    super::uses(slot, param)
                }

                fn first(&self, slot: usize, param: &Tensor) -> Result<Tensor> {
                    super::first(slot, param)
                }

                fn plain(&self, part: Part<'_>) -> Result<Tensor> {
                    super::plain(self.numbers(), part)
                }

                fn fused(work: Vec<Work<'_, Self>>) -> Result<Vec<Work<'_, Self>>> {
                    super::fused(work, $rule::numbers)
                }
            }
        }
    };
}

adam8bit!(
    adam,
    /// Adam whose state takes a byte a number (Dettmers et al., ICLR 2022), as bitsandbytes' blocks of 256; float32 tensors of fewer than
    /// 4096 elements and those of other dtypes keep theirs in full.
    Adam8bit as adam8bit, 0.0, false, "L2 penalty, added to the gradient."
);
adam8bit!(
    adam_w,
    /// AdamW whose state takes a byte a number (Dettmers et al., ICLR 2022), as bitsandbytes' blocks of 256; float32 tensors of fewer than
    /// 4096 elements and those of other dtypes keep theirs in full.
    AdamW8bit as adam_w8bit, 0.01, true, "Share of the parameter, times `lr`, taken off at each step."
);

//! The fused form of a rule that moves each element by itself: one pass over every parameter of every group.

use firn_kernels::half::Half;
use firn_kernels::real::Real;
use firn_kernels::step::{Average, HalfItem, Item, Kernel, Piece, SLOTS, Sums, run};

use super::rule::{Rule, Work, number, read_number};
use crate::cpu;
use crate::dtype::DType;
use crate::error::Result;
use crate::tensor::Tensor;

pub(crate) trait Elementwise: Rule {
    type Kernel: Kernel;

    /// How many of the last slots hold a number each, in float64.
    const NUMBERS: usize = 0;

    /// The rule at one step of one parameter. `numbers` are read and written; `fresh` says that the state was made just now.
    fn kernel(&self, step: f64, fresh: bool, numbers: &mut [f64]) -> Self::Kernel;
}

/// Steps parameters by a kernel for each.
pub(crate) fn fused<R: Elementwise>(mut work: Vec<Work<'_, R>>) -> Result<Vec<Work<'_, R>>> {
    let tensors = R::SLOTS - R::NUMBERS;
    with_kernels(&mut work, tensors, |work| {
        let numbers = &mut work.state[tensors..];
        let mut values = numbers.iter().map(read_number).collect::<Result<Vec<f64>>>()?;
        let kernel = work.rule.kernel(work.step, work.fresh, &mut values);
        for (slot, value) in numbers.iter_mut().zip(values) {
            *slot = Some(number(value)?);
        }
        Ok(kernel)
    })?;
    Ok(Vec::new())
}

/// Steps parameters by the kernels that `kernel` gives, which see the first `tensors` slots; gives the sums that the kernels took.
pub(crate) fn with_kernels<'a, R: Rule, K: Kernel>(
    work: &mut [Work<'a, R>],
    tensors: usize,
    mut kernel: impl FnMut(&mut Work<'a, R>) -> Result<K>,
) -> Result<Vec<Sums>> {
    let dtypes: Vec<DType> = work.iter().map(|work| work.param.dtype()).collect();
    let (mut single, mut double, mut float16, mut bfloat16) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for work in work {
        let kernel = kernel(work)?;
        match work.param.dtype() {
            DType::Float64 => double.push(item(kernel, work, tensors)),
            DType::Float16 => float16.push(half_item(kernel, work, tensors)),
            DType::BFloat16 => bfloat16.push(half_item(kernel, work, tensors)),
            _ => single.push(item(kernel, work, tensors)),
        }
    }
    let mut single = run::<Item<'_, K, f32>>(single).into_iter();
    let mut double = run::<Item<'_, K, f64>>(double).into_iter();
    let mut float16 = run::<HalfItem<'_, K, half::f16>>(float16).into_iter();
    let mut bfloat16 = run::<HalfItem<'_, K, half::bf16>>(bfloat16).into_iter();
    let sums = dtypes.into_iter().map(|dtype| match dtype {
        DType::Float64 => double.next(),
        DType::Float16 => float16.next(),
        DType::BFloat16 => bfloat16.next(),
        _ => single.next(),
    });
    Ok(sums.map(Option::unwrap_or_default).collect())
}

fn slots<'b, T: Real + burn_std::Element + bytemuck::Pod>(state: &'b mut [Option<Tensor>]) -> [&'b mut [T]; SLOTS] {
    let mut out: [&'b mut [T]; SLOTS] = Default::default();
    for (slice, slot) in out.iter_mut().zip(state) {
        if let Some(tensor) = slot {
            *slice = cpu::slice_mut(tensor.value_mut());
        }
    }
    out
}

pub(crate) fn average<'b, T: Real + burn_std::Element + bytemuck::Pod>(slot: &'b mut Option<Tensor>, weight: f64) -> Average<'b, T> {
    let values = match slot {
        Some(tensor) if weight > 0.0 => cpu::slice_mut(tensor.value_mut()),
        _ => Default::default(),
    };
    Average { values, weight }
}

fn item<'b, R, K: Kernel, T: Real + burn_std::Element + bytemuck::Pod>(
    kernel: K,
    work: &'b mut Work<'_, R>,
    tensors: usize,
) -> Item<'b, K, T> {
    let piece =
        Piece { param: cpu::slice_mut(work.param.value_mut()), grad: cpu::slice(&work.grad), state: slots(&mut work.state[..tensors]) };
    Item { kernel, incoming: work.incoming, piece, average: average(work.average, work.average_weight) }
}

fn half_item<'b, R, K: Kernel, H: Half + burn_std::Element + bytemuck::Pod>(
    kernel: K,
    work: &'b mut Work<'_, R>,
    tensors: usize,
) -> HalfItem<'b, K, H> {
    let master = match work.master {
        Some(master) => cpu::slice_mut(master.value_mut()),
        None => Default::default(),
    };
    HalfItem {
        kernel,
        incoming: work.incoming,
        param: cpu::slice_mut(work.param.value_mut()),
        grad: cpu::slice(&work.grad),
        master,
        state: slots(&mut work.state[..tensors]),
        average: average(work.average, work.average_weight),
    }
}

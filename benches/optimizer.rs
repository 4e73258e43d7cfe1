//! An optimizer's step alone from Rust: fused against plain, from few large parameters to many small ones.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use firn_core::create::full;
use firn_core::optim::{Group, RULES, SHARED_SLOTS, Settings, step};
use firn_core::{DType, Result, Tensor};

/// AdamW's place in `optim::RULES`, and its options in their order (lr, betas, eps, decay, amsgrad, maximize).
const ADAM_W: (u32, &[f64]) = (2, &[1e-3, 0.9, 0.999, 1e-8, 0.01, 0.0, 0.0]);
const SETS: [(&str, usize, usize); 4] =
    [("1 x 16.8 M", 1, 1 << 24), ("3 x 2.1 M", 3, 1 << 21), ("1000 x 1 K", 1000, 1024), ("10 x 64", 10, 64)];
/// Read parameter, gradient and two moments; write parameter and moments.
const BYTES: usize = 28;

fn params(count: usize, size: usize) -> Result<Vec<Tensor>> {
    (0..count)
        .map(|_| {
            let param = full(&[size], 0.5, DType::Float32)?;
            param.set_requires_grad(true)?;
            param.set_grad(Some(full(&[size], 0.1, DType::Float32)?))?;
            Ok(param)
        })
        .collect()
}

fn adam_w(c: &mut Criterion) {
    let (rule, options) = ADAM_W;
    let slots = RULES[rule as usize].slots.len() + SHARED_SLOTS.len();
    for (form, fused, clip_norm) in [("fused", true, 0.0), ("fused + clip", true, 1.0), ("plain", false, 0.0)] {
        let mut group = c.benchmark_group(format!("AdamW {form}"));
        for (name, count, size) in SETS {
            let mut params = match params(count, size) {
                Ok(params) => params,
                Err(error) => panic!("{error}"),
            };
            let mut states = vec![None; count * slots];
            let mut steps = vec![0.0; count];
            let groups = [Group { count, options }];
            let settings = Settings {
                rule,
                groups: &groups,
                grad_scale: 1.0,
                clip_norm,
                norm_type: 2.0,
                clip_value: 0.0,
                check_finite: false,
                average_weight: 0.0,
                fused,
            };
            group.throughput(Throughput::Bytes((count * size * BYTES) as u64));
            group.bench_function(BenchmarkId::from_parameter(name), |b| b.iter(|| step(settings, &mut params, &mut states, &mut steps)));
        }
        group.finish();
    }
}

criterion_group!(benches, adam_w);
criterion_main!(benches);

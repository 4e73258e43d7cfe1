//! An optimizer's step alone from Rust: every rule fused against plain, from few large parameters to many small ones, beside what memory
//! gives. `cargo bench --bench optimizer -- adam_w`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use firn_core::cpu::bandwidth;
use firn_core::create::full;
use firn_core::optim::{Group, RULES, RuleRow, SHARED_SLOTS, Settings, step};
use firn_core::{DType, Result, Tensor};

/// Name, tensors, shape of each.
const SETS: [(&str, usize, &[usize]); 4] =
    [("1 x 16.8 M", 1, &[4096, 4096]), ("3 x 2.1 M", 3, &[2048, 1024]), ("1000 x 1 K", 1000, &[1024]), ("10 x 64", 10, &[64])];
/// Muon moves matrices only, by products that grow with the cube of their sides.
const MATRICES: [(&str, usize, &[usize]); 1] = [("12 x 512 x 512", 12, &[512, 512])];

fn params(count: usize, shape: &[usize]) -> Result<Vec<Tensor>> {
    (0..count)
        .map(|_| {
            let param = full(shape, 0.5, DType::Float32)?;
            param.set_requires_grad(true)?;
            param.set_grad(Some(full(shape, 0.1, DType::Float32)?))?;
            Ok(param)
        })
        .collect()
}

/// The default of an option as Rust writes it: `1e-3`, `[0.9, 0.999]`, `true`, `None`, `Some(1e-3)`.
fn numbers(default: &str) -> impl Iterator<Item = f64> {
    default.trim_start_matches("Some(").trim_matches(['[', ']', ')']).split(',').map(|part| match part.trim() {
        "true" => 1.0,
        "false" => 0.0,
        number => number.parse().unwrap_or(f64::NAN),
    })
}

fn rule(c: &mut Criterion, index: usize, row: &RuleRow) {
    let options: Vec<f64> = row.options.iter().flat_map(|option| numbers(option.default)).collect();
    let slots = row.slots.len() + SHARED_SLOTS.len();
    let mut group = c.benchmark_group(row.name);
    group.sample_size(10);
    let sets: &[_] = if row.name == "muon" { &MATRICES } else { &SETS };
    for (form, fused, clip_norm) in [("fused", true, 0.0), ("fused, clipped by norm", true, 1.0), ("plain", false, 0.0)] {
        for &(name, count, shape) in sets {
            let mut params = match params(count, shape) {
                Ok(params) => params,
                Err(error) => panic!("{error}"),
            };
            let mut states = vec![None; count * slots];
            let mut steps = vec![0.0; count];
            let groups = [Group { count, options: &options }];
            let settings = Settings {
                rule: index as u32,
                groups: &groups,
                grad_scale: 1.0,
                clip_norm,
                norm_type: 2.0,
                clip_value: 0.0,
                check_finite: false,
                average_weight: 0.0,
                fused,
            };
            let mut once = || step(settings, &mut params, &mut states, &mut steps);
            if let Err(error) = once() {
                panic!("{}: {error}", row.name);
            }
            let size: usize = shape.iter().product();
            // A gradient is read; a parameter and its state are read and written.
            let state: usize = states.iter().flatten().map(|tensor| tensor.size() * tensor.dtype().size()).sum();
            group.throughput(Throughput::Bytes((count * size * 12 + 2 * state) as u64));
            group.bench_function(BenchmarkId::new(form, name), |b| b.iter(|| step(settings, &mut params, &mut states, &mut steps)));
        }
    }
    group.finish();
}

fn rules(c: &mut Criterion) {
    println!("triad a = b + s * c over 3 x 67 MB: {:.1} GB/s", bandwidth(12 << 24) / 1e9);
    for (index, row) in RULES.iter().enumerate() {
        rule(c, index, row);
    }
}

criterion_group!(benches, rules);
criterion_main!(benches);

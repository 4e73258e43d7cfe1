//! Ops from Rust: what the tape and the checks add to the engine, and the large kernels.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use firn_core::create::from_bytes;
use firn_core::ops::activation::gelu;
use firn_core::ops::choice::Approximate;
use firn_core::ops::elementwise::{exp, mul};
use firn_core::ops::linalg::matmul;
use firn_core::ops::softmax::softmax;
use firn_core::tape::{Walk, backward};
use firn_core::{DType, Result, Tensor};

/// The sine of the index, as in every bench of the project.
fn wave(shape: &[usize]) -> Result<Tensor> {
    let bytes = (0..shape.iter().product()).flat_map(|i: usize| ((i as f64 * 12.9898).sin() as f32).to_le_bytes()).collect();
    from_bytes(bytes, shape, DType::Float32)
}

fn small(c: &mut Criterion) {
    let mut run = || -> Result<()> {
        let (x, y) = (wave(&[4, 4])?, wave(&[4, 4])?);
        let tracked = wave(&[4, 4])?;
        tracked.set_requires_grad(true)?;
        c.bench_function("mul 4x4", |b| b.iter(|| mul(&(&x).into(), &(&y).into())));
        c.bench_function("mul 4x4, tracked", |b| b.iter(|| mul(&(&tracked).into(), &(&y).into())));
        c.bench_function("mul 4x4 + backward", |b| {
            b.iter(|| -> Result<()> {
                backward(&[(mul(&(&tracked).into(), &(&y).into())?, Some(x.clone()))], Walk::default())?;
                tracked.set_grad(None)
            });
        });
        Ok(())
    };
    report(run());
}

fn large(c: &mut Criterion) {
    let mut run = || -> Result<()> {
        let mut group = c.benchmark_group("matmul");
        for [m, k, n] in [[128, 784, 256], [512, 512, 512], [1024, 128, 512]] {
            let (x, y) = (wave(&[m, k])?, wave(&[k, n])?);
            group.throughput(Throughput::Elements(2 * (m * k * n) as u64));
            group.bench_function(format!("{m}x{k}x{n}"), |b| b.iter(|| matmul(black_box(&x), &y)));
        }
        group.finish();

        let x = wave(&[1024, 128])?;
        let mut group = c.benchmark_group("131 k elements");
        group.throughput(Throughput::Bytes(2 * 4 * x.size() as u64));
        group.bench_function("exp", |b| b.iter(|| exp(black_box(&x))));
        group.bench_function("gelu", |b| b.iter(|| gelu(black_box(&x), Approximate::None)));
        group.bench_function("softmax", |b| b.iter(|| softmax(black_box(&x), -1)));
        group.finish();
        Ok(())
    };
    report(run());
}

fn report(result: Result<()>) {
    if let Err(error) = result {
        panic!("{error}");
    }
}

criterion_group!(benches, small, large);
criterion_main!(benches);

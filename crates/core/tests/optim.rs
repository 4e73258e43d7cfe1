//! Every rule's fused form against its plain one, over sizes that split and sizes that do not, in both precisions.

use firn_core::optim::{RULES, Settings, step};
use firn_core::{DType, Result, Tensor, cpu, random};

fn close(a: &Tensor, b: &Tensor) -> bool {
    let read = |x: &Tensor| -> Vec<f64> {
        cpu::bytes(x, |bytes| match x.dtype() {
            DType::Float64 => bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap_or_default())).collect(),
            _ => bytes.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap_or_default()))).collect(),
        })
    };
    let tolerance = if a.dtype() == DType::Float64 { 1e-13 } else { 2e-6 };
    read(a).iter().zip(read(b)).all(|(a, b)| (a - b).abs() <= tolerance * (1.0 + b.abs()))
}

/// Parameters after some steps with gradients that depend on the step only; the last parameter has none at odd steps.
fn train(settings: Settings<'_>, slots: usize, dtype: DType) -> Result<Vec<Tensor>> {
    random::seed(3);
    let shapes: [&[usize]; 5] = [&[7], &[3, 5], &[100_001], &[0], &[4]];
    let mut params = shapes.iter().map(|shape| random::normal(shape, 0.0, 1.0, dtype)).collect::<Result<Vec<_>>>()?;
    let mut state = vec![None; params.len() * slots];
    let mut steps = vec![0.0; params.len()];
    for at in 0..6 {
        for (i, param) in params.iter().enumerate() {
            param.set_requires_grad(true)?;
            let grad = random::normal(param.shape(), 0.0, 1.0, dtype)?;
            param.set_grad((i != 4 || at % 2 == 0).then_some(grad))?;
        }
        step(settings, &mut params, &mut state, &mut steps)?;
    }
    assert_eq!(steps, [6.0, 6.0, 6.0, 6.0, 3.0]);
    Ok(params)
}

#[test]
fn fused_equals_plain() -> Result<()> {
    let cases: [(u32, &[f64]); 6] = [
        (0, &[0.1, 0.0, 0.0, 0.01, 0.0, 0.0]),
        (0, &[0.1, 0.9, 0.0, 0.01, 1.0, 0.0]),
        (0, &[0.1, 0.9, 0.3, 0.0, 0.0, 1.0]),
        (1, &[0.01, 0.9, 0.999, 1e-8, 0.01, 0.0, 0.0]),
        (1, &[0.01, 0.9, 0.999, 1e-8, 0.1, 1.0, 0.0]),
        (1, &[0.01, 0.8, 0.99, 1e-6, 0.0, 0.0, 1.0]),
    ];
    for (rule, options) in cases {
        for dtype in [DType::Float32, DType::Float64] {
            for (grad_scale, clip_norm, clip_value) in [(1.0, 0.0, 0.0), (0.25, 1.0, 0.0), (1.0, 0.0, 0.5)] {
                let settings = Settings { rule, options, grad_scale, clip_norm, clip_value, fused: true };
                let slots = RULES[rule as usize].slots.len();
                let fused = train(settings, slots, dtype)?;
                let plain = train(Settings { fused: false, ..settings }, slots, dtype)?;
                for (a, b) in fused.iter().zip(&plain) {
                    assert!(close(a, b), "{} {options:?} {dtype:?} {:?}", RULES[rule as usize].name, a.shape());
                }
            }
        }
    }
    Ok(())
}

#[test]
fn a_step_is_the_same_however_it_is_split() -> Result<()> {
    let options = [0.01, 0.9, 0.999, 1e-8, 0.01, 0.0, 0.0];
    let settings = Settings { rule: 1, options: &options, grad_scale: 1.0, clip_norm: 1.0, clip_value: 0.0, fused: true };
    let first = train(settings, 3, DType::Float32)?;
    let second = train(settings, 3, DType::Float32)?;
    for (a, b) in first.iter().zip(&second) {
        assert_eq!(cpu::bytes(a, <[u8]>::to_vec), cpu::bytes(b, <[u8]>::to_vec));
    }
    Ok(())
}

#[test]
fn a_parameter_without_gradient_keeps_still() -> Result<()> {
    let options = [0.1, 0.0, 0.0, 0.5, 0.0, 0.0];
    let settings = Settings { rule: 0, options: &options, grad_scale: 1.0, clip_norm: 0.0, clip_value: 0.0, fused: true };
    let mut params = vec![random::normal(&[3], 0.0, 1.0, DType::Float32)?];
    let before = cpu::bytes(&params[0], <[u8]>::to_vec);
    let (mut state, mut steps) = (vec![None], vec![0.0]);
    step(settings, &mut params, &mut state, &mut steps)?;
    assert_eq!((cpu::bytes(&params[0], <[u8]>::to_vec), steps), (before, vec![0.0]));
    Ok(())
}

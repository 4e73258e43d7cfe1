//! Every rule's fused form against its plain one, over sizes that split and sizes that do not, in all precisions.

use firn_core::optim::{Group, RULES, SHARED_SLOTS, Settings, step};
use firn_core::{DType, Result, Tensor, cpu, random};

/// A rule's number and slots, shared ones included, by its name.
fn rule(name: &str) -> (u32, usize) {
    match RULES.iter().position(|row| row.name == name) {
        Some(at) => (at as u32, RULES[at].slots.len() + SHARED_SLOTS.len()),
        None => panic!("no rule {name}"),
    }
}

fn settings<'a>(rule: u32, groups: &'a [Group<'a>]) -> Settings<'a> {
    Settings {
        rule,
        groups,
        grad_scale: 1.0,
        clip_norm: 0.0,
        norm_type: 2.0,
        clip_value: 0.0,
        check_finite: false,
        average_weight: 0.0,
        fused: true,
    }
}

fn close(a: &Tensor, b: &Tensor) -> bool {
    let read = |x: &Tensor| -> Vec<f64> {
        cpu::bytes(x, |bytes| match x.dtype() {
            DType::Float64 => bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap_or_default())).collect(),
            DType::BFloat16 => {
                let wide = |b: &[u8]| f64::from(f32::from_bits(u32::from(u16::from_le_bytes(b.try_into().unwrap_or_default())) << 16));
                bytes.chunks_exact(2).map(wide).collect()
            }
            _ => bytes.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap_or_default()))).collect(),
        })
    };
    let tolerance = match a.dtype() {
        DType::Float64 => 1e-12,
        DType::BFloat16 => 8e-3,
        _ => 5e-6,
    };
    read(a).iter().zip(read(b)).all(|(a, b)| (a - b).abs() <= tolerance * (1.0 + b.abs()))
}

const SHAPES: [&[usize]; 8] = [&[7], &[3, 5], &[33_001], &[0], &[6, 4, 3, 3], &[9, 5, 1, 1], &[4], &[3, 70, 31]];
const MATRICES: [&[usize]; 5] = [&[3, 5], &[130, 70], &[0, 3], &[70, 130], &[1, 1]];

/// Parameters after some steps with gradients that depend on the step only; the second to last parameter has none at odd steps.
fn train(settings: Settings<'_>, shapes: &[&[usize]], slots: usize, dtype: DType) -> Result<Vec<Tensor>> {
    random::seed(3);
    let mut params = shapes.iter().map(|shape| random::normal(shape, 0.0, 1.0, dtype)).collect::<Result<Vec<_>>>()?;
    let mut state = vec![None; params.len() * slots];
    let mut steps = vec![0.0; params.len()];
    for at in 0..6 {
        for (i, param) in params.iter().enumerate() {
            param.set_requires_grad(true)?;
            let grad = random::normal(param.shape(), 0.0, 1.0, dtype)?;
            param.set_grad((i != shapes.len() - 2 || at % 2 == 0).then_some(grad))?;
        }
        assert!(step(settings, &mut params, &mut state, &mut steps)?.finite);
    }
    for (i, steps) in steps.into_iter().enumerate() {
        assert_eq!(steps, if i == shapes.len() - 2 { 3.0 } else { 6.0 });
    }
    Ok(params)
}

/// Options of each rule that reach all of its branches.
const CASES: &[(&str, &[f64])] = &[
    ("sgd", &[0.1, 0.0, 0.0, 0.01, 0.0, 0.0]),
    ("sgd", &[0.1, 0.9, 0.0, 0.01, 1.0, 0.0]),
    ("sgd", &[0.1, 0.9, 0.3, 0.0, 0.0, 1.0]),
    ("adam", &[0.01, 0.9, 0.999, 1e-8, 0.01, 0.0, 0.0]),
    ("adam_w", &[0.01, 0.9, 0.999, 1e-8, 0.1, 1.0, 0.0]),
    ("adam_w", &[0.01, 0.8, 0.99, 1e-6, 0.0, 0.0, 1.0]),
    ("n_adam", &[0.01, 0.9, 0.999, 1e-8, 0.1, 4e-3, 0.0, 0.0]),
    ("n_adam", &[0.01, 0.9, 0.999, 1e-8, 0.1, 4e-3, 1.0, 1.0]),
    ("r_adam", &[0.01, 0.9, 0.5, 1e-8, 0.1, 0.0, 0.0]),
    ("r_adam", &[0.01, 0.9, 0.999, 1e-8, 0.1, 1.0, 1.0]),
    ("adamax", &[0.01, 0.9, 0.999, 1e-8, 0.1, 0.0]),
    ("adagrad", &[0.01, 0.1, 0.1, 0.5, 1e-10, 0.0]),
    ("adadelta", &[1.0, 0.9, 1e-6, 0.1, 0.0]),
    ("rms_prop", &[0.01, 0.99, 1e-8, 0.1, 0.0, 0.0, 0.0]),
    ("rms_prop", &[0.01, 0.9, 1e-3, 0.0, 0.9, 0.0, 0.0]),
    ("rms_prop", &[0.01, 0.9, 1e-3, 0.0, 0.0, 1.0, 1.0]),
    ("rms_prop", &[0.01, 0.9, 1e-3, 0.1, 0.9, 1.0, 0.0]),
    ("r_prop", &[0.01, 0.5, 1.2, 1e-6, 50.0, 0.0]),
    ("asgd", &[0.01, 1e-4, 0.75, 2.0, 0.1, 0.0]),
    ("lion", &[0.01, 0.9, 0.99, 0.1, 0.0]),
    ("lars", &[1.0, 0.9, 0.0, 0.1, 1.0, 0.1, 1e-8, 0.0, 0.0, 0.0]),
    ("lars", &[0.1, 0.0, 0.0, 0.0, 0.0, 0.1, 1e-8, 1.0, 1.0, 1.0]),
    ("lamb", &[0.01, 0.9, 0.999, 1e-6, 0.1, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]),
    ("lamb", &[0.01, 0.9, 0.999, 1e-6, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]),
    ("adafactor", &[0.01, -0.8, f64::NAN, 1e-3, 1.0, 0.1, 0.0]),
    ("schedule_free_adam_w", &[0.01, 0.9, 0.999, 1e-8, 0.1, 3.0, 0.5, 2.0, 0.0]),
    ("adam8bit", &[0.01, 0.9, 0.999, 1e-8, 0.1, 0.0]),
    ("adam_w8bit", &[0.01, 0.9, 0.999, 1e-8, 0.1, 1.0]),
    ("muon", &[0.01, 0.1, 0.95, 1.0, 3.4445, -4.775, 2.0315, 5.0, 1e-7, 0.0, 0.0]),
    ("muon", &[0.01, 0.1, 0.5, 0.0, 3.4445, -4.775, 2.0315, 3.0, 1e-7, 1.0, 1.0]),
];

#[test]
fn every_rule_is_compared() {
    for row in RULES {
        assert!(CASES.iter().any(|(name, _)| *name == row.name), "{} is in no case", row.name);
    }
}

#[test]
fn fused_equals_plain() -> Result<()> {
    for &(name, options) in CASES {
        let (rule, slots) = rule(name);
        let shapes: &[&[usize]] = if name == "muon" { &MATRICES } else { &SHAPES };
        let half = shapes.len() / 2;
        // Two groups with the same options must be one with them.
        let groups = [Group { count: half, options }, Group { count: shapes.len() - half, options }];
        for dtype in [DType::Float32, DType::Float64, DType::BFloat16] {
            for (grad_scale, clip_norm, clip_value) in [(1.0, 0.0, 0.0), (0.25, 1.0, 0.0), (1.0, 0.0, 0.5)] {
                let settings = Settings { grad_scale, clip_norm, clip_value, ..settings(rule, &groups) };
                let fused = train(settings, shapes, slots, dtype)?;
                let plain = train(Settings { fused: false, ..settings }, shapes, slots, dtype)?;
                for (a, b) in fused.iter().zip(&plain) {
                    assert!(close(a, b), "{name} {options:?} {dtype:?} {:?}, clip {clip_norm} {clip_value}", a.shape());
                }
            }
        }
    }
    Ok(())
}

#[test]
fn a_step_is_the_same_however_it_is_split() -> Result<()> {
    let (rule, slots) = rule("adam_w");
    let groups = [Group { count: SHAPES.len(), options: &[0.01, 0.9, 0.999, 1e-8, 0.01, 0.0, 0.0] }];
    let settings = Settings { clip_norm: 1.0, ..settings(rule, &groups) };
    let first = train(settings, &SHAPES, slots, DType::Float32)?;
    let second = train(settings, &SHAPES, slots, DType::Float32)?;
    for (a, b) in first.iter().zip(&second) {
        assert_eq!(cpu::bytes(a, <[u8]>::to_vec), cpu::bytes(b, <[u8]>::to_vec));
    }
    Ok(())
}

#[test]
fn a_parameter_without_gradient_keeps_still() -> Result<()> {
    let (rule, slots) = rule("sgd");
    let groups = [Group { count: 1, options: &[0.1, 0.0, 0.0, 0.5, 0.0, 0.0] }];
    let mut params = vec![random::normal(&[3], 0.0, 1.0, DType::Float32)?];
    let before = cpu::bytes(&params[0], <[u8]>::to_vec);
    let (mut state, mut steps) = (vec![None; slots], vec![0.0]);
    step(settings(rule, &groups), &mut params, &mut state, &mut steps)?;
    assert_eq!((cpu::bytes(&params[0], <[u8]>::to_vec), steps), (before, vec![0.0]));
    Ok(())
}

#[test]
fn a_gradient_that_is_not_finite_stops_the_step() -> Result<()> {
    let (rule, slots) = rule("adam_w");
    let groups = [Group { count: 2, options: &[0.01, 0.9, 0.999, 1e-8, 0.01, 0.0, 0.0] }];
    for (value, finite) in [(f64::INFINITY, false), (f64::NAN, false), (1e30, true)] {
        let mut params = vec![random::normal(&[3], 0.0, 1.0, DType::Float32)?, random::normal(&[4], 0.0, 1.0, DType::Float32)?];
        for (param, value) in params.iter().zip([1.0, value]) {
            param.set_requires_grad(true)?;
            param.set_grad(Some(firn_core::create::full(param.shape(), value, DType::Float32)?))?;
        }
        let before = cpu::bytes(&params[0], <[u8]>::to_vec);
        let (mut state, mut steps) = (vec![None; 2 * slots], vec![0.0; 2]);
        let outcome = step(Settings { check_finite: true, ..settings(rule, &groups) }, &mut params, &mut state, &mut steps)?;
        assert_eq!(outcome.finite, finite, "{value}");
        let untouched = cpu::bytes(&params[0], <[u8]>::to_vec) == before && steps == [0.0, 0.0] && state.iter().all(Option::is_none);
        assert_eq!(untouched, !finite, "{value}");
    }
    Ok(())
}

#[test]
fn an_average_begins_as_a_copy_and_follows() -> Result<()> {
    for dtype in [DType::Float32, DType::BFloat16] {
        for fused in [true, false] {
            let (rule, slots) = rule("sgd");
            let groups = [Group { count: 1, options: &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0] }];
            let mut params = vec![firn_core::create::full(&[5000], 8.0, dtype)?];
            let (mut state, mut steps) = (vec![None; slots], vec![0.0]);
            for _ in 0..3 {
                params[0].set_requires_grad(true)?;
                params[0].set_grad(Some(firn_core::create::full(&[5000], 1.0, dtype)?))?;
                step(Settings { average_weight: 0.5, fused, ..settings(rule, &groups) }, &mut params, &mut state, &mut steps)?;
            }
            // 7, then halfway to 6, then halfway to 5.
            let average = state[slots - 1].clone().unwrap();
            let expected = firn_core::create::full(&[5000], 5.75, DType::Float32)?;
            assert!(close(&average, &expected), "{dtype:?} {fused}");
        }
    }
    Ok(())
}

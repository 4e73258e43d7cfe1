//! The tape: second passes, gradients of gradients, sharing, freeing.

use firn_core::ops::activation::{elu, gelu_exact, gelu_tanh, leaky_relu, mish, relu, sigmoid, silu, softplus};
use firn_core::ops::elementwise::{erf, exp, mul, tanh};
use firn_core::ops::reduce::sum;
use firn_core::tape::{Walk, backward, grad, with_enabled};
use firn_core::tensor::live;
use firn_core::{Code, DType, Result, Tensor, cpu, create};

fn leaf(values: &[f64]) -> Result<Tensor> {
    let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let x = create::from_bytes(bytes, &[values.len()], DType::Float64)?;
    x.set_requires_grad(true)?;
    Ok(x)
}

fn numbers(x: &Tensor) -> Vec<f64> {
    cpu::bytes(x, |bytes| bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap_or_default())).collect())
}

fn total(x: &Tensor) -> Result<Tensor> {
    sum(x, &[], false)
}

fn pass(root: &Tensor, gradient: Option<&Tensor>, walk: Walk) -> Result<()> {
    backward(&[(root.clone(), gradient.cloned())], walk)
}

const RETAIN: Walk = Walk { retain_graph: true, create_graph: false };
const CREATE: Walk = Walk { retain_graph: false, create_graph: true };

#[test]
fn gradients_add_up_over_uses_and_passes() -> Result<()> {
    let x = leaf(&[2.0, 3.0])?;
    let y = total(&(&x * &x + &x))?;
    pass(&y, None, RETAIN)?;
    assert_eq!(x.grad().map(|g| numbers(&g)), Some(vec![5.0, 7.0]));
    pass(&y, None, Walk::default())?;
    assert_eq!(x.grad().map(|g| numbers(&g)), Some(vec![10.0, 14.0]));
    Ok(())
}

#[test]
fn a_second_pass_needs_the_graph() -> Result<()> {
    let x = leaf(&[1.0])?;
    let y = total(&exp(&x)?)?;
    pass(&y, None, Walk::default())?;
    let error = pass(&y, None, Walk::default()).err();
    assert_eq!(error.as_ref().map(|e| e.code), Some(Code::Autograd));
    assert!(error.is_some_and(|e| e.message.contains("retainGraph")));
    Ok(())
}

#[test]
fn gradients_of_gradients_to_the_third_order() -> Result<()> {
    // x^4: 4x^3, 12x^2, 24x.
    let x = leaf(&[1.5])?;
    let square = &x * &x;
    let mut y = total(&(&square * &square))?;
    for expected in [13.5, 27.0, 36.0] {
        let found = grad(&[(y, None)], std::slice::from_ref(&x), CREATE)?;
        let Some(Some(g)) = found.into_iter().next() else { panic!("x reaches y") };
        assert_eq!(numbers(&g), [expected]);
        y = total(&g)?;
    }
    assert!(x.grad().is_none(), "grad leaves .grad alone");
    Ok(())
}

#[test]
fn an_output_seen_by_its_own_rule_is_on_the_tape() -> Result<()> {
    // tanh'' = -2 y (1 - y^2), which needs y inside the rule to carry its own gradient.
    let x = leaf(&[0.5])?;
    let g = grad(&[(total(&tanh(&x)?)?, None)], std::slice::from_ref(&x), CREATE)?;
    let Some(Some(g)) = g.into_iter().next() else { panic!("x reaches y") };
    let gg = grad(&[(total(&g)?, None)], std::slice::from_ref(&x), Walk::default())?;
    let y = 0.5_f64.tanh();
    let second = gg.into_iter().flatten().map(|g| numbers(&g)[0]).next().unwrap_or(f64::NAN);
    assert!((second + 2.0 * y * (1.0 - y * y)).abs() < 1e-12);
    Ok(())
}

#[test]
fn writing_a_leaf_leaves_what_the_tape_saved() -> Result<()> {
    let mut x = leaf(&[3.0])?;
    let y = total(&mul(&(&x).into(), &(&x).into())?)?;
    let value = create::full(&[1], 100.0, DType::Float64)?;
    assert!(x.assign(&value).is_err_and(|error| error.message.contains("noGrad")), "recording, a write to a leaf is refused");
    with_enabled(false, || x.assign(&value))?;
    pass(&y, None, Walk::default())?;
    assert_eq!(x.grad().map(|g| numbers(&g)), Some(vec![6.0]));
    assert_eq!(numbers(&x), [100.0]);
    Ok(())
}

#[test]
fn nothing_is_recorded_while_off() -> Result<()> {
    let x = leaf(&[1.0])?;
    let y = with_enabled(false, || exp(&x))?;
    assert!(!y.requires_grad());
    let panicked = std::panic::catch_unwind(|| with_enabled(false, || panic!("on purpose")));
    assert!(panicked.is_err() && firn_core::tape::is_enabled(), "an unwinding block restores the mode");
    Ok(())
}

#[test]
fn a_long_chain_is_freed_without_overflowing_the_stack() -> Result<()> {
    let before = live();
    let x = leaf(&[0.0])?;
    let mut y = x.clone();
    for _ in 0..300_000 {
        y = &y + &x;
    }
    drop((x, y));
    assert_eq!(live(), before);
    Ok(())
}

#[test]
fn backward_frees_as_it_walks() -> Result<()> {
    let x = leaf(&[1.0; 64])?;
    let before = live().0;
    let mut y = x.clone();
    for _ in 0..50 {
        y = tanh(&y)?;
    }
    let loss = total(&y)?;
    drop(y);
    pass(&loss, None, Walk::default())?;
    // Left: the loss and the gradient of x.
    assert_eq!(live().0, before + 2);
    Ok(())
}

#[test]
fn a_failed_pass_leaves_the_tape_usable() -> Result<()> {
    let x = leaf(&[1.0, 2.0])?;
    let wrong = create::zeros(&[3], DType::Float64)?;
    assert!(pass(&exp(&x)?, Some(&wrong), Walk::default()).is_err());
    assert!(pass(&exp(&x)?, None, Walk::default()).is_err(), "two elements need a gradient");
    pass(&total(&x)?, None, Walk::default())?;
    assert_eq!(x.grad().map(|g| numbers(&g)), Some(vec![1.0, 1.0]));
    Ok(())
}

/// Kernels that a plain pass takes say what the ops of a recorded one say.
#[test]
fn a_gradient_is_the_same_whether_its_pass_is_recorded() -> Result<()> {
    type Function = fn(&Tensor) -> Result<Tensor>;
    let functions: [(&str, Function); 11] = [
        ("relu", relu),
        ("leaky_relu", |x| leaky_relu(x, 0.1)),
        ("elu", |x| elu(x, 0.7)),
        ("sigmoid", sigmoid),
        ("tanh", tanh),
        ("softplus", softplus),
        ("silu", silu),
        ("mish", mish),
        ("gelu", gelu_exact),
        ("gelu_tanh", gelu_tanh),
        ("erf", erf),
    ];
    let values: Vec<f64> = (-60..=60).map(|i| f64::from(i) * 0.37).collect();
    for (name, f) in functions {
        let gradients = |walk: Walk| -> Result<Vec<f64>> {
            let x = leaf(&values)?;
            let y = f(&x)?;
            pass(&total(&(&y * &y))?, None, walk)?;
            Ok(x.grad().map(|g| numbers(&g)).unwrap_or_default())
        };
        let (plain, recorded) = (gradients(Walk::default())?, gradients(CREATE)?);
        assert_eq!(plain.len(), values.len());
        for ((x, a), b) in values.iter().zip(plain).zip(recorded) {
            assert!((a - b).abs() <= 1e-12 * (1.0 + b.abs()), "{name} at {x}: {a} and {b}");
        }
    }
    Ok(())
}

//! Whole parts, fractions and what a division leaves.

use firn_kernels::functions;

use super::compare::{eq, where_};
use super::elementwise::{floor, round, sign};
use super::pair::{floats, no_zero_divisor, promoted, zip};
use super::{Discrete, Operand, Promoted, Quotient, ops};
use crate::create::zeros_like;
use crate::dtype::Kind;
use crate::error::{Result, bail};
use crate::tensor::Tensor;

/// Remainder with the sign of the divisor, as Python's `%`.
fn python_remainder(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
}

/// How often a divisor goes into the dividend, as whole numbers that any gradient passes by.
fn times(a: &Operand, b: &Operand, f: fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    let (a, b) = floats(a, b)?;
    Ok(f(&(a.detach() / &b.detach()))?.detach())
}

ops! {
    /// Rounds towards 0; its gradient is 0.
    #[example("tensor([1.7, -1.7]).trunc() // [1, -1]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    fn trunc(x: &Tensor) -> Tensor { if x.dtype().is_float() { x.map(functions::trunc) } else { Ok(x.clone()) } }
    grad(g) { x: zeros_like(g)? }

    /// What `trunc` takes off, with the sign of x.
    #[example("tensor([1.75, -1.25]).frac() // [0.75, -0.25]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    fn frac(x: &Tensor) -> Tensor {
        if !x.dtype().is_float() {
            bail!(Dtype, "a tensor of dtype {} has no fractions", x.dtype().name());
        }
        Ok(x - &trunc(x)?)
    }

    /// Rounds to so many decimals, halves to even; a negative number rounds to tens and so on. Its gradient is 0.
    #[example("tensor([1.234, 5.678]).roundDecimals(1) // [1.2, 5.7]", "tensor([1234]).roundDecimals(-2) // [1200]")]
    #[face(method)]
    #[check(cases)]
    #[torch("round")]
    fn round_decimals(x: &Tensor, decimals: isize) -> Tensor {
        if !x.dtype().is_float() {
            bail!(Dtype, "a tensor of dtype {} has no decimals", x.dtype().name());
        }
        let scale = 10_f64.powi(decimals.unsigned_abs() as i32);
        if decimals >= 0 { Ok(round(&(x * scale))? / scale) } else { Ok(round(&(x / scale))? * scale) }
    }
    grad(g) { x: zeros_like(g)? }

    /// `a - b * floor(a / b)`: has the sign of `b`, as Python's `%`, with broadcasting. Throws when an integer is divided by 0.
    #[example("tensor([5, -5]).remainder(3) // [2, 1]")]
    #[face(method, free)]
    #[check(binary, 0.5, 2.0)]
    fn remainder(a: &Operand, b: &Operand) -> Promoted {
        no_zero_divisor(a, b)?;
        zip(a, b, python_remainder, |a, b| { let rest = a.wrapping_rem(b); if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest } })
    }
    grad(g; a, b) { a: g.clone(), b: -(g * &times(a, b, floor)?) }

    /// `a - b * trunc(a / b)`: has the sign of `a`, as C's `fmod`, with broadcasting. Throws when an integer is divided by 0.
    #[example("tensor([5, -5]).fmod(3) // [2, -2]")]
    #[face(method, free)]
    #[check(binary, 0.5, 2.0)]
    fn fmod(a: &Operand, b: &Operand) -> Promoted {
        no_zero_divisor(a, b)?;
        zip(a, b, |a, b| a % b, i64::wrapping_rem)
    }
    grad(g; a, b) { a: g.clone(), b: -(g * &times(a, b, trunc)?) }

    /// `floor(a / b)`, of the dtype both promote to, with broadcasting; its gradient is 0. Throws when an integer is divided by 0.
    #[example("tensor([7, -7]).floorDivide(2) // [3, -4]")]
    #[face(method, free)]
    #[check(binary, 0.5, 2.0)]
    fn floor_divide(a: &Operand, b: &Operand) -> Discrete {
        no_zero_divisor(a, b)?;
        let float = |a: f64, b: f64| {
            // From the remainder, which is exact, as CPython and PyTorch do; the quotient alone may round up to a whole number.
            if b == 0.0 {
                return a / b;
            }
            let rest = a % b;
            let quotient = (a - rest) / b - if rest != 0.0 && (rest < 0.0) != (b < 0.0) { 1.0 } else { 0.0 };
            let whole = quotient.floor();
            if quotient - whole > 0.5 { whole + 1.0 } else { whole }
        };
        zip(a, b, float, |a, b| a.wrapping_div_euclid(b) - i64::from(b < 0 && a.wrapping_rem_euclid(b) != 0))
    }

    /// The magnitude of `a` with the sign of `b`, with broadcasting.
    #[example("tensor([1, -2]).copySign(tensor([-1, 1])) // [-1, 2]")]
    #[face(method, free)]
    #[check(binary, 0.5, 2.0)]
    #[torch("copysign")]
    fn copy_sign(a: &Operand, b: &Operand) -> Quotient {
        let (a, b) = floats(a, b)?;
        super::pair::zip_floats(&a, &b, f64::copysign)
    }
    grad(g, y; a, b) {
        a: {
            let (a, _) = floats(a, b)?;
            let zero = eq(&(&a).into(), &0.0.into())?;
            let turn = y / &where_(&zero, &1.0.into(), &(&a).into())?;
            where_(&zero, &0.0.into(), &(g * &sign(&turn)?).into())?
        },
        b: zeros_like(g)?,
    }

    /// 0 where `x` is negative or NaN, 1 where positive, the element of `values` where 0, with broadcasting.
    #[example("tensor([-1, 0, 2]).heaviside(tensor([0.5])) // [0, 0.5, 1]")]
    #[face(method)]
    #[check(cases)]
    fn heaviside(x: &Tensor, values: &Tensor) -> Discrete {
        if x.dtype() != values.dtype() {
            bail!(Dtype, "x is {} and values {}; both must have one dtype", x.dtype().name(), values.dtype().name());
        }
        zip(
            &x.into(),
            &values.into(),
            |x, value| if x == 0.0 { value } else if x > 0.0 { 1.0 } else { 0.0 },
            |x, value| if x == 0 { value } else { i64::from(x > 0) },
        )
    }

    /// Greatest common divisor, 0 or more, with broadcasting; integers only.
    #[example("tensor([12, 0], { dtype: 'int64' }).gcd(tensor([18, 5], { dtype: 'int64' })) // [6, 5]")]
    #[face(method)]
    #[check(cases)]
    fn gcd(a: &Operand, b: &Operand) -> Discrete { integers(a, b, divisor) }

    /// Least common multiple, 0 or more, with broadcasting; integers only.
    #[example("tensor([4, 3], { dtype: 'int64' }).lcm(tensor([6, 0], { dtype: 'int64' })) // [12, 0]")]
    #[face(method)]
    #[check(cases)]
    fn lcm(a: &Operand, b: &Operand) -> Discrete {
        integers(a, b, |a, b| if a == 0 || b == 0 { 0 } else { (a / divisor(a, b)).wrapping_mul(b).wrapping_abs() })
    }
}

fn divisor(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a.wrapping_abs(), b.wrapping_abs());
    while b != 0 {
        (a, b) = (b, a.wrapping_rem(b));
    }
    a
}

fn integers(a: &Operand, b: &Operand, f: fn(i64, i64) -> i64) -> Result<Tensor> {
    let (a, b) = promoted(a, b)?;
    if a.dtype().kind() != Kind::Int {
        bail!(Dtype, "expected integers and got {}; convert with .to('int64')", a.dtype().name());
    }
    super::pair::zip_ints(&a, &b, f)
}

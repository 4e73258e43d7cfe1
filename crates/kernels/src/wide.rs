//! Functions of one element that are computed in float64, one at a time, on all cores: exact to the last bit of float32, and rarely the
//! hot spot of anything.

use rayon::prelude::*;

use crate::map::{Floats, Made, map};
use crate::special;

/// `f` of each element, on all cores.
fn each(x: Floats<'_>, f: impl Fn(f64) -> f64 + Copy + Sync) -> Made {
    match x {
        Floats::F32(x) => Made::F32(map(x, move |x| f(f64::from(x)) as f32)),
        Floats::F64(x) => Made::F64(map(x, f)),
    }
}

macro_rules! wide {
    ($($name:ident = $f:expr;)+) => { $(
        pub fn $name(x: Floats<'_>) -> Made {
            each(x, $f)
        }
    )+ };
}

wide! {
    sinh = f64::sinh;
    cosh = f64::cosh;
    asin = f64::asin;
    acos = f64::acos;
    atan = f64::atan;
    asinh = f64::asinh;
    acosh = f64::acosh;
    atanh = f64::atanh;
    erfc = libm::erfc;
    lgamma = libm::lgamma;
    erfinv = special::erfinv;
    digamma = special::digamma;
    sinc = |x: f64| if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) };
    i0 = special::i0;
    i1 = special::i1;
}

/// The derivative of order `n` of `digamma`, n from 1.
pub fn polygamma(x: Floats<'_>, n: u32) -> Made {
    each(x, move |x| special::polygamma(n, x))
}

/// `f` of each pair of elements.
pub fn zip(a: Floats<'_>, b: Floats<'_>, f: fn(f64, f64) -> f64) -> Made {
    match (a, b) {
        (Floats::F32(a), Floats::F32(b)) => Made::F32(pairs(a, b, |a, b| f(f64::from(a), f64::from(b)) as f32)),
        (Floats::F64(a), Floats::F64(b)) => Made::F64(pairs(a, b, f)),
        _ => unreachable!("both operands were brought to one dtype"),
    }
}

/// `f` of each pair of elements, on all cores.
#[inline]
pub fn pairs<T: Copy + Sync, O: Send>(a: &[T], b: &[T], f: impl Fn(T, T) -> O + Sync) -> Vec<O> {
    assert!(a.len() == b.len());
    a.par_iter().zip(b).with_min_len(1 << 14).map(|(&a, &b)| f(a, b)).collect()
}

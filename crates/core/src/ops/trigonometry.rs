//! The tangent, hyperbolic functions, and the inverses of both kinds.

use firn_kernels::{functions, wide};

use super::compare::{eq, where_};
use super::elementwise::{cos, rsqrt, sin, square};
use super::pair::{floats, zip_floats};
use super::{Floating, Operand, Quotient, ops};
use crate::tensor::Tensor;

ops! {
    /// Tangent of an angle in radians.
    #[example("tensor([0, Math.PI / 4]).tan() // [0, 1]")]
    #[face(method)]
    #[check(unary, -1.0, 1.0)]
    #[autocast(full)]
    fn tan(x: &Tensor) -> Floating { x.map(functions::tan) }
    grad(g, y) { x: g * (y * y + 1.0) }

    /// Hyperbolic sine.
    #[example("tensor([0, 1]).sinh() // [0, 1.175201]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    #[autocast(full)]
    fn sinh(x: &Tensor) -> Floating { x.map(wide::sinh) }
    grad(g; x) { x: g * &cosh(x)? }

    /// Hyperbolic cosine.
    #[example("tensor([0, 1]).cosh() // [1, 1.543081]")]
    #[face(method)]
    #[check(unary, -2.0, 2.0)]
    #[autocast(full)]
    fn cosh(x: &Tensor) -> Floating { x.map(wide::cosh) }
    grad(g; x) { x: g * &sinh(x)? }

    /// Inverse sine, in radians; NaN outside `[-1, 1]`.
    #[example("tensor([0, 1]).asin() // [0, 1.570796]")]
    #[face(method)]
    #[check(unary, -0.9, 0.9)]
    #[autocast(full)]
    fn asin(x: &Tensor) -> Floating { x.map(wide::asin) }
    grad(g; x) { x: g * &rsqrt(&(1.0 - square(x)?))? }

    /// Inverse cosine, in radians; NaN outside `[-1, 1]`.
    #[example("tensor([1, 0]).acos() // [0, 1.570796]")]
    #[face(method)]
    #[check(unary, -0.9, 0.9)]
    #[autocast(full)]
    fn acos(x: &Tensor) -> Floating { x.map(wide::acos) }
    grad(g; x) { x: -(g * &rsqrt(&(1.0 - square(x)?))?) }

    /// Inverse tangent, in radians.
    #[example("tensor([0, 1]).atan() // [0, 0.785398]")]
    #[face(method)]
    #[check(unary, -3.0, 3.0)]
    fn atan(x: &Tensor) -> Floating { x.map(wide::atan) }
    grad(g; x) { x: g / (square(x)? + 1.0) }

    /// Inverse hyperbolic sine.
    #[example("tensor([0, 1]).asinh() // [0, 0.881374]")]
    #[face(method)]
    #[check(unary, -3.0, 3.0)]
    fn asinh(x: &Tensor) -> Floating { x.map(wide::asinh) }
    grad(g; x) { x: g * &rsqrt(&(square(x)? + 1.0))? }

    /// Inverse hyperbolic cosine; NaN below 1.
    #[example("tensor([1, 2]).acosh() // [0, 1.316958]")]
    #[face(method)]
    #[check(unary, 1.2, 4.0)]
    fn acosh(x: &Tensor) -> Floating { x.map(wide::acosh) }
    grad(g; x) { x: g * &rsqrt(&(square(x)? - 1.0))? }

    /// Inverse hyperbolic tangent; NaN outside `[-1, 1]`.
    #[example("tensor([0, 0.5]).atanh() // [0, 0.549306]")]
    #[face(method)]
    #[check(unary, -0.9, 0.9)]
    fn atanh(x: &Tensor) -> Floating { x.map(wide::atanh) }
    grad(g; x) { x: g / (1.0 - square(x)?) }

    /// `sin(pi x) / (pi x)`, 1 at 0.
    #[example("tensor([0, 0.5]).sinc() // [1, 0.636620]")]
    #[face(method)]
    #[check(unary, 0.3, 3.0)]
    fn sinc(x: &Tensor) -> Floating { x.map(wide::sinc) }
    grad(g; x) {
        x: {
            let angle = x * std::f64::consts::PI;
            let slope = (cos(&angle)? * &angle - sin(&angle)?) / &(&angle * x);
            where_(&eq(&x.into(), &0.0.into())?, &0.0.into(), &(g * slope).into())?
        }
    }

    /// The angle of the point `(b, a)`, in radians, in `[-pi, pi]`, with broadcasting.
    #[example("tensor([1, -1]).atan2(tensor([1, -1])) // [0.785398, -2.356194]")]
    #[face(method, free)]
    #[check(binary, 0.5, 2.0)]
    #[autocast(widest)]
    fn atan2(a: &Operand, b: &Operand) -> Quotient {
        let (a, b) = floats(a, b)?;
        zip_floats(&a, &b, f64::atan2)
    }
    grad(g; a, b) {
        a: { let (a, b) = floats(a, b)?; g * &b / (square(&a)? + square(&b)?) },
        b: { let (a, b) = floats(a, b)?; -(g * &a) / (square(&a)? + square(&b)?) },
    }

    /// `sqrt(a^2 + b^2)` without overflow, with broadcasting.
    #[example("tensor([3, 5]).hypot(tensor([4, 12])) // [5, 13]")]
    #[face(method, free)]
    #[check(binary, 0.5, 2.0)]
    fn hypot(a: &Operand, b: &Operand) -> Quotient {
        let (a, b) = floats(a, b)?;
        zip_floats(&a, &b, f64::hypot)
    }
    grad(g, y; a, b) {
        a: { let (a, _) = floats(a, b)?; g * &(a / y) },
        b: { let (_, b) = floats(a, b)?; g * &(b / y) },
    }

    /// An angle in degrees as radians.
    #[example("tensor([180, 90]).deg2rad() // [3.141593, 1.570796]")]
    #[face(method)]
    #[check(unary, -180.0, 180.0)]
    fn deg2rad(x: &Tensor) -> Floating { x.map(|x| functions::scale(x, std::f64::consts::PI / 180.0)) }
    grad(g) { x: deg2rad(g)? }

    /// An angle in radians as degrees.
    #[example("tensor([Math.PI]).rad2deg() // [180]")]
    #[face(method)]
    #[check(unary, -3.0, 3.0)]
    fn rad2deg(x: &Tensor) -> Floating { x.map(|x| functions::scale(x, 180.0 / std::f64::consts::PI)) }
    grad(g) { x: rad2deg(g)? }
}

//! `Math`: elementary functions of the element types, f32 by arithmetic that vectorises and f64 by the platform's library.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::approx;
use crate::real::Real;

pub trait Math: Real {
    fn exp(self) -> Self;
    fn exp2(self) -> Self;
    fn expm1(self) -> Self;
    fn log(self) -> Self;
    fn log2(self) -> Self;
    fn log10(self) -> Self;
    fn log1p(self) -> Self;
    fn tanh(self) -> Self;
    fn erf(self) -> Self;
    fn sin(self) -> Self;
    fn cos(self) -> Self;
    fn tan(self) -> Self;
    fn pow(self, power: Self) -> Self;
    /// `(1 + erf(x / sqrt(2))) / 2`
    fn normal_cdf(self) -> Self;
    fn floor(self) -> Self;
    fn ceil(self) -> Self;
    fn trunc(self) -> Self;
    /// Halves go to the even neighbour.
    fn round_even(self) -> Self;
    /// The magnitude of this with the sign of another.
    fn copysign(self, sign: Self) -> Self;
    /// By the platform's library, one element at a time: for arguments that the quick form cannot take.
    fn sin_far(self) -> Self;
    fn cos_far(self) -> Self;
    fn tan_far(self) -> Self;
    /// Whether the quick sine, cosine and tangent cannot take this.
    fn is_far_angle(self) -> bool;

    /// `1 / (1 + e^-x)`, accurate on both sides.
    #[inline(always)]
    fn sigmoid(self) -> Self {
        let one = Self::of(1.0);
        let e = (-self.abs()).exp();
        // NaN is not below 0 and comes out of the quotient.
        let above = if self < Self::of(0.0) { e } else { one };
        above / (one + e)
    }

    /// `log(1 + e^x)`, in a form that does not overflow.
    #[inline(always)]
    fn softplus(self) -> Self {
        let zero = Self::of(0.0);
        let above = if self < zero { zero } else { self };
        above + (-self.abs()).exp().log1p()
    }

    /// `tanh(log(1 + e^x))`, which is `e (e + 2) / (e (e + 2) + 2)` for `e = e^x`.
    #[inline(always)]
    fn tanh_softplus(self) -> Self {
        let (far, two) = (Self::of(20.0), Self::of(2.0));
        let e = (if self > far { far } else { self }).exp();
        let n = e * (e + two);
        n / (n + two)
    }

    /// The density of the normal distribution.
    #[inline(always)]
    fn normal_density(self) -> Self {
        (self * self * Self::of(-0.5)).exp() * Self::of(0.398_942_280_401_432_7)
    }
}

macro_rules! single {
    ($t:ty, $fuse:literal, $wrap:expr) => {
        impl Math for $t {
            #[inline(always)]
            fn exp(self) -> Self {
                $wrap(approx::exp::<$fuse>(f32::from(self)))
            }
            #[inline(always)]
            fn exp2(self) -> Self {
                $wrap(approx::exp2::<$fuse>(f32::from(self)))
            }
            #[inline(always)]
            fn expm1(self) -> Self {
                $wrap(approx::expm1::<$fuse>(f32::from(self)))
            }
            #[inline(always)]
            fn log(self) -> Self {
                $wrap(approx::log::<$fuse>(f32::from(self)))
            }
            #[inline(always)]
            fn log2(self) -> Self {
                $wrap(approx::log2::<$fuse>(f32::from(self)))
            }
            #[inline(always)]
            fn log10(self) -> Self {
                $wrap(approx::log10::<$fuse>(f32::from(self)))
            }
            #[inline(always)]
            fn log1p(self) -> Self {
                $wrap(approx::log1p::<$fuse>(f32::from(self)))
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                $wrap(approx::tanh::<$fuse>(f32::from(self)))
            }
            #[inline(always)]
            fn erf(self) -> Self {
                $wrap(approx::erf::<$fuse>(f32::from(self)))
            }
            #[inline(always)]
            fn sin(self) -> Self {
                $wrap(approx::sin::<$fuse>(f32::from(self)))
            }
            #[inline(always)]
            fn cos(self) -> Self {
                $wrap(approx::cos::<$fuse>(f32::from(self)))
            }
            #[inline(always)]
            fn tan(self) -> Self {
                $wrap(approx::tan::<$fuse>(f32::from(self)))
            }
            #[inline(always)]
            fn pow(self, power: Self) -> Self {
                $wrap(approx::pow::<$fuse>(f32::from(self), f32::from(power)))
            }
            #[inline(always)]
            fn normal_cdf(self) -> Self {
                $wrap(approx::normal_cdf::<$fuse>(f32::from(self)))
            }
            #[inline(always)]
            fn floor(self) -> Self {
                $wrap(approx::floor(f32::from(self)))
            }
            #[inline(always)]
            fn ceil(self) -> Self {
                $wrap(approx::ceil(f32::from(self)))
            }
            #[inline(always)]
            fn trunc(self) -> Self {
                $wrap(approx::trunc(f32::from(self)))
            }
            #[inline(always)]
            fn round_even(self) -> Self {
                $wrap(approx::round_even(f32::from(self)))
            }
            #[inline(always)]
            fn sin_far(self) -> Self {
                $wrap(f32::from(self).sin())
            }
            #[inline(always)]
            fn cos_far(self) -> Self {
                $wrap(f32::from(self).cos())
            }
            #[inline(always)]
            fn tan_far(self) -> Self {
                $wrap(f32::from(self).tan())
            }
            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                $wrap(f32::from(self).copysign(sign.into()))
            }
            #[inline(always)]
            fn is_far_angle(self) -> bool {
                !(f32::from(self).abs() < approx::TRIG_LIMIT)
            }
        }
    };
}

single!(f32, false, std::convert::identity);
single!(Fused, true, Fused);

/// An f32 whose elementary functions use fused multiply-add, for code compiled for a machine that has it.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub struct Fused(pub f32);

impl From<Fused> for f32 {
    #[inline(always)]
    fn from(x: Fused) -> f32 {
        x.0
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident;)+) => { $(
        impl $trait for Fused {
            type Output = Fused;
            #[inline(always)]
            fn $method(self, other: Fused) -> Fused {
                Fused($trait::$method(self.0, other.0))
            }
        }
    )+ };
}

operators! {
    Add add;
    Sub sub;
    Mul mul;
    Div div;
}

impl Neg for Fused {
    type Output = Fused;
    #[inline(always)]
    fn neg(self) -> Fused {
        Fused(-self.0)
    }
}

impl Real for Fused {
    #[inline(always)]
    fn of(x: f64) -> Fused {
        Fused(x as f32)
    }
    #[inline(always)]
    fn f64(self) -> f64 {
        self.0.into()
    }
    #[inline(always)]
    fn sqrt(self) -> Fused {
        Fused(self.0.sqrt())
    }
    #[inline(always)]
    fn max(self, other: Fused) -> Fused {
        Fused(self.0.max(other.0))
    }
    #[inline(always)]
    fn min(self, other: Fused) -> Fused {
        Fused(self.0.min(other.0))
    }
    #[inline(always)]
    fn abs(self) -> Fused {
        Fused(self.0.abs())
    }
    #[inline(always)]
    fn is_nan(self) -> bool {
        self.0.is_nan()
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        self.0.is_finite()
    }
}

impl Math for f64 {
    #[inline(always)]
    fn exp(self) -> f64 {
        self.exp()
    }
    #[inline(always)]
    fn exp2(self) -> f64 {
        self.exp2()
    }
    #[inline(always)]
    fn expm1(self) -> f64 {
        self.exp_m1()
    }
    #[inline(always)]
    fn log(self) -> f64 {
        self.ln()
    }
    #[inline(always)]
    fn log2(self) -> f64 {
        self.log2()
    }
    #[inline(always)]
    fn log10(self) -> f64 {
        self.log10()
    }
    #[inline(always)]
    fn log1p(self) -> f64 {
        self.ln_1p()
    }
    #[inline(always)]
    fn tanh(self) -> f64 {
        self.tanh()
    }
    #[inline(always)]
    fn erf(self) -> f64 {
        libm::erf(self)
    }
    #[inline(always)]
    fn sin(self) -> f64 {
        self.sin()
    }
    #[inline(always)]
    fn cos(self) -> f64 {
        self.cos()
    }
    #[inline(always)]
    fn tan(self) -> f64 {
        self.tan()
    }
    #[inline(always)]
    fn pow(self, power: f64) -> f64 {
        self.powf(power)
    }
    #[inline(always)]
    fn normal_cdf(self) -> f64 {
        0.5 * libm::erfc(-self * std::f64::consts::FRAC_1_SQRT_2)
    }
    #[inline(always)]
    fn is_far_angle(self) -> bool {
        false
    }
    #[inline(always)]
    fn floor(self) -> f64 {
        self.floor()
    }
    #[inline(always)]
    fn ceil(self) -> f64 {
        self.ceil()
    }
    #[inline(always)]
    fn trunc(self) -> f64 {
        self.trunc()
    }
    #[inline(always)]
    fn round_even(self) -> f64 {
        self.round_ties_even()
    }
    #[inline(always)]
    fn sin_far(self) -> f64 {
        self.sin()
    }
    #[inline(always)]
    fn cos_far(self) -> f64 {
        self.cos()
    }
    #[inline(always)]
    fn tan_far(self) -> f64 {
        self.tan()
    }
    #[inline(always)]
    fn copysign(self, sign: f64) -> f64 {
        self.copysign(sign)
    }
}

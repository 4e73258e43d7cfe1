//! `Math`: elementary functions of the element types, f32 by arithmetic that vectorises and f64 by the platform's library.

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

    /// The density of the normal distribution.
    #[inline(always)]
    fn normal_density(self) -> Self {
        (self * self * Self::of(-0.5)).exp() * Self::of(0.398_942_280_401_432_7)
    }
}

/// What both types take from the standard library.
macro_rules! standard {
    ($t:ty) => {
        #[inline(always)]
        fn floor(self) -> $t {
            self.floor()
        }
        #[inline(always)]
        fn ceil(self) -> $t {
            self.ceil()
        }
        #[inline(always)]
        fn trunc(self) -> $t {
            self.trunc()
        }
        #[inline(always)]
        fn round_even(self) -> $t {
            self.round_ties_even()
        }
        #[inline(always)]
        fn copysign(self, sign: $t) -> $t {
            self.copysign(sign)
        }
        #[inline(always)]
        fn sin_far(self) -> $t {
            self.sin()
        }
        #[inline(always)]
        fn cos_far(self) -> $t {
            self.cos()
        }
        #[inline(always)]
        fn tan_far(self) -> $t {
            self.tan()
        }
    };
}

impl Math for f32 {
    #[inline(always)]
    fn exp(self) -> f32 {
        approx::exp(self)
    }
    #[inline(always)]
    fn exp2(self) -> f32 {
        approx::exp2(self)
    }
    #[inline(always)]
    fn expm1(self) -> f32 {
        approx::expm1(self)
    }
    #[inline(always)]
    fn log(self) -> f32 {
        approx::log(self)
    }
    #[inline(always)]
    fn log2(self) -> f32 {
        approx::log2(self)
    }
    #[inline(always)]
    fn log10(self) -> f32 {
        approx::log10(self)
    }
    #[inline(always)]
    fn log1p(self) -> f32 {
        approx::log1p(self)
    }
    #[inline(always)]
    fn tanh(self) -> f32 {
        approx::tanh(self)
    }
    #[inline(always)]
    fn erf(self) -> f32 {
        approx::erf(self)
    }
    #[inline(always)]
    fn sin(self) -> f32 {
        approx::sin(self)
    }
    #[inline(always)]
    fn cos(self) -> f32 {
        approx::cos(self)
    }
    #[inline(always)]
    fn tan(self) -> f32 {
        approx::tan(self)
    }
    #[inline(always)]
    fn normal_cdf(self) -> f32 {
        approx::normal_cdf(self)
    }
    #[inline(always)]
    fn is_far_angle(self) -> bool {
        !(self.abs() < approx::TRIG_LIMIT)
    }
    standard!(f32);
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
    fn normal_cdf(self) -> f64 {
        0.5 * libm::erfc(-self * std::f64::consts::FRAC_1_SQRT_2)
    }
    #[inline(always)]
    fn is_far_angle(self) -> bool {
        false
    }
    standard!(f64);
}

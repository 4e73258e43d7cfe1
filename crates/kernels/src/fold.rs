//! What reductions make of their elements: sums, powers, extremes.

use std::marker::PhantomData;

use crate::real::Real;
use crate::zip::{larger, smaller};

/// What a reduction does with its elements.
pub trait Fold: Copy + Sync {
    type Element: Copy + Sync;
    type Lane: Copy;
    type Total: Copy + Send + Sync;
    type Out: Copy + Default + Send;
    fn lane(self) -> Self::Lane;
    fn take(self, lane: Self::Lane, x: Self::Element) -> Self::Lane;
    fn merge(self, a: Self::Lane, b: Self::Lane) -> Self::Lane;
    fn total(self) -> Self::Total;
    fn add(self, total: Self::Total, lane: Self::Lane) -> Self::Total;
    fn join(self, a: Self::Total, b: Self::Total) -> Self::Total;
    fn finish(self, total: Self::Total) -> Self::Out;
}

/// The sum of floating point numbers, in f64 from block to block; the result is an `O`.
#[derive(Clone, Copy)]
pub struct Sum<T, O = T>(PhantomData<(T, O)>);

/// The sum of `|x - about|^P`, for a `P` of 1 or 2.
#[derive(Clone, Copy)]
pub struct Powers<T, O, const P: usize>(T, PhantomData<O>);

/// The sum of integers, which wraps around.
#[derive(Clone, Copy)]
pub struct Count;

/// The largest and the smallest element; NaN wins.
#[derive(Clone, Copy)]
pub struct Largest<T>(T);
#[derive(Clone, Copy)]
pub struct Smallest<T>(T);

impl<T: Real, O: Real> Sum<T, O> {
    #[allow(clippy::new_without_default)] // It is a choice, not a value.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: Real, O: Real, const P: usize> Powers<T, O, P> {
    pub fn about(about: T) -> Self {
        Self(about, PhantomData)
    }
}

macro_rules! total {
    ($name:ty, [$($bound:tt)*], |$fold:ident, $x:ident| $part:expr) => {
        impl<T: Real + Default, O: Real + Default, $($bound)*> Fold for $name {
            type Element = T;
            type Lane = T;
            type Total = f64;
            type Out = O;
            #[inline(always)]
            fn lane(self) -> T {
                T::of(0.0)
            }
            #[inline(always)]
            fn take(self, lane: T, $x: T) -> T {
                let $fold = self;
                lane + $part
            }
            #[inline(always)]
            fn merge(self, a: T, b: T) -> T {
                a + b
            }
            #[inline(always)]
            fn total(self) -> f64 {
                0.0
            }
            #[inline(always)]
            fn add(self, total: f64, lane: T) -> f64 {
                total + lane.f64()
            }
            #[inline(always)]
            fn join(self, a: f64, b: f64) -> f64 {
                a + b
            }
            #[inline(always)]
            fn finish(self, total: f64) -> O {
                O::of(total)
            }
        }
    };
}

total!(Sum<T, O>, [], |_fold, x| x);
total!(Powers<T, O, P>, [const P: usize], |fold, x| if P == 1 { (x - fold.0).abs() } else { (x - fold.0) * (x - fold.0) });

macro_rules! plain {
    ($name:ty, [$($bound:tt)*], $t:ty, $start:expr, $join:expr) => {
        impl $($bound)* Fold for $name {
            type Element = $t;
            type Lane = $t;
            type Total = $t;
            type Out = $t;
            #[inline(always)]
            fn lane(self) -> $t {
                $start(self)
            }
            #[inline(always)]
            fn take(self, lane: $t, x: $t) -> $t {
                $join(lane, x)
            }
            #[inline(always)]
            fn merge(self, a: $t, b: $t) -> $t {
                $join(a, b)
            }
            #[inline(always)]
            fn total(self) -> $t {
                $start(self)
            }
            #[inline(always)]
            fn add(self, total: $t, lane: $t) -> $t {
                $join(total, lane)
            }
            #[inline(always)]
            fn join(self, a: $t, b: $t) -> $t {
                $join(a, b)
            }
            #[inline(always)]
            fn finish(self, total: $t) -> $t {
                total
            }
        }
    };
}

plain!(Count, [], i64, |_| 0, i64::wrapping_add);
plain!(Largest<T>, [<T: Copy + Default + PartialOrd + Send + Sync>], T, |fold: Largest<T>| fold.0, larger);
plain!(Smallest<T>, [<T: Copy + Default + PartialOrd + Send + Sync>], T, |fold: Smallest<T>| fold.0, smaller);

/// The largest of elements that are `least` or more.
#[inline]
pub fn largest<T>(least: T) -> Largest<T> {
    Largest(least)
}

/// The smallest of elements that are `greatest` or less.
#[inline]
pub fn smallest<T>(greatest: T) -> Smallest<T> {
    Smallest(greatest)
}

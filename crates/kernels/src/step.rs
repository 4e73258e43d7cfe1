//! One optimizer step over many tensors: what a rule gets to see, and how the work is split.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::parallel::{for_each, pieces, simd};

/// Element types a fused step handles in their own precision.
pub trait Real:
    Copy
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + 'static
{
    fn of(x: f64) -> Self;
    fn f64(self) -> f64;
    fn sqrt(self) -> Self;
    fn max(self, other: Self) -> Self;
    fn abs(self) -> Self;
    fn is_nan(self) -> bool;
}

macro_rules! real {
    ($($t:ty),+) => { $(
        impl Real for $t {
            #[inline(always)]
            fn of(x: f64) -> $t { x as $t }
            #[inline(always)]
            fn f64(self) -> f64 { f64::from(self) }
            #[inline(always)]
            fn sqrt(self) -> $t { self.sqrt() }
            #[inline(always)]
            fn max(self, other: $t) -> $t { self.max(other) }
            #[inline(always)]
            fn abs(self) -> $t { self.abs() }
            #[inline(always)]
            fn is_nan(self) -> bool { self.is_nan() }
        }
    )+ };
}

real!(f32, f64);

/// A parameter, or a piece of one, with its gradient and its state.
pub struct Item<'a, T> {
    pub param: &'a mut [T],
    pub grad: &'a [T],
    /// State tensors in the order of the rule's slots; empty where the rule does not use a slot.
    pub state: [&'a mut [T]; 3],
    /// Steps this parameter has taken, with this one.
    pub step: f64,
    /// Whether the state was made just now.
    pub fresh: bool,
}

/// What happens to a gradient before the rule sees it.
#[derive(Debug, Clone, Copy)]
pub struct Incoming {
    /// Accumulation, loss scale and clipping by norm in one factor, negative to maximize.
    pub scale: f64,
    /// Bound of each element after scaling; infinite when off.
    pub bound: f64,
}

impl Incoming {
    pub fn is_bounded(self) -> bool {
        self.bound.is_finite()
    }

    /// The gradient a rule sees, `BOUNDED` or not. NaN passes, so that a broken gradient is noticed.
    #[inline(always)]
    pub fn take<T: Real, const BOUNDED: bool>(self, grad: T) -> T {
        let (scaled, bound) = (grad * T::of(self.scale), T::of(self.bound));
        if !BOUNDED {
            return scaled;
        }
        let scaled = if scaled > bound { bound } else { scaled };
        if scaled < -bound { -bound } else { scaled }
    }
}

impl<'a, T> Item<'a, T> {
    fn split(self, at: usize) -> (Self, Self) {
        let (param, param_rest) = self.param.split_at_mut(at);
        let (grad, grad_rest) = self.grad.split_at(at);
        let cut = |slice: &'a mut [T]| if slice.is_empty() { (slice, Default::default()) } else { slice.split_at_mut(at) };
        let [a, b, c] = self.state;
        let ((a, a_rest), (b, b_rest), (c, c_rest)) = (cut(a), cut(b), cut(c));
        let (step, fresh) = (self.step, self.fresh);
        (
            Item { param, grad, state: [a, b, c], step, fresh },
            Item { param: param_rest, grad: grad_rest, state: [a_rest, b_rest, c_rest], step, fresh },
        )
    }
}

/// Applies `update` (marked `#[inline(always)]`) to every item, cut into pieces of about equal size and spread over the cores.
pub fn run<T: Real>(items: Vec<Item<'_, T>>, update: impl Fn(Item<'_, T>) + Sync + Send) {
    let lengths: Vec<usize> = items.iter().map(|item| item.param.len()).collect();
    let total = lengths.iter().sum();
    let mut rest = items.into_iter();
    let mut current: Option<Item<'_, T>> = None;
    let mut work = Vec::with_capacity(lengths.len());
    for (index, start, end) in pieces(&lengths) {
        let item = match current.take() {
            Some(item) => item,
            // Empty tensors have no piece of their own.
            None => match rest.by_ref().find(|item| !item.param.is_empty()) {
                Some(item) => item,
                None => break,
            },
        };
        if end == lengths[index] {
            work.push(item);
        } else {
            let (piece, later) = item.split(end - start);
            work.push(piece);
            current = Some(later);
        }
    }
    for_each(work, total, |item| {
        simd(
            #[inline(always)]
            || update(item),
        )
    });
}

//! One optimizer step over many tensors: what a rule gets to see, and how the work is split.

use crate::half::Half;
use crate::parallel::{for_each, pieces, simd};
use crate::real::Real;

/// State tensors of a parameter that a kernel can see, at most.
pub const SLOTS: usize = 3;

/// Elements that go through a kernel together where something is done to them before or after: few enough to stay in the first cache.
const BLOCK: usize = 1024;

/// A rule for one parameter at one step, with every scalar worked out beforehand, in f64.
pub trait Kernel: Copy + Send + Sync {
    /// Updates one piece in one pass. `take` makes of a gradient what the rule sees. To be marked `#[inline(always)]`.
    fn update<T: Real>(&self, piece: Piece<'_, T>, take: impl Fn(T) -> T);
}

/// A run of elements of a parameter, its gradient and its state; a slot the rule does not use is empty.
pub struct Piece<'a, T> {
    pub param: &'a mut [T],
    pub grad: &'a [T],
    pub state: [&'a mut [T]; SLOTS],
}

impl<'a, T> Piece<'a, T> {
    #[inline(always)]
    fn split(self, at: usize) -> (Self, Self) {
        let (param, param_rest) = self.param.split_at_mut(at);
        let (grad, grad_rest) = self.grad.split_at(at.min(self.grad.len()));
        let [a, b, c] = self.state;
        let ((a, a_rest), (b, b_rest), (c, c_rest)) = (cut(a, at), cut(b, at), cut(c, at));
        (Piece { param, grad, state: [a, b, c] }, Piece { param: param_rest, grad: grad_rest, state: [a_rest, b_rest, c_rest] })
    }

    #[inline(always)]
    fn reborrow(&mut self) -> Piece<'_, T> {
        let [a, b, c] = &mut self.state;
        Piece { param: self.param, grad: self.grad, state: [a, b, c] }
    }
}

/// Splits a slice that may be empty because it is not used.
#[inline(always)]
fn cut<T>(slice: &mut [T], at: usize) -> (&mut [T], &mut [T]) {
    slice.split_at_mut(at.min(slice.len()))
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
    /// A gradient as the rule sees it. NaN passes the bound, so that a broken gradient is noticed.
    #[inline(always)]
    pub fn take<T: Real>(self, grad: T) -> T {
        let (scaled, bound) = (grad * T::of(self.scale), T::of(self.bound));
        let scaled = if scaled > bound { bound } else { scaled };
        if scaled < -bound { -bound } else { scaled }
    }

    /// Runs a kernel on a piece.
    #[inline(always)]
    pub(crate) fn apply<T: Real, K: Kernel>(self, kernel: K, piece: Piece<'_, T>) {
        let scale = T::of(self.scale);
        if self.bound.is_finite() {
            kernel.update(
                piece,
                #[inline(always)]
                |grad| self.take(grad),
            );
        } else {
            kernel.update(
                piece,
                #[inline(always)]
                |grad| grad * scale,
            );
        }
    }
}

/// A running average of a parameter; empty when there is none.
pub struct Average<'a, T> {
    pub values: &'a mut [T],
    /// The new value's share.
    pub weight: f64,
}

impl<'a, T: Real> Average<'a, T> {
    #[inline(always)]
    pub(crate) fn split(self, at: usize) -> (Self, Self) {
        let Average { values, weight } = self;
        let (values, rest) = cut(values, at);
        (Average { values, weight }, Average { values: rest, weight })
    }

    #[inline(always)]
    pub(crate) fn follow(self, param: &[T]) {
        let weight = T::of(self.weight);
        for (average, &p) in self.values.iter_mut().zip(param) {
            *average = *average + weight * (p - *average);
        }
    }
}

/// A parameter in one of the forms that it is stored in, or a piece of one.
pub trait Part: Sized + Send {
    fn size(&self) -> usize;
    /// `at` is a multiple of `parallel::CUT`.
    fn split(self, at: usize) -> (Self, Self);
    /// To be marked `#[inline(always)]`.
    fn update(self);
}

/// A parameter with its gradient and its state, all of one type.
pub struct Item<'a, K, T> {
    pub kernel: K,
    pub incoming: Incoming,
    pub piece: Piece<'a, T>,
    pub average: Average<'a, T>,
}

impl<K: Kernel, T: Real> Part for Item<'_, K, T> {
    fn size(&self) -> usize {
        self.piece.param.len()
    }

    fn split(self, at: usize) -> (Self, Self) {
        let Item { kernel, incoming, piece, average } = self;
        let ((piece, piece_rest), (average, average_rest)) = (piece.split(at), average.split(at));
        (Item { kernel, incoming, piece, average }, Item { kernel, incoming, piece: piece_rest, average: average_rest })
    }

    #[inline(always)]
    fn update(self) {
        let Item { kernel, incoming, piece: mut rest, mut average } = self;
        if average.values.is_empty() {
            return incoming.apply(kernel, rest);
        }
        while !rest.param.is_empty() {
            let at = rest.param.len().min(BLOCK);
            let (mut piece, later) = rest.split(at);
            let (here, there) = average.split(at);
            incoming.apply(kernel, piece.reborrow());
            here.follow(piece.param);
            (rest, average) = (later, there);
        }
    }
}

/// A parameter of a half type with a float32 copy that the rule works on.
pub struct HalfItem<'a, K, H> {
    pub kernel: K,
    pub incoming: Incoming,
    pub param: &'a mut [H],
    pub grad: &'a [H],
    pub master: &'a mut [f32],
    pub state: [&'a mut [f32]; SLOTS],
    pub average: Average<'a, f32>,
}

impl<K: Kernel, H: Half> Part for HalfItem<'_, K, H> {
    fn size(&self) -> usize {
        self.param.len()
    }

    fn split(self, at: usize) -> (Self, Self) {
        let HalfItem { kernel, incoming, param, grad, master, state: [a, b, c], average } = self;
        let ((param, p), (grad, g), (master, m)) = (param.split_at_mut(at), grad.split_at(at), master.split_at_mut(at));
        let ((a, x), (b, y), (c, z), (average, rest)) = (cut(a, at), cut(b, at), cut(c, at), average.split(at));
        (
            HalfItem { kernel, incoming, param, grad, master, state: [a, b, c], average },
            HalfItem { kernel, incoming, param: p, grad: g, master: m, state: [x, y, z], average: rest },
        )
    }

    #[inline(always)]
    fn update(self) {
        let HalfItem { kernel, incoming, param, grad, master, state, mut average } = self;
        let mut wide = [0.0; BLOCK];
        let mut rest = Piece { param: master, grad: &[], state };
        for (param, grad) in param.chunks_mut(BLOCK).zip(grad.chunks(BLOCK)) {
            let at = param.len();
            H::widen(grad, &mut wide[..at]);
            let (mut piece, later) = rest.split(at);
            piece.grad = &wide[..at];
            incoming.apply(kernel, piece.reborrow());
            H::narrow(piece.param, param);
            let (here, there) = average.split(at);
            here.follow(piece.param);
            (rest, average) = (later, there);
        }
    }
}

/// Updates all parts, cut into pieces of about equal size and spread over the cores.
#[inline]
pub fn run<P: Part>(parts: Vec<P>) {
    let lengths: Vec<usize> = parts.iter().map(Part::size).collect();
    let total = lengths.iter().sum();
    let mut rest = parts.into_iter();
    let mut current: Option<P> = None;
    let mut work = Vec::with_capacity(lengths.len());
    for (index, start, end) in pieces(&lengths) {
        let part = match current.take() {
            Some(part) => part,
            // Empty tensors have no piece of their own.
            None => match rest.by_ref().find(|part| part.size() > 0) {
                Some(part) => part,
                None => break,
            },
        };
        if end == lengths[index] {
            work.push(part);
        } else {
            let (piece, later) = part.split(end - start);
            work.push(piece);
            current = Some(later);
        }
    }
    for_each(work, total, |part| {
        simd(
            #[inline(always)]
            || part.update(),
        )
    });
}

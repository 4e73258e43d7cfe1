//! One optimizer step over many tensors: what a rule gets to see, and how the work is split.

use crate::fetch::{AHEAD, STRIDE, fetch};
use crate::half::Half;
use crate::parallel::{for_each, pieces, simd};
use crate::real::Real;

/// State tensors of a parameter that a kernel can see, at most.
pub const SLOTS: usize = 3;

/// Elements of a half type that go through a kernel together: few enough to stay in the first cache.
const BLOCK: usize = 1024;

/// Two sums over a parameter that a kernel takes on its way.
pub type Sums = [f64; 2];

/// A rule for one parameter at one step, with every scalar worked out beforehand, in f64.
pub trait Kernel: Copy + Send + Sync {
    /// Whether gradients are looked at.
    const GRADS: bool = true;

    /// Updates one piece in one pass. `take` makes of a gradient what the rule sees. To be marked `#[inline(always)]`.
    fn update<T: Real>(&self, piece: Piece<'_, T>, take: impl Fn(T) -> T);

    /// Sums over a piece that `update` has gone through, where a rule goes by norms. To be marked `#[inline(always)]`.
    #[inline(always)]
    fn measure<T: Real>(&self, _piece: &Piece<'_, T>, _take: impl Fn(T) -> T) -> Sums {
        [0.0; 2]
    }
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

    /// Asks memory for the elements that come `AHEAD` bytes after the first `STRIDE`.
    #[inline(always)]
    fn fetch(&self, grads: bool) {
        fetch(self.param, AHEAD);
        if grads {
            fetch(self.grad, AHEAD);
        }
        for state in &self.state {
            if !state.is_empty() {
                fetch(state, AHEAD);
            }
        }
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
    pub(crate) fn apply<T: Real, K: Kernel>(self, kernel: K, mut piece: Piece<'_, T>) -> Sums {
        #[inline(always)]
        fn both<T: Real, K: Kernel>(kernel: K, piece: &mut Piece<'_, T>, take: impl Fn(T) -> T) -> Sums {
            kernel.update(piece.reborrow(), &take);
            kernel.measure(piece, take)
        }
        let scale = T::of(self.scale);
        if self.bound.is_finite() {
            both(
                kernel,
                &mut piece,
                #[inline(always)]
                |grad| self.take(grad),
            )
        } else {
            both(
                kernel,
                &mut piece,
                #[inline(always)]
                |grad| grad * scale,
            )
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
    /// Gives the sums that the kernel took. To be marked `#[inline(always)]`.
    fn update(self) -> Sums;
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
    fn update(self) -> Sums {
        let mut sums = [0.0; 2];
        let Item { kernel, incoming, piece: mut rest, mut average } = self;
        while !rest.param.is_empty() {
            let far = size_of_val(rest.param) > AHEAD;
            let at = if far { STRIDE } else { rest.param.len() };
            if far {
                rest.fetch(K::GRADS);
                fetch(average.values, AHEAD);
            }
            let (mut piece, later) = rest.split(at);
            sums = add(sums, incoming.apply(kernel, piece.reborrow()));
            rest = later;
            if !average.values.is_empty() {
                let (here, there) = average.split(at);
                here.follow(piece.param);
                average = there;
            }
        }
        sums
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
    fn update(self) -> Sums {
        let mut sums = [0.0; 2];
        let HalfItem { kernel, incoming, param, grad, master, state, mut average } = self;
        let mut wide = [0.0; BLOCK];
        let mut rest = Piece { param: master, grad: &[], state };
        for (param, grad) in param.chunks_mut(BLOCK).zip(grad.chunks(BLOCK)) {
            let at = param.len();
            H::widen(grad, &mut wide[..at]);
            let (mut piece, later) = rest.split(at);
            piece.grad = &wide[..at];
            sums = add(sums, incoming.apply(kernel, piece.reborrow()));
            H::narrow(piece.param, param);
            let (here, there) = average.split(at);
            here.follow(piece.param);
            (rest, average) = (later, there);
        }
        sums
    }
}

#[inline(always)]
fn add(a: Sums, b: Sums) -> Sums {
    [a[0] + b[0], a[1] + b[1]]
}

/// Updates all parts, cut into pieces of about equal size and spread over the cores; gives the sums over each part.
#[inline]
pub fn run<P: Part>(parts: Vec<P>) -> Vec<Sums> {
    let lengths: Vec<usize> = parts.iter().map(Part::size).collect();
    let total = lengths.iter().sum();
    let pieces = pieces(&lengths);
    // Empty tensors have no piece of their own.
    let mut rest = parts.into_iter().filter(|part| part.size() > 0);
    let mut current: Option<P> = None;
    let mut sums = vec![[0.0; 2]; pieces.len()];
    let mut work = Vec::with_capacity(pieces.len());
    for (&(index, start, end), sums) in pieces.iter().zip(&mut sums) {
        let Some(part) = current.take().or_else(|| rest.next()) else { break };
        if end == lengths[index] {
            work.push((part, sums));
        } else {
            let (piece, later) = part.split(end - start);
            work.push((piece, sums));
            current = Some(later);
        }
    }
    for_each(work, total, |(part, sums)| {
        *sums = simd(
            #[inline(always)]
            || part.update(),
        );
    });
    let mut out = vec![[0.0; 2]; lengths.len()];
    for ((index, ..), sums) in pieces.into_iter().zip(sums) {
        out[index] = add(out[index], sums);
    }
    out
}

//! Writing elements and rows where an index points; positions are checked on the way.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use crate::parallel::simd;

/// What becomes of an element that another one meets at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meeting {
    Replace,
    Sum,
    Product,
    Largest,
    Smallest,
}

/// What the kernels here count with: float32, float64, int64.
pub trait Number: Copy + PartialOrd + Send + Sync {
    const LOWEST: Self;
    const HIGHEST: Self;
    fn of(n: i64) -> Self;
    fn plus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    /// The quotient, rounded down where the type has no fractions.
    fn over(self, other: Self) -> Self;
    fn is_nan(self) -> bool;
}

macro_rules! float {
    ($($t:ty),+) => { $(
        impl Number for $t {
            const LOWEST: $t = <$t>::NEG_INFINITY;
            const HIGHEST: $t = <$t>::INFINITY;
            #[inline(always)]
            fn of(n: i64) -> $t { n as $t }
            #[inline(always)]
            fn plus(self, other: $t) -> $t { self + other }
            #[inline(always)]
            fn times(self, other: $t) -> $t { self * other }
            #[inline(always)]
            fn over(self, other: $t) -> $t { self / other }
            #[inline(always)]
            fn is_nan(self) -> bool { <$t>::is_nan(self) }
        }
    )+ };
}
float!(f32, f64);

impl Number for i64 {
    const LOWEST: i64 = i64::MIN;
    const HIGHEST: i64 = i64::MAX;
    #[inline(always)]
    fn of(n: i64) -> i64 {
        n
    }
    #[inline(always)]
    fn plus(self, other: i64) -> i64 {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn times(self, other: i64) -> i64 {
        self.wrapping_mul(other)
    }
    #[inline(always)]
    fn over(self, other: i64) -> i64 {
        self.wrapping_div_euclid(other)
    }
    #[inline(always)]
    fn is_nan(self) -> bool {
        false
    }
}

impl Meeting {
    /// What leaves the other element as it is.
    #[inline]
    fn neutral<T: Number>(self) -> T {
        match self {
            Meeting::Replace | Meeting::Sum => T::of(0),
            Meeting::Product => T::of(1),
            Meeting::Largest => T::LOWEST,
            Meeting::Smallest => T::HIGHEST,
        }
    }
}

/// Where an index points: its values and its shape, the shape that it points into, along which dimension.
pub struct Places<'a> {
    pub index: &'a [i64],
    pub shape: &'a [usize],
    pub into: &'a [usize],
    pub dim: usize,
}

impl Places<'_> {
    /// Lets the elements of `source` meet those of `out` at their places, in order. False if a place lies outside; `out` is of no use then.
    #[inline]
    fn meet<T: Copy + Send + Sync, S: Copy + Sync>(&self, out: &mut [T], source: &[S], f: impl Fn(&mut T, S) + Copy + Sync + Send) -> bool {
        let same = |(dim, (own, into)): (usize, (&usize, &usize))| dim == self.dim || own == into;
        if self.shape.iter().zip(self.into).enumerate().all(same) {
            let inner = self.shape[self.dim + 1..].iter().product();
            return meet(out, self.index, source, [self.into[self.dim], self.shape[self.dim], inner], f);
        }
        let mut inside = true;
        self.each(|from, to| match to {
            Some(to) => f(&mut out[to], source[from]),
            None => inside = false,
        });
        inside
    }

    /// Calls `f` with the place of each element of the index, in order; None where it lies outside.
    fn each(&self, mut f: impl FnMut(usize, Option<usize>)) {
        let rank = self.shape.len();
        let mut strides = vec![1; rank];
        for dim in (1..rank).rev() {
            strides[dim - 1] = strides[dim] * self.into[dim];
        }
        let across = strides[self.dim];
        strides[self.dim] = 0;
        let (inner, step) = (self.shape[rank - 1], strides[rank - 1]);
        let mut at = vec![0; rank - 1];
        let mut base = 0;
        for (row, index) in self.index.chunks_exact(inner.max(1)).enumerate() {
            for (i, &position) in index.iter().enumerate() {
                let position = usize::try_from(position).ok().filter(|&position| position < self.into[self.dim]);
                f(row * inner + i, position.map(|position| base + i * step + position * across));
            }
            for dim in (0..rank - 1).rev() {
                base += strides[dim];
                at[dim] += 1;
                if at[dim] < self.shape[dim] {
                    break;
                }
                base -= strides[dim] * self.shape[dim];
                at[dim] = 0;
            }
        }
    }
}

/// Lets each element of `source` meet the one of `out` at its place; with `fresh`, the elements that stood there before do not count.
/// False if a place lies outside; `out` is of no use then.
#[must_use]
#[inline]
pub fn scatter<T: Number>(out: &mut [T], places: &Places<'_>, source: &[T], meeting: Meeting, fresh: bool) -> bool {
    if fresh && !places.meet(out, source, |a, _| *a = meeting.neutral()) {
        return false;
    }
    match meeting {
        Meeting::Replace => places.meet(out, source, |a, b| *a = b),
        Meeting::Sum => places.meet(out, source, |a: &mut T, b| *a = a.plus(b)),
        Meeting::Product => places.meet(out, source, |a: &mut T, b| *a = a.times(b)),
        Meeting::Largest => places.meet(out, source, |a: &mut T, b| *a = if b.is_nan() || *a < b { b } else { *a }),
        Meeting::Smallest => places.meet(out, source, |a: &mut T, b| *a = if b.is_nan() || *a > b { b } else { *a }),
    }
}

/// The mean of the elements of `source` at each place, and of what stood there before unless `fresh`; false as in `scatter`.
#[must_use]
#[inline]
pub fn scatter_mean<T: Number>(out: &mut [T], places: &Places<'_>, source: &[T], fresh: bool) -> bool {
    let mut counts = vec![i64::from(!fresh); out.len()];
    if !places.meet(&mut counts, source, |count, _| *count += 1) || !scatter(out, places, source, Meeting::Sum, fresh) {
        return false;
    }
    for (out, &count) in out.iter_mut().zip(&counts) {
        if count > 1 {
            *out = out.over(T::of(count));
        }
    }
    true
}

/// A place in memory that tasks share; each writes columns of its own.
struct Shared<T>(*mut T);
// SAFETY: `columns` alone uses it, and no two of its tasks touch one element.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

/// Columns a task takes at least.
const COLUMNS: usize = 64;
/// Elements a task should have at least.
const GRAIN: usize = 1 << 14;

/// Lets the elements of `source`, `[outer, m, inner]`, meet those of `out`, `[outer, n, inner]`, at the positions of `index`, in its order.
/// False if a position lies outside; `out` is of no use then.
#[inline]
fn meet<T: Copy + Send + Sync, S: Copy + Sync>(
    out: &mut [T],
    index: &[i64],
    source: &[S],
    [n, m, inner]: [usize; 3],
    f: impl Fn(&mut T, S) + Copy + Sync + Send,
) -> bool {
    if index.is_empty() {
        return true;
    }
    if out.is_empty() {
        return false;
    }
    let missed = AtomicBool::new(false);
    let (given, block) = (m * inner, n * inner);
    if index.len() == given && inner >= 2 * COLUMNS && given > 2 * GRAIN {
        let width = (inner / rayon::current_num_threads()).max(COLUMNS);
        let shared = Shared(out.as_mut_ptr());
        (0..inner.div_ceil(width)).into_par_iter().for_each(|task| {
            let shared = &shared;
            let columns = task * width..((task + 1) * width).min(inner);
            for (index, source) in index.chunks_exact(inner).zip(source.chunks_exact(inner)) {
                for ((column, &to), &x) in columns.clone().zip(&index[columns.clone()]).zip(&source[columns.clone()]) {
                    if (to as u64) < n as u64 {
                        // SAFETY: row `to` is one of the `n` of `inner` columns that `out` has, and `column` is of this task alone.
                        f(unsafe { &mut *shared.0.add(to as usize * inner + column) }, x);
                    } else {
                        missed.store(true, Ordering::Relaxed);
                    }
                }
            }
        });
        return !missed.into_inner();
    }
    let run = |(out, (index, source)): (&mut [T], (&[i64], &[S]))| {
        let mut inside = true;
        if inner == 1 {
            for (&to, &x) in index.iter().zip(source) {
                match usize::try_from(to).ok().and_then(|to| out.get_mut(to)) {
                    Some(out) => f(out, x),
                    None => inside = false,
                }
            }
        }
        for (index, source) in index.chunks_exact(inner).zip(source.chunks_exact(inner)).take(if inner == 1 { 0 } else { m }) {
            for (column, (&to, &x)) in index.iter().zip(source).enumerate() {
                match usize::try_from(to).ok().filter(|&to| to < n) {
                    Some(to) => f(&mut out[to * inner + column], x),
                    None => inside = false,
                }
            }
        }
        if !inside {
            missed.store(true, Ordering::Relaxed);
        }
    };
    let blocks = index.chunks_exact(given).zip(source.chunks_exact(given));
    if index.len() <= 2 * GRAIN {
        out.chunks_exact_mut(block).zip(blocks).for_each(run);
    } else {
        let blocks = index.par_chunks_exact(given).zip(source.par_chunks_exact(given));
        out.par_chunks_exact_mut(block).zip(blocks).with_min_len((GRAIN / given).max(1)).for_each(run);
    }
    !missed.into_inner()
}

/// Writes entry `j` of each block of `source` over entry `index[j]` of the block of `out`; entries have `inner` elements, and the last wins.
#[inline]
pub fn copy_entries<T: Copy>(out: &mut [T], source: &[T], index: &[i64], size: usize, inner: usize) {
    let (block, given) = (size * inner, index.len() * inner);
    if block == 0 || given == 0 {
        return;
    }
    for (out, source) in out.chunks_exact_mut(block).zip(source.chunks_exact(given)) {
        for (&to, entry) in index.iter().zip(source.chunks_exact(inner)) {
            let start = to as usize * inner;
            out[start..start + inner].copy_from_slice(entry);
        }
    }
}

/// Adds entry `j` of each block of `source` to entry `index[j]` of the block of `out`, `[outer, n, inner]`, in the order of `index`, which
/// the caller has checked.
#[inline]
pub fn add_entries<T: Number>(out: &mut [T], source: &[T], index: &[i64], n: usize, inner: usize) {
    let (block, given) = (n * inner, index.len() * inner);
    if block == 0 || given == 0 {
        return;
    }
    let add = |out: &mut [T], source: &[T]| {
        simd(
            #[inline(always)]
            || out.iter_mut().zip(source).for_each(|(out, &x)| *out = out.plus(x)),
        );
    };
    if out.len() > block {
        let run = |(out, source): (&mut [T], &[T])| {
            if inner == 1 {
                return index.iter().zip(source).for_each(|(&to, &x)| out[to as usize] = out[to as usize].plus(x));
            }
            for (&to, source) in index.iter().zip(source.chunks_exact(inner)) {
                let to = to as usize * inner;
                add(&mut out[to..to + inner], source);
            }
        };
        if source.len() <= 2 * GRAIN {
            out.chunks_exact_mut(block).zip(source.chunks_exact(given)).for_each(run);
        } else {
            let blocks = out.par_chunks_exact_mut(block).zip(source.par_chunks_exact(given));
            blocks.with_min_len((GRAIN / given).max(1)).for_each(run);
        }
        return;
    }
    // A task owns some of the entries and looks through the whole index for what belongs to them.
    let own = if inner < 16 || given <= 2 * GRAIN { n } else { n.div_ceil(2 * rayon::current_num_threads()) };
    let run = |(task, out): (usize, &mut [T])| {
        let first = task * own;
        let entries = out.len() / inner;
        for (&to, source) in index.iter().zip(source.chunks_exact(inner)) {
            let to = (to as usize).wrapping_sub(first);
            if to < entries {
                add(&mut out[to * inner..(to + 1) * inner], source);
            }
        }
    };
    if own == n { run((0, out)) } else { out.par_chunks_mut(own * inner).enumerate().for_each(run) }
}

//! Writing elements and rows where an index points.

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
            fn of(n: i64) -> $t { n as $t }
            fn plus(self, other: $t) -> $t { self + other }
            fn times(self, other: $t) -> $t { self * other }
            fn over(self, other: $t) -> $t { self / other }
            fn is_nan(self) -> bool { <$t>::is_nan(self) }
        }
    )+ };
}
float!(f32, f64);

impl Number for i64 {
    const LOWEST: i64 = i64::MIN;
    const HIGHEST: i64 = i64::MAX;
    fn of(n: i64) -> i64 {
        n
    }
    fn plus(self, other: i64) -> i64 {
        self.wrapping_add(other)
    }
    fn times(self, other: i64) -> i64 {
        self.wrapping_mul(other)
    }
    fn over(self, other: i64) -> i64 {
        self.wrapping_div_euclid(other)
    }
    fn is_nan(self) -> bool {
        false
    }
}

impl Meeting {
    /// What leaves the other element as it is.
    fn neutral<T: Number>(self) -> T {
        match self {
            Meeting::Replace | Meeting::Sum => T::of(0),
            Meeting::Product => T::of(1),
            Meeting::Largest => T::LOWEST,
            Meeting::Smallest => T::HIGHEST,
        }
    }

    fn of<T: Number>(self, a: T, b: T) -> T {
        match self {
            Meeting::Replace => b,
            Meeting::Sum => a.plus(b),
            Meeting::Product => a.times(b),
            Meeting::Largest if b.is_nan() || a < b => b,
            Meeting::Smallest if b.is_nan() || a > b => b,
            Meeting::Largest | Meeting::Smallest => a,
        }
    }
}

/// Where an index points: its values, checked by the caller, its shape, the shape that it points into, along which dimension.
pub struct Places<'a> {
    pub index: &'a [i64],
    pub shape: &'a [usize],
    pub into: &'a [usize],
    pub dim: usize,
}

impl Places<'_> {
    /// Calls `f` with the place of each element of the index, in order.
    fn each(&self, mut f: impl FnMut(usize, usize)) {
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
                f(row * inner + i, base + i * step + position as usize * across);
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
pub fn scatter<T: Number>(out: &mut [T], places: &Places<'_>, source: &[T], meeting: Meeting, fresh: bool) {
    if fresh {
        places.each(|_, to| out[to] = meeting.neutral());
    }
    places.each(|from, to| out[to] = meeting.of(out[to], source[from]));
}

/// The mean of the elements of `source` at each place, and of what stood there before unless `fresh`.
pub fn scatter_mean<T: Number>(out: &mut [T], places: &Places<'_>, source: &[T], fresh: bool) {
    let mut counts = vec![i64::from(!fresh); out.len()];
    places.each(|_, to| counts[to] += 1);
    scatter(out, places, source, Meeting::Sum, fresh);
    for (out, &count) in out.iter_mut().zip(&counts) {
        if count > 1 {
            *out = out.over(T::of(count));
        }
    }
}

/// Writes entry `j` of each block of `source` over entry `index[j]` of the block of `out`; entries have `inner` elements, and the last wins.
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

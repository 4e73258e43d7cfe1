//! Order within lines: sorting, ranks, the largest few, running extremes, the most frequent. All give places, as int64.
//!
//! Elements become unsigned keys of the same order, packed with their place into one integer: equal keys keep their order, and one
//! integer comparison decides.

use crate::parallel::for_each;

/// Lines of up to this length are sorted by comparison.
const SHORT: usize = 512;
const DIGIT: u32 = 11;

/// An element with an order: NaN is the largest, and 0 equals -0.
pub trait Key: Copy + PartialEq + Send + Sync {
    /// Bits of a key that matter.
    const BITS: u32;
    fn key(self) -> u64;
    fn is_nan(self) -> bool;
}

impl Key for f32 {
    const BITS: u32 = 32;
    #[inline(always)]
    fn key(self) -> u64 {
        // Negative numbers descend as their bits ascend, and lie below the positive ones.
        let bits = (self + 0.0).to_bits();
        let key = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
        u64::from(if f32::is_nan(self) { u32::MAX } else { key })
    }
    #[inline(always)]
    fn is_nan(self) -> bool {
        f32::is_nan(self)
    }
}

impl Key for f64 {
    const BITS: u32 = 64;
    #[inline(always)]
    fn key(self) -> u64 {
        let bits = (self + 0.0).to_bits();
        let key = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
        if f64::is_nan(self) { u64::MAX } else { key }
    }
    #[inline(always)]
    fn is_nan(self) -> bool {
        f64::is_nan(self)
    }
}

impl Key for i64 {
    const BITS: u32 = 64;
    #[inline(always)]
    fn key(self) -> u64 {
        self as u64 ^ 1 << 63
    }
    #[inline(always)]
    fn is_nan(self) -> bool {
        false
    }
}

/// A key above a place of 32 bits.
trait Packed: Copy + Ord + Default {
    fn pack(key: u64, at: usize) -> Self;
    fn place(self) -> usize;
    fn key(self) -> u64;
}

impl Packed for u64 {
    #[inline(always)]
    fn pack(key: u64, at: usize) -> u64 {
        key << 32 | at as u64
    }
    #[inline(always)]
    fn place(self) -> usize {
        self as u32 as usize
    }
    #[inline(always)]
    fn key(self) -> u64 {
        self >> 32
    }
}

impl Packed for u128 {
    #[inline(always)]
    fn pack(key: u64, at: usize) -> u128 {
        u128::from(key) << 32 | at as u128
    }
    #[inline(always)]
    fn place(self) -> usize {
        self as u32 as usize
    }
    #[inline(always)]
    fn key(self) -> u64 {
        (self >> 32) as u64
    }
}

/// What is sought in each line.
#[derive(Clone, Copy)]
pub enum Task {
    /// The places in ascending or descending order.
    Sort { descending: bool },
    /// The place of the element of a rank from 0.
    Rank(usize),
    /// The place of the lower middle element: of the first NaN where there is one, or of those that are none.
    Middle { skip_nan: bool },
    /// The places of the first so many of an order.
    First { count: usize, descending: bool },
    /// For each element the place of the extreme so far, the last of equals; NaN stays.
    Running { largest: bool },
    /// The last place of the value that occurs most often, the smallest of such values.
    Mode,
}

impl Task {
    /// How many places a line of `size` elements gets.
    pub fn count(self, size: usize) -> usize {
        match self {
            Task::Sort { .. } | Task::Running { .. } => size,
            Task::First { count, .. } => count,
            Task::Rank(_) | Task::Middle { .. } | Task::Mode => 1,
        }
    }

    /// The places for every line of `size` elements; a line has fewer than 2^32.
    #[inline]
    pub fn places<T: Key>(self, all: &[T], size: usize) -> Vec<i64> {
        let (lines, count) = (all.len() / size.max(1), self.count(size));
        let mut out = vec![0; lines * count];
        if out.is_empty() {
            return out;
        }
        let work: Vec<(&[T], &mut [i64])> = all.chunks_exact(size).zip(out.chunks_exact_mut(count)).collect();
        for_each(work, all.len(), |(line, out)| self.line(line, out));
        out
    }

    #[inline]
    fn line<T: Key>(self, line: &[T], out: &mut [i64]) {
        if let Task::Running { largest } = self {
            return running(line, largest, out);
        }
        if let Task::Middle { skip_nan: false } = self
            && let Some(at) = line.iter().position(|x| x.is_nan())
        {
            out[0] = at as i64;
            return;
        }
        let keys = || line.iter().map(|x| x.key());
        let (low, high) = match T::BITS {
            32 => (0, u64::from(u32::MAX)),
            _ => keys().fold((u64::MAX, 0), |(low, high), key| (low.min(key), high.max(key))),
        };
        // Keys count from the lowest: integers of a short range fit 32 bits.
        if high - low <= u64::from(u32::MAX) {
            self.packed::<u64>(line, low, high, out, 64 - (high - low).leading_zeros());
        } else {
            self.packed::<u128>(line, low, high, out, 64);
        }
    }

    #[inline]
    fn packed<P: Packed>(self, line: &[impl Key], low: u64, high: u64, out: &mut [i64], bits: u32) {
        let descending = matches!(self, Task::Sort { descending: true } | Task::First { descending: true, .. });
        let item = |(at, key): (usize, u64)| P::pack(if descending { high - key } else { key - low }, at);
        let items = line.iter().map(|x| x.key()).enumerate().map(item);
        match self {
            Task::Sort { .. } => {
                let sorted = sorted(items.collect::<Vec<P>>(), bits);
                out.iter_mut().zip(sorted).for_each(|(out, item)| *out = item.place() as i64);
            }
            Task::Rank(rank) => out[0] = ranked(items.collect::<Vec<P>>(), rank),
            Task::Middle { .. } => {
                let numbers = line.iter().filter(|x| !x.is_nan()).count();
                out[0] = ranked(items.collect::<Vec<P>>(), numbers.saturating_sub(1) / 2);
            }
            Task::First { count, .. } => {
                let first = first(items, count);
                out.iter_mut().zip(first).for_each(|(out, item)| *out = item.place() as i64);
            }
            Task::Mode => out[0] = mode(&sorted(items.collect::<Vec<P>>(), bits)),
            Task::Running { .. } => {}
        }
    }
}

/// Ascending, by the lower `bits` of the keys.
#[inline]
fn sorted<P: Packed>(mut items: Vec<P>, bits: u32) -> Vec<P> {
    if items.len() <= SHORT {
        items.sort_unstable();
        return items;
    }
    let passes = bits.div_ceil(DIGIT) as usize;
    let mask = (1_u64 << DIGIT) - 1;
    let mut counts = vec![[0_u32; 1 << DIGIT]; passes];
    for item in &items {
        let mut key = item.key();
        for counts in &mut counts {
            counts[(key & mask) as usize] += 1;
            key >>= DIGIT;
        }
    }
    let mut other = vec![P::default(); items.len()];
    for (pass, counts) in counts.iter_mut().enumerate() {
        if counts.iter().any(|&count| count as usize == items.len()) {
            continue;
        }
        let mut start = 0;
        for count in counts.iter_mut() {
            (*count, start) = (start, start + *count);
        }
        for &item in &items {
            let next = &mut counts[(item.key() >> (pass as u32 * DIGIT) & mask) as usize];
            other[*next as usize] = item;
            *next += 1;
        }
        std::mem::swap(&mut items, &mut other);
    }
    items
}

#[inline]
fn ranked<P: Packed>(mut items: Vec<P>, rank: usize) -> i64 {
    items.select_nth_unstable(rank).1.place() as i64
}

/// The `count` smallest in order, by a buffer that is halved whenever it is full: most items fail its bound at once.
#[inline]
fn first<P: Packed>(items: impl Iterator<Item = P>, count: usize) -> Vec<P> {
    if count == 0 {
        return Vec::new();
    }
    let room = count * 2 + SHORT;
    let mut best: Vec<P> = Vec::with_capacity(room);
    let mut bound = None;
    for item in items {
        if bound.is_some_and(|bound| item > bound) {
            continue;
        }
        best.push(item);
        if best.len() == room {
            bound = Some(*best.select_nth_unstable(count - 1).1);
            best.truncate(count);
        }
    }
    best.sort_unstable();
    best.truncate(count);
    best
}

#[inline]
fn mode<P: Packed>(sorted: &[P]) -> i64 {
    let (mut most, mut at, mut run) = (0, 0, 0);
    for (i, item) in sorted.iter().enumerate() {
        run = if i > 0 && sorted[i - 1].key() == item.key() { run + 1 } else { 1 };
        if run > most {
            (most, at) = (run, i);
        }
    }
    sorted[at].place() as i64
}

#[inline]
fn running<T: Key>(line: &[T], largest: bool, out: &mut [i64]) {
    let mut best = 0;
    for (i, (x, out)) in line.iter().zip(out).enumerate() {
        let (new, old) = (x.key(), line[best].key());
        if x.is_nan() || (!line[best].is_nan() && if largest { new >= old } else { new <= old }) {
            best = i;
        }
        *out = best as i64;
    }
}

/// Where each of `wanted` belongs in an ascending line: before its equals, or behind them if `right`.
#[inline]
pub fn search<T: Key>(line: &[T], wanted: &[T], right: bool, out: &mut [i64]) {
    let cut = crate::parallel::CUT;
    let work: Vec<(&[T], &mut [i64])> = wanted.chunks(cut).zip(out.chunks_mut(cut)).collect();
    for_each(work, wanted.len() * 8, |(wanted, out)| {
        for (value, out) in wanted.iter().zip(out) {
            let value = value.key();
            *out = line.partition_point(|edge| if right { edge.key() <= value } else { edge.key() < value }) as i64;
        }
    });
}

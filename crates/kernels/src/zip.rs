//! Functions of two and three elements, with broadcasting and any strides: blocks of each operand are taken as they lie where they lie
//! side by side, and packed into a small buffer where they do not, so that one loop serves all layouts.

use std::mem::MaybeUninit;
use std::ops::{Add, Div, Mul, Sub};

use crate::approx;
use crate::map::collect;
use crate::parallel::{simd, simd_fused};

/// Elements of a tensor over the shape of a result: 0 is the stride of a dimension that repeats.
#[derive(Clone, Copy)]
pub struct View<'a, T> {
    pub data: &'a [T],
    pub start: usize,
    pub strides: &'a [isize],
}

/// Elements taken at a time: a packed block stays in the first cache.
const BLOCK: usize = 1024;

/// Whether two neighbouring dimensions of every operand can be walked as one.
fn merges(strides: &[&[isize]], outer: usize, inner: usize, size: usize) -> bool {
    strides.iter().all(|s| s[outer] == s[inner] * size as isize)
}

/// The dimensions that are left when sizes of 1 go and neighbours merge: indices of where to take strides, and sizes.
pub(crate) fn merged(shape: &[usize], strides: &[&[isize]]) -> (Vec<usize>, Vec<usize>) {
    let (mut at, mut sizes): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
    for (dim, &size) in shape.iter().enumerate().filter(|&(_, &size)| size != 1) {
        match (at.last_mut(), sizes.last_mut()) {
            (Some(last), Some(whole)) if merges(strides, *last, dim, size) => {
                *last = dim;
                *whole *= size;
            }
            _ => {
                at.push(dim);
                sizes.push(size);
            }
        }
    }
    (at, sizes)
}

/// An operand over merged dimensions.
struct Operand<'a, T> {
    data: &'a [T],
    start: usize,
    strides: Vec<isize>,
    /// Whether the elements lie in row-major order, without gaps: any block of them is at hand.
    whole: bool,
}

impl<'a, T: Copy> Operand<'a, T> {
    fn new(view: View<'a, T>, dims: &[usize], sizes: &[usize]) -> Self {
        let strides: Vec<isize> = dims.iter().map(|&dim| view.strides[dim]).collect();
        let mut expected = 1;
        let whole = strides.iter().zip(sizes).rev().all(|(&stride, &size)| {
            let fits = stride == expected;
            expected *= size as isize;
            fits
        });
        Self { data: view.data, start: view.start, strides, whole }
    }

    /// `len` elements from the `first` on, in row-major order of `sizes`.
    #[inline]
    fn block<'b>(&'b self, sizes: &[usize], first: usize, len: usize, buffer: &'b mut [T; BLOCK]) -> &'b [T] {
        if self.whole {
            return &self.data[self.start + first..self.start + first + len];
        }
        let Some((&stride, outer)) = self.strides.split_last() else { return &self.data[self.start..self.start + len] };
        let (row, outer_sizes) = (sizes[sizes.len() - 1], &sizes[..sizes.len() - 1]);
        let (mut line, mut at) = (first / row, first % row);
        let place = |line: usize, at: usize| {
            let (mut line, mut offset) = (line, self.start as isize + at as isize * stride);
            for (&size, &stride) in outer_sizes.iter().zip(outer).rev() {
                offset += (line % size) as isize * stride;
                line /= size;
            }
            offset as usize
        };
        if stride == 1 && at + len <= row {
            let from = place(line, at);
            return &self.data[from..from + len];
        }
        let mut done = 0;
        while done < len {
            let part = (row - at).min(len - done);
            let (out, from) = (&mut buffer[done..done + part], place(line, at));
            match stride {
                1 => out.copy_from_slice(&self.data[from..from + part]),
                0 => {
                    let value = self.data[from];
                    simd(
                        #[inline(always)]
                        || out.fill(value),
                    );
                }
                _ => out.iter_mut().enumerate().for_each(|(i, out)| *out = self.data[(from as isize + i as isize * stride) as usize]),
            }
            done += part;
            (line, at) = (line + 1, 0);
        }
        &buffer[..len]
    }
}

/// `f` of each pair over `shape`, in row-major order; `f` is marked `#[inline(always)]`.
#[inline(always)]
pub fn zip<A: Copy + Default + Sync, B: Copy + Default + Sync, O: Send>(
    shape: &[usize],
    a: View<'_, A>,
    b: View<'_, B>,
    f: impl Fn(A, B) -> O + Copy + Sync,
) -> Vec<O> {
    zip_fused(shape, a, b, f, f)
}

/// `plain` of each pair, or `fused`, which is the same for a machine with fused multiply-add.
#[inline(always)]
pub(crate) fn zip_fused<A: Copy + Default + Sync, B: Copy + Default + Sync, O: Send>(
    shape: &[usize],
    a: View<'_, A>,
    b: View<'_, B>,
    plain: impl Fn(A, B) -> O + Copy + Sync,
    fused: impl Fn(A, B) -> O + Copy + Sync,
) -> Vec<O> {
    zip_blocks(shape, a, b, &|a, b, out: &mut [MaybeUninit<O>]| {
        simd_fused(
            out,
            #[inline(always)]
            |out| write(a, b, out, plain),
            #[inline(always)]
            |out| write(a, b, out, fused),
        );
    })
}

#[inline(always)]
fn write<A: Copy, B: Copy, O>(a: &[A], b: &[B], out: &mut [MaybeUninit<O>], f: impl Fn(A, B) -> O) {
    // Not `for_each`, whose closure the compiler leaves outside, and so for the baseline, where `f` is long.
    for (out, (&a, &b)) in out.iter_mut().zip(a.iter().zip(b)) {
        out.write(f(a, b));
    }
}

type Pairs<'f, A, B, O> = &'f (dyn Fn(&[A], &[B], &mut [MaybeUninit<O>]) + Sync);

#[inline]
fn zip_blocks<A: Copy + Default + Sync, B: Copy + Default + Sync, O: Send>(
    shape: &[usize],
    a: View<'_, A>,
    b: View<'_, B>,
    f: Pairs<'_, A, B, O>,
) -> Vec<O> {
    let (dims, sizes) = merged(shape, &[a.strides, b.strides]);
    let (a, b) = (Operand::new(a, &dims, &sizes), Operand::new(b, &dims, &sizes));
    // SAFETY: `zip_fused` alone calls this: it writes as many elements as the blocks have, which is `out`'s length.
    unsafe {
        collect(shape.iter().product(), &|start, out: &mut [MaybeUninit<O>]| {
            let (mut left, mut right) = ([A::default(); BLOCK], [B::default(); BLOCK]);
            for (i, out) in out.chunks_mut(BLOCK).enumerate() {
                let first = start + i * BLOCK;
                f(a.block(&sizes, first, out.len(), &mut left), b.block(&sizes, first, out.len(), &mut right), out);
            }
        })
    }
}

/// The elements of `a` where `mask` is not 0, of `b` elsewhere.
#[inline]
pub fn choose<T: Copy + Default + Send + Sync>(shape: &[usize], mask: View<'_, u8>, a: View<'_, T>, b: View<'_, T>) -> Vec<T> {
    let (dims, sizes) = merged(shape, &[mask.strides, a.strides, b.strides]);
    let (mask, a, b) = (Operand::new(mask, &dims, &sizes), Operand::new(a, &dims, &sizes), Operand::new(b, &dims, &sizes));
    // SAFETY: the loop writes as many elements as the blocks have, which is `out`'s length.
    unsafe {
        collect(shape.iter().product(), &|start, out: &mut [MaybeUninit<T>]| {
            let (mut which, mut left, mut right) = ([0; BLOCK], [T::default(); BLOCK], [T::default(); BLOCK]);
            for (i, out) in out.chunks_mut(BLOCK).enumerate() {
                let first = start + i * BLOCK;
                let which = mask.block(&sizes, first, out.len(), &mut which);
                let (a, b) = (a.block(&sizes, first, out.len(), &mut left), b.block(&sizes, first, out.len(), &mut right));
                simd(
                    #[inline(always)]
                    || {
                        for ((out, &which), (&a, &b)) in out.iter_mut().zip(which).zip(a.iter().zip(b)) {
                            out.write(if which != 0 { a } else { b });
                        }
                    },
                );
            }
        })
    }
}

/// The element types of arithmetic; integers wrap around.
pub trait Number: Copy + Default + PartialOrd + Send + Sync {
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
}

macro_rules! number {
    ($($t:ty: $plus:ident $minus:ident $times:ident;)+) => { $(
        impl Number for $t {
            #[inline(always)]
            fn plus(self, other: $t) -> $t { self.$plus(other) }
            #[inline(always)]
            fn minus(self, other: $t) -> $t { self.$minus(other) }
            #[inline(always)]
            fn times(self, other: $t) -> $t { self.$times(other) }
        }
    )+ };
}

number! {
    u8: wrapping_add wrapping_sub wrapping_mul;
    f32: add sub mul;
    f64: add sub mul;
    i32: wrapping_add wrapping_sub wrapping_mul;
    i64: wrapping_add wrapping_sub wrapping_mul;
}

/// `a + b`, `a - b`, `a * b`, the larger, the smaller; NaN wins.
#[derive(Debug, Clone, Copy)]
pub enum Arithmetic {
    Add,
    Sub,
    Mul,
    Maximum,
    Minimum,
}

#[inline]
pub fn arithmetic<T: Number>(op: Arithmetic, shape: &[usize], a: View<'_, T>, b: View<'_, T>) -> Vec<T> {
    match op {
        Arithmetic::Add => zip(shape, a, b, T::plus),
        Arithmetic::Sub => zip(shape, a, b, T::minus),
        Arithmetic::Mul => zip(shape, a, b, T::times),
        Arithmetic::Maximum => zip(shape, a, b, larger),
        Arithmetic::Minimum => zip(shape, a, b, smaller),
    }
}

/// The larger; NaN wins.
#[inline(always)]
#[allow(clippy::eq_op)] // NaN is what differs from itself.
pub(crate) fn larger<T: Copy + PartialOrd>(a: T, b: T) -> T {
    if a > b || a != a { a } else { b }
}

/// The smaller; NaN wins.
#[inline(always)]
#[allow(clippy::eq_op)] // NaN is what differs from itself.
pub(crate) fn smaller<T: Copy + PartialOrd>(a: T, b: T) -> T {
    if a < b || a != a { a } else { b }
}

/// `a / b` of floating point numbers.
#[inline]
pub fn divide<T: Number + Div<Output = T>>(shape: &[usize], a: View<'_, T>, b: View<'_, T>) -> Vec<T> {
    zip(shape, a, b, T::div)
}

/// `a^b` of floats.
pub fn power(shape: &[usize], a: View<'_, f32>, b: View<'_, f32>) -> Vec<f32> {
    zip_fused(shape, a, b, approx::pow::<false>, approx::pow::<true>)
}

/// `a^b` of doubles, by the platform's library.
pub fn power_double(shape: &[usize], a: View<'_, f64>, b: View<'_, f64>) -> Vec<f64> {
    zip(shape, a, b, f64::powf)
}

/// How two elements compare.
#[derive(Debug, Clone, Copy)]
pub enum Comparison {
    Equal,
    Differ,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// 1 where the comparison holds, 0 elsewhere.
#[inline]
pub fn compare<T: Number>(op: Comparison, shape: &[usize], a: View<'_, T>, b: View<'_, T>) -> Vec<u8> {
    macro_rules! holds {
        ($op:tt) => {
            zip(
                shape,
                a,
                b,
                #[inline(always)]
                |a, b| u8::from(a $op b),
            )
        };
    }
    match op {
        Comparison::Equal => holds!(==),
        Comparison::Differ => holds!(!=),
        Comparison::Less => holds!(<),
        Comparison::LessEqual => holds!(<=),
        Comparison::Greater => holds!(>),
        Comparison::GreaterEqual => holds!(>=),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every layout of the left operand against the plain sum.
    #[test]
    fn layouts_and_lengths_give_the_same_sums() {
        let data: Vec<i64> = (0..200_000).collect();
        for (rows, columns) in [(1, 1), (3, 5), (7, 1), (1, 69), (70, 31), (5, 1500), (300, 300), (40_000, 3)] {
            for strides in
                [[columns as isize, 1], [0, 1], [1, 0], [0, 0], [1, rows as isize], [2 * columns as isize, 2], [-(columns as isize), 1]]
            {
                let start = if strides[0] < 0 { (rows - 1) * columns } else { 0 };
                let reach = start as isize + (rows as isize - 1) * strides[0].max(0) + (columns as isize - 1) * strides[1];
                if reach as usize >= data.len() {
                    continue;
                }
                let a = View { data: &data, start, strides: &strides };
                let b = View { data: &data, start: 0, strides: &[columns as isize, 1] };
                let got = arithmetic(Arithmetic::Add, &[rows, columns], a, b);
                let expected = (0..rows * columns).map(|i| {
                    let (row, column) = ((i / columns) as isize, (i % columns) as isize);
                    data[(start as isize + row * strides[0] + column * strides[1]) as usize] + i as i64
                });
                assert!(got.iter().copied().eq(expected), "{rows} x {columns} by {strides:?}");
            }
        }
    }

    #[test]
    fn nan_wins() {
        let view = |data: &'static [f32]| View { data, start: 0, strides: &[1] };
        for op in [Arithmetic::Maximum, Arithmetic::Minimum] {
            let got = arithmetic(op, &[3], view(&[f32::NAN, 1.0, f32::NAN]), view(&[1.0, f32::NAN, f32::NAN]));
            assert!(got.iter().all(|x| x.is_nan()), "{op:?}");
        }
    }
}

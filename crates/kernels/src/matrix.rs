//! Matrix products of slices, by the `gemm` crate.

use gemm::Parallelism;
use rayon::prelude::*;

use crate::parallel::{for_each, simd, threads};
use crate::real::Real;
use crate::zip::View;

/// A matrix in a slice: rows, columns, and the distance of two rows and of two columns.
#[derive(Clone, Copy)]
pub struct Matrix<'a, T> {
    data: &'a [T],
    start: usize,
    rows: usize,
    columns: usize,
    row_stride: isize,
    column_stride: isize,
}

impl<'a, T> Matrix<'a, T> {
    /// `[rows, columns]` in row-major order.
    pub fn new(data: &'a [T], rows: usize, columns: usize) -> Self {
        Self::strided(data, 0, [rows, columns], [columns as isize, 1])
    }

    fn strided(data: &'a [T], start: usize, [rows, columns]: [usize; 2], [row_stride, column_stride]: [isize; 2]) -> Self {
        let span = |size: usize, stride: isize| (size as isize - 1) * stride;
        let (down, across) = (span(rows, row_stride), span(columns, column_stride));
        let (least, most) = (down.min(0) + across.min(0), down.max(0) + across.max(0));
        let held = start.checked_add_signed(least).is_some() && start.checked_add_signed(most).is_some_and(|last| last < data.len());
        assert!(held || rows * columns == 0);
        Self { data, start, rows, columns, row_stride, column_stride }
    }

    /// The matrix `at` a place of a batch, in row-major order of the batch. Strides are over the batch and a matrix.
    fn of_batch(view: View<'a, T>, batch: &[usize], sizes: [usize; 2], at: usize) -> Self {
        let (outer, inner) = view.strides.split_at(batch.len());
        let (mut rest, mut start) = (at, view.start);
        for (&size, &stride) in batch.iter().zip(outer).rev() {
            start = start.wrapping_add_signed((rest % size) as isize * stride);
            rest /= size;
        }
        Self::strided(view.data, start, sizes, [inner[0], inner[1]])
    }

    pub fn transposed(self) -> Self {
        let Self { rows, columns, row_stride, column_stride, .. } = self;
        Self { rows: columns, columns: rows, row_stride: column_stride, column_stride: row_stride, ..self }
    }

    /// `count` columns from the `first` on.
    fn strip(self, first: usize, count: usize) -> Self {
        let start = self.start.wrapping_add_signed(first as isize * self.column_stride);
        Self::strided(self.data, start, [self.rows, count], [self.row_stride, self.column_stride])
    }

    /// `count` rows from the `first` on.
    fn band(self, first: usize, count: usize) -> Self {
        self.transposed().strip(first, count).transposed()
    }

    fn pointer(&self) -> *const T {
        self.data[self.start..].as_ptr()
    }
}

/// Where a product goes.
struct Place<T>(*mut T);

// SAFETY: each thread writes a part of its own.
unsafe impl<T: Send> Sync for Place<T> {}

impl<T> Place<T> {
    /// # Safety
    /// `by` elements on is still inside what the place is of.
    unsafe fn after(&self, by: usize) -> *mut T {
        // SAFETY: as the caller promises.
        unsafe { self.0.add(by) }
    }
}

/// `out = a b`, or `out += a b`, with `out` in row-major order.
#[inline]
pub fn product<T: Real>(out: &mut [T], accumulate: bool, a: Matrix<'_, T>, b: Matrix<'_, T>, threads: Threads) {
    assert!(out.len() == a.rows * b.columns);
    // SAFETY: `out` holds the product, and nobody else sees it.
    unsafe { write(&Place(out.as_mut_ptr()), accumulate, a, b, threads) }
}

/// Columns that one thread takes at a time, or rows where there is one column: as many as the widest kernel of the crate keeps in registers.
const STRIP: usize = 64;

/// Strips at most, since each packs the rows of `a` for itself.
const STRIPS: usize = 16;

/// # Safety
/// `out` has room for `a.rows x b.columns` elements that nobody else touches; if `accumulate`, they are initialised.
#[inline]
unsafe fn write<T: Real>(out: &Place<T>, accumulate: bool, a: Matrix<'_, T>, b: Matrix<'_, T>, by: Threads) {
    let (m, n) = (a.rows, b.columns);
    assert!(a.columns == b.rows);
    // Of a vector, the rows are shared: the crate does such a product on one thread.
    let vector = n == 1;
    let size = if vector { m } else { n };
    let width = size.div_ceil(STRIPS).next_multiple_of(STRIP).max(STRIP);
    let strips = size / width;
    // The crate packs a transposed `b` on one thread only, so strips are better where there are enough of them. It sums up in another order
    // for a vector's part, and up to 64 x 64: there, strips are taken with any number of threads, so that all give the same.
    let always = vector || m <= STRIP;
    let by = if m.saturating_mul(n).saturating_mul(a.columns) < WORTH { Threads::One } else { by };
    if strips < 2 || (!always && (by == Threads::One || strips < threads())) {
        // SAFETY: as the caller promises.
        unsafe { call(out.0, n, accumulate, a, b, if by == Threads::All { Parallelism::Rayon(0) } else { Parallelism::None }) };
        return;
    }
    let strip = |strip: usize| {
        let first = strip * width;
        let count = if strip + 1 == strips { size - first } else { width };
        let (a, b) = if vector { (a.band(first, count), b) } else { (a, b.strip(first, count)) };
        // SAFETY: strips are apart, and inside of what the caller promises.
        unsafe { call(out.after(first), n, accumulate, a, b, Parallelism::None) };
    };
    match by {
        Threads::One => (0..strips).for_each(strip),
        Threads::All => (0..strips).into_par_iter().for_each(strip),
    }
}

/// # Safety
/// `out` has room for the product in rows that are `distance` apart, which nobody else touches; if `accumulate`, they are initialised.
#[inline]
unsafe fn call<T: Real>(out: *mut T, distance: usize, accumulate: bool, a: Matrix<'_, T>, b: Matrix<'_, T>, parallelism: Parallelism) {
    // SAFETY: as the caller promises; `Matrix` keeps every element of a and b inside its slice.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out,
            1,
            distance as isize,
            accumulate,
            a.pointer(),
            a.column_stride,
            a.row_stride,
            b.pointer(),
            b.column_stride,
            b.row_stride,
            T::of(1.0),
            T::of(1.0),
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// Multiplications from which on a product is worth more than one thread.
const WORTH: usize = 1 << 19;

/// `a b` for each pair of a batch, `[..., m, k] x [..., k, n]`, in row-major order. Strides are over the batch and a matrix; a batch stride
/// of 0 repeats. No size is 0.
pub fn products<T: Real>(batch: &[usize], [m, k, n]: [usize; 3], a: View<'_, T>, b: View<'_, T>) -> Vec<T> {
    let count: usize = batch.iter().product();
    let (size, work) = (m * n, (m * n).saturating_mul(k));
    let mut out = Vec::with_capacity(count * size);
    let place = Place(out.as_mut_ptr());
    let one = |at: usize, by: Threads| {
        // SAFETY: this part of the room belongs to this pair.
        unsafe {
            write(&Place(place.after(at * size)), false, Matrix::of_batch(a, batch, [m, k], at), Matrix::of_batch(b, batch, [k, n], at), by)
        }
    };
    if count >= threads() && count > 1 {
        (0..count).into_par_iter().with_min_len(WORTH.div_ceil(work)).for_each(|at| one(at, Threads::One));
    } else {
        (0..count).for_each(|at| one(at, Threads::All));
    }
    // SAFETY: every pair has written its product.
    unsafe { out.set_len(count * size) };
    out
}

/// Elements that a thread adds a row to at a time, about.
const PIECE: usize = 1 << 14;

/// Adds `row` to every row of `matrix`.
#[inline]
pub fn add_row<T: Real>(matrix: &mut [T], row: &[T]) {
    let work = matrix.len();
    let rows = PIECE.div_ceil(row.len().max(1));
    for_each(matrix.chunks_mut((rows * row.len()).max(1)).collect(), work, |piece: &mut [T]| {
        simd(
            #[inline(always)]
            || {
                for out in piece.chunks_exact_mut(row.len()) {
                    for (out, &x) in out.iter_mut().zip(row) {
                        *out = *out + x;
                    }
                }
            },
        );
    });
}

/// Who works on one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    One,
    All,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, step: f64) -> Vec<f32> {
        (0..count).map(|i| (i as f64 * step).sin() as f32).collect()
    }

    /// The same sums, in float64.
    fn plain(a: Matrix<'_, f32>, b: Matrix<'_, f32>) -> Vec<f64> {
        let at = |x: &Matrix<'_, f32>, i: usize, j: usize| {
            f64::from(x.data[x.start.wrapping_add_signed(i as isize * x.row_stride + j as isize * x.column_stride)])
        };
        let cell = |i: usize, j: usize| (0..a.columns).map(|l| at(&a, i, l) * at(&b, l, j)).sum();
        (0..a.rows).flat_map(|i| (0..b.columns).map(move |j| (i, j))).map(|(i, j)| cell(i, j)).collect()
    }

    /// Both orders of storage on both sides, sizes that are cut and sizes that are not: right, and the same to the last bit on one thread.
    #[test]
    fn all_layouts_and_any_number_of_threads() -> Result<(), rayon::ThreadPoolBuildError> {
        for (m, k, n) in [
            (3, 5, 7),
            (0, 4, 3),
            (3, 0, 4),
            (4, 3, 0),
            (64, 600, 200),
            (65, 600, 130),
            (130, 33, 1100),
            (1, 40, 300),
            (70, 40, 1),
            (515, 130, 1),
            (1, 1, 1),
            (2, 90, 65),
        ] {
            let (left, right) = (numbers(m * k, 0.37), numbers(k * n, 0.71));
            for a in [Matrix::new(&left, m, k), Matrix::new(&left, k, m).transposed()] {
                for b in [Matrix::new(&right, k, n), Matrix::new(&right, n, k).transposed()] {
                    let run = |threads: usize| -> Result<Vec<f32>, rayon::ThreadPoolBuildError> {
                        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
                        let mut out = vec![f32::NAN; m * n];
                        pool.install(|| product(&mut out, false, a, b, Threads::All));
                        Ok(out)
                    };
                    let found = run(2)?;
                    let mut alone = vec![f32::NAN; m * n];
                    product(&mut alone, false, a, b, Threads::One);
                    assert!(found == alone, "{m} x {k} x {n}");
                    assert!(found == run(1)?, "{m} x {k} x {n}");
                    assert!(found == run(7)?, "{m} x {k} x {n}");
                    for (found, expected) in found.iter().zip(plain(a, b)) {
                        assert!((f64::from(*found) - expected).abs() < 1e-4, "{m} x {k} x {n}: {found} and not {expected}");
                    }
                }
            }
        }
        Ok(())
    }

    #[test]
    fn batches_repeat_and_run_backwards() {
        let (left, right) = (numbers(3 * 4 * 5, 0.37), numbers(5 * 6, 0.71));
        let a = View { data: &left, start: 2 * 20, strides: &[-20, 5, 1] };
        let b = View { data: &right, start: 0, strides: &[0, 1, 5] };
        let found = products(&[3], [4, 5, 6], a, b);
        for (at, found) in found.chunks(24).enumerate() {
            let expected = plain(Matrix::new(&left[(2 - at) * 20..], 4, 5), Matrix::new(&right, 6, 5).transposed());
            assert!(found.iter().zip(expected).all(|(&x, y)| (f64::from(x) - y).abs() < 1e-5));
        }
    }
}

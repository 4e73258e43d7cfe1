//! Matrix products of slices, by the `gemm` crate.

use gemm::Parallelism;

use crate::real::Real;

/// A matrix in a slice: rows, columns, and the distance of two rows and of two columns.
#[derive(Clone, Copy)]
pub struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// `[rows, columns]` in row-major order.
    pub fn new(data: &'a [T], rows: usize, columns: usize) -> Self {
        assert!(data.len() >= rows * columns);
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    pub fn transposed(self) -> Self {
        let Self { data, rows, columns, row_stride, column_stride } = self;
        Self { data, rows: columns, columns: rows, row_stride: column_stride, column_stride: row_stride }
    }
}

/// `out = a b`, or `out += a b`, with `out` in row-major order.
#[inline]
pub fn product<T: Real>(out: &mut [T], accumulate: bool, a: Matrix<'_, T>, b: Matrix<'_, T>, threads: Threads) {
    let (m, n, k) = (a.rows, b.columns, a.columns);
    assert!(k == b.rows && out.len() == m * n);
    let parallelism = match threads {
        Threads::One => Parallelism::None,
        Threads::All => Parallelism::Rayon(0),
    };
    // SAFETY: `out` holds m x n elements and nobody else sees it; `Matrix` keeps every element of a and b inside its slice.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            accumulate,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            T::of(1.0),
            T::of(1.0),
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// Who works on one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    One,
    All,
}

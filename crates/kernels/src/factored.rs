//! Matrices whose mean squares are kept by rows and by columns, in sweeps: for Adafactor (Shazeer and Stern, ICML 2018).

use crate::fetch::{AHEAD, STRIDE, fetch};
use crate::lanes;
use crate::parallel::{for_each, simd};
use crate::real::Real;
use crate::step::Incoming;

/// Elements that a task handles, about: rows of one matrix, or several matrices.
const TASK: usize = 1 << 16;
/// Elements that are summed in their own precision.
const BLOCK: usize = 1024;
/// Rows that are added to the sums of columns together.
const TOGETHER: usize = 4;

/// Matrices of one size, one after another: their gradients, and running means of the squares of those.
pub struct Matrices<'a, T> {
    pub height: usize,
    pub width: usize,
    pub grad: &'a [T],
    pub incoming: Incoming,
    pub rows: &'a mut [T],
    pub columns: &'a mut [T],
    /// Least mean of the means of rows; its square is the least variance of an element.
    pub least: f64,
}

impl<T: Real> Matrices<'_, T> {
    fn size(&self) -> usize {
        self.height * self.width
    }

    /// Matrices that a task handles.
    fn several(&self) -> usize {
        (TASK / self.size()).max(1)
    }

    /// Moves the means towards the squares of the gradients by the share `enter`; gives the sum of squares of `grad / sqrt(variance)`.
    #[inline]
    pub fn enter(&mut self, enter: f64) -> f64 {
        let (height, width, size, several) = (self.height, self.width, self.size(), self.several());
        let (incoming, least, work) = (self.incoming, self.least, self.grad.len());
        let mut sums = vec![0.0; work.div_ceil(several * size)];
        let means = self.rows.chunks_mut(several * height).zip(self.columns.chunks_mut(several * width));
        let groups: Vec<_> = self.grad.chunks(several * size).zip(means).zip(&mut sums).collect();
        if size > TASK {
            for ((grad, (rows, columns)), sum) in groups {
                let (of_rows, of_columns) = squares_of_large(grad, width, incoming);
                approach(rows, &of_rows, width, enter);
                approach(columns, &of_columns, height, enter);
                *sum = Known::new(grad, rows, columns, incoming, least).sum_of_runs();
            }
        } else {
            for_each(groups, work, |((grads, (rows, columns)), sum)| {
                let (mut of_rows, mut of_columns) = (vec![0.0; height], vec![0.0; width]);
                simd(
                    #[inline(always)]
                    || {
                        by_size(
                            height,
                            width,
                            #[inline(always)]
                            |height: usize, width: usize| {
                                let (of_rows, of_columns) = (&mut of_rows[..height], &mut of_columns[..width]);
                                let each = rows.chunks_mut(height).zip(columns.chunks_mut(width));
                                for (grad, (rows, columns)) in grads.chunks(height * width).zip(each) {
                                    of_columns.fill(0.0);
                                    squares(grad, of_rows, of_columns, incoming);
                                    approach(rows, of_rows, width, enter);
                                    approach(columns, of_columns, height, enter);
                                    *sum += Known::new(grad, rows, columns, incoming, least).sum();
                                }
                            },
                        )
                    },
                );
            });
        }
        sums.into_iter().sum()
    }

    /// `param = param * keep - size * grad / sqrt(variance)`.
    #[inline]
    pub fn descend(&self, param: &mut [T], keep: f64, size: f64) {
        let (keep, size, work) = (T::of(keep), T::of(size), param.len());
        let (height, width, incoming, least) = (self.height, self.width, self.incoming, self.least);
        if self.size() > TASK {
            let means = self.rows.chunks(height).zip(self.columns.chunks(width));
            let matrices = param.chunks_mut(self.size()).zip(self.grad.chunks(self.size())).zip(means);
            for ((param, grad), (rows, columns)) in matrices {
                let known = Known::new(grad, rows, columns, incoming, least);
                let tasks = param.chunks_mut(run(width) * width).zip(known.runs()).collect();
                for_each(tasks, work, |(param, known)| {
                    simd(
                        #[inline(always)]
                        || known.descend(param, keep, size),
                    );
                });
            }
        } else {
            let several = self.several();
            let means = self.rows.chunks(several * height).zip(self.columns.chunks(several * width));
            let groups = param.chunks_mut(several * self.size()).zip(self.grad.chunks(several * self.size())).zip(means);
            for_each(groups.collect(), work, |((params, grads), (rows, columns))| {
                simd(
                    #[inline(always)]
                    || {
                        by_size(
                            height,
                            width,
                            #[inline(always)]
                            |height: usize, width: usize| {
                                let means = rows.chunks(height).zip(columns.chunks(width));
                                let each = params.chunks_mut(height * width).zip(grads.chunks(height * width)).zip(means);
                                for ((param, grad), (rows, columns)) in each {
                                    Known::new(grad, rows, columns, incoming, least).descend(param, keep, size);
                                }
                            },
                        )
                    },
                );
            });
        }
    }
}

/// Calls `f` with the size; compiled for the usual filters by themselves, since there are so many of them that loops of unknown lengths
/// would cost more than what is in them.
#[inline(always)]
fn by_size(height: usize, width: usize, f: impl FnOnce(usize, usize)) {
    match (height, width) {
        (1, 1) => f(1, 1),
        (3, 3) => f(3, 3),
        _ => f(height, width),
    }
}

/// Rows of a large matrix that a task handles.
fn run(width: usize) -> usize {
    (TASK / width).next_multiple_of(TOGETHER).max(TOGETHER)
}

/// Moves means towards those of so many squares each.
#[inline(always)]
fn approach<T: Real>(means: &mut [T], sums: &[f64], count: usize, enter: f64) {
    for (mean, &sum) in means.iter_mut().zip(sums) {
        *mean = *mean + T::of(enter) * (T::of(sum / count as f64) - *mean);
    }
}

/// Sums of squares by rows and by columns of a matrix, spread over the cores.
#[inline]
fn squares_of_large<T: Real>(grad: &[T], width: usize, incoming: Incoming) -> (Vec<f64>, Vec<f64>) {
    let runs = grad.chunks(run(width) * width);
    let mut parts: Vec<(Vec<f64>, Vec<f64>)> = vec![Default::default(); runs.len()];
    for_each(runs.zip(&mut parts).collect(), grad.len(), |(grad, part)| {
        let (mut of_rows, mut of_columns) = (vec![0.0; grad.len() / width], vec![0.0; width]);
        simd(
            #[inline(always)]
            || squares(grad, &mut of_rows, &mut of_columns, incoming),
        );
        *part = (of_rows, of_columns);
    });
    let (mut of_rows, mut of_columns) = (Vec::with_capacity(grad.len() / width), vec![0.0; width]);
    for (rows, columns) in parts {
        of_rows.extend(rows);
        of_columns.iter_mut().zip(columns).for_each(|(sum, column)| *sum += column);
    }
    (of_rows, of_columns)
}

/// Sums of squares: those of rows are set, those of columns added.
#[inline(always)]
fn squares<T: Real>(grad: &[T], of_rows: &mut [f64], of_columns: &mut [f64], incoming: Incoming) {
    let width = of_columns.len();
    for (rows, sums) in grad.chunks(TOGETHER * width).zip(of_rows.chunks_mut(TOGETHER)) {
        for (row, sum) in rows.chunks(width).zip(sums) {
            *sum = total(
                row,
                row,
                #[inline(always)]
                |g, _| square(incoming.take(g)),
            );
        }
        if rows.len() == TOGETHER * width {
            let (first, second) = rows.split_at(2 * width);
            let pairs = first[..width].iter().zip(&first[width..]).zip(second[..width].iter().zip(&second[width..]));
            for (sum, ((&a, &b), (&c, &d))) in of_columns.iter_mut().zip(pairs) {
                let [a, b, c, d] = [a, b, c, d].map(
                    #[inline(always)]
                    |g| square(incoming.take(g)),
                );
                *sum += ((a + b) + (c + d)).f64();
            }
        } else {
            for row in rows.chunks(width) {
                for (sum, &g) in of_columns.iter_mut().zip(row) {
                    *sum += square(incoming.take(g)).f64();
                }
            }
        }
    }
}

#[inline(always)]
fn square<T: Real>(x: T) -> T {
    x * x
}

/// The sum of `f` of each pair.
#[inline(always)]
fn total<T: Real>(a: &[T], b: &[T], f: impl Fn(T, T) -> T) -> f64 {
    // Lanes cost more than they save.
    if a.len() < STRIDE {
        let each = a.iter().zip(b).map(
            #[inline(always)]
            |(&a, &b)| f(a, b).f64(),
        );
        return each.sum();
    }
    let blocks = a.chunks(BLOCK).zip(b.chunks(BLOCK)).map(
        #[inline(always)]
        |(a, b)| lanes::sum_of_two(a, b, &f).f64(),
    );
    blocks.sum()
}

/// Rows of a matrix, once its means are known.
#[derive(Clone, Copy)]
struct Known<'a, T> {
    grad: &'a [T],
    rows: &'a [T],
    columns: &'a [T],
    incoming: Incoming,
    /// Of the mean of the means of rows.
    inverse: T,
    least: T,
}

impl<'a, T: Real> Known<'a, T> {
    #[inline(always)]
    fn new(grad: &'a [T], rows: &'a [T], columns: &'a [T], incoming: Incoming, least: f64) -> Self {
        let mean = rows.iter().map(|x| x.f64()).sum::<f64>() / rows.len() as f64;
        Known { grad, rows, columns, incoming, inverse: T::of(1.0 / mean.max(least)), least: T::of(least * least) }
    }

    /// Parts that a task handles each.
    fn runs(self) -> impl Iterator<Item = Self> {
        let run = run(self.columns.len());
        self.grad.chunks(run * self.columns.len()).zip(self.rows.chunks(run)).map(move |(grad, rows)| Known { grad, rows, ..self })
    }

    #[inline(always)]
    fn variance(&self, row: T, column: T) -> T {
        (row * column * self.inverse).max(self.least)
    }

    /// The sum of squares of `grad / sqrt(variance)`.
    #[inline(always)]
    fn sum(&self) -> f64 {
        let rows = self.grad.chunks(self.columns.len()).zip(self.rows).map(
            #[inline(always)]
            |(grad, &row)| {
                total(
                    grad,
                    self.columns,
                    #[inline(always)]
                    |g, column| square(self.incoming.take(g)) / self.variance(row, column),
                )
            },
        );
        rows.sum()
    }

    /// `sum`, spread over the cores.
    #[inline]
    fn sum_of_runs(&self) -> f64 {
        let runs: Vec<Self> = self.runs().collect();
        crate::parallel::sum(&runs, self.grad.len(), |run| {
            simd(
                #[inline(always)]
                || run.sum(),
            )
        })
    }

    #[inline(always)]
    fn descend(&self, param: &mut [T], keep: T, size: T) {
        let width = self.columns.len();
        for ((param, grad), &row) in param.chunks_mut(width).zip(self.grad.chunks(width)).zip(self.rows) {
            let grads = grad.chunks(STRIDE).zip(self.columns.chunks(STRIDE));
            for (param, (grad, columns)) in param.chunks_mut(STRIDE).zip(grads) {
                if param.len() == STRIDE {
                    fetch(param, AHEAD);
                    fetch(grad, AHEAD);
                }
                for (p, (&g, &column)) in param.iter_mut().zip(grad.iter().zip(columns)) {
                    *p = *p * keep - size * (self.incoming.take(g) / self.variance(row, column).sqrt());
                }
            }
        }
    }
}

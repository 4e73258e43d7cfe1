//! Distances between rows, and norms of vectors.

use firn_kernels::distance::Distance;

use super::compare::{eq, where_};
use super::elementwise::{abs, to_dtype};
use super::index::index_select;
use super::magnitude::norm;
use super::reduce::amax;
use super::shaping::{expand, flatten, reshape, signed, squeeze, unsqueeze};
use super::vjp::{Real, composed, elements};
use super::{Floating, ops};
use crate::cpu::from_vec;
use crate::create::{room, zeros, zeros_like};
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::shape::{broadcast, show};
use crate::tape::is_enabled;
use crate::tensor::Tensor;

crate::tape::copied!(Distance);

fn run<T: Real>(inputs: &[Tensor], how: Distance, shape: Vec<usize>) -> Tensor {
    let [x, y] = inputs else { unreachable!("two lists of rows") };
    from_vec(elements(x, |x: &[T]| elements(y, |y: &[T]| how.forward(x, y))), shape.into(), T::DTYPE)
}

fn back<T: Real>(g: &Tensor, d: &Tensor, inputs: &[Tensor], how: Distance) -> Result<Vec<Tensor>> {
    let [x, y] = inputs else { unreachable!("two lists of rows") };
    let of = |how: Distance, g: &Tensor, d: &Tensor, x: &Tensor, y: &Tensor| {
        let data = elements(g, |g: &[T]| elements(d, |d: &[T]| elements(x, |x: &[T]| elements(y, |y: &[T]| how.backward(g, d, x, y)))));
        from_vec(data, x.shape().into(), T::DTYPE)
    };
    let turned = Distance { rows: how.others, others: how.rows, ..how };
    let (gt, dt) = (super::solve::mt(g)?, super::solve::mt(d)?);
    let first = if x.requires_grad() { of(how, g, d, x, y) } else { zeros_like(x)? };
    let second = if y.requires_grad() { of(turned, &gt, &dt, y, x) } else { zeros_like(y)? };
    Ok(vec![first, second])
}

/// The distances made of ops; rows that are equal have a gradient of 0, and so has that.
fn stepwise(inputs: &[Tensor], p: f64) -> Result<Tensor> {
    let differences = unsqueeze(&inputs[0], -2)? - unsqueeze(&inputs[1], -3)?;
    let equal = eq(&amax(&abs(&differences.detach())?, &[-1], true)?.into(), &0.0.into())?;
    let apart = norm(&where_(&equal, &1.0.into(), &differences.into())?, &[-1], p, false)?;
    where_(&squeeze(&equal, &[-1])?, &0.0.into(), &apart.into())
}

/// Checks that `x` holds rows of floating point numbers.
fn rows(x: &Tensor) -> Result<()> {
    if x.rank() < 2 || !x.dtype().is_float() {
        bail!(Shape, "{} {} holds no rows: a floating point tensor of rank 2 or more is needed", x.dtype().name(), show(x.shape()));
    }
    Ok(())
}

ops! {
    /// Distances `(sum |x - y|^p)^(1/p)` of every row of `[..., m, size]` from every row of `[..., n, size]`, `[..., m, n]`; what stands before
    /// broadcasts. `p` is 0 or more: 0 counts the columns that differ, Infinity takes the largest difference.
    #[example("cdist(tensor([[0, 0], [3, 4]]), tensor([[0, 0]])) // [[0], [5]]", "cdist(tensor([[0, 0], [3, 4]]), tensor([[0, 0]]), { p: 1 }) // [[0], [7]]")]
    #[face(free)]
    #[check(cases)]
    #[autocast(full)]
    fn cdist(x: &Tensor, y: &Tensor; p: f64 = 2.0) -> Tensor {
        rows(x)?;
        rows(y)?;
        let sizes = |t: &Tensor| (t.shape()[t.rank() - 2], t.shape()[t.rank() - 1]);
        let ((m, columns), (n, other)) = (sizes(x), sizes(y));
        if columns != other || x.dtype() != y.dtype() {
            bail!(Shape, "rows of {} {} and {} {} must have one size and dtype", x.dtype().name(), show(x.shape()), y.dtype().name(), show(y.shape()));
        }
        if p.is_nan() || p < 0.0 {
            bail!(Argument, "p must be 0 or more and is {p}");
        }
        let lead = broadcast(&x.shape()[..x.rank() - 2], &y.shape()[..y.rank() - 2])?;
        let kept = if x.dtype() == DType::Float64 { DType::Float64 } else { DType::Float32 };
        let whole = |t: &Tensor| expand(&to_dtype(t, kept)?, &signed(&[&lead[..], &t.shape()[t.rank() - 2..]].concat()));
        let out = distances(&[whole(x)?, whole(y)?], Distance { rows: m, others: n, columns, p })?;
        if out.dtype() == x.dtype() { Ok(out) } else { to_dtype(&out, x.dtype()) }
    }

    /// The distances by a kernel; `inputs` are two lists of rows of one batch.
    #[face()]
    #[check(none, "checked as cdist")]
    fn distances(inputs: &[Tensor], how: Distance) -> Tensor {
        let shape = [&inputs[0].shape()[..inputs[0].rank() - 1], &[how.others]].concat();
        room(&shape, inputs[0].dtype())?;
        match inputs[0].dtype() {
            _ if inputs.iter().any(|x| x.size() == 0) => zeros(&shape, inputs[0].dtype()),
            DType::Float64 => Ok(run::<f64>(inputs, how, shape)),
            _ => Ok(run::<f32>(inputs, how, shape)),
        }
    }
    grad(g, y; inputs, how) {
        inputs: if how.p == 0.0 || inputs.iter().any(|x| x.size() == 0) {
            inputs.iter().map(zeros_like).collect::<Result<Vec<_>>>()?
        } else if is_enabled() {
            composed(inputs, g, |inputs| stepwise(inputs, how.p))?
        } else {
            match g.dtype() {
                DType::Float64 => back::<f64>(g, y, inputs, how)?,
                _ => back::<f32>(g, y, inputs, how)?,
            }
        }
    }

    /// Distances of the rows of `[n, size]` from one another, those of `cdist(x, x)` above the diagonal, row by row: `n (n - 1) / 2` of them.
    #[example("F.pdist(tensor([[0, 0], [3, 4], [3, 0]])) // [5, 3, 4]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(full)]
    fn pdist(x: &Tensor; p: f64 = 2.0) -> Tensor {
        if x.rank() != 2 {
            bail!(Shape, "{} is no list of rows; two dimensions are needed", show(x.shape()));
        }
        let n = x.shape()[0];
        let places: Vec<i64> = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i * n + j) as i64)).collect();
        let count = places.len();
        let all = flatten(&cdist(x, x, p)?, 0, -1)?;
        if count == 0 {
            return reshape(&super::shaping::narrow(&all, 0, 0, 0)?, &[0]);
        }
        index_select(&all, 0, &from_vec(places, [count].into(), DType::Int64))
    }

    /// The norm `(sum |x|^ord)^(1/ord)` over `dim`, all by default. 0 counts what is not 0; Infinity and -Infinity give the largest and the
    /// smallest `|x|`.
    #[example("linalg.vectorNorm(tensor([3, -4])) // 5", "linalg.vectorNorm(tensor([3, 0, -4]), { ord: 0 }) // 2")]
    #[face(linalg)]
    #[check(cases)]
    #[torch("linalg.vector_norm")]
    #[autocast(full)]
    fn vector_norm(x: &Tensor; ord: f64 = 2.0, dim: &[isize] = [], keep_dim: bool = false) -> Floating {
        norm(x, dim, ord, keep_dim)
    }
}

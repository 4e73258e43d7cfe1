//! Matrix products.

use burn_backend::ops::{FloatTensorOps, IntTensorOps};
use burn_dispatch::Dispatch;
use firn_kernels::matrix;

use super::elementwise::add;
use super::ops;
use super::shaping::{reshape, signed, transpose, unsqueeze};
use crate::cpu;
use crate::dtype::{DType, Kind, promote};
use crate::error::{Result, bail};
use crate::pairs;
use crate::shape::show;
use crate::tensor::{Tensor, Value, cast, reshape as reshape_value};

/// `x` as a matrix `[rows, last]`.
fn rows(x: &Tensor) -> Result<Tensor> {
    if x.rank() == 2 {
        return Ok(x.clone());
    }
    let last = x.shape()[x.rank() - 1] as isize;
    let all = x.shape()[..x.rank() - 1].iter().product::<usize>() as isize;
    reshape(x, &[all, last])
}

fn inner(a: &Tensor, b: &Tensor) -> Result<()> {
    let (m, n) = (a.shape().last().copied(), b.shape()[b.rank().saturating_sub(2)..].first().copied());
    if a.rank() == 0 || b.rank() == 0 {
        bail!(Shape, "{} x {}: numbers (rank 0) have no matrix product; use .mul()", show(a.shape()), show(b.shape()));
    }
    match (m, n) {
        (Some(m), Some(n)) if m == n => Ok(()),
        (m, n) => bail!(
            Shape,
            "{} x {}: inner sizes differ ({} and {}); the last of the left must equal the second to last of the right",
            show(a.shape()),
            show(b.shape()),
            m.unwrap_or(1),
            n.unwrap_or(1)
        ),
    }
}

ops! {
    /// Matrix product, with PyTorch's rules: vectors count as a row on the left and a column on the right,
    /// further leading dimensions are batches and broadcast.
    #[example(
        "tensor([[1, 2], [3, 4]]).matmul(tensor([10, 1])) // [12, 34]",
        "zeros([8, 2, 3]).matmul(zeros([3, 5])) // shape [8, 2, 5]",
    )]
    #[face(method)]
    #[check(cases)]
    #[autocast(low)]
    fn matmul(a: &Tensor, b: &Tensor) -> Tensor {
        inner(a, b)?;
        let left = if a.rank() == 1 { unsqueeze(a, 0)? } else { a.clone() };
        let right = if b.rank() == 1 { unsqueeze(b, 1)? } else { b.clone() };
        let (n, p) = (left.shape()[left.rank() - 2], right.shape()[right.rank() - 1]);
        // One matrix on the right: all batches of the left are rows of one product.
        let out = if right.rank() == 2 && left.rank() > 2 { matrices(&rows(&left)?, &right)? } else { matrices(&left, &right)? };
        let mut shape = if right.rank() == 2 { left.shape()[..left.rank() - 2].to_vec() } else { out.shape()[..out.rank() - 2].to_vec() };
        if a.rank() > 1 {
            shape.push(n);
        }
        if b.rank() > 1 {
            shape.push(p);
        }
        if out.shape() == shape { Ok(out) } else { reshape(&out, &signed(&shape)) }
    }

    /// The product of (batches of) matrices, rank 2 or more on both sides.
    #[face()]
    #[check(none, "checked as matmul")]
    fn matrices(a: &Tensor, b: &Tensor) -> Tensor {
        let dtype = promote(a.dtype(), b.dtype());
        if dtype == DType::Bool {
            bail!(Dtype, "booleans have no matrix product; convert to integers or floats first");
        }
        let mut shape = crate::shape::broadcast(&a.shape()[..a.rank() - 2], &b.shape()[..b.rank() - 2])?.to_vec();
        shape.extend([a.shape()[a.rank() - 2], b.shape()[b.rank() - 1]]);
        crate::create::room(&shape, dtype)?;
        if a.size() == 0 || b.size() == 0 {
            return crate::create::zeros(&shape, dtype);
        }
        let (left, right) = (a.value_as(dtype), b.value_as(dtype));
        if let Some(out) = pairs::products(&left, &right, &shape, dtype) {
            return Ok(out);
        }
        let rank = a.rank().max(b.rank());
        let ranked = |value: Value, x: &Tensor| {
            let mut shape = vec![1; rank - x.rank()];
            shape.extend_from_slice(x.shape());
            reshape_value(value, dtype.kind(), shape.into())
        };
        let (left, right) = (ranked(left, a), ranked(right, b));
        Ok(match dtype.kind() {
            Kind::Float => Tensor::new(Dispatch::float_matmul(left, right), dtype),
            // The engine knows no products of narrow integers.
            _ => {
                let wide = |x: Value| cast(x, dtype, DType::Int64);
                Tensor::new(cast(Dispatch::int_matmul(wide(left), wide(right)), DType::Int64, dtype), dtype)
            }
        })
    }
    grad(g; a, b) { a: matrices(g, &transpose(b, -1, -2)?)?, b: matrices(&transpose(a, -1, -2)?, g)? }

    /// `x @ weight^T + bias`: `[..., in]` with a weight `[out, in]` and a bias `[out]` gives `[..., out]`.
    #[example("F.linear(tensor([[1, 2]]), tensor([[3, 4], [5, 6]]), tensor([0, 1])) // [[11, 18]]")]
    #[face(functional)]
    #[check(cases)]
    #[autocast(low)]
    fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor> = None) -> Tensor {
        if weight.rank() != 2 || x.rank() == 0 || x.shape()[x.rank() - 1] != weight.shape()[1] {
            bail!(Shape, "input {} does not fit weight {}: the last size of the input must be {}", show(x.shape()), show(weight.shape()), weight.shape().last().copied().unwrap_or(1));
        }
        if let Some(bias) = bias.filter(|bias| bias.shape() != &weight.shape()[..1]) {
            bail!(Shape, "bias {} does not fit weight {}: expected [{}]", show(bias.shape()), show(weight.shape()), weight.shape()[0]);
        }
        let mut shape = signed(x.shape());
        shape[x.rank() - 1] = weight.shape()[0] as isize;
        let out = matrices(&rows(x)?, &transpose(weight, 0, 1)?)?;
        let out = match bias {
            Some(bias) if bias.dtype() == out.dtype() && out.dtype().is_float() => add_row(out, bias),
            Some(bias) => add(&out.into(), &bias.into())?,
            None => out,
        };
        reshape(&out, &shape)
    }
    grad(g; x, weight) {
        x: reshape(&matrices(&rows(g)?, weight)?, &signed(x.shape()))?,
        weight: matrices(&transpose(&rows(g)?, 0, 1)?, &rows(x)?)?,
        bias: rows(g)?,
    }
}

/// Adds a row to every row of a matrix nobody else holds.
fn add_row(matrix: Tensor, row: &Tensor) -> Tensor {
    let dtype = matrix.dtype();
    let (mut matrix, size, row) = (matrix.into_value(), row.size(), cpu::as_contiguous(row));
    match dtype {
        DType::Float32 => matrix::add_row(cpu::slice_mut::<f32>(&mut matrix), cpu::slice(&row)),
        DType::Float64 => matrix::add_row(cpu::slice_mut::<f64>(&mut matrix), cpu::slice(&row)),
        _ => matrix = Dispatch::float_add(matrix, reshape_value(row.into_owned(), Kind::Float, [1, size].into())),
    }
    Tensor::new(matrix, dtype)
}

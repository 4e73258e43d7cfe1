//! Products of elements.

use burn_std::Shape;
use firn_kernels::scan;

use super::compare::eq;
use super::cumulative::{along, behind_one, cumprod, stored, summed};
use super::reduce::{any, restored};
use super::shaping::{expand_to, flip, permute, reshape, signed};
use super::{Summed, ops};
use crate::cpu::{from_vec, item, slice};
use crate::dtype::DType;
use crate::error::Result;
use crate::shape::{axes, reduced};
use crate::tensor::Tensor;

ops! {
    /// Product over `dims`, all by default; integers and booleans give int64. The gradient holds where elements are 0, too.
    #[example("const x = tensor([[1, 2], [3, 4]])", "x.prod() // 24", "x.prod(0) // [3, 8]", "x.prod(-1, { keepDim: true }) // [[2], [12]]")]
    #[face(method)]
    #[check(cases)]
    #[autocast(full)]
    fn prod(x: &Tensor, dims: &[isize] = []; keep_dim: bool = false) -> Summed {
        let axes = axes(dims, x.rank())?;
        let shape = reduced(x.shape(), &axes, keep_dim);
        let (value, inner, dtype) = summed(x);
        if x.size() == 0 {
            return crate::create::full(&shape, 1.0, dtype);
        }
        if axes.len() == x.rank() {
            let list = reshape(&Tensor::new(value, inner), &[-1])?;
            return Ok(stored(over(&list, 0, shape)?, dtype));
        }
        let mut out = Tensor::new(value, inner);
        for &axis in &axes {
            let kept = reduced(out.shape(), &[axis], true);
            out = over(&out, axis as isize, kept)?;
        }
        Ok(stored(reshape(&out, &signed(&shape))?, dtype))
    }
    grad(g, y; x, dims) { x: others(g, y, x, dims)? }
}

fn over(x: &Tensor, dim: isize, shape: Shape) -> Result<Tensor> {
    let (along, (value, inner, _)) = (along(x, dim)?, summed(x));
    Ok(match inner {
        DType::Float32 => from_vec(scan::products::<f32>(slice(&value), along), shape, inner),
        DType::Float64 => from_vec(scan::products::<f64>(slice(&value), along), shape, inner),
        _ => from_vec(scan::products::<i64>(slice(&value), along), shape, inner),
    })
}

/// `g` times the product of all other elements: by division, or where a zero forbids it from the products before and behind each.
fn others(g: &Tensor, y: &Tensor, x: &Tensor, dims: &[isize]) -> Result<Tensor> {
    let (g, y) = (restored(g, x.shape(), dims)?, restored(y, x.shape(), dims)?);
    if x.size() == 0 || item(&any(&eq(&x.into(), &0.0.into())?, &[], false)?)? == 0.0 {
        return Ok(expand_to(&(g * y), x.shape())? / x);
    }
    let axes = axes(dims, x.rank())?;
    let mut order: Vec<isize> = (0..x.rank()).filter(|at| !axes.contains(at)).map(|at| at as isize).collect();
    let mut shape: Vec<isize> = order.iter().map(|&at| x.shape()[at as usize] as isize).collect();
    shape.push(-1);
    order.extend(axes.iter().map(|&at| at as isize));
    let turned = permute(x, &order)?;
    let line = reshape(&turned, &shape)?;
    let before = behind_one(&cumprod(&line, -1)?, -1)?;
    let behind = flip(&behind_one(&cumprod(&flip(&line, &[-1])?, -1)?, -1)?, &[-1])?;
    let mut back = vec![0; order.len()];
    order.iter().enumerate().for_each(|(to, &from)| back[from as usize] = to as isize);
    Ok(permute(&reshape(&(before * behind), &signed(turned.shape()))?, &back)? * g)
}

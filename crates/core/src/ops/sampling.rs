//! Images read at the places of a grid.

use firn_kernels::grid::{Filter, Grid, Outside};

use super::choice::{GridMode, GridPadding};
use super::elementwise::to_dtype;
use super::index::gather;
use super::linalg::matmul;
use super::ops;
use super::select::select;
use super::shaping::{expand, reshape, signed, stack, transpose, unsqueeze};
use super::vjp::{Real, composed, elements};
use crate::cpu::from_vec;
use crate::create::{from_numbers, room, zeros, zeros_like};
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::shape::show;
use crate::tape::is_enabled;
use crate::tensor::Tensor;

crate::tape::copied!(Grid);

fn geometry(x: &Tensor, grid: &Tensor, mode: GridMode, padding: GridPadding, corners: bool) -> Result<Grid> {
    let rank = x.rank().wrapping_sub(2);
    let names = || format!("input {} {} and grid {} {}", x.dtype().name(), show(x.shape()), grid.dtype().name(), show(grid.shape()));
    if !matches!(rank, 2 | 3) || grid.rank() != x.rank() || x.dtype() != grid.dtype() || !x.dtype().is_float() {
        bail!(
            Shape,
            "{}: expected [batch, channels, height, width] and [batch, height, width, 2], or the same with depths and 3, of one floating point dtype",
            names()
        );
    }
    if x.shape()[0] != grid.shape()[0] || grid.shape()[rank + 1] != rank {
        bail!(Shape, "{}: the batches must be equal and the last size of the grid {rank}", names());
    }
    if x.shape()[2..].contains(&0) {
        bail!(Shape, "{}: images without elements cannot be read", names());
    }
    if mode == GridMode::Bicubic && rank == 3 {
        bail!(Argument, "mode 'bicubic' is for two dimensions, and the input is {}", show(x.shape()));
    }
    let mut input = [1; 3];
    input[3 - rank..].copy_from_slice(&x.shape()[2..]);
    Ok(Grid {
        batch: x.shape()[0],
        channels: x.shape()[1],
        input,
        places: grid.shape()[1..=rank].iter().product(),
        rank,
        filter: match mode {
            GridMode::Bilinear => Filter::Linear,
            GridMode::Nearest => Filter::Nearest,
            GridMode::Bicubic => Filter::Cubic,
        },
        outside: match padding {
            GridPadding::Zeros => Outside::Zeros,
            GridPadding::Border => Outside::Border,
            GridPadding::Reflection => Outside::Reflection,
        },
        corners,
    })
}

/// Sizes of the result.
fn result(x: &Tensor, grid: &Tensor) -> Vec<usize> {
    let places = &grid.shape()[1..grid.rank() - 1];
    [&x.shape()[..2], places].concat()
}

/// The samples made of ops: weights are polynomials in the distance from where the grid is now, so any gradient is exact.
fn stepwise<T: Real>(inputs: &[Tensor], how: Grid) -> Result<Tensor> {
    let [x, grid] = inputs else { unreachable!("images and grids") };
    let (batch, channels, places) = (how.batch, how.channels, how.places);
    let flat = reshape(x, &signed(&[batch, channels, how.input.iter().product()]))?;
    let coordinates = reshape(grid, &signed(&[batch, places, how.rank]))?;
    let distance = &coordinates - &coordinates.detach();
    let list = |data: Vec<T>| from_vec(data, [batch, places].into(), T::DTYPE);
    let mut weights = Vec::new();
    for (side, taps) in elements(grid, |grid: &[T]| how.polynomials(grid)).into_iter().enumerate() {
        let d = select(&distance, 2, side as isize)?;
        let of = |[a, b, c, e]: [Vec<T>; 4]| match how.filter {
            Filter::Nearest => list(a),
            Filter::Linear => list(a) + &d * list(b),
            Filter::Cubic => list(a) + &d * (list(b) + &d * (list(c) + &d * list(e))),
        };
        weights.push(taps.into_iter().map(of).collect::<Vec<_>>());
    }
    let mut out = None;
    for (at, found) in elements(grid, |grid: &[T]| how.elements(grid)).into_iter().enumerate() {
        let inside: Vec<T> = found.iter().map(|&at| T::of(if at < 0 { 0.0 } else { 1.0 })).collect();
        let found = from_vec(found.into_iter().map(|at| at.max(0)).collect(), [batch, 1, places].into(), DType::Int64);
        let read = gather(&flat, 2, &expand(&found, &signed(&[batch, channels, places]))?)?;
        // The taps of the last side are counted first.
        let mut weight = list(inside);
        let mut rest = at;
        for side in &weights {
            weight = weight * &side[rest % side.len()];
            rest /= side.len();
        }
        let part = read * unsqueeze(&weight, 1)?;
        out = Some(out.map_or_else(|| part.clone(), |sum: Tensor| sum + &part));
    }
    match out {
        Some(out) => reshape(&out, &signed(&result(x, grid))),
        None => zeros(&result(x, grid), T::DTYPE),
    }
}

fn run<T: Real>(inputs: &[Tensor], how: Grid) -> Tensor {
    let [x, grid] = inputs else { unreachable!("images and grids") };
    let out = elements(x, |x: &[T]| elements(grid, |grid: &[T]| how.forward(x, grid)));
    from_vec(out, result(x, grid).into(), T::DTYPE)
}

/// Gradients for those inputs that ask for one, zeros for the other.
fn back<T: Real>(g: &Tensor, inputs: &[Tensor], how: Grid) -> Result<Vec<Tensor>> {
    let [x, grid] = inputs else { unreachable!("images and grids") };
    if g.size() == 0 {
        return inputs.iter().map(zeros_like).collect();
    }
    let image = match x.requires_grad() {
        true => from_vec(elements(g, |g: &[T]| elements(grid, |grid: &[T]| how.image_grad(g, grid))), x.shape().into(), T::DTYPE),
        false => zeros_like(x)?,
    };
    let places = match grid.requires_grad() {
        true => {
            let data = elements(g, |g: &[T]| elements(x, |x: &[T]| elements(grid, |grid: &[T]| how.grid_grad(g, x, grid))));
            from_vec(data, grid.shape().into(), T::DTYPE)
        }
        false => zeros_like(grid)?,
    };
    Ok(vec![image, places])
}

/// `count` places from -1 to 1, at the centres of as many elements unless the outermost ones lie on the corners.
fn line(count: usize, corners: bool, dtype: DType) -> Result<Tensor> {
    let shrunk = if corners { 1.0 } else { (count as f64 - 1.0) / count as f64 };
    let step = if count > 1 { 2.0 / (count as f64 - 1.0) } else { 0.0 };
    let first = if count > 1 { -1.0 } else { 0.0 };
    let numbers: Vec<f64> = (0..count).map(|at| (first + step * at as f64) * shrunk).collect();
    from_numbers(&numbers, &[count], dtype)
}

ops! {
    /// Reads images `[batch, channels, height, width]` at the places `[batch, rows, columns, 2]` of a grid, or volumes with a depth at places
    /// of three coordinates. Coordinates run from -1 to 1, x first; `alignCorners` puts them at the centres of the outermost elements
    /// rather than at their edges. `paddingMode` says what lies beyond; a place that is not finite reads as NaN where that is zeros.
    #[example(
        "const grid = tensor([[[[0, 0], [1, 1]]]])",
        "F.gridSample(tensor([[[[1, 2], [3, 4]]]]), grid, { alignCorners: true }) // [[[[2.5, 4]]]]",
        "F.gridSample(tensor([[[[1, 2], [3, 4]]]]), grid.mul(5), { mode: 'nearest', paddingMode: 'border' }) // [[[[1, 4]]]]",
    )]
    #[face(functional)]
    #[check(cases)]
    #[autocast(widest)]
    fn grid_sample(
        x: &Tensor, grid: &Tensor;
        mode: GridMode = Bilinear, padding_mode: GridPadding = Zeros, align_corners: bool = false
    ) -> Tensor {
        let how = geometry(x, grid, mode, padding_mode, align_corners)?;
        let kept = if x.dtype() == DType::Float64 { DType::Float64 } else { DType::Float32 };
        let out = grid_samples(&[to_dtype(x, kept)?, to_dtype(grid, kept)?], how)?;
        if out.dtype() == x.dtype() { Ok(out) } else { to_dtype(&out, x.dtype()) }
    }

    /// The samples by a kernel; `inputs` are images and grids.
    #[face()]
    #[check(none, "checked as gridSample")]
    fn grid_samples(inputs: &[Tensor], how: Grid) -> Tensor {
        let shape = result(&inputs[0], &inputs[1]);
        room(&shape, inputs[0].dtype())?;
        match inputs[0].dtype() {
            _ if shape.contains(&0) => zeros(&shape, inputs[0].dtype()),
            DType::Float64 => Ok(run::<f64>(inputs, how)),
            _ => Ok(run::<f32>(inputs, how)),
        }
    }
    grad(g; inputs, how) {
        inputs: match g.dtype() {
            DType::Float64 if is_enabled() => composed(inputs, g, |inputs| stepwise::<f64>(inputs, how))?,
            DType::Float64 => back::<f64>(g, inputs, how)?,
            _ if is_enabled() => composed(inputs, g, |inputs| stepwise::<f32>(inputs, how))?,
            _ => back::<f32>(g, inputs, how)?,
        }
    }

    /// The grid that `gridSample` reads a shifted, turned or stretched image with: matrices `[batch, 2, 3]` and the `size` of the result,
    /// `[batch, channels, height, width]`, give `[batch, height, width, 2]`; volumes take `[batch, 3, 4]` and five sizes.
    #[example(
        "F.affineGrid(tensor([[[1, 0, 0], [0, 1, 0]]]), [1, 1, 1, 2]) // [[[[-0.5, 0], [0.5, 0]]]]",
        "F.affineGrid(tensor([[[0, 1, 0], [1, 0, 0.5]]]), [1, 1, 1, 2], { alignCorners: true }) // [[[[0, -0.5], [0, 1.5]]]]",
    )]
    #[face(functional)]
    #[check(cases)]
    fn affine_grid(theta: &Tensor, size: &[isize]; align_corners: bool = false) -> Tensor {
        let sizes: Vec<usize> = size.iter().map(|&n| usize::try_from(n).unwrap_or(0)).collect();
        let rank = sizes.len().wrapping_sub(2);
        let wanted = [sizes.first().copied().unwrap_or(0), rank, rank.wrapping_add(1)];
        if !matches!(rank, 2 | 3) || theta.shape() != wanted || !theta.dtype().is_float() {
            let names = (theta.dtype().name(), show(theta.shape()));
            bail!(Shape, "theta {} {} and size {size:?}: expected floating point [batch, 2, 3] and [batch, channels, height, width], or [batch, 3, 4] and five sizes", names.0, names.1);
        }
        if sizes[1..].contains(&0) {
            bail!(Argument, "sizes must be 1 or more and are {size:?}");
        }
        let kept = if theta.dtype() == DType::Float64 { DType::Float64 } else { DType::Float32 };
        let image = &sizes[2..];
        let mut columns = Vec::new();
        for side in (0..rank).rev() {
            let mut shape = vec![1; rank];
            shape[side] = image[side] as isize;
            columns.push(expand(&reshape(&line(image[side], align_corners, kept)?, &shape)?, &signed(image))?);
        }
        columns.push(crate::create::full(image, 1.0, kept)?);
        let places = reshape(&stack(&columns, -1)?, &[-1, rank as isize + 1])?;
        let grid = matmul(&places, &transpose(&to_dtype(theta, kept)?, 1, 2)?)?;
        let shape = [&sizes[..1], image, &[rank]].concat();
        to_dtype(&reshape(&grid, &signed(&shape))?, theta.dtype())
    }
}

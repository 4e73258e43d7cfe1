//! Momentum made orthogonal.

use firn_kernels::matrix::{Matrix, Threads, product};
use firn_kernels::real::Real;

use crate::cpu;
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::ops::elementwise::maximum;
use crate::ops::linalg::matmul;
use crate::ops::magnitude::norm;
use crate::ops::shaping::transpose;
use crate::optim::options::options;
use crate::optim::rule::{Part, Rule, Work, like};
use crate::shape::show;
use crate::tensor::Tensor;

options! {
    /// Muon: the momentum of a matrix, made orthogonal by Newton and Schulz's iteration (Jordan et al., 2024), as `torch.optim.Muon`, which
    /// iterates in bfloat16; here it is the parameter's precision. For matrices only: give the other parameters to AdamW.
    rule Muon as muon, slots ["momentum_buffer"]
    /// Learning rate.
    lr: f64 = 1e-3, ">= 0";
    /// Share of the parameter, times `lr`, taken off at each step.
    weight_decay: f64 = 0.1, ">= 0";
    /// Share of the previous direction kept.
    momentum: f64 = 0.95, ">= 0";
    /// Nesterov's momentum.
    nesterov: bool = true, "";
    /// Coefficients of the iteration: of the matrix, its third and its fifth power.
    ns_coefficients: [f64; 3] = [3.4445, -4.775, 2.0315], "finite";
    /// Iterations.
    ns_steps: f64 = 5.0, ">= 1";
    /// Least norm that the matrix is divided by at first.
    eps: f64 = 1e-7, "> 0";
    /// Scale steps to the size that AdamW's have (Moonshot AI, 2025), so that its rates fit; otherwise by the shape, as in the original.
    match_rms_adam_w: bool = false, "";
    /// Ascend instead of descend.
    maximize: bool = false, "";
}

impl Muon {
    /// The rate for a matrix of this shape.
    fn rate(&self, rows: usize, columns: usize) -> f64 {
        let (rows, columns) = (rows as f64, columns as f64);
        self.lr * if self.match_rms_adam_w { 0.2 * rows.max(columns).sqrt() } else { (rows / columns).max(1.0).sqrt() }
    }

    fn step<T: Real + burn_std::Element + bytemuck::Pod>(&self, work: &mut Work<'_, Self>) -> Result<()> {
        let (rows, columns) = sides(work.param)?;
        let incoming = work.incoming;
        let [buffer] = Part::tensors(work.state)?;
        let (momentum, enter) = (T::of(self.momentum), T::of(1.0 - self.momentum));
        let buffer: &mut [T] = cpu::slice_mut(buffer.value_mut());
        let mut direction: Vec<T> = Vec::with_capacity(buffer.len());
        for (buffer, &g) in buffer.iter_mut().zip(cpu::slice::<T>(&work.grad)) {
            let g = incoming.take(g);
            *buffer = *buffer + enter * (g - *buffer);
            direction.push(if self.nesterov { g + momentum * (*buffer - g) } else { *buffer });
        }
        self.orthogonalise(&mut direction, rows, columns);
        let (keep, rate) = (T::of(1.0 - self.lr * self.weight_decay), T::of(self.rate(rows, columns)));
        let param: &mut [T] = cpu::slice_mut(work.param.value_mut());
        for (p, &step) in param.iter_mut().zip(&direction) {
            *p = *p * keep - rate * step;
        }
        work.follow::<T>();
        Ok(())
    }

    /// `x = a x + (b g + c g^2) x` with the Gram matrix `g` of the shorter side, some times.
    fn orthogonalise<T: Real>(&self, x: &mut Vec<T>, rows: usize, columns: usize) {
        let [a, b, c] = self.ns_coefficients.map(T::of);
        let norm = x.iter().map(|x| x.f64() * x.f64()).sum::<f64>().sqrt().max(self.eps);
        for x in x.iter_mut() {
            *x = *x / T::of(norm);
        }
        let short = rows.min(columns);
        let (mut gram, mut square) = (vec![T::of(0.0); short * short], vec![T::of(0.0); short * short]);
        for _ in 0..self.ns_steps as usize {
            let here = Matrix::new(x, rows, columns);
            let (left, right) = if rows <= columns { (here, here.transposed()) } else { (here.transposed(), here) };
            product(&mut gram, false, left, right, Threads::All);
            let g = Matrix::new(&gram, short, short);
            product(&mut square, false, g, g, Threads::All);
            for (square, &gram) in square.iter_mut().zip(&gram) {
                *square = b * gram + c * *square;
            }
            let mut next: Vec<T> = x.iter().map(|&x| a * x).collect();
            let polynomial = Matrix::new(&square, short, short);
            let (left, right) = if rows <= columns { (polynomial, here) } else { (here, polynomial) };
            product(&mut next, true, left, right, Threads::All);
            *x = next;
        }
    }
}

fn sides(param: &Tensor) -> Result<(usize, usize)> {
    match param.shape() {
        &[rows, columns] => Ok((rows, columns)),
        other => bail!(Shape, "muon steps matrices only and got a parameter of shape {}; give it to another optimizer", show(other)),
    }
}

impl Rule for Muon {
    fn check(&self, param: &Tensor) -> Result<()> {
        sides(param).map(|_| ())
    }

    fn first(&self, _slot: usize, param: &Tensor) -> Result<Tensor> {
        like(param, 0.0)
    }

    fn plain(&self, part: Part<'_>) -> Result<Tensor> {
        let Part { param, grad, state, .. } = part;
        let (rows, columns) = sides(&param)?;
        let [a, b, c] = self.ns_coefficients;
        let [buffer] = Part::tensors(state)?;
        *buffer = &*buffer + &((&grad - &*buffer) * (1.0 - self.momentum));
        let direction = if self.nesterov { &grad + &((&*buffer - &grad) * self.momentum) } else { buffer.clone() };
        let mut x = if rows > columns { transpose(&direction, 0, 1)? } else { direction };
        x = &x / &maximum(&norm(&x, &[], 2.0, false)?.into(), &self.eps.into())?;
        for _ in 0..self.ns_steps as usize {
            let gram = matmul(&x, &transpose(&x, 0, 1)?)?;
            let polynomial = &gram * b + matmul(&gram, &gram)? * c;
            x = &x * a + matmul(&polynomial, &x)?;
        }
        let x = if rows > columns { transpose(&x, 0, 1)? } else { x };
        Ok(param * (1.0 - self.lr * self.weight_decay) - x * self.rate(rows, columns))
    }

    fn fused(work: Vec<Work<'_, Self>>) -> Result<Vec<Work<'_, Self>>> {
        let mut rest = Vec::new();
        for mut work in work {
            let rule = work.rule;
            match work.param.dtype() {
                DType::Float32 => rule.step::<f32>(&mut work)?,
                DType::Float64 => rule.step::<f64>(&mut work)?,
                _ => rest.push(work),
            }
        }
        Ok(rest)
    }
}

//! Several moments at once, and how variables vary together.

use super::diagonal::diagonal;
use super::elementwise::{clamp, maximum, sqrt, to_dtype};
use super::linalg::matmul;
use super::reduce::{mean, std, sum, var};
use super::shaping::{reshape, transpose, unsqueeze};
use super::{Index, Outputs, ops};
use crate::create::full;
use crate::error::{Result, bail};
use crate::shape::show;
use crate::tensor::Tensor;

ops! {
    /// Variance and mean over `dims`, all by default; see `var`.
    #[example("const { variance, mean } = tensor([1, 3]).varMean()", "variance // 2", "mean // 2")]
    #[outputs(variance: Tensor, mean: Tensor)]
    #[face(method)]
    #[check(cases)]
    fn var_mean(x: &Tensor, dims: &[isize] = []; correction: f64 = 1.0, keep_dim: bool = false) -> Outputs {
        Ok(vec![var(x, dims, correction, keep_dim)?, mean(x, dims, keep_dim)?])
    }

    /// Standard deviation and mean over `dims`, all by default; see `std`.
    #[example("const { std, mean } = tensor([1, 3]).stdMean()", "std // 1.414214", "mean // 2")]
    #[outputs(std: Tensor, mean: Tensor)]
    #[face(method)]
    #[check(cases)]
    fn std_mean(x: &Tensor, dims: &[isize] = []; correction: f64 = 1.0, keep_dim: bool = false) -> Outputs {
        Ok(vec![std(x, dims, correction, keep_dim)?, mean(x, dims, keep_dim)?])
    }

    /// The covariances of the rows, variables of which each column is an observation, counted `frequencies` times (integers) and weighted by
    /// `weights`; divided by the sum of weights less `correction`. A list is one variable, and its variance a number.
    #[example("tensor([[0, 1, 2], [2, 1, 0]]).cov() // [[1, -1], [-1, 1]]")]
    #[face(method)]
    #[check(cases)]
    fn cov(x: &Tensor; correction: f64 = 1.0, frequencies: Option<&Index> = None, weights: Option<&Tensor> = None) -> Tensor {
        if x.rank() > 2 || !x.dtype().is_float() {
            bail!(Shape, "expected a floating point matrix, variables by observations, or a list, and got {} {}", x.dtype().name(), show(x.shape()));
        }
        let rows = if x.rank() == 2 { x.clone() } else { reshape(x, &[1, -1])? };
        let weight = match (frequencies, weights) {
            (Some(counts), Some(weights)) => Some(observed(counts, &rows)? * &observed(weights, &rows)?),
            (Some(one), None) | (None, Some(one)) => Some(observed(one, &rows)?),
            (None, None) => None,
        };
        let count = rows.shape()[1] as f64;
        let (centred, weighted, n) = match &weight {
            None => {
                let centred = &rows - &mean(&rows, &[1], true)?;
                (centred.clone(), centred, full(&[], (count - correction).max(0.0), x.dtype())?)
            }
            Some(weight) => {
                let total = sum(weight, &[], false)?;
                let centred = &rows - &(sum(&(&rows * weight), &[1], true)? / &total);
                // Weights that are no counts leave fewer observations: total - correction * sum(w * a) / total.
                let lost = match weights {
                    Some(given) => sum(&(weight * &observed(given, &rows)?), &[], false)? / &total,
                    None => full(&[], 1.0, x.dtype())?,
                };
                (centred.clone(), centred * weight, maximum(&(total - lost * correction).into(), &0.0.into())?)
            }
        };
        let out = matmul(&weighted, &transpose(&centred, 0, 1)?)? / n;
        if x.rank() == 2 && x.shape()[0] != 1 { Ok(out) } else { reshape(&out, &[]) }
    }

    /// The correlations of the rows, variables of which each column is an observation: `cov` by the standard deviations, from -1 to 1.
    #[example("tensor([[0, 1, 2], [4, 2, 0]]).corrcoef() // [[1, -1], [-1, 1]]")]
    #[face(method)]
    #[check(cases)]
    fn corrcoef(x: &Tensor) -> Tensor {
        let cov = cov(x, 1.0, None, None)?;
        if cov.rank() == 0 {
            // 1, or NaN where there is no variance.
            return Ok(cov.clone() / cov);
        }
        let deviations = sqrt(&diagonal(&cov, 0, 0, 1)?)?;
        let out = cov / unsqueeze(&deviations, 1)? / unsqueeze(&deviations, 0)?;
        clamp(&out, Some(-1.0), Some(1.0))
    }
}

/// Weights of the observations, as a list of the dtype of `rows`.
fn observed(weights: &Tensor, rows: &Tensor) -> Result<Tensor> {
    if weights.shape() != &rows.shape()[1..] {
        bail!(Shape, "weights {} must be a list with one for each of {} observations", show(weights.shape()), rows.shape()[1]);
    }
    to_dtype(weights, rows.dtype())
}

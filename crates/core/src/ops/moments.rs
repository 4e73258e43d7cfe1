//! Several moments at once, and how variables vary together.

use super::reduce::{mean, std, var};
use super::{Outputs, ops};
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
}

//! Autocast: while a region is open, ops bring their floating point arguments to the precision that their class computes in.
//!
//! The class of an op is in its row, `#[autocast(low)]`; `ops!` asks here before the body runs. An op of a class runs with autocast
//! off inside, so whatever it is made of computes in what it was given. The casts are ops of the tape, so gradients come back in the
//! dtypes of the arguments.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use super::{Modes, checkpoint};
use crate::dtype::DType;
use crate::error::Result;
use crate::ops::Operand;
use crate::ops::elementwise::to_dtype;
use crate::tensor::Tensor;

/// A region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Autocast {
    /// The dtype of ops that lose little by it: float16 or bfloat16.
    pub low: DType,
    /// Whether a parameter is cast once for all ops of the outermost region.
    pub cache: bool,
}

/// What an op computes in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Class {
    /// In the dtype of the region.
    Low,
    /// In float32.
    Full,
    /// In the widest dtype among the arguments.
    Widest,
}

/// What a half precision, or float32, argument is brought to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    dtype: DType,
    cache: bool,
}

/// A parameter's value in the dtype of the region.
struct Cached {
    of: Tensor,
    recorded: bool,
    cast: Tensor,
}

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// By the number of the parameter's node.
    static CACHE: RefCell<HashMap<u64, Cached>> = RefCell::default();
}

/// The region that is open.
#[inline]
pub fn mode() -> Option<Autocast> {
    super::MODES.get().autocast
}

/// Opens a region, or with None one without autocast inside another; gives what was before, for `leave`.
pub fn enter(mode: Option<Autocast>) -> Option<Autocast> {
    DEPTH.set(DEPTH.get() + 1);
    set(mode)
}

/// Closes the region opened last.
pub fn leave(before: Option<Autocast>) {
    DEPTH.set(DEPTH.get().saturating_sub(1));
    set(before);
    if DEPTH.get() == 0 {
        forget();
    }
}

/// Frees the cast values of parameters; what nodes hold stays.
pub fn forget() {
    // Dropped when the cache is free again.
    let _entries = CACHE.take();
}

fn set(mode: Option<Autocast>) -> Option<Autocast> {
    let modes = super::MODES.get();
    super::MODES.set(Modes { autocast: mode, ..modes });
    modes.autocast
}

/// Runs `f` in another region, and restores this one even when `f` unwinds.
pub(crate) fn within<R>(mode: Option<Autocast>, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<Autocast>);
    impl Drop for Restore {
        fn drop(&mut self) {
            set(self.0);
        }
    }
    let _restore = Restore(set(mode));
    f()
}

/// An argument as a row keeps it, to be cast in place.
pub(crate) trait Cast {
    /// Tells the dtypes of the tensors in it.
    fn dtypes(&self, _see: &mut dyn FnMut(DType)) {}
    /// Brings its tensors to the target.
    fn cast(&mut self, _to: Target) -> Result<()> {
        Ok(())
    }
}

impl Cast for Tensor {
    fn dtypes(&self, see: &mut dyn FnMut(DType)) {
        see(self.dtype());
    }

    fn cast(&mut self, to: Target) -> Result<()> {
        let from = self.dtype();
        if from == to.dtype || !matches!(from, DType::Float32 | DType::Float16 | DType::BFloat16) {
            return Ok(());
        }
        *self = match self.node() {
            Some(node) if to.cache && from == DType::Float32 && node.is_leaf() && !checkpoint::is_on() => cached(self, node.id, to.dtype)?,
            _ => to_dtype(self, to.dtype)?,
        };
        Ok(())
    }
}

impl Cast for Option<Tensor> {
    fn dtypes(&self, see: &mut dyn FnMut(DType)) {
        if let Some(tensor) = self {
            tensor.dtypes(see);
        }
    }

    fn cast(&mut self, to: Target) -> Result<()> {
        self.as_mut().map_or(Ok(()), |tensor| tensor.cast(to))
    }
}

impl Cast for Vec<Tensor> {
    fn dtypes(&self, see: &mut dyn FnMut(DType)) {
        self.iter().for_each(|tensor| tensor.dtypes(see));
    }

    fn cast(&mut self, to: Target) -> Result<()> {
        self.iter_mut().try_for_each(|tensor| tensor.cast(to))
    }
}

impl Cast for Operand {
    fn dtypes(&self, see: &mut dyn FnMut(DType)) {
        if let Operand::Tensor(tensor) = self {
            tensor.dtypes(see);
        }
    }

    fn cast(&mut self, to: Target) -> Result<()> {
        match self {
            Operand::Tensor(tensor) => tensor.cast(to),
            Operand::Number(_) => Ok(()),
        }
    }
}

impl Cast for Vec<isize> {}
impl Cast for Vec<f64> {}
impl Cast for String {}

impl Target {
    /// For an op of a class with these arguments.
    pub(crate) fn of(class: Class, mode: Autocast, arguments: &[&dyn Cast]) -> Self {
        let Autocast { low, cache } = mode;
        match class {
            Class::Low => Target { dtype: low, cache },
            Class::Full => Target { dtype: DType::Float32, cache },
            Class::Widest => {
                let mut widest = None;
                for argument in arguments {
                    argument.dtypes(&mut |dtype| {
                        if matches!(dtype, DType::Float32 | DType::Float16 | DType::BFloat16) {
                            widest = Some(widest.map_or(dtype, |before| if before == dtype { dtype } else { DType::Float32 }));
                        }
                    });
                }
                Target { dtype: widest.unwrap_or(low), cache }
            }
        }
    }
}

/// A parameter's value in another dtype: made once, and again when the parameter was written or a walk used up the cast's rule.
fn cached(leaf: &Tensor, id: u64, to: DType) -> Result<Tensor> {
    let recorded = super::is_enabled();
    let found = CACHE.with_borrow(|cache| {
        let entry = cache.get(&id)?;
        let fresh = entry.of.is(leaf) && entry.recorded == recorded && entry.cast.dtype() == to;
        let whole = !recorded || entry.cast.node().is_some_and(|node| node.rule.borrow().is_some());
        (fresh && whole).then(|| entry.cast.clone())
    });
    if let Some(cast) = found {
        return Ok(cast);
    }
    let cast = to_dtype(leaf, to)?;
    let _before = CACHE.with_borrow_mut(|cache| cache.insert(id, Cached { of: leaf.clone(), recorded, cast: cast.clone() }));
    Ok(cast)
}

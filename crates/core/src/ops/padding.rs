//! Padding beyond a constant: the entries that each mode repeats along a dimension.

use super::Index;
use super::arrange::list;
use super::choice::PadMode;
use super::index::{index_select, select_both};
use super::shaping::pad;
use crate::error::{Result, bail};
use crate::shape::show;
use crate::tensor::Tensor;

/// `pad` with a constant.
pub(crate) fn constant(x: &Tensor, padding: &[isize], value: f64) -> Result<Tensor> {
    pad(x, padding, value, PadMode::Constant)
}

/// Checks that `padding` holds `[left, right]` for at most as many dimensions as there are, and that something is left of each.
pub(crate) fn checked(x: &[usize], padding: &[isize]) -> Result<()> {
    if padding.len() % 2 == 1 || padding.len() / 2 > x.len() {
        bail!(Argument, "padding {padding:?} must hold pairs [left, right] for at most the {} dimensions of {}", x.len(), show(x));
    }
    for (i, pair) in padding.chunks_exact(2).enumerate() {
        let at = x.len() - 1 - i;
        if x[at] as isize + pair[0].min(0) + pair[1].min(0) < 0 || x[at] as isize + pair[0] + pair[1] < 0 {
            bail!(Shape, "padding {pair:?} cuts more than the {} entries of dim {at} of {}", x[at], show(x));
        }
    }
    Ok(())
}

/// The entry of a dimension of `size` that stands at `place`, which may lie outside.
fn source(place: isize, size: isize, mode: PadMode) -> isize {
    match mode {
        PadMode::Replicate => place.clamp(0, size - 1),
        PadMode::Circular => place.rem_euclid(size),
        _ => {
            let turn = place.abs();
            if turn < size { turn } else { 2 * (size - 1) - turn }
        }
    }
}

/// Where the entries of dimension `at` come from when it is padded.
fn places(x: &Tensor, at: usize, pair: &[isize], mode: PadMode) -> Result<Index> {
    let size = x.shape()[at] as isize;
    let most = match mode {
        PadMode::Reflect => size - 1,
        PadMode::Circular => size,
        _ if size == 0 => 0,
        _ => isize::MAX,
    };
    if pair[0].max(pair[1]) > most {
        bail!(
            Shape,
            "padding {pair:?} reaches past dim {at} of {}: this mode can add {} on a side; use 'replicate' or 'constant'",
            show(x.shape()),
            most.max(0)
        );
    }
    Ok(list((-pair[0]..size + pair[1]).map(|place| source(place, size, mode) as i64).collect()))
}

/// Pads one dimension after the other with entries of `x` itself, but images, whose last two are padded, in one go.
pub(crate) fn repeated(x: &Tensor, padding: &[isize], mode: PadMode) -> Result<Tensor> {
    let mut out = x.clone();
    let mut rest = padding;
    if let [left, right, top, bottom, ..] = *padding
        && [left, right] != [0, 0]
        && [top, bottom] != [0, 0]
    {
        let columns = places(x, x.rank() - 1, &[left, right], mode)?;
        out = select_both(x, &places(x, x.rank() - 2, &[top, bottom], mode)?, &columns)?;
        rest = &padding[4..];
    }
    for (i, pair) in rest.chunks_exact(2).enumerate().filter(|(_, pair)| **pair != [0, 0]) {
        let at = x.rank() - 1 - (padding.len() - rest.len()) / 2 - i;
        out = index_select(&out, at as isize, &places(&out, at, pair, mode)?)?;
    }
    Ok(out)
}

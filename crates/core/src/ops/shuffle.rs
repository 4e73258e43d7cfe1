//! Moves elements between channels and places of an image.

use super::ops;
use super::shaping::{permute, reshape, signed};
use crate::error::{Result, bail};
use crate::shape::show;
use crate::tensor::Tensor;

/// The sizes before `[channels, height, width]`, and these three.
fn image(x: &Tensor) -> Result<(&[usize], [usize; 3])> {
    match x.shape() {
        [lead @ .., channels, height, width] => Ok((lead, [*channels, *height, *width])),
        shape => bail!(Shape, "expected [..., channels, height, width] and got {}", show(shape)),
    }
}

/// `x` seen as `[...lead, ...inner]`, the inner dimensions reordered, and seen as `[...lead, ...to]`.
fn rearrange(x: &Tensor, lead: &[usize], inner: &[usize], order: &[usize], to: &[usize]) -> Result<Tensor> {
    let joined = |sizes: &[usize]| signed(&[lead, sizes].concat());
    let dims: Vec<isize> = (0..lead.len()).chain(order.iter().map(|&at| lead.len() + at)).map(|dim| dim as isize).collect();
    reshape(&permute(&reshape(x, &joined(inner))?, &dims)?, &joined(to))
}

ops! {
    /// Channels become places: `[..., c * r * r, height, width]` gives `[..., c, height * r, width * r]` for a factor `r`.
    #[example("tensor([[[1]], [[2]], [[3]], [[4]]]).pixelShuffle(2) // [[[1, 2], [3, 4]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn pixel_shuffle(x: &Tensor, factor: usize) -> Tensor {
        let (lead, [channels, height, width]) = image(x)?;
        if factor == 0 || !channels.is_multiple_of(factor * factor) {
            bail!(Shape, "the {channels} channels of {} must divide by the square of factor {factor}, which is 1 or more", show(x.shape()));
        }
        let c = channels / (factor * factor);
        rearrange(x, lead, &[c, factor, factor, height, width], &[0, 3, 1, 4, 2], &[c, height * factor, width * factor])
    }

    /// Places become channels: `[..., c, height * r, width * r]` gives `[..., c * r * r, height, width]` for a factor `r`.
    #[example("tensor([[[1, 2], [3, 4]]]).pixelUnshuffle(2) // [[[1]], [[2]], [[3]], [[4]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn pixel_unshuffle(x: &Tensor, factor: usize) -> Tensor {
        let (lead, [c, height, width]) = image(x)?;
        if factor == 0 || !height.is_multiple_of(factor) || !width.is_multiple_of(factor) {
            bail!(Shape, "height and width of {} must divide by factor {factor}, which is 1 or more", show(x.shape()));
        }
        let (height, width) = (height / factor, width / factor);
        rearrange(x, lead, &[c, height, factor, width, factor], &[0, 2, 4, 1, 3], &[c * factor * factor, height, width])
    }

    /// Deals the channels of `[batch, channels, ...]` out anew: from `groups` rows of channels to columns.
    #[example("tensor([[[1], [2], [3], [4]]]).channelShuffle(2) // [[[1], [3], [2], [4]]]")]
    #[face(method, functional)]
    #[check(cases)]
    fn channel_shuffle(x: &Tensor, groups: usize) -> Tensor {
        let [batch, channels, rest @ ..] = x.shape() else {
            bail!(Shape, "expected [batch, channels, ...] and got {}", show(x.shape()));
        };
        if groups == 0 || !channels.is_multiple_of(groups) || rest.is_empty() {
            bail!(Shape, "expected [batch, channels, ...] whose channels divide by groups {groups}, and got {}", show(x.shape()));
        }
        let places = rest.iter().product();
        let dealt = rearrange(x, &[*batch], &[groups, channels / groups, places], &[1, 0, 2], &[*channels, places])?;
        reshape(&dealt, &signed(x.shape()))
    }
}

//! Convolution and its transpose over one, two and three dimensions: arguments checked, then one op for all.

use firn_kernels::conv::Conv;

use super::convolution::{Geometry, convolution, convolution_input_grad};
use super::shaping::reshape;
use super::{Pair, Triple, ops};
use crate::error::{Result, bail};
use crate::shape::{Window, show};
use crate::tensor::Tensor;

/// Zeros around an image of `N` dimensions: on both sides of each, or as many as keep its size.
#[derive(Debug, Clone, Copy)]
pub enum Padding<const N: usize> {
    Same,
    Sides([usize; N]),
}

crate::tape::copied!(Padding<1>, Padding<2>, Padding<3>);

impl<const N: usize> Padding<N> {
    /// One number a dimension, or -1 for 'same'.
    pub fn from_codes(codes: &[i32]) -> Result<Self> {
        if codes == [-1] {
            return Ok(Padding::Same);
        }
        match <[i32; N]>::try_from(codes) {
            Ok(codes) if codes.iter().all(|&n| n >= 0) => Ok(Padding::Sides(codes.map(|n| n as usize))),
            _ => bail!(Argument, "padding {codes:?} must hold {N} numbers of 0 or more"),
        }
    }
}

/// `sizes` as the last of three, the others being `fill`.
fn triple<const N: usize>(sizes: [usize; N], fill: usize) -> Triple {
    let mut out = [fill; 3];
    out[3 - N..].copy_from_slice(&sizes);
    out
}

/// `[channels, height, width]` of the last dimensions, as messages name them.
fn names(rank: usize) -> String {
    ["depth", "height", "width"][3 - rank..].join(", ")
}

/// The spatial sizes of an image and of a weight, and whether there is a batch, with the checks that both directions share.
fn parts<const N: usize>(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, channels: &str) -> Result<(bool, [usize; N], [usize; N])> {
    let batched = x.rank() == N + 2;
    let (Ok(kernel), true) = (<[usize; N]>::try_from(weight.shape().get(2..).unwrap_or(&[])), batched || x.rank() == N + 1) else {
        bail!(
            Shape,
            "expected input [batch, channels, {axes}] or [channels, {axes}] and weight [{channels}, kernel {axes}], got {} and {}",
            show(x.shape()),
            show(weight.shape()),
            axes = names(N)
        );
    };
    let Ok(sizes) = <[usize; N]>::try_from(&x.shape()[x.rank() - N..]) else {
        bail!(Internal, "input {} has no {N} last dimensions", show(x.shape()));
    };
    if x.dtype() != weight.dtype() || bias.is_some_and(|b| b.dtype() != x.dtype()) || !x.dtype().is_float() {
        bail!(
            Dtype,
            "input, weight and bias must have one floating point dtype; input is {}, weight {}{}",
            x.dtype().name(),
            weight.dtype().name(),
            bias.map_or_else(String::new, |bias| format!(", bias {}", bias.dtype().name()))
        );
    }
    if sizes.contains(&0) || weight.shape().contains(&0) || x.shape()[usize::from(batched)] == 0 {
        bail!(Shape, "only the batch may be empty; input is {}, weight {}", show(x.shape()), show(weight.shape()));
    }
    Ok((batched, sizes, kernel))
}

fn check_bias(bias: Option<&Tensor>, weight: &Tensor, channels: usize) -> Result<()> {
    match bias.filter(|bias| bias.shape() != [channels]) {
        Some(bias) => bail!(Shape, "bias {} does not fit weight {}: expected [{channels}]", show(bias.shape()), show(weight.shape())),
        None => Ok(()),
    }
}

fn forward<const N: usize>(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    (stride, padding, dilation): ([usize; N], Padding<N>, [usize; N]),
    groups: usize,
) -> Result<Tensor> {
    let (batched, sizes, kernel) = parts::<N>(x, weight, bias, "out, in / groups")?;
    let (channels, out) = (x.shape()[usize::from(batched)], weight.shape()[0]);
    if groups == 0 || channels != weight.shape()[1] * groups || !out.is_multiple_of(groups) {
        bail!(
            Shape,
            "input {} has {channels} channels and weight {} with groups {groups} takes {}; the output channels must divide by groups",
            show(x.shape()),
            show(weight.shape()),
            weight.shape()[1] * groups
        );
    }
    check_bias(bias, weight, out)?;
    let (mut output, mut before) = (sizes, [0; N]);
    for i in 0..N {
        match padding {
            Padding::Sides(sides) => {
                before[i] = sides[i];
                let window = Window { kernel: kernel[i], stride: stride[i], padding: sides[i], dilation: dilation[i] };
                output[i] = window.output(sizes[i], false)?;
            }
            Padding::Same if stride[i] != 1 || dilation[i] == 0 => {
                bail!(Argument, "padding 'same' needs stride 1 and dilation of 1 or more, got stride {stride:?} and dilation {dilation:?}")
            }
            // An odd number of zeros puts the larger half behind, as in PyTorch.
            Padding::Same => before[i] = dilation[i] * (kernel[i] - 1) / 2,
        }
    }
    let conv = Conv {
        batch: if batched { x.shape()[0] } else { 1 },
        in_channels: channels,
        out_channels: out,
        groups,
        input: triple(sizes, 1),
        output: triple(output, 1),
        kernel: triple(kernel, 1),
        stride: triple(stride, 1),
        padding: triple(before, 0),
        dilation: triple(dilation, 1),
    };
    convolution(x, weight, bias, Geometry { conv, rank: N, batched })
}

fn transposed<const N: usize>(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    (stride, padding, output_padding, dilation): ([usize; N], [usize; N], [usize; N], [usize; N]),
    groups: usize,
) -> Result<Tensor> {
    let (batched, sizes, kernel) = parts::<N>(x, weight, bias, "in, out / groups")?;
    let channels = x.shape()[usize::from(batched)];
    if groups == 0 || channels != weight.shape()[0] || !channels.is_multiple_of(groups) {
        bail!(
            Shape,
            "input {} has {channels} channels and weight {} takes {}; groups ({groups}) must divide them",
            show(x.shape()),
            show(weight.shape()),
            weight.shape()[0]
        );
    }
    let out = weight.shape()[1] * groups;
    check_bias(bias, weight, out)?;
    let mut output = sizes;
    for i in 0..N {
        if stride[i] == 0 || dilation[i] == 0 || output_padding[i] >= stride[i].max(dilation[i]) {
            bail!(
                Argument,
                "stride {stride:?} and dilation {dilation:?} must be 1 or more, and outputPadding {output_padding:?} smaller than one of them"
            );
        }
        let full = (sizes[i] - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + output_padding[i] + 1;
        output[i] = full.saturating_sub(2 * padding[i]);
        if output[i] == 0 {
            bail!(Shape, "padding {padding:?} leaves nothing of an output of {full} in dimension {i} of {}", names(N));
        }
    }
    let conv = Conv {
        batch: if batched { x.shape()[0] } else { 1 },
        in_channels: out,
        out_channels: channels,
        groups,
        input: triple(output, 1),
        output: triple(sizes, 1),
        kernel: triple(kernel, 1),
        stride: triple(stride, 1),
        padding: triple(padding, 0),
        dilation: triple(dilation, 1),
    };
    convolution_input_grad(x, weight, bias, Geometry { conv, rank: N, batched })
}

ops! {
    /// 1-D convolution (cross-correlation) of `[batch, in, width]` with a weight `[out, in / groups, kw]`; the batch may be left out.
    #[example(
        "F.conv1d(tensor([[[1, 2, 3, 4]]]), ones([1, 1, 2])) // [[[3, 5, 7]]]",
        "F.conv1d(tensor([[1, 2, 3, 4]]), ones([1, 1, 2]), { padding: 'same' }) // [[3, 5, 7, 4]]",
    )]
    #[face(method, functional)]
    #[check(cases)]
    #[autocast(low)]
    fn conv1d(
        x: &Tensor, weight: &Tensor;
        bias: Option<&Tensor> = None, stride: usize = 1, padding: Padding<1> = 0, dilation: usize = 1, groups: usize = 1
    ) -> Tensor {
        forward(x, weight, bias, ([stride], padding, [dilation]), groups)
    }

    /// 2-D convolution (cross-correlation) of `[batch, in, height, width]` with a weight `[out, in / groups, kh, kw]`; the batch may be left out.
    #[example(
        "const x = tensor([[[[1, 2], [3, 4]]]])",
        "F.conv2d(x, ones([1, 1, 2, 2])) // [[[[10]]]]",
        "F.conv2d(x, ones([8, 1, 3, 3]), { padding: 1 }) // shape [1, 8, 2, 2]",
    )]
    #[face(method, functional)]
    #[check(cases)]
    #[autocast(low)]
    fn conv2d(
        x: &Tensor, weight: &Tensor;
        bias: Option<&Tensor> = None, stride: Pair = 1, padding: Padding<2> = 0, dilation: Pair = 1, groups: usize = 1
    ) -> Tensor {
        forward(x, weight, bias, (stride, padding, dilation), groups)
    }

    /// 3-D convolution (cross-correlation) of `[batch, in, depth, height, width]` with a weight `[out, in / groups, kd, kh, kw]`; the batch may be left out.
    #[example(
        "F.conv3d(ones([1, 2, 4, 4, 4]), ones([3, 2, 2, 2, 2]), { stride: 2 }) // shape [1, 3, 2, 2, 2]",
    )]
    #[face(method, functional)]
    #[check(cases)]
    #[autocast(low)]
    fn conv3d(
        x: &Tensor, weight: &Tensor;
        bias: Option<&Tensor> = None, stride: Triple = 1, padding: Padding<3> = 0, dilation: Triple = 1, groups: usize = 1
    ) -> Tensor {
        forward(x, weight, bias, (stride, padding, dilation), groups)
    }

    /// Transposed 1-D convolution of `[batch, in, width]` with a weight `[in, out / groups, kw]`: what `conv1d` does to a gradient.
    #[example("F.convTranspose1d(tensor([[[1, 2]]]), ones([1, 1, 2]), { stride: 2 }) // [[[1, 1, 2, 2]]]")]
    #[face(method, functional)]
    #[check(cases)]
    #[autocast(low)]
    fn conv_transpose1d(
        x: &Tensor, weight: &Tensor;
        bias: Option<&Tensor> = None, stride: usize = 1, padding: usize = 0, output_padding: usize = 0, groups: usize = 1, dilation: usize = 1
    ) -> Tensor {
        transposed(x, weight, bias, ([stride], [padding], [output_padding], [dilation]), groups)
    }

    /// Transposed 2-D convolution of `[batch, in, height, width]` with a weight `[in, out / groups, kh, kw]`: what `conv2d` does to a gradient.
    #[example("F.convTranspose2d(tensor([[[[1, 2], [3, 4]]]]), ones([1, 1, 2, 2])) // [[[[1, 3, 2], [4, 10, 6], [3, 7, 4]]]]")]
    #[face(method, functional)]
    #[check(cases)]
    #[autocast(low)]
    fn conv_transpose2d(
        x: &Tensor, weight: &Tensor;
        bias: Option<&Tensor> = None, stride: Pair = 1, padding: Pair = 0, output_padding: Pair = 0, groups: usize = 1, dilation: Pair = 1
    ) -> Tensor {
        transposed(x, weight, bias, (stride, padding, output_padding, dilation), groups)
    }

    /// Transposed 3-D convolution of `[batch, in, depth, height, width]` with a weight `[in, out / groups, kd, kh, kw]`: what `conv3d` does to a gradient.
    #[example("F.convTranspose3d(ones([1, 3, 2, 2, 2]), ones([3, 2, 2, 2, 2]), { stride: 2 }) // shape [1, 2, 4, 4, 4]")]
    #[face(method, functional)]
    #[check(cases)]
    #[autocast(low)]
    fn conv_transpose3d(
        x: &Tensor, weight: &Tensor;
        bias: Option<&Tensor> = None, stride: Triple = 1, padding: Triple = 0, output_padding: Triple = 0, groups: usize = 1, dilation: Triple = 1
    ) -> Tensor {
        transposed(x, weight, bias, (stride, padding, output_padding, dilation), groups)
    }
}

/// A bias `[channels]` as `[1, channels, 1, 1]`.
pub(crate) fn per_channel(x: &Tensor, rank: usize) -> Result<Tensor> {
    let mut shape = vec![1; rank];
    shape[1] = x.size() as isize;
    reshape(x, &shape)
}

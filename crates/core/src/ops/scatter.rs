//! Writing single elements where an index points along a dimension.

use super::choice::{BagMode, ScatterMode, ScatterReduce};
use super::compare::{eq, logical_and, masked_fill, where_};
use super::elementwise::to_dtype;
use super::index::{fits, gather, index_add, index_select, outside, padding_row, positions, reachable, scatter_add, whole};
use super::reduce::argmax;
use super::select::{narrowed, wide, widened};
use super::shaping::{expand, reshape, signed, squeeze, unsqueeze};
use super::{Index, Mask, Operand, ops};
use crate::cpu::{from_vec, slice_mut, with_slice};
use crate::create::{full, zeros, zeros_like};
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::shape::{axis_of, show};
use crate::tensor::Tensor;
use firn_kernels::scatter::{Meeting, Number, Places};

/// The leading part of `source` that an index of shape `to` reads.
fn read(source: &Tensor, to: &[usize], like: &Tensor) -> Result<Tensor> {
    let inside = source.rank() == to.len() && source.shape().iter().zip(to).all(|(have, need)| have >= need);
    if !inside || source.dtype() != like.dtype() {
        bail!(
            Shape,
            "source is {} {} and must be {}, at least as large as the index {}",
            source.dtype().name(),
            show(source.shape()),
            like.dtype().name(),
            show(to)
        );
    }
    reachable(source, to, usize::MAX)
}

/// Runs a kernel over a copy of `x`, the places of `index` and the elements of `source`, all of one wide dtype.
pub(super) fn write(x: &Tensor, dim: isize, index: &Index, source: &Tensor, how: How) -> Result<Tensor> {
    let at = axis_of(x.shape(), dim)?;
    fits(x.shape(), index.shape(), at)?;
    let to = whole(index)?;
    let source = read(source, index.shape(), x)?;
    let (mut out, source) = (widened(x), widened(&source));
    let inside = with_slice(&to, |to: &[i64]| {
        let places = Places { index: to, shape: index.shape(), into: x.shape(), dim: at };
        match wide(x.dtype()) {
            DType::Float64 => with_slice(&source, |source: &[f64]| how.run(slice_mut(&mut out), &places, source)),
            DType::Float32 => with_slice(&source, |source: &[f32]| how.run(slice_mut(&mut out), &places, source)),
            _ => with_slice(&source, |source: &[i64]| how.run(slice_mut(&mut out), &places, source)),
        }
    });
    if inside { Ok(narrowed(out, x.dtype())) } else { outside(index, x.shape()[at]) }
}

/// What a kernel does at each place.
#[derive(Clone, Copy)]
pub(super) struct How {
    /// None for a mean.
    pub(super) meeting: Option<Meeting>,
    /// Whether what stands there before does not count.
    pub(super) fresh: bool,
}

impl How {
    fn run<T: Number>(self, out: &mut [T], places: &Places<'_>, source: &[T]) -> bool {
        match self.meeting {
            Some(meeting) => firn_kernels::scatter::scatter(out, places, source, meeting, self.fresh),
            None => firn_kernels::scatter::scatter_mean(out, places, source, self.fresh),
        }
    }
}

fn of_dtype(mask: &Mask, dtype: DType) -> Tensor {
    Tensor::new(mask.value_as(dtype), dtype)
}

fn is_zero(x: &Tensor) -> Result<Mask> {
    eq(&x.into(), &0.0.into())
}

/// One call of `scatter_reduce` as its gradient sees it; after PyTorch's `scatter_reduce_backward`.
struct Reduced<'a> {
    x: &'a Tensor,
    y: &'a Tensor,
    index: &'a Index,
    source: Tensor,
    dim: isize,
    reduce: ScatterReduce,
    include_self: bool,
}

impl Reduced<'_> {
    fn at(&self, x: &Tensor) -> Result<Tensor> {
        gather(x, self.dim, self.index)
    }

    fn ones(&self) -> Result<Tensor> {
        full(self.index.shape(), 1.0, self.x.dtype())
    }

    /// How many elements each mean is of.
    fn counts(&self) -> Result<Tensor> {
        let start = full(self.x.shape(), f64::from(u8::from(self.include_self)), self.x.dtype())?;
        let counts = scatter_add(&start, self.dim, self.index, &self.ones()?)?;
        masked_fill(&counts, &is_zero(&counts)?, 1.0)
    }

    /// The gradient shared by the elements that are the result.
    fn shared(&self, g: &Tensor) -> Result<Tensor> {
        let hits = eq(&self.x.into(), &self.y.into())?;
        let own = if self.include_self { of_dtype(&hits, self.x.dtype()) } else { zeros_like(self.x)? };
        let ties = scatter_add(&own, self.dim, self.index, &self.source_hits()?)?;
        Ok(g / masked_fill(&ties, &is_zero(&ties)?, 1.0)?)
    }

    fn source_hits(&self) -> Result<Tensor> {
        Ok(of_dtype(&eq(&(&self.source).into(), &(&self.at(self.y)?).into())?, self.x.dtype()))
    }

    fn of_x(&self, g: &Tensor) -> Result<Tensor> {
        let out = match self.reduce {
            ScatterReduce::Sum => g.clone(),
            ScatterReduce::Mean => g / self.counts()?,
            ScatterReduce::Prod => {
                let zero = is_zero(self.x)?;
                let filled = where_(&zero, &1.0.into(), &self.x.into())?;
                g * scatter_reduce(&filled, self.dim, self.index, &self.source, ScatterReduce::Prod, true)? / filled
            }
            ScatterReduce::Amax | ScatterReduce::Amin => self.shared(g)? * of_dtype(&eq(&self.x.into(), &self.y.into())?, g.dtype()),
        };
        if self.include_self { Ok(out) } else { scatter(&out, self.dim, self.index, &0.0.into(), ScatterMode::None) }
    }

    fn of_source(&self, g: &Tensor) -> Result<Tensor> {
        match self.reduce {
            ScatterReduce::Sum => self.at(g),
            ScatterReduce::Mean => self.at(&(g / self.counts()?)),
            ScatterReduce::Prod => {
                // Without zeros the others' product is result / element; a lone zero gets the product of the others, more zeros nothing.
                let zero = is_zero(&self.source)?;
                let counts = scatter_add(&zeros_like(self.x)?, self.dim, self.index, &of_dtype(&zero, self.x.dtype()))?;
                let lone = logical_and(&zero, &eq(&(&self.at(&counts)?).into(), &1.0.into())?)?;
                let others = where_(&lone, &1.0.into(), &(&self.source).into())?;
                let others = scatter_reduce(self.x, self.dim, self.index, &others, ScatterReduce::Prod, self.include_self)?;
                let divisor = where_(&zero, &1.0.into(), &(&self.source).into())?;
                let usual = self.at(&(g * self.y))? / divisor;
                where_(&lone, &self.at(&(g * others))?.into(), &usual.into())
            }
            ScatterReduce::Amax | ScatterReduce::Amin => Ok(self.source_hits()? * self.at(&self.shared(g)?)?),
        }
    }
}

/// A gradient of what was read of a source, for the source itself.
fn spread(g: Tensor, shape: &[usize]) -> Result<Tensor> {
    if g.shape() == shape {
        return Ok(g);
    }
    let padding: Vec<isize> = shape.iter().zip(g.shape()).rev().flat_map(|(&to, &from)| [0, to as isize - from as isize]).collect();
    super::padding::constant(&g, &padding, 0.0)
}

ops! {
    /// `x` with the elements of `source`, or a number, where `index` points along `dim`: written over what is there (of repeats the last counts), added to it, or multiplied.
    #[example("zeros([3]).scatter(0, tensor([2, 0], { dtype: 'int64' }), tensor([5, 6])) // [6, 0, 5]", "zeros([3]).scatter(0, tensor([1], { dtype: 'int64' }), 7) // [0, 7, 0]")]
    #[face(method)]
    #[check(cases)]
    fn scatter(x: &Tensor, dim: isize, index: &Index, source: &Operand; reduce: ScatterMode = None) -> Tensor {
        let source = match source {
            Operand::Tensor(source) => source.clone(),
            Operand::Number(number) => {
                let one = full(&[], *number, x.dtype())?;
                expand(&one, &signed(index.shape()))?
            }
        };
        match reduce {
            ScatterMode::None => scatter_over(x, dim, index, &source),
            ScatterMode::Add => scatter_reduce(x, dim, index, &source, ScatterReduce::Sum, true),
            ScatterMode::Multiply => scatter_reduce(x, dim, index, &source, ScatterReduce::Prod, true),
        }
    }

    /// `scatter` that writes over what is there.
    #[face()]
    #[check(none, "checked as scatter")]
    fn scatter_over(x: &Tensor, dim: isize, index: &Index, source: &Tensor) -> Tensor {
        write(x, dim, index, source, How { meeting: Some(Meeting::Replace), fresh: false })
    }
    grad(g; dim, index, shape = burn_std::Shape::from(source.shape())) {
        x: scatter(g, dim, index, &0.0.into(), ScatterMode::None)?,
        source: spread(gather(g, dim, index)?, shape)?,
    }

    /// The elements of `source` combined at each place that `index` points to along `dim`; `includeSelf` says whether what stands there counts.
    #[example("zeros([2]).scatterReduce(0, tensor([1, 1], { dtype: 'int64' }), tensor([2, 4]), { reduce: 'mean', includeSelf: false }) // [0, 3]")]
    #[face(method)]
    #[check(cases)]
    fn scatter_reduce(x: &Tensor, dim: isize, index: &Index, source: &Tensor; reduce: ScatterReduce = Sum, include_self: bool = true) -> Tensor {
        if x.dtype() == DType::Bool {
            bail!(Dtype, "booleans do not add or compare; convert to integers first");
        }
        let meeting = match reduce {
            ScatterReduce::Sum => Some(Meeting::Sum),
            ScatterReduce::Prod => Some(Meeting::Product),
            ScatterReduce::Mean => None,
            ScatterReduce::Amax => Some(Meeting::Largest),
            ScatterReduce::Amin => Some(Meeting::Smallest),
        };
        write(x, dim, index, source, How { meeting, fresh: !include_self })
    }
    grad(g, y; x, dim, index, source, reduce, include_self) {
        x: Reduced { x, y, index, source: reachable(source, index.shape(), usize::MAX)?, dim, reduce, include_self }.of_x(g)?,
        source: spread(
            Reduced { x, y, index, source: reachable(source, index.shape(), usize::MAX)?, dim, reduce, include_self }.of_source(g)?,
            source.shape(),
        )?,
    }

    /// Bags of rows of a table as one vector each: the sum, mean or largest elements of the rows at `index`. `[bags, n]` are bags of equal
    /// size, a list is cut at `offsets`; rows at `paddingIdx` do not count, and an empty bag gives zeros.
    #[example("F.embeddingBag(tensor([[0, 1]], { dtype: 'int64' }), tensor([[1, 2], [3, 4]])) // [[2, 3]]")]
    #[face(functional)]
    #[check(cases)]
    fn embedding_bag(
        index: &Index,
        weight: &Tensor;
        offsets: Option<&Index> = None,
        mode: BagMode = Mean,
        per_sample_weights: Option<&Tensor> = None,
        padding_idx: Option<isize> = None,
        include_last_offset: bool = false
    ) -> Tensor {
        let &[entries, width] = weight.shape() else { bail!(Shape, "the weight must be [entries, size] and is {}", show(weight.shape())) };
        let starts = starts(index, offsets, include_last_offset)?;
        let padding = padding_row(padding_idx, entries)?;
        let all = with_slice(&positions(index, entries)?, <[i64]>::to_vec);
        let mut bags: Vec<Vec<i64>> = Vec::with_capacity(starts.len());
        for (i, &start) in starts.iter().enumerate() {
            let end = starts.get(i + 1).copied().unwrap_or(all.len());
            bags.push((start as i64..end as i64).filter(|&place| Some(all[place as usize]) != padding).collect());
        }
        if include_last_offset {
            bags.pop();
        }
        let count = bags.len();
        let places: Vec<i64> = bags.iter().flatten().copied().collect();
        let mut rows = index_select(weight, 0, &super::arrange::list(places.iter().map(|&place| all[place as usize]).collect()))?;
        if let Some(weights) = per_sample_weights {
            if mode != BagMode::Sum || weights.shape() != index.shape() {
                bail!(Argument, "perSampleWeights {} go with mode 'sum' only, one for each index of {}", show(weights.shape()), show(index.shape()));
            }
            let weights = index_select(&reshape(weights, &[all.len() as isize])?, 0, &super::arrange::list(places))?;
            rows = rows * unsqueeze(&weights, 1)?;
        }
        if mode == BagMode::Max {
            return largest(&rows, &bags, width);
        }
        let owner = bags.iter().enumerate().flat_map(|(i, bag)| std::iter::repeat_n(i as i64, bag.len())).collect();
        let sums = index_add(&zeros(&[count, width], weight.dtype())?, 0, &super::arrange::list(owner), &rows)?;
        if mode == BagMode::Sum {
            return Ok(sums);
        }
        let sizes: Vec<f64> = bags.iter().map(|bag| bag.len().max(1) as f64).collect();
        let sizes = from_vec(sizes, [count, 1].into(), DType::Float64);
        Ok(sums / to_dtype(&sizes, weight.dtype())?)
    }
}

/// Where each bag begins among the indices.
fn starts(index: &Index, offsets: Option<&Index>, last: bool) -> Result<Vec<usize>> {
    let total = index.size();
    match (index.shape(), offsets) {
        (&[bags, size], None) if !last => Ok((0..bags).map(|bag| bag * size).collect()),
        (&[_], Some(offsets)) => {
            let starts = super::arrange::whole_numbers(offsets, "offsets")?;
            let rising = starts.windows(2).all(|pair| pair[0] <= pair[1]);
            if starts.first().is_some_and(|&first| first != 0) || !rising || starts.iter().any(|&start| start < 0 || start as usize > total)
            {
                bail!(Argument, "offsets {starts:?} must begin with 0, never fall, and stay within the {total} indices");
            }
            Ok(starts.into_iter().map(|start| start as usize).collect())
        }
        (shape, _) => bail!(
            Shape,
            "bags are an index [bags, n] without offsets, or a list with offsets; got {}{}",
            show(shape),
            if offsets.is_some() { " with offsets" } else { "" }
        ),
    }
}

/// The largest elements of the rows of each bag; the first of equals gets the gradient.
fn largest(rows: &Tensor, bags: &[Vec<i64>], width: usize) -> Result<Tensor> {
    let longest = bags.iter().map(Vec::len).max().unwrap_or(0);
    if longest == 0 {
        return zeros(&[bags.len(), width], rows.dtype());
    }
    let (mut at, mut beyond) = (Vec::new(), Vec::new());
    let mut next = 0;
    for bag in bags {
        at.extend((0..longest).map(|i| if i < bag.len() { next + i as i64 } else { 0 }));
        beyond.extend((0..longest).map(|i| u8::from(i >= bag.len())));
        next += bag.len() as i64;
    }
    let padded = reshape(&index_select(rows, 0, &super::arrange::list(at))?, &[bags.len() as isize, longest as isize, width as isize])?;
    let beyond = from_vec(beyond, [bags.len(), longest, 1].into(), DType::Bool);
    let padded = masked_fill(&padded, &beyond, f64::NEG_INFINITY)?;
    let best = argmax(&padded.detach(), Some(1), true)?;
    let empty = from_vec(bags.iter().map(|bag| u8::from(bag.is_empty())).collect::<Vec<u8>>(), [bags.len(), 1].into(), DType::Bool);
    masked_fill(&squeeze(&gather(&padded, 1, &best)?, &[1])?, &empty, 0.0)
}

//! Attention.

use firn_kernels::attention::Head;

use super::compare::{eq, where_};
use super::elementwise::to_dtype;
use super::linalg::matmul;
use super::random::dropout as drop_out;
use super::reduce::amax;
use super::shaping::{expand, reshape, signed, transpose, unsqueeze};
use super::softmax::softmax;
use super::vjp::{Real, composed, elements};
use super::{AnyMask, ops};
use crate::cpu::from_vec;
use crate::create::arange;
use crate::dtype::DType;
use crate::error::{Result, bail};
use crate::shape::{broadcast, show};
use crate::tape::is_enabled;
use crate::tensor::Tensor;

crate::tape::copied!(Head);

/// Each head of `[..., heads, length, size]` so often in a row that there are `heads` of them.
fn repeated(x: &Tensor, heads: usize) -> Result<Tensor> {
    let at = x.rank() - 3;
    let own = x.shape()[at];
    if own == heads {
        return Ok(x.clone());
    }
    let mut shape = signed(x.shape());
    shape.insert(at + 1, (heads / own) as isize);
    let copies = expand(&unsqueeze(x, at as isize + 1)?, &shape)?;
    shape.remove(at + 1);
    shape[at] = heads as isize;
    reshape(&copies, &shape)
}

/// Lower triangle of `[queries, keys]`, aligned at the top left.
fn causal_mask(queries: usize, keys: usize) -> Result<Tensor> {
    let line = |n: usize, shape: [isize; 2]| reshape(&arange(0.0, n as f64, 1.0, DType::Int64)?, &shape);
    super::compare::ge(&line(queries, [-1, 1])?.into(), &line(keys, [1, -1])?.into())
}

/// Softmax over the last dimension; a row without any finite score has weights of 0.
fn weights(scores: &Tensor) -> Result<Tensor> {
    let dead = eq(&amax(scores, &[-1], true)?.detach().into(), &f64::NEG_INFINITY.into())?;
    let alive = where_(&dead, &0.0.into(), &scores.into())?;
    where_(&dead, &0.0.into(), &softmax(&alive, -1)?.into())
}

/// Attention made of ops.
fn stepwise(q: &Tensor, k: &Tensor, v: &Tensor, mask: Option<&AnyMask>, dropout: f64, scale: f64) -> Result<Tensor> {
    let scores = matmul(&(q * scale), &transpose(k, -2, -1)?)?;
    let scores = match mask {
        Some(mask) if mask.dtype() == DType::Bool => where_(mask, &scores.into(), &f64::NEG_INFINITY.into())?,
        Some(mask) => scores + mask,
        None => scores,
    };
    matmul(&drop_out(&weights(&scores)?, dropout, true)?, v)
}

fn run<T: Real>(inputs: &[Tensor], head: Head) -> Tensor {
    let [q, k, v] = inputs else { unreachable!("queries, keys and values") };
    let out = elements(q, |q: &[T]| elements(k, |k: &[T]| elements(v, |v: &[T]| head.forward(q, k, v))));
    let mut shape = q.shape().to_vec();
    if let Some(last) = shape.last_mut() {
        *last = head.value_size;
    }
    from_vec(out, shape.into(), T::DTYPE)
}

fn back<T: Real>(g: &Tensor, inputs: &[Tensor], head: Head) -> Vec<Tensor> {
    let [q, k, v] = inputs else { unreachable!("queries, keys and values") };
    let (dq, dk, dv) =
        elements(g, |g: &[T]| elements(q, |q: &[T]| elements(k, |k: &[T]| elements(v, |v: &[T]| head.backward(g, q, k, v)))));
    inputs.iter().zip([dq, dk, dv]).map(|(x, data)| from_vec(data, x.shape().into(), T::DTYPE)).collect()
}

ops! {
    /// Scaled dot product attention, `softmax(x key^T scale + mask) value`, for queries `[..., queries, size]`, keys `[..., keys, size]` and
    /// values `[..., keys, valueSize]` whose leading dimensions broadcast. A boolean `mask` keeps where true, another is added; either
    /// broadcasts to `[..., queries, keys]`, and a query that sees no key gets 0. `isCausal` lets query i see the keys up to i. `dropout`
    /// drops weights whenever it is not 0; `scale` is `1 / sqrt(size)` by default; with `enableGqa`, fewer heads of keys and values serve
    /// several heads of queries each.
    #[example(
        "const x = tensor([[1, 0], [0, 1]])",
        "F.scaledDotProductAttention(x, x, x, { isCausal: true, scale: 0 }) // [[1, 0], [0.5, 0.5]]",
    )]
    #[face(functional)]
    #[check(cases)]
    #[autocast(low)]
    fn scaled_dot_product_attention(
        x: &Tensor, key: &Tensor, value: &Tensor;
        mask: Option<&AnyMask> = None, dropout: f64 = 0.0, is_causal: bool = false, scale: Option<f64> = None, enable_gqa: bool = false
    ) -> Tensor {
        let names = || format!("queries {}, keys {} and values {}", show(x.shape()), show(key.shape()), show(value.shape()));
        if [x, key, value].iter().any(|t| t.rank() < 2 || !t.dtype().is_float() || t.dtype() != x.dtype()) {
            bail!(Shape, "{} must have rank 2 or more and one floating point dtype", names());
        }
        let last = |t: &Tensor| (t.shape()[t.rank() - 2], t.shape()[t.rank() - 1]);
        let ((queries, size), (keys, key_size), (values, value_size)) = (last(x), last(key), last(value));
        if size != key_size || keys != values {
            bail!(Shape, "{}: queries and keys must agree in their last size, keys and values in the one before", names());
        }
        if size == 0 || keys == 0 {
            bail!(Shape, "{}: there is nothing to attend to", names());
        }
        if is_causal && mask.is_some() {
            bail!(Argument, "isCausal is a mask itself; leave one of the two out");
        }
        let (mut key, mut value) = (key.clone(), value.clone());
        if enable_gqa {
            let heads = |t: &Tensor| if t.rank() < 3 { 0 } else { t.shape()[t.rank() - 3] };
            let all = heads(x);
            if [&key, &value].iter().any(|t| heads(t) == 0 || !all.is_multiple_of(heads(t))) || all == 0 {
                bail!(Shape, "{}: enableGqa needs [..., heads, length, size], and heads of queries that divide by those of keys and values", names());
            }
            (key, value) = (repeated(&key, all)?, repeated(&value, all)?);
        }
        let scale = scale.unwrap_or(1.0 / (size as f64).sqrt());
        let lead = |t: &Tensor| t.shape()[..t.rank() - 2].to_vec();
        let full = broadcast(&broadcast(&lead(x), &lead(&key))?, &lead(&value))?;
        if let Some(mask) = mask {
            let target = [&full[..], &[queries, keys]].concat();
            if mask.dtype() != DType::Bool && mask.dtype() != x.dtype() {
                bail!(Dtype, "the mask is {} and must be bool or {}", mask.dtype().name(), x.dtype().name());
            }
            if mask.rank() > target.len() || broadcast(mask.shape(), &target).ok().as_deref() != Some(&target[..]) {
                bail!(Shape, "the mask {} does not broadcast to [..., queries, keys], here {}", show(mask.shape()), show(&target));
            }
        }
        let plain = mask.is_none() && dropout == 0.0 && lead(x) == lead(&key) && lead(x) == lead(&value) && x.size() > 0 && value_size > 0;
        if plain && matches!(x.dtype(), DType::Float32 | DType::Float64) {
            let head = Head { queries, keys, size, value_size, causal: is_causal, scale };
            return attention_heads(&[x.clone(), key, value], head);
        }
        // Half types are computed in float32.
        let exact = |t: &Tensor| if t.dtype() == DType::Float64 { Ok(t.clone()) } else { to_dtype(t, DType::Float32) };
        let corner = if is_causal { Some(causal_mask(queries, keys)?) } else { None };
        let mask = match mask.or(corner.as_ref()) {
            Some(mask) if mask.dtype() == DType::Bool => Some(mask.clone()),
            Some(mask) => Some(exact(mask)?),
            None => None,
        };
        let out = stepwise(&exact(x)?, &exact(&key)?, &exact(&value)?, mask.as_ref(), dropout, scale)?;
        if out.dtype() == x.dtype() { Ok(out) } else { to_dtype(&out, x.dtype()) }
    }

    /// Attention of heads whose leading dimensions are equal, by a kernel; `inputs` are queries, keys and values.
    #[face()]
    #[check(none, "checked as scaledDotProductAttention")]
    fn attention_heads(inputs: &[Tensor], head: Head) -> Tensor {
        Ok(match inputs[0].dtype() {
            DType::Float64 => run::<f64>(inputs, head),
            _ => run::<f32>(inputs, head),
        })
    }
    grad(g; inputs, head) {
        inputs: if is_enabled() {
            composed(inputs, g, |inputs| {
                let mask = if head.causal { Some(causal_mask(head.queries, head.keys)?) } else { None };
                stepwise(&inputs[0], &inputs[1], &inputs[2], mask.as_ref(), 0.0, head.scale)
            })?
        } else {
            match g.dtype() {
                DType::Float64 => back::<f64>(g, inputs, head),
                _ => back::<f32>(g, inputs, head),
            }
        }
    }
}

//! `docs/pytorch.md`: PyTorch's names and how firn spells them; from the rows, and by hand for what is none.

use std::fmt::Write;

use firn_core::ops::Row;

use super::docs::{call, public};
use super::kinds::{has_face, js};

/// Names that the rule in `name` would get wrong: functions that PyTorch has elsewhere.
const NAMES: &[(&str, &str)] = &[
    ("im2col", "torch.nn.functional.unfold"),
    ("col2im", "torch.nn.functional.fold"),
    ("max_pool1d_indices", "torch.nn.functional.max_pool1d_with_indices"),
    ("max_pool2d_indices", "torch.nn.functional.max_pool2d_with_indices"),
    ("max_pool3d_indices", "torch.nn.functional.max_pool3d_with_indices"),
    ("adaptive_max_pool1d_indices", "torch.nn.functional.adaptive_max_pool1d_with_indices"),
    ("adaptive_max_pool2d_indices", "torch.nn.functional.adaptive_max_pool2d_with_indices"),
    ("adaptive_max_pool3d_indices", "torch.nn.functional.adaptive_max_pool3d_with_indices"),
];

/// Methods that PyTorch offers on tensors only.
const METHODS: &[&str] = &["expand", "expand_as", "repeat", "reshape_as", "unfold", "view_as"];

/// Methods of ours that PyTorch keeps under `torch.nn.functional`.
const FUNCTIONAL: &[&str] = &["one_hot"];

/// What has no PyTorch name.
const OWN: &[&str] = &["accuracy", "complex_abs", "complex_conj", "complex_mul"];

/// PyTorch's name of a row with its module, None where PyTorch has no such function.
pub fn name(row: &Row) -> Option<String> {
    if OWN.contains(&row.name) {
        return None;
    }
    if let Some((_, name)) = NAMES.iter().find(|(own, _)| *own == row.name) {
        return Some((*name).into());
    }
    let name = row.torch.unwrap_or(row.name.trim_end_matches('_'));
    let module = match row {
        _ if name.contains('.') => "torch.",
        row if METHODS.contains(&row.name) => "torch.Tensor.",
        row if has_face(row, "functional") || FUNCTIONAL.contains(&row.name) => "torch.nn.functional.",
        row if has_face(row, "linalg") => "torch.linalg.",
        row if has_face(row, "fft") => "torch.fft.",
        _ => "torch.",
    };
    Some(format!("{module}{name}"))
}

/// What is no row.
const BY_HAND: &[(&str, &str)] = &[
    ("torch.Tensor.add_", "`x.assign(x.add(y))`; so for every op with an underscore"),
    ("torch.Tensor.backward", "`x.backward({ gradient, retainGraph, createGraph })`"),
    ("torch.Tensor.clone", "`x.clone()`"),
    ("torch.Tensor.copy_", "`x.assign(y)`"),
    ("torch.Tensor.detach", "`x.detach()`"),
    ("torch.Tensor.dim", "`x.rank`"),
    ("torch.Tensor.dtype", "`x.dtype`, a word such as `'float32'`"),
    ("torch.Tensor.grad", "`x.grad`, null where there is none"),
    ("torch.Tensor.item", "`await x.item()`, `x.itemSync()`"),
    ("torch.Tensor.numel", "`x.size`"),
    ("torch.Tensor.numpy", "`await x.data()`, `x.dataSync()`: a typed array, copied"),
    ("torch.Tensor.requires_grad_", "`x.requiresGrad = true`"),
    ("torch.Tensor.shape", "`x.shape`"),
    ("torch.Tensor.to", "`x.to('float64')`, `x.to({ dtype, device })`"),
    ("torch.Tensor.tolist", "`await x.toArray()`, `x.toArraySync()`"),
    ("torch.Tensor.view", "`x.view(shape)`"),
    ("torch.Tensor.__getitem__", "`x.at(0)`; `x.slice([1, 3], null, '...')` for `x[1:3, :, ...]`; `x.indexSelect(dim, index)`"),
    ("torch.linalg.norm", "`linalg.norm(x, { ord, dim, keepDim = false })`"),
    ("torch.fft.fftfreq", "[`fft.fftfreq(n, { d = 1, dtype = 'float32' })`](design/fft.md)"),
    ("torch.fft.rfftfreq", "[`fft.rfftfreq(n, { d = 1, dtype = 'float32' })`](design/fft.md)"),
    ("torch.arange", "`arange(start, end, { step })`"),
    ("torch.autograd.grad", "`grad(outputs, inputs, { gradients, retainGraph, createGraph })`"),
    ("torch.autograd.gradcheck", "`gradCheck(fn, inputs)`"),
    ("torch.bernoulli", "`bernoulli(shape, p)`"),
    ("torch.enable_grad", "`using guard = enableGrad()`, `enableGrad(() => ...)`"),
    ("torch.eye", "`eye(n)`"),
    ("torch.full", "`full(shape, value)`"),
    ("torch.get_rng_state", "`rngState()`"),
    ("torch.is_grad_enabled", "`isGradEnabled()`"),
    ("torch.linspace", "`linspace(start, end, { count })`"),
    ("torch.load", "`loadSafetensors(path)`"),
    ("torch.manual_seed", "`seed(n)`"),
    ("torch.nn.Module", "`nn.Module`; `state_dict()` is `stateDict()`, its keys stay as they are"),
    ("torch.nn.utils.clip_grad_norm_", "`optim.clipGradNorm(params, maxNorm)`, or the option `clipGradNorm` of an optimizer"),
    ("torch.no_grad", "`using guard = noGrad()`, `noGrad(() => ...)`"),
    ("torch.ones", "`ones(shape)`"),
    ("torch.ones_like", "`onesLike(x)`"),
    ("torch.optim.AdamW", "`optim.adamW({ lr }).bind(model)`; so for every rule"),
    ("torch.rand", "`rand(shape)`"),
    ("torch.randint", "`randint(low, high, { shape })`"),
    ("torch.randn", "`randn(shape)`"),
    ("torch.randperm", "`randperm(n)`"),
    ("torch.save", "`saveSafetensors(path, tensors)`"),
    ("torch.set_rng_state", "`setRngState(state)`"),
    ("torch.tensor", "`tensor(data, { dtype, requiresGrad })`"),
    ("torch.utils.data.DataLoader", "`new DataLoader({ dataset, batchSize, shuffle })`"),
    ("torch.zeros", "`zeros(shape)`"),
    ("torch.zeros_like", "`zerosLike(x)`"),
];

const ABOUT: &str =
    "<!-- @generated by `npm run gen`; edit the rows in crates/core/src or crates/xtask/src/generate/pytorch.rs instead. -->
# From PyTorch to firn

Names are PyTorch's in camelCase, arguments in PyTorch's order: at most two by position, the others in one object of options with PyTorch's
defaults. Worth knowing:

* A number beside a tensor never changes the tensor's dtype: [promotion](design/promotion.md).
* Values never alias. There are no ops in place; `assign` replaces a tensor's value, and nobody else sees it: [values](design/values.md).
* Reading is async (`await x.item()`); `Sync` forms exist where the device can.
* Tensors are freed by scopes (`using step = tensorScope()`), not by counting references: [handles](design/handles.md).
* Random numbers depend on the seed and the count of calls alone: [randomness](design/randomness.md).
* Mistakes throw a `FirnError` that names the op, the values, what was expected and what to do.

| PyTorch | firn |
| --- | --- |
";

pub fn table() -> Result<String, String> {
    let mut lines: Vec<(String, String)> = BY_HAND.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
    for row in public() {
        if let Some(name) = name(row) {
            let family = row.family.rsplit("::").next().unwrap_or_default();
            lines.push((name, format!("[`{}`](ops/{family}.md#{})", call(row), js(row).to_lowercase())));
        }
    }
    lines.sort_by_key(|(name, _)| (name.to_lowercase(), name.clone()));
    let mut out = String::from(ABOUT);
    for (name, text) in lines {
        let _ = writeln!(out, "| `{name}` | {} |", text.replace('|', "\\|"));
    }
    Ok(out)
}

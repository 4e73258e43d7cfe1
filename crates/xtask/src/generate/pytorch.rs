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
    ("torch.Tensor.register_hook", "`x.registerHook((gradient) => ...)`"),
    (
        "torch.Tensor.register_post_accumulate_grad_hook",
        "`x.registerPostAccumulateGradHook((leaf) => ...)`; `inBackward: true` of an optimizer uses it",
    ),
    ("torch.Tensor.retain_grad", "`x.retainGrad()`"),
    ("torch.Tensor.is_leaf", "`x.isLeaf`"),
    ("torch.Tensor.requires_grad", "`x.requiresGrad`"),
    ("torch.autograd.Function", "`customFunction({ forward, backward })`"),
    ("torch.autograd.backward", "`backward(tensors, { gradients })`"),
    ("torch.autograd.detect_anomaly", "`using guard = detectAnomaly()`, `detectAnomaly(() => ...)`"),
    ("torch.autograd.functional.hessian", "`hessian(fn, inputs)`"),
    ("torch.autograd.functional.hvp", "`hvp(fn, inputs, v)`"),
    ("torch.autograd.functional.jacobian", "`jacobian(fn, inputs)`"),
    ("torch.autograd.functional.jvp", "`jvp(fn, inputs, v)`"),
    ("torch.autograd.functional.vjp", "`vjp(fn, inputs, v)`"),
    ("torch.autograd.gradgradcheck", "`gradGradCheck(fn, inputs)`"),
    ("torch.utils.checkpoint.checkpoint", "`checkpoint(fn, ...inputs)`"),
    ("torch.Generator", "`new Generator(seed)`, with `fork(name)` for streams of its own"),
    ("torch.random.fork_rng", "`withSeed(n, () => ...)`"),
    ("torch.multinomial", "`multinomial(weights, draws, { replacement })`"),
    ("torch.normal", "`normal(shape, { mean, std })`"),
    ("torch.logspace", "`logspace(start, end, { count })`"),
    ("torch.empty", "`empty(shape)`, whose elements are zeros"),
    ("torch.full_like", "`fullLike(x, value)`"),
    ("torch.rand_like", "`randLike(x)`"),
    ("torch.randn_like", "`randnLike(x)`"),
    ("torch.tril_indices", "`trilIndices(rows, columns)`"),
    ("torch.triu_indices", "`triuIndices(rows, columns)`"),
    ("torch.cuda.max_memory_allocated", "`memory.peak()`"),
    ("torch.nn.Sequential", "`new nn.Sequential(...)`"),
    ("torch.nn.ModuleList", "`new nn.ModuleList([...])`"),
    ("torch.nn.Parameter", "`new nn.Parameter(x)`"),
    ("torch.nn.Module.register_buffer", "`nn.Buffer`, in a field of a module"),
    ("torch.nn.init.kaiming_uniform_", "`nn.init.kaimingUniform(x)`; so for every start"),
    ("torch.nn.utils.clip_grad_value_", "`optim.clipGradValue(params, limit)`, or the option `clipGradValue` of an optimizer"),
    ("torch.optim.SGD", "`optim.sgd({ lr, momentum }).bind(model)`"),
    ("torch.optim.Adam", "`optim.adam({ lr }).bind(model)`"),
    (
        "torch.optim.lr_scheduler.CosineAnnealingLR",
        "`optim.cosine({ from, to, steps })` in the place of a number: `lr`, or any other option",
    ),
    ("torch.optim.lr_scheduler.CosineAnnealingWarmRestarts", "`optim.cosineRestarts({ from, to, steps })`"),
    ("torch.optim.lr_scheduler.StepLR", "`optim.step({ from, every, gamma })`"),
    ("torch.optim.lr_scheduler.MultiStepLR", "`optim.multiStep({ from, milestones })`"),
    ("torch.optim.lr_scheduler.ExponentialLR", "`optim.exponential({ from, gamma })`"),
    ("torch.optim.lr_scheduler.LinearLR", "`optim.linear({ from, to, steps })`"),
    ("torch.optim.lr_scheduler.PolynomialLR", "`optim.polynomial({ from, steps })`"),
    ("torch.optim.lr_scheduler.OneCycleLR", "`optim.oneCycle({ max, steps })`, with `optim.oneCycleMomentum` for momentum or beta"),
    ("torch.optim.lr_scheduler.CyclicLR", "`optim.cyclic({ low, high })`"),
    ("torch.optim.lr_scheduler.ReduceLROnPlateau", "`optim.plateau({ from })`, told by `opt.observe(metric)`"),
    ("torch.optim.lr_scheduler.SequentialLR", "`optim.sequential(schedules, milestones)`"),
    ("torch.optim.lr_scheduler.ChainedScheduler", "`optim.chained(schedules)`"),
    ("torch.optim.lr_scheduler.LambdaLR", "an updater: `updaters: [({ group, globalSteps }) => { group.lr = ... }]`"),
    (
        "torch.optim.swa_utils.AveragedModel",
        "the option `average: optim.ema({ decay })` or `optim.swa({ start })` of an optimizer; `opt.averaged()` puts it to use",
    ),
    ("torch.optim.swa_utils.update_bn", "`optim.updateBn(model, batches)`"),
    ("torch.amp.autocast", "`using guard = autocast({ dtype })`, `autocast({ dtype }, () => ...)`"),
    ("torch.amp.GradScaler", "`new GradScaler()`"),
    ("torch.optim.LBFGS", "`optim.lbfgs({ lr }).bind(model)`"),
    ("torch.optim.Optimizer.add_param_group", "`opt.addGroup({ params, lr })`"),
    ("torch.optim.Optimizer.load_state_dict", "`opt.loadStateDict(state)`; `opt.loadTorchStateDict(state)` for PyTorch's own"),
    ("torch.optim.Optimizer.state_dict", "`opt.stateDict()`; `opt.torchStateDict()` for PyTorch"),
    ("torch.optim.Optimizer.zero_grad", "`opt.zeroGrad()`"),
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

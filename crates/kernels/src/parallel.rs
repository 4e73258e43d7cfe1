//! Splitting work over cores by bytes, not by tensors.

use pulp::Arch;
use rayon::prelude::*;

/// Elements a task handles at least: below it, handing work out costs more than doing it.
const GRAIN: usize = 1 << 14;

/// Every cut of a slice is at a multiple of this, so that blocks of a slice (of a cache line, of quantised values) stay whole.
pub const CUT: usize = 1 << 12;

/// Runs `f` compiled for the widest SIMD of this machine. The closure, and every closure that it calls, must be marked
/// `#[inline(always)]`: what is not inlined here is compiled for the baseline.
#[inline(always)]
pub fn simd<R>(f: impl FnOnce() -> R) -> R {
    struct Call<F>(F);
    impl<R, F: FnOnce() -> R> pulp::NullaryFnOnce for Call<F> {
        type Output = R;
        #[inline(always)]
        fn call(self) -> R {
            (self.0)()
        }
    }
    Arch::new().dispatch(Call(f))
}

/// `plain(place)`, or `fused(place)` where the machine has fused multiply-add, compiled like the closure of `simd` and marked the same way.
#[inline(always)]
pub fn simd_fused<T, R>(place: T, plain: impl FnOnce(T) -> R, fused: impl FnOnce(T) -> R) -> R {
    struct Call<T, P, F>(T, P, F);
    impl<T, R, P: FnOnce(T) -> R, F: FnOnce(T) -> R> pulp::WithSimd for Call<T, P, F> {
        type Output = R;
        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _: S) -> R {
            // Every wide instruction set that pulp knows has it, but that of WebAssembly.
            if S::F32_LANES > 1 && !cfg!(target_family = "wasm") { (self.2)(self.0) } else { (self.1)(self.0) }
        }
    }
    Arch::new().dispatch(Call(place, plain, fused))
}

/// Pieces that a large work is cut into, about: enough for any number of cores, which may not decide, as sums follow the pieces.
const PIECES: usize = 256;

/// Cuts `lengths` into pieces `(item, start, end)` of about equal size, by the lengths alone.
pub fn pieces(lengths: &[usize]) -> Vec<(usize, usize, usize)> {
    let total: usize = lengths.iter().sum();
    let size = (total / PIECES).max(GRAIN).next_multiple_of(CUT);
    let mut out = Vec::new();
    for (item, &length) in lengths.iter().enumerate() {
        let mut start = 0;
        while start < length {
            let end = if length - start < size + size / 2 { length } else { start + size };
            out.push((item, start, end));
            start = end;
        }
    }
    out
}

/// Runs `f` on each item, on all cores when `work` elements are worth it.
#[inline]
pub fn for_each<T: Send>(items: Vec<T>, work: usize, f: impl Fn(T) + Sync + Send) {
    if work <= GRAIN * 2 || items.len() == 1 {
        items.into_iter().for_each(f);
    } else {
        items.into_par_iter().for_each(f);
    }
}

/// `f` of each item, in the order of the items.
#[inline]
pub fn map<T: Sync, R: Send>(items: &[T], work: usize, f: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    if work <= GRAIN * 2 || items.len() == 1 { items.iter().map(f).collect() } else { items.par_iter().map(f).collect() }
}

/// Runs `f` on each item and adds the results up in the order of the items, so that the sum never depends on timing.
#[inline]
pub fn sum<T: Sync>(items: &[T], work: usize, f: impl Fn(&T) -> f64 + Sync + Send) -> f64 {
    map(items, work, f).into_iter().sum()
}

/// Makes the calling thread one of the pool's, so that it works along instead of sleeping until others have, which in operations of
/// a tenth of a millisecond costs about as much as the work. Only where others are left: with a pool of this thread alone, work
/// from any other thread would wait for ever. Does nothing when the pool runs already.
pub fn join_pool() {
    let asked = std::env::var("RAYON_NUM_THREADS").ok().and_then(|n| n.parse().ok()).filter(|&n: &usize| n > 0);
    let threads = asked.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    if threads > 1 {
        // An error says that there is a pool.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread().build_global();
    }
}

pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// The name of the instruction set `simd` compiles for.
pub fn simd_level() -> &'static str {
    match Arch::new() {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        Arch::V4(_) => "x86-64-v4 (AVX-512)",
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        Arch::V3(_) => "x86-64-v3 (AVX2)",
        #[cfg(target_arch = "aarch64")]
        Arch::Neon(_) => "NEON",
        _ => "baseline",
    }
}

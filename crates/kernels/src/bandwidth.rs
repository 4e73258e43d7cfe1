//! How fast memory is: what a kernel that only streams can reach at most.

use std::time::Instant;

use crate::fetch::{AHEAD, STRIDE, fetch};
use crate::parallel::{CUT, for_each, simd};

/// Runs after the first, of which the fastest counts.
const ROUNDS: usize = 8;

/// Bytes a second of the triad `a = b + s * c` on all cores, over arrays of `bytes` together; counted as in STREAM (McCalpin, 1995), which
/// leaves out that `a` is read before it is written.
pub fn triad(bytes: usize) -> f64 {
    let length = (bytes / 12).max(CUT);
    let (mut a, b, c) = (vec![0.0f32; length], vec![1.0f32; length], vec![2.0f32; length]);
    let size = length.div_ceil(rayon::current_num_threads() * 8).next_multiple_of(CUT);
    let mut fastest = f64::INFINITY;
    for _ in 0..=ROUNDS {
        let start = Instant::now();
        let parts: Vec<_> = a.chunks_mut(size).zip(b.chunks(size)).zip(c.chunks(size)).collect();
        for_each(parts, length, |((a, b), c)| {
            simd(
                #[inline(always)]
                || {
                    for ((a, b), c) in a.chunks_mut(STRIDE).zip(b.chunks(STRIDE)).zip(c.chunks(STRIDE)) {
                        fetch(a, AHEAD);
                        fetch(b, AHEAD);
                        fetch(c, AHEAD);
                        for ((a, &b), &c) in a.iter_mut().zip(b).zip(c) {
                            *a = b + 3.0 * c;
                        }
                    }
                },
            )
        });
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
    std::hint::black_box(&a);
    (length * 12) as f64 / fastest
}

//! Elementary functions of f32 as plain arithmetic without branches, so that loops over them become SIMD code: within 1.5 units in the
//! last place, with the right results for infinities, NaN and subnormals (`tests` at the end of functions.rs measures both). With `FUSE`
//! they use fused multiply-add, which halves their work, and which every x86 since 2013 and every 64-bit ARM has.
//!
//! exp, log and tanh after Cephes (S. Moshier), sin, cos and tan after FreeBSD's msun as musl has them, erf after N. Juffa.

/// Added and subtracted, it rounds to the nearest whole number; while added, the low bits hold that number.
const ROUND: f32 = 12_582_912.0;
const LN2_HIGH: f32 = 0.693_359_375;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// `a b + c`
#[inline(always)]
fn fma<const FUSE: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSE { a.mul_add(b, c) } else { a * b + c }
}

#[inline(always)]
fn fma64<const FUSE: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FUSE { a.mul_add(b, c) } else { a * b + c }
}

/// `c[0] + c[1] x + c[2] x^2 + ...`
#[inline(always)]
fn polynomial<const FUSE: bool, const N: usize>(x: f32, c: [f32; N]) -> f32 {
    let mut sum = c[N - 1];
    for i in (0..N - 1).rev() {
        sum = fma::<FUSE>(sum, x, c[i]);
    }
    sum
}

/// `2^n` for n in -126..=127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// `(n, r)` with `x = n ln 2 + r` and `|r|` at most half of ln 2.
#[inline(always)]
fn reduced<const FUSE: bool>(x: f32) -> (i32, f32) {
    let shifted = fma::<FUSE>(x, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    (shifted.to_bits().wrapping_sub(ROUND.to_bits()) as i32, fma::<FUSE>(-n, LN2_LOW, fma::<FUSE>(-n, LN2_HIGH, x)))
}

/// `e^r - 1` for small r.
#[inline(always)]
fn small_expm1<const FUSE: bool>(r: f32) -> f32 {
    let p = polynomial::<FUSE, _>(r, [5.000_000_1e-1, 1.666_666_5e-1, 4.166_579_6e-2, 8.333_452e-3, 1.398_2e-3, 1.987_569_2e-4]);
    fma::<FUSE>(p, r * r, r)
}

/// In two steps, so that results in the subnormal range and next to infinity come out right.
#[inline(always)]
fn scaled(x: f32, n: i32) -> f32 {
    let half = n >> 1;
    x * power_of_two(half) * power_of_two(n - half)
}

/// Bounds `x`; NaN stays.
#[inline(always)]
fn bounded(x: f32, low: f32, high: f32) -> f32 {
    let x = if x > high { high } else { x };
    if x < low { low } else { x }
}

#[inline(always)]
pub fn exp<const FUSE: bool>(x: f32) -> f32 {
    let (n, r) = reduced::<FUSE>(bounded(x, -104.0, 89.0));
    scaled(small_expm1::<FUSE>(r) + 1.0, n)
}

#[inline(always)]
pub fn exp2<const FUSE: bool>(x: f32) -> f32 {
    let x = bounded(x, -151.0, 129.0);
    let shifted = x + ROUND;
    let r = (x - (shifted - ROUND)) * std::f32::consts::LN_2;
    scaled(small_expm1::<FUSE>(r) + 1.0, shifted.to_bits().wrapping_sub(ROUND.to_bits()) as i32)
}

#[inline(always)]
pub fn expm1<const FUSE: bool>(x: f32) -> f32 {
    let (n, r) = reduced::<FUSE>(bounded(x, -18.0, 89.0));
    // Half of the result, since 2^128 has no place in an f32.
    let t = power_of_two(n.wrapping_sub(1));
    let y = fma::<FUSE>(small_expm1::<FUSE>(r), t, t - 0.5) * 2.0;
    // Keeps the sign of zero, and subnormals.
    if x.abs() < 1e-8 { x } else { y }
}

/// `(e, m)` of a positive number `m 2^e`, with m around 1: from the square root of a half to that of two.
#[inline(always)]
fn split(x: f32) -> (f32, f32) {
    let small = x < f32::MIN_POSITIVE;
    let x = if small { x * 8_388_608.0 } else { x };
    let bits = x.to_bits().wrapping_add(0x3f80_0000 - 0x3f35_04f3);
    let e = ((bits >> 23) as i32 - 127) as f32;
    let m = f32::from_bits((bits & 0x007f_ffff).wrapping_add(0x3f35_04f3));
    (if small { e - 23.0 } else { e }, m)
}

/// `log(1 + f) - f` for f around 0.
#[inline(always)]
fn log_rest<const FUSE: bool>(f: f32) -> f32 {
    let p = polynomial::<FUSE, _>(
        f,
        [
            3.333_333_1e-1,
            -2.499_999_4e-1,
            2.000_071_5e-1,
            -1.666_805_8e-1,
            1.424_932_3e-1,
            -1.242_014_1e-1,
            1.167_699_9e-1,
            -1.151_461e-1,
            7.037_684e-2,
        ],
    );
    let square = f * f;
    fma::<FUSE>(f * square, p, -0.5 * square)
}

/// What a logarithm is where its formula does not hold: at 0 and below, at infinity and NaN.
#[inline(always)]
fn log_edges(x: f32, y: f32) -> f32 {
    let y = if x < f32::INFINITY { y } else { x };
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if x < 0.0 { f32::NAN } else { y }
}

#[inline(always)]
pub fn log<const FUSE: bool>(x: f32) -> f32 {
    let (e, m) = split(x);
    let f = m - 1.0;
    log_edges(x, fma::<FUSE>(e, LN2_HIGH, fma::<FUSE>(e, LN2_LOW, log_rest::<FUSE>(f)) + f))
}

/// `log_b(x)` from `log_b(e)` in a short and a rest, and `log_b(2)` in two parts; exact at powers of two for b = 2.
#[inline(always)]
fn log_to<const FUSE: bool>(x: f32, per_e: [f32; 2], per_2: [f32; 2]) -> f32 {
    let (e, m) = split(x);
    let f = m - 1.0;
    // The leading part of f is short enough to be multiplied without rounding.
    let lead = f32::from_bits(f.to_bits() & 0xffff_f000);
    let rest = (f - lead) + log_rest::<FUSE>(f);
    let low = lead * per_e[1] + rest * (per_e[0] + per_e[1]) + e * per_2[1];
    log_edges(x, (low + lead * per_e[0]) + e * per_2[0])
}

#[inline(always)]
pub fn log2<const FUSE: bool>(x: f32) -> f32 {
    log_to::<FUSE>(x, [1.442_871_1, -1.760_528_5e-4], [1.0, 0.0])
}

#[inline(always)]
pub fn log10<const FUSE: bool>(x: f32) -> f32 {
    log_to::<FUSE>(x, [0.434_326_17, -3.168_997e-5], [0.301_029_2, 7.903_415e-7])
}

#[inline(always)]
pub fn log1p<const FUSE: bool>(x: f32) -> f32 {
    let u = 1.0 + x;
    let (e, m) = split(u);
    let f = m - 1.0;
    // What rounding took from u.
    let lost = (x - (u - 1.0)) / u;
    let y = log_edges(u, fma::<FUSE>(e, LN2_HIGH, fma::<FUSE>(e, LN2_LOW, log_rest::<FUSE>(f) + lost) + f));
    // Keeps the sign of zero, and subnormals.
    if x.abs() < 1e-8 { x } else { y }
}

#[inline(always)]
fn polynomial64<const FUSE: bool, const N: usize>(x: f64, c: [f64; N]) -> f64 {
    let mut sum = c[N - 1];
    for i in (0..N - 1).rev() {
        sum = fma64::<FUSE>(sum, x, c[i]);
    }
    sum
}

/// `log2` within 1e-12 of itself, by `log((1 + s) / (1 - s)) = 2 (s + s^3 / 3 + s^5 / 5 + ...)`; minus infinity at 0.
#[inline(always)]
fn wide_log2<const FUSE: bool>(x: f32) -> f64 {
    const C: f64 = 2.0 * std::f64::consts::LOG2_E;
    let (e, m) = split(x);
    let (above, below) = (f64::from(m) + 1.0, f64::from(m) - 1.0);
    // The quotient of floats and a step of Newton's take a fraction of the time of a division.
    let guess = f64::from(1.0 / above as f32);
    let s = below * (guess * fma64::<FUSE>(-above, guess, 2.0));
    let p = polynomial64::<FUSE, _>(s * s, [C, C / 3.0, C / 5.0, C / 7.0, C / 9.0, C / 11.0, C / 13.0, C / 15.0]);
    let y = fma64::<FUSE>(s, p, f64::from(e));
    let y = if x < f32::INFINITY { y } else { f64::from(x) };
    if x == 0.0 { f64::NEG_INFINITY } else { y }
}

/// `2^x` within 1e-9 of itself, as an f32.
#[inline(always)]
fn narrow_exp2<const FUSE: bool>(x: f64) -> f32 {
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    const L: f64 = std::f64::consts::LN_2;
    // Beyond, an f32 is 0 or infinite; NaN stays.
    let x = if x > 300.0 { 300.0 } else { x };
    let x = if x < -300.0 { -300.0 } else { x };
    let shifted = x + SHIFT;
    let r = (x - (shifted - SHIFT)) * L;
    let c = [1.0, 1.0, 1.0 / 2.0, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0, 1.0 / 5040.0, 1.0 / 40_320.0];
    (polynomial64::<FUSE, _>(r, c) * f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52)) as f32
}

/// `x^y` as C99 has it, NaN and infinities included.
#[inline(always)]
pub fn pow<const FUSE: bool>(x: f32, y: f32) -> f32 {
    let size = narrow_exp2::<FUSE>(f64::from(y) * wide_log2::<FUSE>(x.abs()));
    let whole = trunc(y) == y;
    let odd = whole && trunc(y * 0.5) * 2.0 != y;
    let signed = if odd { size.copysign(x) } else { size };
    let signed = if x < 0.0 && x > f32::NEG_INFINITY && !whole { f32::NAN } else { signed };
    let one = y == 0.0 || x == 1.0 || (x == -1.0 && y.abs() == f32::INFINITY);
    if one { 1.0 } else { signed }
}

#[inline(always)]
pub fn tanh<const FUSE: bool>(x: f32) -> f32 {
    let z = x * x;
    let p = polynomial::<FUSE, _>(z, [-3.333_328e-1, 1.333_144_2e-1, -5.373_971_6e-2, 2.063_908_9e-2, -5.704_988_7e-3]);
    let near = fma::<FUSE>(p * z, x, x);
    let far = 1.0 - 2.0 / (exp::<FUSE>(2.0 * x.abs()) + 1.0);
    if x.abs() < 0.625 { near.copysign(x) } else { far.copysign(x) }
}

/// `erf(x) = 1 - e^p(|x|)`: the p, for `|x|` from 0.93 on.
#[inline(always)]
fn erf_exponent<const FUSE: bool>(t: f32) -> f32 {
    let p = polynomial::<FUSE, _>(
        t,
        [-1.287_175_1e-1, -6.348_468_7e-1, -1.067_778_8e-1, 2.425_462_2e-2, -3.883_964_4e-3, 3.831_971_3e-4, -1.728_534_7e-5],
    );
    fma::<FUSE>(p, t, -t)
}

const ERF_NEAR: f32 = 0.927_734_4;

/// `erf(x)` for `|x|` up to 0.93.
#[inline(always)]
fn erf_near<const FUSE: bool>(x: f32) -> f32 {
    let p = polynomial::<FUSE, _>(x * x, [1.283_791_7e-1, -3.761_253_4e-1, 1.128_199_3e-1, -2.676_813_5e-2, 4.991_194_2e-3, -5.967_617e-4]);
    fma::<FUSE>(p, x, x)
}

#[inline(always)]
pub fn erf<const FUSE: bool>(x: f32) -> f32 {
    let t = bounded(x.abs(), 0.0, 4.0);
    let far = (1.0 - exp::<FUSE>(erf_exponent::<FUSE>(t))).copysign(x);
    if x.abs() > ERF_NEAR { far } else { erf_near::<FUSE>(x) }
}

/// Reduces an angle to `(quadrant, rest)`, in f64; for `|x|` below `TRIG_LIMIT`.
#[inline(always)]
fn quadrant<const FUSE: bool>(x: f32) -> (u64, f64) {
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    let x = f64::from(x);
    let shifted = fma64::<FUSE>(x, std::f64::consts::FRAC_2_PI, SHIFT);
    let n = shifted - SHIFT;
    (shifted.to_bits(), fma64::<FUSE>(-n, 1.589_325_477_352_819_7e-8, fma64::<FUSE>(-n, 1.570_796_310_901_641_8, x)))
}

/// From here on angles need more digits of pi than `quadrant` has.
pub const TRIG_LIMIT: f32 = 2.6e8;

#[inline(always)]
fn sin_part<const FUSE: bool>(z: f64, x: f64) -> f64 {
    let (w, s) = (z * z, z * x);
    let low = fma64::<FUSE>(z, 0.008_333_329_385_889_463, -0.166_666_666_416_265_24);
    let high = fma64::<FUSE>(z, 0.000_002_718_311_493_989_822, -0.000_198_393_348_360_966_32);
    fma64::<FUSE>(s, fma64::<FUSE>(w, high, low), x)
}

#[inline(always)]
fn cos_part<const FUSE: bool>(z: f64) -> f64 {
    let w = z * z;
    let low = fma64::<FUSE>(z, 0.041_666_623_323_739_06, -0.499_999_997_251_031);
    let high = fma64::<FUSE>(z, 0.000_024_390_448_796_277_41, -0.001_388_676_377_460_993);
    fma64::<FUSE>(z, fma64::<FUSE>(w, high, low), 1.0)
}

/// `sin` of the angle and `quadrants` right angles more.
#[inline(always)]
fn sine<const FUSE: bool>(x: f32, quadrants: u64) -> f32 {
    let (n, r) = quadrant::<FUSE>(x);
    let n = n.wrapping_add(quadrants);
    let z = r * r;
    let y = if n & 1 == 0 { sin_part::<FUSE>(z, r) } else { cos_part::<FUSE>(z) };
    // Bit 1 of the quadrant is the sign.
    f64::from_bits(y.to_bits() ^ ((n & 2) << 62)) as f32
}

#[inline(always)]
pub fn sin<const FUSE: bool>(x: f32) -> f32 {
    let y = sine::<FUSE>(x, 0);
    if x == 0.0 { x } else { y }
}

#[inline(always)]
pub fn cos<const FUSE: bool>(x: f32) -> f32 {
    sine::<FUSE>(x, 1)
}

#[inline(always)]
pub fn tan<const FUSE: bool>(x: f32) -> f32 {
    let (n, r) = quadrant::<FUSE>(x);
    let z = r * r;
    let (w, s) = (z * z, z * r);
    let u = fma64::<FUSE>(z, 0.133_392_002_712_976_74, 0.333_331_395_030_791_4);
    let t = fma64::<FUSE>(z, 0.024_528_318_116_654_728, 0.053_381_237_844_567_04);
    let v = fma64::<FUSE>(z, 0.009_465_647_849_436_732, 0.002_974_357_433_599_673);
    let y = fma64::<FUSE>(s, fma64::<FUSE>(w, fma64::<FUSE>(w, v, t), u), r);
    let y = if n & 1 == 0 { y } else { -1.0 / y } as f32;
    if x == 0.0 { x } else { y }
}

/// The normal distribution function, `(1 + erf::<FUSE>(x / sqrt(2))) / 2`, within 1e-7; what cancels on the left does not cancel here.
#[inline(always)]
pub fn normal_cdf<const FUSE: bool>(x: f32) -> f32 {
    let a = x * std::f32::consts::FRAC_1_SQRT_2;
    let tail = 0.5 * exp::<FUSE>(erf_exponent::<FUSE>(a.abs()));
    let far = if x < 0.0 { tail } else { 1.0 - tail };
    if a.abs() > ERF_NEAR { far } else { 0.5 + 0.5 * erf_near::<FUSE>(a) }
}

/// From here on every f32 is a whole number.
const WHOLE: f32 = 8_388_608.0;

/// `f` of the nearest whole number to `x` (halves to even) and `x`; keeps the sign of zero, and what is whole already.
#[inline(always)]
fn rounded(x: f32, f: impl Fn(f32, f32) -> f32) -> f32 {
    let nearest = (x + ROUND) - ROUND;
    // Numbers too large for the trick are rounded by their own bits.
    let large = (x.abs() + WHOLE) - WHOLE;
    let nearest = if x.abs() < 2_097_152.0 { nearest } else { large.copysign(x) };
    let y = f(nearest, x).copysign(x);
    if x.abs() < WHOLE { y } else { x }
}

#[inline(always)]
pub fn round_even(x: f32) -> f32 {
    rounded(
        x,
        #[inline(always)]
        |nearest, _| nearest,
    )
}

#[inline(always)]
pub fn floor(x: f32) -> f32 {
    rounded(
        x,
        #[inline(always)]
        |nearest, x| if nearest > x { nearest - 1.0 } else { nearest },
    )
}

#[inline(always)]
pub fn ceil(x: f32) -> f32 {
    -floor(-x)
}

#[inline(always)]
pub fn trunc(x: f32) -> f32 {
    floor(x.abs()).copysign(x)
}

//! Elementary functions of f32 as plain arithmetic without branches, so that loops over them become SIMD code: within 1.5 units in the
//! last place, with the right results for infinities, NaN and subnormals (`tests` at the end of functions.rs measures both).
//!
//! exp, log and tanh after Cephes (S. Moshier), sin, cos and tan after FreeBSD's msun as musl has them, erf after N. Juffa.

/// Added and subtracted, it rounds to the nearest whole number; while added, the low bits hold that number.
const ROUND: f32 = 12_582_912.0;
const LN2_HIGH: f32 = 0.693_359_375;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// `c[0] + c[1] x + c[2] x^2 + ...`
#[inline(always)]
fn polynomial<const N: usize>(x: f32, c: [f32; N]) -> f32 {
    let mut sum = c[N - 1];
    for i in (0..N - 1).rev() {
        sum = sum * x + c[i];
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
fn reduced(x: f32) -> (i32, f32) {
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    (shifted.to_bits().wrapping_sub(ROUND.to_bits()) as i32, (x - n * LN2_HIGH) - n * LN2_LOW)
}

/// `e^r - 1` for small r.
#[inline(always)]
fn small_expm1(r: f32) -> f32 {
    let p = polynomial(r, [5.000_000_1e-1, 1.666_666_5e-1, 4.166_579_6e-2, 8.333_452e-3, 1.398_2e-3, 1.987_569_2e-4]);
    p * (r * r) + r
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
pub fn exp(x: f32) -> f32 {
    let (n, r) = reduced(bounded(x, -104.0, 89.0));
    scaled(small_expm1(r) + 1.0, n)
}

#[inline(always)]
pub fn exp2(x: f32) -> f32 {
    let x = bounded(x, -151.0, 129.0);
    let shifted = x + ROUND;
    let r = (x - (shifted - ROUND)) * std::f32::consts::LN_2;
    scaled(small_expm1(r) + 1.0, shifted.to_bits().wrapping_sub(ROUND.to_bits()) as i32)
}

#[inline(always)]
pub fn expm1(x: f32) -> f32 {
    let (n, r) = reduced(bounded(x, -18.0, 89.0));
    // Half of the result, since 2^128 has no place in an f32.
    let t = power_of_two(n.wrapping_sub(1));
    let y = (small_expm1(r) * t + (t - 0.5)) * 2.0;
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
fn log_rest(f: f32) -> f32 {
    let p = polynomial(
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
    f * square * p - 0.5 * square
}

/// What a logarithm is where its formula does not hold: at 0 and below, at infinity and NaN.
#[inline(always)]
fn log_edges(x: f32, y: f32) -> f32 {
    let y = if x < f32::INFINITY { y } else { x };
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if x < 0.0 { f32::NAN } else { y }
}

#[inline(always)]
pub fn log(x: f32) -> f32 {
    let (e, m) = split(x);
    let f = m - 1.0;
    log_edges(x, (log_rest(f) + e * LN2_LOW + f) + e * LN2_HIGH)
}

/// `log_b(x)` from `log_b(e)` in a short and a rest, and `log_b(2)` in two parts; exact at powers of two for b = 2.
#[inline(always)]
fn log_to(x: f32, per_e: [f32; 2], per_2: [f32; 2]) -> f32 {
    let (e, m) = split(x);
    let f = m - 1.0;
    // The leading part of f is short enough to be multiplied without rounding.
    let lead = f32::from_bits(f.to_bits() & 0xffff_f000);
    let rest = (f - lead) + log_rest(f);
    let low = lead * per_e[1] + rest * (per_e[0] + per_e[1]) + e * per_2[1];
    log_edges(x, (low + lead * per_e[0]) + e * per_2[0])
}

#[inline(always)]
pub fn log2(x: f32) -> f32 {
    log_to(x, [1.442_871_1, -1.760_528_5e-4], [1.0, 0.0])
}

#[inline(always)]
pub fn log10(x: f32) -> f32 {
    log_to(x, [0.434_326_17, -3.168_997e-5], [0.301_029_2, 7.903_415e-7])
}

#[inline(always)]
pub fn log1p(x: f32) -> f32 {
    let u = 1.0 + x;
    let (e, m) = split(u);
    let f = m - 1.0;
    // What rounding took from u.
    let lost = (x - (u - 1.0)) / u;
    let y = log_edges(u, (log_rest(f) + (e * LN2_LOW + lost) + f) + e * LN2_HIGH);
    // Keeps the sign of zero, and subnormals.
    if x.abs() < 1e-8 { x } else { y }
}

#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let z = x * x;
    let near = polynomial(z, [-3.333_328e-1, 1.333_144_2e-1, -5.373_971_6e-2, 2.063_908_9e-2, -5.704_988_7e-3]) * z * x + x;
    let far = 1.0 - 2.0 / (exp(2.0 * x.abs()) + 1.0);
    if x.abs() < 0.625 { near.copysign(x) } else { far.copysign(x) }
}

/// `erf(x) = 1 - e^p(|x|)`: the p, for `|x|` from 0.93 on.
#[inline(always)]
fn erf_exponent(t: f32) -> f32 {
    let p = polynomial(
        t,
        [-1.287_175_1e-1, -6.348_468_7e-1, -1.067_778_8e-1, 2.425_462_2e-2, -3.883_964_4e-3, 3.831_971_3e-4, -1.728_534_7e-5],
    );
    p * t - t
}

const ERF_NEAR: f32 = 0.927_734_4;

/// `erf(x)` for `|x|` up to 0.93.
#[inline(always)]
fn erf_near(x: f32) -> f32 {
    let p = polynomial(x * x, [1.283_791_7e-1, -3.761_253_4e-1, 1.128_199_3e-1, -2.676_813_5e-2, 4.991_194_2e-3, -5.967_617e-4]);
    p * x + x
}

#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let t = bounded(x.abs(), 0.0, 4.0);
    let far = (1.0 - exp(erf_exponent(t))).copysign(x);
    if x.abs() > ERF_NEAR { far } else { erf_near(x) }
}

/// Reduces an angle to `(quadrant, rest)`, in f64; for `|x|` below `TRIG_LIMIT`.
#[inline(always)]
fn quadrant(x: f32) -> (u64, f64) {
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    let x = f64::from(x);
    let shifted = x * std::f64::consts::FRAC_2_PI + SHIFT;
    let n = shifted - SHIFT;
    (shifted.to_bits(), x - n * 1.570_796_310_901_641_8 - n * 1.589_325_477_352_819_7e-8)
}

/// From here on angles need more digits of pi than `quadrant` has.
pub const TRIG_LIMIT: f32 = 2.6e8;

#[inline(always)]
fn sin_part(z: f64, x: f64) -> f64 {
    let (w, s) = (z * z, z * x);
    (x + s * (-0.166_666_666_416_265_24 + z * 0.008_333_329_385_889_463))
        + s * w * (-0.000_198_393_348_360_966_32 + z * 0.000_002_718_311_493_989_822)
}

#[inline(always)]
fn cos_part(z: f64) -> f64 {
    let w = z * z;
    ((1.0 + z * -0.499_999_997_251_031) + w * 0.041_666_623_323_739_06)
        + (w * z) * (-0.001_388_676_377_460_993 + z * 0.000_024_390_448_796_277_41)
}

/// `sin` of the angle and `quadrants` right angles more.
#[inline(always)]
fn sine(x: f32, quadrants: u64) -> f32 {
    let (n, r) = quadrant(x);
    let n = n.wrapping_add(quadrants);
    let z = r * r;
    let y = if n & 1 == 0 { sin_part(z, r) } else { cos_part(z) };
    // Bit 1 of the quadrant is the sign.
    f64::from_bits(y.to_bits() ^ ((n & 2) << 62)) as f32
}

#[inline(always)]
pub fn sin(x: f32) -> f32 {
    let y = sine(x, 0);
    if x == 0.0 { x } else { y }
}

#[inline(always)]
pub fn cos(x: f32) -> f32 {
    sine(x, 1)
}

#[inline(always)]
pub fn tan(x: f32) -> f32 {
    let (n, r) = quadrant(x);
    let z = r * r;
    let (w, s) = (z * z, z * r);
    let u = 0.333_331_395_030_791_4 + z * 0.133_392_002_712_976_74;
    let t = 0.053_381_237_844_567_04 + z * 0.024_528_318_116_654_728;
    let v = 0.002_974_357_433_599_673 + z * 0.009_465_647_849_436_732;
    let y = (r + s * u) + (s * w) * (t + w * v);
    let y = if n & 1 == 0 { y } else { -1.0 / y } as f32;
    if x == 0.0 { x } else { y }
}

/// The normal distribution function, `(1 + erf(x / sqrt(2))) / 2`, within 1e-7; what cancels on the left does not cancel here.
#[inline(always)]
pub fn normal_cdf(x: f32) -> f32 {
    let a = x * std::f32::consts::FRAC_1_SQRT_2;
    let tail = 0.5 * exp(erf_exponent(a.abs()));
    let far = if x < 0.0 { tail } else { 1.0 - tail };
    if a.abs() > ERF_NEAR { far } else { 0.5 + 0.5 * erf_near(a) }
}

//! Dtypes: promotion, codes.

use firn_core::DType;
use firn_core::dtype::promote;

#[test]
fn promotion_follows_pytorch() {
    use DType::*;
    for (a, b, expected) in [
        (Bool, UInt8, UInt8),
        (UInt8, Int8, Int16),
        (Int64, Float16, Float16),
        (Float16, BFloat16, Float32),
        (Int32, Int64, Int64),
        (Float32, Float64, Float64),
        (Int64, Bool, Int64),
    ] {
        assert_eq!(promote(a, b), expected);
        assert_eq!(promote(b, a), expected);
    }
}

#[test]
fn codes_round_trip() {
    for dtype in DType::ALL {
        assert_eq!(DType::from_code(dtype.code()).ok(), Some(dtype));
        assert_eq!(DType::from_burn(dtype.burn()).ok(), Some(dtype));
    }
    assert!(DType::from_code(99).is_err());
}

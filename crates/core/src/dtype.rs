//! Our dtypes, their mapping to burn's, and PyTorch's promotion rules.

use burn_std::{BoolDType, BoolStore, DType as BurnDType, FloatDType, IntDType};

use crate::error::{Result, bail};

/// Element type of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DType {
    // Ordered by promotion within each kind.
    Bool,
    UInt8,
    Int8,
    Int16,
    Int32,
    Int64,
    Float16,
    BFloat16,
    Float32,
    Float64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Bool,
    Int,
    Float,
}

impl DType {
    /// Every dtype; its position is the code that crosses the language border.
    pub const ALL: [DType; 10] = [
        DType::Bool,
        DType::UInt8,
        DType::Int8,
        DType::Int16,
        DType::Int32,
        DType::Int64,
        DType::Float16,
        DType::BFloat16,
        DType::Float32,
        DType::Float64,
    ];

    pub fn from_code(code: u32) -> Result<Self> {
        match Self::ALL.get(code as usize) {
            Some(dtype) => Ok(*dtype),
            None => bail!(Dtype, "unknown dtype code {code}"),
        }
    }

    pub fn code(self) -> u32 {
        self as u32
    }

    pub fn name(self) -> &'static str {
        match self {
            DType::Bool => "bool",
            DType::UInt8 => "uint8",
            DType::Int8 => "int8",
            DType::Int16 => "int16",
            DType::Int32 => "int32",
            DType::Int64 => "int64",
            DType::Float16 => "float16",
            DType::BFloat16 => "bfloat16",
            DType::Float32 => "float32",
            DType::Float64 => "float64",
        }
    }

    pub fn kind(self) -> Kind {
        match self {
            DType::Bool => Kind::Bool,
            DType::UInt8 | DType::Int8 | DType::Int16 | DType::Int32 | DType::Int64 => Kind::Int,
            DType::Float16 | DType::BFloat16 | DType::Float32 | DType::Float64 => Kind::Float,
        }
    }

    pub fn is_float(self) -> bool {
        self.kind() == Kind::Float
    }

    /// The smallest and the largest number of an integer dtype; of int64 the largest that a double is.
    pub fn range(self) -> (f64, f64) {
        match self {
            DType::Bool => (0.0, 1.0),
            DType::UInt8 => (0.0, 255.0),
            DType::Int8 => (-128.0, 127.0),
            DType::Int16 => (-32_768.0, 32_767.0),
            DType::Int32 => (-2_147_483_648.0, 2_147_483_647.0),
            DType::Int64 => (i64::MIN as f64, 9_223_372_036_854_774_784.0),
            DType::Float16 | DType::BFloat16 | DType::Float32 | DType::Float64 => (f64::NEG_INFINITY, f64::INFINITY),
        }
    }

    /// The dtype that kernels compute in: float64 for itself, float32 for all others.
    pub(crate) fn precise(self) -> DType {
        if self == DType::Float64 { DType::Float64 } else { DType::Float32 }
    }

    /// Bytes of one element.
    pub fn size(self) -> usize {
        self.burn().size()
    }

    pub fn burn(self) -> BurnDType {
        match self {
            DType::Bool => BurnDType::Bool(BoolStore::Native),
            DType::UInt8 => BurnDType::U8,
            DType::Int8 => BurnDType::I8,
            DType::Int16 => BurnDType::I16,
            DType::Int32 => BurnDType::I32,
            DType::Int64 => BurnDType::I64,
            DType::Float16 => BurnDType::F16,
            DType::BFloat16 => BurnDType::BF16,
            DType::Float32 => BurnDType::F32,
            DType::Float64 => BurnDType::F64,
        }
    }

    pub fn from_burn(dtype: BurnDType) -> Result<Self> {
        Ok(match dtype {
            BurnDType::Bool(_) => DType::Bool,
            BurnDType::U8 => DType::UInt8,
            BurnDType::I8 => DType::Int8,
            BurnDType::I16 => DType::Int16,
            BurnDType::I32 => DType::Int32,
            BurnDType::I64 => DType::Int64,
            BurnDType::F16 => DType::Float16,
            BurnDType::BF16 => DType::BFloat16,
            BurnDType::F32 => DType::Float32,
            BurnDType::F64 => DType::Float64,
            other => bail!(Internal, "the engine returned a tensor of dtype {other:?}, which firn has no name for"),
        })
    }

    pub(crate) fn float(self) -> FloatDType {
        match self {
            DType::Float16 => FloatDType::F16,
            DType::BFloat16 => FloatDType::BF16,
            DType::Float64 => FloatDType::F64,
            _ => FloatDType::F32,
        }
    }

    pub(crate) fn int(self) -> IntDType {
        match self {
            DType::UInt8 => IntDType::U8,
            DType::Int8 => IntDType::I8,
            DType::Int16 => IntDType::I16,
            DType::Int32 => IntDType::I32,
            _ => IntDType::I64,
        }
    }
}

/// The store of boolean results on the CPU.
pub(crate) const BOOL: BoolDType = BoolDType::Native;

/// The dtype of `a op b`, as PyTorch promotes: the higher kind wins, then the wider type;
/// uint8 with int8 gives int16, float16 with bfloat16 gives float32.
pub fn promote(a: DType, b: DType) -> DType {
    use DType::{BFloat16, Float16, Float32, Int8, Int16, UInt8};
    match (a, b) {
        (UInt8, Int8) | (Int8, UInt8) => Int16,
        (Float16, BFloat16) | (BFloat16, Float16) => Float32,
        _ => a.max(b),
    }
}

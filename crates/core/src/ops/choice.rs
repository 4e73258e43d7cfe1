//! The closed lists of words that options take: an enum here, a union of literals in TypeScript.

use crate::error::{Result, bail};

/// What the generator knows of a list.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    pub name: &'static str,
    pub docs: &'static [&'static str],
    /// Each variant, and the word that users write for it; the position is the code that crosses the language border.
    pub variants: &'static [(&'static str, &'static str)],
}

macro_rules! choices {
    ($($(#[doc = $doc:literal])+ $name:ident { $($variant:ident = $word:literal),+ $(,)? })+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub enum $name { $($variant),+ }

            impl $name {
                pub fn from_code(code: u32) -> Result<Self> {
                    match [$($name::$variant),+].get(code as usize) {
                        Some(choice) => Ok(*choice),
                        None => bail!(Argument, "unknown code {code} for {}", stringify!($name)),
                    }
                }
            }

            crate::tape::copied!($name);
        )+

        pub const CHOICES: &[Choice] = &[$(
            Choice { name: stringify!($name), docs: &[$($doc),+], variants: &[$((stringify!($variant), $word)),+] },
        )+];
    };
}

choices! {
    /// By which formula `gelu` is computed.
    Approximate { None = "none", Tanh = "tanh" }
    /// What becomes of the losses of a batch.
    Reduction { Mean = "mean", Sum = "sum", None = "none" }
    /// Zeros around an image by a word: as many as keep its size, or none.
    PaddingWord { Same = "same", Valid = "valid" }
    /// What becomes of the losses of a batch; `batchmean` divides their sum by the size of the batch.
    BatchReduction { Mean = "mean", Sum = "sum", None = "none", BatchMean = "batchmean" }
    /// What a plain recurrent cell puts its sums through.
    Nonlinearity { Tanh = "tanh", Relu = "relu" }
    /// What padding is made of: a value, a reflection without the border, the border itself, or the other end.
    PadMode { Constant = "constant", Reflect = "reflect", Replicate = "replicate", Circular = "circular" }
    /// How the entries of a larger or smaller image come from those of an image.
    Interpolation {
        Nearest = "nearest",
        NearestExact = "nearest-exact",
        Linear = "linear",
        Bilinear = "bilinear",
        Trilinear = "trilinear",
        Bicubic = "bicubic",
        Area = "area",
    }
    /// How an image is read between its elements.
    GridMode { Bilinear = "bilinear", Nearest = "nearest", Bicubic = "bicubic" }
    /// What is read beyond an image: zeros, its border, or its reflection.
    GridPadding { Zeros = "zeros", Border = "border", Reflection = "reflection" }
    /// Where a Fourier transform of `n` numbers is divided: by `n` on the way back or forth, or by its root both ways.
    FourierNorm { Backward = "backward", Ortho = "ortho", Forward = "forward" }
    /// Which way the first two axes of a grid go: as rows and columns of a matrix, or as x and y.
    Indexing { Ij = "ij", Xy = "xy" }
    /// What becomes of an element of `scatter` that finds another in its place.
    ScatterMode { None = "none", Add = "add", Multiply = "multiply" }
    /// What a quantile between two elements is.
    QuantileInterpolation { Linear = "linear", Lower = "lower", Higher = "higher", Midpoint = "midpoint", Nearest = "nearest" }
    /// How elements that meet in one place are combined.
    ScatterReduce { Sum = "sum", Prod = "prod", Mean = "mean", Amax = "amax", Amin = "amin" }
    /// How the rows of a bag become one.
    BagMode { Sum = "sum", Mean = "mean", Max = "max" }
    /// How much of Q and R is computed.
    QrMode { Reduced = "reduced", Complete = "complete", R = "r" }
    /// A norm of matrices: of the elements, of the singular values, or of sums of columns and rows.
    MatrixNorm {
        Fro = "fro",
        Nuc = "nuc",
        One = "1",
        MinusOne = "-1",
        Two = "2",
        MinusTwo = "-2",
        Inf = "inf",
        MinusInf = "-inf",
    }
}

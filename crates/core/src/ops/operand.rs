//! `Operand`: a tensor or a plain number, and Rust's operators for gradient rules.

use std::ops::{Add, Div, Mul, Neg, Sub};
use std::rc::Rc;

use crate::dtype::{DType, Kind, promote};
use crate::error::{Result, bail};
use crate::ops::elementwise as e;
use crate::tape::{Input, Load, Node, Save};
use crate::tensor::{Tensor, Value, cast, reshape};

/// What a binary op takes on either side.
#[derive(Clone)]
pub enum Operand {
    Tensor(Tensor),
    Number(f64),
}

impl Operand {
    pub fn is_number(&self) -> bool {
        matches!(self, Operand::Number(_))
    }

    /// As a tensor; a number takes the dtype it would have beside `like`.
    pub(crate) fn tensor(&self, like: DType) -> Result<Tensor> {
        match self {
            Operand::Tensor(tensor) => Ok(tensor.clone()),
            Operand::Number(number) => crate::create::full(&[], *number, number_dtype(*number, like)?),
        }
    }

    fn dtype(&self) -> Option<DType> {
        match self {
            Operand::Tensor(tensor) => Some(tensor.dtype()),
            Operand::Number(_) => None,
        }
    }
}

impl From<&Tensor> for Operand {
    fn from(tensor: &Tensor) -> Self {
        Operand::Tensor(tensor.clone())
    }
}

impl From<Tensor> for Operand {
    fn from(tensor: Tensor) -> Self {
        Operand::Tensor(tensor)
    }
}

impl From<f64> for Operand {
    fn from(number: f64) -> Self {
        Operand::Number(number)
    }
}

/// A number takes the tensor's dtype, since the dtype of the result is part of its type: beside integers it must be whole, and booleans take none.
fn number_dtype(number: f64, like: DType) -> Result<DType> {
    match like.kind() {
        Kind::Float => Ok(like),
        Kind::Int => crate::create::whole(number, like).map(|()| like),
        Kind::Bool => {
            bail!(Dtype, "{number} with a boolean tensor would need another dtype for the result; convert it first: x.to('int64')")
        }
    }
}

/// Two operands brought to one dtype; shapes of unequal rank get leading ones.
pub(crate) enum Promoted {
    Tensors(Value, Value, DType),
    Number(Value, f64, DType),
}

/// Promotes the operands of a binary op and checks that they broadcast.
pub(crate) fn promoted(a: &Operand, b: &Operand) -> Result<Promoted> {
    match (a, b) {
        (Operand::Number(_), Operand::Number(_)) => bail!(Argument, "both operands are plain numbers; at least one must be a tensor"),
        (Operand::Tensor(a), Operand::Number(number)) => {
            let dtype = number_dtype(*number, a.dtype())?;
            Ok(Promoted::Number(a.value_as(dtype), *number, dtype))
        }
        _ => {
            let like = a.dtype().or(b.dtype()).unwrap_or(DType::Float32);
            let (a, b) = (a.tensor(like)?, b.tensor(like)?);
            if a.shape() != b.shape() {
                crate::shape::broadcast(a.shape(), b.shape())?;
            }
            let dtype = promote(a.dtype(), b.dtype());
            let rank = a.rank().max(b.rank());
            Ok(Promoted::Tensors(aligned(&a, dtype, rank), aligned(&b, dtype, rank), dtype))
        }
    }
}

fn aligned(tensor: &Tensor, dtype: DType, rank: usize) -> Value {
    let value = cast(tensor.value(), tensor.dtype(), dtype);
    if tensor.rank() == rank {
        return value;
    }
    let mut shape = vec![1; rank - tensor.rank()];
    shape.extend_from_slice(tensor.shape());
    reshape(value, dtype.kind(), shape.into())
}

impl Input for &Operand {
    fn nodes(&self, out: &mut smallvec::SmallVec<[Option<Rc<Node>>; 2]>) {
        out.push(match self {
            Operand::Tensor(tensor) => tensor.node(),
            Operand::Number(_) => None,
        });
    }
    fn is_tracked(&self) -> bool {
        matches!(self, Operand::Tensor(tensor) if tensor.requires_grad())
    }
}

impl Save for &Operand {
    type Saved = Operand;
    fn save(self) -> Operand {
        self.clone()
    }
}

impl Load for Operand {
    type View<'a> = &'a Operand;
    fn load(&self) -> &Operand {
        self
    }
}

/// Operators are for gradient rules, where shapes agree by construction: a disagreement is a bug of ours. The error
/// unwinds to the border, which hands it out like any other.
pub(crate) fn must(result: Result<Tensor>) -> Tensor {
    result.unwrap_or_else(|error| std::panic::panic_any(error))
}

macro_rules! operators {
    ($($trait:ident $method:ident => $op:path;)+) => { $(
        operators!(@one $trait $method $op, Tensor, Tensor, |a, b| (&Operand::from(&a), &Operand::from(&b)));
        operators!(@one $trait $method $op, &Tensor, Tensor, |a, b| (&Operand::from(a), &Operand::from(&b)));
        operators!(@one $trait $method $op, Tensor, &Tensor, |a, b| (&Operand::from(&a), &Operand::from(b)));
        operators!(@one $trait $method $op, &Tensor, &Tensor, |a, b| (&Operand::from(a), &Operand::from(b)));
        operators!(@one $trait $method $op, &Tensor, &Operand, |a, b| (&Operand::from(a), b));
        operators!(@one $trait $method $op, Tensor, &Operand, |a, b| (&Operand::from(&a), b));
        operators!(@one $trait $method $op, &Operand, &Tensor, |a, b| (a, &Operand::from(b)));
        operators!(@one $trait $method $op, &Tensor, f64, |a, b| (&Operand::from(a), &Operand::from(b)));
        operators!(@one $trait $method $op, Tensor, f64, |a, b| (&Operand::from(&a), &Operand::from(b)));
        operators!(@one $trait $method $op, f64, &Tensor, |a, b| (&Operand::from(a), &Operand::from(b)));
        operators!(@one $trait $method $op, f64, Tensor, |a, b| (&Operand::from(a), &Operand::from(&b)));
    )+ };
    (@one $trait:ident $method:ident $op:path, $a:ty, $b:ty, |$x:ident, $y:ident| ($left:expr, $right:expr)) => {
        impl $trait<$b> for $a {
            type Output = Tensor;
            fn $method(self, other: $b) -> Tensor {
                let ($x, $y) = (self, other);
                must($op($left, $right))
            }
        }
    };
}

operators! {
    Add add => e::add;
    Sub sub => e::sub;
    Mul mul => e::mul;
    Div div => e::div;
}

impl Neg for &Tensor {
    type Output = Tensor;
    fn neg(self) -> Tensor {
        must(e::neg(self))
    }
}

impl Neg for Tensor {
    type Output = Tensor;
    fn neg(self) -> Tensor {
        must(e::neg(&self))
    }
}

//! The one error of the core: what was asked, with which values, what was expected, what to do.

use std::fmt;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The class of a mistake; JavaScript sees it as `FirnError.code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    Shape,
    Dtype,
    Device,
    Disposed,
    Autograd,
    Argument,
    Io,
    Memory,
    Internal,
}

impl Code {
    pub fn name(self) -> &'static str {
        match self {
            Code::Shape => "shape",
            Code::Dtype => "dtype",
            Code::Device => "device",
            Code::Disposed => "disposed",
            Code::Autograd => "autograd",
            Code::Argument => "argument",
            Code::Io => "io",
            Code::Memory => "memory",
            Code::Internal => "internal",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Error {
    pub code: Code,
    /// The op a user called, in Rust's spelling; empty while unknown.
    pub op: &'static str,
    pub message: String,
}

impl Error {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, op: "", message: message.into() }
    }

    /// Names the op; the outermost call wins, since that is the one the user wrote.
    pub fn in_op(mut self, op: &'static str) -> Self {
        self.op = op;
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.op {
            "" => f.write_str(&self.message),
            op => write!(f, "{}: {}", camel_case(op), self.message),
        }
    }
}

impl std::error::Error for Error {}

/// `log_softmax` -> `logSoftmax`, `where_` -> `where`: the spelling of an op outside Rust.
pub fn camel_case(snake: &str) -> String {
    let mut words = snake.trim_end_matches('_').split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (head, tail) = word.split_at(word.len().min(1));
        out.push_str(&head.to_uppercase());
        out.push_str(tail);
    }
    out
}

/// `bail!(Shape, "…{}", x)`: leave with an error of that code.
macro_rules! bail {
    ($code:ident, $($message:tt)*) => {
        return Err($crate::error::Error::new($crate::error::Code::$code, format!($($message)*)))
    };
}
pub(crate) use bail;

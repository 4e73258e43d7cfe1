//! `options!`: a rule's options, written once: the struct, its reading from numbers, and the row the generator prints.

use super::run::Step;

/// What the generator knows of a rule.
#[derive(Clone, Copy)]
pub struct RuleRow {
    /// In Rust's spelling; the factory is `optim.` and this in camelCase.
    pub name: &'static str,
    pub docs: &'static [&'static str],
    pub options: &'static [OptionRow],
    /// State tensors by PyTorch's names; `SHARED_SLOTS` follow them.
    pub slots: &'static [&'static str],
    pub(crate) step: Step,
}

#[derive(Debug, Clone, Copy)]
pub struct OptionRow {
    pub name: &'static str,
    pub docs: &'static [&'static str],
    /// `f64`, `bool`, `[f64; 2]`, `[f64; 3]` or `Option<f64>`.
    pub kind: &'static str,
    pub default: &'static str,
    /// What a value must satisfy, such as `>= 0` or `in [0, 1)`; empty for booleans.
    pub check: &'static str,
}

/// An option as it crosses the border: one number or several.
pub(crate) trait Numbers: Sized {
    const COUNT: usize;
    fn read(numbers: &[f64]) -> Self;
}

impl Numbers for f64 {
    const COUNT: usize = 1;
    fn read(numbers: &[f64]) -> f64 {
        numbers[0]
    }
}

impl Numbers for bool {
    const COUNT: usize = 1;
    fn read(numbers: &[f64]) -> bool {
        numbers[0] != 0.0
    }
}

/// NaN stands for none.
impl Numbers for Option<f64> {
    const COUNT: usize = 1;
    fn read(numbers: &[f64]) -> Option<f64> {
        (!numbers[0].is_nan()).then_some(numbers[0])
    }
}

impl Numbers for [f64; 2] {
    const COUNT: usize = 2;
    fn read(numbers: &[f64]) -> [f64; 2] {
        [numbers[0], numbers[1]]
    }
}

impl Numbers for [f64; 3] {
    const COUNT: usize = 3;
    fn read(numbers: &[f64]) -> [f64; 3] {
        [numbers[0], numbers[1], numbers[2]]
    }
}

macro_rules! options {
    (
        $(#[doc = $doc:literal])+
        rule $rule:ident as $name:ident, slots $slots:tt
        $( $(#[doc = $field_doc:literal])+ $field:ident : $kind:ty = $default:expr, $check:literal; )+
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy)]
        pub struct $rule { $( $(#[doc = $field_doc])+ pub $field: $kind, )+ }

        impl Default for $rule {
            fn default() -> Self {
                Self { $($field: $default),+ }
            }
        }

        impl $crate::optim::rule::Options for $rule {
            const SLOTS: usize = $slots.len();

            fn from_numbers(numbers: &[f64]) -> $crate::error::Result<Self> {
                use $crate::optim::options::Numbers;
                let expected = 0 $(+ <$kind as Numbers>::COUNT)+;
                if numbers.len() != expected {
                    $crate::error::bail!(Internal, "{} takes {expected} numbers and got {}", stringify!($name), numbers.len());
                }
                let mut rest = numbers;
                $(
                    let (head, tail) = rest.split_at(<$kind as Numbers>::COUNT);
                    let $field = <$kind as Numbers>::read(head);
                    rest = tail;
                )+
                debug_assert!(rest.is_empty());
                Ok(Self { $($field),+ })
            }

            fn maximize(&self) -> bool {
                self.maximize
            }
        }

        pub(crate) const ROW: $crate::optim::options::RuleRow = $crate::optim::options::RuleRow {
            name: stringify!($name),
            docs: &[$($doc),+],
            options: &[$(
                $crate::optim::options::OptionRow {
                    name: stringify!($field),
                    docs: &[$($field_doc),+],
                    kind: stringify!($kind),
                    default: stringify!($default),
                    check: $check,
                },
            )+],
            slots: &$slots,
            step: $crate::optim::run::step::<$rule>,
        };
    };
}
pub(crate) use options;

//! The closed list of argument kinds and how each is spelled on either side of the border.

use firn_core::error::camel_case;
use firn_core::ops::choice::{CHOICES, Choice};
use firn_core::ops::{Arg, Row};

/// How one kind of argument crosses. In every text `$` stands for the argument's name and `@` for its Rust type.
pub struct Kind {
    /// Parameters of the native function: suffix of the name, Rust type, TypeScript type.
    pub native: &'static [(&'static str, &'static str, &'static str)],
    /// Rust that turns the parameters into the argument; `#` is the position among operands.
    pub rust: &'static str,
    /// What the function of the core is given.
    pub pass: &'static str,
    /// The type users write.
    pub typescript: &'static str,
    /// TypeScript expressions for the native parameters.
    pub convert: &'static [&'static str],
}

const fn kind(
    native: &'static [(&'static str, &'static str, &'static str)],
    rust: &'static str,
    pass: &'static str,
    typescript: &'static str,
    convert: &'static [&'static str],
) -> Kind {
    Kind { native, rust, pass, typescript, convert }
}

/// Padding of a convolution: a number a dimension, or a word.
const fn padding(typescript: &'static str, convert: &'static [&'static str]) -> Kind {
    kind(&[("", "&[i32]", "Int32Array")], "let $ = ops::conv::Padding::from_codes($)?;", "$", typescript, convert)
}

/// Every kind, by its Rust spelling; the enums of `ops/choice.rs` are kinds as well.
const KINDS: &[(&str, Kind)] = &[
    ("&Tensor", kind(&[("", "u32", "number")], "let $ = table::get($)?;", "&$", "Tensor<D>", &["$.handle"])),
    ("&Index", kind(&[("", "u32", "number")], "let $ = table::get($)?;", "&$", "Tensor<'int64'>", &["$.handle"])),
    ("&Mask", kind(&[("", "u32", "number")], "let $ = table::get($)?;", "&$", "Tensor<'bool'>", &["$.handle"])),
    ("&Labels", kind(&[("", "u32", "number")], "let $ = table::get($)?;", "&$", "Tensor<'int64'> | Tensor<D>", &["$.handle"])),
    ("&Operand", kind(&[("", "f64", "number")], "let $ = operand($, numbers & # != 0)?;", "&$", "Tensor<E> | number", &["operand($)"])),
    (
        "Option<&Tensor>",
        kind(&[("", "u32", "number")], "let $ = optional($)?;", "$.as_ref()", "Tensor<D> | undefined", &["$?.handle ?? 0"]),
    ),
    (
        "Option<&Index>",
        kind(&[("", "u32", "number")], "let $ = optional($)?;", "$.as_ref()", "Tensor<'int64'> | undefined", &["$?.handle ?? 0"]),
    ),
    (
        "Option<&Mask>",
        kind(&[("", "u32", "number")], "let $ = optional($)?;", "$.as_ref()", "Tensor<'bool'> | undefined", &["$?.handle ?? 0"]),
    ),
    (
        "Option<&AnyMask>",
        kind(
            &[("", "u32", "number")],
            "let $ = optional($)?;",
            "$.as_ref()",
            "Tensor<'bool'> | Tensor<D> | undefined",
            &["$?.handle ?? 0"],
        ),
    ),
    ("&[Tensor]", kind(&[("", "&[u32]", "Uint32Array")], "let $ = list($)?;", "&$", "readonly Tensor<D>[]", &["handlesOf($)"])),
    ("&[isize]", kind(&[("", "&[i32]", "Int32Array")], "let $ = signed($);", "&$", "number | readonly number[]", &["integers($)"])),
    (
        "&Parts",
        kind(
            &[("", "&[i32]", "Int32Array"), ("_alone", "bool", "boolean")],
            "let $ = ops::Parts::new(signed($), $_alone);",
            "&$",
            "number | readonly number[]",
            &["integers($)", "typeof $ === 'number'"],
        ),
    ),
    ("&[f64]", kind(&[("", "&[f64]", "Float64Array")], "", "$", "number | readonly number[]", &["reals($)"])),
    ("&str", kind(&[("", "String", "string")], "", "&$", "string", &["$"])),
    ("isize", kind(&[("", "i32", "number")], "", "$ as isize", "number", &["whole('$', $)"])),
    ("usize", kind(&[("", "u32", "number")], "", "$ as usize", "number", &["count('$', $)"])),
    ("f64", kind(&[("", "f64", "number")], "", "$", "number", &["$"])),
    ("bool", kind(&[("", "bool", "boolean")], "", "$", "boolean", &["$"])),
    ("Option<f64>", kind(&[("", "f64", "number")], "", "number($)", "number | undefined", &["$ ?? NaN"])),
    (
        "Option<isize>",
        kind(
            &[("", "f64", "number")],
            "",
            "number($).map(|n| n as isize)",
            "number | undefined",
            &["$ === undefined ? NaN : whole('$', $)"],
        ),
    ),
    (
        "Option<usize>",
        kind(
            &[("", "f64", "number")],
            "",
            "number($).map(|n| n as usize)",
            "number | undefined",
            &["$ === undefined ? NaN : count('$', $)"],
        ),
    ),
    (
        "Pair",
        kind(
            &[("_height", "u32", "number"), ("_width", "u32", "number")],
            "",
            "[$_height as usize, $_width as usize]",
            "Pair",
            &["side('$', $, 0)", "side('$', $, 1)"],
        ),
    ),
    (
        "Triple",
        kind(
            &[("_depth", "u32", "number"), ("_height", "u32", "number"), ("_width", "u32", "number")],
            "",
            "[$_depth as usize, $_height as usize, $_width as usize]",
            "Triple",
            &["edge('$', $, 0)", "edge('$', $, 1)", "edge('$', $, 2)"],
        ),
    ),
    ("Padding<1>", padding("number | PaddingWord", &["paddingCodes('$', $, 1)"])),
    ("Padding<2>", padding("Pair | PaddingWord", &["paddingCodes('$', $, 2)"])),
    ("Padding<3>", padding("Triple | PaddingWord", &["paddingCodes('$', $, 3)"])),
    ("DType", kind(&[("", "u32", "number")], "let $ = DType::from_code($)?;", "$", "DType", &["dtypeCode($)"])),
];

/// An enum of `ops/choice.rs`.
const CHOICE: Kind = kind(&[("", "u32", "number")], "let $ = ops::choice::@::from_code($)?;", "$", "@", &["choiceCode('$', $, choices.@)"]);

fn choice(kind: &str) -> Option<&'static Choice> {
    CHOICES.iter().find(|choice| choice.name == kind)
}

pub fn of(row: &Row, arg: &Arg) -> Result<&'static Kind, String> {
    if choice(arg.kind).is_some() {
        return Ok(&CHOICE);
    }
    KINDS.iter().find(|(name, _)| *name == arg.kind).map(|(_, kind)| kind).ok_or_else(|| {
        format!(
            "{}: no kind for `{}: {}`; add it to KINDS in crates/xtask/src/generate/kinds.rs, or take another",
            row.name, arg.name, arg.kind
        )
    })
}

/// A text of a kind for one argument, whose name on that side is `name`.
pub fn spell(text: &str, arg: &Arg, name: &str) -> String {
    text.replace('$', name).replace('@', arg.kind)
}

/// The exported spelling of an op.
pub fn js(row: &Row) -> String {
    camel_case(row.name)
}

/// The name of an argument outside Rust: `dims` of one or many is PyTorch's `dim`.
pub fn arg_js(arg: &Arg) -> String {
    match arg.name {
        "dims" => "dim".into(),
        name => camel_case(name),
    }
}

pub fn has_face(row: &Row, face: &str) -> bool {
    row.faces.contains(&face)
}

pub fn operands(row: &Row) -> Vec<&'static Arg> {
    row.args.iter().filter(|arg| arg.kind == "&Operand").collect()
}

/// A default as TypeScript, None where leaving it out means undefined.
pub fn default(row: &Row, arg: &Arg) -> Option<String> {
    let text = arg.default?;
    if let Some(choice) = choice(arg.kind) {
        return choice.variants.iter().find(|(variant, _)| *variant == text).map(|(_, word)| format!("'{word}'"));
    }
    Some(match (arg.kind, text) {
        (_, "None") => return None,
        (_, name) if row.args.iter().any(|other| other.name == name) => camel_case(name),
        ("f64", number) => number.strip_suffix(".0").unwrap_or(number).into(),
        _ => text.into(),
    })
}

/// The words of a choice as a user reads them, None for other kinds.
pub fn words(arg: &Arg) -> Option<String> {
    let words: Vec<String> = choice(arg.kind)?.variants.iter().map(|(_, word)| format!("'{word}'")).collect();
    Some(words.join(" | "))
}

/// A row's doc as one text.
pub fn doc(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ").replace("`dims`", "`dim`")
}

/// How a row returns its results.
pub enum Results {
    One,
    /// By name.
    Several,
    /// As many as there are.
    List,
}

pub fn results(row: &Row) -> Results {
    match row.returns {
        "Outputs" => Results::Several,
        "Many" => Results::List,
        _ => Results::One,
    }
}

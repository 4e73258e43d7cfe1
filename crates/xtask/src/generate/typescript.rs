//! The TypeScript faces: Tensor methods, free functions, the namespaces `F`, `linalg` and `fft`, and the words that options take.

use std::fmt::Write;

use firn_core::ops::choice::CHOICES;
use firn_core::ops::{Arg, Row, rows};

use super::header;
use super::kinds::{self, arg_js, doc, has_face, js};
use super::signature::{body, capital, interface, jsdoc, options, parameters, result, user_type, with_number};

/// The imports that a text needs, from modules and what they offer.
fn imports(text: &str, modules: &[(&str, &[&str])]) -> String {
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with(['*', '/'])).collect();
    let used = |name: &str| {
        let word = name.trim_start_matches("type ");
        code.iter().any(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word))
    };
    let mut out = String::new();
    for (module, names) in modules {
        let names: Vec<&str> = names.iter().copied().filter(|name| used(name)).collect();
        if !names.is_empty() {
            let _ = writeln!(out, "import {{ {} }} from '{module}'", names.join(", "));
        }
    }
    out
}

const CONVERT: &[&str] = &[
    "choiceCode",
    "count",
    "edge",
    "handlesOf",
    "integers",
    "isNumber",
    "operand",
    "paddingCodes",
    "reals",
    "side",
    "type Pair",
    "type Triple",
    "whole",
];
const DTYPES: &[&str] = &["dtypeCode", "type Arithmetic", "type DType", "type Floating", "type Promote", "type Summed"];
const ERRORS: (&str, &[&str]) = ("../errors.ts", &["checkOptions"]);
const NATIVE: (&str, &[&str]) = ("../backend/index.ts", &["native"]);

/// `choices` and the type of each.
fn choice_names() -> Vec<String> {
    std::iter::once("choices".to_owned()).chain(CHOICES.iter().map(|choice| format!("type {}", choice.name))).collect()
}

pub fn choices() -> Result<String, String> {
    let mut out = header("//");
    out.push_str("// The words that options take.\n\n/** Every list of words, by the name of its type. */\nexport const choices = {\n");
    for choice in CHOICES {
        let words: Vec<String> = choice.variants.iter().map(|(_, word)| format!("'{word}'")).collect();
        let _ = writeln!(out, "  {}: [{}],", choice.name, words.join(", "));
    }
    out.push_str("} as const\n");
    for choice in CHOICES {
        let _ = write!(out, "\n/** {} */\nexport type {} = (typeof choices)['{}'][number]\n", doc(choice.docs), choice.name, choice.name);
    }
    Ok(out)
}

pub fn methods() -> Result<String, String> {
    let mut text = String::new();
    for row in rows().filter(|row| has_face(row, "method") && !options(row).is_empty()) {
        text.push_str(&interface(row)?);
    }
    text.push_str(
        "\n/** The ops of a tensor; `Tensor` adds what needs more than a call. */\n\
         export abstract class TensorOps<D extends DType = 'float32'> {\n\
         \x20 /** The native handle; throws when the tensor was freed. */\n  abstract get handle(): number\n\
         \x20 protected abstract wrap<R extends DType>(handle: number): Tensor<R>\n",
    );
    for row in rows().filter(|row| has_face(row, "method")) {
        let args: Vec<&Arg> = row.args.iter().skip(1).collect();
        let _ = write!(text, "\n{}", jsdoc(row, "  "));
        let to = result(row);
        if kinds::operands(row).len() > 1 && to.contains('E') {
            let name = js(row);
            let other = arg_js(args[0]);
            let _ = writeln!(text, "  {name}({other}: number): {}", with_number(&to));
            let _ = writeln!(text, "  {name}<E extends DType>({other}: Tensor<E> | number): {to}");
            let _ = writeln!(text, "  {name}({other}: Tensor<DType> | number): Tensor<DType> {{");
        } else {
            let typed = parameters(row, &args)?.replace("Tensor<E>", "Tensor<DType>");
            let _ = writeln!(text, "  {}({typed}): {to} {{", js(row));
        }
        text.push_str(&body(row, Some("this"), "    ", "this.wrap")?);
        text.push_str("  }\n");
    }
    text.push_str("}\n");
    let names = choice_names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let modules = [
        ERRORS,
        NATIVE,
        ("./choices.gen.ts", &names),
        ("./convert.ts", CONVERT),
        ("./dtype.ts", DTYPES),
        ("./tensor.ts", &["type Tensor"]),
    ];
    Ok(header("//") + "// Every op whose first argument is a tensor, as a method.\n" + &imports(&text, &modules) + &text)
}

/// A function of its own for a row: a call of the method where there is one.
fn function(row: &Row, wrap: &str) -> Result<String, String> {
    let args: Vec<&Arg> = row.args.iter().collect();
    let typed = |arg: &&Arg| kinds::of(row, arg).is_ok_and(|kind| kind.typescript.contains("<D>"));
    let generic = if args.iter().any(typed) { "<D extends DType = 'float32'>" } else { "" };
    let mut out = format!("\n{}", jsdoc(row, ""));
    let _ = writeln!(out, "export function {}{generic}({}): {} {{", js(row), parameters(row, &args)?, result(row));
    if has_face(row, "method") {
        let mut rest: Vec<String> = row.args.iter().skip(1).filter(|arg| !arg.option).map(arg_js).collect();
        if !options(row).is_empty() {
            rest.push("options".into());
        }
        let _ = writeln!(out, "  return {}.{}({})", arg_js(&row.args[0]), js(row), rest.join(", "));
    } else {
        out.push_str(&body(row, None, "  ", wrap)?);
    }
    out.push_str("}\n");
    Ok(out)
}

/// A binary op as a function, with a number on either side.
fn binary_function(row: &Row, wrap: &str) -> Result<String, String> {
    let (name, to) = (js(row), result(row));
    let one = with_number(&to);
    let mut out = format!("\n{}", jsdoc(row, ""));
    for (left, right, generics, to) in [
        ("Tensor<D>", "Tensor<E>", "<D extends DType, E extends DType>", &to),
        ("Tensor<D>", "number", "<D extends DType>", &one),
        ("number", "Tensor<D>", "<D extends DType>", &one),
    ] {
        let mut types = [left, right].into_iter();
        let mut shown = Vec::new();
        for arg in row.args {
            let typescript = if arg.kind == "&Operand" { types.next().unwrap_or_default().into() } else { user_type(row, arg)? };
            shown.push(format!("{}: {typescript}", arg_js(arg)));
        }
        let _ = writeln!(out, "export function {name}{generics}({}): {to}", shown.join(", "));
    }
    let mut shown = Vec::new();
    for arg in row.args {
        let typescript = if arg.kind == "&Operand" { "Tensor<DType> | number".into() } else { user_type(row, arg)? };
        shown.push(format!("{}: {typescript}", arg_js(arg)));
    }
    let _ = writeln!(out, "export function {name}({}): Tensor<DType> {{", shown.join(", "));
    out.push_str(&body(row, None, "  ", wrap)?);
    out.push_str("}\n");
    Ok(out)
}

/// The functions of one face, without imports. The options of a method are declared beside it.
fn face(face: &str) -> Result<String, String> {
    let mut text = String::new();
    for row in rows().filter(|row| has_face(row, face) && !has_face(row, "method") && !options(row).is_empty()) {
        text.push_str(&interface(row)?);
    }
    for row in rows().filter(|row| has_face(row, face)) {
        let binary = face == "free" && !kinds::operands(row).is_empty();
        text.push_str(&if binary { binary_function(row, "wrapHandle")? } else { function(row, "wrapHandle")? });
    }
    Ok(text)
}

/// The types of options that methods declare.
fn method_options() -> Vec<String> {
    rows()
        .filter(|row| has_face(row, "method") && !options(row).is_empty())
        .map(|row| format!("type {}Options", capital(&js(row))))
        .collect()
}

/// A file of functions inside ts/tensor.
fn in_tensor(name: &str, about: &str) -> Result<String, String> {
    let mut text = face(name)?;
    if text.is_empty() {
        text.push_str("export {}\n");
    }
    let (choices, methods) = (choice_names(), method_options());
    let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
    let methods: Vec<&str> = methods.iter().map(String::as_str).collect();
    let modules = [
        ERRORS,
        NATIVE,
        ("./choices.gen.ts", &choices[..]),
        ("./convert.ts", CONVERT),
        ("./dtype.ts", DTYPES),
        ("./ops.gen.ts", &methods),
        ("./tensor.ts", &["wrapHandle", "type Tensor"]),
    ];
    Ok(header("//") + about + &imports(&text, &modules) + &text)
}

pub fn functions() -> Result<String, String> {
    in_tensor("free", "// Ops that take several tensors, or a number on the left, as free functions.\n")
}

pub fn linalg() -> Result<String, String> {
    in_tensor("linalg", "// `linalg`: decompositions, solvers and norms of matrices.\n")
}

pub fn fft() -> Result<String, String> {
    in_tensor("fft", "// `fft`: discrete Fourier transforms.\n")
}

/// `F`, outside of ts/tensor.
pub fn functional() -> Result<String, String> {
    let text = face("functional")?;
    let owned: Vec<String> = choice_names().into_iter().chain(method_options()).collect();
    let mut names: Vec<&str> = owned.iter().map(String::as_str).chain(CONVERT.iter().copied()).chain(DTYPES.iter().copied()).collect();
    names.extend(["wrapHandle", "type Tensor"]);
    let modules = [ERRORS, NATIVE, ("../tensor/index.ts", &names[..])];
    Ok(header("//") + "// `F`: the functions that layers and losses are made of.\n" + &imports(&text, &modules) + &text)
}

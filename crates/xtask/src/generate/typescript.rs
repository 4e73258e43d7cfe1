//! The TypeScript faces: Tensor methods, free functions, `F.*`, and their option interfaces.

use std::fmt::Write;

use firn_core::ops::{Arg, Row, rows};

use super::header;
use super::kinds::{self, arg_js, default, doc, has_face, js};

fn capital(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn options(row: &Row) -> Vec<&'static Arg> {
    row.args.iter().filter(|arg| arg.option).collect()
}

/// How a user writes a type; `undefined` is written by leaving a thing out.
fn user_type(row: &Row, arg: &Arg) -> Result<&'static str, String> {
    Ok(kinds::of(row, arg)?.typescript.trim_end_matches(" | undefined"))
}

/// The type of the result.
fn result(row: &Row) -> &'static str {
    match row.returns {
        "Mask" => "Tensor<'bool'>",
        "Index" => "Tensor<'int64'>",
        "Floating" => "Tensor<Floating<D>>",
        "Summed" => "Tensor<Summed<D>>",
        "Promoted" => "Tensor<Promote<D, E>>",
        "Arithmetic" => "Tensor<Arithmetic<D, E>>",
        "Quotient" => "Tensor<Floating<Arithmetic<D, E>>>",
        _ => "Tensor<D>",
    }
}

/// The type of a binary op's result when the other operand is a number, which never changes the dtype.
fn with_number(result: &str) -> String {
    result.replace("Arithmetic<D, E>", "D").replace("Promote<D, E>", "D")
}

fn jsdoc(row: &Row, indent: &str) -> String {
    let mut out = format!("{indent}/** {}", doc(row.docs));
    let mut lines = Vec::new();
    for arg in row.args.iter().filter(|arg| !arg.option) {
        if let Some(text) = default(arg).filter(|text| text != "[]") {
            lines.push(format!("`{}` is {text} by default.", arg_js(arg)));
        }
    }
    if lines.is_empty() {
        out.push_str(" */\n");
    } else {
        for line in lines {
            let _ = write!(out, "\n{indent} * {line}");
        }
        let _ = write!(out, "\n{indent} */\n");
    }
    out
}

/// The interface of a row's options and the list of their names.
fn interface(row: &Row) -> Result<String, String> {
    let name = js(row);
    let mut out = format!("\n/** Options of `{name}`. */\nexport interface {}Options {{\n", capital(&name));
    let tensors = options(row).iter().any(|arg| arg.kind == "Option<&Tensor>");
    if tensors {
        out = out.replace("Options {\n", "Options<D extends DType = 'float32'> {\n");
    }
    for arg in options(row) {
        if let Some(text) = default(arg) {
            let _ = writeln!(out, "  /** @default {text} */");
        }
        let _ = writeln!(out, "  readonly {}?: {} | undefined", arg_js(arg), user_type(row, arg)?);
    }
    let keys: Vec<String> = options(row).iter().map(|arg| format!("'{}'", arg_js(arg))).collect();
    let _ = write!(out, "}}\n\nconst {name}Options = [{}] as const\n", keys.join(", "));
    Ok(out)
}

/// Parameters of a face, without the receiver of a method.
fn parameters(row: &Row, args: &[&Arg]) -> Result<String, String> {
    let mut out = Vec::new();
    for arg in args.iter().filter(|arg| !arg.option) {
        let typescript = user_type(row, arg)?;
        out.push(match (arg.default, default(arg)) {
            (None, _) => format!("{}: {typescript}", arg_js(arg)),
            (Some(_), Some(text)) => format!("{}: {typescript} = {text}", arg_js(arg)),
            (Some(_), None) => format!("{}?: {typescript}", arg_js(arg)),
        });
    }
    if !options(row).is_empty() {
        let tensors = options(row).iter().any(|arg| arg.kind == "Option<&Tensor>");
        out.push(format!("options: {}Options{} = {{}}", capital(&js(row)), if tensors { "<D>" } else { "" }));
    }
    Ok(out.join(", "))
}

/// The statements of a face: options taken apart, the native call; `receiver` stands for the first argument.
fn body(row: &Row, receiver: Option<&str>, indent: &str, wrap: &str) -> Result<String, String> {
    let name = js(row);
    let mut out = String::new();
    if !options(row).is_empty() {
        let fields: Vec<String> =
            options(row).iter().map(|arg| default(arg).map_or_else(|| arg_js(arg), |text| format!("{} = {text}", arg_js(arg)))).collect();
        let _ = writeln!(out, "{indent}checkOptions('{name}', options, {name}Options)");
        let _ = writeln!(out, "{indent}const {{ {} }} = options", fields.join(", "));
    }
    let mut call = Vec::new();
    let mut flags = Vec::new();
    let mut operands = 0;
    for (i, arg) in row.args.iter().enumerate() {
        let shown = match (i, receiver) {
            (0, Some(receiver)) => receiver.to_owned(),
            _ => arg_js(arg),
        };
        let is_receiver = i == 0 && receiver.is_some();
        for expression in kinds::of(row, arg)?.convert {
            let expression = if is_receiver { "$.handle" } else { expression };
            call.push(expression.replace('$', &shown));
        }
        if arg.kind == "&Operand" {
            if !is_receiver {
                flags.push(format!("isNumber({shown}, {})", 1 << operands));
            }
            operands += 1;
        }
    }
    if operands > 0 {
        call.push(if flags.is_empty() { "0".into() } else { flags.join(" | ") });
    }
    let _ = writeln!(out, "{indent}return {wrap}(native.{name}({}))", call.join(", "));
    Ok(out)
}

const IMPORTS: &str = "import { checkOptions } from '../errors.ts'\n";

pub fn methods() -> Result<String, String> {
    let mut out = header("//");
    out.push_str("// Every op whose first argument is a tensor, as a method.\n");
    out.push_str(IMPORTS);
    out.push_str(
        "import { native } from '../backend/index.ts'\n\
         import { count, handlesOf, integers, isNumber, operand, reductionCode, side, type Pair, type Reduction } from './convert.ts'\n\
         import type { Arithmetic, DType, Floating, Promote, Summed } from './dtype.ts'\n\
         import type { Tensor } from './tensor.ts'\n",
    );
    for row in rows().filter(|row| has_face(row, "method") && !options(row).is_empty()) {
        out.push_str(&interface(row)?);
    }
    out.push_str(
        "\n/** The ops of a tensor; `Tensor` adds what needs more than a call. */\n\
         export abstract class TensorOps<D extends DType = 'float32'> {\n\
         \x20 /** The native handle; throws when the tensor was freed. */\n  abstract get handle(): number\n\
         \x20 protected abstract wrap<R extends DType>(handle: number): Tensor<R>\n",
    );
    for row in rows().filter(|row| has_face(row, "method")) {
        let args: Vec<&Arg> = row.args.iter().skip(1).collect();
        let _ = write!(out, "\n{}", jsdoc(row, "  "));
        if kinds::operands(row).len() > 1 && result(row).contains('E') {
            let (name, to) = (js(row), result(row));
            let other = arg_js(args[0]);
            let _ = writeln!(out, "  {name}({other}: number): {}", with_number(to));
            let _ = writeln!(out, "  {name}<E extends DType>({other}: Tensor<E> | number): {to}");
            let _ = writeln!(out, "  {name}({other}: Tensor<DType> | number): Tensor<DType> {{");
        } else {
            let typed = parameters(row, &args)?.replace("Tensor<E>", "Tensor<DType>");
            let _ = writeln!(out, "  {}({typed}): {} {{", js(row), result(row));
        }
        out.push_str(&body(row, Some("this"), "    ", "this.wrap")?);
        out.push_str("  }\n");
    }
    out.push_str("}\n");
    Ok(unused(out))
}

pub fn functions() -> Result<String, String> {
    let mut out = header("//");
    out.push_str("// Ops that take several tensors, or a number on the left, as free functions.\n");
    out.push_str(
        "import { native } from '../backend/index.ts'\n\
         import { handlesOf, isNumber, operand } from './convert.ts'\n\
         import type { Arithmetic, DType, Floating, Promote } from './dtype.ts'\n\
         import { wrapHandle, type Tensor } from './tensor.ts'\n",
    );
    for row in rows().filter(|row| has_face(row, "free")) {
        let name = js(row);
        let args: Vec<&Arg> = row.args.iter().collect();
        let _ = write!(out, "\n{}", jsdoc(row, ""));
        if kinds::operands(row).is_empty() {
            let _ = writeln!(out, "export function {name}<D extends DType>({}): {} {{", parameters(row, &args)?, result(row));
        } else {
            let one = with_number(result(row));
            for (left, right, generics, to) in [
                ("Tensor<D>", "Tensor<E>", "<D extends DType, E extends DType>", result(row).to_owned()),
                ("Tensor<D>", "number", "<D extends DType>", one.clone()),
                ("number", "Tensor<D>", "<D extends DType>", one),
            ] {
                let mut types = [left, right].into_iter();
                let mut shown = Vec::new();
                for arg in row.args {
                    let typescript = if arg.kind == "&Operand" { types.next().unwrap_or_default() } else { user_type(row, arg)? };
                    shown.push(format!("{}: {typescript}", arg_js(arg)));
                }
                let _ = writeln!(out, "export function {name}{generics}({}): {to}", shown.join(", "));
            }
            let mut shown = Vec::new();
            for arg in row.args {
                let typescript = if arg.kind == "&Operand" { "Tensor<DType> | number" } else { user_type(row, arg)? };
                shown.push(format!("{}: {typescript}", arg_js(arg)));
            }
            let _ = writeln!(out, "export function {name}({}): Tensor<DType> {{", shown.join(", "));
        }
        out.push_str(&body(row, None, "  ", "wrapHandle")?);
        out.push_str("}\n");
    }
    Ok(out)
}

pub fn functional() -> Result<String, String> {
    let mut out = header("//");
    out.push_str("// `F`: the functions that layers and losses are made of.\n");
    out.push_str(IMPORTS);
    out.push_str(
        "import { native } from '../backend/index.ts'\nimport {\n  count,\n  integers,\n  reductionCode,\n  side,\n  wrapHandle,\n",
    );
    out.push_str("  type DType,\n  type Floating,\n  type Pair,\n  type Reduction,\n  type Tensor,\n");
    for row in rows().filter(|row| has_face(row, "functional") && has_face(row, "method") && !options(row).is_empty()) {
        let _ = writeln!(out, "  type {}Options,", capital(&js(row)));
    }
    out.push_str("} from '../tensor/index.ts'\n");
    let own = |row: &&Row| has_face(row, "functional") && !has_face(row, "method");
    for row in rows().filter(own).filter(|row| !options(row).is_empty()) {
        out.push_str(&interface(row)?);
    }
    for row in rows().filter(|row| has_face(row, "functional")) {
        let args: Vec<&Arg> = row.args.iter().collect();
        let generic = if row.args.iter().any(|arg| kinds::of(row, arg).is_ok_and(|kind| kind.typescript.contains("<D>"))) {
            "<D extends DType = 'float32'>"
        } else {
            ""
        };
        let _ = write!(out, "\n{}", jsdoc(row, ""));
        let _ = writeln!(out, "export function {}{generic}({}): {} {{", js(row), parameters(row, &args)?, result(row));
        if has_face(row, "method") {
            let mut rest: Vec<String> = row.args.iter().skip(1).filter(|arg| !arg.option).map(arg_js).collect();
            if !options(row).is_empty() {
                rest.push("options".into());
            }
            let _ = writeln!(out, "  return {}.{}({})", arg_js(&row.args[0]), js(row), rest.join(", "));
        } else {
            out.push_str(&body(row, None, "  ", "wrapHandle")?);
        }
        out.push_str("}\n");
    }
    Ok(unused(out))
}

/// Leaves out imported names that no row needed.
fn unused(text: String) -> String {
    let mut out = text;
    for name in ["count", "handlesOf", "integers", "reductionCode", "side", "type Reduction", "type Pair"] {
        let word = name.trim_start_matches("type ");
        let called = format!("{word}(");
        let used = out.lines().filter(|line| !line.trim_start().starts_with(['*', '/'])).any(|line| match name == word {
            true => line.contains(&called),
            false => {
                !line.starts_with("import ")
                    && line.trim() != format!("{name},")
                    && line.contains(word)
                    && !line.contains(&format!("{word}s"))
            }
        });
        if !used {
            out = out.replace(&format!("  {name},\n"), "").replace(&format!("{name}, "), "").replace(&format!(", {name} }}"), " }");
        }
    }
    out
}

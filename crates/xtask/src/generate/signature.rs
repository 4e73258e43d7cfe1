//! What a row looks like from TypeScript: types, parameters, options, the statements of a call.

use std::fmt::Write;

use firn_core::ops::{Arg, Row};

use super::kinds::{self, Results, arg_js, default, doc, js, results, spell};

pub fn capital(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

pub fn options(row: &Row) -> Vec<&'static Arg> {
    row.args.iter().filter(|arg| arg.option).collect()
}

/// How a user writes a type; `undefined` is written by leaving a thing out.
pub fn user_type(row: &Row, arg: &Arg) -> Result<String, String> {
    Ok(spell(kinds::of(row, arg)?.typescript.trim_end_matches(" | undefined"), arg, &arg_js(arg)))
}

fn tensor_type(returns: &str) -> &'static str {
    match returns {
        "Mask" => "Tensor<'bool'>",
        "Index" => "Tensor<'int64'>",
        "Floating" => "Tensor<Floating<D>>",
        "Summed" => "Tensor<Summed<D>>",
        "Promoted" => "Tensor<Promote<D, E>>",
        "Arithmetic" => "Tensor<Arithmetic<D, E>>",
        "Quotient" => "Tensor<Floating<Arithmetic<D, E>>>",
        "Many" => "Tensor<D>[]",
        _ => "Tensor<D>",
    }
}

/// The type of the result.
pub fn result(row: &Row) -> String {
    if row.returns == "Discrete" && kinds::operands(row).len() > 1 {
        return tensor_type("Promoted").into();
    }
    if !matches!(results(row), Results::Several) {
        return tensor_type(row.returns).into();
    }
    let fields: Vec<String> = row
        .outputs
        .iter()
        .map(|(name, returns)| format!("readonly {}: {}", firn_core::error::camel_case(name), tensor_type(returns)))
        .collect();
    format!("{{ {} }}", fields.join("; "))
}

/// The type of a binary op's result when the other operand is a number, which never changes the dtype.
pub fn with_number(result: &str) -> String {
    result.replace("Arithmetic<D, E>", "D").replace("Promote<D, E>", "D")
}

pub fn jsdoc(row: &Row, indent: &str) -> String {
    let mut lines = vec![doc(row.docs)];
    for arg in row.args.iter().filter(|arg| !arg.option) {
        if let Some(text) = default(row, arg).filter(|text| text != "[]") {
            lines.push(format!("`{}` is {text} by default.", arg_js(arg)));
        }
    }
    if !row.example.is_empty() {
        lines.push("@example".into());
        lines.extend(row.example.iter().map(|line| (*line).to_owned()));
    }
    if let [line] = &lines[..] {
        return format!("{indent}/** {line} */\n");
    }
    let body: String = lines.iter().map(|line| format!("{indent} * {line}\n")).collect();
    format!("{indent}/**\n{body}{indent} */\n")
}

/// Whether a row's options hold a tensor of the input's dtype.
fn has_typed_options(row: &Row) -> bool {
    options(row).iter().any(|arg| ["Option<&Tensor>", "Option<&AnyMask>"].contains(&arg.kind))
}

/// The interface of a row's options and the list of their names.
pub fn interface(row: &Row) -> Result<String, String> {
    let name = js(row);
    let generic = if has_typed_options(row) { "<D extends DType = 'float32'>" } else { "" };
    let mut out = format!("\n/** Options of `{name}`. */\nexport interface {}Options{generic} {{\n", capital(&name));
    for arg in options(row) {
        if let Some(text) = default(row, arg) {
            let _ = writeln!(out, "  /** @default {text} */");
        }
        let _ = writeln!(out, "  readonly {}?: {} | undefined", arg_js(arg), user_type(row, arg)?);
    }
    let keys: Vec<String> = options(row).iter().map(|arg| format!("'{}'", arg_js(arg))).collect();
    let _ = write!(out, "}}\n\nconst {name}Options = [{}] as const\n", keys.join(", "));
    Ok(out)
}

/// Parameters of a face, without the receiver of a method.
pub fn parameters(row: &Row, args: &[&Arg]) -> Result<String, String> {
    let mut out = Vec::new();
    for arg in args.iter().filter(|arg| !arg.option) {
        let typescript = user_type(row, arg)?;
        out.push(match (arg.default, default(row, arg)) {
            (None, _) => format!("{}: {typescript}", arg_js(arg)),
            (Some(_), Some(text)) => format!("{}: {typescript} = {text}", arg_js(arg)),
            (Some(_), None) => format!("{}?: {typescript}", arg_js(arg)),
        });
    }
    if !options(row).is_empty() {
        out.push(format!("options: {}Options{} = {{}}", capital(&js(row)), if has_typed_options(row) { "<D>" } else { "" }));
    }
    Ok(out.join(", "))
}

/// The statements of a face: options taken apart, the native call; `receiver` stands for the first argument.
pub fn body(row: &Row, receiver: Option<&str>, indent: &str, wrap: &str) -> Result<String, String> {
    let name = js(row);
    let mut out = String::new();
    if !options(row).is_empty() {
        let fields: Vec<String> = options(row)
            .iter()
            .map(|arg| default(row, arg).map_or_else(|| arg_js(arg), |text| format!("{} = {text}", arg_js(arg))))
            .collect();
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
            call.push(spell(if is_receiver { "$.handle" } else { expression }, arg, &shown));
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
    let call = format!("native.{name}({})", call.join(", "));
    let _ = match results(row) {
        Results::One => writeln!(out, "{indent}return {wrap}({call})"),
        Results::List => writeln!(out, "{indent}return {call}.map((handle) => {wrap}(handle))"),
        Results::Several => {
            let names: Vec<String> = row.outputs.iter().map(|(name, _)| firn_core::error::camel_case(name)).collect();
            // Named apart from the arguments: a result may have the name of an option.
            let taken: Vec<String> = names.iter().map(|name| format!("{name}Handle = 0")).collect();
            let wrapped: Vec<String> = names.iter().map(|name| format!("{name}: {wrap}({name}Handle)")).collect();
            writeln!(out, "{indent}const [{}] = {call}\n{indent}return {{ {} }}", taken.join(", "), wrapped.join(", "))
        }
    };
    Ok(out)
}

//! The addon's exports, and the same list as a TypeScript interface.

use std::fmt::Write;

use firn_core::ops::rows;

use super::header;
use super::kinds::{self, Results, arg_js, js, results, spell};

pub fn addon() -> Result<String, String> {
    let mut out = header("//");
    out.push_str(
        "//! One export an op.\n\n\
         #[allow(unused_imports)]\nuse firn_core::DType;\nuse firn_core::{ops, table};\n\
         use napi_derive::napi;\n\n\
         #[allow(unused_imports)]\nuse crate::call::{call, list, number, operand, optional, out, outs, signed};\n",
    );
    for row in rows().filter(|row| !row.faces.is_empty()) {
        let (mut params, mut body, mut pass) = (String::new(), String::new(), Vec::new());
        let mut operands = 0;
        for arg in row.args {
            let kind = kinds::of(row, arg)?;
            for (suffix, rust, _) in kind.native {
                let _ = write!(params, "{}{suffix}: {rust}, ", arg.name);
            }
            if !kind.rust.is_empty() {
                let bit = (1 << operands).to_string();
                let _ = writeln!(body, "        {}", spell(kind.rust, arg, arg.name).replace('#', &bit));
            }
            operands += u32::from(arg.kind == "&Operand");
            pass.push(spell(kind.pass, arg, arg.name));
        }
        if operands > 0 {
            params.push_str("numbers: u32, ");
        }
        let family = row.family.rsplit("::").next().unwrap_or_default();
        let (hand, returned) = match results(row) {
            Results::One => ("out", "u32"),
            Results::Several | Results::List => ("outs", "Vec<u32>"),
        };
        let _ = write!(
            out,
            "\n#[napi(js_name = \"{}\")]\n#[allow(clippy::too_many_arguments)]\npub fn {}({}) -> napi::Result<{returned}> {{\n    call(\"{}\", || {{\n{body}        {hand}(ops::{family}::{}({})?)\n    }})\n}}\n",
            js(row),
            row.name,
            params.trim_end_matches(", "),
            row.name,
            row.name,
            pass.join(", "),
        );
    }
    Ok(out)
}

pub fn contract() -> Result<String, String> {
    let mut out = header("//");
    out.push_str("/** What every binding offers for the ops: handles and numbers in, handles out. */\nexport interface NativeOps {\n");
    for row in rows().filter(|row| !row.faces.is_empty()) {
        let mut params = Vec::new();
        for arg in row.args {
            for (suffix, _, typescript) in kinds::of(row, arg)?.native {
                params.push(format!("{}: {typescript}", firn_core::error::camel_case(&format!("{}{suffix}", arg_js(arg)))));
            }
        }
        if !kinds::operands(row).is_empty() {
            params.push("numbers: number".into());
        }
        let returned = if matches!(results(row), Results::One) { "number" } else { "number[]" };
        let _ = writeln!(out, "  {}({}): {returned}", js(row), params.join(", "));
    }
    out.push_str("}\n");
    Ok(out)
}

//! The addon's exports, and the same list as a TypeScript interface.

use std::fmt::Write;

use firn_core::ops::rows;

use super::header;
use super::kinds::{self, arg_js, js};

pub fn addon() -> Result<String, String> {
    let mut out = header("//");
    out.push_str(
        "//! One export an op.\n\n\
         #[allow(unused_imports)]\nuse firn_core::DType;\nuse firn_core::ops::loss::Reduction;\nuse firn_core::{ops, table};\n\
         use napi_derive::napi;\n\n\
         use crate::call::{call, list, number, operand, optional, out, signed};\n",
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
                let _ = writeln!(body, "        {}", kind.rust.replace('$', arg.name).replace('#', &bit));
            }
            operands += u32::from(arg.kind == "&Operand");
            pass.push(kind.pass.replace('$', arg.name));
        }
        if operands > 0 {
            params.push_str("numbers: u32, ");
        }
        let family = row.family.rsplit("::").next().unwrap_or_default();
        let _ = write!(
            out,
            "\n#[napi(js_name = \"{}\")]\n#[allow(clippy::too_many_arguments)]\npub fn {}({}) -> napi::Result<u32> {{\n    call(\"{}\", || {{\n{body}        out(ops::{family}::{}({})?)\n    }})\n}}\n",
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
    out.push_str("/** What every binding offers for the ops: handles and numbers in, a handle out. */\nexport interface NativeOps {\n");
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
        let _ = writeln!(out, "  {}({}): number", js(row), params.join(", "));
    }
    out.push_str("}\n");
    Ok(out)
}

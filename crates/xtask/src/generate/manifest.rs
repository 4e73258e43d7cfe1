//! `__test__/ops.gen.json`: what the fixture scripts and the conformance test know of each op.

use firn_core::ops::{Row, rows};
use serde_json::{Value, json};

use super::kinds::{arg_js, default, js};

fn check(row: &Row) -> Result<Value, String> {
    let mut parts = row.check.splitn(2, ',').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let rest = parts.next().unwrap_or_default();
    Ok(match kind {
        "unary" | "binary" => {
            let bounds: Vec<f64> = rest.split(',').filter_map(|n| n.replace(' ', "").parse().ok()).collect();
            let [low, high] = bounds[..] else { return Err(format!("{}: a domain is two numbers, got `{rest}`", row.name)) };
            json!({ "kind": kind, "low": low, "high": high })
        }
        "cases" => json!({ "kind": "cases" }),
        "none" => json!({ "kind": "none", "reason": rest.trim_matches('"') }),
        other => return Err(format!("{}: unknown check `{other}`", row.name)),
    })
}

pub fn json() -> Result<String, String> {
    let mut out = Vec::new();
    for row in rows() {
        let args: Vec<Value> = row
            .args
            .iter()
            .enumerate()
            .map(|(i, arg)| {
                let position = match (i, arg.option) {
                    (0, _) => "self",
                    (_, false) => "positional",
                    (_, true) => "option",
                };
                json!({ "name": arg.name, "js": arg_js(arg), "kind": arg.kind, "position": position, "default": default(row, arg) })
            })
            .collect();
        out.push(json!({
            "name": row.name.trim_end_matches('_'),
            "js": js(row),
            "faces": row.faces,
            "example": row.example,
            "args": args,
            "returns": row.returns,
            "outputs": row.outputs.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            "family": row.family.rsplit("::").next(),
            "grads": row.grads,
            "check": check(row)?,
            "torch": row.torch,
            "autocast": row.autocast,
        }));
    }
    let text = serde_json::to_string_pretty(&out).map_err(|error| error.to_string())?;
    Ok(text + "\n")
}

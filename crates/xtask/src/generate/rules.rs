//! Optimizer rules as TypeScript: option interfaces and the table that checks and orders them.

use std::fmt::Write;

use firn_core::error::camel_case;
use firn_core::optim::{OptionRow, RULES, SHARED_SLOTS};

use super::header;
use super::kinds::doc;

fn default(option: &OptionRow) -> String {
    option
        .default
        .split(", ")
        .map(|number| number.trim_end_matches(']').trim_end_matches(".0").to_owned() + if number.ends_with(']') { "]" } else { "" })
        .collect::<Vec<_>>()
        .join(", ")
}

fn name(rule: &str) -> String {
    let camel = camel_case(rule);
    camel[..1].to_uppercase() + &camel[1..]
}

pub fn typescript() -> Result<String, String> {
    let mut out = header("//");
    out.push_str("// Options of the optimizer rules, and the order and checks of their numbers.\n");
    for rule in RULES {
        let _ = write!(
            out,
            "\n/** Options of `optim.{}`: {} */\nexport interface {}Options {{\n",
            camel_case(rule.name),
            doc(rule.docs),
            name(rule.name)
        );
        for option in rule.options {
            let typescript = match option.kind {
                "f64" => "number",
                "bool" => "boolean",
                "Option<f64>" => "number | null",
                "[f64; 2]" => "readonly [number, number]",
                "[f64; 3]" => "readonly [number, number, number]",
                other => return Err(format!("{}: no TypeScript type for an option of kind {other}", rule.name)),
            };
            let _ = writeln!(out, "  /** {} @default {} */", doc(option.docs), default(option));
            let _ = writeln!(out, "  readonly {}?: {typescript}", camel_case(option.name));
        }
        out.push_str("}\n");
    }
    out.push_str("\n/** Every rule: its number, its options in the order they cross, its state tensors by PyTorch's names. */\nexport const rules = {\n");
    for (id, rule) in RULES.iter().enumerate() {
        let _ = writeln!(out, "  {}: {{\n    id: {id},\n    options: [", camel_case(rule.name));
        for option in rule.options {
            let (size, values) = match option.kind {
                "[f64; 2]" => (2, default(option)),
                "[f64; 3]" => (3, default(option)),
                "bool" => (1, format!("[{}]", u8::from(option.default == "true"))),
                "Option<f64>" => (1, "[NaN]".into()),
                _ => (1, format!("[{}]", default(option))),
            };
            let kind = match option.kind {
                "bool" => "boolean",
                "Option<f64>" => "optional",
                _ => "number",
            };
            let _ = writeln!(
                out,
                "      {{ name: '{}', key: '{}', kind: '{kind}', size: {size}, default: {values}, check: '{}' }},",
                camel_case(option.name),
                option.name,
                option.check
            );
        }
        let slots: Vec<String> = rule.slots.iter().chain(&SHARED_SLOTS).map(|slot| format!("'{slot}'")).collect();
        let _ = writeln!(out, "    ],\n    slots: [{}],\n  }},", slots.join(", "));
    }
    out.push_str("} as const\n\n/** The options of each rule. */\nexport interface RuleOptions {\n");
    for rule in RULES {
        let _ = writeln!(out, "  readonly {}: {}Options", camel_case(rule.name), name(rule.name));
    }
    out.push_str("}\n");
    Ok(out)
}

/// `optim.sgd(...)` and the like.
pub fn factories() -> Result<String, String> {
    let mut out = header("//");
    out.push_str("// The optimizers by name.\nimport { Optimizer, type StepOptions } from './optimizer.ts'\nimport type { OptionsOf } from './rule.ts'\n");
    for rule in RULES {
        let js = camel_case(rule.name);
        let _ = write!(
            out,
            "\n/**\n * {}\n * @example\n * const opt = optim.{js}({{ lr: 1e-3 }}).bind(model)\n */\n\
             export const {js} = (options: OptionsOf<'{js}'> & StepOptions = {{}}): Optimizer<'{js}'> => new Optimizer('{js}', options)\n",
            doc(rule.docs),
        );
    }
    Ok(out)
}

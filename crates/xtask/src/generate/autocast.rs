//! `docs/autocast.md`: what each op computes in while a region of autocast is open.

use std::fmt::Write;

use firn_core::error::camel_case;
use firn_core::ops::{Row, rows};

use super::docs::{GENERATED, family};
use super::kinds::js;

/// The classes, as rows spell them, and what they are to a user.
const CLASSES: [(&str, &str); 3] =
    [("low", "in the dtype of the region"), ("full", "in float32"), ("widest", "in the widest dtype among the arguments")];

/// What an op computes in, None where autocast leaves it alone.
pub fn class(row: &Row) -> Option<&'static str> {
    CLASSES.iter().find(|(class, _)| row.autocast == Some(class)).map(|&(_, text)| text)
}

/// An op by the name that users know; one behind a face written by hand has no page.
fn link(row: &Row) -> String {
    if row.faces == ["native"] {
        return format!("`{}`", camel_case(row.torch.unwrap_or(row.name)));
    }
    format!("[`{}`](ops/{}.md#{})", js(row), family(row), js(row).to_lowercase())
}

/// The ops of each class.
pub fn list() -> String {
    let mut out = format!(
        "{GENERATED}# Autocast\n\n\
         What ops compute in inside `autocast()`. Arguments in float32, float16 and bfloat16 are cast; float64, integers and booleans stay as they\n\
         are. An op that is not listed takes its arguments as they come, or is composed of ops that are listed.\n\
         [design/scaling.md](design/scaling.md) says where the lists come from.\n"
    );
    for (name, text) in CLASSES {
        let ops: Vec<String> = rows().filter(|row| row.autocast == Some(name) && !row.faces.is_empty()).map(link).collect();
        let _ = write!(out, "\n## Computed {text}\n\n{}\n", ops.join(",\n"));
    }
    out
}

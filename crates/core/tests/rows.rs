//! The rows themselves: what the generator, the docs and the tests rely on.

use std::collections::HashSet;

use firn_core::ops::rows;

#[test]
fn names_are_unique_and_documented() {
    let mut names = HashSet::new();
    for row in rows() {
        assert!(names.insert(row.name), "{} is there twice", row.name);
        let doc = row.docs.join(" ");
        assert!(doc.trim().ends_with('.') && doc.len() > 10, "{}: `{doc}` is no sentence", row.name);
    }
}

#[test]
fn every_public_row_is_tested_or_says_why_not() {
    for row in rows() {
        let (kind, rest) = row.check.split_once(',').unwrap_or((row.check, ""));
        let domain = rest.split(',').count() == 2 && rest.split(',').all(|n| n.replace(' ', "").parse::<f64>().is_ok());
        let sound = match kind.trim() {
            "unary" | "binary" => domain,
            "cases" => true,
            "none" => rest.trim().len() > 12,
            _ => false,
        };
        assert!(sound, "{}: check({})", row.name, row.check);
    }
}

#[test]
fn a_rule_names_arguments_of_its_op() {
    for row in rows() {
        for wrt in row.grads {
            assert!(row.args.iter().any(|arg| arg.name == *wrt), "{}: no argument {wrt}", row.name);
        }
    }
}

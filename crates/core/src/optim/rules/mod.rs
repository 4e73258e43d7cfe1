//! The rules, in order of growing complexity.

mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adam8bit;
mod adamax;
mod asgd;
mod lamb;
mod lars;
mod lion;
mod muon;
mod nadam;
mod radam;
mod rmsprop;
mod rprop;
mod schedule_free;
mod sgd;

use super::options::RuleRow;

/// Every rule; its position is the number that crosses the language border.
pub const RULES: &[RuleRow] = &[
    sgd::ROW,
    adam::adam::ROW,
    adam::adam_w::ROW,
    nadam::ROW,
    radam::ROW,
    adamax::ROW,
    adagrad::ROW,
    adadelta::ROW,
    rmsprop::ROW,
    rprop::ROW,
    asgd::ROW,
    lion::ROW,
    lars::ROW,
    lamb::ROW,
    adafactor::ROW,
    muon::ROW,
    schedule_free::ROW,
    adam8bit::adam::ROW,
    adam8bit::adam_w::ROW,
];

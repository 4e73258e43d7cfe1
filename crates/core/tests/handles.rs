//! Handles, scopes and lanes.

use firn_core::DType;
use firn_core::create::zeros;
use firn_core::table::*;

fn tensor() -> u32 {
    zeros(&[2], DType::Float32).and_then(insert).unwrap_or(0)
}

#[test]
fn a_scope_frees_what_was_made_in_it() {
    let outside = tensor();
    let before = live_handles();
    let outer = scope_begin();
    let kept = tensor();
    assert!(keep(kept).is_ok());
    let inner = scope_begin();
    let (gone, returned) = (tensor(), tensor());
    assert!(scope_end(inner, &[returned]).is_ok());
    assert!(!is_live(gone) && is_live(returned));
    assert!(scope_end(outer, &[]).is_ok());
    assert!(!is_live(returned) && is_live(kept) && is_live(outside));
    free(&[kept]);
    assert_eq!(live_handles(), before);
}

#[test]
fn scopes_end_in_order() {
    let (outer, inner) = (scope_begin(), scope_begin());
    let before = live_handles();
    let made = tensor();
    assert!(scope_end(outer, &[]).is_err() && is_live(made));
    assert!(scope_end(inner, &[]).is_ok() && !is_live(made));
    assert_eq!(live_handles(), before);
}

#[test]
fn lanes_are_stacks_of_their_own() {
    let before = live_handles();
    let a = lane_begin();
    let of_a = tensor();
    lane_enter(0, 0);
    let b = lane_begin();
    let of_b = tensor();
    // Made by code of `a` before anybody noticed that it runs.
    let late = tensor();
    lane_enter(a, late);
    let inner = scope_begin();
    lane_enter(b, 0);
    assert!(scope_end(inner, &[]).is_ok());
    lane_end(a, &[of_a], b);
    assert!(!is_live(late) && is_live(of_a) && is_live(of_b));
    lane_end(b, &[of_b], 0);
    assert!(!is_live(of_a) && is_live(of_b));
    free(&[of_b]);
    assert_eq!(live_handles(), before);
}

#[test]
fn a_handle_of_another_thread_is_an_error() {
    let here = tensor();
    let elsewhere = std::thread::spawn(tensor).join();
    assert!(elsewhere.is_ok_and(|handle| handle != here && get(handle).is_err()));
    free(&[here]);
}

#[test]
fn a_stale_handle_is_an_error_for_a_long_time() {
    let stale = tensor();
    free(&[stale]);
    for _ in 0..100_000 {
        let other = tensor();
        assert_ne!(other, stale);
        free(&[other]);
    }
    assert!(get(stale).is_err());
}

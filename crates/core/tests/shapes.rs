//! Rules of shapes.

use firn_core::shape::{Window, broadcast, reshaped};

#[test]
fn broadcasting() {
    assert_eq!(broadcast(&[2, 1, 3], &[4, 1]).map(|s| s.to_vec()).ok(), Some(vec![2, 4, 3]));
    assert_eq!(broadcast(&[], &[0, 2]).map(|s| s.to_vec()).ok(), Some(vec![0, 2]));
    let error = broadcast(&[2, 3], &[2, 4]).map_err(|e| e.message).err().unwrap_or_default();
    assert!(error.contains("[2, 3]") && error.contains("[2, 4]") && error.contains("dimension -1"), "{error}");
}

#[test]
fn reshaping() {
    assert_eq!(reshaped(&[2, 6], &[3, -1]).map(|s| s.to_vec()).ok(), Some(vec![3, 4]));
    assert_eq!(reshaped(&[0, 3], &[0, 5]).map(|s| s.to_vec()).ok(), Some(vec![0, 5]));
    assert!(reshaped(&[2, 6], &[5, -1]).is_err());
    assert!(reshaped(&[2, 6], &[-1, -1]).is_err());
}

#[test]
fn windows() {
    let w = Window { kernel: 3, stride: 2, padding: 1, dilation: 1 };
    assert_eq!((w.output(6, false).ok(), w.output(6, true).ok()), (Some(3), Some(4)));
    assert!(Window { kernel: 9, ..w }.output(4, false).is_err());
}

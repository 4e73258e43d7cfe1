//! What a gradient rule keeps of its op's arguments.

use burn_std::Shape;

use crate::ops::interpolate::Along;
use crate::ops::pooling::Windows;
use crate::tensor::Tensor;

/// How an argument is kept for the gradient rule, and seen again inside it.
pub(crate) trait Save {
    type Saved: Load + 'static;
    fn save(self) -> Self::Saved;
}

pub(crate) trait Load {
    type View<'a>
    where
        Self: 'a;
    #[allow(clippy::needless_lifetimes)]
    fn load<'a>(&'a self) -> Self::View<'a>;
}

macro_rules! saved {
    ($($from:ty => $kept:ty => $view:ty, |$x:ident| $save:expr, |$y:ident| $load:expr;)+) => { $(
        impl Save for $from {
            type Saved = $kept;
            fn save(self) -> $kept { let $x = self; $save }
        }
        impl Load for $kept {
            type View<'a> = $view;
            #[allow(clippy::needless_lifetimes)]
            fn load<'a>(&'a self) -> $view { let $y = self; $load }
        }
    )+ };
}

/// `copied!(T)`: plain data that a rule keeps as it is.
macro_rules! copied {
    ($($t:ty),+) => { $(
        impl $crate::tape::Save for $t {
            type Saved = $t;
            fn save(self) -> $t { self }
        }
        impl $crate::tape::Load for $t {
            type View<'a> = $t;
            fn load(&self) -> $t { *self }
        }
        impl $crate::tape::autocast::Cast for $t {}
    )+ };
}
pub(crate) use copied;

copied!(f64, isize, usize, bool, [usize; 2], [usize; 3], Option<f64>, Option<isize>, Option<usize>);

saved! {
    &Tensor => Tensor => &'a Tensor, |x| x.clone(), |y| y;
    Option<&Tensor> => Option<Tensor> => Option<&'a Tensor>, |x| x.cloned(), |y| y.as_ref();
    &[Tensor] => Vec<Tensor> => &'a [Tensor], |x| x.to_vec(), |y| y;
    &[isize] => Vec<isize> => &'a [isize], |x| x.to_vec(), |y| y;
    &[f64] => Vec<f64> => &'a [f64], |x| x.to_vec(), |y| y;
    &str => String => &'a str, |x| x.to_owned(), |y| y;
    Shape => Shape => &'a Shape, |x| x, |y| y;
    &Along => Along => &'a Along, |x| x.clone(), |y| y;
    &Windows => Windows => &'a Windows, |x| x.clone(), |y| y;
    Vec<usize> => Vec<usize> => &'a [usize], |x| x, |y| y;
}

//! Ops, one row each: documented function, gradient rule and test domain in one block.
//!
//! `ops!` yields the function and a [`Row`] that the generator (`npm run gen`) turns into the bindings, the TypeScript
//! methods, the docs and the test manifest. A row reads:
//!
//! ```text
//! /// Hyperbolic tangent.
//! #[example("tensor([0]).tanh() // [0]")]   // lines of TypeScript, run as a test; what stands after `//` is the value
//! #[face(method, functional)]          // where users meet it: Tensor method, F.*, free function; native: only the binding
//! #[check(unary, -2.0, 2.0)]           // how it is tested (see `Row::check`)
//! fn tanh(x: &Tensor) -> Tensor { x.map(functions::tanh) }
//! grad(g, y) { x: g * (1.0 - y * y) }  // g: gradient of the output, y: the output; `; a, b` would save arguments
//! ```
//!
//! An op of several results returns `Outputs` and names them: `#[outputs(values: Tensor, indices: Index)]` after the example. Such an op
//! is composed of others; where its results share a gradient rule, one op with a rule packs them into one tensor, and this one takes
//! it apart. `Many` is a list of tensors whose length depends on the call.
//!
//! `#[autocast(low)]`, last of the attributes, brings floating point arguments to the dtype of an autocast region before the body runs, which
//! then computes in what it is given; `full` is float32, `widest` the widest dtype among them. Without it a body with a rule computes in
//! what it is given, too, and a composed one leaves it to its parts.
//!
//! Arguments before `;` are positional, those after it are options with defaults. An op with a rule runs its body off
//! the tape; one without is composed of other ops, or has no gradient. A rule may give the gradient of a broadcast
//! operand unsummed: the walk sums it.

pub mod activation;
pub mod arrange;
pub mod attention;
pub mod bits;
pub mod blend;
pub mod choice;
pub mod closeness;
pub mod compare;
pub mod complex;
pub mod conv;
pub mod convolution;
pub mod ctc;
pub mod decompose;
pub mod diagonal;
pub mod distance;
pub mod einsum;
pub mod elementwise;
pub mod exponential;
pub mod factors;
pub mod fft;
pub mod fourier;
pub mod index;
pub mod indexing;
pub mod interpolate;
pub mod joining;
pub mod linalg;
pub mod loss;
pub mod loss_margin;
pub mod loss_pointwise;
pub mod masking;
pub mod norm;
pub mod operand;
pub mod padding;
pub mod pair;
pub mod piecewise;
pub mod pool;
pub mod pool_mean;
pub mod pooling;
pub mod products;
pub mod random;
pub mod recurrent;
pub mod reduce;
pub mod rounding;
pub mod sampling;
pub mod scatter;
pub mod select;
pub mod shaping;
pub mod shuffle;
pub mod softmax;
pub mod solve;
pub mod sorting;
pub mod special;
pub mod trigonometry;
pub(crate) mod vjp;
pub mod windows;

pub use joining::Parts;
pub use operand::Operand;

use crate::tensor::Tensor;

/// A tensor of class indices or positions; int64 by its TypeScript type, any integer dtype at run time.
pub type Index = Tensor;
/// A boolean tensor.
pub type Mask = Tensor;
/// A boolean tensor, or one of the inputs' dtype that is added.
pub type AnyMask = Tensor;
/// Class indices, or probabilities of the input's dtype.
pub type Labels = Tensor;
/// A result of the input's dtype where that is floating point, float32 otherwise.
pub type Floating = Tensor;
/// A result of the dtype that both operands promote to.
pub type Promoted = Tensor;
/// `Promoted`, or int64 for booleans, which count.
pub type Arithmetic = Tensor;
/// `Promoted`, or float32 where that is no floating point dtype.
pub type Quotient = Tensor;
/// Steps without a gradient, of the dtype that the operands promote to.
pub type Discrete = Tensor;
/// A sum: of the input's dtype where that is floating point, int64 otherwise.
pub type Summed = Tensor;
/// Several results, each named by the row's `outputs`.
pub type Outputs = Vec<Tensor>;
/// A list of tensors of the input's dtype.
pub type Many = Vec<Tensor>;
/// A size in three spatial dimensions; TypeScript takes one number for all.
pub type Triple = [usize; 3];
/// A size in both spatial dimensions; TypeScript takes one number for both.
pub type Pair = [usize; 2];

/// One argument of a row.
#[derive(Debug, Clone, Copy)]
pub struct Arg {
    pub name: &'static str,
    /// Its Rust type as written; the generator knows a closed list.
    pub kind: &'static str,
    pub default: Option<&'static str>,
    /// In the options object rather than positional.
    pub option: bool,
}

/// What the generator knows of an op.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub family: &'static str,
    pub name: &'static str,
    pub docs: &'static [&'static str],
    /// Lines of TypeScript that run as they are.
    pub example: &'static [&'static str],
    pub args: &'static [Arg],
    pub returns: &'static str,
    /// Names and types of the results of an op that has several.
    pub outputs: &'static [(&'static str, &'static str)],
    /// Arguments with a gradient rule of their own here.
    pub grads: &'static [&'static str],
    pub faces: &'static [&'static str],
    /// `unary, low, high` and `binary, low, high`: cases are drawn from the domain; `cases`: listed in the fixture script;
    /// `none, "reason"`.
    pub check: &'static str,
    /// PyTorch's name where it differs.
    pub torch: Option<&'static str>,
    /// What it computes in under autocast: `low`, `full` or `widest`; without one its own body decides.
    pub autocast: Option<&'static str>,
}

/// Every row, family by family.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    [
        elementwise::ROWS,
        exponential::ROWS,
        trigonometry::ROWS,
        rounding::ROWS,
        special::ROWS,
        blend::ROWS,
        bits::ROWS,
        activation::ROWS,
        piecewise::ROWS,
        compare::ROWS,
        closeness::ROWS,
        masking::ROWS,
        reduce::ROWS,
        shaping::ROWS,
        arrange::ROWS,
        joining::ROWS,
        diagonal::ROWS,
        windows::ROWS,
        sorting::ROWS,
        index::ROWS,
        select::ROWS,
        scatter::ROWS,
        indexing::ROWS,
        linalg::ROWS,
        einsum::ROWS,
        products::ROWS,
        solve::ROWS,
        decompose::ROWS,
        factors::ROWS,
        distance::ROWS,
        fft::ROWS,
        complex::ROWS,
        fourier::ROWS,
        softmax::ROWS,
        conv::ROWS,
        convolution::ROWS,
        shuffle::ROWS,
        pool::ROWS,
        pool_mean::ROWS,
        pooling::ROWS,
        interpolate::ROWS,
        sampling::ROWS,
        norm::ROWS,
        attention::ROWS,
        recurrent::ROWS,
        loss::ROWS,
        loss_pointwise::ROWS,
        loss_margin::ROWS,
        ctc::ROWS,
        random::ROWS,
    ]
    .into_iter()
    .flatten()
}

macro_rules! ops {
    ($(
        $(#[doc = $doc:literal])+
        $(#[example($($example:literal),+ $(,)?)])?
        $(#[outputs($($output:ident : $otype:ident),+)])?
        #[face($($face:ident),*)]
        #[check($($check:tt)*)]
        $(#[torch($torch:literal)])?
        $(#[autocast($class:ident)])?
        fn $name:ident (
            $($arg:ident : $kind:ty $(= $default:expr)?),*
            $(; $($opt:ident : $okind:ty = $odefault:expr),+)?
        ) -> $ret:ident $body:block
        $(grad ( $g:ident $(, $y:ident)? $(; $($saved:ident $(= $init:expr)?),*)? ) { $($wrt:ident : $rule:expr),+ $(,)? })?
    )+) => {
        $(
            $(#[doc = $doc])+
            #[allow(clippy::too_many_arguments)]
            pub fn $name($($arg: $kind,)* $($($opt: $okind,)+)?) -> $crate::error::Result<$ret> {
                $crate::ops::ops!(@autocast $name, [$($class)?], [$($arg,)* $($($opt,)+)?]);
                let run = || -> $crate::error::Result<$ret> { $body };
                let out = $crate::ops::ops!(@run run $(, $g)?).map_err(|error| error.in_op(stringify!($name)))?;
                $(
                    if let Some(inputs) = $crate::tape::inputs(&[$(&$wrt),+]) {
                        let counts = inputs.counts.clone();
                        $($( let $saved = $crate::tape::Save::save($crate::ops::ops!(@init $saved $(, $init)?)); )*)?
                        $( let $y = out.value(); )?
                        $crate::tape::record(stringify!($name), &out, inputs, std::rc::Rc::new(
                            move |node: &std::rc::Rc<$crate::tape::Node>, $g: &$crate::Tensor| {
                                $($( let $saved = $crate::tape::Load::load(&$saved); )*)?
                                $( let $y = &$crate::Tensor::output_of(node, &$y); )?
                                let mut grads = $crate::tape::Grads::new();
                                let mut counts = counts.iter().copied();
                                $( grads.put(node, counts.next().unwrap_or(1), || Ok($rule))?; )+
                                Ok(grads)
                            },
                        ));
                    }
                )?
                Ok(out)
            }
        )+

        pub const ROWS: &[$crate::ops::Row] = &[$(
            $crate::ops::Row {
                family: module_path!(),
                name: stringify!($name),
                docs: &[$($doc),+],
                example: &[$($($example),+)?],
                args: &[
                    $($crate::ops::Arg {
                        name: stringify!($arg),
                        kind: stringify!($kind),
                        default: $crate::ops::ops!(@default $($default)?),
                        option: false,
                    },)*
                    $($($crate::ops::Arg {
                        name: stringify!($opt),
                        kind: stringify!($okind),
                        default: Some(stringify!($odefault)),
                        option: true,
                    },)+)?
                ],
                returns: stringify!($ret),
                outputs: &[$($((stringify!($output), stringify!($otype))),+)?],
                grads: &[$($(stringify!($wrt)),+)?],
                faces: &[$(stringify!($face)),*],
                check: stringify!($($check)*),
                torch: $crate::ops::ops!(@default_text $($torch)?),
                autocast: $crate::ops::ops!(@default $($class)?),
            },
        )+];
    };
    (@autocast $name:ident, [], [$($arg:ident,)*]) => {};
    (@autocast $name:ident, [$class:ident], [$($arg:ident,)*]) => {
        if let Some(region) = $crate::tape::autocast::mode() {
            $( let mut $arg = $crate::tape::Save::save($arg); )*
            let class = $crate::ops::ops!(@class $class);
            let target = $crate::tape::autocast::Target::of(class, region, &[$(&$arg as &dyn $crate::tape::autocast::Cast),*]);
            $( $crate::tape::autocast::Cast::cast(&mut $arg, target)?; )*
            return $crate::tape::autocast::within(None, || $name($($crate::tape::Load::load(&$arg)),*));
        }
    };
    (@class low) => { $crate::tape::autocast::Class::Low };
    (@class full) => { $crate::tape::autocast::Class::Full };
    (@class widest) => { $crate::tape::autocast::Class::Widest };
    (@run $run:ident) => { $run() };
    (@run $run:ident, $g:ident) => { $crate::tape::with_enabled(false, $run) };
    (@init $saved:ident) => { $saved };
    (@init $saved:ident, $init:expr) => { $init };
    (@default) => { None };
    (@default $default:expr) => { Some(stringify!($default)) };
    (@default_text) => { None };
    (@default_text $text:literal) => { Some($text) };
}
pub(crate) use ops;

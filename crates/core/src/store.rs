//! Safetensors: named tensors as bytes and back.

use std::collections::HashMap;

use burn_std::Shape;
use safetensors::tensor::{Dtype, SafeTensors, View};

use crate::cpu;
use crate::create::from_bytes;
use crate::dtype::DType;
use crate::error::{Error, Result, bail};
use crate::tensor::Tensor;

fn dtype_of(dtype: DType) -> Dtype {
    match dtype {
        DType::Bool => Dtype::BOOL,
        DType::UInt8 => Dtype::U8,
        DType::Int8 => Dtype::I8,
        DType::Int16 => Dtype::I16,
        DType::Int32 => Dtype::I32,
        DType::Int64 => Dtype::I64,
        DType::Float16 => Dtype::F16,
        DType::BFloat16 => Dtype::BF16,
        DType::Float32 => Dtype::F32,
        DType::Float64 => Dtype::F64,
    }
}

fn named(name: &str, dtype: Dtype) -> Result<DType> {
    match DType::ALL.into_iter().find(|&known| dtype_of(known) == dtype) {
        Some(known) => Ok(known),
        None => bail!(Io, "tensor '{name}' has dtype {dtype:?}, which firn does not know"),
    }
}

struct Entry {
    dtype: DType,
    shape: Shape,
    bytes: Vec<u8>,
}

impl View for &Entry {
    fn dtype(&self) -> Dtype {
        dtype_of(self.dtype)
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> std::borrow::Cow<'_, [u8]> {
        (&self.bytes).into()
    }
    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(crate::Code::Io, format!("not a whole safetensors file: {error}"))
}

/// The file's bytes. Tensors are ordered by dtype, then by name, as the format's writers do.
pub fn encode(tensors: &[(String, Tensor)], metadata: HashMap<String, String>) -> Result<Vec<u8>> {
    let mut entries = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        if entries.iter().any(|(other, _): &(&String, Entry)| *other == name) {
            bail!(Argument, "the name '{name}' is given twice");
        }
        let bytes = cpu::bytes(tensor, <[u8]>::to_vec);
        entries.push((name, Entry { dtype: tensor.dtype(), shape: tensor.shape().into(), bytes }));
    }
    let metadata = (!metadata.is_empty()).then_some(metadata);
    safetensors::serialize(entries.iter().map(|(name, entry)| (name.as_str(), entry)), metadata)
        .map_err(|error| Error::new(crate::Code::Io, format!("cannot write these tensors as safetensors: {error}")))
}

/// What a file holds.
pub struct Contents {
    pub tensors: Vec<(String, Tensor)>,
    pub metadata: HashMap<String, String>,
}

/// Reads a file's bytes; sizes and offsets are checked before anything is allocated.
pub fn decode(bytes: &[u8]) -> Result<Contents> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(failed)?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let file = SafeTensors::deserialize(bytes).map_err(failed)?;
    let mut tensors = Vec::with_capacity(file.len());
    for (name, view) in file.iter() {
        let tensor = from_bytes(view.data().to_vec(), view.shape(), named(name, view.dtype())?)?;
        tensors.push((name.to_owned(), tensor));
    }
    Ok(Contents { tensors, metadata })
}

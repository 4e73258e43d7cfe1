//! Safetensors.

use firn_core::{Code, Error, store};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::call::{call, list, out};

/// A file's bytes; `metadata` is a JSON object of strings, or empty.
#[napi]
pub fn safetensors_encode(names: Vec<String>, handles: &[u32], metadata: String) -> napi::Result<Uint8Array> {
    call("save_safetensors", || {
        let metadata = if metadata.is_empty() { "{}" } else { &metadata };
        let metadata = serde_json::from_str(metadata)
            .map_err(|error| Error::new(Code::Argument, format!("metadata must map strings to strings: {error}")))?;
        let tensors: Vec<_> = names.into_iter().zip(list(handles)?).collect();
        Ok(Uint8Array::new(store::encode(&tensors, metadata)?))
    })
}

#[napi(object)]
pub struct SafetensorsContents {
    pub names: Vec<String>,
    pub handles: Vec<u32>,
    /// A JSON object of strings.
    pub metadata: String,
}

#[napi]
pub fn safetensors_decode(bytes: &[u8]) -> napi::Result<SafetensorsContents> {
    call("load_safetensors", || {
        let store::Contents { tensors, metadata } = store::decode(bytes)?;
        let metadata = serde_json::to_string(&metadata).map_err(|error| Error::new(Code::Io, error.to_string()))?;
        let mut contents = SafetensorsContents { names: Vec::new(), handles: Vec::new(), metadata };
        for (name, tensor) in tensors {
            contents.names.push(name);
            contents.handles.push(out(tensor)?);
        }
        Ok(contents)
    })
}

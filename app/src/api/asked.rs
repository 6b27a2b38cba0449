//! What a page waits for: read by the server while it renders, sent along, and asked for again in the browser.

use super::ApiError;
use codee::{Decoder, Encoder};
use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use std::future::Future;

/// JSON that is read from bytes, as the answers of server functions are: one reader of each type is
/// downloaded instead of two.
pub struct JsonBytes;

impl<T: Serialize> Encoder<T> for JsonBytes {
    type Error = serde_json::Error;
    type Encoded = String;

    fn encode(value: &T) -> Result<String, Self::Error> {
        serde_json::to_string(value)
    }
}

impl<T: DeserializeOwned> Decoder<T> for JsonBytes {
    type Error = serde_json::Error;
    type Encoded = str;

    fn decode(text: &str) -> Result<T, Self::Error> {
        serde_json::from_slice(text.as_bytes())
    }
}

/// An answer, or what went wrong.
pub type Asked<T> = Resource<Result<T, ApiError>, JsonBytes>;

/// Asks `question` about what `source` gives, and again whenever that changes.
pub fn asked<S, T, Answer>(
    source: impl Fn() -> S + Send + Sync + 'static,
    question: impl Fn(S) -> Answer + Send + Sync + 'static,
) -> Asked<T>
where
    S: PartialEq + Clone + Send + Sync + 'static,
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    Answer: Future<Output = Result<T, ApiError>> + Send + 'static,
{
    Resource::new_with_options(source, question, false)
}

//! What a page waits for: read by the server while it renders, sent along, and asked for again in the browser.
//!
//! Answers of all types lie behind one, so that what waits for them is downloaded once and not for each type.

use super::ApiError;
use crate::signal::Value;
use codee::{Decoder, Encoder};
use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    any::Any,
    future::{Future, IntoFuture},
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
};

/// An answer, or what went wrong; asked for again when its source changes or on [`Asked::refetch`].
pub struct Asked<T> {
    inner: Resource<Answer, Json>,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Asked<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Asked<T> {}

impl<T> Asked<T> {
    /// Asks again.
    pub fn refetch(&self) {
        self.inner.refetch();
    }
}

/// An answer of any type: as it came with the document, or as it was given.
#[derive(Clone)]
enum Answer {
    Text(Arc<str>),
    Given(Arc<dyn Any + Send + Sync>, Write),
}

/// Writes an answer of a type into the document.
type Write = fn(&(dyn Any + Send + Sync)) -> Result<String, serde_json::Error>;

/// JSON that is read once its type is known.
struct Json;

impl Encoder<Answer> for Json {
    type Error = serde_json::Error;
    type Encoded = String;

    fn encode(answer: &Answer) -> Result<String, Self::Error> {
        match answer {
            Answer::Text(text) => Ok(text.to_string()),
            Answer::Given(value, write) => write(&**value),
        }
    }
}

impl Decoder<Answer> for Json {
    type Error = serde_json::Error;
    type Encoded = str;

    fn decode(text: &str) -> Result<Answer, Self::Error> {
        Ok(Answer::Text(text.into()))
    }
}

type Given<T> = Result<T, ApiError>;
type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Asks `question` about what `source` gives, and again whenever that changes.
pub fn asked<S, T, Asking>(
    source: impl Fn() -> S + Send + Sync + 'static,
    question: impl Fn(S) -> Asking + Send + Sync + 'static,
) -> Asked<T>
where
    S: PartialEq + Clone + Send + Sync + 'static,
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    Asking: Future<Output = Given<T>> + Send + 'static,
{
    let source = move || Value::compared(source());
    let question = move |source: Value| -> Later<Answer> {
        let source = source.get::<S>();
        let asking = question(source.expect("invariant: the source above gave it"));
        Box::pin(async move { Answer::Given(Arc::new(asking.await), writer::<T>()) })
    };
    Asked {
        inner: resource(Box::new(source), Box::new(question)),
        of: PhantomData,
    }
}

fn resource(
    source: Box<dyn Fn() -> Value + Send + Sync>,
    question: Box<dyn Fn(Value) -> Later<Answer> + Send + Sync>,
) -> Resource<Answer, Json> {
    Resource::new_with_options(source, question, false)
}

/// Only the server makes documents.
fn writer<T: Serialize + Send + Sync + 'static>() -> Write {
    match cfg!(target_arch = "wasm32") {
        true => |_| Ok(String::new()),
        false => |value| serde_json::to_string(&value.downcast_ref::<Given<T>>()),
    }
}

impl<T> IntoFuture for Asked<T>
where
    T: Clone + DeserializeOwned + Send + Sync + 'static,
{
    type Output = Given<T>;
    type IntoFuture = Later<Given<T>>;

    fn into_future(self) -> Later<Given<T>> {
        let answer = self.inner.into_future();
        Box::pin(async move { read(answer.await) })
    }
}

fn read<T: Clone + DeserializeOwned + 'static>(answer: Answer) -> Given<T> {
    match answer {
        // From bytes, as the answers of server functions are: one reader of each type instead of two.
        Answer::Text(text) => serde_json::from_slice(text.as_bytes())
            .unwrap_or_else(|error| Err(ApiError::Transport(error.to_string()))),
        Answer::Given(value, _) => {
            let given = value.downcast_ref::<Given<T>>();
            given
                .cloned()
                .expect("invariant: one question gives one type")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_the_same_when_it_came_with_the_document() {
        let answers: [Given<Vec<u8>>; 2] = [Ok(vec![1, 2]), Err(ApiError::Forbidden)];
        for answer in answers {
            let given = Answer::Given(Arc::new(answer.clone()), writer::<Vec<u8>>());
            let text = Json::encode(&given).unwrap();
            assert_eq!(read::<Vec<u8>>(given), answer);
            assert_eq!(read::<Vec<u8>>(Json::decode(&text).unwrap()), answer);
        }
        let broken = read::<Vec<u8>>(Json::decode("{").unwrap());
        assert!(matches!(broken, Err(ApiError::Transport(_))), "{broken:?}");
    }
}

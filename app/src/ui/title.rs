//! The title of the document.

use crate::ui::Any;
use leptos::prelude::*;
use leptos_meta::Title;

/// A title that follows signals. The server writes the head of the document when the page is made and its signals
/// are out of reach, so there the title is taken where it is set.
pub fn title(text: impl Fn() -> String + Send + Sync + 'static) -> AnyView {
    let first = text();
    let text = move || match cfg!(target_arch = "wasm32") {
        true => text(),
        false => first.clone(),
    };
    view! { <Title text/> }.any()
}

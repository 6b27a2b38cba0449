//! Views that follow signals or wait for answers, in one type each: what differs from view to view stays small in the
//! browser's download.

use leptos::{prelude::*, tachys::view::RenderHtml};
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

/// A view as the one type of all views.
pub trait Any {
    /// The same as `into_any`, without the wrapper that a view comes in: with it, every kind of element
    /// would be compiled twice.
    fn any(self) -> AnyView;
}

impl<T: RenderHtml + Send + 'static> Any for View<T> {
    fn any(self) -> AnyView {
        self.into_inner().into_any()
    }
}

/// A view made anew whenever a signal that it reads changes.
pub fn follow<V: IntoView + 'static>(mut view: impl FnMut() -> V + Send + 'static) -> AnyView {
    let view: Arc<Mutex<dyn FnMut() -> AnyView + Send>> =
        Arc::new(Mutex::new(move || view().into_any()));
    view.into_any()
}

/// An entry of a list: what tells it from the others, and how it is made when it is new.
pub struct Entry {
    key: String,
    make: Box<dyn FnOnce() -> AnyView + Send>,
}

impl Entry {
    /// An entry that is made by `make` when its key comes into the list.
    pub fn new<V: IntoView + 'static>(
        key: impl ToString,
        make: impl FnOnce() -> V + Send + 'static,
    ) -> Self {
        Entry {
            key: key.to_string(),
            make: Box::new(move || make().into_any()),
        }
    }
}

/// A list that follows signals. Entries whose keys stay, stay as they are.
pub fn follow_list(entries: impl Fn() -> Vec<Entry> + Send + Sync + 'static) -> AnyView {
    list_of(Arc::new(entries))
}

fn list_of(entries: Arc<dyn Fn() -> Vec<Entry> + Send + Sync>) -> AnyView {
    let each = move || entries();
    view! {
        <For each key=|entry: &Entry| entry.key.clone() children=|entry: Entry| (entry.make)()/>
    }
    .into_any()
}

/// A view that is not there yet.
type Later = Pin<Box<dyn Future<Output = AnyView> + Send>>;

/// A view that waits for what it shows: `fallback` stands in its place the first time, its old self
/// when it waits again.
pub fn waiting<F>(
    fallback: fn() -> AnyView,
    mut view: impl FnMut() -> F + Send + 'static,
) -> AnyView
where
    F: Future<Output = AnyView> + Send + 'static,
{
    let later = move || -> Later { Box::pin(view()) };
    waiting_for(fallback, Arc::new(Mutex::new(later)))
}

fn waiting_for(
    fallback: fn() -> AnyView,
    later: Arc<Mutex<dyn FnMut() -> Later + Send>>,
) -> AnyView {
    let next = move || {
        let mut later = later.lock().unwrap_or_else(PoisonError::into_inner);
        Suspend::new(later())
    };
    view! { <Transition fallback>{next}</Transition> }.into_any()
}

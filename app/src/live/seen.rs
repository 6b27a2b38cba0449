//! Whether something can be seen: what is further down is loaded when a person comes to it.

use js_sys::Array;
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, IntersectionObserver, IntersectionObserverEntry};

/// Calls `then` once, when `element` comes into view; at once where the browser cannot tell.
pub fn when_seen(element: &Element, then: impl FnOnce() + 'static) {
    let then = Rc::new(RefCell::new(Some(then)));
    let again = Rc::clone(&then);
    let tell = Closure::<dyn FnMut(Array, IntersectionObserver)>::new(
        move |entries: Array, observer: IntersectionObserver| {
            let is_seen = entries.iter().any(|entry| {
                let entry = entry.unchecked_into::<IntersectionObserverEntry>();
                entry.is_intersecting()
            });
            if is_seen && let Some(then) = again.borrow_mut().take() {
                observer.disconnect();
                then();
            }
        },
    );
    match IntersectionObserver::new(tell.as_ref().unchecked_ref()) {
        Ok(observer) => {
            observer.observe(element);
            // Called until the element is gone; the browser frees the observer then.
            tell.forget();
        }
        Err(_) => {
            if let Some(then) = then.borrow_mut().take() {
                then();
            }
        }
    }
}

//! The WASM module. A crate of its own, so that native builds do not link the whole server into a
//! shared library that nobody loads.

/// Takes over the page that the server rendered.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub async fn hydrate() {
    app::hydrate().await;
}

//! Charts in the browser: the drawing library is downloaded once, then draws into an element and follows its width.

use charming::{Chart, ChartResize, Echarts, WasmRenderer};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

/// Where the library lies; a file of the console itself.
const LIBRARY: &str = "/vendor/echarts.js";
/// Id of the element that loads it.
const LOADER: &str = "chart-library";

/// Where a chart is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// Id of the element.
    pub id: &'static str,
    /// Its height, in px.
    pub height: u32,
}

/// Draws as soon as the library is there; calls `failed` when it cannot be had.
pub fn draw(frame: Frame, chart: Chart, failed: impl Fn() + 'static) {
    let ready = move || {
        let Some(width) = width_of(frame.id) else {
            return;
        };
        match WasmRenderer::new(width, frame.height).render(frame.id, &chart) {
            Ok(drawn) => follow_width(frame, drawn),
            Err(_) => failed(),
        }
    };
    if js_sys::Reflect::has(&window(), &JsValue::from_str("echarts")).unwrap_or(false) {
        return ready();
    }
    let loader = document().get_element_by_id(LOADER);
    let loader = loader.or_else(|| {
        let script = document().create_element("script").ok()?;
        script.set_id(LOADER);
        script.set_attribute("src", LIBRARY).ok()?;
        document().body()?.append_child(&script).ok()?;
        Some(script)
    });
    if let Some(loader) = loader {
        let ready = Closure::once_into_js(ready);
        let _ = loader.add_event_listener_with_callback("load", ready.unchecked_ref());
    }
}

fn width_of(id: &str) -> Option<u32> {
    let width = document()
        .get_element_by_id(id)?
        .get_bounding_client_rect()
        .width();
    (width >= 1.0).then_some(width as u32)
}

/// The chart is as wide as its element, also when the window changes.
fn follow_width(frame: Frame, drawn: Echarts) {
    let drawn = StoredValue::new_local(drawn);
    let handle = window_event_listener(leptos::ev::resize, move |_| {
        if let Some(width) = width_of(frame.id) {
            let size = ChartResize::new(width, frame.height, true, None);
            drawn.with_value(|drawn| WasmRenderer::resize_chart(drawn, size));
        }
    });
    on_cleanup(move || handle.remove());
}

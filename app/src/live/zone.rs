//! The name of the viewer's zone.

use wasm_bindgen::JsValue;

/// The name of the viewer's zone, such as `Europe/Berlin`, where the browser tells it. Only in the browser.
pub fn zone_name() -> Option<String> {
    let format = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new());
    let options = format.resolved_options();
    let zone = js_sys::Reflect::get(&options, &JsValue::from_str("timeZone"));
    zone.ok()?.as_string()
}

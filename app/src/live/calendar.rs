//! What the recovery calendar asks of the browser: the viewer's zone at a moment, and where on a
//! drawing a pointer is.

use domain::Scn;
use wasm_bindgen::{JsCast, JsValue};

/// Minutes by which the viewer's wall clock is ahead of UTC at a moment. Only in the browser.
pub fn offset_minutes(at: Scn) -> i32 {
    let date = js_sys::Date::new(&JsValue::from_f64(at.ms() as f64));
    -date.get_timezone_offset() as i32
}

/// A pointer over an element.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pointer {
    /// How far across the element it is, from 0 at the left to 1 at the right.
    pub share: f64,
    /// The part of the element's width that one pixel is.
    pub pixel: f64,
    /// Whether it presses.
    pub pressed: bool,
    /// Whether it is a finger.
    pub finger: bool,
}

/// Where a pointer is on the element that listens.
pub fn pointer(event: &web_sys::PointerEvent) -> Option<Pointer> {
    let element = event
        .current_target()?
        .dyn_into::<web_sys::Element>()
        .ok()?;
    let area = element.get_bounding_client_rect();
    (area.width() > 0.0).then(|| Pointer {
        share: ((f64::from(event.client_x()) - area.left()) / area.width()).clamp(0.0, 1.0),
        pixel: 1.0 / area.width(),
        pressed: event.buttons() & 1 == 1,
        finger: event.pointer_type() == "touch",
    })
}

/// Whether an event came from an element that matches `selector`, or from inside one.
pub fn is_within(event: &web_sys::Event, selector: &str) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
        .and_then(|element| element.closest(selector).ok().flatten())
        .is_some()
}

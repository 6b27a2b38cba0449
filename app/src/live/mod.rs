//! The browser's runtime: timers, clocks, the document. The only users of gloo, web-sys and js-sys.
//!
//! Everything here compiles for the server too and does nothing there: the parts that touch the
//! browser run in effects and event handlers, which the server never starts.

pub mod calendar;
pub mod chart;
pub mod document;
pub mod keys;
pub mod poll;
pub mod seen;
pub mod time;
pub mod timer;
pub mod zone;

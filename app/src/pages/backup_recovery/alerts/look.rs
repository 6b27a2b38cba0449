//! How alerts look: a shape for each level, a badge for each status.

use crate::language::t;
use crate::ui::{
    Any,
    badge::{Look, Tone},
};
use domain::alert::{AlertStatus, Level};
use leptos::prelude::*;

/// The badge of a status.
pub fn status(status: AlertStatus) -> Look {
    let (tone, icon) = match status {
        AlertStatus::Active => (Tone::Bad, "s-warn"),
        AlertStatus::Masked => (Tone::Mute, "s-pause"),
        AlertStatus::Recovered => (Tone::Ok, "s-ok"),
    };
    Look {
        text: t(status.label()).to_owned(),
        tone,
        icon,
    }
}

/// The shape of a level: octagon, diamond, triangle, square, circle.
pub fn shape(level: Level) -> AnyView {
    let path = match level {
        Level::Stopped => "M3.8 1h4.4L11 3.8v4.4L8.2 11H3.8L1 8.2V3.8z",
        Level::Critical => "M6 .8 11.2 6 6 11.2.8 6z",
        Level::Warning => "M6 1.2 11.4 10.6H.6z",
        Level::Caution => "M1.5 1.5h9v9h-9z",
        Level::Reminder => "M10.6 6A4.6 4.6 0 1 1 1.4 6a4.6 4.6 0 0 1 9.2 0z",
    };
    view! {
        <svg class="level" data-level=level.number() viewBox="0 0 12 12" aria-hidden="true">
            <path d=path></path>
        </svg>
    }
    .any()
}

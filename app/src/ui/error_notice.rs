//! What stands in place of a section that could not be loaded. The other sections go on.

use super::{Button, Icon};
use crate::language::t;
use crate::ui::Any;
use leptos::prelude::*;

/// Says what failed and why, and offers to try again.
#[component]
pub fn ErrorNotice(
    /// What could not be loaded.
    #[prop(into)]
    title: String,
    /// Why, and the way forward.
    #[prop(into)]
    text: String,
    /// Tries again; absent where that cannot help.
    #[prop(optional, into)]
    on_retry: Option<Callback<()>>,
) -> impl IntoView {
    view! {
        <div class="error-notice" role="alert">
            <Icon name="s-bad"/>
            <h3>{title}</h3>
            <p>{text}</p>
            {on_retry
                .map(|on_press| {
                    view! {
                        <div class="row">
                            <Button icon="refresh" size="sm" on_press>
                                {t("Try again")}
                            </Button>
                        </div>
                    }.any()
                })}
        </div>
    }
    .any()
}

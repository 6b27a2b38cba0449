//! Statements that are sent to a cluster, exactly as they are, for reading and for copying.

use crate::language::t;
use crate::live::document;
use crate::ui::{Any, IconButton, Toasts};
use domain::recovery::PlannedStep;
use leptos::prelude::*;

/// A numbered list.
#[component]
pub fn Statements(
    /// In the order in which they are sent.
    steps: Vec<PlannedStep>,
) -> impl IntoView {
    let row = |step: PlannedStep| {
        view! {
            <li>
                <span>{t(step.what.label())}</span>
                <code>{step.statement}";"</code>
            </li>
        }
        .any()
    };
    view! { <ol class="statements">{steps.into_iter().map(row).collect_view()}</ol> }.any()
}

/// Copies them all.
#[component]
pub fn CopyStatements(
    /// What is copied.
    steps: Vec<PlannedStep>,
) -> impl IntoView {
    let toasts = Toasts::current();
    let text = StoredValue::new(script(&steps));
    let copy = move || {
        match document::copy_text(&text.get_value()) {
        true => toasts.done(t("Statements copied"), String::new()),
        false => toasts.failed(
            t("The statements were not copied"),
            t("Browsers copy only from pages that are encrypted or come from this machine. Select the text instead."),
        ),
    }
    };
    view! { <IconButton label=t("Copy the statements") icon="copy" size="sm" on_press=move |()| copy()/> }
        .any()
}

/// All of them, one a line.
fn script(steps: &[PlannedStep]) -> String {
    let lines = steps.iter().map(|step| format!("{};\n", step.statement));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::recovery::StepKind;

    #[test]
    fn a_script_can_be_run_as_it_is_copied() {
        let step = |what, statement: &str| PlannedStep {
            what,
            statement: statement.to_owned(),
        };
        let steps = [
            step(StepKind::DropPool, "DROP RESOURCE POOL p"),
            step(StepKind::DropUnit, "DROP RESOURCE UNIT u"),
        ];
        assert_eq!(
            script(&steps),
            "DROP RESOURCE POOL p;\nDROP RESOURCE UNIT u;\n"
        );
    }
}

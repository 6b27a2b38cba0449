//! "Zones": one row per zone, then the number of units and the order of zones that lead.

use super::{Known, Placing, order::Order, zone::Zone};
use crate::language::t;
use crate::signal::{Memo, RwSignal};
use crate::ui::{Any, Icon, LinkButton, Notice, Skeleton, Tone, follow};
use domain::placement::{Resources, ZONES};
use leptos::prelude::*;

/// The section.
#[component]
pub fn Zones(
    /// The placement.
    placing: Placing,
    /// The new tenant's name, which new specifications are named after.
    name: Memo<String>,
    /// Asks for the plan and for what there is again.
    again: RwSignal<u32>,
) -> impl IntoView {
    let retry = move || again.update(|count| *count += 1);
    view! {
        <section class="form-section" id="zones" aria-labelledby="zones-title">
            <header>
                <h2 id="zones-title">{t("Zones")}</h2>
                <p>{t("It begins like the source tenant. Each zone gets a resource pool of its own.")}</p>
            </header>
            {follow(move || match placing.known.get() {
                Known::Asked => view! { <Skeleton rows=4/> }.any(),
                Known::Failed(error) => view! {
                    <Notice
                        tone=Tone::Warn
                        title=t("The zones and servers of the cluster could not be read").to_owned()
                        text=error.to_string()
                    >
                        <LinkButton on_press=move |()| retry()>{t("Try again")}</LinkButton>
                    </Notice>
                }.any(),
                Known::Read(resources) => view! { <Rows placing name resources/> }.any(),
            })}
        </section>
    }
    .any()
}

#[component]
fn Rows(placing: Placing, name: Memo<String>, resources: Resources) -> impl IntoView {
    let zones: Vec<usize> = (0..resources.zones.len()).collect();
    let resources = StoredValue::new(resources);
    let wrong = Memo::new(move |_| placing.problem(ZONES));
    view! {
        <ul class="zone-rows">
            {zones.into_iter().map(|at| view! { <Zone placing name resources at/> }.any()).collect_view()}
        </ul>
        <div aria-live="polite" class="field">
            {follow(move || wrong.get().map(|text| view! {
                <p class="field-error"><Icon name="s-bad"/><span>{text}</span></p>
            }.any()))}
        </div>
        <Order placing/>
    }
    .any()
}

#[cfg(test)]
mod tests {
    use super::super::draft::Draft;
    use super::*;
    use crate::language::Language;
    use domain::placement::{ReplicaType, ServerRoom, UnitSize, UnitSpec, ZoneRoom};

    const GIB: u64 = 1 << 30;

    fn size(cpu: u64, memory: u64) -> UnitSize {
        UnitSize {
            cpu_hundredths: cpu * 100,
            memory_bytes: memory * GIB,
            log_disk_bytes: memory * 3 * GIB,
        }
    }

    fn resources() -> Resources {
        let zone = |number: u64| ZoneRoom {
            name: format!("zone{number}"),
            region: "east".to_owned(),
            active: true,
            servers: vec![ServerRoom {
                total: size(16, 64),
                free: size(4 - number, 32),
            }],
        };
        Resources {
            zones: (1..=3).map(zone).collect(),
            units: vec![UnitSpec {
                name: "small".to_owned(),
                size: size(2, 8),
            }],
            least: UnitSize::LEAST,
            replicas: vec![ReplicaType::Full, ReplicaType::ReadOnly],
            suggested: None,
        }
    }

    fn page(language: Language, change: fn(&mut Draft)) -> String {
        Owner::new().with(|| {
            provide_context(language);
            let resources = resources();
            let mut draft = Draft::like(&resources);
            change(&mut draft);
            let placing = Placing {
                able: true,
                known: RwSignal::new(Known::Read(resources)),
                draft: RwSignal::new(draft),
                refused: RwSignal::new(Vec::new()),
            };
            let name = Memo::new(|_| "nt".to_owned());
            view! { <Zones placing name again=RwSignal::new(0)/> }
                .any()
                .to_html()
        })
    }

    #[test]
    fn each_zone_says_what_is_free_and_what_it_lacks() {
        let html = page(Language::English, |draft| {
            draft.zones[1].unit = None;
            draft.zones[1].new = draft.new_unit("nt");
            draft.zones[0].rank = 2;
            draft.zones[2].rank = 1;
        });
        for part in [
            "east, 1 server",
            "Free: CPU 3 of 16, memory 32\u{a0}GiB of 64\u{a0}GiB",
            "aria-label=\"Unit specification of zone1\"",
            "small (2 CPU, 8\u{a0}GiB, 24\u{a0}GiB)",
            "value=\"unit_nt\"",
            "zone3;zone1",
            "Not enough CPU: 2 CPU needed on one server, 1 CPU free.",
        ] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
        assert_eq!(html.matches("Not enough").count(), 1, "{html}");
        let html = page(Language::Chinese, |draft| draft.zones[0].chosen = false);
        assert!(
            html.contains("CPU不足：一台服务器上需要 2 CPU，剩余 1 CPU"),
            "{html}"
        );
        assert!(
            !html.contains("zone1 的副本类型") && html.contains("zone2 的副本类型"),
            "{html}"
        );
    }
}

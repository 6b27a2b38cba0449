//! One zone: whether the tenant is there, as what, on which units, and what is free.

use super::Placing;
use super::draft::{self, NewUnit, ZoneDraft};
use crate::language::{t, tf};
use crate::signal::Memo;
use crate::ui::{Any, Icon, follow};
use domain::placement::{
    ReplicaType, Resources, UnitSize, ZoneRoom, cores, gib, unit_field, zone_field,
};
use leptos::prelude::*;

/// The value of the option that makes a new specification. No specification is called so.
const NEW: &str = "";

/// The row of the zone that stands at this place.
#[component]
pub fn Zone(
    /// The placement.
    placing: Placing,
    /// The new tenant's name.
    name: Memo<String>,
    /// What the cluster has.
    resources: StoredValue<Resources>,
    /// Its place among the zones.
    at: usize,
) -> impl IntoView {
    let change = move |how: &dyn Fn(&mut ZoneDraft)| {
        placing.draft.update(|draft| {
            if let Some(zone) = draft.zones.get_mut(at) {
                how(zone);
            }
        });
        placing.refuse(Vec::new());
    };
    let begins = placing
        .draft
        .with_untracked(|draft| draft.zones.get(at).cloned());
    let room = resources.with_value(|resources| resources.zones.get(at).cloned());
    let (Some(begins), Some(room)) = (begins, room) else {
        return ().into_any();
    };
    let of_draft = move |look: fn(&ZoneDraft) -> bool| {
        Memo::new(move |_| {
            placing
                .draft
                .with(|draft| draft.zones.get(at).is_some_and(look))
        })
    };
    let (chosen, is_new) = (
        of_draft(|zone| zone.chosen),
        of_draft(|zone| zone.unit.is_none()),
    );
    let fields = [zone_field(&room.name), unit_field(&room.name)];
    let wrong = Memo::new(move |_| {
        let texts: Vec<String> = fields.iter().filter_map(|it| placing.problem(it)).collect();
        (!texts.is_empty()).then(|| texts.join(" "))
    });
    let about = about(&room);
    let (title, zone) = (room.name.clone(), StoredValue::new(room.name.clone()));
    let said = format!("zone-{at}-said");
    let off = move || (!chosen.get()).then_some("");
    let on_replica = Callback::new(move |replica| change(&|zone| zone.replica = replica));
    let on_new = Callback::new(move |new: NewUnit| change(&|zone| zone.new.clone_from(&new)));
    let on_unit = Callback::new(move |unit: Option<String>| {
        let tenant = name.get_untracked();
        let new = placing
            .draft
            .with_untracked(|draft| draft.new_unit(&tenant));
        change(&|zone| {
            if unit.is_none() && zone.new.name.is_empty() {
                zone.new.clone_from(&new);
            }
            zone.unit.clone_from(&unit);
        });
    });
    view! {
        <li class="zone-row" data-off=off>
            <label class="check">
                <input
                    type="checkbox"
                    checked=begins.chosen
                    aria-describedby=said.clone()
                    on:change=move |event| {
                        let on = event_target_checked(&event);
                        change(&|zone| zone.chosen = on);
                    }
                />
                <span>{title}<small>{about}</small></span>
            </label>
            {follow(move || chosen.get().then(|| {
                let now = placing.draft.with_untracked(|draft| draft.zones.get(at).cloned());
                let zone = zone.get_value();
                now.map(|now| view! {
                    <Replica zone=zone.clone() resources begins=now.replica on_choose=on_replica/>
                    <Unit zone resources begins=now.unit on_choose=on_unit/>
                }.any())
            }))}
            {follow(move || (chosen.get() && is_new.get()).then(|| {
                let now = placing.draft.with_untracked(|draft| draft.zones.get(at).map(|zone| zone.new.clone()));
                view! {
                    <New zone=zone.get_value() begins=now.unwrap_or_default() on_type=on_new/>
                }.any()
            }))}
            <p class="zone-free">{free(&room)}</p>
            <div id=said aria-live="polite" class="field">
                {follow(move || wrong.get().map(|text| view! {
                    <p class="field-error"><Icon name="s-bad"/><span>{text}</span></p>
                }.any()))}
            </div>
        </li>
    }
    .any()
}

/// `sys_region, 2 servers`.
fn about(room: &ZoneRoom) -> String {
    let servers = match room.servers.len() {
        1 => t("1 server").to_owned(),
        count => tf("{count} servers", &[("count", &count)]),
    };
    let text = tf(
        "{region}, {servers}",
        &[("region", &room.region), ("servers", &servers)],
    );
    match room.active {
        true => text,
        false => tf("{text}, not in service", &[("text", &text)]),
    }
}

fn free(room: &ZoneRoom) -> String {
    let (free, total) = (room.free(), room.total());
    let part = |of: fn(UnitSize) -> u64, shown: fn(u64) -> String| {
        tf(
            "{free} of {total}",
            &[("free", &shown(of(free))), ("total", &shown(of(total)))],
        )
    };
    tf(
        "Free: CPU {cpu}, memory {memory}, log disk {log}",
        &[
            ("cpu", &part(|size| size.cpu_hundredths, cores)),
            ("memory", &part(|size| size.memory_bytes, gib)),
            ("log", &part(|size| size.log_disk_bytes, gib)),
        ],
    )
}

#[component]
fn Replica(
    zone: String,
    resources: StoredValue<Resources>,
    begins: ReplicaType,
    #[prop(into)] on_choose: Callback<ReplicaType>,
) -> impl IntoView {
    let known = resources.with_value(|resources| resources.replicas.clone());
    view! {
        <select
            class="select"
            aria-label=tf("Replica type of {zone}", &[("zone", &zone)])
            on:change=move |event| {
                if let Some(replica) = ReplicaType::from_code(&event_target_value(&event)) {
                    on_choose.run(replica);
                }
            }
        >
            {known.into_iter().map(|replica| view! {
                <option value=replica.code() selected=replica == begins>{t(replica.label())}</option>
            }.any()).collect_view()}
        </select>
    }
    .any()
}

#[component]
fn Unit(
    zone: String,
    resources: StoredValue<Resources>,
    begins: Option<String>,
    #[prop(into)] on_choose: Callback<Option<String>>,
) -> impl IntoView {
    let units = resources.with_value(|resources| resources.units.clone());
    let is_new = begins.is_none();
    view! {
        <select
            class="select"
            aria-label=tf("Unit specification of {zone}", &[("zone", &zone)])
            on:change=move |event| {
                let value = event_target_value(&event);
                on_choose.run((value != NEW).then_some(value));
            }
        >
            {units.into_iter().map(|unit| {
                let text = format!("{} ({})", unit.name, draft::size_text(unit.size));
                let selected = begins.as_ref() == Some(&unit.name);
                view! { <option value=unit.name selected=selected>{text}</option> }.any()
            }).collect_view()}
            <option value=NEW selected=is_new>{t("New specification…")}</option>
        </select>
    }
    .any()
}

#[component]
fn New(zone: String, begins: NewUnit, #[prop(into)] on_type: Callback<NewUnit>) -> impl IntoView {
    let typed = StoredValue::new(begins.clone());
    let field = move |label: &'static str, begins: String, set: fn(&mut NewUnit, String)| {
        let name = tf(
            "{label} of the new specification of {zone}",
            &[("label", &label), ("zone", &zone)],
        );
        view! {
            <label class="new-unit-field">
                <span>{label}</span>
                <input
                    class="input"
                    data-size="sm"
                    aria-label=name
                    value=begins
                    spellcheck="false"
                    autocomplete="off"
                    on:input=move |event| {
                        typed.update_value(|typed| set(typed, event_target_value(&event)));
                        on_type.run(typed.get_value());
                    }
                />
            </label>
        }
        .any()
    };
    view! {
        <div class="new-unit">
            {field(t("Name"), begins.name, |unit, text| unit.name = text)}
            {field(t("CPU"), begins.cpu, |unit, text| unit.cpu = text)}
            {field(t("Memory, GiB"), begins.memory, |unit, text| unit.memory = text)}
            {field(t("Log disk, GiB"), begins.log_disk, |unit, text| unit.log_disk = text)}
            <p class="field-hint">{t("Without a log disk the cluster gives three times the memory.")}</p>
        </div>
    }
    .any()
}

//! The commands' API about alerts and notification channels.

use super::{
    alert_shape::{
        AlertList, AlertShown, AlertsAsked, ChannelChangeOrder, ChannelList, ChannelOrder,
        ChannelRow, ChannelTested, MaskOrder,
    },
    commands::{Answer, Refusal, actor},
};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use control::Console;
use domain::{
    AlertId, Scn,
    alert::{AlertFilter, AlertStatus, Level},
    channel::{ChannelChange, ChannelKind, NewChannel},
};

pub(super) async fn alerts(
    State(console): State<Console>,
    Path(cluster): Path<String>,
    Query(asked): Query<AlertsAsked>,
) -> Answer<AlertList> {
    let statuses = match asked.status.as_deref() {
        None => vec![AlertStatus::Active, AlertStatus::Masked],
        Some("all") => Vec::new(),
        Some(code) => vec![AlertStatus::from_code(code).ok_or_else(|| {
            Refusal::invalid(format!(
                "status \"{code}\": use active, masked, recovered or all"
            ))
        })?],
    };
    let levels = asked.level.map(level).transpose()?;
    let filter = AlertFilter {
        statuses,
        levels: levels.into_iter().collect(),
        rule: asked.rule,
        text: asked.text,
        page: asked.page,
        size: asked.size,
        ..AlertFilter::default()
    };
    let viewer = console.viewer(&actor())?;
    let page = match asked.all {
        true => viewer.all_alerts(&filter).await?,
        false => viewer.alerts(&cluster, &filter).await?,
    };
    Ok(Json(page.into()))
}

pub(super) async fn alert(
    State(console): State<Console>,
    Path((cluster, id)): Path<(String, i64)>,
) -> Answer<AlertShown> {
    shown(&console, &cluster, id).await
}

pub(super) async fn mask(
    State(console): State<Console>,
    Path((cluster, id)): Path<(String, i64)>,
    Json(order): Json<MaskOrder>,
) -> Answer<AlertShown> {
    let operator = console.operator(&actor())?;
    let id = AlertId(id);
    match (&order.until, order.minutes) {
        (Some(text), None) => {
            let until = Scn::parse_rfc3339(text);
            let until = until.map_err(|bad| Refusal::invalid(format!("until {bad}")))?;
            operator.mask(&cluster, id, until, &order.reason).await?;
        }
        (None, Some(minutes)) => {
            operator
                .mask_for(&cluster, id, minutes, &order.reason)
                .await?;
        }
        _ => {
            let sentence = "say either until when or for how many minutes";
            return Err(Refusal::invalid(sentence.to_owned()));
        }
    }
    shown(&console, &cluster, id.0).await
}

pub(super) async fn unmask(
    State(console): State<Console>,
    Path((cluster, id)): Path<(String, i64)>,
) -> Answer<AlertShown> {
    console
        .operator(&actor())?
        .unmask(&cluster, AlertId(id))
        .await?;
    shown(&console, &cluster, id).await
}

pub(super) async fn channels(State(console): State<Console>) -> Answer<ChannelList> {
    let channels = console.viewer(&actor())?.channels().await?;
    Ok(Json(ChannelList {
        channels: channels.into_iter().map(Into::into).collect(),
    }))
}

pub(super) async fn add_channel(
    State(console): State<Console>,
    Json(order): Json<ChannelOrder>,
) -> Answer<ChannelRow> {
    let kind = ChannelKind::from_code(&order.kind).ok_or_else(|| {
        let given = &order.kind;
        Refusal::invalid(format!(
            "kind \"{given}\": use json, slack, dingtalk, feishu, wecom or ping"
        ))
    })?;
    let levels: Result<Vec<Level>, Refusal> = order.levels.into_iter().map(level).collect();
    let new = NewChannel {
        name: order.name,
        kind,
        url: order.url,
        secret: order.secret,
        levels: levels?,
        clusters: order.clusters,
        every_min: order.every_min,
    };
    let added = console.global_admin(&actor())?.add_channel(&new).await?;
    Ok(Json(added.into()))
}

pub(super) async fn modify_channel(
    State(console): State<Console>,
    Path((_, name)): Path<(String, String)>,
    Json(order): Json<ChannelChangeOrder>,
) -> Answer<ChannelRow> {
    let levels: Option<Result<Vec<Level>, Refusal>> = order
        .levels
        .map(|levels| levels.into_iter().map(level).collect());
    let change = ChannelChange {
        url: order.url,
        secret: order.secret,
        levels: levels.transpose()?,
        clusters: order.clusters,
        every_min: order.every_min,
    };
    let admin = console.global_admin(&actor())?;
    let changed = admin.modify_channel(&name, &change).await?;
    Ok(Json(changed.into()))
}

pub(super) async fn enable_channel(
    State(console): State<Console>,
    Path((_, name)): Path<(String, String)>,
) -> Answer<()> {
    let admin = console.global_admin(&actor())?;
    Ok(Json(admin.switch_channel(&name, true).await?))
}

pub(super) async fn disable_channel(
    State(console): State<Console>,
    Path((_, name)): Path<(String, String)>,
) -> Answer<()> {
    let admin = console.global_admin(&actor())?;
    Ok(Json(admin.switch_channel(&name, false).await?))
}

pub(super) async fn test_channel(
    State(console): State<Console>,
    Path((_, name)): Path<(String, String)>,
) -> Answer<ChannelTested> {
    let test = console.global_admin(&actor())?.test_channel(&name).await?;
    Ok(Json(test.into()))
}

pub(super) async fn remove_channel(
    State(console): State<Console>,
    Path((_, name)): Path<(String, String)>,
) -> Answer<()> {
    console
        .global_admin(&actor())?
        .remove_channel(&name)
        .await?;
    Ok(Json(()))
}

async fn shown(console: &Console, cluster: &str, id: i64) -> Answer<AlertShown> {
    let details = console
        .viewer(&actor())?
        .alert(cluster, AlertId(id))
        .await?;
    Ok(Json(details.into()))
}

fn level(number: u8) -> Result<Level, Refusal> {
    Level::from_number(number)
        .ok_or_else(|| Refusal::invalid(format!("level \"{number}\": use 1 to 5")))
}

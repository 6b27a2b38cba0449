//! `tidemark alert` and `tidemark channel`.

use super::{Client, FAILED, Failure, Output, admin::connect, output::columns};
use crate::{
    cli::{Alert, Channel, Common},
    http::{
        alert_shape::{
            AlertList, AlertRow, AlertShown, ChannelChangeOrder, ChannelList, ChannelOrder,
            ChannelRow, ChannelTested, MaskOrder,
        },
        shape::Problem,
    },
};
use std::io::Read;

/// Longest address and key that are read from standard input, in bytes.
const SECRET_BYTES_MAX: u64 = 4096;

/// Lists, shows, masks or unmasks alerts.
pub(super) fn run(common: &Common, order: &Alert, output: &Output) -> Result<(), Problem> {
    let client = Client::connect(common)?;
    let one = |id: &i64| id.to_string();
    match order {
        Alert::List {
            status,
            level,
            rule,
            text,
            all,
            page,
        } => {
            let (page, level) = (page.to_string(), level.map(|level| level.to_string()));
            let mut asked = vec![("page", page.as_str()), ("size", "50")];
            asked.extend(status.as_deref().map(|status| ("status", status)));
            asked.extend(level.as_deref().map(|level| ("level", level)));
            asked.extend(rule.as_deref().map(|rule| ("rule", rule)));
            asked.extend(text.as_deref().map(|text| ("text", text)));
            asked.extend(all.then_some(("all", "true")));
            let list: AlertList = client.get_with(&["alerts"], &asked)?;
            output.show(&list, |list| {
                format!(
                    "{}{} of {}\n",
                    table(&list.alerts),
                    list.alerts.len(),
                    list.total
                )
            })
        }
        Alert::Show { id } => {
            let alert: AlertShown = client.get(&["alerts", &one(id)])?;
            output.show(&alert, shown)
        }
        Alert::Mask {
            id,
            until,
            minutes,
            reason,
        } => {
            let request = MaskOrder {
                until: until.clone(),
                minutes: *minutes,
                reason: reason.clone(),
            };
            let alert: AlertShown = client.post(&["alerts", &one(id), "mask"], &request)?;
            output.show(&alert, |shown| {
                let until = shown.alert.masked_until.as_deref().unwrap_or_default();
                format!("Alert {id} is masked until {until}\n")
            })
        }
        Alert::Unmask { id } => {
            let alert: AlertShown = client.post(&["alerts", &one(id), "unmask"], &())?;
            output.show(&alert, |_| format!("Alert {id} is active again\n"))
        }
    }
}

/// Lists, adds, tries or removes notification channels.
pub(super) fn channel(common: &Common, order: &Channel, output: &Output) -> Result<(), Problem> {
    match order {
        Channel::List => {
            let list: ChannelList = connect(common)?.get(&["channels"])?;
            output.show(&list, |list| channel_table(&list.channels))
        }
        Channel::Add {
            name,
            kind,
            levels,
            only,
            every,
        } => {
            let (url, secret) = address()?;
            let request = ChannelOrder {
                name: name.clone(),
                kind: kind.clone(),
                url,
                secret,
                levels: levels.clone(),
                clusters: only.clone(),
                every_min: *every,
            };
            let added: ChannelRow = connect(common)?.post(&["channels"], &request)?;
            output.show(&added, |added| {
                let (name, host) = (&added.name, &added.host);
                format!(
                    "Channel {name} sends to {host}; try it with tidemark channel test {name}\n"
                )
            })
        }
        Channel::Modify {
            name,
            address: has_address,
            levels,
            only,
            every,
        } => {
            let (url, secret) = match has_address {
                true => address().map(|(url, secret)| (Some(url), secret))?,
                false => (None, None),
            };
            let everything = |names: &[String]| matches!(names, [one] if one == "all");
            let request = ChannelChangeOrder {
                url,
                secret,
                levels: levels.clone(),
                clusters: only.as_ref().map(|names| match everything(names) {
                    true => Vec::new(),
                    false => names.clone(),
                }),
                every_min: *every,
            };
            let path = ["channels", name, "modify"];
            let changed: ChannelRow = connect(common)?.post(&path, &request)?;
            output.show(&changed, |changed| {
                format!(
                    "Channel {} is changed; it sends to {}\n",
                    changed.name, changed.host
                )
            })
        }
        Channel::Disable { name } => switch(common, output, (name, "disable", "off")),
        Channel::Enable { name } => switch(common, output, (name, "enable", "on")),
        Channel::Test { name } => {
            let path = ["channels", name, "test"];
            let test: ChannelTested = connect(common)?.post(&path, &())?;
            output.show(&test, |test| match &test.failure {
                None => format!("It arrived after {} ms\n", test.took_ms),
                Some(_) => String::new(),
            })?;
            match test.failure {
                None => Ok(()),
                Some(why) => Err(Problem::new(FAILED, format!("it did not arrive: {why}"))),
            }
        }
        Channel::Remove { name } => {
            let path = ["channels", name, "remove"];
            connect(common)?.post::<()>(&path, &())?;
            output.show(&(), |()| format!("Channel {name} is removed\n"))
        }
    }
}

fn switch(
    common: &Common,
    output: &Output,
    (name, order, state): (&str, &str, &str),
) -> Result<(), Problem> {
    connect(common)?.post::<()>(&["channels", name, order], &())?;
    output.show(&(), |()| format!("Channel {name} is {state}\n"))
}

/// The address, and in a second line the key, from standard input: on a command line others could see them.
fn address() -> Result<(String, Option<String>), Problem> {
    let mut text = String::new();
    let mut input = std::io::stdin().lock().take(SECRET_BYTES_MAX);
    input
        .read_to_string(&mut text)
        .map_err(|error| Problem::new(FAILED, format!("reading the address failed: {error}")))?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let url = lines.next().ok_or_else(|| {
        Failure::usage(
            "write the address to standard input, and the key for signatures in a second line: \
             tidemark channel add NAME --kind slack < address.txt",
        )
    })?;
    Ok((url.to_owned(), lines.next().map(str::to_owned)))
}

fn table(alerts: &[AlertRow]) -> String {
    let head = [
        "ID",
        "LEVEL",
        "TYPE",
        "OBJECT",
        "STATUS",
        "SINCE",
        "LAST SEEN",
        "SUMMARY",
    ];
    let rows = alerts.iter().map(|alert| {
        vec![
            alert.id.to_string(),
            alert.level_name.clone(),
            alert.rule.clone(),
            alert.object.clone(),
            alert.status.clone(),
            alert.generated.clone(),
            alert.last_generated.clone(),
            alert.summary.clone(),
        ]
    });
    let head = head.iter().map(|name| (*name).to_owned()).collect();
    columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

fn channel_table(channels: &[ChannelRow]) -> String {
    let head = ["NAME", "KIND", "ADDRESS", "LEVELS", "LAST ARRIVED", "FAULT"];
    let rows = channels.iter().map(|channel| {
        let levels: Vec<String> = channel.levels.iter().map(u8::to_string).collect();
        vec![
            channel.name.clone(),
            channel.kind.clone(),
            channel.host.clone(),
            levels.join(","),
            channel.last_sent.clone().unwrap_or_default(),
            channel.fault.clone().unwrap_or_default(),
        ]
    });
    let head = head.iter().map(|name| (*name).to_owned()).collect();
    columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

fn shown(details: &AlertShown) -> String {
    let alert = &details.alert;
    let mut facts = vec![
        ("Alert", format!("{} ({})", alert.id, alert.rule)),
        ("Type", alert.name.clone()),
        ("Object", alert.object.clone()),
        ("Level", format!("{} {}", alert.level, alert.level_name)),
        ("Status", alert.status.clone()),
        ("Generated", alert.generated.clone()),
        ("Last generated", alert.last_generated.clone()),
    ];
    let more = [
        ("Recovered", &alert.recovered),
        ("Because", &details.ended_because),
        ("Masked until", &alert.masked_until),
        ("Masked by", &details.masked_by),
        ("Value", &details.value),
        ("Threshold", &details.threshold),
    ];
    facts.extend(
        more.into_iter()
            .filter_map(|(name, text)| Some((name, text.clone()?))),
    );
    let mut rows: Vec<Vec<String>> = facts
        .into_iter()
        .map(|(name, text)| vec![name.to_owned(), text])
        .collect();
    let labels = details.labels.iter();
    rows.extend(labels.map(|label| vec![label.name.clone(), label.value.clone()]));
    let list = |lines: &[String]| -> String {
        lines
            .iter()
            .enumerate()
            .map(|(at, line)| format!("  {}. {line}\n", at + 1))
            .collect()
    };
    let mut text = format!(
        "{}\n{}\n\n{}\n",
        columns(&rows),
        alert.summary,
        details.impact
    );
    text.push_str(&format!("\nProbable causes\n{}", list(&details.causes)));
    text.push_str(&format!("\nWhat to do\n{}", list(&details.advice)));
    if !details.history.is_empty() {
        text.push_str(&format!("\nOther times\n{}", table(&details.history)));
    }
    text
}

//! Bodies fit their receivers, refusals are understood, and nothing secret is in either.

use super::*;
use domain::alert::Level;

fn told(summary: &str) -> Told {
    Told {
        event: Why::Raised,
        id: 7,
        rule: "base_backup_fail".to_owned(),
        name: "Data backup failed".to_owned(),
        level: 2,
        level_name: Level::Critical.label().to_owned(),
        object: "cluster=local:tenant=my_orders".to_owned(),
        summary: summary.to_owned(),
        impact: "Recoveries take longer.".to_owned(),
        advice: vec!["View the cause.".to_owned()],
        generated: "2026-11-26T08:00:00.000000000Z".to_owned(),
        last_generated: "2026-11-26T08:00:00.000000000Z".to_owned(),
        recovered: None,
    }
}

fn message(alerts: Vec<Told>, more: usize) -> Message {
    Message {
        written: "2026-11-26T08:01:00.000000000Z".to_owned(),
        alerts,
        more,
    }
}

fn sent(kind: ChannelKind, message: &Message) -> Value {
    let address = Address::test("https://host/key", Some("secret"));
    let now = Scn::from_ms(1_700_000_000_123);
    let outgoing = outgoing(kind, &address, (3, message), now);
    serde_json::from_str(&outgoing.json.unwrap()).unwrap()
}

#[test]
fn each_kind_gets_its_own_shape() {
    let message = message(vec![told("the disk is full <b> & *more*")], 0);
    let body = sent(ChannelKind::Json, &message);
    assert_eq!(
        (&body["delivery"], &body["alerts"][0]["level"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(body["alerts"][0]["event"], "raised");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let slack = text(&sent(ChannelKind::Slack, &message)["text"]);
    assert!(
        slack.starts_with("*[Critical] Data backup failed: new*\n"),
        "{slack}"
    );
    assert!(slack.contains("&lt;b&gt; &amp; *more*"), "{slack}");
    let body = sent(ChannelKind::DingTalk, &message);
    assert_eq!(body["msgtype"], "markdown");
    let markdown = text(&body["markdown"]["text"]);
    assert!(markdown.contains("tenant=my\\_orders"), "{markdown}");
    assert_eq!(
        body["markdown"]["title"],
        "Tidemark: Data backup failed (new)"
    );
    let body = sent(ChannelKind::Feishu, &message);
    assert_eq!(
        (&body["msg_type"], &body["timestamp"]),
        (&json!("text"), &json!("1700000000"))
    );
    assert!(text(&body["content"]["text"]).contains("First: View the cause."));
    let body = sent(ChannelKind::WeCom, &message);
    assert!(text(&body["markdown"]["content"]).contains("Data backup failed"));
}

#[test]
fn a_storm_fits_and_says_how_many_are_left_out() {
    let alerts: Vec<Told> = (0..20).map(|_| told(&"ü".repeat(400))).collect();
    let message = message(alerts, 480);
    for kind in [ChannelKind::WeCom, ChannelKind::DingTalk] {
        let body = sent(kind, &message);
        let text = body["markdown"]["content"].as_str();
        let text = text.or(body["markdown"]["text"].as_str()).unwrap();
        let limit = if kind == ChannelKind::WeCom {
            4096
        } else {
            15_000
        };
        assert!(text.len() <= limit, "{} bytes", text.len());
        assert!(text.contains("more alerts"), "{text}");
    }
    let one = message
        .alerts
        .first()
        .map(|_| told(&"ü".repeat(5000)))
        .unwrap();
    let message = Message {
        alerts: vec![one],
        more: 0,
        ..message
    };
    let body = sent(ChannelKind::WeCom, &message);
    assert!(body["markdown"]["content"].as_str().unwrap().len() <= 4096);
}

#[test]
fn receivers_that_answer_200_to_everything_are_read() {
    let answer = |status, text: &str| Answer {
        status,
        text: text.to_owned(),
    };
    let kinds = [
        (
            ChannelKind::DingTalk,
            r#"{"errcode":0,"errmsg":"ok"}"#,
            r#"{"errcode":310000,"errmsg":"keywords not in content"}"#,
        ),
        (
            ChannelKind::WeCom,
            r#"{"errcode":0,"errmsg":"ok"}"#,
            r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#,
        ),
        (
            ChannelKind::Feishu,
            r#"{"code":0,"msg":"success"}"#,
            r#"{"code":19021,"msg":"sign match fail"}"#,
        ),
    ];
    for (kind, good, bad) in kinds {
        assert_eq!(refusal(kind, &answer(200, good)), None);
        assert!(refusal(kind, &answer(200, bad)).unwrap().contains("code"));
        assert!(refusal(kind, &answer(200, "<html>")).is_some());
    }
    let old_feishu = answer(200, r#"{"StatusCode":0,"StatusMessage":"success"}"#);
    assert_eq!(refusal(ChannelKind::Feishu, &old_feishu), None);
    assert_eq!(refusal(ChannelKind::Slack, &answer(200, "ok")), None);
    assert_eq!(refusal(ChannelKind::Json, &answer(204, "")), None);
    for status in [302, 403, 404, 429, 500] {
        let why = refusal(ChannelKind::Json, &answer(status, "no")).unwrap();
        assert!(why.contains(&status.to_string()), "{why}");
    }
}

#[test]
fn what_a_receiver_echoes_is_not_passed_on() {
    let url = "https://host/services/T0/secretkey?token=anothersecret";
    let text = "no such hook: https://host/services/T0/secretkey?token=anothersecret; secretkey, anothersecret, signkey1";
    let shown = redacted(text, url, Some("signkey1"));
    assert!(
        !shown.contains("secret") && !shown.contains("signkey1"),
        "{shown}"
    );
    assert!(shown.starts_with("no such hook"), "{shown}");
}

//! Every view has the columns of the contract, in every version.

#![allow(clippy::unwrap_used)]

use oceanbase_sim::{Answer, Setup, Sim, SimSession, Version};

fn rows(session: &mut SimSession, text: &str) -> Vec<Vec<Option<String>>> {
    match session.run(text).answers.pop().unwrap() {
        Ok(Answer::Rows { rows, .. }) => rows,
        other => panic!("{text}: {other:?}"),
    }
}

fn here(value: &serde_json::Value, version: Version) -> bool {
    // 2.2.77 was never open; the contract takes its views for those of 3.1.5.
    let text = match version {
        Version::V2_2_77 => Version::V3_1_5.text(),
        version => version.text(),
    };
    value
        .as_array()
        .is_none_or(|list| list.iter().any(|v| v.as_str() == Some(text)))
}

#[test]
fn columns_are_those_of_the_contract() {
    let document: serde_json::Value =
        serde_json::from_str(include_str!("../src/views.json")).unwrap();
    for version in Version::ALL {
        let mut setup = Setup::new(version.text()).unwrap();
        setup.history = true;
        let sim = Sim::new(setup);
        let mut sys = sim.log_in("root", "").unwrap();
        let mut seen = 0;
        for view in document["views"].as_array().unwrap() {
            let name = view["name"].as_str().unwrap();
            if name.starts_with("SHOW ") || !here(&view["present_in"], version) {
                continue;
            }
            seen += 1;
            let expected: Vec<(String, String)> = view["columns"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|c| here(&c["present_in"], version))
                .map(|c| {
                    let text = |key: &str| c[key].as_str().unwrap().to_owned();
                    (text("name"), text("type"))
                })
                .collect();
            let found: Vec<(String, String)> =
                rows(&mut sys, &format!("SHOW COLUMNS FROM oceanbase.{name}"))
                    .into_iter()
                    .map(|row| (row[0].clone().unwrap(), row[1].clone().unwrap()))
                    .collect();
            assert_eq!(found, expected, "{name} of {version}");
            let found = sys.run(&format!("SELECT * FROM oceanbase.{name}"));
            match found.answers.into_iter().next().unwrap() {
                Ok(Answer::Rows { columns, rows }) => {
                    let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
                    let wanted: Vec<&str> = expected.iter().map(|c| c.0.as_str()).collect();
                    assert_eq!(names, wanted);
                    assert!(rows.iter().all(|r| r.len() == names.len()));
                }
                other => panic!("{name} of {version}: {other:?}"),
            }
        }
        assert!(seen > 20, "{version}");
    }
}

//! A client that was written by others finds at the door what it expects of OceanBase.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod door_fake;

use std::{sync::Arc, time::Duration};

use door_fake::{Fake, MANY, PASSWORD, Served, Shared};
use mysql_async::{
    Conn, Error, OptsBuilder, Row, SslOpts, Value,
    consts::{ColumnFlags, ColumnType},
    prelude::Queryable,
};
use oceanbase_sim::door::{Door, Limits};

fn options(served: &Served) -> OptsBuilder {
    OptsBuilder::default()
        .ip_or_hostname("127.0.0.1")
        .tcp_port(served.address().port())
        .user(Some("root@t1"))
        .pass(Some(PASSWORD))
        .prefer_socket(false)
        .max_allowed_packet(Some(16 * 1024 * 1024))
        .wait_timeout(Some(28_800))
}

async fn connect(served: &Served) -> Conn {
    Conn::new(options(served)).await.unwrap()
}

fn refused(error: Error) -> (u16, String, String) {
    match error {
        Error::Server(error) => (error.code, error.state, error.message),
        other => panic!("no refusal: {other:?}"),
    }
}

#[tokio::test]
async fn one_signs_in_with_the_right_password_only() {
    let served = Served::open().await;
    let mut connection = connect(&served).await;
    assert_eq!(connection.server_version(), (5, 7, 25));
    let user: Option<String> = connection.query_first("user").await.unwrap();
    assert_eq!(user.as_deref(), Some("root@t1"));
    connection.ping().await.unwrap();

    for (user, password) in [
        ("root@t1", Some("wrong")),
        ("root@t1", None),
        ("root@t9", Some(PASSWORD)),
    ] {
        let options = options(&served).user(Some(user)).pass(password);
        let error = Conn::new(options).await.unwrap_err();
        assert_eq!(refused(error).0, 1045, "{user} {password:?}");
    }
    let options = options(&served).user(Some("nobody")).pass(None::<String>);
    Conn::new(options)
        .await
        .unwrap()
        .disconnect()
        .await
        .unwrap();
}

#[tokio::test]
async fn databases_are_chosen_at_the_start_and_later() {
    let served = Served::open().await;
    let mut connection = Conn::new(options(&served).db_name(Some("oceanbase")))
        .await
        .unwrap();
    let database: Option<String> = connection.query_first("database").await.unwrap();
    assert_eq!(database.as_deref(), Some("oceanbase"));
    connection.reset().await.unwrap();
    let database: Option<String> = connection.query_first("database").await.unwrap();
    assert_eq!(database.as_deref(), Some("oceanbase"));
    let error = Conn::new(options(&served).db_name(Some("nowhere")))
        .await
        .unwrap_err();
    assert_eq!(refused(error).0, 1049);
}

#[tokio::test]
async fn several_statements_stop_at_the_first_refusal() {
    let served = Served::open().await;
    let mut connection = connect(&served).await;
    let mut result = connection.query_iter("change; one; types").await.unwrap();
    assert_eq!(result.affected_rows(), 300);
    assert!(result.collect::<Row>().await.unwrap().is_empty());
    assert_eq!(result.collect::<String>().await.unwrap(), ["one"]);
    assert_eq!(result.collect::<Row>().await.unwrap().len(), 1);
    drop(result);

    let error = connection.query_drop("fail; never").await.unwrap_err();
    assert_eq!(refused(error).0, 9036);
    let mut result = connection.query_iter("two; fail; never").await.unwrap();
    assert_eq!(result.collect::<String>().await.unwrap(), ["two"]);
    let error = result.collect::<String>().await.unwrap_err();
    assert_eq!(refused(error).2, "Backup is in progress");
    drop(result);
    assert!(!served.carried_out().contains(&"never".to_owned()));
    let still: Option<String> = connection.query_first("still here").await.unwrap();
    assert_eq!(still.as_deref(), Some("still here"));
}

#[tokio::test]
async fn refusals_have_their_state() {
    let served = Served::open().await;
    let mut connection = connect(&served).await;
    let error = connection.query_drop("wrong").await.unwrap_err();
    let (code, state, message) = refused(error);
    assert_eq!((code, state.as_str()), (1064, "42000"));
    assert_eq!(message, "You have an error in your SQL syntax");
    let error = connection.query_drop(" ").await.unwrap_err();
    assert_eq!(refused(error).0, 1065);
}

#[tokio::test]
async fn values_and_types_arrive_as_they_are() {
    let served = Served::open().await;
    let mut connection = connect(&served).await;
    let row: Row = connection.query_first("types").await.unwrap().unwrap();
    let columns = row.columns();
    let kinds: Vec<_> = columns.iter().map(|column| column.column_type()).collect();
    assert_eq!(
        kinds[..3],
        [
            ColumnType::MYSQL_TYPE_TINY,
            ColumnType::MYSQL_TYPE_LONGLONG,
            ColumnType::MYSQL_TYPE_NEWDECIMAL
        ]
    );
    assert!(
        columns[1]
            .flags()
            .contains(ColumnFlags::UNSIGNED_FLAG | ColumnFlags::NOT_NULL_FLAG)
    );
    assert!(!columns[3].flags().contains(ColumnFlags::NOT_NULL_FLAG));
    assert_eq!((columns[2].decimals(), columns[4].character_set()), (4, 45));
    assert_eq!(row.get::<i8, _>("small"), Some(-1));
    assert_eq!(row.get::<u64, _>("scn"), Some(u64::MAX));
    assert_eq!(
        row.get::<String, _>("amount").as_deref(),
        Some("12345.6789")
    );
    assert_eq!(row.as_ref(3), Some(&Value::NULL));
    assert_eq!(row.get::<String, _>("name").as_deref(), Some("Größe"));
    assert_eq!(
        row.get::<String, _>("long").map(|text| text.len()),
        Some(70_000)
    );
}

#[tokio::test]
async fn large_answers_and_long_statements_arrive() {
    let served = Served::open().await;
    let mut connection = connect(&served).await;
    let rows: Vec<(u64, Option<String>)> = connection.query("many").await.unwrap();
    assert_eq!(rows.len(), MANY);
    assert_eq!(
        rows[MANY - 2],
        (MANY as u64 - 2, Some(format!("row {}", MANY - 2)))
    );
    assert_eq!(rows[MANY - 1].1, None);

    // Longer than one frame, shorter than the longest packet.
    let long = format!("length;{}", " ".repeat(0xff_ffff - 7));
    let length: Option<usize> = connection.query_first(&long[..]).await.unwrap();
    assert_eq!(length, Some(0xff_ffff));
    let value: Option<String> = connection.query_first("still here").await.unwrap();
    assert_eq!(value.as_deref(), Some("still here"));
}

#[tokio::test]
async fn prepared_statements_are_carried_out_or_refused() {
    let served = Served::open().await;
    let mut connection = connect(&served).await;
    for (text, code, state) in [("ALTER SYSTEM ?", 1064, "42000"), ("legacy", 1235, "0A000")] {
        let (found, told, _) = refused(connection.prep(text).await.unwrap_err());
        assert_eq!((found, told.as_str()), (code, state));
    }
    let told: Option<String> = connection
        .exec_first("SELECT ?, ?, ?", ("it's", -7, None::<String>))
        .await
        .unwrap();
    assert_eq!(told.as_deref(), Some("SELECT 'it''s', -7, NULL"));
    let row: Row = connection.exec_first("types", ()).await.unwrap().unwrap();
    assert!(
        row.columns()
            .iter()
            .all(|column| column.column_type() == ColumnType::MYSQL_TYPE_VAR_STRING)
    );
    assert_eq!(row.get::<u64, _>("scn"), Some(u64::MAX));
    assert_eq!(row.as_ref(3), Some(&Value::NULL));
}

#[tokio::test]
async fn answers_get_lost_before_and_after() {
    let served = Served::open().await;
    for (text, carried_out) in [("lost before", false), ("lost after", true)] {
        let mut connection = connect(&served).await;
        let error = connection.query_drop(text).await.unwrap_err();
        assert!(!matches!(error, Error::Server(_)), "{error:?}");
        assert_eq!(served.carried_out().contains(&text.to_owned()), carried_out);
    }
}

#[tokio::test]
async fn a_hanging_answer_is_left_to_the_patience_of_the_client() {
    let served = Served::with(Limits {
        connections: 1,
        ..Limits::default()
    })
    .await;
    let mut connection = connect(&served).await;
    let asked = connection.query_drop("hang");
    assert!(
        tokio::time::timeout(Duration::from_millis(300), asked)
            .await
            .is_err()
    );
    let refused_while_hanging = Conn::new(options(&served)).await;
    assert!(refused_while_hanging.is_err());
    drop(connection);
    // The place is free once the door has noticed that the client left.
    let deadline = Duration::from_secs(10);
    let again = async {
        loop {
            if let Ok(connection) = Conn::new(options(&served)).await {
                return connection;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(deadline, again).await.unwrap();
}

#[tokio::test]
async fn a_slow_answer_holds_up_its_own_connection_only() {
    let served = Served::open().await;
    let (mut slow, mut quick) = (connect(&served).await, connect(&served).await);
    let slow = async {
        let value: Option<String> = slow.query_first("slow").await.unwrap();
        value
    };
    tokio::pin!(slow);
    let quick = async {
        for _ in 0..5 {
            let value: Option<String> = quick.query_first("quick").await.unwrap();
            assert_eq!(value.as_deref(), Some("quick"));
        }
    };
    tokio::select! {
        biased;
        _ = &mut slow => panic!("the quick one waited for the slow one"),
        () = quick => {}
    }
    assert_eq!(slow.await.as_deref(), Some("slow"));
}

#[tokio::test]
async fn a_panic_ends_one_connection_and_nothing_else() {
    let served = Served::open().await;
    let mut connection = connect(&served).await;
    connection.query_drop("panic").await.unwrap_err();
    let mut connection = connect(&served).await;
    connection.query_drop("one").await.unwrap();
}

#[tokio::test]
async fn closing_ends_connections_that_wait() {
    let served = Served::open().await;
    let mut connection = connect(&served).await;
    connection.query_drop("one").await.unwrap();
    let closing = tokio::time::timeout(Duration::from_secs(4), served.door.close());
    closing.await.unwrap();
    connection.query_drop("one").await.unwrap_err();
}

#[tokio::test]
async fn tls_is_there_where_a_certificate_is() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let fake = Arc::new(Fake::default());
    let door = Door::new(Arc::new(Shared(fake.clone())))
        .with_tls(certificate.as_bytes(), key.as_bytes())
        .unwrap();
    let door = door.open("127.0.0.1:0").await.unwrap();
    let served = Served { fake, door };
    let tls = SslOpts::default().with_danger_accept_invalid_certs(true);
    let mut connection = Conn::new(options(&served).ssl_opts(Some(tls.clone())))
        .await
        .unwrap();
    let rows: Vec<(u64, Option<String>)> = connection.query("many").await.unwrap();
    assert_eq!(rows.len(), MANY);
    // Without it is still possible, and asking for it where it is not offered fails.
    connect(&served).await.query_drop("one").await.unwrap();
    let plain = Served::open().await;
    assert!(
        Conn::new(options(&plain).ssl_opts(Some(tls)))
            .await
            .is_err()
    );
}

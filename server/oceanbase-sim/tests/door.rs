//! The door, byte by byte: commands that clients seldom send and bytes that no client sends.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod door_fake;

use door_fake::Served;
use oceanbase_sim::door::Limits;
use proptest::{collection::vec, prelude::*};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn write(socket: &mut TcpStream, sequence: u8, payload: &[u8]) {
    let length = (payload.len() as u32).to_le_bytes();
    let mut packet = length[..3].to_vec();
    packet.push(sequence);
    packet.extend_from_slice(payload);
    socket.write_all(&packet).await.unwrap();
}

async fn read(socket: &mut TcpStream) -> Vec<u8> {
    let mut header = [0; 4];
    socket.read_exact(&mut header).await.unwrap();
    let length = u32::from_le_bytes([header[0], header[1], header[2], 0]);
    let mut payload = vec![0; length as usize];
    socket.read_exact(&mut payload).await.unwrap();
    payload
}

/// The code of a refusal.
fn code(packet: &[u8]) -> Option<u16> {
    (packet[0] == 0xff).then(|| u16::from_le_bytes([packet[1], packet[2]]))
}

/// Signs in as the one user without a password.
async fn signed_in(served: &Served) -> TcpStream {
    let mut socket = TcpStream::connect(served.address()).await.unwrap();
    let greeting = read(&mut socket).await;
    assert!(greeting.starts_with(b"\x0a5.7.25\0"));
    let capabilities: u32 = 1 << 9 | 1 << 15;
    let mut response = capabilities.to_le_bytes().to_vec();
    response.extend([0, 0, 0, 1, 45]);
    response.extend([0; 23]);
    response.extend(b"nobody\0\0");
    write(&mut socket, 1, &response).await;
    assert_eq!(read(&mut socket).await[0], 0);
    socket
}

#[tokio::test]
async fn every_command_is_answered_or_refused() {
    let served = Served::open().await;
    let mut socket = signed_in(&served).await;
    for (command, expected) in [
        (&b"\x0e"[..], None),
        (b"\x02oceanbase", None),
        (b"\x02nowhere", Some(1049)),
        (b"\x02\xff", Some(1300)),
        (b"\x1b\x00\x00", None),
        (b"\x1b\x01\x00", None),
        (b"\x1b\x07\x00", Some(1047)),
        (b"\x1f", None),
        (b"\x04t\0", Some(1235)),
        (b"\x11nobody\0\0\0", Some(1235)),
        (b"\x09", Some(1047)),
        (b"\x7f", Some(1047)),
        (b"", Some(1047)),
        (b"\x03\xff\xfe", Some(1300)),
        (b"\x03fail", Some(9036)),
        (b"\x17\x09\0\0\0\0\x01\0\0\0", Some(1243)),
        (b"\x17", Some(1210)),
        (b"\x1a\x09\0\0\0", Some(1243)),
        (b"\x1c\x09\0\0\0\0\0\0\0", Some(1235)),
        (b"\x0e", None),
    ] {
        write(&mut socket, 0, command).await;
        assert_eq!(code(&read(&mut socket).await), expected, "{command:?}");
    }
    // These two have no answer, so that the next one is that of the ping.
    write(&mut socket, 0, b"\x19\x09\0\0\0").await;
    write(&mut socket, 0, b"\x18\x09\0\0\0\0\0x").await;
    write(&mut socket, 0, b"\x0e").await;
    assert_eq!(read(&mut socket).await, b"\0\0\0\x02\0\0\0");
    write(&mut socket, 0, b"\x01").await;
    assert_eq!(socket.read(&mut [0; 8]).await.unwrap(), 0);
}

#[tokio::test]
async fn several_results_say_that_more_follow() {
    let served = Served::open().await;
    let mut socket = signed_in(&served).await;
    write(&mut socket, 0, b"\x03change;one;fail").await;
    assert_eq!(read(&mut socket).await, b"\0\xfc\x2c\x01\0\x0a\0\0\0");
    assert_eq!(read(&mut socket).await, b"\x01");
    assert!(read(&mut socket).await.starts_with(b"\x03def"));
    assert_eq!(read(&mut socket).await[0], 0xfe);
    assert_eq!(read(&mut socket).await, b"\x03one");
    assert_eq!(read(&mut socket).await, b"\xfe\0\0\x0a\0");
    assert_eq!(
        read(&mut socket).await,
        b"\xff\x4c\x23#HY000Backup is in progress"
    );
}

#[tokio::test]
async fn wrong_order_and_too_long_packets_are_refused_with_a_reason() {
    let served = Served::with(Limits {
        packet: 1000,
        ..Limits::default()
    })
    .await;
    let mut socket = signed_in(&served).await;
    write(&mut socket, 3, b"\x0e").await;
    assert_eq!(code(&read(&mut socket).await), Some(1156));
    let mut socket = signed_in(&served).await;
    write(&mut socket, 0, &[3; 100_000]).await;
    assert_eq!(code(&read(&mut socket).await), Some(1153));
    assert_eq!(socket.read(&mut [0; 8]).await.unwrap(), 0);
}

#[tokio::test]
async fn one_too_many_is_turned_away_and_the_idle_are_sent_home() {
    let idle = std::time::Duration::from_millis(200);
    let served = Served::with(Limits {
        connections: 1,
        idle,
        ..Limits::default()
    })
    .await;
    let mut first = signed_in(&served).await;
    let mut second = TcpStream::connect(served.address()).await.unwrap();
    assert_eq!(code(&read(&mut second).await), Some(1040));
    assert_eq!(first.read(&mut [0; 8]).await.unwrap(), 0);
}

#[test]
fn whatever_is_sent_the_door_stays_open() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let served = runtime.block_on(Served::open());
    proptest!(ProptestConfig::with_cases(64), |(bytes in vec(any::<u8>(), 0..300), commands in vec(vec(any::<u8>(), 0..60), 0..4))| {
        runtime.block_on(async {
            let mut stranger = TcpStream::connect(served.address()).await.unwrap();
            // It may have been sent away before all of it was written.
            let _ = stranger.write_all(&bytes).await;
            drop(stranger);
            let mut known = signed_in(&served).await;
            for command in &commands {
                let mut packet = vec![command.len() as u8, 0, 0, 0];
                packet.extend(command);
                let _ = known.write_all(&packet).await;
            }
            drop(known);
            signed_in(&served).await;
        });
    });
}

#[tokio::test]
async fn a_client_that_has_not_signed_in_does_not_hold_up_the_closing() {
    let served = Served::open().await;
    let mut socket = TcpStream::connect(served.address()).await.unwrap();
    read(&mut socket).await;
    let patience = std::time::Duration::from_secs(2);
    tokio::time::timeout(patience, served.door.close())
        .await
        .unwrap();
    assert_eq!(socket.read(&mut [0; 8]).await.unwrap(), 0);
}

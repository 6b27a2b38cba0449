//! What transaction `seq` of a writer does: the same functions as in `writer.py`.

pub const ACCOUNTS: u64 = 100;
pub const OPENING_BALANCE: i64 = 100_000;
pub const KEPT_ENTRIES: u64 = 150;
pub const BULK_EVERY: u64 = 97;
pub const BULK_ROWS: u64 = 300;
pub const DDL_EVERY: u64 = 151;
/// Writers that the tables have a row for.
pub const WRITERS: u64 = 10;

/// The finishing steps of splitmix64.
pub fn scramble(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

pub fn mix(writer: u64, seq: u64) -> u64 {
    scramble(((writer << 40) + seq + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

pub fn payload(writer: u64, seq: u64) -> String {
    let m = mix(writer, seq);
    let times = if seq.is_multiple_of(61) {
        700
    } else {
        1 + m % 40
    };
    format!("{m:016x}").repeat(usize::try_from(times).unwrap())
}

pub fn bulk_payload(writer: u64, seq: u64, i: u64) -> String {
    format!("{:016x}-{i}{}", mix(writer, seq) & 0xFFFF, "00".repeat(200))
}

/// Giver, taker and amount of the transfer.
pub fn transfer(writer: u64, seq: u64) -> (u64, u64, i64) {
    let m = mix(writer, seq);
    (
        (m >> 8) % ACCOUNTS,
        (m >> 16) % ACCOUNTS,
        i64::try_from((m >> 24) % 1000).unwrap(),
    )
}

/// The same transaction as one SQL text, for a writer that goes through the engine.
pub fn transaction(writer: u64, seq: u64) -> String {
    let (giver, taker, amount) = transfer(writer, seq);
    let mut sql = format!(
        "BEGIN IMMEDIATE; INSERT INTO entries VALUES({writer},{seq},'{}');",
        payload(writer, seq)
    );
    if let Some(old) = seq.checked_sub(KEPT_ENTRIES).filter(|old| *old > 0) {
        sql += &format!("DELETE FROM entries WHERE writer={writer} AND seq={old};");
    }
    if seq.is_multiple_of(BULK_EVERY) {
        for i in 0..BULK_ROWS {
            let text = bulk_payload(writer, seq, i);
            sql += &format!("INSERT INTO bulk VALUES({writer},{seq},{i},'{text}');");
        }
        sql += &format!("DELETE FROM bulk WHERE writer={writer} AND seq<{seq};");
    }
    if seq.is_multiple_of(DDL_EVERY) {
        sql += &format!(
            "DROP TABLE IF EXISTS made_{writer}; CREATE TABLE made_{writer}(x); INSERT INTO made_{writer} VALUES({seq});"
        );
    }
    sql += &format!(
        "UPDATE accounts SET balance=balance-{amount} WHERE id={giver}; \
         UPDATE accounts SET balance=balance+{amount} WHERE id={taker}; \
         UPDATE tally SET seq={seq}, total=total+{amount} WHERE writer={writer}; COMMIT;"
    );
    sql
}

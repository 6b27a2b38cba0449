//! Tenant `payments`: accounts that pay one another, with a ledger that always sums to zero.

use super::{Dice, Story};

/// The story of tenant `payments`.
pub(crate) const STORY: Story = Story {
    tenant: "payments",
    seed: 11,
    schema: SCHEMA,
    commit,
    prune,
};

/// Accounts that exist.
const ACCOUNTS: u64 = 40;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS accounts (
    id INTEGER PRIMARY KEY,
    owner TEXT NOT NULL,
    balance_cents INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS payments (
    id INTEGER PRIMARY KEY,
    from_account INTEGER NOT NULL REFERENCES accounts (id),
    to_account INTEGER NOT NULL REFERENCES accounts (id),
    amount_cents INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    paid_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS ledger_entries (
    payment_id INTEGER NOT NULL REFERENCES payments (id),
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    amount_cents INTEGER NOT NULL,
    PRIMARY KEY (payment_id, account_id)
) WITHOUT ROWID;
";

const PURPOSES: [&str; 6] = ["berth", "fuel", "invoice", "refund", "rent", "wages"];

/// One payment: two ledger entries and two balances, all or nothing.
fn commit(dice: &mut Dice, at: &str) -> String {
    let from = 1 + dice.below(ACCOUNTS);
    let to = 1 + (from + dice.below(ACCOUNTS - 1)) % ACCOUNTS;
    let amount = 100 + dice.below(50_000);
    let mut sql = String::from("BEGIN IMMEDIATE;\n");
    for id in [from, to] {
        sql.push_str(&format!(
            "INSERT OR IGNORE INTO accounts (id, owner, balance_cents) \
             VALUES ({id}, 'Account holder {id}', 0);\n"
        ));
    }
    sql.push_str(&format!(
        "INSERT INTO payments (from_account, to_account, amount_cents, purpose, paid_at) \
         VALUES ({from}, {to}, {amount}, '{}', '{at}');\n",
        dice.pick(&PURPOSES),
    ));
    for (account, change) in [(from, format!("-{amount}")), (to, amount.to_string())] {
        sql.push_str(&format!(
            "INSERT INTO ledger_entries (payment_id, account_id, amount_cents) \
             VALUES ((SELECT max(id) FROM payments), {account}, {change});\n\
             UPDATE accounts SET balance_cents = balance_cents + ({change}) WHERE id = {account};\n"
        ));
    }
    sql.push_str("COMMIT;\n");
    sql
}

fn prune(kept: u64) -> String {
    format!(
        "BEGIN IMMEDIATE;
DELETE FROM ledger_entries WHERE payment_id <= (SELECT max(id) - {kept} FROM payments);
DELETE FROM payments WHERE id <= (SELECT max(id) - {kept} FROM payments);
COMMIT;"
    )
}

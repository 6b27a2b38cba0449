//! Tenant `orders`: customers who order things.

use super::{Dice, Story};

/// The story of tenant `orders`.
pub(crate) const STORY: Story = Story {
    tenant: "orders",
    seed: 7,
    schema: SCHEMA,
    commit,
    prune,
};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS customers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    city TEXT NOT NULL,
    joined_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    status TEXT NOT NULL,
    placed_at TEXT NOT NULL,
    total_cents INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS order_lines (
    order_id INTEGER NOT NULL REFERENCES orders (id),
    line INTEGER NOT NULL,
    product TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    price_cents INTEGER NOT NULL,
    PRIMARY KEY (order_id, line)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS orders_of_customer ON orders (customer_id);
";

const FIRST: [&str; 12] = [
    "Ada", "Bo", "Chen", "Dara", "Emil", "Fatou", "Goran", "Hana", "Ines", "Jun", "Kai", "Lea",
];
const LAST: [&str; 10] = [
    "Adler", "Brandt", "Costa", "Diaz", "Eriksen", "Fischer", "Gao", "Haddad", "Ito", "Jensen",
];
const CITIES: [&str; 8] = [
    "Aarhus", "Bergen", "Cork", "Graz", "Lyon", "Porto", "Turku", "Utrecht",
];
const PRODUCTS: [&str; 10] = [
    "anchor",
    "barometer",
    "buoy",
    "chart",
    "compass",
    "lantern",
    "logbook",
    "oar",
    "sextant",
    "tide table",
];

/// One order; sometimes a new customer places it, sometimes an earlier one moves on.
fn commit(dice: &mut Dice, at: &str) -> String {
    let mut sql = String::from("BEGIN IMMEDIATE;\n");
    // The first condition makes the first customer; later about one order in twelve brings a new one.
    let new = u8::from(dice.below(12) == 0);
    sql.push_str(&format!(
        "INSERT INTO customers (name, city, joined_at) SELECT '{} {}', '{}', '{at}' \
         WHERE {new} = 1 OR NOT EXISTS (SELECT 1 FROM customers);\n",
        dice.pick(&FIRST),
        dice.pick(&LAST),
        dice.pick(&CITIES),
    ));
    let lines: Vec<(&str, u64, u64)> = (0..1 + dice.below(4))
        .map(|_| {
            (
                dice.pick(&PRODUCTS),
                1 + dice.below(5),
                250 + dice.below(9000),
            )
        })
        .collect();
    let total: u64 = lines.iter().map(|(_, count, price)| count * price).sum();
    sql.push_str(&format!(
        "INSERT INTO orders (customer_id, status, placed_at, total_cents) \
         SELECT id, 'placed', '{at}', {total} FROM customers \
         WHERE id >= (SELECT min(id) + {} % (max(id) - min(id) + 1) FROM customers) \
         ORDER BY id LIMIT 1;\n",
        dice.below(100_000),
    ));
    for (line, (product, count, price)) in lines.iter().enumerate() {
        sql.push_str(&format!(
            "INSERT INTO order_lines (order_id, line, product, quantity, price_cents) \
             VALUES ((SELECT max(id) FROM orders), {}, '{product}', {count}, {price});\n",
            line + 1,
        ));
    }
    // What is packed last leaves the first window at once, so the second one has to be wider.
    let (from, to, window) = match dice.below(2) {
        0 => ("placed", "packed", 50),
        _ => ("packed", "shipped", 500),
    };
    sql.push_str(&format!(
        "UPDATE orders SET status = '{to}' WHERE id = (SELECT min(id) FROM orders \
         WHERE status = '{from}' AND id > (SELECT max(id) - {window} FROM orders));\nCOMMIT;\n",
    ));
    sql
}

fn prune(kept: u64) -> String {
    format!(
        "BEGIN IMMEDIATE;
DELETE FROM order_lines WHERE order_id <= (SELECT max(id) - {kept} FROM orders);
DELETE FROM orders WHERE id <= (SELECT max(id) - {kept} FROM orders);
DELETE FROM customers WHERE id <= (SELECT max(id) - {kept} FROM customers)
    AND NOT EXISTS (SELECT 1 FROM orders WHERE customer_id = customers.id);
COMMIT;"
    )
}

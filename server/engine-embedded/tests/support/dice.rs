//! Random numbers from a printed seed.

/// A splitmix64 stream.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// From `TIDEMARK_SEED`, or from the clock; says which, so that a run can be had again.
    pub fn from_environment() -> Dice {
        let given = std::env::var("TIDEMARK_SEED")
            .ok()
            .and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| super::now_ns() & 0xFFFF_FFFF);
        #[expect(clippy::print_stdout, reason = "whoever sees a failure needs the seed")]
        {
            println!("TIDEMARK_SEED={seed}");
        }
        Dice(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        super::rules::scramble(self.0)
    }

    /// A number in `from..to`.
    pub fn range(&mut self, from: u64, to: u64) -> u64 {
        assert!(from < to, "no number in {from}..{to}");
        from + self.next() % (to - from)
    }
}

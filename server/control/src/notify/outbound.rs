//! The port to whatever receives messages. How they travel is not known here.

/// A message on its way out. Its address is secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to: `http` or `https`, without a user in it.
    pub url: String,
    /// JSON to send; without it the address is only asked for.
    pub json: Option<String>,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outgoing (not shown)")
    }
}

/// What the receiver said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The beginning of its text.
    pub text: String,
}

/// Sends messages. Calls block, so they are made on threads of their own.
pub trait Outbound: Send + Sync + 'static {
    /// Sends one message and waits for the answer, for a bounded time. Redirects are not followed. The error says
    /// why no answer came.
    fn send(&self, outgoing: &Outgoing) -> Result<Answer, String>;
}

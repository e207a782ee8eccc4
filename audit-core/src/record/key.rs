//! The keys of a record, in the order in which they are written.

macro_rules! keys {
    ($($(#[$doc:meta])* $key:ident = $name:literal,)*) => {
        /// A reserved key. Nothing a caller passes can take its place: payloads live below `detail`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Key {
            $($(#[$doc])* $key,)*
        }

        impl Key {
            pub(crate) const COUNT: usize = [$($name),*].len();

            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$key => $name,)* }
            }

            /// What comes before its value, `,"name":`, and the quote before a text. No name needs escaping.
            pub(super) const fn lead(self) -> &'static str {
                match self { $(Self::$key => concat!(",\"", $name, "\":\""),)* }
            }

            pub(crate) fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$key),)* _ => None }
            }
        }
    };
}

keys! {
    /// Which stream (one a journal), by the sink.
    Stream = "stream",
    /// The position in the stream, without holes, by the sink.
    Seq = "seq",
    /// The digest of the line before, by the sink.
    Prev = "prev",
    Schema = "schema",
    Id = "id",
    Kind = "kind",
    Stage = "stage",
    Action = "action",
    OccurredAt = "occurred_at",
    RecordedAt = "recorded_at",
    Decision = "decision",
    Reason = "reason",
    Outcome = "outcome",
    Code = "code",
    Severity = "severity",
    Actor = "actor",
    OnBehalfOf = "on_behalf_of",
    InvocationChain = "invocation_chain",
    Subjects = "subjects",
    Resource = "resource",
    Tenant = "tenant",
    Roles = "roles",
    Session = "session",
    Source = "source",
    CorrelationId = "correlation_id",
    TraceId = "trace_id",
    /// Of an intent: the id of the call's final record. Of an addition: the id of the record it adds to.
    Call = "call",
    /// The id of the final record of the call around this one.
    Parent = "parent",
    LatencyUs = "latency_us",
    Detail = "detail",
    Claimed = "claimed",
    Redacted = "redacted",
    Cut = "cut",
    Flags = "flags",
    /// The place that a record had in another stream, by the sink.
    Origin = "origin",
}

/// Where the JSON of each key's value lies in the text of a record. No value begins at 0: that is where the record does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index([(u32, u32); Key::COUNT]);

impl Index {
    pub(crate) const EMPTY: Self = Self([(0, 0); Key::COUNT]);

    pub(crate) fn set(&mut self, key: Key, start: usize, end: usize) {
        // What lies beyond lies nowhere in the text.
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.0[key as usize] = (place(start), place(end));
    }

    pub(crate) fn get<'a>(&self, key: Key, text: &'a str) -> Option<&'a str> {
        let (start, end) = self.0[key as usize];
        if start == 0 { None } else { text.get(start as usize..end as usize) }
    }

    pub(crate) fn has(&self, key: Key) -> bool {
        self.0[key as usize].0 != 0
    }
}

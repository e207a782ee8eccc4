//! What a stream is set up for, and what that promises.

use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::context::{CreateStreamErrorKind, GetStreamErrorKind, RequestErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, PersistenceMode, RetentionPolicy, StorageType};
use async_nats::jetstream::{Error as ServerError, ErrorCode};
use audit_core::Durability;

use super::error::{NatsError, NatsStreamFault};
use super::subject::{all, covers};

/// The protocol counts nanoseconds in 63 bits: 292 years.
pub(super) const LONGEST: Duration = Duration::from_nanos(i64::MAX as u64);

/// What the operator asks of a stream.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(super) struct Wanted {
    pub(super) stream: String,
    pub(super) prefix: String,
    pub(super) create: bool,
    pub(super) replicas: usize,
    pub(super) duplicate_window: Duration,
    pub(super) allow_memory: bool,
    pub(super) allow_forgetting: bool,
    /// The operator's word for what no client can see.
    pub(super) syncs_always: bool,
}

impl Wanted {
    /// Reads how the stream is set up; creates it where it is not there and that is asked for.
    pub(super) async fn read(&self, context: &Context) -> Result<Config, NatsError> {
        let error = match context.get_stream(&self.stream).await {
            Ok(stream) => return Ok(stream.cached_info().config.clone()),
            Err(error) => error,
        };
        match error.kind() {
            GetStreamErrorKind::JetStream(said) if said.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                if !self.create {
                    return Err(NatsError::NoStream { stream: self.stream.clone() });
                }
            }
            GetStreamErrorKind::JetStream(said) => return Err(refused(said)),
            GetStreamErrorKind::Request => return Err(unanswered(error)),
            _ => return Err(NatsError::failed(error)),
        }
        match context.create_stream(self.config()).await {
            Ok(stream) => Ok(stream.cached_info().config.clone()),
            Err(error) => Err(match error.kind() {
                CreateStreamErrorKind::JetStream(said) => refused(said),
                CreateStreamErrorKind::TimedOut => NatsError::Deadline,
                _ => NatsError::failed(error),
            }),
        }
    }

    fn config(&self) -> Config {
        Config {
            name: self.stream.clone(),
            subjects: vec![all(&self.prefix)],
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::New,
            storage: StorageType::File,
            num_replicas: self.replicas,
            duplicate_window: self.duplicate_window,
            max_messages: -1,
            max_bytes: -1,
            max_messages_per_subject: -1,
            max_consumers: -1,
            max_message_size: -1,
            // Nothing but its own deletion removes a record.
            deny_delete: true,
            deny_purge: true,
            ..Config::default()
        }
    }

    /// All that is wrong with a stream.
    pub(super) fn faults(&self, config: &Config, server_syncs: bool) -> Vec<NatsStreamFault> {
        let mut faults = Vec::new();
        let mut fault_if = |wrong: bool, fault: NatsStreamFault| {
            if wrong {
                faults.push(fault);
            }
        };
        let retention = match config.retention {
            RetentionPolicy::Limits => "limits",
            RetentionPolicy::Interest => "interest",
            RetentionPolicy::WorkQueue => "workqueue",
        };
        fault_if(config.retention != RetentionPolicy::Limits, NatsStreamFault::Retention { retention });
        let discards = !self.allow_forgetting && config.discard == DiscardPolicy::Old;
        fault_if(discards && config.max_messages > 0, NatsStreamFault::DiscardsOld { limit: "max_msgs" });
        fault_if(discards && config.max_bytes > 0, NatsStreamFault::DiscardsOld { limit: "max_bytes" });
        // Only with this flag does the other policy hold for single subjects, too.
        let keeps_each = config.discard == DiscardPolicy::New && config.discard_new_per_subject;
        fault_if(
            !self.allow_forgetting && config.max_messages_per_subject > 0 && !keeps_each,
            NatsStreamFault::DiscardsOld { limit: "max_msgs_per_subject" },
        );
        fault_if(!self.allow_forgetting && !config.max_age.is_zero(), NatsStreamFault::MaxAge { age: config.max_age });
        fault_if(config.allow_rollup, NatsStreamFault::Rollup);
        fault_if(!self.allow_memory && config.storage == StorageType::Memory, NatsStreamFault::Memory);
        fault_if(!self.allow_memory && is_async(config), NatsStreamFault::Async);
        fault_if(config.no_ack, NatsStreamFault::NoAck);
        fault_if(config.sealed, NatsStreamFault::Sealed);
        fault_if(config.mirror.is_some(), NatsStreamFault::Mirror);
        fault_if(config.subject_transform.is_some(), NatsStreamFault::Transform);
        let wanted = all(&self.prefix);
        let covered = config.subjects.iter().any(|pattern| covers(pattern, &wanted));
        fault_if(!covered && config.mirror.is_none(), NatsStreamFault::Subjects { wanted });
        fault_if(
            config.duplicate_window < self.duplicate_window,
            NatsStreamFault::DuplicateWindow { found: config.duplicate_window, wanted: self.duplicate_window },
        );
        fault_if(
            config.num_replicas < self.replicas,
            NatsStreamFault::Replicas { found: config.num_replicas, wanted: self.replicas },
        );
        fault_if(self.syncs_always && !server_syncs, NatsStreamFault::CannotSync);
        faults
    }

    /// What an acknowledgement of such a stream promises.
    pub(super) fn durability(&self, config: &Config) -> Durability {
        if config.storage == StorageType::Memory || is_async(config) {
            Durability::Memory
        } else if !self.syncs_always {
            // Replicas, too: what no machine has synced, a power failure takes from all of them.
            Durability::OsBuffer
        } else if config.num_replicas >= 3 {
            Durability::Replicated
        } else {
            Durability::Disk
        }
    }
}

fn is_async(config: &Config) -> bool {
    matches!(config.persist_mode, Some(PersistenceMode::Async))
}

pub(super) fn refused(said: ServerError) -> NatsError {
    if matches!(said.error_code(), ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT) {
        return NatsError::NoJetStream;
    }
    let (code, description) = (said.error_code(), said.to_string());
    let source = std::sync::Arc::new(said);
    // Of what a store does not take the number does not say why.
    let is_full = match code {
        ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
        | ErrorCode::INSUFFICIENT_RESOURCES
        | ErrorCode::STORAGE_RESOURCES_EXCEEDED => true,
        ErrorCode::STREAM_STORE_FAILED => description.starts_with("maximum "),
        _ => false,
    };
    if is_full { NatsError::Full(source) } else { NatsError::Refused { code: code.0, source } }
}

/// Why a request has no answer.
fn unanswered(error: async_nats::error::Error<GetStreamErrorKind>) -> NatsError {
    let request = std::error::Error::source(&error)
        .and_then(|source| source.downcast_ref::<async_nats::jetstream::context::RequestError>());
    match request.map(async_nats::error::Error::kind) {
        Some(RequestErrorKind::NoResponders) => NatsError::NoJetStream,
        Some(RequestErrorKind::TimedOut) => NatsError::Deadline,
        _ => NatsError::failed(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Wanted {
        Wanted {
            stream: "AUDIT".into(),
            prefix: "audit".into(),
            create: true,
            replicas: 1,
            duplicate_window: Duration::from_secs(120),
            allow_memory: false,
            allow_forgetting: false,
            syncs_always: false,
        }
    }

    #[test]
    fn what_it_creates_is_fit() {
        for replicas in [1, 3] {
            let wanted = Wanted { replicas, ..wanted() };
            assert_eq!(wanted.faults(&wanted.config(), false), []);
        }
    }

    #[test]
    fn a_promise_is_as_strong_as_what_is_known() {
        let (weak, strong) = (wanted(), Wanted { syncs_always: true, ..wanted() });
        let with = |replicas, storage| Config { num_replicas: replicas, storage, ..Config::default() };
        for (replicas, plain, promised) in [
            (1, Durability::OsBuffer, Durability::Disk),
            (2, Durability::OsBuffer, Durability::Disk),
            (3, Durability::OsBuffer, Durability::Replicated),
            (5, Durability::OsBuffer, Durability::Replicated),
        ] {
            assert_eq!(weak.durability(&with(replicas, StorageType::File)), plain);
            assert_eq!(strong.durability(&with(replicas, StorageType::File)), promised);
            assert_eq!(strong.durability(&with(replicas, StorageType::Memory)), Durability::Memory);
            let eager = Config { persist_mode: Some(PersistenceMode::Async), ..with(replicas, StorageType::File) };
            assert_eq!(strong.durability(&eager), Durability::Memory);
        }
    }

    #[test]
    fn a_promise_that_a_server_cannot_keep_is_a_fault() {
        let wanted = Wanted { syncs_always: true, ..wanted() };
        assert_eq!(wanted.faults(&wanted.config(), false), [NatsStreamFault::CannotSync]);
        assert_eq!(wanted.faults(&wanted.config(), true), []);
    }

    #[test]
    fn an_acknowledgement_before_the_write_is_a_fault() {
        let eager = Config { persist_mode: Some(PersistenceMode::Async), ..wanted().config() };
        assert_eq!(wanted().faults(&eager, false), [NatsStreamFault::Async]);
    }
}

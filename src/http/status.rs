//! How an answer says how it ended, by the protocol that it is one of.

use audit_core::Object;

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// A status of HTTP.
    Http(u16),
    /// A code of gRPC, which the trailers may yet say.
    #[cfg(feature = "tonic")]
    Grpc(Option<tonic::Code>),
}

impl Status {
    /// The status of HTTP that means the same, or almost.
    pub(crate) fn http(self) -> u16 {
        match self {
            Self::Http(status) => status,
            #[cfg(feature = "tonic")]
            Self::Grpc(code) => super::grpc::as_http(code.unwrap_or(tonic::Code::Ok)),
        }
    }

    /// Writes it into a record.
    pub(crate) fn describe(self, fields: &mut Object<'_, '_>) {
        match self {
            Self::Http(status) => fields.value("status", &status),
            #[cfg(feature = "tonic")]
            Self::Grpc(Some(code)) => fields.value("grpc_status", &i32::from(code)),
            #[cfg(feature = "tonic")]
            Self::Grpc(None) => {}
        }
    }
}

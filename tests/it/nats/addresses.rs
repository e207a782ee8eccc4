//! What an address shows, and what it does not.

use audited::{NatsError, NatsOptions};

#[test]
fn an_address_with_a_secret_is_refused_and_shown_nowhere_however_it_is_written() {
    for address in [
        "nats://bank:s3cret@nats.example.org",
        "nats://s3cret@nats.example.org",
        "nats://bank:47/11@nats.example.org",
        "nats://s3cret/more@nats.example.org",
        "nats://s3cret?more@nats.example.org",
        "nats://s3cret#more@nats.example.org",
        "s3cret/more@nats.example.org",
        "tls://bank:s3cret@more@nats.example.org:4222",
    ] {
        let options = NatsOptions::new(address, "AUDIT");
        assert_eq!(format!("{options:?}"), "NatsOptions(?/AUDIT)", "{address}");
        let error = options.connect_later().expect_err(address);
        assert!(matches!(error, NatsError::SecretInAddress), "{address}: {error:?}");
    }
}

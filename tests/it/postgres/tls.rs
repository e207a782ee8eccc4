//! TLS, to a server whose certificate is known.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};

use audited::PostgresError;

use super::*;
use crate::servers::postgres::start_with;

#[test]
fn it_talks_to_whom_it_is_told_to_trust_and_to_nobody_else() {
    let certified = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (certified.cert.pem(), certified.signing_key.serialize_pem());
    let cluster = start_with(&["ssl=on"], |data| {
        for (name, text) in [("server.crt", &certificate), ("server.key", &key)] {
            let path = data.join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let owner = fs::metadata(data).map(|data| std::os::unix::fs::MetadataExt::uid(&data)).unwrap();
            chown(path, Some(owner), None).unwrap();
        }
    });
    let database = cluster.database();
    // Who is not encrypted is let in no more.
    let rules = "SELECT setting FROM pg_settings WHERE name = 'hba_file'";
    let rules = database.sql("postgres", rules).remove(0);
    let trusted = database.options("service").tls_roots(certificate.as_bytes()).unwrap();
    let store = block_on(PostgresStore::connect(trusted.clone())).unwrap();
    write(&store, &[record(1, json!({}))]).unwrap();
    assert_eq!(found(&store, &Query::new()).len(), 1);
    let encrypted =
        "SELECT DISTINCT ssl::text FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'service'";
    assert_eq!(database.sql("postgres", encrypted), ["true"]);
    fs::write(&rules, "hostssl all all 127.0.0.1/32 trust\n").unwrap();
    database.sql("postgres", "SELECT pg_reload_conf()");

    let refused = |options| block_on(PostgresStore::connect(options)).unwrap_err();
    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap().cert.pem();
    let other = refused(database.options("service").tls_roots(other.as_bytes()).unwrap());
    assert!(matches!(other, PostgresError::Connection(_)), "{other}");
    assert!(
        matches!(refused(database.options("service").tls()), PostgresError::Connection(_)),
        "no authority knows it"
    );
    crate::support::eventually("the rules are read", || {
        block_on(PostgresStore::connect(database.options("service"))).is_err()
    });
    block_on(PostgresStore::connect(trusted)).unwrap();
    for malformed in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let refused = database.options("service").tls_roots(malformed.as_bytes()).unwrap_err();
        assert!(matches!(refused, PostgresError::Options(..)), "{malformed}");
    }
}

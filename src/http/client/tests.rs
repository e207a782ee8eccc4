use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

const PROXY: &str = "10.0.0.7";

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    lines.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())).collect()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn proxies() -> TrustedProxies {
    TrustedProxies::new(["10.0.0.0/8", "::1", "2001:db8:1::/48"]).unwrap()
}

/// The address, where the peer is a trusted proxy that sent these lines.
fn forwarded(lines: &[&str]) -> String {
    address(&proxies().header(ForwardedHeader::Forwarded), "forwarded", lines)
}

fn x_forwarded_for(lines: &[&str]) -> String {
    address(&proxies(), "x-forwarded-for", lines)
}

fn address(proxies: &TrustedProxies, name: &'static str, lines: &[&str]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| (name, *line)).collect();
    proxies.address(&headers(&lines), Some(ip(PROXY))).unwrap().to_string()
}

#[test]
fn the_examples_of_rfc_7239_are_read() {
    for (line, address) in [
        (r#"for="_gazonk""#, PROXY),
        (r#"For="[2001:db8:cafe::17]:4711""#, "2001:db8:cafe::17"),
        ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
        ("for=192.0.2.43, for=198.51.100.17", "198.51.100.17"),
        (r#"for="192.0.2.43:47011""#, "192.0.2.43"),
        (r#"for="[2001:db8:cafe::17]:47011""#, "2001:db8:cafe::17"),
        ("for=_hidden, for=_SEVKISEK", PROXY),
        (r#"for=192.0.2.43, for="[2001:db8:cafe::17]", for=unknown"#, PROXY),
        (r#"for=192.0.2.43,for="[2001:db8:cafe::17]""#, "2001:db8:cafe::17"),
        ("for=192.0.2.43;by=203.0.113.60;proto=http;host=example.com", "192.0.2.43"),
        (r#"for=192.0.2.43;proto=https;by="_hidden:_port""#, "192.0.2.43"),
    ] {
        assert_eq!(forwarded(&[line]), address, "{line}");
    }
    // Several lines are one list.
    assert_eq!(forwarded(&["for=192.0.2.43", "for=10.1.1.1"]), "192.0.2.43");
    assert_eq!(forwarded(&["for=192.0.2.43", r#"for="[2001:db8:cafe::17]", for=10.1.1.1"#]), "2001:db8:cafe::17");
}

#[test]
fn what_is_malformed_ends_the_walk() {
    for line in [
        "",
        ",",
        "for",
        "for=",
        "=192.0.2.1",
        "for =192.0.2.1",
        "for= 192.0.2.1",
        "for=[2001:db8:cafe::17]",
        "for=192.0.2.1:80",
        "for=192.0.2.1;",
        "for=192.0.2.1;proto",
        "for=192.0.2.1 proto=http",
        "for=192.0.2.1;for=192.0.2.2",
        "for=192.0.2",
        r#"for="192.0.2.1"#,
        r#"for=192.0.2.1""#,
        r#"for="192.0.2.1"x"#,
        r#"for="192.0.2.1:123456""#,
        "for=192.0.2.1;host=\"a\\\"",
        r#"for="[192.0.2.1]""#,
        r#"for="[2001:db8:cafe::17""#,
        r#"for="[2001:db8:cafe::17]x""#,
        "proto=http",
        "for=010.0.0.1",
    ] {
        assert_eq!(forwarded(&[line]), PROXY, "{line}");
        assert_eq!(forwarded(&["for=192.0.2.9", line]), PROXY, "behind: {line}");
        assert_eq!(forwarded(&[&format!("{line}, for=10.9.9.9")]), "10.9.9.9", "before: {line}");
        assert_eq!(forwarded(&[&format!("{line}, for=192.0.2.9")]), "192.0.2.9", "client behind: {line}");
    }
    for line in [
        "",
        ",",
        "unknown",
        "_hidden",
        "192.0.2",
        "192.0.2.1:",
        "192.0.2.1:x",
        "[::2",
        "[::2]x",
        "::2%eth0",
        "\"192.0.2.1\"",
    ] {
        assert_eq!(x_forwarded_for(&[line]), PROXY, "{line}");
        assert_eq!(x_forwarded_for(&[&format!("192.0.2.9, {line}, 10.9.9.9")]), "10.9.9.9", "{line}");
    }
}

#[test]
fn what_is_quoted_parts_nothing() {
    let host = r#"for=192.0.2.1;host="a, for=192.0.2.9;x=\"y\\""#;
    assert_eq!(forwarded(&[host]), "192.0.2.1");
    assert_eq!(forwarded(&[&format!("for=192.0.2.9, {host}")]), "192.0.2.1");
    assert_eq!(forwarded(&[r#"for="1\92.0.2.1" ; host="\"""#]), "192.0.2.1");
}

#[test]
fn addresses_are_followed_from_the_right() {
    assert_eq!(x_forwarded_for(&["192.0.2.9, 192.0.2.1"]), "192.0.2.1");
    assert_eq!(x_forwarded_for(&["192.0.2.9, 192.0.2.1, 10.0.0.1", "\t10.0.0.2 ,2001:db8:1::5"]), "192.0.2.1");
    assert_eq!(x_forwarded_for(&["192.0.2.1:4711,[::1]:80"]), "192.0.2.1");
    assert_eq!(x_forwarded_for(&["2001:db8:2::5"]), "2001:db8:2::5");
    // Nobody outside.
    assert_eq!(x_forwarded_for(&["10.0.0.2, 10.0.0.3"]), "10.0.0.2");
    assert_eq!(x_forwarded_for(&[]), PROXY);
    // The other header is not looked at.
    assert_eq!(address(&proxies(), "forwarded", &["for=192.0.2.1"]), PROXY);
}

#[test]
fn a_mapped_address_is_one_of_ipv4() {
    assert_eq!(x_forwarded_for(&["192.0.2.1, ::ffff:10.1.2.3"]), "192.0.2.1");
    assert_eq!(x_forwarded_for(&["::ffff:192.0.2.1"]), "192.0.2.1");
    let sent = headers(&[("x-forwarded-for", "192.0.2.1")]);
    assert_eq!(proxies().address(&sent, Some(ip("::ffff:10.0.0.7"))), Some(ip("192.0.2.1")));
    assert_eq!(proxies().address(&sent, Some(ip("::ffff:192.0.2.7"))), Some(ip("192.0.2.7")));
    assert!(TrustedProxies::new(["::ffff:10.0.0.0/104"]).unwrap().trusts(ip("10.200.0.1")));
}

#[test]
fn a_walk_has_an_end() {
    let mut hops = vec!["192.0.2.1"; 1];
    hops.resize(MAX_FORWARDED_HOPS, "10.0.0.1");
    assert_eq!(x_forwarded_for(&[&hops.join(",")]), "192.0.2.1");
    hops.push("10.0.0.1");
    assert_eq!(x_forwarded_for(&[&hops.join(",")]), "10.0.0.1");
}

#[test]
fn the_peer_is_the_client_where_it_is_not_trusted() {
    let sent = headers(&[("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1")]);
    assert_eq!(proxies().address(&sent, Some(ip("198.51.100.1"))), Some(ip("198.51.100.1")));
    assert_eq!(proxies().address(&sent, None), None);
    assert_eq!(TrustedProxies::none().address(&sent, Some(ip(PROXY))), Some(ip(PROXY)));
}

#[test]
fn what_is_no_network_is_named() {
    for entry in ["", "10.0.0.0/33", "proxy.example", "10.0.0.1:80", " 10.0.0.1"] {
        let expected = InvalidTrustedProxies::NotANetwork { entry: entry.to_owned() };
        assert_eq!(TrustedProxies::new(["::1", entry]), Err(expected));
    }
    for entry in ["0.0.0.0/0", "::/0", "::ffff:0:0/96"] {
        assert_eq!(TrustedProxies::new([entry]), Err(InvalidTrustedProxies::Everybody { entry: entry.to_owned() }));
    }
    assert!(TrustedProxies::new(["10.0.0.1/8"]).unwrap().trusts(ip("10.255.0.1")));
}

fn read_from(peer: &str, lines: &[(&'static str, &str)]) -> Client {
    read(&headers(lines), Some(ip(peer)), &proxies())
}

#[test]
fn a_request_id_is_adopted_from_a_trusted_proxy_alone() {
    let adopted = read_from(PROXY, &[("x-request-id", "a.B_9-")]);
    assert_eq!((adopted.correlation_id.as_str(), adopted.claimed_request_id), ("a.B_9-", None));
    let kept = read_from("192.0.2.1", &[("x-request-id", "a.B_9-")]);
    assert_ne!(kept.correlation_id.as_str(), "a.B_9-");
    assert_eq!(kept.claimed_request_id.as_deref(), Some("a.B_9-"));
    let long = "ü".repeat(63) + "x\u{fffd}y";
    for (sent, claimed) in [("a b\"c", "a_b_c"), (long.as_str(), &("_".repeat(63) + "x")), ("a,b", "a_b")] {
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", HeaderValue::from_bytes(sent.as_bytes()).unwrap());
        let kept = read(&headers, Some(ip(PROXY)), &proxies());
        assert_eq!(kept.claimed_request_id.as_deref(), Some(claimed));
        assert_ne!(kept.correlation_id.as_str(), claimed);
    }
    let twice = read_from(PROXY, &[("x-request-id", "a"), ("x-request-id", "b")]);
    assert_ne!(twice.correlation_id.as_str(), "a");
    assert_ne!(twice.correlation_id.as_str(), "b");
    assert_eq!(twice.claimed_request_id.as_deref(), Some("a"));
    assert_eq!(read_from(PROXY, &[("x-request-id", "")]).claimed_request_id, None);
}

#[test]
fn a_trace_is_claimed_unless_a_trusted_proxy_sent_it() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let trace = Some(TraceId::parse(TRACE).unwrap());
    let trusted = read_from(PROXY, &[("traceparent", SENT)]);
    assert_eq!((trusted.trace_id, trusted.claimed_trace_id), (trace, None));
    let claimed = read_from("192.0.2.1", &[("traceparent", SENT)]);
    assert_eq!((claimed.trace_id, claimed.claimed_trace_id), (None, trace));
    for of_later_versions in [SENT.replacen("00", "cc", 1), SENT.replacen("00", "01", 1) + "-more"] {
        assert_eq!(read_from(PROXY, &[("traceparent", &of_later_versions)]).trace_id, trace);
    }
    for malformed in [
        &SENT[..54],
        &(SENT.to_owned() + "-more"),
        &SENT.replacen("00", "ff", 1),
        &(SENT.replacen("00", "01", 1) + "more"),
        &SENT.replace("4bf", "4BF"),
        &SENT.replace('-', "_"),
        &SENT.replace(TRACE, &"0".repeat(32)),
        &SENT.replace("00f067aa0ba902b7", &"0".repeat(16)),
        &SENT.replace("4736-00f", "473600-f"),
        "",
    ] {
        assert_eq!(read_from(PROXY, &[("traceparent", malformed)]).trace_id, None, "{malformed}");
    }
    assert_eq!(read_from(PROXY, &[("traceparent", SENT), ("traceparent", SENT)]).trace_id, None);
}

#[test]
fn what_the_client_says_of_itself_is_taken_as_it_can_be_read() {
    let mut headers = headers(&[("origin", "https://example.org")]);
    headers.insert("user-agent", HeaderValue::from_bytes(b"curl\xff/8").unwrap());
    let client = read(&headers, None, &proxies());
    assert_eq!(client.source, Source::new().user_agent("curl\u{fffd}/8").origin("https://example.org"));
}

/// What a client may put into a header: all that the crate `http` lets through, and often what looks like a list.
fn sent() -> impl Strategy<Value = Vec<HeaderValue>> {
    let bytes = proptest::collection::vec(prop_oneof![Just(b'\t'), 0x20..0x7f_u8, 0x80..=0xff_u8], 0..40);
    let piece = prop_oneof![
        Just("for=192.0.2.9"),
        Just("192.0.2.9"),
        Just(","),
        Just("for="),
        Just("10.0.0.1"),
        Just("\"[::1]\""),
        Just("192.0.2.9"),
        Just("\""),
        Just("\\"),
        Just(","),
        Just(";"),
        Just("host="),
        Just("="),
        Just(" "),
        Just("unknown"),
        Just("[2001:db8:1::1]:80"),
        Just("é"),
    ];
    let listed = proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat().into_bytes());
    let line = prop_oneof![bytes, listed].prop_map(|bytes| HeaderValue::from_bytes(&bytes).unwrap());
    proptest::collection::vec(line, 0..4)
}

/// An address outside of the trusted networks.
fn outside() -> impl Strategy<Value = IpAddr> {
    any::<IpAddr>().prop_filter("trusted", |address| !proxies().trusts(*address))
}

/// How a proxy adds an element: in a line of its own, or behind what is in the last one or in all of them together.
#[derive(Clone, Copy, Debug)]
enum Adds {
    Line,
    ToTheLast,
    ToAll,
}

fn adds() -> impl Strategy<Value = Adds> {
    prop_oneof![Just(Adds::Line), Just(Adds::ToTheLast), Just(Adds::ToAll)]
}

fn add(mut lines: Vec<HeaderValue>, element: &str, adds: Adds) -> Vec<HeaderValue> {
    let from = match adds {
        Adds::Line => lines.len(),
        Adds::ToTheLast => lines.len().saturating_sub(1),
        Adds::ToAll => 0,
    };
    let mut joined: Vec<u8> = Vec::new();
    for line in lines.drain(from..) {
        joined.extend_from_slice(line.as_bytes());
        joined.extend_from_slice(b", ");
    }
    joined.extend_from_slice(element.as_bytes());
    lines.push(HeaderValue::from_bytes(&joined).unwrap());
    lines
}

proptest! {
    #[test]
    fn no_client_behind_a_proxy_chooses_its_address(
        client in outside(),
        own in sent(),
        other in sent(),
        host in "[ -~]{0,30}",
        hops in proptest::collection::vec((0_u8..3, adds()), 1..4),
    ) {
        let mut believed = (own.clone(), own);
        // The first proxy sees the client, each other one the proxy before.
        let mut seen = client;
        for (proxy, adds) in hops {
            let escaped = host.replace('\\', "\\\\").replace('"', "\\\"");
            let node = if seen.is_ipv6() { format!("\"[{seen}]:1\"") } else { seen.to_string() };
            believed.0 = add(believed.0, &format!("for={node};host=\"{escaped}\";proto=http"), adds);
            believed.1 = add(believed.1, &seen.to_string(), adds);
            seen = [ip("10.0.0.1"), ip("::1"), ip("2001:db8:1::9")][usize::from(proxy)];
        }
        for (header, name, believed) in [
            (ForwardedHeader::Forwarded, "forwarded", believed.0),
            (ForwardedHeader::XForwardedFor, "x-forwarded-for", believed.1),
        ] {
            let mut headers = HeaderMap::new();
            for line in believed {
                headers.append(name, line);
            }
            for line in &other {
                headers.append(if name == "forwarded" { "x-forwarded-for" } else { "forwarded" }, line.clone());
                headers.append("x-real-ip", line.clone());
            }
            let proxies = proxies().header(header);
            prop_assert_eq!(proxies.address(&headers, Some(seen)), Some(client.to_canonical()));
            // Without a proxy it is the peer, whatever is sent.
            prop_assert_eq!(proxies.address(&headers, Some(client)), Some(client.to_canonical()));
        }
    }

    #[test]
    fn nothing_panics_and_ids_are_plain(peer in any::<Option<IpAddr>>(), lines in sent(), forwarded in any::<bool>()) {
        let mut headers = HeaderMap::new();
        for line in lines {
            for name in ["forwarded", "x-forwarded-for", "x-request-id", "traceparent", "user-agent", "origin"] {
                headers.append(name, line.clone());
            }
        }
        let header = if forwarded { ForwardedHeader::Forwarded } else { ForwardedHeader::XForwardedFor };
        for peer in [peer, Some(ip(PROXY))] {
            let client = read(&headers, peer, &proxies().header(header));
            if let Some(claimed) = client.claimed_request_id {
                prop_assert!(CorrelationId::parse(&claimed).is_ok());
            }
        }
    }
}

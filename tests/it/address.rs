//! Addresses, against components that were generated and against the parser of the `url` crate.

use greenroom::{Address, Host, Place, Protocol};
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};
use url::Url;

const SECRET: &str = "QZXJQZXJ";

/// A piece of text and one of its many encodings.
#[derive(Clone, Debug)]
struct Piece {
    plain: String,
    encoded: String,
}

#[derive(Clone, Debug)]
struct Parts {
    user: Piece,
    password: Piece,
    /// The expected host, and how the URL writes it.
    host: (Host, String),
    port: Option<u16>,
    path_db: Option<u32>,
    query_db: Option<u32>,
    protocol: Protocol,
    client_name: Piece,
}

/// Text in which each character is escaped, in digits of either case, or stands for itself where
/// `raw` allows it.
fn piece(text: &'static str, raw: &'static str) -> impl Strategy<Value = Piece> {
    let written = (any::<bool>(), any::<bool>());
    text.prop_flat_map(move |plain| {
        let count = plain.chars().count();
        (Just(plain), prop::collection::vec(written, count))
    })
    .prop_map(move |(plain, written)| {
        let mut encoded = String::new();
        for (character, (escape, lower)) in plain.chars().zip(written) {
            if !escape && (character.is_ascii_alphanumeric() || raw.contains(character)) {
                encoded.push(character);
                continue;
            }
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                let digits = match lower {
                    true => format!("%{byte:02x}"),
                    false => format!("%{byte:02X}"),
                };
                encoded.push_str(&digits);
            }
        }
        Piece { plain, encoded }
    })
}

fn host() -> impl Strategy<Value = (Host, String)> {
    prop_oneof![
        Just((Host::Ip(Ipv4Addr::LOCALHOST.into()), String::new())),
        any::<Ipv4Addr>().prop_map(|ip| (Host::Ip(ip.into()), ip.to_string())),
        any::<Ipv6Addr>().prop_map(|ip| (Host::Ip(ip.into()), format!("[{ip}]"))),
        "([a-zA-Z0-9_-]{1,9}\\.){0,2}[a-zA-Z_-]{1,9}\\.?"
            .prop_map(|name| (Host::Name(name.clone()), name)),
    ]
}

prop_compose! {
    fn parts()(
        // A colon would end the user, so that only the password may have one as it is.
        user in piece("\\PC{0,6}|[!-~\0-\u{1f}]{0,6}", "-._~!$&'()*+,;=@"),
        password in piece("\\PC{0,6}|[!-~\0-\u{1f}]{0,12}", "-._~!$&'()*+,;=:@"),
        host in host(),
        port in prop::option::of(1_u16..),
        path_db in any::<Option<u32>>(),
        query_db in any::<Option<u32>>(),
        protocol in prop_oneof![Just(Protocol::Resp2), Just(Protocol::Resp3)],
        client_name in piece("[!-~]{1,9}", "-._~!$'()*,;=:/?"),
    ) -> Parts {
        Parts { user, password, host, port, path_db, query_db, protocol, client_name }
    }
}

/// The `login@` of a URL.
fn login(parts: &Parts) -> String {
    let Parts { user, password, .. } = parts;
    match (user.plain.is_empty(), password.plain.is_empty()) {
        (true, true) => String::new(),
        (false, true) => format!("{}@", user.encoded),
        (_, false) => format!("{}:{}@", user.encoded, password.encoded),
    }
}

fn query(parts: &Parts) -> String {
    let mut query = format!("?client_name={}", parts.client_name.encoded);
    if parts.protocol == Protocol::Resp3 {
        query.push_str("&protocol=3");
    }
    if let Some(db) = parts.query_db {
        query.push_str(&format!("&db={db}"));
    }
    query
}

fn tcp_url(parts: &Parts) -> String {
    let port = parts.port.map_or(String::new(), |port| format!(":{port}"));
    let db = parts.path_db.map_or(String::new(), |db| format!("/{db}"));
    format!(
        "redis://{}{}{port}{db}{}",
        login(parts),
        parts.host.1,
        query(parts)
    )
}

fn non_empty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn password(address: &Address) -> Option<&str> {
    address.password.as_ref().map(|password| password.expose())
}

fn check_login(address: &Address, parts: &Parts) -> Result<(), TestCaseError> {
    prop_assert_eq!(address.user.as_deref(), non_empty(&parts.user.plain));
    prop_assert_eq!(password(address), non_empty(&parts.password.plain));
    prop_assert_eq!(address.protocol, parts.protocol);
    prop_assert_eq!(
        address.client_name.as_deref(),
        Some(&*parts.client_name.plain)
    );
    Ok(())
}

/// What the address displays, parsed again, differs in nothing but the password.
fn check_round_trip(address: &Address) -> Result<(), TestCaseError> {
    let shown = address.to_string();
    prop_assert!(
        shown.bytes().all(|byte| byte.is_ascii_graphic()),
        "{}",
        shown
    );
    let again: Address = shown.parse().map_err(|error| fail(&shown, error))?;
    prop_assert_eq!(password(&again), password(address).map(|_| "***"));
    let again = again.with_password(password(address).unwrap_or_default());
    prop_assert_eq!(&again, address);
    Ok(())
}

fn fail(url: &str, error: impl std::fmt::Display) -> TestCaseError {
    TestCaseError::fail(format!("{url}: {error}"))
}

/// Percent-decoded by the other crate: its decoder is that of forms, for which three characters are
/// special.
fn decoded(text: &str) -> String {
    let escaped = text
        .replace('+', "%2B")
        .replace('&', "%26")
        .replace('=', "%3D");
    let mut pairs = url::form_urlencoded::parse(escaped.as_bytes());
    pairs
        .next()
        .map_or(String::new(), |(name, _)| name.into_owned())
}

proptest! {
    #[test]
    fn what_a_url_is_made_of_comes_out_of_it(parts in parts()) {
        let url = tcp_url(&parts);
        let address: Address = url.parse().map_err(|error| fail(&url, error))?;
        let place = Place::Tcp { host: parts.host.0.clone(), port: parts.port.unwrap_or(6379) };
        prop_assert_eq!(&address.place, &place);
        prop_assert_eq!(address.db, parts.query_db.or(parts.path_db).unwrap_or(0));
        check_login(&address, &parts)?;
        check_round_trip(&address)?;
    }

    #[test]
    fn what_a_socket_url_is_made_of_comes_out_of_it(
        parts in parts(),
        path in piece("/[^\0]{0,20}", "-._~!$&'()*+,;=:/"),
    ) {
        let slash = path.encoded.strip_prefix("%2f").or(path.encoded.strip_prefix("%2F"));
        let path_text = slash.map_or(path.encoded.clone(), |rest| format!("/{rest}"));
        let url = format!("unix://{}{path_text}{}", login(&parts), query(&parts));
        let address: Address = url.parse().map_err(|error| fail(&url, error))?;
        let Place::Unix(parsed) = &address.place else {
            return Err(fail(&url, "not a socket"));
        };
        // As text, since paths compare equal in spite of repeated slashes.
        prop_assert_eq!(parsed.to_str(), Some(&*path.plain));
        prop_assert_eq!(address.db, parts.query_db.unwrap_or(0));
        check_login(&address, &parts)?;
        check_round_trip(&address)?;

        // The other crate refuses a login without a host.
        let url = format!("unix://{path_text}{}", query(&parts));
        let other = Url::parse(&url).map_err(|error| fail(&url, error))?;
        if !path_text.split('/').any(is_dots) {
            prop_assert_eq!(decoded(other.path()), path.plain);
        }
    }

    #[test]
    fn the_url_crate_reads_the_same(mut parts in parts(), path in 0_u32..) {
        // The other crate refuses a login or a port without a host.
        if parts.host.1.is_empty() {
            parts.host.1 = "127.0.0.1".to_owned();
        }
        parts.path_db = Some(path);
        let url = tcp_url(&parts);
        let address: Address = url.parse().map_err(|error| fail(&url, error))?;
        let other = Url::parse(&url).map_err(|error| fail(&url, error))?;
        let Place::Tcp { host, port } = &address.place else {
            return Err(fail(&url, "not a server"));
        };
        // The other crate takes no IPv4 address out of a URL whose scheme the web does not know.
        let other_host = match other.host() {
            Some(url::Host::Ipv6(address)) => Some(Host::Ip(address.into())),
            _ => other.host_str().and_then(|host| host.parse().ok()),
        };
        prop_assert_eq!(Some(host), other_host.as_ref());
        prop_assert_eq!(*port, other.port().unwrap_or(6379));
        prop_assert_eq!(address.user.clone().unwrap_or_default(), decoded(other.username()));
        prop_assert_eq!(
            password(&address).map(str::to_owned),
            other.password().map(decoded).filter(|text| !text.is_empty())
        );
        let db = parts.query_db.is_none().then(|| format!("/{}", address.db));
        prop_assert!(db.is_none_or(|db| db == decoded(other.path())));
        let name = other.query_pairs().find(|(key, _)| key == "client_name");
        let name = name.map(|(_, value)| value.into_owned());
        prop_assert_eq!(address.client_name, name);
    }

    #[test]
    fn an_error_does_not_repeat_the_password(
        mut parts in parts(),
        back in 0..=SECRET.len(),
        junk in "[/?#%@: \n]",
    ) {
        // Nothing that is generated may look like a piece of the secret.
        let piece = |text: &str| Piece { plain: text.into(), encoded: text.into() };
        (parts.user, parts.password, parts.client_name) = (piece("me"), piece(SECRET), piece("x"));
        parts.host = (Host::Name("h".into()), "h".into());
        let mut url = tcp_url(&parts);
        let end = url.rfind('@').ok_or_else(|| fail(&url, "no password"))?;
        url.insert_str(end - back, &junk);
        let shown = match url.parse::<Address>() {
            Ok(address) => format!("{address} {address:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!shown.contains("QZ") && !shown.contains("XJ"), "{}: {}", url, shown);
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "(redis|unix)?(://)?\\PC*|.*") {
        if let Ok(address) = text.parse::<Address>() {
            check_round_trip(&address)?;
        }
    }

    #[test]
    fn any_mix_of_delimiters_is_parsed_or_refused(text in "[a1:/@?#&=%.\\[\\]]{0,24}") {
        for scheme in ["redis", "unix"] {
            if let Ok(address) = format!("{scheme}://{text}").parse::<Address>() {
                check_round_trip(&address)?;
            }
        }
    }
}

/// Whether the other crate would resolve a segment of a path as `.` or `..`.
fn is_dots(segment: &str) -> bool {
    let segment = segment.to_ascii_lowercase().replace("%2e", ".");
    segment == "." || segment == ".."
}

use super::*;
use std::net::Ipv6Addr;

const SECRET: &str = "S3NTINEL";

fn parse(url: &str) -> Address {
    url.parse().unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn refusal(url: &str) -> String {
    let error = url.parse::<Address>().expect_err(url);
    assert_eq!(error.kind(), ErrorKind::Config, "{url}");
    let message = error.to_string();
    assert!(!message.contains(char::is_control), "{url}: {message:?}");
    message
}

fn password(address: &Address) -> Option<&str> {
    address.password.as_ref().map(Password::expose)
}

#[test]
fn a_good_url_displays_in_its_one_form() {
    let long_path = format!("unix:///{}", "x".repeat(UNIX_PATH_BYTES_MAX - 1));
    let long_name = format!("redis://{}a:6379", "a.".repeat(126));
    let table = [
        ("redis://", "redis://127.0.0.1:6379"),
        ("redis://:6380", "redis://127.0.0.1:6380"),
        ("redis://localhost", "redis://localhost:6379"),
        ("redis://localhost:", "redis://localhost:6379"),
        ("redis://localhost:1/", "redis://localhost:1"),
        ("redis://localhost:65535/0", "redis://localhost:65535"),
        (
            "ReDiS://My_Host-1.example.",
            "redis://My_Host-1.example.:6379",
        ),
        ("valkey://h/4294967295", "redis://h:6379/4294967295"),
        ("redis://h/1?db=2", "redis://h:6379/2"),
        ("redis://h/1?db=0", "redis://h:6379"),
        ("redis://h?db=%32&", "redis://h:6379/2"),
        ("redis://[::1]", "redis://[::1]:6379"),
        ("redis://[0:0::1]:7/3", "redis://[::1]:7/3"),
        ("redis://10.0.0.1:7", "redis://10.0.0.1:7"),
        ("redis://1.2.3.4a:7", "redis://1.2.3.4a:7"),
        ("redis://me@h", "redis://me@h:6379"),
        ("redis://me:@h", "redis://me@h:6379"),
        ("redis://@h", "redis://h:6379"),
        ("redis://:@h", "redis://h:6379"),
        ("redis://:pw@h", "redis://:***@h:6379"),
        ("redis://me:pw@", "redis://me:***@127.0.0.1:6379"),
        ("redis://a%2fb+c:pw@h", "redis://a%2Fb%2Bc:***@h:6379"),
        ("redis://h?protocol=2&client_name=", "redis://h:6379"),
        (
            "redis://me:pw@h:6380/2?client_name=a%3db=c&protocol=3",
            "redis://me:***@h:6380/2?protocol=3&client_name=a%3Db%3Dc",
        ),
        ("unix:///tmp/r.sock?db=2", "unix:///tmp/r.sock?db=2"),
        ("redis+unix:///tmp/a%40b%20c", "unix:///tmp/a%40b%20c"),
        (
            "unix://me:pw@/r?db=1&protocol=3",
            "unix://me:***@/r?db=1&protocol=3",
        ),
        (&long_path, &long_path),
        (&long_name, &long_name),
    ];
    for (url, shown) in table {
        let address = parse(url);
        assert_eq!(address.to_string(), shown, "{url}");
        let login = (address.user.clone(), password(&address));
        let again = parse(shown).with_password(login.1.unwrap_or_default());
        assert_eq!(again, address, "{url}");
    }
}

#[test]
fn the_last_at_sign_and_the_first_colon_split_a_login() {
    let table = [
        ("redis://me:pw@h", Some("me"), Some("pw")),
        ("redis://me:p@s:s@h", Some("me"), Some("p@s:s")),
        ("redis://m@e@h", Some("m@e"), None),
        (
            "redis://m%3Ae:p%40%2F%3f%23%25@h",
            Some("m:e"),
            Some("p@/?#%"),
        ),
        ("redis://:a+b%2Bc@h", None, Some("a+b+c")),
        ("unix://:%C3%BC\u{fc}@/r", None, Some("\u{fc}\u{fc}")),
    ];
    for (url, user, secret) in table {
        let address = parse(url);
        assert_eq!(address.user.as_deref(), user, "{url}");
        assert_eq!(password(&address), secret, "{url}");
    }
}

#[test]
fn a_literal_is_told_apart_from_a_name() {
    let host = |url| match parse(url).place {
        Place::Tcp { host, .. } => host,
        Place::Unix(path) => panic!("{path:?}"),
    };
    assert_eq!(host("redis://"), Host::Ip([127, 0, 0, 1].into()));
    assert_eq!(host("redis://[::1]"), Host::Ip(Ipv6Addr::LOCALHOST.into()));
    assert_eq!(host("redis://localhost"), Host::Name("localhost".into()));
}

#[test]
fn a_bad_url_is_refused_for_its_reason() {
    let long_path = format!("unix:///{}", "x".repeat(UNIX_PATH_BYTES_MAX));
    let long_name = format!("redis://{}ab", "a.".repeat(126));
    let table = [
        ("", "redis://localhost:6379"),
        ("localhost:6379", "redis://localhost:6379"),
        ("unix:/tmp/r.sock", "no scheme"),
        ("http://h", "the scheme http:// is unknown"),
        ("://h", "does not begin with"),
        ("me:pw://h", "does not begin with"),
        ("rediss://h", "rediss:// needs TLS"),
        ("VALKEYS://h", "valkeys:// needs TLS"),
        ("redis://h\n", "space or control"),
        ("redis://h/ 1", "space or control"),
        ("redis://h#1", "fragment"),
        ("redis://me:p/w@h", "percent-encode"),
        ("redis://me:p?w@h", "percent-encode"),
        ("redis://me:p#w@h", "percent-encode"),
        ("redis://m@e:p/w@h", "percent-encode"),
        ("unix:///tmp/a@b", "%40"),
        ("redis://h:0", "the port"),
        ("redis://h:65536", "the port"),
        ("redis://h:+1", "the port"),
        ("redis://me:pw", "the port"),
        ("redis://::1", "brackets"),
        ("redis://[::1", "IPv6"),
        ("redis://[::1]x:1", "IPv6"),
        ("redis://[1.2.3.4]", "IPv6"),
        ("redis://[fe80::1%25eth0]", "IPv6"),
        ("redis://a%20b", "contains '%'"),
        ("redis://h\u{fc}", "contains '\u{fc}'"),
        ("redis://h\u{202e}", "contains '\\u{202e}'"),
        ("redis://a,b", "contains ','"),
        ("redis://a..b", "two dots"),
        ("redis://.", "empty"),
        (&long_name, "too long"),
        ("redis://1.2.3.999", "IPv4"),
        ("redis://127.1", "IPv4"),
        ("redis://2130706433", "IPv4"),
        ("redis://1.2.3.4.", "IPv4"),
        ("redis://0x7f000001", "IPv4"),
        ("redis://h/x", "the database"),
        ("redis://h/+1", "the database"),
        ("redis://h/-1", "the database"),
        ("redis://h/1/", "the database"),
        ("redis://h/4294967296", "the database"),
        ("redis://h/x?db=1", "the database"),
        ("redis://h?db=", "the database"),
        ("redis://h?protocol=4", "2 or 3"),
        ("redis://h?db", "no `=`"),
        ("redis://h?db=1&db=1", "`db` twice"),
        ("redis://h?db=1&DB=1", "`DB` is unknown"),
        ("redis://h?ssl_cert=1", "`ssl_cert` is unknown"),
        ("redis://h?a%62=1", "a parameter of the URL is unknown"),
        ("redis://h?password=x", "gives a `password` as a parameter"),
        ("redis://h?client_name=a%20b", "the client name"),
        ("redis://h?client_name=a%7f", "the client name"),
        ("redis://h?client_name=%C3%BC", "the client name"),
        ("redis://%@h", "the user has a `%`"),
        ("redis://:%4@h", "the password has a `%`"),
        ("redis://:%+4@h", "the password has a `%`"),
        ("redis://:%ff@h", "the password is not UTF-8"),
        ("redis://h/%4", "the database has a `%`"),
        ("redis://h?db=%", "the value of a parameter has a `%`"),
        ("unix:///%zz", "the path has a `%`"),
        ("unix:///%ff", "the path is not UTF-8"),
        ("unix:///a%00b", "NUL"),
        ("unix://", "absolute"),
        ("unix://?db=1", "absolute"),
        ("unix://tmp/r.sock", "three slashes"),
        (&long_path, "has 108 bytes"),
    ];
    for (url, reason) in table {
        let message = refusal(url);
        assert!(message.contains(reason), "{url}: {message}");
    }
}

/// The secret itself, and whatever of it an encoder could have made.
fn leaks(text: &str) -> bool {
    let text = text.to_ascii_uppercase();
    ["S3N", "NTI", "NEL", "%53", "%4C", "%4E"]
        .iter()
        .any(|piece| text.contains(piece))
}

#[test]
fn no_password_is_ever_shown() {
    let secrets = [
        "S3NTINEL",
        "%533NTINEL",
        "S3NTINEL%40",
        "S3N%3ATINE%4C",
        "S3N%2FTINEL",
        "S3N%25TINEL",
        "S3NTINEL%C3%BC",
        "S3N@TINEL",
        "S3N:TINEL",
        "S3N/TINEL",
        "S3N?TINEL",
        "S3N#TINEL",
        "S3N TINEL",
        "S3N\nTINEL",
        "S3N%TINEL",
        "S3NTINEL%",
        "S3NTINEL%FF",
        "[S3N://TINEL",
        "S3N]TINEL",
        "S3N&TINEL=",
        "S3N?TINEL=x",
        "12?S3NTINEL=",
        "12/S3NTINEL",
        "12#S3NTINEL",
    ];
    // The first rows are good URLs, and the others are what is left of one after a slip of the pen.
    let shapes = [
        "redis://:{}@h",
        "redis://me:{}@h:6380/2?protocol=3&client_name=x",
        "redis://me:{}@[::1]",
        "unix://me:{}@/tmp/r.sock?db=1",
        "redis://me:{}@h:x",
        "redis://me:{}@h!",
        "redis://me:{}@1.2.3.999",
        "redis://me:{}@h/x",
        "redis://me:{}@h?x=1",
        "redis://me:{}@h?client_name=%20",
        "redis://%zz:{}@h",
        "unix://me:{}@tmp",
        "unix://me:{}@/%00",
        "unix://me:{}@",
        "rediss://me:{}@h",
        "http://me:{}@h",
        "me:{}@h",
        "redis:me:{}@h",
        "redis:/me:{}@h",
        "me:{}@redis://h",
        "me:{}",
        "redis://me:{}",
        "redis://:{}",
        "unix://me:{}",
        "redis://h?password={}",
        "redis://h?auth={}&db=1",
        "redis://h?db={}",
        "redis://h?protocol={}",
        "redis://h/{}",
        "redis://h:{}",
        "redis://h#{}",
    ];
    let hostless = ["redis://me:{}", "redis://:{}", "redis://h:{}"];
    let mut good = 0;
    for shape in shapes {
        for secret in secrets {
            // What follows the last `@` is the host, and hosts are shown.
            if hostless.contains(&shape) && secret.contains('@') {
                continue;
            }
            let url = shape.replace("{}", secret);
            match url.parse::<Address>() {
                Ok(address) => {
                    let kept = password(&address).unwrap_or_default();
                    assert!(!kept.is_empty(), "{url} loses its password");
                    let shown = format!("{address} {address:?} {address:#?} {:?}", address.place);
                    assert!(shown.contains("***") && !leaks(&shown), "{url}: {shown}");
                    good += 1;
                }
                Err(error) => {
                    let shown = format!("{error} {error:?} {error:#?}");
                    assert!(!leaks(&shown), "{url}: {shown}");
                }
            }
        }
    }
    assert_eq!(
        good,
        4 * 11,
        "the first four shapes, with each secret that is well-formed"
    );
}

#[test]
fn a_password_is_exposed_only_by_name() {
    let address = Address::default().with_user("me").with_password(SECRET);
    assert_eq!(password(&address), Some(SECRET));
    assert_eq!(format!("{:?}", address.password), "Some(***)");
    assert_eq!(address.to_string(), "redis://me:***@127.0.0.1:6379");
}

#[test]
fn flags_make_the_address_that_a_url_makes() {
    let tcp = |host, port| Address::tcp(host, port).expect(host);
    assert_eq!(tcp("127.0.0.1", DEFAULT_PORT), Address::default());
    assert_eq!(tcp("::1", 7), parse("redis://[::1]:7"));
    assert_eq!(tcp("[::1]", 7), parse("redis://[::1]:7"));
    let named = tcp("h", 7).with_user("me").with_password("p@w").with_db(3);
    let named = named.with_protocol(Protocol::Resp3).with_client_name("x");
    let url = "redis://me:p%40w@h:7/3?protocol=3&client_name=x";
    assert_eq!(named.expect("a good name"), parse(url));
    assert_eq!(
        Address::unix("/r").expect("a good path"),
        parse("unix:///r")
    );
    let address = SocketAddr::from(([127, 0, 0, 1], 7));
    assert_eq!(Address::from(Place::from(address)), parse("redis://:7"));
}

#[test]
fn an_empty_setting_takes_the_old_one_away() {
    let address = parse("redis://me:pw@h?client_name=x")
        .with_user("")
        .with_password("");
    let address = address.with_client_name("").expect("no name");
    assert_eq!(address, parse("redis://h"));
}

#[test]
fn bad_flags_are_refused() {
    for (host, port) in [
        ("h", 0),
        ("", 1),
        ("a b", 1),
        ("h:1", 1),
        ("127.1", 1),
        ("1:2", 1),
    ] {
        let error = Address::tcp(host, port).expect_err(host);
        assert_eq!(error.kind(), ErrorKind::Config, "{host}");
    }
    for path in ["", "r.sock", "/a\0b"] {
        let error = Address::unix(path).expect_err(path);
        assert_eq!(error.kind(), ErrorKind::Config, "{path}");
    }
    for name in ["a b", "a\n", "\u{fc}"] {
        let refused = Address::default().with_client_name(name);
        assert_eq!(refused.expect_err(name).kind(), ErrorKind::Config, "{name}");
    }
}

#[test]
fn an_address_made_by_hand_displays_without_breaking_the_line() {
    let host = Host::Name("a\n/@b".into());
    let place = Place::Tcp { host, port: 0 };
    assert_eq!(Address::from(place).to_string(), "redis://a%0A%2F%40b:0");
}

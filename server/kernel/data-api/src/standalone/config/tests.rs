use std::collections::BTreeMap;

use super::*;

fn texts(pairs: &[(&str, &str)]) -> Texts {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn environment(pairs: &[(&str, &str)]) -> Config {
    let variables: BTreeMap<String, String> = texts(pairs);
    let sources = Sources::read(None, variables.into_iter()).expect("readable");
    Config::new(&sources.settings()).expect("understood")
}

#[test]
fn without_any_setting_the_documented_defaults_hold() {
    let config = environment(&[]);
    assert_eq!(config.settings.schemas, ["public"]);
    assert_eq!(config.settings.max_rows, None);
    assert_eq!(
        (config.port, config.pool, config.channel.as_str()),
        (3000, 10, "pgrst")
    );
    assert_eq!(
        config.tx_end,
        TxEnd {
            roll_back: false,
            allow_override: false
        }
    );
    assert_eq!(config.settings.extra_search_path, ["public"]);
    assert_eq!((config.anon_role, config.jwt_secret), (None, None));
}

#[test]
fn the_environment_sets_what_it_names() {
    let config = environment(&[
        ("PGRST_DB_SCHEMAS", "multi,   tenant,setup"),
        ("PGRST_DB_MAX_ROWS", "1000"),
        ("PGRST_DB_TX_END", "rollback-allow-override"),
        ("PGRST_APP_SETTINGS_test", "a value"),
        ("PGRST_DB_PRE_REQUEST", "test.switch_role"),
        ("PGRST_JWT_SECRET", "c2VjcmV0"),
        ("PGRST_JWT_SECRET_IS_BASE64", "true"),
        ("PATH", "not ours"),
    ]);
    assert_eq!(config.settings.schemas, ["multi", "tenant", "setup"]);
    assert_eq!(config.settings.max_rows, Some(1000));
    assert_eq!(
        config.tx_end,
        TxEnd {
            roll_back: true,
            allow_override: true
        }
    );
    assert_eq!(
        config.app_settings,
        [("app.settings.test".to_owned(), "a value".to_owned())]
    );
    assert_eq!(
        config.pre_request,
        Some(QualifiedName::new("test", "switch_role"))
    );
    assert_eq!(config.jwt_secret.as_deref(), Some(b"secret".as_slice()));
}

#[test]
fn a_file_has_strings_numbers_switches_comments_and_variables() {
    let variables = texts(&[("SECRET", "from outside")]);
    let text = r#"
        # a comment
        db-uri = "postgres://somebody@/here" # another
        server-port = 80
        db-channel-enabled = false
        app.settings.secret = "$(SECRET) and $$ and \"quotes\""
    "#;
    let pairs = file::parse(text, &variables).expect("readable");
    let texts = keys::from_file(pairs);
    let config = Config::new(&texts).expect("understood");
    assert_eq!((config.port, config.channel_enabled), (80, false));
    assert_eq!(config.uri, "postgres://somebody@/here");
    assert_eq!(config.app_settings[0].1, "from outside and $ and \"quotes\"");
}

#[test]
fn a_broken_file_says_which_line() {
    for (text, line) in [
        ("a", 1),
        ("\n\na = \"x", 3),
        ("a = b c", 1),
        ("a = \"$x\"", 1),
        ("a = \"x\" y", 1),
    ] {
        let ConfigError(reason) = file::parse(text, &BTreeMap::new()).expect_err(text);
        assert!(reason.starts_with(&format!("line {line}:")), "{text}: {reason}");
    }
}

#[test]
fn former_names_are_still_understood_and_yield_to_the_new_ones() {
    let old = texts(&[
        ("PGRST_DB_SCHEMA", "old"),
        ("PGRST_PRE_REQUEST", "f"),
        ("PGRST_MAX_ROWS", "3"),
    ]);
    let config = Config::new(&keys::from_environment(&old)).expect("understood");
    assert_eq!(config.settings.schemas, ["old"]);
    assert_eq!(config.settings.max_rows, Some(3));
    let both = texts(&[("PGRST_DB_SCHEMA", "old"), ("PGRST_DB_SCHEMAS", "new")]);
    assert_eq!(
        keys::from_environment(&both)
            .get("db-schemas")
            .map(String::as_str),
        Some("new")
    );
}

#[test]
fn the_database_is_stronger_than_the_environment_and_the_environment_than_the_file() {
    let sources = Sources {
        file: None,
        from_file: texts(&[
            ("db-schemas", "file"),
            ("jwt-aud", "file"),
            ("db-anon-role", "file"),
        ]),
        from_environment: texts(&[("db-schemas", "env"), ("jwt-aud", "env")]),
    };
    let all = sources.with(texts(&[("db-schemas", "database")]));
    let found: Vec<&str> = ["db-schemas", "jwt-aud", "db-anon-role"]
        .iter()
        .map(|name| all[*name].as_str())
        .collect();
    assert_eq!(found, ["database", "env", "file"]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (name, value) in [
        ("db-tx-end", "sometimes"),
        ("log-level", "loud"),
        ("db-max-rows", "many"),
        ("server-port", "70000"),
        ("server-unix-socket-mode", "999"),
        ("server-unix-socket-mode", "000"),
        ("db-config", "perhaps"),
        ("db-schemas", ","),
        ("client-error-verbosity", "loud"),
        ("openapi-mode", "open"),
        ("openapi-server-proxy-uri", "example.com"),
        ("jwt-aud", "http://a b"),
        ("db-schemas", "pg_catalog"),
        ("jwt-secret", "@/there/is/no/such/file"),
    ] {
        assert!(Config::new(&texts(&[(name, value)])).is_err(), "{name} = {value}");
    }
}

#[test]
fn settings_are_printed_as_they_are_understood_and_read_back_alike() {
    let said = texts(&[
        ("db-schemas", "multi,   tenant,setup"),
        ("db-extra-search-path", ""),
        ("db-max-rows", "5"),
        ("db-plan-enabled", "yes"),
        ("jwt-role-claim-key", "$.user[0]"),
        ("jwt-secret", "c2VjdXJpdHl0aHJvdWdob2JzY3VyaXR5aW5iYXNlNjQ="),
        ("jwt-secret-is-base64", "1"),
        ("server-host", "localhost"),
        ("app.settings.name", "a \"quoted\" name"),
    ]);
    let config = Config::new(&said).expect("understood");
    let printed = config.to_text(true).expect("printable");
    for line in [
        "db-schemas = \"multi,tenant,setup\"",
        "db-extra-search-path = \"\"",
        "db-max-rows = 5",
        "db-plan-enabled = true",
        "db-pool = 10",
        "admin-server-host = \"localhost\"",
        "admin-server-port = \"\"",
        "jwt-role-claim-key = \"$$.user[0]\"",
        "jwt-secret = \"c2VjdXJpdHl0aHJvdWdob2JzY3VyaXR5aW5iYXNlNjQ=\"",
        "app.settings.name = \"a \\\"quoted\\\" name\"",
    ] {
        assert!(printed.lines().any(|found| found == line), "{line}\n{printed}");
    }
    let pairs = file::parse(&printed, &BTreeMap::new()).expect("readable");
    let again = Config::new(&keys::from_file(pairs)).expect("understood");
    assert_eq!(again.to_text(true).expect("printable"), printed);
    let shown = config.to_text(false).expect("printable");
    assert!(
        shown.contains("jwt-secret = \"(not shown)\"") && !shown.contains("quoted"),
        "{shown}"
    );
}

#[test]
fn a_secret_in_a_file_is_any_bytes_without_the_end_of_their_line() {
    let path = std::env::temp_dir().join(format!("tenon-secret-{}", std::process::id()));
    let said = texts(&[("jwt-secret", &format!("@{}", path.display()))]);
    for (content, secret) in [
        (&b"\xff\x00secret\n"[..], &b"\xff\x00secret"[..]),
        (b"secret\r\n", b"secret"),
        (b"two\n\n", b"two\n"),
    ] {
        std::fs::write(&path, content).expect("written");
        let config = Config::new(&said).expect("understood");
        assert_eq!(config.jwt_secret.as_deref(), Some(secret));
    }
    std::fs::remove_file(path).expect("removed");
}

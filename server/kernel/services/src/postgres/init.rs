//! Makes the database cluster, and keeps its settings.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::NamedTempFile;

use super::binaries::Binaries;
use super::error::{ClusterError, IoContext};
use super::home::Home;
use super::{Durability, SUPERUSER};

/// Settings that an operator may change with ALTER SYSTEM: read from `tenon.conf` before `postgresql.auto.conf`.
const DEFAULTS: &[(&str, &str)] = &[
    ("max_connections", "100"),
    ("shared_buffers", "128MB"),
    // A bulk insert fills the 4 MB that would follow from that faster than they are written, and would wait.
    ("wal_buffers", "16MB"),
    ("wal_level", "logical"),
    // A replication slot that nobody reads holds back the log; it must never fill the disk.
    ("max_slot_wal_keep_size", "4GB"),
    ("password_encryption", "scram-sha-256"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("lc_messages", "C"),
    // Requests are short: compiling a plan costs more than it saves.
    ("jit", "off"),
    // One file a day of the week, begun anew a week later.
    ("logging_collector", "on"),
    ("log_directory", "../log"),
    ("log_filename", "postgresql-%a.log"),
    ("log_truncate_on_rotation", "on"),
    ("log_rotation_age", "1d"),
    ("log_rotation_size", "0"),
    ("log_line_prefix", "%m [%p] %q%u@%d "),
];

/// Settings for tests, whose databases nobody misses.
const UNSAFE: &[(&str, &str)] = &[
    ("synchronous_commit", "off"),
    ("max_connections", "300"),
    ("max_wal_size", "4GB"),
    ("checkpoint_timeout", "1h"),
    ("max_replication_slots", "60"),
    ("max_wal_senders", "60"),
];

/// Runs `initdb` into another name and renames the result, so that a crash leaves nothing half-made.
pub(super) fn make(home: &Home, binaries: &Binaries, durability: Durability) -> Result<(), ClusterError> {
    let half = home.root.join("data.new");
    if half.exists() {
        fs::remove_dir_all(&half).context("remove", &half)?;
    }
    tracing::info!(version = %binaries.version, data = %home.data().display(), "making the database cluster");
    // Some systems know no C.UTF-8; there C sorts the same and only folds fewer letters.
    let mut output = initdb(home, binaries, durability, &half, "C.UTF-8")?;
    if output.as_ref().is_err_and(|text| text.contains("locale")) {
        output = initdb(home, binaries, durability, &half, "C")?;
    }
    if let Err(output) = output {
        _ = fs::remove_dir_all(&half);
        return Err(ClusterError::Initdb { output });
    }
    let conf = half.join("postgresql.conf");
    let text = fs::read_to_string(&conf).context("read", &conf)?;
    write(
        home,
        &conf,
        &format!("{text}\n# Written before every start.\ninclude_if_exists = 'tenon.conf'\n"),
    )?;
    fs::rename(&half, home.data()).context("rename", &half)?;
    File::open(&home.root)
        .and_then(|folder| folder.sync_all())
        .context("write", &home.root)
}

fn initdb(
    home: &Home,
    binaries: &Binaries,
    durability: Durability,
    into: &Path,
    locale: &str,
) -> Result<Result<(), String>, ClusterError> {
    let program = binaries.bin_dir.join("initdb");
    let mut command = Command::new(&program);
    command.arg("-D").arg(into);
    command.args([
        "-U",
        SUPERUSER,
        "--encoding=UTF8",
        "--data-checksums",
        "--no-instructions",
    ]);
    command.args(["--auth-local=trust", "--auth-host=reject", "--lc-messages=C"]);
    command.arg(format!("--locale={locale}"));
    if binaries.version.major >= 17 {
        // Same order as libc's C.UTF-8, on every system and for good.
        command.args(["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]);
    }
    if durability == Durability::TestOnlyUnsafe {
        command.arg("--no-sync");
    }
    super::process::environment(&mut command, home.account.as_ref());
    super::process::die_with_parent(&mut command);
    let output = command.output().context("run", &program)?;
    if output.status.success() {
        return Ok(Ok(()));
    }
    let both = [output.stdout, output.stderr].concat();
    Ok(Err(String::from_utf8_lossy(&both).trim().to_owned()))
}

/// Writes `tenon.conf`: our defaults, then what the configuration file asks for.
pub(super) fn configure(
    home: &Home,
    durability: Durability,
    extra: &[(String, String)],
) -> Result<(), ClusterError> {
    let tests: &[_] = if durability == Durability::TestOnlyUnsafe {
        UNSAFE
    } else {
        &[]
    };
    let own = DEFAULTS.iter().chain(tests).map(|&(name, value)| (name, value));
    let extra = extra.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut text =
        String::from("# Written by Tenon before every start. Change settings with ALTER SYSTEM.\n");
    for (name, value) in own.chain(extra) {
        _ = writeln!(text, "{name} = '{}'", value.replace('\'', "''"));
    }
    write(home, &home.data().join("tenon.conf"), &text)
}

/// Who may connect, and how, in a cluster that listens by TCP.
pub(super) fn rules(home: &Home) -> PathBuf {
    home.data().join("tenon_hba.conf")
}

/// Writes the rules for a cluster that listens by TCP: by the socket, whose folder is closed to others, as ever; by this machine's
/// own address with a password; from elsewhere not.
pub(super) fn admit(home: &Home) -> Result<(), ClusterError> {
    let text = "# Written by Tenon before every start that listens by TCP.\n\
                local all all trust\nlocal replication all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
    write(home, &rules(home), text)
}

/// Replaces a file as a whole, for the cluster's account; nothing the account put there is followed.
fn write(home: &Home, path: &Path, text: &str) -> Result<(), ClusterError> {
    let mut file = NamedTempFile::new_in(path.parent().unwrap_or(path)).context("write", path)?;
    file.write_all(text.as_bytes()).context("write", path)?;
    file.as_file().sync_all().context("write", path)?;
    if let Some(account) = &home.account {
        account.own(file.path())?;
    }
    file.persist(path).context("write", path)?;
    Ok(())
}

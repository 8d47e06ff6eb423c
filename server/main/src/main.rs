//! `tenon`: the command line of the server.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;
use tenon::serve::{self, ServeOptions};
use tenon::{audit, backup, doctor, migrate, operators, policies, secrets, types};
use tenon_data_api::standalone::{self, Question};
use tenon_sdk::config::Config;
use tenon_sdk::env::Env;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// A business hub in which many organisations run their business.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// A file with settings that differ from tenon.default.toml.
    #[arg(long, global = true, env = "TENON_CONFIG")]
    config: Option<PathBuf>,
    /// A single setting, stronger than files and variables, like `rest.max_rows=50`. May be repeated.
    #[arg(long = "set", global = true, value_name = "SECTION.KEY=VALUE")]
    set: Vec<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves requests and works on jobs until it is told to stop.
    Serve(Serve),
    /// Works on jobs only, beside servers on the same database.
    Work,
    /// Prints the description of all commands (OpenAPI 3.1).
    Openapi,
    /// Serves the data API alone, in front of any PostgreSQL database, configured by PGRST_* variables.
    #[command(version)]
    Rest(Rest),
    /// Prints types of the exposed schemas for programs that use the data API.
    Types(types::Types),
    /// Tells what row-level security does to a read: which policies hold, which rows they let through, how often they run.
    ExplainPolicy(policies::ExplainPolicy),
    /// Says who runs the installation: they find its console at /operator.
    Operator(operators::Operators),
    /// Says whether the trails of what was done are as they were sealed.
    Audit(audit::Audit),
    /// Tells of the keys that protect secrets, and renews them.
    Secrets(secrets::Secrets),
    /// Writes the whole installation into one file, beside running servers.
    Backup(backup::Backup),
    /// Reads such a file into a new installation, or looks whether it is whole.
    Restore(backup::Restore),
    /// Looks at settings, database, keys, files and mail, and says what to do about what is wrong.
    Doctor(doctor::Doctor),
    /// Applies what is new of the database's structure, or tells it before.
    Migrate(migrate::Migrate),
}

#[derive(Debug, clap::Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "one flag for each question, and only one of them at a time"
)]
struct Rest {
    /// A file with settings, as PostgREST reads it.
    file: Option<PathBuf>,
    /// Prints all settings as they are understood, secrets too, and ends.
    #[arg(long, group = "question")]
    dump_config: bool,
    /// Prints what is read of the schemas, as JSON, and ends.
    #[arg(long, group = "question")]
    dump_schema: bool,
    /// Prints a file with all settings, each at its default, and ends.
    #[arg(long, short, group = "question")]
    example: bool,
    /// Asks the admin server of the server with these settings whether it is ready, and ends well if it is.
    #[arg(long, group = "question")]
    ready: bool,
}

impl Rest {
    fn question(&self) -> Option<Question> {
        [
            (self.dump_config, Question::Settings),
            (self.dump_schema, Question::Schema),
            (self.example, Question::Example),
            (self.ready, Question::Ready),
        ]
        .into_iter()
        .find_map(|(asked, question)| asked.then_some(question))
    }
}

#[derive(Debug, clap::Args)]
struct Serve {
    /// Where the private database lives.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Port to listen on; 0 takes any free one.
    #[arg(long)]
    port: Option<u16>,
    /// Address to listen on.
    #[arg(long)]
    bind: Option<String>,
    /// Loads two demo organisations when the database is empty, and prints their logins.
    #[arg(long)]
    demo: bool,
}

fn main() -> std::process::ExitCode {
    give_large_buffers_back();
    let arguments = Arguments::parse();
    let (telemetry, outcome) = begin(arguments);
    let code = match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}{}", particulars(&error));
            std::process::ExitCode::FAILURE
        }
    };
    telemetry.finish();
    code
}

/// Reads the settings, begins the log as they say, or as it is by default if they cannot be read, and does what was asked for.
fn begin(arguments: Arguments) -> (tenon_telemetry::Started, anyhow::Result<()>) {
    // What has settings of its own, or none, logs as by default; only what stays sends traces.
    let stays = matches!(arguments.command, Command::Serve(_) | Command::Work);
    let config = match arguments.command {
        Command::Rest(_) | Command::Openapi => Ok(Config::defaults()),
        _ => Config::load(arguments.config.as_deref(), &arguments.set),
    };
    let mut settings = config.as_ref().map_or_else(
        |_| Config::defaults().telemetry,
        |config| config.telemetry.clone(),
    );
    if !stays {
        settings.otlp_endpoint.clear();
    }
    match (tenon_telemetry::start(&settings), config) {
        (Ok(telemetry), Ok(config)) => (telemetry, run(arguments.command, config)),
        (Ok(telemetry), Err(error)) => (telemetry, Err(error.into())),
        (Err(error), _) => {
            // Nothing could be begun: at least the reason is told.
            settings.otlp_endpoint.clear();
            let telemetry = tenon_telemetry::start(&settings).unwrap_or_default();
            (telemetry, Err(error.into()))
        }
    }
}

/// Hashing a password takes 19 MiB, reading a workbook more. glibc would learn from the first such buffer to keep the
/// later ones; with a fixed threshold each goes back to the system when it is freed.
fn give_large_buffers_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[allow(unsafe_code)]
    // SAFETY: mallopt only sets a number of the allocator, and no other thread runs yet.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 20);
    }
}

/// What an error of ours says besides its message: the operator has nothing else to go by.
fn particulars(error: &anyhow::Error) -> String {
    let Some(error) = error.downcast_ref::<tenon_sdk::Error>() else {
        return String::new();
    };
    let parts = [&error.details, &error.hint].into_iter().flatten();
    parts.fold(String::new(), |text, part| text + " " + part)
}

/// Threads that serve requests. PostgreSQL does most of the work: where it is on the same cores, a thread for each of them
/// would only take turns with it, and the requests that wait for that turn are the slowest.
fn threads(database_is_here: bool) -> usize {
    let wanted = std::env::var("TOKIO_WORKER_THREADS").ok();
    if let Some(wanted) = wanted
        .and_then(|wanted| wanted.parse().ok())
        .filter(|wanted| *wanted > 0)
    {
        return wanted;
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if database_is_here {
        cores.div_ceil(2)
    } else {
        cores
    }
}

fn runtime(workers: usize) -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
}

fn run(command: Command, mut config: Config) -> anyhow::Result<()> {
    if let Command::Rest(rest) = command {
        if let Some(question) = rest.question() {
            use std::io::Write;
            let text = runtime(1)?.block_on(standalone::answer(rest.file, question))?;
            std::io::stdout().write_all(text.as_bytes())?;
            return Ok(());
        }
        let prepared = standalone::Prepared::read(rest.file)?;
        let runtime = runtime(threads(prepared.database_is_here()))?;
        return Ok(runtime.block_on(prepared.serve(Env::real(), serve::stop_signal()))?);
    }
    let options = match command {
        Command::Rest(_) => return Ok(()),
        Command::Openapi => {
            use std::io::Write;
            std::io::stdout().write_all(tenon::openapi().as_bytes())?;
            return Ok(());
        }
        Command::Types(types) => {
            use std::io::Write;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let text = runtime.block_on(types.generate(&config))?;
            std::io::stdout().write_all(text.as_bytes())?;
            return Ok(());
        }
        Command::Operator(operators) => {
            use std::io::Write;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let text = runtime.block_on(operators.run(&config))?;
            std::io::stdout().write_all(text.as_bytes())?;
            return Ok(());
        }
        Command::Audit(audit) => {
            use std::io::Write;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let (text, well) = runtime.block_on(audit.run(&config))?;
            std::io::stdout().write_all(text.as_bytes())?;
            if !well {
                anyhow::bail!("a trail is not as it was sealed");
            }
            return Ok(());
        }
        Command::Secrets(secrets) => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            return runtime.block_on(secrets.run(config, &mut std::io::stdout()));
        }
        Command::Backup(backup) => {
            return runtime(1)?.block_on(backup.run(config, &mut std::io::stdout()));
        }
        Command::Restore(restore) => {
            return runtime(1)?.block_on(restore.run(config, &mut std::io::stdout()));
        }
        Command::Doctor(doctor) => {
            use std::io::Write;
            let (text, well) = runtime(1)?.block_on(doctor.run(config))?;
            std::io::stdout().write_all(text.as_bytes())?;
            if !well {
                anyhow::bail!("something is not as it should be");
            }
            return Ok(());
        }
        Command::Migrate(migrate) => {
            use std::io::Write;
            let text = runtime(1)?.block_on(migrate.run(&config))?;
            std::io::stdout().write_all(text.as_bytes())?;
            return Ok(());
        }
        Command::ExplainPolicy(question) => {
            use std::io::Write;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let text = runtime.block_on(question.answer(&config))?;
            std::io::stdout().write_all(text.as_bytes())?;
            return Ok(());
        }
        Command::Work => ServeOptions {
            listen: false,
            demo: false,
        },
        Command::Serve(serve) => {
            if let Some(data_dir) = serve.data_dir {
                config.database.data_dir = data_dir;
            }
            if let Some(port) = serve.port {
                config.server.port = port;
            }
            if let Some(bind) = serve.bind {
                config.server.bind = bind;
            }
            ServeOptions {
                listen: true,
                demo: serve.demo,
            }
        }
    };
    let workers = match config.server.worker_threads {
        0 => threads(config.database.url.is_empty()),
        some => some,
    };
    runtime(workers)?.block_on(serve::run(config, options))
}

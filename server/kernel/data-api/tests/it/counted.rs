//! A forwarder between a server and PostgreSQL that counts round trips: how often the server spoke after PostgreSQL had,
//! and how often it asked for an answer (`Sync`, or a simple query).

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// What a connection starts with: a length and a number instead of a letter.
const SSL_REQUEST: u32 = 80_877_103;

#[derive(Clone, Default)]
pub struct Counted {
    turns: Arc<AtomicUsize>,
    syncs: Arc<AtomicUsize>,
}

impl Counted {
    /// The same database through a forwarder.
    pub fn forward(&self, config: &Config) -> Config {
        let folder = config.get_hosts().iter().find_map(|host| match host {
            Host::Unix(folder) => Some(folder.clone()),
            Host::Tcp(_) => None,
        });
        let target = match (folder, config.get_hosts().first()) {
            (Some(folder), _) => {
                let port = config.get_ports().first().copied().unwrap_or(5432);
                Target::Unix(folder.join(format!(".s.PGSQL.{port}")))
            }
            (None, Some(Host::Tcp(name))) => {
                Target::Tcp(name.clone(), config.get_ports().first().copied().unwrap_or(5432))
            }
            _ => panic!("no host"),
        };
        let mut through = Config::new();
        through.host("127.0.0.1").port(self.listen(target));
        through.ssl_mode(SslMode::Disable);
        if let Some(user) = config.get_user() {
            through.user(user);
        }
        if let Some(name) = config.get_dbname() {
            through.dbname(name);
        }
        if let Some(options) = config.get_options() {
            through.options(options);
        }
        if let Some(password) = config.get_password() {
            through.password(password);
        }
        through
    }

    fn listen(&self, target: Target) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let counted = self.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                client.set_nodelay(true).expect("an option");
                counted.connect(client, &target);
            }
        });
        port
    }

    fn connect(&self, client: TcpStream, target: &Target) {
        let (server_reads, server_writes) = target.connect();
        let client_writes = client.try_clone().expect("a handle");
        let server_spoke = Arc::new(AtomicBool::new(true));
        let (counted, spoke) = (self.clone(), server_spoke.clone());
        std::thread::spawn(move || {
            let mut messages = Messages::default();
            copy(client, server_writes, |bytes| {
                if spoke.swap(false, Ordering::SeqCst) {
                    counted.turns.fetch_add(1, Ordering::SeqCst);
                }
                counted
                    .syncs
                    .fetch_add(messages.questions(bytes), Ordering::SeqCst);
            });
        });
        std::thread::spawn(move || {
            copy(server_reads, client_writes, |_| {
                server_spoke.store(true, Ordering::SeqCst);
            });
        });
    }

    /// Forgets what was counted.
    pub fn reset(&self) {
        self.turns.store(0, Ordering::SeqCst);
        self.syncs.store(0, Ordering::SeqCst);
    }

    /// Turns and questions since then.
    pub fn taken(&self) -> (usize, usize) {
        (
            self.turns.load(Ordering::SeqCst),
            self.syncs.load(Ordering::SeqCst),
        )
    }
}

#[derive(Clone)]
enum Target {
    Unix(PathBuf),
    Tcp(String, u16),
}

impl Target {
    fn connect(&self) -> (Box<dyn Read + Send>, Box<dyn Write + Send>) {
        match self {
            Self::Unix(path) => {
                let stream = UnixStream::connect(path).expect("PostgreSQL");
                (Box::new(stream.try_clone().expect("a handle")), Box::new(stream))
            }
            Self::Tcp(name, port) => {
                let stream = TcpStream::connect((name.as_str(), *port)).expect("PostgreSQL");
                (Box::new(stream.try_clone().expect("a handle")), Box::new(stream))
            }
        }
    }
}

fn copy(mut from: impl Read, mut to: impl Write, mut seen: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 1 << 20];
    while let Ok(count) = from.read(&mut buffer)
        && count > 0
    {
        seen(&buffer[..count]);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
}

/// The messages of one client.
#[derive(Default)]
struct Messages {
    read: Vec<u8>,
    started: bool,
}

impl Messages {
    /// Messages among these bytes that ask for an answer.
    fn questions(&mut self, bytes: &[u8]) -> usize {
        self.read.extend_from_slice(bytes);
        let (mut at, mut found) = (0, 0);
        loop {
            let head = usize::from(self.started);
            let Some(length) = self.read.get(at + head..at + head + 4) else {
                break;
            };
            let length = u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
            let Some(message) = self.read.get(at..at + head + length) else {
                break;
            };
            if self.started {
                found += usize::from(matches!(message[0], b'S' | b'Q'));
            } else {
                self.started = message[4..8] != SSL_REQUEST.to_be_bytes();
            }
            at += head + length;
        }
        self.read.drain(..at);
        found
    }
}

//! Server and database are killed in the middle of a commit: afterwards the import is whole or absent, and says which.

use std::{fmt::Write, path::Path, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::{
    process::{Person, Process, folder},
    support::REGISTER,
};

const ROWS: usize = 20_000;
/// An order of the register, in euros or whatever its currency is: all that counts is that it is one.
const ORDER: &str = "PO-1700004";

/// Surveys of one cent each.
fn surveys(series: usize) -> String {
    let mut csv = String::from("Survey No,PO Number,Survey Date,Amount,Surveyor,Status\n");
    for n in 0..ROWS {
        let (month, day) = (n % 12 + 1, n % 28 + 1);
        writeln!(
            csv,
            "S{series}-{n:06},{ORDER},2025-{month:02}-{day:02},0.01,Ada,Certified"
        )
        .unwrap();
    }
    csv
}

/// What the books say, in every place that says it.
#[derive(Debug, PartialEq)]
struct Books {
    /// Survey entries.
    entries: usize,
    /// Billed, in hundredths: the order's own sum, all orders', and the months'.
    order: i64,
    orders: i64,
    months: i64,
}

impl Books {
    async fn of(person: &Person, server: &Process) -> Self {
        let board = person.get(server, "/api/v1/purchasing/board").await;
        let sum = |list: &Value| {
            list.as_array()
                .unwrap()
                .iter()
                .map(|part| cents(&part["billed"]))
                .sum()
        };
        let path = format!("orders?select=billed:billed_to_date::text&number=eq.{ORDER}");
        let order = rest(person, server, &path).await.0;
        let (_, entries) = rest(person, server, "entries?select=id&limit=1").await;
        Self {
            entries,
            order: cents(&order[0]["billed"]),
            orders: sum(&board["totals"]),
            months: sum(&board["billed_by_month"]),
        }
    }

    /// The same with one import of [`surveys`] more.
    fn with_surveys(&self) -> Self {
        let cents = i64::try_from(ROWS).unwrap();
        Self {
            entries: self.entries + ROWS,
            order: self.order + cents,
            orders: self.orders + cents,
            months: self.months + cents,
        }
    }
}

/// An amount as text, in hundredths.
fn cents(amount: &Value) -> i64 {
    let text = amount.as_str().unwrap();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{part:0<2.2}").parse().unwrap()
}

/// Rows of the data API, and how many there are in all.
async fn rest(person: &Person, server: &Process, path: &str) -> (Value, usize) {
    let request = person.request(server, reqwest::Method::GET, &format!("/rest/v1/{path}"));
    let request = request
        .header("accept-profile", "purchasing")
        .header("prefer", "count=exact");
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    let range = answer.headers()["content-range"].to_str().unwrap().to_owned();
    let total = range.split_once('/').unwrap().1.parse().unwrap();
    (answer.json().await.unwrap(), total)
}

/// Waits until the commit of an import has begun, then for a moment more; whether it still goes on.
async fn in_the_middle(person: &Person, server: &Process, id: &str, moment: Duration) -> bool {
    let path = format!("/api/v1/imports/{id}");
    loop {
        let Some(import) = person.try_get(server, &path).await else {
            continue;
        };
        match import["state"].as_str().unwrap() {
            "confirmed" => tokio::time::sleep(Duration::from_millis(2)).await,
            "committing" => break,
            _ => return false,
        }
    }
    tokio::time::sleep(moment).await;
    true
}

/// Whole or absent, and the state says which.
async fn whole_or_absent(person: &Person, server: &Process, id: &str, before: &Books) -> bool {
    let import = person.settled(server, id).await;
    let now = Books::of(person, server).await;
    match import["state"].as_str().unwrap() {
        "committed" => {
            assert_eq!(now, before.with_surveys(), "committed, so whole: {import}");
            assert_eq!(
                (&import["error"], import["committed_at"].is_string()),
                (&Value::Null, true)
            );
            true
        }
        "failed" | "validated" => {
            assert_eq!(&now, before, "not committed, so absent: {import}");
            assert!(
                import["state"] == "validated" || import["error"]["code"].is_string(),
                "it says why: {import}"
            );
            false
        }
        state => panic!("an import that was being committed ended as {state}: {import}"),
    }
}

const MOMENTS: [u64; 4] = [0, 60, 250, 700];

#[tokio::test]
async fn an_import_whose_server_is_killed_while_it_commits_is_whole_or_absent_after_a_restart() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let mut server = Process::serve(&data_dir).await;
    let person = Person::new(&server, "harbour").await;
    let register = person.upload(&server, "register.xlsx", REGISTER).await;
    person.confirm(&server, &register).await;
    assert_eq!(
        person.settled(&server, register["id"].as_str().unwrap()).await["state"],
        "committed"
    );
    let mut interrupted = 0;
    for (series, moment) in MOMENTS.into_iter().enumerate() {
        let before = Books::of(&person, &server).await;
        let checked = person.upload(&server, "surveys.csv", surveys(series)).await;
        assert_eq!(checked["counts"]["accepted"], ROWS, "{checked}");
        let id = checked["id"].as_str().unwrap();
        person.confirm(&server, &checked).await;
        interrupted += usize::from(in_the_middle(&person, &server, id, Duration::from_millis(moment)).await);
        server.kill().await;
        server = Process::serve(&data_dir).await;
        assert!(
            whole_or_absent(&person, &server, id, &before).await,
            "the commit is taken up again"
        );
    }
    assert!(
        interrupted > 0,
        "no commit took long enough to be interrupted: give `surveys` more rows"
    );
    assert!(server.terminate().await);
}

#[tokio::test]
async fn an_import_whose_database_is_killed_while_it_commits_is_whole_or_absent_and_the_server_goes_on() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let server = Process::serve(&data_dir).await;
    let person = Person::new(&server, "harbour").await;
    let register = person.upload(&server, "register.xlsx", REGISTER).await;
    person.confirm(&server, &register).await;
    assert_eq!(
        person.settled(&server, register["id"].as_str().unwrap()).await["state"],
        "committed"
    );
    let mut interrupted = 0;
    for (series, moment) in MOMENTS.into_iter().enumerate().take(3) {
        let before = Books::of(&person, &server).await;
        let checked = person.upload(&server, "surveys.csv", surveys(series)).await;
        let id = checked["id"].as_str().unwrap();
        person.confirm(&server, &checked).await;
        interrupted += usize::from(in_the_middle(&person, &server, id, Duration::from_millis(moment)).await);
        kill(postmaster(&data_dir), Signal::SIGKILL).unwrap();
        assert!(
            whole_or_absent(&person, &server, id, &before).await,
            "the commit is taken up again"
        );
    }
    assert!(
        interrupted > 0,
        "no commit took long enough to be interrupted: give `surveys` more rows"
    );
    assert!(server.terminate().await);
}

/// The process id in the database's own file.
pub fn postmaster(data_dir: &Path) -> Pid {
    let file = data_dir.join("postgres/data/postmaster.pid");
    let text = std::fs::read_to_string(file).expect("the database runs");
    Pid::from_raw(text.lines().next().unwrap().trim().parse().unwrap())
}

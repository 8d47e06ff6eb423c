//! Whether a trail is as it was sealed. It computes every hash anew from the rows, and trusts no function of the database.

mod hashes;

use std::collections::{HashMap, HashSet};

use tokio_postgres::{Client, Error, Transaction};
use uuid::Uuid;

use hashes::{Seal, content, digest, link};

/// Seals that are read at once.
const AT_ONCE: i64 = 100;

/// What was found in the trail of one organisation.
#[derive(Debug, Default)]
pub struct Report {
    /// The organisation.
    pub org: Uuid,
    /// Seals that were looked at.
    pub seals: i64,
    /// Entries whose hash is right.
    pub entries: u64,
    /// Entries whose month was dropped; their seals are right, or among the faults.
    pub expired: i64,
    /// Entries that wait for a seal.
    pub waiting: i64,
    /// The last seal: who notes it knows later whether anything before it was changed, even with all the powers of the database.
    pub head: Option<Head>,
    /// What is wrong, in the order of the trail.
    pub faults: Vec<String>,
}

/// A seal as somebody may note it elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub seq: i64,
    /// Its hash.
    pub hash: Vec<u8>,
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.seq, tenon_sdk::hex(&self.hash))
    }
}

impl Head {
    /// Reads what is shown.
    pub fn parse(text: &str) -> Option<Self> {
        let (seq, hash) = text.trim().split_once(':')?;
        if hash.len() != 64 || !hash.is_ascii() {
            return None;
        }
        let bytes = (0..64)
            .step_by(2)
            .map(|at| u8::from_str_radix(&hash[at..at + 2], 16).ok());
        Some(Self {
            seq: seq.parse().ok()?,
            hash: bytes.collect::<Option<_>>()?,
        })
    }
}

/// Looks at the trails of one organisation, or of all that have one, in the order of their ids; `noted` is a seal of that one
/// organisation as it was noted before.
pub async fn verify(
    client: &mut Client,
    org: Option<Uuid>,
    noted: Option<&Head>,
) -> Result<Vec<Report>, Error> {
    let tx = client
        .build_transaction()
        .isolation_level(tokio_postgres::IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    tx.batch_execute(
        "set local timezone = 'UTC'; set local datestyle = 'ISO'; set local bytea_output = 'hex'",
    )
    .await?;
    let orgs = if let Some(org) = org {
        vec![org]
    } else {
        let sql = "select id from tenancy.organizations union select org_id from audit.heads \
                   union select distinct org_id from audit.seals order by 1";
        tx.query(sql, &[]).await?.iter().map(|row| row.get(0)).collect()
    };
    let mut reports = Vec::new();
    for org in orgs {
        let mut look = Look {
            tx: &tx,
            noted,
            report: Report {
                org,
                ..Report::default()
            },
            sealed: HashSet::new(),
        };
        look.run().await?;
        reports.push(look.report);
    }
    Ok(reports)
}

struct Look<'a> {
    tx: &'a Transaction<'a>,
    noted: Option<&'a Head>,
    report: Report,
    sealed: HashSet<Uuid>,
}

/// An entry as it is now.
struct Found {
    id: Uuid,
    digest: [u8; 32],
    told: String,
}

impl Look<'_> {
    fn fault(&mut self, text: String) {
        self.report.faults.push(text);
    }

    async fn run(&mut self) -> Result<(), Error> {
        // Where the owner is no superuser, it sees what the context lets it.
        let context = "select set_config('tenancy.org_id', $1, true), \
                       set_config('tenancy.permissions', ',audit.entries.read,', true)";
        self.tx.query(context, &[&self.report.org.to_string()]).await?;
        let (mut seq, mut hash) = (0, Vec::new());
        let mut noted_seen = false;
        loop {
            let seals = self.seals(seq).await?;
            if seals.is_empty() {
                break;
            }
            for seal in seals {
                if seal.seq != seq + 1 {
                    self.fault(format!("seals {} to {} are gone", seq + 1, seal.seq - 1));
                } else if link(&hash, &self.report.org, &seal) != seal.hash {
                    self.fault(format!(
                        "seal {} does not follow from the one before: it was changed, or another stood in its place",
                        seal.seq
                    ));
                }
                if let Some(noted) = self.noted.filter(|noted| noted.seq == seal.seq) {
                    noted_seen = true;
                    if noted.hash != seal.hash {
                        self.fault(format!(
                            "seal {} is not the one that was noted: it or what is before it was written anew",
                            seal.seq
                        ));
                    }
                }
                (seq, hash) = (seal.seq, seal.hash.clone());
                self.report.seals += 1;
                self.look_at(&seal).await?;
            }
        }
        let head = "select seq, hash from audit.heads where org_id = $1";
        let head = self.tx.query_opt(head, &[&self.report.org]).await?;
        let head = head.map(|row| Head {
            seq: row.get(0),
            hash: row.get(1),
        });
        let last = Head { seq, hash };
        if head.as_ref().is_some_and(|head| *head != last) || head.is_none() && seq > 0 {
            let wanted = head.map_or(0, |head| head.seq);
            self.fault(format!(
                "the trail ends with seal {seq}, and should with seal {wanted}"
            ));
        }
        if let Some(noted) = self.noted.filter(|_| !noted_seen) {
            self.fault(format!("seal {}, which was noted, is gone", noted.seq));
        }
        self.report.head = Some(last).filter(|last| last.seq > 0);
        self.unsealed().await
    }

    async fn seals(&self, after: i64) -> Result<Vec<Seal>, Error> {
        let sql = "select s.seq, s.class, s.month::text, audit_micros.first, audit_micros.last, s.count, s.ids, s.digests, s.content, \
                   audit_micros.sealed, s.hash, s.first_at::text, s.last_at::text, \
                   p.gone_at is not null, p.gone_at < s.month + interval '1 month' + make_interval(days => c.days) \
                   from audit.seals s cross join lateral (select (extract(epoch from s.first_at) * 1000000)::bigint::text as first, \
                   (extract(epoch from s.last_at) * 1000000)::bigint::text as last, \
                   (extract(epoch from s.sealed_at) * 1000000)::bigint::text as sealed) audit_micros \
                   left join audit.classes c on c.name = s.class \
                   left join audit.parts p on p.class = s.class and p.month = s.month \
                   where s.org_id = $1 and s.seq > $2 order by s.seq limit $3";
        let rows = self.tx.query(sql, &[&self.report.org, &after, &AT_ONCE]).await?;
        Ok(rows.iter().map(Seal::read).collect())
    }

    async fn look_at(&mut self, seal: &Seal) -> Result<(), Error> {
        let place = format!("in seal {} ({} to {})", seal.seq, seal.first_text, seal.last_text);
        let (Some(ids), Some(digests)) = (&seal.ids, &seal.digests) else {
            if !seal.gone {
                self.fault(format!(
                    "{place} the list of entries was taken away, while their month is here"
                ));
            } else if seal.gone_early {
                self.fault(format!("{place} the month was dropped before its time"));
            }
            self.report.expired += i64::from(seal.count);
            return Ok(());
        };
        self.sealed.extend(ids);
        if content(ids, digests) != seal.content || digests.len() != 32 * ids.len() {
            self.fault(format!("{place} the list of entries was changed"));
            return Ok(());
        }
        if seal.gone {
            self.fault(format!(
                "{place} the month was dropped, and its list of entries left"
            ));
            return Ok(());
        }
        let found = self
            .entries(
                "at between $2::text::timestamptz and $3::text::timestamptz and class = $4",
                &[&seal.first_text, &seal.last_text, &seal.class],
            )
            .await?;
        let mut now: HashMap<Uuid, Found> = found.into_iter().map(|entry| (entry.id, entry)).collect();
        let missing: Vec<Uuid> = ids.iter().filter(|id| !now.contains_key(id)).copied().collect();
        if !missing.is_empty() {
            // Perhaps their time was changed.
            let moved = self.entries("id = any ($2)", &[&missing]).await?;
            now.extend(moved.into_iter().map(|entry| (entry.id, entry)));
        }
        let sealed: HashMap<&[u8], usize> = digests.chunks_exact(32).zip(1..).collect();
        for (place_in, (id, wanted)) in (1..).zip(ids.iter().zip(digests.chunks_exact(32))) {
            match now.get(id) {
                Some(entry) if entry.digest == wanted => self.report.entries += 1,
                Some(entry) => {
                    let other = sealed.get(&entry.digest[..]);
                    let text = match other {
                        Some(other) => format!(
                            "{place} entries were reordered: what stands at {place_in} was sealed at {other}: {}",
                            entry.told
                        ),
                        None => format!("{place} entry {place_in} was changed: it is now {}", entry.told),
                    };
                    self.fault(text);
                }
                None => self.fault(format!("{place} entry {place_in} was removed: {id}")),
            }
        }
        Ok(())
    }

    /// Entries under a condition, `$1` being the organisation.
    async fn entries(
        &self,
        condition: &str,
        values: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<Vec<Found>, Error> {
        let sql = format!(
            "select id, array[org_id::text, (extract(epoch from at) * 1000000)::bigint::text, class, actor_kind, actor::text, \
             visit::text, action, relation, row_key, changes::text, details::text, tags::text, origin::text], at::text \
             from audit.entries where org_id = $1 and {condition}"
        );
        let mut all: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = vec![&self.report.org];
        all.extend(values);
        let rows = self.tx.query(&sql, &all).await?;
        let found = rows.iter().map(|row| {
            let parts: Vec<Option<String>> = row.get(1);
            let word = |at: usize| parts.get(at).cloned().flatten().unwrap_or_default();
            let id: Uuid = row.get(0);
            let at: String = row.get(2);
            Found {
                id,
                digest: digest(&parts),
                told: format!("{id} of {at}, {} {} {}", word(6), word(7), word(8)),
            }
        });
        Ok(found.collect())
    }

    /// Entries that no seal has, though one should: somebody put them in afterwards.
    async fn unsealed(&mut self) -> Result<(), Error> {
        let sql = "select e.id, e.at::text, coalesce(e.tx < s.horizon or e.at <= s.since, false) \
                   from audit.entries e cross join audit.sealing s where e.org_id = $1 order by e.at";
        let rows = self.tx.query(sql, &[&self.report.org]).await?;
        for row in &rows {
            let id: Uuid = row.get(0);
            if self.sealed.contains(&id) {
                continue;
            }
            if row.get(2) {
                let at: String = row.get(1);
                self.fault(format!("an entry was added that no seal has: {id} of {at}"));
            } else {
                self.report.waiting += 1;
            }
        }
        Ok(())
    }
}

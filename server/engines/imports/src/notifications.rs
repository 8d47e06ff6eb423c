//! What whoever began an import is told of it: they may have gone on to something else.

use tenon_sdk::{
    UserId,
    notify::{Channel, KindWords, Notification, NotificationKind},
};

use crate::run::Run;

const COMMITTED: &str = "imports.run_committed";
const FAILED: &str = "imports.run_failed";

pub(crate) const KINDS: &[NotificationKind] = &[
    NotificationKind {
        name: COMMITTED,
        channels: &[Channel::App],
        optional: true,
        digestable: true,
        urgent: false,
        words: &[
            KindWords {
                language: "en",
                label: "An import of mine is done",
                title: "{file} is imported",
                body: "Rows taken over: {rows}.",
                action: "See the import",
            },
            KindWords {
                language: "de",
                label: "Ein Import von mir ist fertig",
                title: "{file} ist importiert",
                body: "Übernommene Zeilen: {rows}.",
                action: "Import ansehen",
            },
        ],
    },
    NotificationKind {
        name: FAILED,
        channels: &[Channel::App, Channel::Mail],
        optional: true,
        digestable: true,
        urgent: false,
        words: &[
            KindWords {
                language: "en",
                label: "An import of mine failed",
                title: "{file} could not be imported",
                body: "{reason} Nothing of it was taken over.",
                action: "See the import",
            },
            KindWords {
                language: "de",
                label: "Ein Import von mir ist gescheitert",
                title: "{file} konnte nicht importiert werden",
                body: "{reason} Nichts davon wurde übernommen.",
                action: "Import ansehen",
            },
        ],
    },
];

fn about(kind: &str, run: &Run) -> Option<Notification> {
    let by = run.created_by?;
    Some(
        Notification::new(kind)
            .to(UserId(by))
            .value("file", &run.filename)
            .link(format!("/imports/{}", run.id)),
    )
}

/// To whoever began an import: its rows are there. Nobody, where a program did.
pub(crate) fn committed(run: &Run) -> Option<Notification> {
    Some(about(COMMITTED, run)?.value("rows", &run.counts.accepted))
}

/// To whoever began an import: it failed, and why.
pub(crate) fn failed(run: &Run, reason: &str) -> Option<Notification> {
    Some(about(FAILED, run)?.value("reason", reason))
}

//! What people are told of purchasing.

use tenon_sdk::{
    UserId,
    notify::{Channel, KindWords, Notification, NotificationKind},
};

const ALERTS_OPENED: &str = "purchasing.alerts_opened";

pub const KINDS: &[NotificationKind] = &[NotificationKind {
    name: ALERTS_OPENED,
    channels: &[Channel::App, Channel::Mail],
    optional: true,
    digestable: true,
    urgent: false,
    words: &[
        KindWords {
            language: "en",
            label: "Orders need attention",
            title: "New alerts about orders: {count}",
            body: "An import brought orders over a threshold.",
            action: "See the alerts",
        },
        KindWords {
            language: "de",
            label: "Bestellungen brauchen Aufmerksamkeit",
            title: "Neue Warnungen zu Bestellungen: {count}",
            body: "Ein Import hat Bestellungen über einen Schwellenwert gebracht.",
            action: "Warnungen ansehen",
        },
    ],
}];

/// To those who may acknowledge them: an import opened alerts. Whoever made the import sees them in its result.
pub fn alerts_opened(count: &impl ToString, importer: Option<UserId>) -> Notification {
    Notification::new(ALERTS_OPENED)
        .to_permission("purchasing.alerts.acknowledge")
        .except(importer)
        .value("count", count)
        .link("/purchasing/alerts")
}

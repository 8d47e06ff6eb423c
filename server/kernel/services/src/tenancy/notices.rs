//! What members are told of their organisation.

use tenon_sdk::{
    UserId,
    notify::{Channel, KindWords, Notification, NotificationKind},
    permission::Role,
};

const MEMBER_JOINED: &str = "tenancy.member_joined";

pub(super) const KINDS: &[NotificationKind] = &[NotificationKind {
    name: MEMBER_JOINED,
    channels: &[Channel::App],
    optional: true,
    digestable: true,
    urgent: false,
    words: &[
        KindWords {
            language: "en",
            label: "Somebody joined (owners and admins)",
            title: "{name} joined {organization}",
            body: "They took up an invitation.",
            action: "See the members",
        },
        KindWords {
            language: "de",
            label: "Jemand ist beigetreten (Inhaber und Admins)",
            title: "{name} ist {organization} beigetreten",
            body: "Eine Einladung wurde angenommen.",
            action: "Mitglieder ansehen",
        },
    ],
}];

/// To owners and admins: somebody took up an invitation.
pub(super) fn member_joined(user: UserId, name: &str, organization: &str) -> Notification {
    Notification::new(MEMBER_JOINED)
        .to_role(Role::Owner)
        .to_role(Role::Admin)
        .except(Some(user))
        .value("name", name)
        .value("organization", organization)
        .link("/settings/members")
}

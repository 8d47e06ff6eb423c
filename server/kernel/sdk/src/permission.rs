//! Permissions and the six built-in roles.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A built-in role of a member, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees, changes nothing.
    Viewer,
    /// Does the daily work.
    Member,
    /// Helps others with their work.
    Support,
    /// Runs a team's work: imports, acknowledges, approves.
    Manager,
    /// Runs the organisation: members and settings.
    Admin,
    /// Answers for the organisation.
    Owner,
}

impl Role {
    /// All roles, weakest first.
    pub const ALL: [Role; 6] = [
        Role::Viewer,
        Role::Member,
        Role::Support,
        Role::Manager,
        Role::Admin,
        Role::Owner,
    ];

    /// The role's word in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Member => "member",
            Role::Support => "support",
            Role::Manager => "manager",
            Role::Admin => "admin",
            Role::Owner => "owner",
        }
    }

    /// The role of a word, if there is one.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// What a permission is: its name `app.thing.verb`, the weakest built-in role that has it, and a sentence for people.
#[derive(Clone, Copy, Debug)]
pub struct PermissionDef {
    /// `app.thing.verb`.
    pub name: &'static str,
    /// The weakest role that has it.
    pub from: Role,
    /// One sentence for the access page.
    pub description: &'static str,
}

/// A permission as a type, so that it can stand in a handler's signature.
pub trait Permission: Send + Sync + 'static {
    /// Its definition.
    const DEF: PermissionDef;
}

/// Declares permissions as unit structs and collects them in `ALL`.
///
/// ```ignore
/// permissions! {
///     pub OrdersRead = "purchasing.orders.read", from Viewer, "See purchase orders";
/// }
/// ```
#[macro_export]
macro_rules! permissions {
    ($(pub $name:ident = $text:literal, from $role:ident, $description:literal;)*) => {
        $(
            #[doc = concat!("`", $text, "`: ", $description, ".")]
            #[derive(Debug)]
            pub struct $name;
            impl $crate::permission::Permission for $name {
                const DEF: $crate::permission::PermissionDef = $crate::permission::PermissionDef {
                    name: $text,
                    from: $crate::permission::Role::$role,
                    description: $description,
                };
            }
        )*
        /// Every permission declared here.
        pub const ALL: &[$crate::permission::PermissionDef] =
            &[$(<$name as $crate::permission::Permission>::DEF),*];
    };
}

//! Settings of roles.

use std::collections::BTreeMap;

/// What `ALTER ROLE … SET` left for a role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleSettings {
    /// Level of its transactions, in lower case as `SET TRANSACTION ISOLATION LEVEL` takes it.
    pub isolation: Option<String>,
    /// Everything else, by name.
    pub settings: BTreeMap<String, String>,
}

impl RoleSettings {
    pub(super) fn set(&mut self, name: String, value: String) {
        if name == "default_transaction_isolation" {
            self.isolation = Some(value.to_lowercase());
        } else {
            self.settings.insert(name, value);
        }
    }
}

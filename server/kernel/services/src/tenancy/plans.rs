//! What organisations are entitled to: plans as rows that the operator of the installation writes. Which plan an organisation has, and
//! which features it has beyond or below its plan, is for the operator to say, too.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenon_sdk::Result;
use tokio_postgres::Row;
use utoipa::ToSchema;

/// Something that a plan includes or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// A logo and a colour of its own.
    Branding,
    /// Roles beside the built-in ones.
    CustomRoles,
    /// Keys for programs.
    ApiKeys,
    /// Others are told what happens, at addresses of the organisation's choosing.
    Webhooks,
    /// The trail of what was done is kept for a year.
    AuditYear,
    /// The trail of what was done is kept for seven years.
    AuditRegulated,
}

impl Feature {
    /// All features.
    pub const ALL: [Self; 6] = [
        Self::Branding,
        Self::CustomRoles,
        Self::ApiKeys,
        Self::Webhooks,
        Self::AuditYear,
        Self::AuditRegulated,
    ];

    /// The word for it in plans and in an organisation's flags.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Branding => "branding",
            Self::CustomRoles => "custom_roles",
            Self::ApiKeys => "api_keys",
            Self::Webhooks => "webhooks",
            Self::AuditYear => "audit_year",
            Self::AuditRegulated => "audit_regulated",
        }
    }
}

/// A plan. `None` is no limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The word for it.
    pub name: String,
    /// For people.
    pub title: String,
    /// Most members, open invitations counted.
    pub members: Option<i32>,
    /// Most departments.
    pub departments: Option<i32>,
    /// What it includes.
    pub features: Vec<Feature>,
}

/// Joins the plan of an organisation `o` as `p`; one whose plan there is no more has the least.
pub(super) const OF_ORGANIZATION: &str = "left join lateral (select p.* from tenancy.plans p \
    order by p.name = o.plan desc, p.place, p.name limit 1) p on true";

/// The columns of a plan `p` that [`Plan::read`] takes.
pub(crate) const COLUMNS: &str = "p.name, p.title, p.members, p.departments, p.features";

impl Plan {
    /// Reads [`COLUMNS`], from the one at `first` on. Words for features that there are no more are passed over.
    pub(crate) fn read(row: &Row, first: usize) -> Result<Self> {
        let features: Option<Vec<String>> = row.try_get(first + 4)?;
        let features = features.unwrap_or_default();
        Ok(Self {
            name: row.try_get::<_, Option<String>>(first)?.unwrap_or_default(),
            title: row.try_get::<_, Option<String>>(first + 1)?.unwrap_or_default(),
            members: row.try_get(first + 2)?,
            departments: row.try_get(first + 3)?,
            features: Feature::ALL
                .into_iter()
                .filter(|feature| features.iter().any(|word| word == feature.as_str()))
                .collect(),
        })
    }

    /// What an organisation of this plan is entitled to, with its own flags (`{"flags": {"api_keys": true}}` in its settings).
    pub(crate) fn with_flags(self, settings: &Value) -> Entitlements {
        let features = Feature::ALL
            .into_iter()
            .filter(|feature| {
                settings["flags"][feature.as_str()]
                    .as_bool()
                    .unwrap_or_else(|| self.features.contains(feature))
            })
            .collect();
        Entitlements {
            plan: self.name,
            title: self.title,
            members: self.members,
            departments: self.departments,
            features,
        }
    }
}

/// What one organisation is entitled to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Entitlements {
    /// The plan.
    #[schema(example = "business")]
    pub plan: String,
    /// The plan's name for people.
    #[schema(example = "Business")]
    pub title: String,
    /// Most members, open invitations counted; absent: no limit.
    pub members: Option<i32>,
    /// Most departments; absent: no limit.
    pub departments: Option<i32>,
    /// What it includes.
    pub features: Vec<Feature>,
}

impl Entitlements {
    /// Whether a feature is included.
    pub fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn flags_give_and_take_features_and_nothing_else_does() {
        let plan = Plan {
            name: "free".into(),
            title: "Free".into(),
            members: Some(10),
            departments: None,
            features: vec![Feature::Branding],
        };
        let entitlements = |settings: &Value| plan.clone().with_flags(settings);
        let free = entitlements(&json!({}));
        assert!(free.has(Feature::Branding) && !free.has(Feature::ApiKeys));
        let more = entitlements(&json!({ "flags": { "api_keys": true, "branding": false } }));
        assert!(more.has(Feature::ApiKeys) && !more.has(Feature::Branding));
        assert_eq!(more.members, free.members);
        for odd in [
            json!(null),
            json!([]),
            json!({ "flags": 1 }),
            json!({ "flags": { "api_keys": "yes" } }),
        ] {
            assert_eq!(entitlements(&odd), free, "{odd}");
        }
    }
}

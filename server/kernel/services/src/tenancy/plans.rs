//! What organisations are entitled to: plans as data. Which plan an organisation has, and which features it has beyond or below
//! its plan, is for the operator of the installation to say.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Something that a plan includes or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// A logo and a colour of its own.
    Branding,
    /// Roles beside the built-in ones.
    CustomRoles,
    /// Keys for programs.
    ApiKeys,
}

impl Feature {
    /// All features.
    pub const ALL: [Self; 3] = [Self::Branding, Self::CustomRoles, Self::ApiKeys];

    /// The word for it in an organisation's flags.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Branding => "branding",
            Self::CustomRoles => "custom_roles",
            Self::ApiKeys => "api_keys",
        }
    }
}

/// A plan. `None` is no limit.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The word for it in the database.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// Most members, open invitations counted.
    pub members: Option<u32>,
    /// Most departments.
    pub departments: Option<u32>,
    /// What it includes.
    pub features: &'static [Feature],
}

/// All plans, the least first.
#[rustfmt::skip] // one plan a line
pub const PLANS: &[Plan] = &[
    Plan { name: "free", title: "Free", members: Some(10), departments: Some(5), features: &[Feature::Branding] },
    Plan { name: "team", title: "Team", members: Some(100), departments: Some(50), features: &[Feature::Branding, Feature::ApiKeys] },
    Plan { name: "business", title: "Business", members: None, departments: None, features: &Feature::ALL },
];

/// What one organisation is entitled to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Entitlements {
    /// The plan.
    #[schema(example = "business")]
    pub plan: &'static str,
    /// The plan's name for people.
    #[schema(example = "Business")]
    pub title: &'static str,
    /// Most members, open invitations counted; absent: no limit.
    pub members: Option<u32>,
    /// Most departments; absent: no limit.
    pub departments: Option<u32>,
    /// What it includes.
    pub features: Vec<Feature>,
}

impl Entitlements {
    /// Whether a feature is included.
    pub fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }
}

/// The entitlements of a plan, with an organisation's own flags (`{"flags": {"api_keys": true}}` in its settings). A plan that is not
/// known any more counts as the least.
pub fn entitlements(plan: &str, settings: &Value) -> Entitlements {
    let plan = PLANS.iter().find(|known| known.name == plan).unwrap_or(&PLANS[0]);
    let features = Feature::ALL
        .into_iter()
        .filter(|feature| {
            settings["flags"][feature.as_str()]
                .as_bool()
                .unwrap_or_else(|| plan.features.contains(feature))
        })
        .collect();
    Entitlements {
        plan: plan.name,
        title: plan.title,
        members: plan.members,
        departments: plan.departments,
        features,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_better_plan_lacks_nothing_of_a_lesser_one() {
        for pair in PLANS.windows(2) {
            let [less, more] = pair else { unreachable!() };
            let most = |limit: Option<u32>| limit.unwrap_or(u32::MAX);
            assert!(
                most(less.members) <= most(more.members) && most(less.departments) <= most(more.departments)
            );
            assert!(
                less.features
                    .iter()
                    .all(|feature| more.features.contains(feature))
            );
        }
    }

    #[test]
    fn flags_give_and_take_features_and_nothing_else_does() {
        let free = entitlements("free", &json!({}));
        assert!(free.has(Feature::Branding) && !free.has(Feature::ApiKeys));
        let more = entitlements(
            "free",
            &json!({ "flags": { "api_keys": true, "branding": false } }),
        );
        assert!(more.has(Feature::ApiKeys) && !more.has(Feature::Branding));
        assert_eq!(more.members, free.members);
        for odd in [
            json!(null),
            json!([]),
            json!({ "flags": 1 }),
            json!({ "flags": { "api_keys": "yes" } }),
        ] {
            assert_eq!(entitlements("free", &odd), free, "{odd}");
        }
        assert_eq!(entitlements("gone", &json!({})), free);
    }
}

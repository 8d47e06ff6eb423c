//! What the operator wants of a provider's page, and of what it tells about people.

use serde_json::{Map, Value};

use super::super::profile::{Profile, Reader};

/// Bytes that somebody's further claims may have together.
const MOST_CLAIMS: usize = 2048;
/// Words of GoTrue's for claims that have another name in OpenID Connect.
const ALSO: [(&str, &str); 3] = [
    ("full_name", "name"),
    ("avatar_url", "picture"),
    ("user_name", "preferred_username"),
];

pub(in super::super) struct Wishes {
    /// Added to the address that people are sent to.
    pub(in super::super) parameters: Vec<(String, String)>,
    /// Which claim stands for which; what is no text stands for itself.
    mapping: Map<String, Value>,
    /// Claims that are kept as they are told.
    kept: Vec<String>,
}

impl Wishes {
    pub(super) fn new(
        parameters: &Map<String, Value>,
        mapping: &Map<String, Value>,
        kept: &[String],
    ) -> Self {
        let parameters = parameters
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        Self {
            parameters: parameters.collect(),
            mapping: mapping.clone(),
            kept: kept.to_vec(),
        }
    }

    /// Who somebody is, from claims or from an answer in their form.
    pub(in super::super) fn read(&self, read: Reader, told: &Value) -> Option<Profile> {
        let claims = told.as_object()?;
        let mut mapped = claims.clone();
        for (target, source) in &self.mapping {
            let value = match source {
                Value::String(name) => claims.get(name).cloned(),
                literal => Some(literal.clone()),
            };
            if let Some(value) = value {
                let also = ALSO.iter().find(|(word, _)| word == target);
                let target = also.map_or(target.as_str(), |(_, claim)| *claim);
                mapped.insert(target.to_owned(), value);
            }
        }
        // `email_verified` is about the claim `email`, if there is one.
        let own = claims.get("email").unwrap_or(&Value::Null);
        let same = own.is_null() || mapped.get("email") == Some(own);
        let mut profile = read(&Value::Object(mapped), &Value::Null)?;
        profile.verified = profile.verified && same;
        profile.custom_claims = self.keep(claims);
        Some(profile)
    }

    /// The claims to keep, as far as there is room, without what the database cannot hold.
    fn keep(&self, claims: &Map<String, Value>) -> Map<String, Value> {
        let mut room = MOST_CLAIMS;
        let mut kept = Map::new();
        for name in &self.kept {
            let Some(value) = claims.get(name) else {
                continue;
            };
            let text = value.to_string();
            if text.contains("\\u0000") || text.len() > room {
                continue;
            }
            room -= text.len();
            kept.insert(name.clone(), value.clone());
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::super::profile::openid, *};

    fn wishes(mapping: &Value, kept: &[&str]) -> Wishes {
        let kept: Vec<String> = kept.iter().map(|name| (*name).to_owned()).collect();
        Wishes::new(&Map::new(), mapping.as_object().unwrap(), &kept)
    }

    #[test]
    fn claims_stand_for_others_and_texts_for_claims() {
        let mapping = json!({ "sub": "id", "full_name": "display", "avatar_url": "photo", "nickname": 7, "email": "none" });
        let told =
            json!({ "id": 42, "display": "Ada", "photo": "https://p.example/1", "email": "a@example.com" });
        let profile = wishes(&mapping, &[]).read(openid, &told).unwrap();
        assert_eq!(
            (
                profile.id.as_str(),
                profile.name.as_deref(),
                profile.email.as_deref()
            ),
            ("42", Some("Ada"), Some("a@example.com"))
        );
        assert_eq!(profile.picture.as_deref(), Some("https://p.example/1"));
        for nobody in [json!({}), json!([]), json!("x"), Value::Null] {
            assert_eq!(wishes(&mapping, &[]).read(openid, &nobody), None, "{nobody}");
        }
    }

    #[test]
    fn a_verified_address_does_not_verify_another() {
        let mapping = json!({ "email": "upn" });
        for (told, verified) in [
            (
                json!({ "sub": "7", "upn": "a@example.com", "email_verified": true }),
                true,
            ),
            (
                json!({ "sub": "7", "upn": "a@example.com", "email": "a@example.com", "email_verified": true }),
                true,
            ),
            (
                json!({ "sub": "7", "upn": "victim@example.com", "email": "own@example.com", "email_verified": true }),
                false,
            ),
            (json!({ "sub": "7", "upn": "a@example.com" }), false),
        ] {
            let profile = wishes(&mapping, &[]).read(openid, &told).unwrap();
            assert_eq!(profile.verified, verified, "{told}");
        }
    }

    #[test]
    fn only_listed_claims_are_kept_as_far_as_there_is_room() {
        let told = json!({
            "sub": "7", "groups": ["a", { "b": 1 }], "huge": "x".repeat(5000), "nul": ["a\0b"], "secret": "no",
        });
        let kept = ["huge", "nul", "groups", "absent", "groups"];
        let profile = wishes(&json!({}), &kept).read(openid, &told).unwrap();
        assert_eq!(
            Value::Object(profile.custom_claims),
            json!({ "groups": ["a", { "b": 1 }] })
        );
    }
}

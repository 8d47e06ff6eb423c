//! Rows, inserts, updates and calls of the data API. Generated; needs `serde` with `derive`, and `serde_json`.

#![allow(dead_code, clippy::all, clippy::pedantic)]

/// Distinguishes a key that is absent (`None`) from one that is null (`Some(None)`).
pub fn present<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    serde::Deserialize::deserialize(deserializer).map(Some)
}

/// The schema `depot`.
pub mod depot {
    #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct Address {
        pub street: Option<String>,
        pub zip: Option<String>,
    }
    #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, serde::Deserialize, serde::Serialize)]
    pub enum Size {
        #[serde(rename = "small")]
        Small,
        #[serde(rename = "large")]
        Large,
        #[serde(rename = "extra large")]
        ExtraLarge,
    }
    #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct BoxesRow {
        pub code: String,
        pub hall_id: i64,
        pub label: Option<String>,
        pub note: Option<serde_json::Value>,
        pub packed_at: String,
        pub sealed: Option<bool>,
        pub size: Size,
        pub volume: Option<f64>,
        pub weight: serde_json::Number,
    }
    #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct BoxesInsert {
        pub code: String,
        pub hall_id: i64,
        #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub note: Option<Option<serde_json::Value>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub packed_at: Option<String>,
        #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub sealed: Option<Option<bool>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub size: Option<Size>,
        #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub volume: Option<Option<f64>>,
        pub weight: serde_json::Number,
    }
    #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct BoxesUpdate {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub code: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub hall_id: Option<i64>,
        #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub note: Option<Option<serde_json::Value>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub packed_at: Option<String>,
        #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub sealed: Option<Option<bool>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub size: Option<Size>,
        #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub volume: Option<Option<f64>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub weight: Option<serde_json::Number>,
    }
    /// Halls
    ///
    /// Where boxes are kept.
    #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct HallsRow {
        pub address: Option<Address>,
        /// Free bays
        pub bays: Vec<i32>,
        pub colour: Option<serde_json::Value>,
        pub id: i64,
        pub mail: Option<String>,
        pub name: String,
        #[serde(rename = "opens at")]
        pub opens_at: Option<String>,
        pub r#type: Option<String>,
    }
    /// Halls
    ///
    /// Where boxes are kept.
    #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct HallsInsert {
        #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub address: Option<Option<Address>>,
        /// Free bays
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub bays: Option<Vec<i32>>,
        #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub colour: Option<Option<i32>>,
        #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub mail: Option<Option<String>>,
        pub name: String,
        #[serde(rename = "opens at", default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub opens_at: Option<Option<String>>,
        #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub r#type: Option<Option<String>>,
    }
    /// Halls
    ///
    /// Where boxes are kept.
    #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct HallsUpdate {
        #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub address: Option<Option<Address>>,
        /// Free bays
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub bays: Option<Vec<i32>>,
        #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub colour: Option<Option<i32>>,
        #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub mail: Option<Option<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub name: Option<String>,
        #[serde(rename = "opens at", default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub opens_at: Option<Option<String>>,
        #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub r#type: Option<Option<String>>,
    }
    #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct HeavyBoxesRow {
        pub code: Option<String>,
        pub weight: Option<serde_json::Number>,
    }
    #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct HeavyBoxesInsert {
        #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub code: Option<Option<String>>,
        #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub weight: Option<Option<serde_json::Number>>,
    }
    #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct HeavyBoxesUpdate {
        #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub code: Option<Option<String>>,
        #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub weight: Option<Option<serde_json::Number>>,
    }
    #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct SealsRow {
        pub r#box: String,
        pub marks: Option<Vec<Size>>,
        pub number: i32,
    }
    #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct SealsInsert {
        pub r#box: String,
        #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub marks: Option<Option<Vec<Size>>>,
        pub number: i32,
    }
    #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct SealsUpdate {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub r#box: Option<String>,
        #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
        pub marks: Option<Option<Vec<Size>>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub number: Option<i32>,
    }
    #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct TotalsRow {
        pub boxes: Option<i64>,
        pub hall_id: Option<i64>,
        pub weight: Option<serde_json::Number>,
    }
    pub type AsJsonReturns = serde_json::Value;
    #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct BoxesOfArgs {
        pub hall: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub lightest: Option<serde_json::Number>,
    }
    pub type BoxesOfReturns = Vec<BoxesRow>;
    pub type HeaviestReturns = Vec<BoxesRow>;
    #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct NearbyArgs {
        pub zip: String,
    }
    #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct NearbyRow {
        pub name: Option<String>,
        pub distance: Option<serde_json::Number>,
    }
    pub type NearbyReturns = Vec<NearbyRow>;
    #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct PackArgs {
        pub codes: Vec<String>,
    }
    pub type PackReturns = ();
    pub type ReadReturns = serde_json::Value;
    pub type SizesReturns = Vec<Size>;
    pub type TitleReturns = String;
    #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct WeighArgs {
        pub code: String,
    }
    pub type WeighReturns = serde_json::Number;
    #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    pub struct WeighArgs2 {
        pub code: String,
        pub unit: String,
    }
    pub type WeighReturns2 = String;
}

//! Which column holds which field.

use std::collections::HashMap;

use strsim::{jaro_winkler, osa_distance};
use tenon_sdk::imports::SheetSpec;

use super::normalise::{normalise, without_brackets};

/// Headings people have matched by hand before: normalised heading to field key, for each sheet key.
/// They win over everything else.
#[derive(Debug, Clone, Default)]
pub struct Remembered(HashMap<(String, String), Choice>);

/// What a person chose for a heading.
#[derive(Debug, Clone)]
enum Choice {
    Field(String),
    NoField,
}

impl Remembered {
    /// Notes that on this sheet this heading is this field, or no field at all.
    pub fn note(&mut self, sheet_key: &str, heading: &str, field_key: Option<&str>) {
        let choice = field_key.map_or(Choice::NoField, |key| Choice::Field(key.to_owned()));
        self.0.insert((sheet_key.to_owned(), normalise(heading)), choice);
    }

    fn get(&self, sheet_key: &str, normalised: &str) -> Option<&Choice> {
        self.0.get(&(sheet_key.to_owned(), normalised.to_owned()))
    }
}

/// The column found for one field.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnMatch {
    /// Key of the field.
    pub field: &'static str,
    /// Column, counted from 0; `None` if none fits.
    pub column: Option<u32>,
    /// 1 for an equal or remembered heading, less for a similar one, 0 for none.
    pub score: f64,
    /// For a required field without a column: the unused headings that come closest, best first.
    pub suggestions: Vec<String>,
}

/// Finds the column of each field by its heading: remembered ones first, then equal ones, then those that differ
/// by at most two letters (fewer in short words). A column serves one field only.
pub fn match_columns(spec: &SheetSpec, headings: &[String], remembered: &Remembered) -> Vec<ColumnMatch> {
    let forms: Vec<Heading> = headings.iter().map(|heading| Heading::new(heading)).collect();
    Wanted::new(spec).match_columns(&forms, headings, remembered)
}

/// A sheet of a template with the names of its fields in the form in which they are compared.
pub(super) struct Wanted<'s> {
    pub spec: &'s SheetSpec,
    names: Vec<Vec<Word>>,
}

impl<'s> Wanted<'s> {
    pub(super) fn new(spec: &'s SheetSpec) -> Self {
        let names = spec
            .fields
            .iter()
            .map(|field| {
                let mut names: Vec<Word> = [field.label, field.key]
                    .iter()
                    .chain(field.synonyms)
                    .map(|name| Word::new(normalise(name)))
                    .collect();
                names.dedup();
                names
            })
            .collect();
        Self { spec, names }
    }

    /// How well these headings fit: the sum of the scores of the fields that have a column.
    pub(super) fn fit(&self, forms: &[Heading], remembered: &Remembered) -> f64 {
        self.assign(forms, remembered)
            .0
            .iter()
            .flatten()
            .map(|(_, score)| score.min(1.0))
            .sum()
    }

    pub(super) fn match_columns(
        &self,
        forms: &[Heading],
        headings: &[String],
        remembered: &Remembered,
    ) -> Vec<ColumnMatch> {
        let (found, used) = self.assign(forms, remembered);
        self.spec
            .fields
            .iter()
            .zip(found)
            .zip(&self.names)
            .map(|((field, found), names)| match found {
                Some((column, score)) => ColumnMatch {
                    field: field.key,
                    column: u32::try_from(column).ok(),
                    score: score.min(1.0),
                    suggestions: Vec::new(),
                },
                None => ColumnMatch {
                    field: field.key,
                    column: None,
                    score: 0.0,
                    suggestions: if field.required {
                        suggest(names, forms, &used, headings)
                    } else {
                        Vec::new()
                    },
                },
            })
            .collect()
    }

    /// The column and score of each field, and which columns are used.
    fn assign(&self, forms: &[Heading], remembered: &Remembered) -> (Vec<Option<(usize, f64)>>, Vec<bool>) {
        let mut candidates = Vec::new();
        for (column, form) in forms.iter().enumerate().filter(|(_, form)| form.whole.length > 0) {
            match remembered.get(self.spec.key, &form.whole.text) {
                Some(Choice::Field(key)) => {
                    if let Some(field) = self.spec.index_of(key) {
                        candidates.push((2.0, field, column));
                        continue;
                    }
                }
                Some(Choice::NoField) => continue,
                None => {}
            }
            for (field, names) in self.names.iter().enumerate() {
                let score = names.iter().map(|name| form.score(name)).fold(0.0, f64::max);
                if score > 0.0 {
                    candidates.push((score, field, column));
                }
            }
        }
        candidates.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.2.cmp(&b.2)).then(a.1.cmp(&b.1)));
        let mut found: Vec<Option<(usize, f64)>> = vec![None; self.spec.fields.len()];
        let mut used = vec![false; forms.len()];
        for (score, field, column) in candidates {
            if found[field].is_none() && !used[column] {
                found[field] = Some((column, score));
                used[column] = true;
            }
        }
        (found, used)
    }
}

/// A normalised text, its number of letters, and which letters it has: a bit for each, some sharing one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    text: String,
    length: usize,
    letters: u64,
}

impl Word {
    pub(super) fn new(text: String) -> Self {
        let length = text.chars().count();
        let letters = text
            .chars()
            .fold(0, |some, letter| some | 1 << (u32::from(letter) % 64));
        Self {
            text,
            length,
            letters,
        }
    }

    /// Whether the other stands in this one as whole words.
    pub(super) fn contains(&self, other: &Self) -> bool {
        other.length > 0 && format!(" {} ", self.text).contains(&format!(" {} ", other.text))
    }

    /// Above 0 if the two differ by so few letters that it is likely a slip of the keyboard.
    pub(super) fn similarity(&self, other: &Self) -> f64 {
        let allowed = match self.length.min(other.length) {
            0..=3 => return 0.0,
            4..=7 => 1,
            _ => 2,
        };
        // One edit takes at most one letter away and brings one in.
        let apart = (self.letters ^ other.letters).count_ones();
        if self.length.abs_diff(other.length) > allowed as usize || apart > 2 * allowed {
            return 0.0;
        }
        match u32::try_from(osa_distance(&self.text, &other.text)) {
            Ok(distance) if distance <= allowed => 0.9 - 0.1 * f64::from(distance),
            _ => 0.0,
        }
    }
}

/// A heading in the forms in which it is compared.
#[derive(Debug, Clone)]
pub(super) struct Heading {
    whole: Word,
    short: Option<Word>,
}

impl Heading {
    /// Longest text that can be a heading; longer ones are notes or data.
    const LONGEST: usize = 120;

    pub(super) fn new(heading: &str) -> Self {
        let form = |text: &str| {
            Word::new(if text.len() > Self::LONGEST {
                String::new()
            } else {
                normalise(text)
            })
        };
        Self {
            whole: form(heading),
            short: without_brackets(heading).map(form),
        }
    }

    fn score(&self, name: &Word) -> f64 {
        if self.whole == *name {
            return 1.0;
        }
        if self.short.as_ref() == Some(name) {
            return 0.95;
        }
        let short = self.short.as_ref().map_or(0.0, |short| short.similarity(name));
        self.whole.similarity(name).max(short)
    }
}

fn suggest(names: &[Word], forms: &[Heading], used: &[bool], headings: &[String]) -> Vec<String> {
    let mut close: Vec<(f64, &String)> = forms
        .iter()
        .zip(headings)
        .zip(used)
        .filter(|((form, _), used)| !**used && form.whole.length > 0)
        .map(|((form, heading), _)| {
            (
                names
                    .iter()
                    .map(|name| jaro_winkler(&form.whole.text, &name.text))
                    .fold(0.0, f64::max),
                heading,
            )
        })
        .filter(|(score, _)| *score > 0.6)
        .collect();
    close.sort_by(|a, b| b.0.total_cmp(&a.0));
    close
        .into_iter()
        .take(3)
        .map(|(_, heading)| heading.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tenon_sdk::imports::{Field, FieldKind};

    use super::*;

    const fn field(key: &'static str, label: &'static str, synonyms: &'static [&'static str]) -> Field {
        Field {
            key,
            label,
            kind: FieldKind::Text { max: 100 },
            required: true,
            unique: false,
            synonyms,
            help: "",
            example: "",
        }
    }

    const SPEC: SheetSpec = SheetSpec {
        key: "orders",
        title: "Orders",
        names: &[],
        fields: &[
            field("number", "Order number", &["PO No.", "Purchase order"]),
            field("value", "Order value", &["Amount"]),
            field("supplier", "Supplier", &["Vendor"]),
        ],
    };

    fn columns(headings: &[&str], remembered: &Remembered) -> Vec<Option<u32>> {
        let headings: Vec<String> = headings.iter().map(|&heading| heading.to_owned()).collect();
        match_columns(&SPEC, &headings, remembered)
            .into_iter()
            .map(|found| found.column)
            .collect()
    }

    #[test]
    fn synonyms_brackets_and_slips_of_the_keyboard_are_understood() {
        assert_eq!(
            columns(&["Vendor", "PO #", "Amount (GBP)"], &Remembered::default()),
            [Some(1), Some(2), Some(0)]
        );
        assert_eq!(
            columns(
                &["Suplier", "Ordr valeu", "Puchase order"],
                &Remembered::default()
            ),
            [Some(2), Some(1), Some(0)]
        );
        assert_eq!(
            columns(&["Colour", "", "Size"], &Remembered::default()),
            [None, None, None]
        );
    }

    #[test]
    fn what_a_person_chose_before_wins_even_over_an_equal_heading() {
        let mut remembered = Remembered::default();
        remembered.note("orders", "Grand total", Some("value"));
        remembered.note("orders", "Amount", None);
        assert_eq!(
            columns(&["PO No.", "Amount", "GRAND TOTAL", "Vendor"], &remembered),
            [Some(0), Some(2), Some(3)]
        );
    }

    #[test]
    fn a_required_field_without_a_column_names_the_closest_headings() {
        let headings = [
            "PO No.".to_owned(),
            "Supply company".to_owned(),
            "Zebra".to_owned(),
        ];
        let found = match_columns(&SPEC, &headings, &Remembered::default());
        assert_eq!(found[2].suggestions, ["Supply company"]);
    }

    proptest! {
        #[test]
        fn a_column_is_never_used_twice(headings in prop::collection::vec(
            prop_oneof!["PO No\\.", "Amount", "Vendor", "Supplier", "Purchase ordr", "[a-zA-Z #()]{0,12}"], 0..12)
        ) {
            let found = match_columns(&SPEC, &headings, &Remembered::default());
            let mut columns: Vec<u32> = found.iter().filter_map(|found| found.column).collect();
            columns.sort_unstable();
            let count = columns.len();
            columns.dedup();
            prop_assert_eq!(columns.len(), count);
        }
    }
}

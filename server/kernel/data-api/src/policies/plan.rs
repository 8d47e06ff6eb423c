//! What a plan of PostgreSQL says about when conditions are looked at.

use serde::Serialize;
use serde_json::Value;

/// How often a condition is worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evaluation {
    /// Before any row is read.
    Once,
    /// By an index, which finds the rows.
    Index,
    /// Every row is compared with values that were worked out once.
    Compared,
    /// A function or subquery runs for every row.
    PerRow,
}

impl Evaluation {
    /// For people.
    pub fn told(self) -> &'static str {
        match self {
            Self::Once => "once, before any row is read",
            Self::Index => "once, an index finds the rows",
            Self::Compared => "values once, each row is compared with them",
            Self::PerRow => "PER ROW: a function or subquery runs for each of them",
        }
    }
}

/// A step that reads a relation, or decides that none is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What it is, and of which relation.
    pub name: String,
    /// Its conditions, under the names that PostgreSQL gives them.
    pub conditions: Vec<(String, String)>,
    /// How often they are worked out.
    pub evaluation: Evaluation,
    /// How often the step was taken.
    pub loops: Option<u64>,
    /// Rows that it gave, in one loop on average.
    pub rows: Option<u64>,
    /// Rows that it left out, in one loop on average.
    pub removed: Option<u64>,
}

/// How often the condition of a query that has no other is worked out.
pub fn evaluation(plan: &Value) -> Evaluation {
    let mut found = Evaluation::Once;
    visit(plan, &mut |node, inside| {
        if inside.is_none() {
            found = worse(found, of_node(node));
        }
    });
    found
}

/// Steps of a plan that read relations, decide once, or are subqueries of their own.
pub fn steps(plan: &Value) -> Vec<Step> {
    let mut steps = Vec::new();
    visit(plan, &mut |node, _| {
        let conditions: Vec<(String, String)> = CONDITIONS
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), node.get(*name)?.as_str()?.to_owned())))
            .collect();
        let text = |key: &str| node.get(key).and_then(Value::as_str);
        let subquery = text("Subplan Name");
        let decides = node.get("One-Time Filter").is_some();
        if text("Relation Name").is_none() && subquery.is_none() && !decides {
            return;
        }
        let mut name = text("Node Type").unwrap_or_default().to_owned();
        if let (Some(schema), Some(relation)) = (text("Schema"), text("Relation Name")) {
            name = format!("{name} on {schema}.{relation}");
        }
        if let Some(subquery) = subquery {
            name = format!("{subquery}: {name}");
        }
        steps.push(Step {
            name,
            conditions,
            evaluation: of_node(node),
            loops: number(node, "Actual Loops"),
            rows: number(node, "Actual Rows"),
            removed: number(node, "Rows Removed by Filter"),
        });
    });
    steps
}

/// Conditions that a step may have; those after the third are looked at for every row.
const CONDITIONS: [&str; 7] = [
    "One-Time Filter",
    "Index Cond",
    "Recheck Cond",
    "Filter",
    "Join Filter",
    "Hash Cond",
    "Merge Cond",
];

/// Rows are whole numbers until PostgreSQL 17, and have decimals since.
fn number(node: &Value, key: &str) -> Option<u64> {
    let number = node.get(key)?.as_f64()?;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count, rounded"
    )]
    Some(number.round().max(0.0) as u64)
}

fn of_node(node: &Value) -> Evaluation {
    let mut found = Evaluation::Once;
    for (index, name) in CONDITIONS.iter().enumerate() {
        let Some(text) = node.get(*name).and_then(Value::as_str) else {
            continue;
        };
        found = worse(
            found,
            match index {
                0 => Evaluation::Once,
                1 | 2 => Evaluation::Index,
                _ if works_per_row(text) => Evaluation::PerRow,
                _ => Evaluation::Compared,
            },
        );
    }
    found
}

fn worse(one: Evaluation, other: Evaluation) -> Evaluation {
    if (one as u8) < (other as u8) { other } else { one }
}

/// Nodes with the subquery that they belong to, if any.
fn visit<'a>(plan: &'a Value, act: &mut impl FnMut(&'a Value, Option<&'a str>)) {
    fn walk<'a>(node: &'a Value, inside: Option<&'a str>, act: &mut impl FnMut(&'a Value, Option<&'a str>)) {
        let own = node.get("Subplan Name").and_then(Value::as_str).or(inside);
        act(node, own);
        for child in node.get("Plans").and_then(Value::as_array).into_iter().flatten() {
            walk(child, own, act);
        }
    }
    if let Some(root) = plan.get(0).and_then(|first| first.get("Plan")) {
        walk(root, None, act);
    }
}

/// A condition calls a function, or runs a subquery that is not kept as a table.
fn works_per_row(condition: &str) -> bool {
    let mut rest = condition;
    let mut in_type = false;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => quoted(rest, first),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ if rest.starts_with("::") => 2,
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        let named = first == '"' || is_word(first);
        let keyword = first != '"' && !token.chars().any(char::is_lowercase);
        let hashed = condition[..condition.len() - rest.len()].ends_with("hashed ");
        if token == "SubPlan" && !hashed || named && !keyword && !in_type && after.starts_with('(') {
            return true;
        }
        in_type = token == "::" || in_type && (token == " " || named && !keyword);
        rest = after;
    }
    false
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// Bytes of a literal or quoted name with both of its quotes.
fn quoted(text: &str, quote: char) -> usize {
    text[1..].find(quote).map_or(text.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn calls_and_subqueries_are_found_and_nothing_else() {
        for per_row in [
            "(boxes.owner = auth.uid())",
            "(boxes.owner = \"odd name\"())",
            "((boxes.a > 1) AND EXISTS(SubPlan 1))",
            "(SubPlan 2)",
            "(boxes.owner = (current_setting('app.user'::text))::integer)",
            "(lower(boxes.name) = 'x'::text)",
        ] {
            assert!(works_per_row(per_row), "{per_row}");
        }
        for once in [
            "(boxes.owner = $0)",
            "(boxes.owner = (InitPlan 1).col1)",
            "(ANY (boxes.id = (hashed SubPlan 1).col1))",
            "(hashed SubPlan 1)",
            "(boxes.name = 'f(x)'::text)",
            "(boxes.name = 'it''s f(x)'::text)",
            "(boxes.price > (5)::numeric(10,2))",
            "((boxes.name)::character varying(20) = 'x'::text)",
            "(boxes.kind = ANY ('{a,b}'::text[]))",
            "(COALESCE(boxes.a, 1) = 1)",
            "boxes.open",
        ] {
            assert!(!works_per_row(once), "{once}");
        }
    }

    #[test]
    fn the_worst_condition_counts_but_not_those_of_subqueries() {
        let plan = json!([{"Plan": {"Node Type": "Seq Scan", "Filter": "(t.a = $0)", "Plans": [
            {"Node Type": "Seq Scan", "Parent Relationship": "InitPlan", "Subplan Name": "InitPlan 1", "Filter": "(f(u.x) = 1)"}]}}]);
        assert_eq!(evaluation(&plan), Evaluation::Compared);
        assert_eq!(
            steps(&plan).len(),
            1,
            "a subquery is told, the scan has no name here"
        );
        let once = json!([{"Plan": {"Node Type": "Result", "One-Time Filter": "f()", "Plans": [{"Node Type": "Seq Scan"}]}}]);
        assert_eq!(evaluation(&once), Evaluation::Once);
        let index = json!([{"Plan": {"Node Type": "Index Scan", "Index Cond": "(t.a = f())"}}]);
        assert_eq!(evaluation(&index), Evaluation::Index);
    }
}

//! The names by which filters, orders and limits call embeds: their aliases, and for older clients what the alias hides.

use super::query_params::QueryParams;
use super::types::{EmbedPath, SelectItem};

/// A name that an alias hides, and the alias.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HiddenName {
    /// What the embed was called by.
    pub name: String,
    /// What it should be called by.
    pub alias: String,
}

impl QueryParams {
    /// Turns names that aliases hide into the aliases, and remembers them.
    pub(super) fn resolve_hidden_names(&mut self) {
        let mut hidden = Vec::new();
        let select = &self.select;
        let mut resolve = |path: &mut EmbedPath| {
            for found in resolve(select, path) {
                if !hidden.contains(&found) {
                    hidden.push(found);
                }
            }
        };
        self.filters.iter_mut().for_each(|(path, _)| resolve(path));
        self.logic.iter_mut().for_each(|(path, _)| resolve(path));
        self.having.iter_mut().for_each(|(path, _)| resolve(path));
        self.order.iter_mut().for_each(|(path, _)| resolve(path));
        for (mut path, range) in std::mem::take(&mut self.ranges) {
            resolve(&mut path);
            self.ranges.insert(path, range);
        }
        self.hidden_names = hidden;
    }
}

fn resolve(select: &[SelectItem], path: &mut EmbedPath) -> Vec<HiddenName> {
    let mut items = select;
    let mut found = Vec::new();
    for name in path {
        let embeds = || {
            items.iter().filter_map(|item| match item {
                SelectItem::Embed(embed) => Some(embed),
                SelectItem::Field(_) => None,
            })
        };
        let shown = embeds().find(|embed| embed.alias.as_ref().unwrap_or(&embed.relation) == name);
        let Some(embed) = shown.or_else(|| embeds().find(|embed| embed.relation == *name)) else {
            break;
        };
        if let (None, Some(alias)) = (shown, &embed.alias) {
            found.push(HiddenName {
                name: std::mem::replace(name, alias.clone()),
                alias: alias.clone(),
            });
        }
        items = &embed.items;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_names_become_aliases_on_every_level() {
        let mut query = QueryParams::parse(
            "select=id,t:tasks(id,u:users(id)),users(id)&tasks.name=eq.x&tasks.users.id=eq.1&users.id=eq.2&t.limit=1&other.x=eq.1",
            false,
        )
        .expect("parses");
        query.resolve_hidden_names();
        let paths: Vec<String> = query.filters.iter().map(|(path, _)| path.join(".")).collect();
        assert_eq!(paths, ["t", "t.u", "users", "other"]);
        assert!(query.ranges.contains_key(&vec!["t".to_owned()]));
        let hidden: Vec<(&str, &str)> = query
            .hidden_names
            .iter()
            .map(|hidden| (hidden.name.as_str(), hidden.alias.as_str()))
            .collect();
        assert_eq!(hidden, [("tasks", "t"), ("users", "u")]);
    }
}

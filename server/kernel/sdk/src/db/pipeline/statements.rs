//! Which statements a connection has prepared, and under which names.
//!
//! A statement is known only once the server confirmed it: an error before it in the batch skips its `Parse`. Until
//! then every request parses it anew under a name of its own; the name confirmed first stays, the others are closed.

use std::{
    collections::HashMap,
    hash::{Hash, Hasher},
    sync::Arc,
};

/// Statements kept prepared on one connection.
const CAPACITY: usize = 512;

/// The role that a statement runs as.
#[derive(Clone, Debug)]
pub(in crate::db) enum Role {
    /// One of Tenon's own.
    Fixed(&'static str),
    /// One that somebody else made.
    Named(Arc<str>),
}

impl Role {
    /// For statements that are the same whoever runs them.
    pub(in crate::db) const ANY: Self = Self::Fixed("");

    fn name(&self) -> &str {
        match self {
            Self::Fixed(name) => name,
            Self::Named(name) => name,
        }
    }
}

impl PartialEq for Role {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Role {}

impl Hash for Role {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

/// Role and text: one text under two roles would be planned anew at each change of role.
pub(super) type Key = (Role, Arc<str>);

#[derive(Default)]
pub(super) struct Statements {
    names: HashMap<Key, (u64, u64)>,
    last_name: u64,
    uses: u64,
    to_close: Vec<u64>,
}

/// How a request refers to its statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Prepared(u64),
    Parse(u64),
}

impl Statements {
    pub(super) fn use_of(&mut self, key: &Key) -> Use {
        self.uses += 1;
        if let Some((name, used)) = self.names.get_mut(key) {
            *used = self.uses;
            return Use::Prepared(*name);
        }
        self.last_name += 1;
        Use::Parse(self.last_name)
    }

    pub(super) fn confirmed(&mut self, key: Key, name: u64) {
        if self.names.contains_key(&key) {
            self.to_close.push(name);
            return;
        }
        if self.names.len() >= CAPACITY {
            let oldest = self
                .names
                .iter()
                .min_by_key(|(_, (_, used))| *used)
                .map(|(key, _)| key.clone());
            if let Some((name, _)) = oldest.and_then(|key| self.names.remove(&key)) {
                self.to_close.push(name);
            }
        }
        self.uses += 1;
        self.names.insert(key, (name, self.uses));
    }

    pub(super) fn forget(&mut self, key: &Key) {
        if let Some((name, _)) = self.names.remove(key) {
            self.to_close.push(name);
        }
    }

    /// Names to close with the next batch. A batch sent earlier may still use them; the server works in order.
    pub(super) fn take_closing(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.to_close)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(sql: &str) -> Key {
        (Role::Fixed("authenticated"), sql.into())
    }

    #[test]
    fn a_statement_is_prepared_only_once_the_server_confirmed_it() {
        let mut statements = Statements::default();
        assert_eq!(statements.use_of(&key("a")), Use::Parse(1));
        assert_eq!(statements.use_of(&key("a")), Use::Parse(2));
        statements.confirmed(key("a"), 1);
        statements.confirmed(key("a"), 2);
        assert_eq!(statements.use_of(&key("a")), Use::Prepared(1));
        assert_eq!(statements.take_closing(), [2]);
    }

    #[test]
    fn the_least_recently_used_statement_makes_room() {
        let mut statements = Statements::default();
        for n in 0..CAPACITY {
            statements.confirmed(key(&n.to_string()), n as u64);
        }
        statements.use_of(&key("0"));
        statements.confirmed(key("new"), 9999);
        assert_eq!(statements.use_of(&key("0")), Use::Prepared(0));
        assert_eq!(statements.take_closing(), [1]);
        assert!(matches!(statements.use_of(&key("1")), Use::Parse(_)));
    }

    #[test]
    fn the_same_text_under_another_role_is_another_statement() {
        let mut statements = Statements::default();
        statements.confirmed((Role::Fixed("anon"), "a".into()), 7);
        assert!(matches!(statements.use_of(&key("a")), Use::Parse(_)));
        let same = (Role::Named("anon".into()), "a".into());
        assert_eq!(statements.use_of(&same), Use::Prepared(7));
    }
}

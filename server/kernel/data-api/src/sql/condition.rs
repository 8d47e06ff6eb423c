//! Prints columns, conditions and sort terms.

use super::read::{Level, Scope};
use super::writer::Writer;
use crate::api_request::{FullText, IsValue, JsonOperand, Logic, Nulls, Operation, Operator, Quantifier};
use crate::plan::{ColumnRef, Condition, GroupCondition, GroupValue, Order, SortKey};
use crate::schema_cache::QualifiedName;

impl Writer {
    /// A column's value, or all columns for `*`.
    pub(super) fn output_column(&mut self, scope: &Scope<'_>, column: &ColumnRef) {
        if column.name == "*" {
            self.all_of(scope.alias);
        } else {
            self.column(scope, column);
        }
    }

    /// A column's value.
    pub(super) fn column(&mut self, scope: &Scope<'_>, column: &ColumnRef) {
        let reached_into = !column.path.is_empty();
        if reached_into {
            self.push("(");
        }
        if column.to_json {
            self.push("to_jsonb(");
        }
        match &column.function {
            Some(function) if scope.has_row_type => {
                self.qualified(function);
                self.push("(");
                self.ident(scope.alias);
                self.push(")");
            }
            _ => self.member(scope.alias, &column.name),
        }
        if column.to_json {
            self.push(")");
        }
        for step in &column.path {
            self.push(if step.as_text { "->>" } else { "->" });
            match &step.operand {
                JsonOperand::Key(key) => self.text_param(key),
                JsonOperand::Index(index) => {
                    self.text_param(index);
                    self.push("::int");
                }
            }
        }
        if reached_into {
            self.push(")");
        }
    }

    pub(super) fn condition(&mut self, level: &Level<'_>, condition: &Condition) {
        match condition {
            Condition::Compare {
                column,
                negated,
                operation,
                reader,
            } => {
                if *negated {
                    self.push("NOT (");
                }
                let value = |writer: &mut Self| writer.column(&level.scope, column);
                self.comparison(&value, column.tsvector, operation, reader.as_ref());
                if *negated {
                    self.push(")");
                }
            }
            Condition::Embed { index, exists } => self.embed_exists(level, *index, *exists),
            Condition::Group {
                negated,
                logic,
                conditions,
            } => self.combined(*negated, *logic, conditions, |writer, part| {
                writer.condition(level, part);
            }),
        }
    }

    /// A test on a value of a group of rows.
    pub(super) fn group_condition(&mut self, level: &Level<'_>, condition: &GroupCondition) {
        match condition {
            GroupCondition::Compare {
                value,
                negated,
                operation,
            } => {
                self.push(if *negated { "NOT (" } else { "(" });
                self.comparison(&|writer| writer.group_value(level, value), false, operation, None);
                self.push(")");
            }
            GroupCondition::Group {
                negated,
                logic,
                conditions,
            } => self.combined(*negated, *logic, conditions, |writer, part| {
                writer.group_condition(level, part);
            }),
        }
    }

    /// `(a AND b)`
    fn combined<T>(&mut self, negated: bool, logic: Logic, parts: &[T], part: impl Fn(&mut Self, &T)) {
        self.push(if negated { "NOT (" } else { "(" });
        let between = match logic {
            Logic::And => " AND ",
            Logic::Or => " OR ",
        };
        for (index, one) in parts.iter().enumerate() {
            if index > 0 {
                self.push(between);
            }
            part(self, one);
        }
        self.push(")");
    }

    fn comparison(
        &mut self,
        column: &dyn Fn(&mut Self),
        tsvector: bool,
        operation: &Operation,
        reader: Option<&QualifiedName>,
    ) {
        match operation {
            Operation::Compare(operator, quantifier, value) => {
                column(self);
                self.push(" ");
                self.push(operator.sql());
                self.push(" ");
                // A pattern is no value of the type.
                let pattern = matches!(operator, Operator::Like | Operator::ILike);
                let value = if pattern { &value.replace('*', "%") } else { value };
                let reader = reader.filter(|_| !pattern);
                match quantifier {
                    Some(quantifier) => {
                        self.push(match quantifier {
                            Quantifier::Any => "ANY(",
                            Quantifier::All => "ALL(",
                        });
                        self.read_list(reader, value);
                        self.push(")");
                    }
                    None => self.read_value(reader, value),
                }
            }
            Operation::In(values) => {
                column(self);
                self.push(" = ANY(");
                self.read_list(reader, &crate::plan::array_literal(values));
                self.push(")");
            }
            Operation::Is(value) => {
                column(self);
                self.push(match value {
                    IsValue::Null => " IS NULL",
                    IsValue::NotNull => " IS NOT NULL",
                    IsValue::True => " IS TRUE",
                    IsValue::False => " IS FALSE",
                    IsValue::Unknown => " IS UNKNOWN",
                });
            }
            Operation::IsDistinct(value) => {
                column(self);
                self.push(" IS DISTINCT FROM ");
                self.read_value(reader, value);
            }
            Operation::FullText(form, language, value) => {
                if tsvector {
                    column(self);
                } else {
                    self.push("to_tsvector(");
                    self.language(language.as_deref());
                    column(self);
                    self.push(")");
                }
                self.push(match form {
                    FullText::Plain => " @@ to_tsquery(",
                    FullText::Words => " @@ plainto_tsquery(",
                    FullText::Phrase => " @@ phraseto_tsquery(",
                    FullText::Web => " @@ websearch_to_tsquery(",
                });
                self.language(language.as_deref());
                self.text_param(value);
                self.push(")");
            }
        }
    }

    /// A value to compare with.
    fn read_value(&mut self, reader: Option<&QualifiedName>, value: &str) {
        let Some(reader) = reader else {
            return self.text_param(value);
        };
        self.qualified(reader);
        self.push("(");
        self.text_param(value);
        self.push("::text)");
    }

    /// A list of values to compare with, in PostgreSQL's text form of an array.
    fn read_list(&mut self, reader: Option<&QualifiedName>, values: &str) {
        let Some(reader) = reader else {
            return self.text_param(values);
        };
        self.push("ARRAY(SELECT ");
        self.qualified(reader);
        self.push("(tenon_text) FROM unnest(");
        self.text_param(values);
        self.push("::text[]) AS tenon_text)");
    }

    fn language(&mut self, language: Option<&str>) {
        if let Some(language) = language {
            // Digits would be the number of a row in a catalogue.
            if language.bytes().all(|byte| byte.is_ascii_digit()) {
                self.text_param(&format!("\"{language}\""));
            } else {
                self.text_param(language);
            }
            self.push("::regconfig, ");
        }
    }

    pub(super) fn order(&mut self, level: &Level<'_>, order: &[Order]) {
        for (index, term) in order.iter().enumerate() {
            self.push(if index == 0 { " ORDER BY " } else { ", " });
            match &term.key {
                SortKey::Column(column) => match Self::grouped_position(level, column) {
                    Some(position) => self.number(position as u64 + 1),
                    None => self.column(&level.scope, column),
                },
                SortKey::Embed(embed, column) => self.embed_column(level, *embed, column),
                SortKey::Group(GroupValue::Output(position)) => self.number(*position as u64 + 1),
                SortKey::Group(value @ GroupValue::Aggregate(_)) => self.group_value(level, value),
            }
            self.push(match term.descending {
                Some(true) => " DESC",
                Some(false) => " ASC",
                None => "",
            });
            self.push(match term.nulls {
                Some(Nulls::First) => " NULLS FIRST",
                Some(Nulls::Last) => " NULLS LAST",
                None => "",
            });
        }
    }
}

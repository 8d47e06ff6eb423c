//! The words of the dialect as plain data: what the parsers produce and the planner reads.

/// Names of embeds from the root down: `orders.suppliers` in `orders.suppliers.name=eq.x`.
pub type EmbedPath = Vec<String>;

/// A column with an optional path into its JSON.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    /// Column, computed column, or `*`.
    pub name: String,
    /// Steps into the value; empty for the value itself.
    pub path: Vec<JsonStep>,
}

/// One `->` or `->>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JsonStep {
    /// `->>`: the result is text.
    pub as_text: bool,
    /// What is taken.
    pub operand: JsonOperand,
}

/// The key or index of a JSON step.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum JsonOperand {
    /// Key of an object.
    Key(String),
    /// Position in an array as written, digits with an optional minus.
    Index(String),
}

/// Aggregate functions that may stand in `select`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// `count()`
    Count,
    /// `sum()`
    Sum,
    /// `avg()`
    Avg,
    /// `min()`
    Min,
    /// `max()`
    Max,
}

impl Aggregate {
    /// Its name, in the dialect and in PostgreSQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
        }
    }
}

/// How an embed joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JoinKind {
    /// `!left`: the parent stays without children.
    Left,
    /// `!inner`: a parent without children is left out.
    Inner,
}

/// One item of `select`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SelectItem {
    /// A column.
    Field(SelectField),
    /// A related table.
    Embed(SelectEmbed),
}

/// `alias:name->path::cast.aggregate()::cast`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SelectField {
    /// The column; `*` for all, also for `count()`.
    pub field: Field,
    /// Name in the output.
    pub alias: Option<String>,
    /// Type to cast to; letters, digits, `_`, `$` and spaces only.
    pub cast: Option<String>,
    /// Aggregate and the cast of its result.
    pub aggregate: Option<(Aggregate, Option<String>)>,
}

/// `alias:relation!hint!inner(items)`, or `...relation(items)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SelectEmbed {
    /// Table, constraint, foreign-key column or computed relationship.
    pub relation: String,
    /// Name in the output and in filters.
    pub alias: Option<String>,
    /// Which relationship, if there are several.
    pub hint: Option<String>,
    /// `!inner` or `!left`, if said.
    pub join: Option<JoinKind>,
    /// `...`: the columns go into the parent.
    pub spread: bool,
    /// What is selected of the related table.
    pub items: Vec<SelectItem>,
}

/// Binary operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `eq`
    Equal,
    /// `neq`
    NotEqual,
    /// `gt`
    Greater,
    /// `gte`
    GreaterEqual,
    /// `lt`
    Less,
    /// `lte`
    LessEqual,
    /// `like`, with `*` for `%`
    Like,
    /// `ilike`, with `*` for `%`
    ILike,
    /// `match`
    Match,
    /// `imatch`
    IMatch,
    /// `cs`
    Contains,
    /// `cd`
    ContainedIn,
    /// `ov`
    Overlaps,
    /// `sl`
    StrictlyLeft,
    /// `sr`
    StrictlyRight,
    /// `nxr`
    NotExtendsRight,
    /// `nxl`
    NotExtendsLeft,
    /// `adj`
    Adjacent,
}

impl Operator {
    /// PostgreSQL's spelling.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Like => "like",
            Self::ILike => "ilike",
            Self::Match => "~",
            Self::IMatch => "~*",
            Self::Contains => "@>",
            Self::ContainedIn => "<@",
            Self::Overlaps => "&&",
            Self::StrictlyLeft => "<<",
            Self::StrictlyRight => ">>",
            Self::NotExtendsRight => "&<",
            Self::NotExtendsLeft => "&>",
            Self::Adjacent => "-|-",
        }
    }
}

/// `any` or `all` of a list of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// `(any)`
    Any,
    /// `(all)`
    All,
}

/// What `is` may test for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IsValue {
    /// `null`
    Null,
    /// `not_null`
    NotNull,
    /// `true`
    True,
    /// `false`
    False,
    /// `unknown`
    Unknown,
}

/// Full-text query forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FullText {
    /// `fts`: `to_tsquery`
    Plain,
    /// `plfts`: `plainto_tsquery`
    Words,
    /// `phfts`: `phraseto_tsquery`
    Phrase,
    /// `wfts`: `websearch_to_tsquery`
    Web,
}

/// The right-hand side of a filter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `op.value`, `op(any).{values}`
    Compare(Operator, Option<Quantifier>, String),
    /// `in.(a,b)`
    In(Vec<String>),
    /// `is.null` …
    Is(IsValue),
    /// `isdistinct.value`
    IsDistinct(String),
    /// `fts(language).query`
    FullText(FullText, Option<String>, String),
}

/// One test on one field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Filter {
    /// What is tested.
    pub field: Field,
    /// `not.` before the operator.
    pub negated: bool,
    /// The test.
    pub operation: Operation,
}

/// `and` or `or`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Logic {
    /// All must hold.
    And,
    /// One must hold.
    Or,
}

/// Filters combined, or other tests.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LogicTree<T = Filter> {
    /// A leaf.
    Filter(T),
    /// `and(…)`, `not.or(…)`
    Group {
        /// `not.` before it.
        negated: bool,
        /// How the parts combine.
        logic: Logic,
        /// The parts.
        trees: Vec<LogicTree<T>>,
    },
}

/// What `having` tests.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GroupField {
    /// `column::cast.sum()::cast`, without an alias.
    Aggregate(SelectField),
    /// An aggregate of `select` by its name in the output.
    Output(String),
}

/// One test on a group of rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GroupFilter {
    /// What is tested.
    pub field: GroupField,
    /// `not.` before the operator.
    pub negated: bool,
    /// The test.
    pub operation: Operation,
}

/// The tree of `having`.
pub type HavingTree = LogicTree<GroupFilter>;

/// Where nulls sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nulls {
    /// `nullsfirst`
    First,
    /// `nullslast`
    Last,
}

/// What a term of `order` sorts by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OrderBy {
    /// A field, or an output of grouped rows by its name.
    Field(Field),
    /// A field of a to-one embed: `rel(field)`.
    Related(String, Field),
    /// An aggregate: `column.sum()`.
    Aggregate(SelectField),
}

/// One term of `order`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderTerm {
    /// What is sorted by.
    pub by: OrderBy,
    /// `Some(true)` for `desc`, `Some(false)` for `asc`.
    pub descending: Option<bool>,
    /// Where nulls sort, if said.
    pub nulls: Option<Nulls>,
}

/// `limit` and `offset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Range {
    /// Rows skipped.
    pub offset: u64,
    /// Most rows returned; none for all.
    pub limit: Option<u64>,
}

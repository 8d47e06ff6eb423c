//! What the planner decides and the SQL stage prints.

use bytes::Bytes;
use uuid::Uuid;

use super::Nested;
use crate::api_request::{
    Aggregate, Count, ExplainOption, JsonStep, Logic, MediaType, Mutation, Nulls, Operation, Range,
    Resolution, Return,
};
use crate::openapi;
use crate::schema_cache::{Junction, QualifiedName, Returns};

/// A request, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What is done.
    pub action: PlannedAction,
    /// What the answer is written in.
    pub media: MediaType,
    /// What writes it.
    pub handler: Handler,
    /// Not the answer is wanted but how PostgreSQL would find it.
    pub explain: Option<Explain>,
    /// No body is wanted.
    pub head: bool,
    /// Whether and how the total is counted.
    pub count: Option<Count>,
    /// Rows asked for, before the server's own limit.
    pub range: Range,
    /// The server's own limit.
    pub max_rows: Option<u64>,
    /// The organisation, bound as a parameter wherever a tenant table is touched.
    pub tenant: Option<Uuid>,
    /// The time zone that the statement runs under, if one was wished; PostgreSQL judges it.
    pub timezone: Option<String>,
    /// Embeds are written as `jsonb`.
    pub jsonb_embeds: bool,
    /// Rows that nobody orders come as their table is scanned.
    pub scan_order: bool,
    /// The function by which the statement itself refuses a result that must not stand.
    pub raise: Option<QualifiedName>,
}

/// What writes the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handler {
    /// JSON, in the form that the media type says.
    Json,
    /// Comma-separated values.
    Csv,
    /// A line of JSON for each row.
    Lines,
    /// A collection of features, by a function that shows a row as one.
    GeoJson(Option<QualifiedName>),
    /// An aggregate over the rows.
    Aggregate {
        /// The aggregate.
        aggregate: QualifiedName,
        /// The relation whose rows it takes; none if it takes any.
        relation: Option<QualifiedName>,
        /// How its result becomes a body.
        wire: Wire,
    },
    /// Nothing: the called function's value is the answer.
    Value(Wire),
}

/// How the value that a custom handler made becomes a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// It is text of some kind already.
    AsItIs,
    /// Its text form.
    Text,
    /// Its bytes.
    Bytes,
    /// `jsonb` in its binary form, one byte of version and the text: what other servers of this dialect send.
    Jsonb,
}

/// How a plan of PostgreSQL is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explain {
    /// As JSON, else as text.
    pub json: bool,
    /// What it tells.
    pub options: Vec<ExplainOption>,
    /// The media type with its parameters.
    pub media: MediaType,
}

impl Explain {
    /// The request itself is run, to measure it.
    pub fn runs(&self) -> bool {
        self.options.contains(&ExplainOption::Analyze)
    }
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlannedAction {
    /// Rows are read.
    Read(ReadPlan),
    /// Rows are changed.
    Mutate(Box<MutatePlan>),
    /// A function is called.
    Call(Box<CallPlan>),
    /// The schema is described.
    Describe(Box<DescribePlan>),
    /// Only the allowed methods are told; the database is not asked.
    Info(Vec<&'static str>),
}

/// The description of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribePlan {
    /// The schema.
    pub schema: String,
    /// How it is described.
    pub options: openapi::Options,
}

/// A column, wherever it stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ColumnRef {
    /// Name; `*` for all.
    pub name: String,
    /// The function that computes it from the row.
    pub function: Option<QualifiedName>,
    /// Steps into its JSON.
    pub path: Vec<JsonStep>,
    /// The value is no JSON yet, but is reached into.
    pub to_json: bool,
    /// The value can be searched as it is.
    pub tsvector: bool,
}

/// A column of the output.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OutputColumn {
    /// Where it comes from.
    pub column: ColumnRef,
    /// The function that shows its value as JSON, where the type has one.
    pub shown: Option<QualifiedName>,
    /// Type it is cast to.
    pub cast: Option<String>,
    /// Its name, if it is not the column's own.
    pub name: Option<String>,
    /// The aggregate of it over the rows of a group.
    pub aggregate: Option<AggregateCall>,
}

impl OutputColumn {
    /// What it is called in the output.
    pub fn output_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.column.name)
    }
}

/// An aggregate function and what becomes of its result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AggregateCall {
    /// The function.
    pub function: Aggregate,
    /// Type that its result is cast to.
    pub cast: Option<String>,
}

/// A test that rows must pass.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Condition {
    /// On a column.
    Compare {
        /// The column.
        column: ColumnRef,
        /// The opposite is wanted.
        negated: bool,
        /// The test.
        operation: Operation,
        /// The function that reads values to compare with, where the type has one.
        reader: Option<QualifiedName>,
    },
    /// On an embed: whether it has rows.
    Embed {
        /// Position in [`ReadPlan::embeds`].
        index: usize,
        /// It must have rows, or must not.
        exists: bool,
    },
    /// Combined.
    Group {
        /// The opposite is wanted.
        negated: bool,
        /// How the parts combine.
        logic: Logic,
        /// The parts.
        conditions: Vec<Condition>,
    },
}

/// A value of a group of rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GroupValue {
    /// One of [`ReadPlan::outputs`], by its position.
    Output(usize),
    /// An aggregate that is not shown.
    Aggregate(Box<OutputColumn>),
}

/// A test that groups of rows must pass.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GroupCondition {
    /// On a value of the group.
    Compare {
        /// The value.
        value: GroupValue,
        /// The opposite is wanted.
        negated: bool,
        /// The test.
        operation: Operation,
    },
    /// Combined.
    Group {
        /// The opposite is wanted.
        negated: bool,
        /// How the parts combine.
        logic: Logic,
        /// The parts.
        conditions: Vec<GroupCondition>,
    },
}

/// What rows are sorted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SortKey {
    /// A column.
    Column(ColumnRef),
    /// A column of a to-one embed: a position in [`ReadPlan::embeds`].
    Embed(usize, ColumnRef),
    /// A value of the group.
    Group(GroupValue),
}

/// One term of the sort order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Order {
    /// What is sorted by.
    pub key: SortKey,
    /// `Some(true)` for descending.
    pub descending: Option<bool>,
    /// Where nulls sort.
    pub nulls: Option<Nulls>,
}

/// Rows of one relation, with what is embedded in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPlan {
    /// The relation.
    pub table: QualifiedName,
    /// `org_id` is compared with the organisation.
    pub tenant: bool,
    /// Columns of the output.
    pub select: Vec<OutputColumn>,
    /// What is embedded.
    pub embeds: Vec<Embed>,
    /// All must hold.
    pub conditions: Vec<Condition>,
    /// All must hold of a group.
    pub having: Vec<GroupCondition>,
    /// Sort order.
    pub order: Vec<Order>,
    /// Rows wanted.
    pub range: Range,
    /// Some of its outputs are aggregates; by the others its rows are grouped.
    pub grouped: bool,
    /// It is grouped, or spread into something grouped: whatever is embedded here must be comparable.
    pub comparable: bool,
}

impl ReadPlan {
    /// It, or what is embedded in it, belongs to tenants and the organisation is known.
    pub fn reads_tenants(&self) -> bool {
        self.tenant || self.embeds.iter().any(|embed| embed.read.reads_tenants())
    }

    /// What there is in the output, in order. Columns come first, then embeds.
    pub fn outputs(&self) -> Vec<Output<'_>> {
        let columns = self.select.iter().map(Output::Column);
        let embeds = self.embeds.iter().enumerate().flat_map(|(index, embed)| {
            let offered = match embed.output {
                EmbedOutput::Columns => embed.read.outputs(),
                _ => Vec::new(),
            };
            let whole = match embed.output {
                EmbedOutput::Nested => Some(Output::Embed(index)),
                EmbedOutput::Spread => Some(Output::Spread(index)),
                EmbedOutput::Columns | EmbedOutput::Hidden => None,
            };
            let columns =
                offered
                    .into_iter()
                    .enumerate()
                    .map(move |(position, inner)| Output::SpreadColumn {
                        embed: index,
                        position,
                        name: inner.name(&embed.read),
                        aggregate: inner.aggregate().filter(|_| embed.to_one),
                    });
            whole.into_iter().chain(columns)
        });
        columns.chain(embeds).collect()
    }

    /// Its rows, or those of something embedded in it, are grouped.
    pub fn aggregates(&self) -> bool {
        self.grouped || self.embeds.iter().any(|embed| embed.read.aggregates())
    }

    /// Nothing of it would be seen.
    pub fn is_hidden(&self) -> bool {
        self.select.is_empty()
            && self
                .embeds
                .iter()
                .all(|embed| embed.output == EmbedOutput::Hidden)
    }
}

/// One item of a read's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output<'a> {
    /// A column of its own.
    Column(&'a OutputColumn),
    /// An embed under its name.
    Embed(usize),
    /// All columns of a spread embed.
    Spread(usize),
    /// One column of a spread embed.
    SpreadColumn {
        /// The embed.
        embed: usize,
        /// Position in the embed's own outputs.
        position: usize,
        /// Its name.
        name: &'a str,
        /// The aggregate that was asked for inside the spread; it is taken here.
        aggregate: Option<&'a AggregateCall>,
    },
}

impl<'a> Output<'a> {
    /// Its name; empty for all columns of a spread.
    pub fn name(&self, plan: &'a ReadPlan) -> &'a str {
        match self {
            Self::Column(column) => column.output_name(),
            Self::Embed(index) => &plan.embeds[*index].name,
            Self::Spread(_) => "",
            Self::SpreadColumn { name, .. } => name,
        }
    }

    /// The aggregate of it.
    pub fn aggregate(&self) -> Option<&'a AggregateCall> {
        match self {
            Self::Column(column) => column.aggregate.as_ref(),
            Self::SpreadColumn { aggregate, .. } => *aggregate,
            Self::Embed(_) | Self::Spread(_) => None,
        }
    }
}

/// A related relation inside a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embed {
    /// Name in the output.
    pub name: String,
    /// How the far side is reached.
    pub via: Via,
    /// One object, not an array.
    pub to_one: bool,
    /// Parents without it are left out.
    pub inner: bool,
    /// Where its columns go.
    pub output: EmbedOutput,
    /// The far side.
    pub read: ReadPlan,
}

/// Where the columns of an embed go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EmbedOutput {
    /// Under its name.
    Nested,
    /// Into the parent, `...rel(a)`, all at once.
    Spread,
    /// Into the parent one by one: those of many rows as arrays, those that are aggregated as the aggregate's argument.
    Columns,
    /// Nowhere, `rel()`: it only filters.
    Hidden,
}

/// How the far side of an embed is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// By pairs of near and far column.
    Columns(Vec<(String, String)>),
    /// Through a junction.
    Junction {
        /// The table between.
        junction: Junction,
        /// The junction's `org_id` is compared with the organisation.
        tenant: bool,
    },
    /// By a function of the near row.
    Function(QualifiedName),
}

/// A column that a payload fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadColumn {
    /// Name.
    pub name: String,
    /// Type as it may stand in a cast.
    pub type_name: String,
    /// Expression of its default.
    pub default: Option<String>,
    /// The function that reads its value from JSON, where the type has one.
    pub reader: Option<QualifiedName>,
}

/// What an insert does with rows that exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Columns of the unique key.
    pub columns: Vec<String>,
    /// Update or leave alone.
    pub resolution: Resolution,
}

/// What a write hands on to the read of its representation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Returning {
    /// All columns.
    pub all: bool,
    /// These columns, if not all.
    pub columns: Vec<String>,
    /// Computed columns and their functions.
    pub computed: Vec<(String, QualifiedName)>,
}

/// Rows are changed, and what was changed is read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent facts, each printed at its own place"
)]
pub struct MutatePlan {
    /// How.
    pub mutation: Mutation,
    /// The relation.
    pub table: QualifiedName,
    /// It belongs to tenants and the organisation is known.
    pub tenant: bool,
    /// JSON text of the rows: an object if `payload_object`, else an array.
    pub payload: Bytes,
    /// The payload is one object.
    pub payload_object: bool,
    /// Columns that the payload fills.
    pub columns: Vec<PayloadColumn>,
    /// The payload says whose the rows are; else the organisation is filled in.
    pub payload_has_tenant: bool,
    /// Missing keys become defaults instead of nulls.
    pub missing_default: bool,
    /// Upsert.
    pub conflict: Option<Conflict>,
    /// Which rows are changed; for PUT, the key that the payload must have.
    pub conditions: Vec<Condition>,
    /// What the answer shows.
    pub representation: Return,
    /// Columns needed of the changed rows.
    pub returning: Returning,
    /// Key columns for `Location`.
    pub location: Vec<String>,
    /// More changed rows than this are refused.
    pub max_affected: Option<i64>,
    /// The rows have rows inside them: steps that come before, in place of the one insert.
    pub nested: Option<Nested>,
    /// How the changed rows are read; its relation is the write's result.
    pub read: ReadPlan,
}

impl MutatePlan {
    /// A single-row upsert.
    pub fn is_put(&self) -> bool {
        self.mutation == Mutation::Put
    }

    /// An update without columns changes nothing.
    pub fn is_empty_update(&self) -> bool {
        self.mutation == Mutation::Update && self.columns.is_empty()
    }
}

/// One argument of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallArgument {
    /// Name.
    pub name: String,
    /// Type as it may stand in a cast.
    pub type_name: String,
    /// `VARIADIC`
    pub variadic: bool,
    /// Its value as text, when called by GET.
    pub value: Option<String>,
}

/// How the arguments of a call are passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallArguments {
    /// Each as its own parameter, from the query string.
    Query(Vec<CallArgument>),
    /// From one JSON object, or the first of an array.
    Json {
        /// The text.
        text: Bytes,
        /// It is an array.
        array: bool,
        /// The arguments taken from it.
        arguments: Vec<CallArgument>,
    },
    /// The body is the only argument, which has no name; with its type.
    Unnamed(Bytes, String),
}

/// A function is called and what it returns is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallPlan {
    /// The function.
    pub function: QualifiedName,
    /// Its arguments.
    pub arguments: CallArguments,
    /// It returns a set.
    pub returns_set: bool,
    /// What a row is.
    pub returns: Returns,
    /// Called by GET or HEAD, or declared not to write.
    pub read_only: bool,
    /// More rows than this are refused.
    pub max_affected: Option<i64>,
    /// What `SET` says of the function: name and value.
    pub settings: Vec<(String, String)>,
    /// How the result is read; its relation is the call.
    pub read: ReadPlan,
}

impl CallPlan {
    /// It returns one value: whether there is one is not for the rows to say.
    pub fn returns_value(&self) -> bool {
        !self.has_columns() && !self.returns_set
    }

    /// Its rows have columns that can be named.
    pub fn has_columns(&self) -> bool {
        self.returns == Returns::Composite
    }
}

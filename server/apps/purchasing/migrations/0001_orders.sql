-- Suppliers, purchase orders, quantity surveys against them, alerts, and the organisation's settings.
-- Foreign keys follow in 0002. Formulas are in this app's README.
--
-- Names and numbers are compared by stored keys, not by expressions: under row-level security an index on lower(number) is
-- never used, because lower() might leak what it is given.

create table purchasing.suppliers (
  org_id uuid not null,
  id uuid not null,
  name text not null check (name <> '' and length(name) <= 200),
  name_key text not null generated always as (lower(btrim(name))) stored,
  import_id uuid,
  created_at timestamptz not null,
  primary key (org_id, id),
  unique (org_id, name_key)
);
comment on table purchasing.suppliers is 'Suppliers of purchase orders; one per name, whatever its case or outer spaces.';
comment on column purchasing.suppliers.name is 'The name as it was first written.';
comment on column purchasing.suppliers.name_key is 'The name in lower case without outer spaces; unique in the organisation.';
comment on column purchasing.suppliers.import_id is 'The import that brought the supplier.';

create table purchasing.orders (
  org_id uuid not null,
  id uuid not null,
  number text not null check (number <> '' and length(number) <= 60),
  number_key text not null generated always as (lower(number)) stored,
  description text,
  supplier_id uuid not null,
  project text,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  original_value numeric(19,4) not null check (original_value >= 0),
  current_value numeric(19,4) not null check (current_value >= 0),
  billed_to_date numeric(19,4) not null default 0,
  utilisation numeric generated always as (trim_scale(billed_to_date * 100 / nullif(current_value, 0))) stored,
  level text not null default 'on_track' check (level in ('on_track', 'warning', 'critical', 'over_budget')),
  start_date date,
  due_date date,
  import_id uuid,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (org_id, id),
  unique (org_id, number_key),
  check (due_date >= start_date)
);
create index orders_number on purchasing.orders (org_id, number);
create index orders_created on purchasing.orders (org_id, created_at desc);
create index orders_level on purchasing.orders (org_id, level, utilisation desc);
create index orders_utilisation on purchasing.orders (org_id, utilisation desc);
create index orders_supplier on purchasing.orders (org_id, supplier_id);
create index orders_due on purchasing.orders (org_id, due_date);
create index orders_import on purchasing.orders (org_id, import_id);
comment on table purchasing.orders is 'Purchase orders: what was ordered, what has been billed of it, and the level that makes.';
comment on column purchasing.orders.number is 'The order number as the organisation writes it.';
comment on column purchasing.orders.number_key is 'The number in lower case; unique in the organisation.';
comment on column purchasing.orders.currency is 'ISO 4217 code of every amount of this order.';
comment on column purchasing.orders.original_value is 'Value when the order was placed; never changed.';
comment on column purchasing.orders.current_value is 'Original value plus approved variations.';
comment on column purchasing.orders.billed_to_date is 'Sum of the certified entries, kept by the transaction that posts them.';
comment on column purchasing.orders.utilisation is 'Billed to date as a percentage of the current value, not rounded; null if the current value is 0.';
comment on column purchasing.orders.level is 'on_track, warning, critical or over_budget; exactly 100 % is critical.';
comment on column purchasing.orders.due_date is 'Last day of delivery; the order is overdue after it while not fully billed.';
comment on column purchasing.orders.import_id is 'The import that brought the order.';

create table purchasing.entries (
  org_id uuid not null,
  id uuid not null,
  number text not null check (number <> '' and length(number) <= 60),
  number_key text not null generated always as (lower(number)) stored,
  order_id uuid not null,
  note text,
  survey_date date not null,
  amount numeric(19,4) not null,
  surveyor text,
  state text not null check (state in ('draft', 'submitted', 'certified', 'rejected', 'reversed')),
  import_id uuid,
  created_at timestamptz not null,
  primary key (org_id, id),
  unique (org_id, number_key)
);
create index entries_order on purchasing.entries (org_id, order_id, survey_date);
-- An import's rows lie together; that is all this index has to know, and it costs an insert nothing.
create index entries_import on purchasing.entries using brin (org_id, import_id);
comment on table purchasing.entries is 'Quantity surveys: the amount of one period billed against an order.';
comment on column purchasing.entries.number is 'The survey''s number as the organisation writes it.';
comment on column purchasing.entries.number_key is 'The number in lower case; unique in the organisation.';
comment on column purchasing.entries.survey_date is 'The day the quantities were surveyed; decides the month the amount counts in.';
comment on column purchasing.entries.amount is 'This period''s amount in the order''s currency; negative for a reversal.';
comment on column purchasing.entries.state is 'draft, submitted, certified, rejected or reversed; only certified entries are billed.';
comment on column purchasing.entries.import_id is 'The import that brought the entry.';

create table purchasing.alerts (
  org_id uuid not null,
  id uuid not null,
  order_id uuid not null,
  level text not null check (level in ('warning', 'critical', 'over_budget')),
  state text not null check (state in ('open', 'escalated', 'acknowledged', 'resolved')),
  utilisation numeric,
  import_id uuid,
  opened_at timestamptz not null,
  acknowledged_at timestamptz,
  acknowledged_by uuid,
  note text check (length(note) <= 2000),
  resolved_at timestamptz,
  primary key (org_id, id),
  check ((state = 'resolved') = (resolved_at is not null)),
  check (state <> 'acknowledged' or acknowledged_at is not null)
);
create unique index alerts_live on purchasing.alerts (org_id, order_id, level) where state <> 'resolved';
create index alerts_order on purchasing.alerts (org_id, order_id, opened_at desc);
create index alerts_state on purchasing.alerts (org_id, state, opened_at desc);
create index alerts_opened on purchasing.alerts (org_id, opened_at desc);
comment on table purchasing.alerts is 'An order rose to a level; at most one live alert per order and level.';
comment on column purchasing.alerts.level is 'The level that was reached: warning, critical or over_budget.';
comment on column purchasing.alerts.state is 'open, escalated, acknowledged or resolved.';
comment on column purchasing.alerts.utilisation is 'The order''s utilisation when the alert was opened; null if the order has no value.';
comment on column purchasing.alerts.import_id is 'The import whose figures opened the alert.';
comment on column purchasing.alerts.acknowledged_by is 'The user who acknowledged it.';
comment on column purchasing.alerts.note is 'What the acknowledging user wrote; required at critical and above.';
comment on column purchasing.alerts.resolved_at is 'When it was settled, or the order fell back below the level.';

create table purchasing.settings (
  org_id uuid not null,
  warning numeric(5,2) not null default 80,
  critical numeric(5,2) not null default 95,
  primary key (org_id),
  check (0 < warning and warning < critical and critical <= 100)
);
comment on table purchasing.settings is 'The organisation''s thresholds; without a row the defaults hold.';
comment on column purchasing.settings.warning is 'Percentage at which warning begins.';
comment on column purchasing.settings.critical is 'Percentage at which critical begins.';

create table purchasing.revisions (
  org_id uuid not null,
  version bigint not null,
  primary key (org_id)
);
comment on table purchasing.revisions is 'Counts the changes of an organisation''s orders and entries; its lock makes them take turns.';

create table purchasing.billed_months (
  org_id uuid not null,
  month date not null check (extract(day from month) = 1),
  currency text not null,
  billed numeric(19,4) not null,
  primary key (org_id, month, currency)
);
comment on table purchasing.billed_months is 'Certified amounts per month of survey and currency, so that the board need not add up every entry.';

select kernel.tenant_table('purchasing.suppliers', read => 'purchasing.orders.read', write => 'purchasing.orders.import', api => '{select}');
select kernel.tenant_table('purchasing.orders', read => 'purchasing.orders.read', write => 'purchasing.orders.import', api => '{select}');
select kernel.tenant_table('purchasing.entries', read => 'purchasing.orders.read', write => 'purchasing.orders.import', api => '{select}');
select kernel.tenant_table('purchasing.alerts', read => 'purchasing.alerts.read', write => 'purchasing.alerts.acknowledge', api => '{select}');
select kernel.tenant_table('purchasing.settings', read => 'purchasing.orders.read', write => 'purchasing.settings.update', api => '{}');
select kernel.tenant_table('purchasing.revisions', read => 'purchasing.orders.read', write => 'purchasing.orders.import', api => '{}');
select kernel.tenant_table('purchasing.billed_months', read => 'purchasing.orders.read', write => 'purchasing.orders.import', api => '{}');

-- Imports: the file, how it is mapped, what became of each row, and how far the run has come.
create table imports.runs (
    org_id uuid not null,
    id uuid not null,
    template text not null,
    filename text not null,
    size bigint not null,
    sha256 text not null,
    state text not null check (state in (
        'uploaded', 'parsing', 'parsed', 'mapped', 'validated', 'previewed', 'confirmed', 'committing', 'committed',
        'failed', 'cancelled', 'undone')),
    mapping jsonb,
    sheets jsonb not null default '[]',
    notices jsonb not null default '[]',
    validation_version int not null default 0,
    target_version bigint,
    commit_key text,
    job_id uuid,
    error jsonb,
    summary jsonb,
    idempotency_key text,
    created_at timestamptz not null,
    created_by uuid,
    committed_at timestamptz,
    undone_at timestamptz,
    primary key (org_id, id)
);
create index runs_created on imports.runs (org_id, created_at desc);
create unique index runs_idempotency on imports.runs (org_id, idempotency_key) where idempotency_key is not null;
create unique index runs_committed on imports.runs (org_id, commit_key)
    where state in ('confirmed', 'committing', 'committed');
comment on table imports.runs is 'One import: a file on its way into an app''s tables.';
comment on column imports.runs.mapping is 'Which sheet and column feeds which; null until known.';
comment on column imports.runs.sheets is 'The file''s sheets with their headings and what became of their rows.';
comment on column imports.runs.validation_version is 'Grows with every check of the file; a confirmation names the one it saw.';
comment on column imports.runs.target_version is 'The app''s data as the last check saw them.';
comment on column imports.runs.commit_key is
    'Template, file and mapping as one hash; the same is committed at most once at a time.';

create table imports.file_chunks (
    org_id uuid not null,
    run_id uuid not null,
    n int not null,
    bytes bytea not null,
    primary key (org_id, run_id, n)
);
alter table imports.file_chunks alter column bytes set storage external;
comment on table imports.file_chunks is 'The uploaded file in pieces of a mebibyte, so that any server can read it.';

create table imports.blocks (
    org_id uuid not null,
    run_id uuid not null,
    sheet text not null,
    first_row int not null,
    last_row int not null,
    accepted int not null,
    refused int not null,
    warnings int not null,
    content bytea not null,
    primary key (org_id, run_id, sheet, first_row)
);
alter table imports.blocks alter column content set storage external;
comment on table imports.blocks is 'The rows of a checked file, staged until they are committed: some hundred in one piece.';
comment on column imports.blocks.sheet is 'Key of the template''s sheet it feeds.';
comment on column imports.blocks.first_row is 'Number of its first row in the sheet.';
comment on column imports.blocks.warnings is 'How many of the accepted rows have a warning.';
comment on column imports.blocks.content is 'The rows with their ids, values, texts as found and issues, in the engine''s own form.';

create table imports.remembered_columns (
    org_id uuid not null,
    template text not null,
    sheet text not null,
    heading text not null,
    field text,
    primary key (org_id, template, sheet, heading)
);
comment on table imports.remembered_columns is
    'What people of the organisation chose for a heading; null: it is left out.';

select kernel.tenant_table('imports.runs', read => 'imports.runs.read', write => 'imports.runs.create', api => '{}');
select kernel.tenant_table('imports.file_chunks', read => 'imports.runs.read', write => 'imports.runs.create', api => '{}');
select kernel.tenant_table('imports.blocks', read => 'imports.runs.read', write => 'imports.runs.create', api => '{}');
select kernel.tenant_table('imports.remembered_columns', read => 'imports.runs.read', write => 'imports.runs.create', api => '{}');

-- What this app knows of the import engine: the view of accepted rows.
create table imports.staged (
  org_id uuid not null,
  import_id uuid not null,
  sheet text not null,
  row_no int not null,
  id uuid not null,
  vals text[] not null,
  primary key (org_id, import_id, sheet, row_no)
);
select kernel.tenant_table('imports.staged', read => 'purchasing.orders.read', write => 'purchasing.orders.import', api => '{}');
create view imports.accepted_rows with (security_invoker = true) as select * from imports.staged;
grant select on imports.accepted_rows to service_role;

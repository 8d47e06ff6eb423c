-- Every reference stays inside one organisation. Staged rows carry no foreign key: they are written in bulk and only by
-- the engine, which deletes them with their run.
alter table imports.file_chunks add constraint file_chunks_run_id_fkey
    foreign key (org_id, run_id) references imports.runs (org_id, id) on delete cascade;

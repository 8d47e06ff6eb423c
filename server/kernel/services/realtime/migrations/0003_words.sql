-- What the processes of the installation sign their words to one another with: NOTIFY is for every role, and so is LISTEN.
create table realtime.word_key (
    only_one boolean primary key default true check (only_one),
    secret bytea not null
);
select kernel.system_table('realtime.word_key', 'a secret of the installation');
insert into realtime.word_key (secret) values (decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));

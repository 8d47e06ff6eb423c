select current_setting('server_version'), current_setting('server_version_num')::int,
    array(select name from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off'),
    current_setting('wal_level'), current_setting('max_connections')::int,
    (select pg_encoding_to_char(encoding)::text from pg_database where datname = current_database()),
    (select age(datfrozenxid) from pg_database where datname = current_database()),
    array(select slot_name::text from pg_replication_slots where not active and restart_lsn is not null
        and pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) > 1073741824)

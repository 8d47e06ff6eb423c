-- A version names content. Whoever could give a row of their own the version of somebody else's would read that content, and let go of it
-- with the row; so only the server gives versions. '1' is what uploads are called while their policies are asked.
create function storage.protect_version() returns trigger language plpgsql as $$
declare
    before constant text := case tg_op when 'UPDATE' then old.version end;
begin
    if new.version is distinct from before
        and new.version is distinct from '1'
        and new.version is not null
        and not pg_has_role(current_user, 'tenon_system', 'member')
    then
        raise exception 'Versions of objects are given by the storage service.'
            using errcode = '42501', hint = 'Leave the column version out.';
    end if;
    return new;
end $$;
create trigger protect_version before insert or update of version on storage.objects
    for each row execute function storage.protect_version();

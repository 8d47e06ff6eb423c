select rolname::text from pg_roles
where rolname in ('anon', 'authenticated', 'tenon_authenticator', 'tenon_system') and (rolsuper or rolbypassrls)
order by 1

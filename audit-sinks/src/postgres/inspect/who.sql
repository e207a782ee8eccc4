-- Who asks, and over what.
SELECT current_user::text,
    array_remove(ARRAY[
        CASE WHEN rolsuper THEN 'superuser' END,
        CASE WHEN rolcreaterole THEN 'createrole' END,
        CASE WHEN rolcreatedb THEN 'createdb' END,
        CASE WHEN rolreplication THEN 'replication' END,
        CASE WHEN rolbypassrls THEN 'bypassrls' END
    ], NULL)::text[],
    (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl),
    coalesce(inet_server_addr() IS NULL OR inet_server_addr() = inet_client_addr(), true),
    pg_is_in_recovery(),
    -- Whoever may not see what a standby is sees that there is one.
    (SELECT count(*) FROM pg_stat_replication)
FROM pg_roles WHERE rolname = current_user

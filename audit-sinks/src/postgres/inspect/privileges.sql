-- What this role may do beyond a store's needs, and what of those it lacks. A superuser may do everything: that is told
-- as his power, and not once more for each table.
WITH tables AS (
    SELECT c.oid, c.relname::text AS name, c.relowner
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')
), who AS (
    SELECT rolsuper FROM pg_roles WHERE rolname = current_user
)
SELECT 'owned', name FROM tables, who WHERE NOT rolsuper AND pg_has_role(current_user, relowner, 'MEMBER')
UNION ALL
SELECT 'excess', privilege || ' on ' || name
FROM tables, who, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
WHERE NOT rolsuper AND NOT pg_has_role(current_user, relowner, 'MEMBER') AND (has_table_privilege(oid, privilege)
        OR privilege IN ('UPDATE', 'REFERENCES') AND has_any_column_privilege(oid, privilege))
    AND NOT (privilege = 'INSERT' AND name = 'keys')
UNION ALL
SELECT 'excess', 'CREATE in the schema' FROM who WHERE NOT rolsuper AND has_schema_privilege($1, 'CREATE')
UNION ALL
SELECT 'lacking', privilege || ' on ' || name
FROM tables, (VALUES ('records', 'SELECT'), ('keys', 'SELECT'), ('keys', 'INSERT'), ('secrets', 'SELECT'),
    ('migrations', 'SELECT')) AS needed (relation, privilege)
WHERE name = relation AND NOT has_table_privilege(oid, privilege)
UNION ALL
SELECT 'lacking', 'INSERT on records' FROM tables
-- Of another table the question would be an error, and which condition is asked first is not said.
WHERE CASE WHEN name = 'records' THEN NOT has_column_privilege(oid, 'record', 'INSERT') ELSE false END
ORDER BY 1, 2

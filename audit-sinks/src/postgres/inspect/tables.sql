-- The tables that must refuse changes: the name of each, why it does not, and its name where it has no row level
-- security.
WITH guarded AS (
    SELECT c.oid, c.relname::text AS name, c.relrowsecurity
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')
        AND (c.relname IN ('records', 'keys', 'secrets')
            OR c.oid IN (SELECT inhrelid FROM pg_inherits JOIN pg_class p ON p.oid = inhparent
                WHERE p.relname = 'records' AND p.relnamespace = n.oid))
), wanted AS (
    SELECT oid, name, relrowsecurity, 'refuse' AS trigger, 2 + 8 + 16 + 32 AS kind FROM guarded
    UNION ALL
    SELECT oid, name, relrowsecurity, 'refuse_rows', 1 + 2 + 8 + 16 FROM guarded WHERE name NOT IN ('keys', 'secrets')
), found AS (
    SELECT wanted.name, wanted.trigger, wanted.relrowsecurity,
        CASE
            WHEN t.oid IS NULL THEN 'no trigger ' || wanted.trigger
            WHEN t.tgenabled <> 'A' THEN 'the trigger ' || wanted.trigger || ' is not always enabled'
            WHEN t.tgtype & 127 <> wanted.kind OR t.tgqual IS NOT NULL OR t.tgattr <> ''
                THEN 'the trigger ' || wanted.trigger || ' is another'
            WHEN p.proname <> 'refuse' OR f.nspname <> $1 OR btrim(p.prosrc, E' \n\r\t') <> btrim($2, E' \n\r\t')
                THEN 'the trigger ' || wanted.trigger || ' calls another function'
        END AS fault
    FROM wanted
    LEFT JOIN pg_trigger t ON t.tgrelid = wanted.oid AND t.tgname = wanted.trigger
    LEFT JOIN pg_proc p ON p.oid = t.tgfoid
    LEFT JOIN pg_namespace f ON f.oid = p.pronamespace
)
SELECT name, name || ': ' || fault, CASE WHEN NOT relrowsecurity AND trigger = 'refuse' THEN name END
FROM found ORDER BY name, trigger

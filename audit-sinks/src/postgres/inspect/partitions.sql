-- How many partitions there are, and where the last one ends, in microseconds since the Unix epoch.
SELECT count(*) FILTER (WHERE ending IS NOT NULL), max(ending)
FROM (
    SELECT substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''?(-?[0-9]+)''?\)')::int8 AS ending
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    JOIN pg_class p ON p.oid = i.inhparent
    JOIN pg_namespace n ON n.oid = p.relnamespace
    WHERE n.nspname = $1 AND p.relname = 'records'
) AS partitions

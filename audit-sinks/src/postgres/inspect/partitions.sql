-- How many partitions there are, where the last one ends, in microseconds since the Unix epoch, and whether the default
-- one has ever had a record: its role may not be asked that itself.
SELECT count(*) FILTER (WHERE ending IS NOT NULL), max(ending),
    coalesce(bool_or(is_default AND size > 0), false)
FROM (
    SELECT substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''?(-?[0-9]+)''?\)')::int8 AS ending,
        pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT' AS is_default, pg_relation_size(c.oid) AS size
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    JOIN pg_class p ON p.oid = i.inhparent
    JOIN pg_namespace n ON n.oid = p.relnamespace
    WHERE n.nspname = $1 AND p.relname = 'records'
) AS partitions

-- Who was granted what changes or removes records, but for owners.
SELECT DISTINCT CASE WHEN grantee = 0 THEN 'everybody' ELSE pg_get_userbyid(grantee)::text END
    || ': ' || privilege_type || ' on ' || c.relname
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL aclexplode(c.relacl)
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND grantee <> c.relowner
    AND privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES')
ORDER BY 1

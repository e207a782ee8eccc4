-- What the roles may, after every migration; again is the same.
DO $$
DECLARE
    wanted name;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['{writer_name}', '{reader_name}'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = wanted);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        -- Another database of the same server is set up at the same time.
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END LOOP;
END $$;

GRANT USAGE ON SCHEMA {schema} TO {writer}, {reader};

-- The store: inserts and selects, and no more. Who wrote a record, and in which order, is not for it to say.
GRANT SELECT ON {schema}.records, {schema}.keys, {schema}.secrets, {schema}.migrations TO {writer};
GRANT INSERT (micros, id, call, tenant, action, kind, stage, actor_kind, actor_id, subjects, resource_kind, resource_id,
    decision, reason, outcome, code, correlation_id, record) ON {schema}.records TO {writer};
GRANT INSERT ON {schema}.keys TO {writer};
GRANT USAGE ON SEQUENCE {schema}.arrivals TO {writer};
GRANT EXECUTE ON FUNCTION {schema}.maintain() TO {writer};

-- Readers by SQL: the records of the tenant that the session names, and nothing else.
GRANT SELECT ON {schema}.records TO {reader};

DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN VALUES
        ('records', '{writer_name} inserts', 'FOR INSERT TO {writer} WITH CHECK (true)'),
        ('records', '{writer_name} selects', 'FOR SELECT TO {writer} USING (true)'),
        ('keys', '{writer_name} inserts', 'FOR INSERT TO {writer} WITH CHECK (true)'),
        ('keys', '{writer_name} selects', 'FOR SELECT TO {writer} USING (true)'),
        ('secrets', '{writer_name} selects', 'FOR SELECT TO {writer} USING (true)'),
        -- What redaction leaves in place of a tenant is nobody's name.
        ('records', '{reader_name} sees a tenant', 'FOR SELECT TO {reader} USING '
            || '(tenant = current_setting(''audited.tenant'', true) AND tenant NOT IN ('''', ''<redacted>''))')
    LOOP
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_policies
            WHERE schemaname = '{schema_name}' AND tablename = wanted.column1 AND policyname = wanted.column2
        );
        EXECUTE format('CREATE POLICY %I ON {schema}.%I %s', wanted.column2, wanted.column1, wanted.column3);
    END LOOP;
END $$;

-- One row a record that ever came, so that one that comes again is known, whatever has become of the record itself.
CREATE TABLE {schema}.keys (
    id uuid PRIMARY KEY,
    -- Of the journal that the record was in. `seq` is unsigned; here it is the signed number of the same bits.
    stream text COLLATE "C",
    seq bigint,
    -- Of all of the record but where it was.
    digest bytea NOT NULL,
    micros bigint NOT NULL
);
CREATE UNIQUE INDEX keys_place ON {schema}.keys (stream, seq) WHERE stream IS NOT NULL;

CREATE SEQUENCE {schema}.arrivals;

-- The records. Texts are as the record has them, but for U+0000, which no text here can hold, and for very long ones.
CREATE TABLE {schema}.records (
    -- Which transaction wrote it, and its place there.
    xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    arrival bigint NOT NULL DEFAULT nextval('{schema}.arrivals'),
    -- When it happened, in microseconds since the Unix epoch.
    micros bigint NOT NULL,
    id uuid NOT NULL,
    -- Of an intent, the id of the call's final record.
    call uuid,
    tenant text COLLATE "C",
    action text COLLATE "C" NOT NULL,
    kind text COLLATE "C",
    stage text COLLATE "C",
    actor_kind text COLLATE "C",
    actor_id text COLLATE "C",
    -- Kind, U+0001, 's', id.
    subjects text[] COLLATE "C",
    resource_kind text COLLATE "C",
    resource_id text COLLATE "C",
    decision text COLLATE "C",
    reason text COLLATE "C",
    outcome text COLLATE "C",
    code text COLLATE "C",
    correlation_id text COLLATE "C",
    -- The record as it came, byte for byte: JSON.
    record text NOT NULL
) PARTITION BY RANGE (micros);
CREATE INDEX records_time ON {schema}.records (micros, id);
CREATE INDEX records_tenant ON {schema}.records (tenant, micros, id) WHERE tenant IS NOT NULL;
CREATE INDEX records_arrival ON {schema}.records (xid, arrival);
CREATE INDEX records_action ON {schema}.records (action);
CREATE INDEX records_actor ON {schema}.records (actor_id) WHERE actor_id IS NOT NULL;
CREATE INDEX records_resource ON {schema}.records (resource_id) WHERE resource_id IS NOT NULL;
CREATE INDEX records_correlation ON {schema}.records (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX records_subjects ON {schema}.records USING gin (subjects) WHERE subjects IS NOT NULL;
CREATE INDEX records_intents ON {schema}.records (micros, id) WHERE stage = 'intent';

-- What cursors are sealed with.
CREATE TABLE {schema}.secrets (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    cursor_key bytea NOT NULL CHECK (length(cursor_key) = 32)
);

-- How partitions are made.
CREATE TABLE {schema}.settings (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    period text NOT NULL CHECK (period IN ('day', 'week', 'month', 'year')),
    ahead integer NOT NULL CHECK (ahead BETWEEN 0 AND 1000)
);

CREATE FUNCTION {schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit records are neither changed nor removed' USING ERRCODE = 'insufficient_privilege';
END $$;

-- Has a table take nothing but inserts, from its owner, too, and while it replicates.
CREATE FUNCTION {schema}.guard(guarded regclass) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON %s '
        'FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse()', guarded);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER refuse', guarded);
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', guarded);
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC', guarded);
END $$;

-- A partition of its own for what happened from one moment until before another. One that somebody attaches by hand
-- gets the trigger for rows with the table; this gives it the others.
CREATE FUNCTION {schema}.add_partition(named text, low bigint, high bigint) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Made first and attached then, it does not keep those from writing who write into other partitions.
    EXECUTE format('CREATE TABLE {schema}.%I (LIKE {schema}.records INCLUDING ALL)', named);
    PERFORM {schema}.guard(format('{schema}.%I', named)::regclass);
    EXECUTE format('ALTER TABLE {schema}.records ATTACH PARTITION {schema}.%I FOR VALUES FROM (%s) TO (%s)',
        named, low, high);
END $$;

-- Makes what is the default partition into one of the time that its records have, and an empty one the default. Nothing
-- is moved, so that no snapshot misses what it has seen. It stays what it is where other partitions have a part of that
-- time, or where it goes beyond the latest one that is made: one wrong clock is not to take the years to come. All wait
-- meanwhile, for as long as it takes to read it once.
CREATE FUNCTION {schema}.name_default(unit text, latest timestamp) RETURNS text LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
    low timestamp;
    high timestamp;
    named text;
BEGIN
    IF pg_relation_size('{schema}.records_default') > 1073741824 THEN
        RETURN NULL;
    END IF;
    LOCK TABLE ONLY {schema}.records IN ACCESS EXCLUSIVE MODE;
    SELECT date_trunc(unit, 'epoch'::timestamp + min(micros) * interval '1 microsecond'),
        date_trunc(unit, 'epoch'::timestamp + max(micros) * interval '1 microsecond') + ('1 ' || unit)::interval
        INTO low, high FROM {schema}.records_default;
    IF high > latest THEN
        RETURN NULL;
    END IF;
    named := 'records_' || to_char(low, 'YYYYMMDD');
    ALTER TABLE {schema}.records DETACH PARTITION {schema}.records_default;
    EXECUTE format('ALTER TABLE {schema}.records_default RENAME TO %I', named);
    EXECUTE format('ALTER TABLE {schema}.records ATTACH PARTITION {schema}.%I FOR VALUES FROM (%s) TO (%s)',
        named, {schema}.micros(low), {schema}.micros(high));
    CREATE TABLE {schema}.records_default (LIKE {schema}.records INCLUDING ALL);
    PERFORM {schema}.guard('{schema}.records_default'::regclass);
    ALTER TABLE {schema}.records ATTACH PARTITION {schema}.records_default DEFAULT;
    RETURN named;
EXCEPTION
    WHEN check_violation OR invalid_object_definition OR duplicate_table OR lock_not_available THEN
        RETURN NULL;
END $$;

-- Makes the partitions of the present and the coming periods that are missing, and names them. Where the default
-- partition has records of one of them already, it becomes the partition of all of its records' times, if it can.
CREATE FUNCTION {schema}.maintain() RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    unit text;
    periods integer;
    first timestamp;
    named text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('audited.maintain'));
    SELECT period, ahead INTO unit, periods FROM {schema}.settings;
    FOR i IN 0..periods LOOP
        first := date_trunc(unit, now() AT TIME ZONE 'UTC') + i * ('1 ' || unit)::interval;
        named := 'records_' || to_char(first, 'YYYYMMDD');
        CONTINUE WHEN to_regclass(format('{schema}.%I', named)) IS NOT NULL;
        BEGIN
            PERFORM {schema}.add_partition(named, {schema}.micros(first), {schema}.micros(first + ('1 ' || unit)::interval));
            RETURN NEXT named;
            CONTINUE;
        EXCEPTION
            -- The default partition has records of that time.
            WHEN check_violation THEN NULL;
            -- Another partition has a part of it.
            WHEN invalid_object_definition THEN CONTINUE;
        END;
        named := {schema}.name_default(unit,
            date_trunc(unit, now() AT TIME ZONE 'UTC') + (periods + 1) * ('1 ' || unit)::interval);
        IF named IS NOT NULL THEN
            RETURN NEXT named;
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION {schema}.micros(moment timestamp) RETURNS bigint LANGUAGE sql IMMUTABLE
AS $$ SELECT (extract(epoch FROM moment) * 1000000)::bigint $$;

CREATE TRIGGER refuse_rows BEFORE UPDATE OR DELETE ON {schema}.records
    FOR EACH ROW EXECUTE FUNCTION {schema}.refuse();
ALTER TABLE {schema}.records ENABLE ALWAYS TRIGGER refuse_rows;
CREATE TABLE {schema}.records_default PARTITION OF {schema}.records DEFAULT;
SELECT {schema}.guard('{schema}.records'), {schema}.guard('{schema}.records_default'), {schema}.guard('{schema}.keys'),
    {schema}.guard('{schema}.secrets');
REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {schema} FROM PUBLIC;

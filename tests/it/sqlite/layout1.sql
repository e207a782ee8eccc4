-- What the first layout was. It does not change any more.

CREATE TABLE audit_meta (key TEXT NOT NULL PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE audit_records (
    position INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    at INTEGER NOT NULL,
    stream ANY,
    seq INTEGER,
    digest BLOB NOT NULL,
    tenant ANY,
    action ANY NOT NULL,
    kind TEXT,
    stage TEXT,
    call BLOB,
    actor_kind TEXT,
    actor_id ANY,
    resource_kind ANY,
    resource_id ANY,
    decision TEXT,
    reason ANY,
    outcome TEXT,
    code ANY,
    json TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX audit_records_id ON audit_records (id);
CREATE UNIQUE INDEX audit_records_place ON audit_records (stream, seq) WHERE stream IS NOT NULL;
CREATE INDEX audit_records_time ON audit_records (at, id);
CREATE INDEX audit_records_tenant ON audit_records (tenant, at, id) WHERE tenant IS NOT NULL;
CREATE INDEX audit_records_actor ON audit_records (actor_id, tenant, at, id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_records_resource ON audit_records (resource_id, tenant, at, id) WHERE resource_id IS NOT NULL;

CREATE TABLE audit_subjects (
    position INTEGER NOT NULL,
    kind ANY NOT NULL,
    id ANY NOT NULL,
    PRIMARY KEY (position, kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_subjects_id ON audit_subjects (id, kind);

CREATE TRIGGER audit_records_no_delete BEFORE DELETE ON audit_records
BEGIN SELECT RAISE(ABORT, 'audit records are append-only'); END;

CREATE TRIGGER audit_records_no_replace BEFORE INSERT ON audit_records
WHEN EXISTS (SELECT 1 FROM audit_records WHERE id = NEW.id)
    OR (NEW.stream IS NOT NULL AND EXISTS (SELECT 1 FROM audit_records WHERE stream = NEW.stream AND seq = NEW.seq))
    OR (NEW.position >= 0 AND NEW.position <= (SELECT max(position) FROM audit_records))
BEGIN SELECT RAISE(ABORT, 'audit records are append-only'); END;

CREATE TRIGGER audit_subjects_no_update BEFORE UPDATE ON audit_subjects
BEGIN SELECT RAISE(ABORT, 'audit records are append-only'); END;

CREATE TRIGGER audit_subjects_no_delete BEFORE DELETE ON audit_subjects
BEGIN SELECT RAISE(ABORT, 'audit records are append-only'); END;

CREATE TRIGGER audit_records_no_update BEFORE UPDATE ON audit_records
BEGIN SELECT RAISE(ABORT, 'audit records are append-only'); END;

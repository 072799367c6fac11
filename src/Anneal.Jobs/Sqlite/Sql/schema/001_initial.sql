-- The first schema. Times are milliseconds since 1970. The CHECKs and triggers repeat the rules that the C# states in
-- JobTransitions and in the doc comments of the records, so that no bug above this line can store a nonsense row.
-- `ordinal` is the order of insertion: the keyset of every newest-first list, free of clock ties.

CREATE TABLE settings (
  name  TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE api_keys (
  ordinal    INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL UNIQUE,
  name       TEXT NOT NULL,
  hash       TEXT NOT NULL UNIQUE CHECK (length(hash) = 64),
  tail       TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
);

CREATE TABLE files (
  ordinal        INTEGER PRIMARY KEY AUTOINCREMENT,
  id             TEXT NOT NULL UNIQUE,
  file_name      TEXT NOT NULL,
  purpose        TEXT NOT NULL,
  bytes          INTEGER NOT NULL CHECK (bytes >= 0),
  sha256         TEXT NOT NULL CHECK (length(sha256) = 64),
  blob_key       TEXT NOT NULL UNIQUE,
  created_at     INTEGER NOT NULL,
  expires_at     INTEGER,
  status         TEXT NOT NULL CHECK (status IN ('uploaded', 'processed', 'error')),
  status_details TEXT,
  CHECK ((status = 'error') = (status_details IS NOT NULL))
);

CREATE TABLE runs (
  id               TEXT NOT NULL PRIMARY KEY,
  job_id           TEXT NOT NULL REFERENCES jobs (id) DEFERRABLE INITIALLY DEFERRED,
  fence            INTEGER NOT NULL CHECK (fence > 0),
  token_hash       TEXT NOT NULL UNIQUE CHECK (length(token_hash) = 64),
  claimed_at       INTEGER NOT NULL,
  lease_expires_at INTEGER NOT NULL,
  ended_at         INTEGER,
  ending           TEXT CHECK (ending IN ('finished', 'released', 'lost')),
  last_event       INTEGER NOT NULL DEFAULT 0,
  UNIQUE (job_id, fence),
  CHECK ((ended_at IS NULL) = (ending IS NULL))
) WITHOUT ROWID;

-- At most one worker trains a job.
CREATE UNIQUE INDEX runs_active ON runs (job_id) WHERE ended_at IS NULL;

CREATE TABLE jobs (
  ordinal          INTEGER PRIMARY KEY AUTOINCREMENT,
  id               TEXT NOT NULL UNIQUE,
  model            TEXT NOT NULL,
  base_model       TEXT NOT NULL,
  model_name       TEXT NOT NULL UNIQUE,
  status           TEXT NOT NULL CHECK (status IN
                     ('validating_files', 'queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled')),
  created_at       INTEGER NOT NULL,
  available_at     INTEGER NOT NULL,
  started_at       INTEGER,
  finished_at      INTEGER,
  training_file    TEXT NOT NULL,
  validation_file  TEXT,
  suffix           TEXT,
  seed             INTEGER NOT NULL,
  method_type      TEXT NOT NULL,
  hyperparameters  TEXT NOT NULL CHECK (json_valid(hyperparameters)),
  integrations     TEXT NOT NULL CHECK (json_valid(integrations)),
  metadata         TEXT CHECK (metadata IS NULL OR json_valid(metadata)),
  trained_tokens   INTEGER CHECK (trained_tokens >= 0),
  result_file      TEXT,
  error_code       TEXT,
  error_message    TEXT,
  error_param      TEXT,
  estimated_finish INTEGER,
  run_id           TEXT REFERENCES runs (id) DEFERRABLE INITIALLY DEFERRED,
  fence            INTEGER NOT NULL DEFAULT 0,
  step_reached     INTEGER NOT NULL DEFAULT 0 CHECK (step_reached >= 0),
  crash_step       INTEGER NOT NULL DEFAULT -1,
  crash_count      INTEGER NOT NULL DEFAULT 0 CHECK (crash_count >= 0),
  CHECK ((status IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
  CHECK ((status = 'succeeded') = (trained_tokens IS NOT NULL)),
  CHECK ((status = 'succeeded') = (result_file IS NOT NULL)),
  CHECK ((status = 'failed') = (error_code IS NOT NULL)),
  CHECK ((error_code IS NULL) = (error_message IS NULL)),
  CHECK (error_param IS NULL OR error_code IS NOT NULL),
  CHECK (status <> 'running' OR run_id IS NOT NULL),
  CHECK (run_id IS NULL OR status IN ('queued', 'running', 'paused')),
  CHECK (estimated_finish IS NULL OR status = 'running'),
  CHECK ((fence > 0) = (started_at IS NOT NULL))
);

CREATE INDEX jobs_by_status ON jobs (status, ordinal);
CREATE INDEX jobs_by_training_file ON jobs (training_file);
CREATE INDEX jobs_by_validation_file ON jobs (validation_file);

-- The table of JobTransitions.cs.
CREATE TABLE job_transitions (
  old_status TEXT NOT NULL,
  new_status TEXT NOT NULL,
  PRIMARY KEY (old_status, new_status)
) WITHOUT ROWID;

INSERT INTO job_transitions (old_status, new_status) VALUES
  ('validating_files', 'queued'),
  ('validating_files', 'failed'),
  ('validating_files', 'cancelled'),
  ('queued', 'running'),
  ('queued', 'paused'),
  ('queued', 'cancelled'),
  ('running', 'queued'),
  ('running', 'paused'),
  ('running', 'succeeded'),
  ('running', 'failed'),
  ('running', 'cancelled'),
  ('paused', 'queued'),
  ('paused', 'cancelled');

CREATE TRIGGER jobs_begin BEFORE INSERT ON jobs
WHEN NEW.status <> 'validating_files'
BEGIN
  SELECT RAISE(ABORT, 'a job begins in validating_files');
END;

CREATE TRIGGER jobs_move BEFORE UPDATE OF status ON jobs
WHEN NEW.status <> OLD.status AND NOT EXISTS (
  SELECT 1 FROM job_transitions WHERE old_status = OLD.status AND new_status = NEW.status)
BEGIN
  SELECT RAISE(ABORT, 'illegal change of a job''s status');
END;

CREATE TRIGGER jobs_fence BEFORE UPDATE OF fence ON jobs
WHEN NEW.fence < OLD.fence
BEGIN
  SELECT RAISE(ABORT, 'a fencing token never goes back');
END;

CREATE TRIGGER jobs_stay BEFORE DELETE ON jobs
BEGIN
  SELECT RAISE(ABORT, 'jobs are never deleted');
END;

CREATE TABLE events (
  job_id     TEXT NOT NULL REFERENCES jobs (id),
  sequence   INTEGER NOT NULL CHECK (sequence > 0),
  id         TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  level      TEXT NOT NULL CHECK (level IN ('info', 'warn', 'error')),
  message    TEXT NOT NULL,
  step       INTEGER CHECK (step > 0),
  data       TEXT CHECK (data IS NULL OR json_valid(data)),
  PRIMARY KEY (job_id, sequence),
  CHECK ((step IS NULL) = (data IS NULL))
) WITHOUT ROWID;

-- A resumed run repeats the steps since its run state; each step is shown once.
CREATE UNIQUE INDEX events_by_step ON events (job_id, step) WHERE step IS NOT NULL;

CREATE TRIGGER events_without_gaps BEFORE INSERT ON events
WHEN NEW.sequence <> 1 + (SELECT COALESCE(MAX(sequence), 0) FROM events WHERE job_id = NEW.job_id)
BEGIN
  SELECT RAISE(ABORT, 'events are numbered without gaps');
END;

CREATE TRIGGER events_stay BEFORE UPDATE ON events
BEGIN
  SELECT RAISE(ABORT, 'events never change');
END;

CREATE TABLE checkpoints (
  id         TEXT NOT NULL PRIMARY KEY,
  job_id     TEXT NOT NULL REFERENCES jobs (id),
  step       INTEGER NOT NULL CHECK (step > 0),
  is_final   INTEGER NOT NULL CHECK (is_final IN (0, 1)),
  model_name TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  metrics    TEXT NOT NULL CHECK (json_valid(metrics)),
  files      TEXT NOT NULL CHECK (json_valid(files)),
  UNIQUE (job_id, step)
) WITHOUT ROWID;

CREATE UNIQUE INDEX checkpoints_final ON checkpoints (job_id) WHERE is_final = 1;

CREATE TABLE models (
  ordinal       INTEGER PRIMARY KEY AUTOINCREMENT,
  name          TEXT NOT NULL UNIQUE,
  checkpoint_id TEXT NOT NULL UNIQUE REFERENCES checkpoints (id),
  created_at    INTEGER NOT NULL
);

CREATE TABLE run_states (
  ordinal    INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id     TEXT NOT NULL REFERENCES jobs (id),
  step       INTEGER NOT NULL CHECK (step >= 0),
  blob_key   TEXT NOT NULL UNIQUE,
  bytes      INTEGER NOT NULL CHECK (bytes >= 0),
  sha256     TEXT NOT NULL CHECK (length(sha256) = 64),
  created_at INTEGER NOT NULL,
  UNIQUE (job_id, step)
);

-- Blobs are deleted after the commit that dropped them, never before: a crash in between leaves a row here, not a dangling
-- reference.
CREATE TABLE dropped_blobs (
  ordinal  INTEGER PRIMARY KEY AUTOINCREMENT,
  blob_key TEXT NOT NULL UNIQUE
);

CREATE TABLE idempotency_keys (
  key          TEXT NOT NULL PRIMARY KEY,
  request_hash TEXT NOT NULL,
  job_id       TEXT NOT NULL REFERENCES jobs (id),
  created_at   INTEGER NOT NULL
) WITHOUT ROWID;

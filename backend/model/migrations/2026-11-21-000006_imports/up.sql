-- What other systems and files have written: the log of the runs, and the imports that wait, run and go on after a break.
-- None of it is a record: it says what was done to records, whose history is elsewhere.

-- A file to import and how. Its content comes in parts, is kept for 30 days, and can be run more than once.
create table imports (
  id uuid not null,
  version bigint not null default 1,
  organization_id uuid not null,
  actor_id uuid not null,
  created_at timestamptz not null default now(),
  file_name text not null,
  format text not null,
  entity text,
  source text,
  mode text not null,
  full_list boolean not null,
  size bigint not null default 0,
  constraint imports_pkey primary key (id),
  constraint imports_organization_id_fkey foreign key (organization_id) references organizations (id),
  constraint imports_format check (format in ('ndjson', 'csv', 'xlsx')),
  constraint imports_mode check (mode in ('atomic', 'per_row')),
  constraint imports_entity check (entity is not null or (format = 'ndjson' and not full_list)),
  constraint imports_full_list check (source is not null or not full_list)
);
create index imports_organization_id on imports (organization_id);
create index imports_created_at on imports (created_at);

create table import_parts (
  import_id uuid not null,
  begins bigint not null,
  content bytea not null,
  constraint import_parts_pkey primary key (import_id, begins),
  constraint import_parts_import_id_fkey foreign key (import_id) references imports (id) on delete cascade
);

-- One row a batch, a run of an import, or a carrying out of its deletions. What is left to do of a waiting or running
-- one, and who does it, stands here, too: progress is written in the transaction of its effect.
create table sync_runs (
  id uuid not null,
  version bigint not null default 1,
  organization_id uuid not null,
  actor_id uuid not null,
  actor_name text,
  actor_kind text not null,
  session_id uuid,
  kind text not null,
  import_id uuid,
  file_name text,
  source text,
  mode text not null,
  dry_run boolean not null,
  state text not null,
  committed boolean not null default false,
  begun_at timestamptz not null default now(),
  ended_at timestamptz,
  created bigint not null default 0,
  updated bigint not null default 0,
  unchanged bigint not null default 0,
  deleted bigint not null default 0,
  conflict bigint not null default 0,
  error bigint not null default 0,
  absent bigint not null default 0,
  problem jsonb,
  line bigint not null default 0,
  position bigint not null default 0,
  worker uuid,
  lease_until timestamptz,
  constraint sync_runs_pkey primary key (id),
  constraint sync_runs_organization_id_fkey foreign key (organization_id) references organizations (id),
  constraint sync_runs_import_id_fkey foreign key (import_id) references imports (id) on delete set null,
  constraint sync_runs_actor_kind check (actor_kind in ('user', 'client')),
  constraint sync_runs_kind check (kind in ('batch', 'import', 'deletions')),
  constraint sync_runs_mode check (mode in ('atomic', 'per_row')),
  constraint sync_runs_state check (state in ('waiting', 'running', 'done', 'failed', 'cancelled'))
);
create index sync_runs_organization_id on sync_runs (organization_id, id);
create index sync_runs_actor_id on sync_runs (organization_id, actor_id, id);
create index sync_runs_kind on sync_runs (organization_id, kind, id);
create index sync_runs_with_errors on sync_runs (organization_id, id) where error > 0 or state = 'failed';
create index sync_runs_begun_at on sync_runs (begun_at);
create index sync_runs_import_id on sync_runs (import_id);
create unique index sync_runs_one_at_a_time on sync_runs (import_id) where state in ('waiting', 'running');
create index sync_runs_open on sync_runs (id) where state in ('waiting', 'running');

-- Rows that could not be written, that a person decides, or that a full list does not name any more.
create table sync_rows (
  id uuid not null,
  version bigint not null default 1,
  organization_id uuid not null,
  run_id uuid not null,
  line bigint not null,
  outcome text not null,
  entity text,
  record_id uuid,
  item jsonb not null,
  problem jsonb,
  base jsonb,
  settled_at timestamptz,
  settled_by uuid,
  settled_by_name text,
  settlement text,
  constraint sync_rows_pkey primary key (id),
  constraint sync_rows_run_id_fkey foreign key (run_id) references sync_runs (id) on delete cascade,
  constraint sync_rows_organization_id_fkey foreign key (organization_id) references organizations (id),
  constraint sync_rows_outcome check (outcome in ('conflict', 'error', 'absent')),
  constraint sync_rows_settlement check (settlement in ('theirs', 'mine'))
);
create index sync_rows_run_id on sync_rows (run_id, line, id);
create index sync_rows_open on sync_rows (run_id) where outcome = 'conflict' and settled_at is null;
create index sync_rows_organization_id on sync_rows (organization_id);

-- The own organisation sees and writes its log; who may start and settle, policy.toml says. The service itself takes up
-- what waits and clears away what is older than promised.
do $$
declare
  t text;
begin
  foreach t in array array['imports', 'import_parts', 'sync_runs', 'sync_rows'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy owner_all on %I to tsunagi_owner using (true) with check (true)', t);
    if t = 'import_parts' then
      create policy app_own on import_parts to tsunagi_app using (exists (select 1 from imports i where i.id = import_id));
    else
      execute format('create policy app_select on %I for select to tsunagi_app
        using (organization_id = (select app_content_org()) or (select app_role()) = ''authenticator'')', t);
      execute format('create policy app_insert on %I for insert to tsunagi_app with check (organization_id = (select app_org()))', t);
      execute format('create policy app_update on %I for update to tsunagi_app
        using (organization_id = (select app_org()) or (select app_role()) = ''authenticator'')', t);
      execute format('create policy app_delete on %I for delete to tsunagi_app using ((select app_role()) = ''authenticator'')', t);
    end if;
    execute format('grant select, insert, update, delete on %I to tsunagi_app', t);
  end loop;
end $$;

-- Foundations: who asks, what changed, in which order. Nothing here knows a welfare noun.
--
-- Two database roles (created by `server migrate` when they are missing):
--   tsunagi_owner  owns every object; migrations and SECURITY DEFINER functions run as it
--   tsunagi_app    what the service connects as; no BYPASSRLS, sees only what the policies let through

create extension if not exists pg_trgm;
create extension if not exists btree_gist;

-- History is read through a second schema of the same table names: see record_attach.
create schema as_of;
grant usage on schema as_of to tsunagi_app;
grant usage on schema public to tsunagi_app;

-- ---------------------------------------------------------------------------------------------
-- Who asks. app_begin (next migration, it needs the accounts) sets these for one transaction;
-- until then every question fails, so a query that forgot it sees nothing.

create function app_not_begun() returns text language plpgsql stable parallel safe as $$
begin
  raise exception 'app_begin has not been called in this transaction' using errcode = 'TS000';
end $$;

-- Plain SQL without settings of its own, so that the planner puts it into the query: every policy asks.
create function app_setting(name text) returns text language sql stable parallel safe as $$
  select case when coalesce(current_setting('app.begun', true), '') = '' then public.app_not_begun()
    else nullif(current_setting('app.' || name, true), '') end
$$;

create function app_org() returns uuid language sql stable parallel safe as $$ select app_setting('org')::uuid $$;
-- Whose records the caller reads besides what is published: nobody's, if he only audits, analyses or operates.
create function app_content_org() returns uuid language sql stable parallel safe as $$ select app_setting('content_org')::uuid $$;
create function app_actor() returns uuid language sql stable parallel safe as $$ select app_setting('actor')::uuid $$;
create function app_role() returns text language sql stable parallel safe as $$ select app_setting('role') $$;
create function app_as_of() returns timestamptz language sql stable parallel safe as $$ select app_setting('as_of')::timestamptz $$;
create function app_may_write() returns boolean language sql stable parallel safe as $$ select app_setting('write') is not null $$;

-- The moment at which this transaction began to write: one for all it writes. The lock, which lasts as long as the
-- transaction and keeps nobody waiting, tells the second of it to whoever asks for a vintage (app_settled).
create function written_at() returns timestamptz language plpgsql as $$
declare
  moment text := current_setting('app.written_at', true);
begin
  if coalesce(moment, '') = '' then
    perform pg_advisory_xact_lock_shared(8117, floor(extract(epoch from clock_timestamp()) - 1700000000)::integer);
    moment := clock_timestamp()::text;
    perform set_config('app.written_at', moment, true);
  end if;
  return moment::timestamptz;
end $$;

-- A moment before which nothing more will have been written: what was written until then is committed or never will be.
-- To be asked before the snapshot is taken in which it is used.
create function app_settled() returns timestamptz language sql as $$
  select least(clock_timestamp(), to_timestamp(min(objid::bigint) + 1700000000)) - interval '1 microsecond'
  from pg_locks where locktype = 'advisory' and classid = 8117 and objsubid = 2
    and database = (select oid from pg_database where datname = current_database())
$$;

-- ---------------------------------------------------------------------------------------------
-- The streams. A stream is an owning organisation; its counter is taken at commit, so numbers are
-- gap-free and in commit order. An epoch belongs to one timeline of one database cluster: after a
-- failover or a restore a reader is told to start anew instead of silently missing rows.

create table change_stream (
  stream_id uuid not null,
  last_seq bigint not null default 0,
  floor_seq bigint not null default 0,
  epoch uuid not null default gen_random_uuid(),
  epoch_start bigint not null default 0,
  cluster text not null default '',
  changed_at timestamptz not null default written_at(),
  constraint change_stream_pkey primary key (stream_id)
) with (fillfactor = 40, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- Thin: who reads it is shown the record as it is then, if he may see it.
--   op    I inserted, U updated, D deleted; V: others may see it who did not, or the other way round, since this record
--         or one above it has changed
--   open  of a deletion: others than the owner may have seen the record
create table change_log (
  stream_id uuid not null,
  seq bigint not null,
  entity text not null,
  record_id uuid not null,
  version bigint not null,
  op "char" not null,
  open boolean not null default true,
  actor_id uuid,
  request_id uuid,
  at timestamptz not null default clock_timestamp(),
  constraint change_log_pkey primary key (stream_id, seq),
  constraint change_log_op check (op in ('I', 'U', 'D', 'V'))
);
-- Rows stand in the order of time: a few bytes a page are enough to find the old ones.
create index change_log_at on change_log using brin (at);

-- What every record looked like at every version, who changed it, when and why. The only source of
-- `as_of` and of the history screens. Nobody updates or deletes here (no grant, and a trigger).
create table record_history (
  ord bigint generated always as identity,
  tx xid8 not null default pg_current_xact_id(),
  stream_id uuid not null,
  entity text not null,
  record_id uuid not null,
  version bigint not null,
  op "char" not null,
  row jsonb not null,
  actor_id uuid,
  actor_name text,
  actor_org_id uuid,
  reason text,
  request_id uuid,
  at timestamptz not null default written_at(),
  constraint record_history_pkey primary key (entity, record_id, version),
  constraint record_history_op check (op in ('I', 'U', 'D'))
);
-- How the flush at commit finds the rows of its own transaction.
create index record_history_tx on record_history (tx, ord);

-- What stands below what: the table whose row owns a row, and the column that names it.
create table record_tree (
  entity text not null,
  parent text not null,
  parent_column text not null,
  constraint record_tree_pkey primary key (entity)
);

-- On what it depends who else than the owner sees a sheet; null for what has no visibility of its own.
create function record_readers(image jsonb) returns text language sql immutable parallel safe as $$
  select case when image ? 'visibility' then jsonb_build_array(image ->> 'status' = 'draft', image ->> 'visibility' = 'organization',
    image ->> 'visibility' = 'public' and image ->> 'status' = 'published', image -> 'platform_id', image -> 'plan_id')::text end
$$;

-- Records of one kind and everything below them, from above.
create function record_below(p_entity text, p_ids uuid[]) returns table (entity text, record_id uuid, version bigint)
  language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  child record;
  below uuid[];
begin
  return query execute format('select %L::text, id, version from public.%I where id = any($1) order by id', p_entity, p_entity) using p_ids;
  for child in select t.entity, t.parent_column from record_tree t where t.parent = p_entity order by t.entity loop
    execute format('select array_agg(id) from public.%I where %I = any($1)', child.entity, child.parent_column) into below using p_ids;
    if below is not null then
      return query select * from record_below(child.entity, below);
    end if;
  end loop;
end $$;

-- May others than the owner have seen this deleted row? Asks the sheet above it, which may be gone with it.
create function record_open(p_entity text, p_row jsonb) returns boolean
  language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  kind text := p_entity;
  image jsonb := p_row;
  above record;
  above_id uuid;
begin
  loop
    select t.parent, t.parent_column into above from record_tree t where t.entity = kind;
    exit when not found;
    above_id := image ->> above.parent_column;
    select h.row into image from record_history h
      where h.entity = above.parent and h.record_id = above_id order by h.version desc limit 1;
    kind := above.parent;
  end loop;
  return coalesce(image ->> 'status' <> 'draft' or image ->> 'visibility' <> 'organization', kind in ('organizations', 'grants'));
end $$;

-- Which cluster this is and which timeline it is on. The system identifier is read from disk once a connection; no
-- connection outlives its cluster.
create function cluster_timeline() returns text language plpgsql as $$
begin
  if coalesce(current_setting('app.cluster', true), '') = '' then
    perform set_config('app.cluster', system_identifier::text, false) from pg_control_system();
  end if;
  return current_setting('app.cluster') || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8);
end $$;

-- Runs at COMMIT (deferred). The first row of a transaction numbers all of them; `app.flushed`
-- remembers how far, and is undone with a savepoint like everything else.
create function change_flush() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  flushed bigint := coalesce(nullif(current_setting('app.flushed', true), ''), '0')::bigint;
  timeline text;
  stream record;
  last bigint;
  newest bigint := 0;
  updated boolean := false;
begin
  if new.ord <= flushed then
    return null;
  end if;
  timeline := cluster_timeline();
  -- Streams in id order: two transactions that touch the same ones cannot deadlock.
  for stream in
    select stream_id, count(*) as n, max(ord) as newest, bool_or(op = 'U') as updated from record_history
    where tx = pg_current_xact_id() and ord > flushed group by stream_id order by stream_id
  loop
    insert into change_stream as s (stream_id, last_seq, cluster) values (stream.stream_id, stream.n, timeline)
    on conflict on constraint change_stream_pkey do update set
      last_seq = s.last_seq + excluded.last_seq,
      epoch = case when s.cluster = timeline then s.epoch else gen_random_uuid() end,
      epoch_start = case when s.cluster = timeline then s.epoch_start else s.last_seq end,
      cluster = timeline,
      changed_at = greatest(s.changed_at, excluded.changed_at)
    returning last_seq into last;
    insert into change_log (stream_id, seq, entity, record_id, version, op, open, actor_id, request_id)
    select h.stream_id, last - stream.n + row_number() over (order by h.ord),
           h.entity, h.record_id, h.version, h.op, h.op <> 'D' or record_open(h.entity, h.row), h.actor_id, h.request_id
    from record_history h
    where h.tx = pg_current_xact_id() and h.ord > flushed and h.stream_id = stream.stream_id;
    newest := greatest(newest, stream.newest);
    updated := updated or stream.updated;
  end loop;
  perform set_config('app.flushed', newest::text, true);
  if not updated then
    return null;
  end if;
  -- A sheet that others see now, or do not see any more, and what is below it. The streams are locked already.
  for stream in
    select h.stream_id, h.actor_id, h.request_id, h.entity, array_agg(h.record_id order by h.record_id) as ids
    from record_history h join record_history b on (b.entity, b.record_id, b.version) = (h.entity, h.record_id, h.version - 1)
    where h.tx = pg_current_xact_id() and h.ord > flushed and h.op = 'U' and record_readers(h.row) <> record_readers(b.row)
    group by 1, 2, 3, 4 order by 1, 4
  loop
    with changed as materialized (
      select b.*, row_number() over () as n from record_below(stream.entity, stream.ids) b
    ), taken as (
      update change_stream s set last_seq = s.last_seq + (select count(*) from changed)
      where s.stream_id = stream.stream_id returning s.last_seq
    )
    insert into change_log (stream_id, seq, entity, record_id, version, op, actor_id, request_id)
    select stream.stream_id, taken.last_seq - (select count(*) from changed) + c.n, c.entity, c.record_id, c.version, 'V',
           stream.actor_id, stream.request_id
    from changed c, taken;
  end loop;
  return null;
end $$;

create constraint trigger change_flush after insert on record_history
  deferrable initially deferred for each row execute function change_flush();

create function refuse_change() returns trigger language plpgsql as $$
begin
  -- The feed forgets what is older than promised (feed_forget); the history never does.
  if tg_table_name = 'change_log' and tg_op = 'DELETE' and current_setting('app.forgetting', true) = 'yes' then
    return null;
  end if;
  raise exception '% is append-only', tg_table_name using errcode = '42501';
end $$;

create trigger append_only before update or delete or truncate on record_history
  for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on change_log
  for each statement execute function refuse_change();

-- ---------------------------------------------------------------------------------------------
-- What every record table gets, from one function: record_attach.

-- Version, owner and times of a record that stands below no other: they are the database's.
create function record_stamp() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    new.version := 1;
    new.owner_org_id := coalesce(new.owner_org_id, app_org());
    new.created_at := written_at();
  else
    new.id := old.id;
    new.version := old.version + 1;
    new.owner_org_id := old.owner_org_id;
    new.created_at := old.created_at;
  end if;
  new.updated_at := written_at();
  return new;
end $$;

-- Triggers that look into another table are written for their table: PostgreSQL keeps the plan of a query that stands
-- in a function, and makes that of a query which is put together from text anew for each row.
create schema attached;
grant usage on schema attached to tsunagi_app;

-- The same for a record below another one. Its owner is that of its parent; a parent that the caller cannot see is no
-- parent (invoker's rights), reported as the foreign key it breaks. It moves to another parent only within what its
-- owner owns, and only by its owner: otherwise it could be pushed into somebody else's platform.
create function record_stamp_child(target text, parent text, parent_column text) returns text language plpgsql as $$
declare
  name constant text := format('attached.%I', target || '_stamp');
begin
  execute format($sql$
    create or replace function %1$s() returns trigger language plpgsql as $trigger$
    declare
      owner uuid;
      refused boolean := false;
    begin
      if tg_op = 'INSERT' then
        select owner_org_id into owner from public.%2$I where id = new.%3$I;
        refused := owner is null;
        new.version := 1;
        new.owner_org_id := owner;
        new.created_at := written_at();
      else
        if new.%3$I is distinct from old.%3$I then
          select owner_org_id into owner from public.%2$I where id = new.%3$I;
          refused := owner is distinct from old.owner_org_id or owner is distinct from app_org();
        end if;
        new.id := old.id;
        new.version := old.version + 1;
        new.owner_org_id := old.owner_org_id;
        new.created_at := old.created_at;
      end if;
      if refused then
        raise exception 'no such parent' using errcode = '23503', constraint = %4$L, table = tg_table_name;
      end if;
      new.updated_at := written_at();
      return new;
    end $trigger$ $sql$, name, parent, parent_column, format('%s_%s_fkey', target, parent_column));
  return name;
end $$;

create function record_capture_insert() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into record_history (stream_id, entity, record_id, version, op, row, actor_id, actor_name, actor_org_id, reason, request_id)
  select owner_org_id, tg_table_name, id, version, 'I', to_jsonb(n) - 'search',
         nullif(current_setting('app.actor', true), '')::uuid, nullif(current_setting('app.actor_name', true), ''),
         nullif(current_setting('app.org', true), '')::uuid, nullif(current_setting('app.reason', true), ''),
         nullif(current_setting('app.request', true), '')::uuid
  from changed n order by id;
  return null;
end $$;

create function record_capture_update() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into record_history (stream_id, entity, record_id, version, op, row, actor_id, actor_name, actor_org_id, reason, request_id)
  select owner_org_id, tg_table_name, id, version, 'U', to_jsonb(n) - 'search',
         nullif(current_setting('app.actor', true), '')::uuid, nullif(current_setting('app.actor_name', true), ''),
         nullif(current_setting('app.org', true), '')::uuid, nullif(current_setting('app.reason', true), ''),
         nullif(current_setting('app.request', true), '')::uuid
  from changed n order by id;
  return null;
end $$;

-- The tombstone: what was deleted stays readable here, with its date and reason.
create function record_capture_delete() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into record_history (stream_id, entity, record_id, version, op, row, actor_id, actor_name, actor_org_id, reason, request_id)
  select owner_org_id, tg_table_name, id, version + 1, 'D', to_jsonb(o) - 'search',
         nullif(current_setting('app.actor', true), '')::uuid, nullif(current_setting('app.actor_name', true), ''),
         nullif(current_setting('app.org', true), '')::uuid, nullif(current_setting('app.reason', true), ''),
         nullif(current_setting('app.request', true), '')::uuid
  from changed o order by id;
  return null;
end $$;

-- A reference to a row the caller cannot see is no reference: foreign keys look past row-level security,
-- so this looks through it (invoker's rights).
create function record_see(target text, seen text, seen_column text, foreign_key text) returns void language plpgsql as $$
declare
  name constant text := format('attached.%I', target || '_see_' || seen_column);
begin
  execute format($sql$
    create or replace function %1$s() returns trigger language plpgsql as $trigger$
    begin
      if (tg_op = 'INSERT' or new.%2$I is distinct from old.%2$I)
        and not exists (select 1 from public.%3$I where id = new.%2$I)
      then
        raise exception 'no such record' using errcode = '23503', constraint = %4$L, table = tg_table_name;
      end if;
      return new;
    end $trigger$ $sql$, name, seen_column, seen, foreign_key);
  execute format('create trigger %I before insert or update of %I on %I for each row when (new.%I is not null) execute function %s()',
    'b_see_' || seen_column, seen_column, target, seen_column, name);
end $$;

-- History follows the record: its owner reads all of it; who sees the record today sees its history when signed in.
-- Written anew with each kind of record: one kept plan for each.
create function record_visible_write() returns void language plpgsql as $$
begin
  execute format($sql$
    create or replace function record_visible(entity text, record_id uuid) returns boolean language plpgsql stable as $visible$
    begin
      if app_org() is null then
        return false;
      end if;
      case $1 %s else return false; end case;
    end $visible$ $sql$, (
      select string_agg(format('when %L then return exists (select 1 from public.%I where id = $2);', c.relname, c.relname), ' ' order by c.relname)
      from pg_trigger t join pg_class c on c.oid = t.tgrelid where t.tgname = 'capture_insert'));
end $$;

-- Makes a table a record: version and owner set by the database, history and feed captured, row-level
-- security forced, and a view of the same name in schema as_of that shows it as it was.
--   parent, parent_column  the table whose row owns this one (null for roots)
--   readable               who reads besides the owner (SQL on the row)
--   writable               who writes besides the owner (SQL on the row), null for nobody
--   append_only            revisions are added, never changed
create function record_attach(
  target text, parent text default null, parent_column text default null,
  readable text default 'false', writable text default 'false', append_only boolean default false
) returns void language plpgsql as $$
declare
  own constant text := 'owner_org_id = (select app_org())';
  writes constant text := format('(select app_may_write()) and (%s or %s)', own, writable);
  stamp constant text := case when parent is null then 'record_stamp' else record_stamp_child(target, parent, parent_column) end;
  reference record;
begin
  execute format('create trigger a_stamp_insert before insert on %I for each row execute function %s()', target, stamp);
  execute format('create trigger capture_insert after insert on %I referencing new table as changed for each statement execute function record_capture_insert()', target);
  if append_only then
    execute format('create trigger append_only before update or delete or truncate on %I for each statement execute function refuse_change()', target);
  else
    execute format('create trigger z_stamp_update before update on %I for each row execute function %s()', target, stamp);
    execute format('create trigger capture_update after update on %I referencing new table as changed for each statement execute function record_capture_update()', target);
    execute format('create trigger capture_delete after delete on %I referencing old table as changed for each statement execute function record_capture_delete()', target);
  end if;

  execute format('alter table %I enable row level security', target);
  execute format('alter table %I force row level security', target);
  execute format('create policy owner_all on %I to tsunagi_owner using (true) with check (true)', target);
  execute format('create policy app_select on %I for select to tsunagi_app using (owner_org_id = (select app_content_org()) or %s)', target, readable);
  execute format('create policy app_insert on %I for insert to tsunagi_app with check (%s)', target, writes);
  execute format('grant select, insert on %I to tsunagi_app', target);
  if not append_only then
    execute format('create policy app_update on %I for update to tsunagi_app using (%s) with check (%s)', target, writes, writes);
    execute format('create policy app_delete on %I for delete to tsunagi_app using (%s)', target, writes);
    execute format('grant update, delete on %I to tsunagi_app', target);
  end if;

  if parent is not null then
    insert into record_tree values (target, parent, parent_column);
  end if;
  for reference in
    select c.conname, f.relname, a.attname from pg_constraint c
    join pg_class f on f.oid = c.confrelid
    join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
    where c.conrelid = target::regclass and c.contype = 'f' and array_length(c.conkey, 1) = 1
      and f.relname not in ('organizations', 'municipalities') and a.attname is distinct from parent_column
  loop
    perform record_see(target, reference.relname, reference.attname, reference.conname);
  end loop;

  perform record_view(target);
  perform record_visible_write();
end $$;

-- The table as it was at app_as_of(): the newest version until then, unless that was its deletion.
-- A request with as_of puts schema as_of before public in its search path, and every query of the
-- service reads the past without being written a second time.
create function record_view(target text) returns void language plpgsql as $$
begin
  execute format('drop view if exists as_of.%I', target);
  -- The id is that of the history, so that a query about some records reads only theirs.
  execute format($view$
    create view as_of.%1$I with (security_invoker = true) as
    select h.record_id as id, %2$s from (
      select distinct on (h.record_id) h.record_id, h.op, h.row from public.record_history h
      where h.entity = %1$L and h.at <= public.app_as_of()
      order by h.record_id, h.version desc
    ) h cross join lateral jsonb_populate_record(null::public.%1$I, h.row) r
    where h.op <> 'D' $view$, target, (
      select string_agg(format('r.%I', attname), ', ' order by attnum) from pg_attribute
      where attrelid = target::regclass and attnum > 0 and not attisdropped and attname <> 'id'));
  execute format('grant select on as_of.%I to tsunagi_app', target);
end $$;

create function record_visible(entity text, record_id uuid) returns boolean language sql stable as 'select false';

alter table record_history enable row level security;
alter table record_history force row level security;
create policy owner_all on record_history to tsunagi_owner using (true) with check (true);
create policy app_select on record_history for select to tsunagi_app
  using (stream_id = (select app_content_org()) or record_visible(entity, record_id));
grant select on record_history to tsunagi_app;

alter table change_log enable row level security;
alter table change_log force row level security;
create policy owner_all on change_log to tsunagi_owner using (true) with check (true);
create policy app_select on change_log for select to tsunagi_app
  using (stream_id = (select app_content_org()) or record_visible(entity, record_id));
grant select on change_log to tsunagi_app;

alter table change_stream enable row level security;
alter table change_stream force row level security;
create policy owner_all on change_stream to tsunagi_owner using (true) with check (true);
create policy app_select on change_stream for select to tsunagi_app using (app_org() is not null);
grant select on change_stream to tsunagi_app;

-- ---------------------------------------------------------------------------------------------
-- Answers of writes, kept in the transaction of their effect: a retry gets the same answer, a crash
-- leaves neither effect nor key. Kept 14 days.
create table idempotency_keys (
  actor_id uuid not null,
  key text not null,
  request_hash bytea not null,
  status smallint not null,
  headers jsonb not null,
  body text not null,
  created_at timestamptz not null default now(),
  constraint idempotency_keys_pkey primary key (actor_id, key),
  constraint idempotency_keys_key check (length(key) between 1 and 255)
);
create index idempotency_keys_created_at on idempotency_keys (created_at);
alter table idempotency_keys enable row level security;
alter table idempotency_keys force row level security;
create policy owner_all on idempotency_keys to tsunagi_owner using (true) with check (true);
create policy app_own on idempotency_keys to tsunagi_app
  using (actor_id = (select app_actor())) with check (actor_id = (select app_actor()));
-- The service itself clears away what is older than promised.
create policy app_prune on idempotency_keys to tsunagi_app
  using ((select app_role()) = 'authenticator' and created_at < now() - interval '14 days') with check (false);
grant select, insert, delete on idempotency_keys to tsunagi_app;

-- ---------------------------------------------------------------------------------------------
-- Small rules that several tables share.

-- A tree must stay a tree. Walks up from the new parent; the depth limit also ends a damaged tree.
create function refuse_cycle() returns trigger language plpgsql as $$
declare
  link text := coalesce(tg_argv[0], 'parent_id');
  above uuid := to_jsonb(new) ->> link;
  depth int := 0;
begin
  while above is not null loop
    depth := depth + 1;
    if above = new.id or depth > 50 then
      raise exception 'a record cannot be below itself' using errcode = '23514',
        constraint = format('%s_no_cycle', tg_table_name), table = tg_table_name;
    end if;
    execute format('select %I from public.%I where id = $1', link, tg_table_name) into above using above;
  end loop;
  return new;
end $$;

-- A reason of blanks is none.
create function is_blank(text text) returns boolean language sql immutable parallel safe as $$
  select btrim(coalesce(text, ''), E' \t\r\n\u3000') = ''
$$;

-- What people search: compatibility forms folded, case folded.
create function search_key(variadic parts text[]) returns text language sql immutable parallel safe as $$
  select lower(normalize(array_to_string(parts, ' '), NFKC))
$$;

-- Life of a sheet: draft, submitted, returned, confirmed, published. Going back from what was confirmed,
-- and returning what was submitted, needs a reason. What is confirmed is neither changed nor deleted before it is unlocked.
create function check_transition() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or new.status = old.status then
    if old.status in ('confirmed', 'published') then
      raise exception 'unlock it first' using errcode = '23514',
        constraint = format('%s_locked', tg_table_name), table = tg_table_name;
    end if;
    return case when tg_op = 'DELETE' then old else new end;
  end if;
  if (old.status, new.status) not in (
    ('draft', 'submitted'), ('returned', 'submitted'), ('submitted', 'returned'), ('submitted', 'confirmed'), ('submitted', 'draft'),
    ('draft', 'confirmed'), ('confirmed', 'published'), ('confirmed', 'draft'), ('published', 'confirmed'))
  then
    raise exception '% cannot become %', old.status, new.status using errcode = '23514',
      constraint = format('%s_transition', tg_table_name), table = tg_table_name;
  end if;
  if (old.status in ('confirmed', 'published') and new.status <> 'published' or new.status = 'returned')
    and is_blank(current_setting('app.reason', true))
  then
    raise exception 'a reason is needed' using errcode = '23514',
      constraint = format('%s_transition_reason', tg_table_name), table = tg_table_name;
  end if;
  return new;
end $$;

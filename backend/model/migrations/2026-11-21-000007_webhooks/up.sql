-- Webhooks: whom to tell of changes, how far he has been told, and what became of each message.

-- A webhook tells what its system may see, so it stands below the system and goes with it.
create table webhooks (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  client_id uuid not null,
  url text not null,
  description text,
  entities text[] not null default '{}',
  active boolean not null default true,
  constraint webhooks_pkey primary key (id),
  constraint webhooks_client_id_fkey foreign key (client_id) references clients (id) on delete cascade
);
create index webhooks_client_id on webhooks (client_id);

-- The service itself reads them while it delivers, and switches one off whose receiver is gone.
select record_attach('webhooks', 'clients', 'client_id',
  readable => 'owner_org_id = (select app_org()) or (select app_role()) = ''authenticator''');
create policy app_service on webhooks for update to tsunagi_app
  using ((select app_role()) = 'authenticator') with check ((select app_role()) = 'authenticator');
create policy administrators_insert on webhooks as restrictive for insert to tsunagi_app with check ((select app_administers_clients()));
create policy administrators_update on webhooks as restrictive for update to tsunagi_app
  using ((select app_administers_clients()) or (select app_role()) = 'authenticator');
create policy administrators_delete on webhooks as restrictive for delete to tsunagi_app using ((select app_administers_clients()));

-- What signs: encrypted with the key file of the installation. The newest two are good.
create table webhook_secrets (
  id uuid not null,
  webhook_id uuid not null,
  sealed bytea not null,
  created_at timestamptz not null default now(),
  constraint webhook_secrets_pkey primary key (id),
  constraint webhook_secrets_webhook_id_fkey foreign key (webhook_id) references webhooks (id) on delete cascade
);
create index webhook_secrets_webhook_id on webhook_secrets (webhook_id);

-- How far each webhook is: a cursor of the feed. `lease` belongs to the instance that delivers, until `leased_until`; `seen`
-- is what all streams had counted when nothing was left to tell.
create table webhook_states (
  webhook_id uuid not null,
  position text not null,
  next_attempt_at timestamptz not null default now(),
  lease uuid,
  leased_until timestamptz,
  seen bigint,
  constraint webhook_states_pkey primary key (webhook_id),
  constraint webhook_states_webhook_id_fkey foreign key (webhook_id) references webhooks (id) on delete cascade
);

-- One row a message, written before it is sent, so that whoever sends it again sends the same under the same id.
--   pending    to be delivered, now or when its turn comes again; one a webhook, so order is kept
--   delivered  the receiver has it
--   dead       given up: an administrator is told
--   retry      one that was dead, to be tried once more
create table webhook_deliveries (
  id uuid not null,
  webhook_id uuid not null,
  organization_id uuid not null,
  status text not null default 'pending',
  message text not null,
  position text not null,
  attempts integer not null default 0,
  created_at timestamptz not null default now(),
  attempted_at timestamptz,
  next_attempt_at timestamptz default now(),
  answer_status smallint,
  failure text,
  constraint webhook_deliveries_pkey primary key (id),
  constraint webhook_deliveries_status check (status in ('pending', 'delivered', 'dead', 'retry')),
  constraint webhook_deliveries_webhook_id_fkey foreign key (webhook_id) references webhooks (id) on delete cascade,
  constraint webhook_deliveries_organization_id_fkey foreign key (organization_id) references organizations (id)
);
create unique index webhook_deliveries_in_turn on webhook_deliveries (webhook_id) where status = 'pending';
create index webhook_deliveries_webhook_id on webhook_deliveries (webhook_id, id);
create index webhook_deliveries_organization_id on webhook_deliveries (organization_id, status, id);
create index webhook_deliveries_created_at on webhook_deliveries using brin (created_at);

do $$
declare
  t text;
begin
  foreach t in array array['webhook_secrets', 'webhook_states', 'webhook_deliveries'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy owner_all on %I to tsunagi_owner using (true) with check (true)', t);
    execute format('create policy app_service on %I to tsunagi_app using ((select app_role()) = ''authenticator'') with check ((select app_role()) = ''authenticator'')', t);
    execute format('create policy app_administer on %I to tsunagi_app using ((select app_administers_clients()) and exists (select 1 from webhooks w where w.id = webhook_id))', t);
    execute format('grant select, insert, update, delete on %I to tsunagi_app', t);
  end loop;
end $$;

-- Whether there is anything to tell at all.
create policy app_service on change_stream for select to tsunagi_app using ((select app_role()) = 'authenticator');

-- The last number of each of these streams before a moment; of what is forgotten, the last one of it.
create function feed_before(p_streams uuid[], p_at timestamptz) returns table (stream_id uuid, seq bigint)
  language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
  return query
    select s.stream_id, greatest(s.floor_seq, coalesce(
      (select l.seq from change_log l where l.stream_id = s.stream_id and l.at < p_at order by l.seq desc limit 1), 0))
    from change_stream s where s.stream_id = any(p_streams);
end $$;

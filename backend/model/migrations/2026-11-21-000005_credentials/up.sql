-- How a council's system proves who it is, and what it may do with that.

-- scopes       what it reads and writes at most; none: all that its role may
-- addresses    from where it may call; none: from everywhere
-- public_keys  JSON Web Keys that verify its assertions (private_key_jwt); the private halves stay with the system
alter table clients
  add column scopes text[] not null default '{}',
  add column addresses text[] not null default '{}',
  add column public_keys jsonb not null default '[]';
select record_view('clients');

-- Who issued a secret, until when it is good and who ended it. The hash stands apart, in `credentials`, under the same id.
create table client_secrets (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  client_id uuid not null,
  expires_at timestamptz,
  constraint client_secrets_pkey primary key (id),
  constraint client_secrets_client_id_fkey foreign key (client_id) references clients (id) on delete cascade
);
create index client_secrets_client_id on client_secrets (client_id);
select record_attach('client_secrets', 'clients', 'client_id',
  readable => 'owner_org_id = (select app_org()) or (select app_role()) = ''authenticator''');
create policy administrators_insert on client_secrets as restrictive for insert to tsunagi_app with check ((select app_administers_clients()));
create policy administrators_update on client_secrets as restrictive for update to tsunagi_app using ((select app_administers_clients()));
create policy administrators_delete on client_secrets as restrictive for delete to tsunagi_app using ((select app_administers_clients()));

create function forget_secret() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  delete from credentials where id = old.id;
  return null;
end $$;
create trigger forget_secret after delete on client_secrets for each row execute function forget_secret();

-- When a system last got a token, by the id of its secret or key. Not of the record: a use is no version of it.
create table client_uses (
  client_id uuid not null,
  credential text not null,
  used_at timestamptz not null default now(),
  constraint client_uses_pkey primary key (client_id, credential),
  constraint client_uses_client_id_fkey foreign key (client_id) references clients (id) on delete cascade
);

-- Assertions that were used: each is good for one token.
create table client_assertions (
  client_id uuid not null,
  jti text not null,
  expires_at timestamptz not null,
  constraint client_assertions_pkey primary key (client_id, jti),
  constraint client_assertions_client_id_fkey foreign key (client_id) references clients (id) on delete cascade
);
create index client_assertions_expires_at on client_assertions (expires_at);

-- Access tokens that were ended before their time (RFC 7009). app_begin asks; a row outlives its token by nothing.
create table revoked_tokens (
  id uuid not null,
  expires_at timestamptz not null,
  constraint revoked_tokens_pkey primary key (id)
);
create index revoked_tokens_expires_at on revoked_tokens (expires_at);

do $$
declare
  t text;
begin
  foreach t in array array['client_uses', 'client_assertions', 'revoked_tokens'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy owner_all on %I to tsunagi_owner using (true) with check (true)', t);
    execute format('create policy app_authenticator on %I to tsunagi_app using ((select app_role()) = ''authenticator'') with check ((select app_role()) = ''authenticator'')', t);
    execute format('grant select, insert, update, delete on %I to tsunagi_app', t);
  end loop;
end $$;
-- Whoever sees the system sees when it came last.
create policy app_select on client_uses for select to tsunagi_app using (exists (select 1 from clients c where c.id = client_id));

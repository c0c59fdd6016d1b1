-- Municipalities, organisations, accounts, rights, sign-in.

-- Reference data (backend/model/reference/municipalities.csv): code, never the name, is the key;
-- 26 names occur more than once. Codes change by merger: validity and successor, no delete.
create table municipalities (
  code text not null,
  prefecture_code text not null,
  prefecture_name text not null,
  name text not null,
  kana text not null,
  kind text not null,
  parent_code text,
  valid_from date,
  valid_to date,
  successor_code text,
  search text generated always as (search_key(prefecture_name || name, kana, code)) stored,
  constraint municipalities_pkey primary key (code),
  constraint municipalities_code check (code ~ '^[0-9]{6}$'),
  constraint municipalities_kind check (kind in ('prefecture', 'designated_city', 'city', 'special_ward', 'ward', 'town', 'village')),
  constraint municipalities_parent_code_fkey foreign key (parent_code) references municipalities (code) deferrable initially deferred,
  constraint municipalities_successor_code_fkey foreign key (successor_code) references municipalities (code) deferrable initially deferred
);
create index municipalities_parent_code on municipalities (parent_code);
create index municipalities_successor_code on municipalities (successor_code);
create index municipalities_prefecture_code on municipalities (prefecture_code, code);
create index municipalities_search on municipalities using gin (search gin_trgm_ops);
grant select on municipalities to tsunagi_app;

create table organizations (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  kind text not null,
  name text not null,
  kana text,
  aliases text[] not null default '{}',
  corporate_number text,
  municipality_code text,
  prefecture_code text,
  parent_id uuid,
  position integer not null default 0,
  url text,
  phone text,
  valid_from date,
  valid_to date,
  successor_id uuid,
  search text generated always as (search_key(variadic array[name, coalesce(kana, '')] || aliases)) stored,
  constraint organizations_pkey primary key (id),
  constraint organizations_kind check (kind in ('national', 'prefecture', 'municipality', 'department', 'joint_body', 'social_welfare_council',
    'community_general_support_center', 'community_promotion_council', 'social_welfare_corporation', 'npo', 'general_incorporated_association',
    'medical', 'cooperative', 'company', 'school', 'residents_group', 'operator', 'other')),
  constraint organizations_corporate_number check (corporate_number ~ '^[1-9][0-9]{12}$'),
  constraint organizations_validity check (valid_to >= valid_from),
  constraint organizations_corporate_number_key unique (owner_org_id, corporate_number),
  constraint organizations_municipality_code_fkey foreign key (municipality_code) references municipalities (code),
  constraint organizations_prefecture_code_fkey foreign key (prefecture_code) references municipalities (code),
  constraint organizations_parent_id_fkey foreign key (parent_id) references organizations (id),
  constraint organizations_successor_id_fkey foreign key (successor_id) references organizations (id)
);
create index organizations_parent_id on organizations (parent_id);
create index organizations_successor_id on organizations (successor_id);
create index organizations_municipality_code on organizations (municipality_code);
create index organizations_prefecture_code on organizations (prefecture_code);
create index organizations_list on organizations (position, id);
create index organizations_search on organizations using gin (search gin_trgm_ops);

create table users (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  email text not null,
  name text not null,
  kana text,
  title text,
  department text,
  active boolean not null default true,
  constraint users_pkey primary key (id),
  constraint users_email_key unique (email),
  constraint users_email check (email = lower(email)),
  constraint users_owner_org_id_fkey foreign key (owner_org_id) references organizations (id)
);
create index users_list on users (owner_org_id, email, id);

-- A role of a person in an organisation, for a time. Personnel change is a validity date, not a delete.
create table user_roles (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  user_id uuid not null,
  role text not null,
  valid_from date not null default current_date,
  valid_to date,
  constraint user_roles_pkey primary key (id),
  constraint user_roles_role check (role in ('municipality_viewer', 'municipality_editor', 'municipality_admin', 'council_editor', 'council_client',
    'partner', 'adviser', 'prefecture_editor', 'prefecture_admin', 'joint_body_secretariat', 'analyst', 'auditor', 'system_admin')),
  constraint user_roles_validity check (valid_to >= valid_from),
  constraint user_roles_no_overlap exclude using gist (user_id with =, owner_org_id with =, daterange(valid_from, valid_to, '[]') with &&),
  constraint user_roles_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
  constraint user_roles_owner_org_id_fkey foreign key (owner_org_id) references organizations (id)
);
create index user_roles_user_id on user_roles (user_id);
create index user_roles_owner_org_id on user_roles (owner_org_id);

-- Access of one organisation or one person to one platform or plan of another, for a time (advisers, partners).
create table grants (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  user_id uuid,
  organization_id uuid,
  scope_id uuid not null,
  valid_from date not null default current_date,
  valid_to date,
  constraint grants_pkey primary key (id),
  constraint grants_subject check (num_nonnulls(user_id, organization_id) = 1),
  constraint grants_validity check (valid_to >= valid_from),
  constraint grants_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
  constraint grants_organization_id_fkey foreign key (organization_id) references organizations (id)
);
create index grants_user_id on grants (user_id, scope_id);
create index grants_organization_id on grants (organization_id, scope_id);

-- A council's system: client credentials, bound to one organisation, whose kind says what it is (app_begin). Two secrets
-- live during rotation.
create table clients (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  name text not null,
  active boolean not null default true,
  expires_at timestamptz,
  constraint clients_pkey primary key (id),
  constraint clients_owner_org_id_fkey foreign key (owner_org_id) references organizations (id)
);
create index clients_owner_org_id on clients (owner_org_id);

-- Secrets live apart from the records, so that no history, feed or list can ever carry one.
create table credentials (
  id uuid not null,
  holder_id uuid not null,
  secret_hash text not null,
  created_at timestamptz not null default now(),
  constraint credentials_pkey primary key (id)
);
create index credentials_holder_id on credentials (holder_id);

-- Failed sign-ins per e-mail address and per address of the caller; the key never comes from a free field.
create table sign_in_failures (
  subject text not null,
  failures integer not null,
  first_at timestamptz not null default now(),
  last_at timestamptz not null default now(),
  constraint sign_in_failures_pkey primary key (subject)
);

-- One row a sign-in. `generation` counts the refreshes: an older token than the last two is a thief's.
create table sessions (
  id uuid not null,
  actor_id uuid not null,
  organization_id uuid not null,
  generation integer not null default 0,
  rotated_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  constraint sessions_pkey primary key (id),
  constraint sessions_organization_id_fkey foreign key (organization_id) references organizations (id)
);
create index sessions_actor_id on sessions (actor_id);
create index sessions_organization_id on sessions (organization_id);

-- The private half is encrypted with the key file of the installation.
create table signing_keys (
  id uuid not null,
  public_key bytea not null,
  private_key bytea not null,
  created_at timestamptz not null default now(),
  active_from timestamptz not null,
  retired_at timestamptz,
  constraint signing_keys_pkey primary key (id)
);

-- Organisations of these kinds take part in what others keep: their people are partners, and so are their systems.
create function takes_part(kind text) returns boolean language sql immutable parallel safe as $$
  select kind not in ('national', 'prefecture', 'municipality', 'department', 'joint_body', 'social_welfare_council', 'operator')
$$;

-- ---------------------------------------------------------------------------------------------
-- One call at the start of each transaction: is the session, person or client, organisation and role
-- still good? If so the variables of row-level security are set; if not, TS401. It costs the round trip
-- that row-level security needs anyway, and makes revocation immediate.
create function app_begin(
  p_kind text, p_actor uuid, p_org uuid, p_session uuid, p_request uuid, p_reason text, p_as_of timestamptz
) returns table (actor_name text, role text, org_name text, org_kind text, prefecture_code text, scopes text[], addresses text[])
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if p_kind = 'user' then
    select u.name, r.role, o.name, o.kind, o.prefecture_code into actor_name, role, org_name, org_kind, prefecture_code
    from sessions s
    join users u on u.id = s.actor_id and u.active
    join user_roles r on r.user_id = u.id and r.owner_org_id = s.organization_id
     and r.valid_from <= (now() at time zone 'Asia/Tokyo')::date and coalesce(r.valid_to, 'infinity') >= (now() at time zone 'Asia/Tokyo')::date
    join organizations o on o.id = s.organization_id
    where s.id = p_session and s.actor_id = p_actor and s.organization_id = p_org and s.revoked_at is null and s.expires_at > now();
  elsif p_kind = 'client' then
    -- The session of a system is its token.
    select c.name, case when takes_part(o.kind) then 'partner_client' else 'council_client' end, o.name, o.kind, o.prefecture_code, c.scopes, c.addresses
    into actor_name, role, org_name, org_kind, prefecture_code, scopes, addresses
    from clients c join organizations o on o.id = c.owner_org_id
    where c.id = p_actor and c.owner_org_id = p_org and c.active and coalesce(c.expires_at, 'infinity') > now()
      and not exists (select 1 from revoked_tokens t where t.id = p_session);
  else
    role := p_kind;
  end if;
  if role is null then
    raise exception 'the session has ended' using errcode = 'TS401';
  end if;
  perform set_config('app.begun', 'yes', true), set_config('app.actor', coalesce(p_actor::text, ''), true),
          set_config('app.actor_name', coalesce(actor_name, ''), true), set_config('app.org', coalesce(p_org::text, ''), true),
          set_config('app.content_org', case when role in ('auditor', 'analyst', 'system_admin') then '' else coalesce(p_org::text, '') end, true),
          set_config('app.role', role, true), set_config('app.request', coalesce(p_request::text, ''), true),
          set_config('app.reason', coalesce(p_reason, ''), true), set_config('app.as_of', coalesce(p_as_of::text, ''), true),
          set_config('app.prefecture', case when org_kind = 'prefecture' then coalesce(prefecture_code, '') else '' end, true),
          set_config('app.write', case when role in ('municipality_editor', 'municipality_admin', 'council_editor', 'council_client', 'partner', 'partner_client',
            'prefecture_editor', 'prefecture_admin', 'joint_body_secretariat', 'system_admin') then 'yes' else '' end, true);
  return next;
end $$;

-- Organisations of the caller's prefecture (empty unless the caller is the prefecture itself).
create function app_gathers() returns uuid[] language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
  return array(select id from organizations where prefecture_code = app_setting('prefecture'));
end $$;

-- ---------------------------------------------------------------------------------------------
-- Rows

-- Names of organisations are public reference; a system administrator creates organisations that own themselves.
select record_attach('organizations', readable => '(select app_role()) is not null',
  writable => '(select app_role()) = ''system_admin''');
create trigger b_no_cycle before insert or update of parent_id on organizations
  for each row when (new.parent_id is not null) execute function refuse_cycle();

-- People are seen by their own organisation; the system administrator makes the first administrator of each.
select record_attach('users',
  readable => 'owner_org_id = (select app_org()) or id = (select app_actor()) or (select app_role()) in (''system_admin'', ''authenticator'')',
  writable => '(select app_role()) = ''system_admin''');
select record_attach('user_roles',
  readable => 'owner_org_id = (select app_org()) or user_id = (select app_actor()) or (select app_role()) in (''system_admin'', ''authenticator'')',
  writable => '(select app_role()) = ''system_admin''');
select record_attach('grants', readable => 'owner_org_id = (select app_org()) or user_id = (select app_actor()) or organization_id = (select app_org())');
select record_attach('clients', readable => 'owner_org_id = (select app_org()) or (select app_role()) = ''authenticator''');

-- What is not a record: reached only while signing in, or by the administrator who sets a password.
do $$
declare
  t text;
begin
  foreach t in array array['credentials', 'sign_in_failures', 'sessions', 'signing_keys'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy owner_all on %I to tsunagi_owner using (true) with check (true)', t);
    execute format('create policy app_authenticator on %I to tsunagi_app using ((select app_role()) = ''authenticator'') with check ((select app_role()) = ''authenticator'')', t);
    execute format('grant select, insert, update, delete on %I to tsunagi_app', t);
  end loop;
end $$;
-- Who looks after the accounts of his organisation.
create function app_administers() returns boolean language sql stable parallel safe as $$
  select app_role() in ('municipality_admin', 'prefecture_admin', 'joint_body_secretariat', 'system_admin')
$$;
-- A council has editors only, a partner partners; they look after its systems. A system looks after none.
create function app_administers_clients() returns boolean language sql stable parallel safe as $$
  select app_administers() or app_role() in ('council_editor', 'partner')
$$;

do $$
declare
  t text;
  administers text;
begin
  foreach t in array array['users', 'user_roles', 'grants', 'clients'] loop
    administers := case t when 'clients' then '(select app_administers_clients())' else '(select app_administers())' end;
    execute format('create policy administrators_insert on %I as restrictive for insert to tsunagi_app with check (%s)', t, administers);
    execute format('create policy administrators_update on %I as restrictive for update to tsunagi_app using (%s)', t, administers);
    execute format('create policy administrators_delete on %I as restrictive for delete to tsunagi_app using (%s)', t, administers);
  end loop;
end $$;

-- A person changes the own password; an administrator sets that of the own people and ends their sessions.
create policy app_administer on credentials to tsunagi_app
  using (holder_id = (select app_actor())
    or ((select app_administers()) and exists (select 1 from users u where u.id = holder_id))
    or ((select app_administers_clients()) and exists (select 1 from clients c where c.id = holder_id)));
create policy app_administer on sessions to tsunagi_app
  using (actor_id = (select app_actor()) or ((select app_administers()) and exists (select 1 from users u where u.id = actor_id)));

-- Secrets and sessions go with their holder.
create function forget_holder() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  delete from credentials where holder_id = old.id;
  delete from sessions where actor_id = old.id;
  return null;
end $$;
create trigger forget_holder after delete on users for each row execute function forget_holder();
create trigger forget_holder after delete on clients for each row execute function forget_holder();

-- A role fits the kind of its organisation, so no administrator can give one that reaches further; only a system
-- administrator makes another one. (Without app.role the owner works: `server create-admin`.)
create function check_role_fits() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  kind constant text := (select o.kind from organizations o where o.id = new.owner_org_id);
begin
  if not (case
    when new.role in ('municipality_viewer', 'municipality_editor', 'municipality_admin') then kind = 'municipality'
    when new.role in ('prefecture_editor', 'prefecture_admin') then kind = 'prefecture'
    when new.role = 'council_editor' then kind = 'social_welfare_council'
    when new.role = 'joint_body_secretariat' then kind = 'joint_body'
    when new.role = 'partner' then takes_part(kind)
    when new.role in ('adviser', 'analyst', 'auditor') then true
    when new.role = 'system_admin' then kind = 'operator' and coalesce(current_setting('app.role', true), '') in ('', 'system_admin')
    else false end)
  then
    raise exception '% is no role of a %', new.role, kind using errcode = '23514',
      constraint = 'user_roles_fits_organization', table = 'user_roles';
  end if;
  return null;
end $$;
create constraint trigger user_roles_fits_organization after insert or update on user_roles
  for each row execute function check_role_fits();

-- Kind and seat decide what the accounts of an organisation see (a prefecture gathers), so they are the operator's to change.
create function keep_standing() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if coalesce(current_setting('app.role', true), '') not in ('', 'system_admin') and (new.id = new.owner_org_id
    or exists (select 1 from user_roles r where r.owner_org_id = new.id) or exists (select 1 from clients c where c.owner_org_id = new.id))
  then
    raise exception 'kind and seat of an organisation with accounts stay' using errcode = '23514',
      constraint = 'organizations_standing', table = 'organizations';
  end if;
  return new;
end $$;
create trigger b_standing before update on organizations for each row
  when ((old.kind, old.prefecture_code, old.municipality_code) is distinct from (new.kind, new.prefecture_code, new.municipality_code))
  execute function keep_standing();

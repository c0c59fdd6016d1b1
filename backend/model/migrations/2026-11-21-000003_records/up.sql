-- The spine: platforms, members, projects, plans, goals, roadmap, evaluations, KPIs.
-- Prose lists are typed JSON on their parent; what is counted, linked, filtered or owned is a row.

-- What is shared with the caller: platforms where his organisation is a current member, plans where it has
-- a column, and what was granted for today. Evaluated once per query, and only if the caller is not the owner.
create table platforms (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  kind text not null,
  name text not null,
  kana text,
  parent_id uuid,
  layer smallint,
  area_name text,
  municipality_codes text[] not null default '{}',
  districts text[] not null default '{}',
  launches jsonb not null default '[]',
  selection_notes jsonb not null default '{"state": "not_entered", "items": []}',
  members_note text,
  lead_department text,
  summary text,
  visibility text not null default 'organization',
  status text not null default 'draft',
  position integer not null default 0,
  search text generated always as (search_key(name, coalesce(kana, ''), coalesce(area_name, ''))) stored,
  constraint platforms_pkey primary key (id),
  constraint platforms_kind check (kind in ('partnership_platform', 'regional_council', 'consultative_council', 'liaison_conference', 'sub_committee', 'other')),
  constraint platforms_layer check (layer between 1 and 3),
  constraint platforms_visibility check (visibility in ('organization', 'partners', 'public')),
  constraint platforms_status check (status in ('draft', 'submitted', 'returned', 'confirmed', 'published')),
  constraint platforms_launches check (jsonb_typeof(launches) = 'array'),
  constraint platforms_owner_org_id_fkey foreign key (owner_org_id) references organizations (id),
  constraint platforms_parent_id_fkey foreign key (parent_id) references platforms (id)
);
create index platforms_owner_org_id on platforms (owner_org_id, position, id);
create index platforms_list on platforms (position, id);
create index platforms_parent_id on platforms (parent_id, position, id);
create index platforms_municipality_codes on platforms using gin (municipality_codes);
create index platforms_search on platforms using gin (search gin_trgm_ops);

create table platform_years (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  platform_id uuid not null,
  fiscal_year smallint not null,
  goals_of_year jsonb not null default '{"state": "not_entered", "items": []}',
  final_goals jsonb not null default '{"state": "not_entered", "items": []}',
  final_goals_closing text,
  prior_efforts jsonb not null default '{"state": "not_entered", "items": []}',
  partnership_values jsonb not null default '{"state": "not_entered", "items": []}',
  trial_points jsonb not null default '{"state": "not_entered", "items": []}',
  next_year_proposals jsonb not null default '{"state": "not_entered", "items": []}',
  reactions jsonb not null default '{"state": "not_entered", "items": []}',
  process_notes jsonb not null default '{"state": "not_entered", "items": []}',
  breakthrough jsonb,
  constraint platform_years_pkey primary key (id),
  constraint platform_years_year_key unique (platform_id, fiscal_year),
  constraint platform_years_fiscal_year check (fiscal_year between 1950 and 2200),
  constraint platform_years_platform_id_fkey foreign key (platform_id) references platforms (id)
);

create table members (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  platform_id uuid not null,
  parent_id uuid,
  kind text not null,
  organization_id uuid,
  label text not null,
  role text not null default 'member',
  class text,
  linkage text,
  joined_on date,
  left_on date,
  joined_text text,
  note text,
  position integer not null default 0,
  constraint members_pkey primary key (id),
  constraint members_kind check (kind in ('organization', 'category', 'network')),
  constraint members_role check (role in ('lead', 'main_department', 'member_department', 'secretariat', 'chair', 'vice_chair', 'member', 'observer', 'coordinating_body')),
  constraint members_organization check (kind <> 'category' or organization_id is null),
  constraint members_dates check (left_on >= joined_on),
  constraint members_no_overlap exclude using gist (platform_id with =, organization_id with =, role with =,
    daterange(joined_on, left_on, '[)') with &&) where (organization_id is not null),
  constraint members_platform_key unique (platform_id, id),
  constraint members_platform_id_fkey foreign key (platform_id) references platforms (id),
  constraint members_parent_id_fkey foreign key (platform_id, parent_id) references members (platform_id, id),
  constraint members_organization_id_fkey foreign key (organization_id) references organizations (id)
);
create index members_platform_id on members (platform_id, position, id);
create index members_list on members (position, id);
create index members_organization_id on members (organization_id, platform_id);
create index members_parent_id on members (platform_id, parent_id);

create table plans (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  platform_id uuid,
  kind text not null,
  title text not null,
  subtitle text,
  municipality_code text,
  first_fiscal_year smallint not null,
  last_fiscal_year smallint not null,
  edition text,
  supersedes_id uuid,
  visibility text not null default 'organization',
  status text not null default 'draft',
  position integer not null default 0,
  search text generated always as (search_key(title, coalesce(subtitle, ''))) stored,
  constraint plans_pkey primary key (id),
  constraint plans_kind check (kind in ('community_welfare_plan', 'community_welfare_activity_plan', 'multilayered_support_plan', 'platform_plan', 'other')),
  constraint plans_years check (first_fiscal_year >= 1950 and last_fiscal_year <= 2200 and last_fiscal_year between first_fiscal_year and first_fiscal_year + 30),
  constraint plans_visibility check (visibility in ('organization', 'partners', 'public')),
  constraint plans_status check (status in ('draft', 'submitted', 'returned', 'confirmed', 'published')),
  constraint plans_owner_org_id_fkey foreign key (owner_org_id) references organizations (id),
  constraint plans_platform_id_fkey foreign key (platform_id) references platforms (id),
  constraint plans_municipality_code_fkey foreign key (municipality_code) references municipalities (code),
  constraint plans_supersedes_id_fkey foreign key (supersedes_id) references plans (id)
);
create index plans_owner_org_id on plans (owner_org_id, position, id);
create index plans_list on plans (position, id);
create index plans_platform_id on plans (platform_id, position, id);
create index plans_municipality_code on plans (municipality_code);
create index plans_supersedes_id on plans (supersedes_id);
create index plans_search on plans using gin (search gin_trgm_ops);

-- The columns of a plan's sheet. A group (地域振興協議会) has its organisations below it.
create table plan_actors (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  plan_id uuid not null,
  parent_id uuid,
  kind text not null,
  label text not null,
  role_label text,
  organization_id uuid,
  entered_by_owner boolean not null default true,
  position integer not null default 0,
  constraint plan_actors_pkey primary key (id),
  constraint plan_actors_kind check (kind in ('community_promotion_council', 'social_welfare_council', 'government', 'other')),
  constraint plan_actors_plan_key unique (plan_id, id),
  constraint plan_actors_plan_id_fkey foreign key (plan_id) references plans (id),
  constraint plan_actors_parent_id_fkey foreign key (plan_id, parent_id) references plan_actors (plan_id, id),
  constraint plan_actors_organization_id_fkey foreign key (organization_id) references organizations (id)
);
create index plan_actors_list on plan_actors (plan_id, position, id);
create index plan_actors_parent_id on plan_actors (plan_id, parent_id);
create index plan_actors_organization_id on plan_actors (organization_id, plan_id);

create function app_shared() returns uuid[] language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  org constant uuid := app_org();
  today constant date := (now() at time zone 'Asia/Tokyo')::date;
begin
  if org is null then
    return '{}';
  end if;
  return array(
    select platform_id from members
    where organization_id = org and coalesce(joined_on, '-infinity') <= today and coalesce(left_on, 'infinity') > today
    union select plan_id from plan_actors where organization_id = org
    union select scope_id from grants
    where (organization_id = org or user_id = app_actor()) and valid_from <= today and coalesce(valid_to, 'infinity') >= today);
end $$;

-- Columns of sheets that are the caller's own.
create function app_slots() returns uuid[] language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
  return array(select id from plan_actors where organization_id = app_org());
end $$;

create table evaluation_levels (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  plan_id uuid not null,
  code text not null,
  label text not null,
  criteria text,
  rank integer not null,
  constraint evaluation_levels_pkey primary key (id),
  constraint evaluation_levels_code_key unique (plan_id, code),
  constraint evaluation_levels_plan_key unique (plan_id, id),
  constraint evaluation_levels_plan_id_fkey foreign key (plan_id) references plans (id)
);
create index evaluation_levels_list on evaluation_levels (plan_id, rank desc, id);

create table goals (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  plan_id uuid not null,
  parent_id uuid,
  kind text not null,
  number text,
  title text not null,
  states jsonb not null default '{"state": "not_entered", "items": []}',
  position integer not null default 0,
  constraint goals_pkey primary key (id),
  constraint goals_kind check (kind in ('principle', 'basic_goal', 'basic_plan', 'priority_initiative', 'measure', 'item')),
  constraint goals_plan_key unique (plan_id, id),
  constraint goals_plan_id_fkey foreign key (plan_id) references plans (id),
  constraint goals_parent_id_fkey foreign key (plan_id, parent_id) references goals (plan_id, id)
);
create index goals_list on goals (plan_id, position, id);
create index goals_parent_id on goals (plan_id, parent_id);

create table goal_roles (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  goal_id uuid not null,
  actor_id uuid not null,
  expected_actor text,
  items jsonb not null default '[]',
  constraint goal_roles_pkey primary key (id),
  constraint goal_roles_key unique (goal_id, actor_id),
  constraint goal_roles_items check (jsonb_typeof(items) = 'array'),
  constraint goal_roles_goal_id_fkey foreign key (goal_id) references goals (id),
  constraint goal_roles_actor_id_fkey foreign key (actor_id) references plan_actors (id)
);
create index goal_roles_actor_id on goal_roles (actor_id);

-- The state of a cell apart from its items. A cell without a row is simply not entered.
create table roadmap_cells (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  goal_id uuid not null,
  fiscal_year smallint not null,
  actor_id uuid,
  kind text not null,
  state text not null default 'not_entered',
  heading_shown boolean not null default true,
  entered_by_org_id uuid not null,
  constraint roadmap_cells_pkey primary key (id),
  constraint roadmap_cells_key unique nulls not distinct (goal_id, fiscal_year, actor_id, kind),
  constraint roadmap_cells_kind check (kind in ('milestone', 'planned', 'actual', 'note')),
  constraint roadmap_cells_state check (state in ('not_entered', 'none', 'not_carried_out', 'not_yet_due')),
  constraint roadmap_cells_goal_id_fkey foreign key (goal_id) references goals (id),
  constraint roadmap_cells_actor_id_fkey foreign key (actor_id) references plan_actors (id)
);
create index roadmap_cells_actor_id on roadmap_cells (actor_id);
create index roadmap_cells_list on roadmap_cells (fiscal_year, id);

create table roadmap_items (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  goal_id uuid not null,
  fiscal_year smallint not null,
  actor_id uuid,
  kind text not null,
  text text not null,
  marker text,
  progress text not null default 'not_started',
  responsible text,
  due_on date,
  original_fiscal_year smallint not null,
  carried_over_from_id uuid,
  continues boolean not null default false,
  position integer not null default 0,
  entered_by_org_id uuid not null,
  constraint roadmap_items_pkey primary key (id),
  constraint roadmap_items_kind check (kind in ('milestone', 'planned', 'actual', 'note')),
  constraint roadmap_items_progress check (progress in ('not_started', 'ongoing', 'done', 'dropped', 'carried_over')),
  constraint roadmap_items_fiscal_year check (fiscal_year between 1950 and 2200),
  constraint roadmap_items_actor check (kind in ('milestone', 'note') or actor_id is not null),
  constraint roadmap_items_carried_over_once unique (carried_over_from_id),
  constraint roadmap_items_goal_id_fkey foreign key (goal_id) references goals (id),
  constraint roadmap_items_actor_id_fkey foreign key (actor_id) references plan_actors (id),
  constraint roadmap_items_carried_over_from_id_fkey foreign key (carried_over_from_id) references roadmap_items (id)
);
create index roadmap_items_goal_id on roadmap_items (goal_id, fiscal_year, position, id);
create index roadmap_items_list on roadmap_items (fiscal_year, position, id);
create index roadmap_items_actor_id on roadmap_items (actor_id, fiscal_year);
create index roadmap_items_due_on on roadmap_items (owner_org_id, due_on) where due_on is not null;

create table evaluations (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  goal_id uuid not null,
  plan_id uuid not null,
  fiscal_year smallint not null,
  stage text not null default 'final',
  level_id uuid,
  remark text,
  reason text,
  decided_on date,
  decided_by text,
  revision integer not null default 1,
  supersedes_id uuid,
  constraint evaluations_pkey primary key (id),
  constraint evaluations_stage check (stage in ('self', 'interim', 'committee', 'final')),
  constraint evaluations_fiscal_year check (fiscal_year between 1950 and 2200),
  constraint evaluations_current unique (goal_id, fiscal_year, stage, revision),
  constraint evaluations_goal_id_fkey foreign key (plan_id, goal_id) references goals (plan_id, id),
  constraint evaluations_level_of_plan foreign key (plan_id, level_id) references evaluation_levels (plan_id, id),
  constraint evaluations_supersedes_id_fkey foreign key (supersedes_id) references evaluations (id)
);
create index evaluations_plan_id on evaluations (plan_id, fiscal_year, goal_id);
create index evaluations_goal on evaluations (plan_id, goal_id);
create index evaluations_level_id on evaluations (plan_id, level_id);
create index evaluations_supersedes_id on evaluations (supersedes_id);

create table projects (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  platform_id uuid,
  goal_id uuid,
  predecessor_id uuid,
  fiscal_year smallint not null,
  number text,
  name text not null,
  title text,
  is_reference boolean not null default false,
  progress text not null default 'planned',
  lead_department text,
  content jsonb not null default '{"state": "not_entered", "items": []}',
  aims jsonb not null default '{"state": "not_entered", "items": []}',
  verification jsonb not null default '[]',
  schedules jsonb not null default '[]',
  summary jsonb not null default '{"state": "not_entered", "items": []}',
  ingenuity_points jsonb not null default '{"state": "not_entered", "items": []}',
  detail_aims jsonb not null default '{"state": "not_entered", "items": []}',
  results jsonb not null default '{"state": "not_entered", "items": []}',
  sections jsonb not null default '[]',
  media_plan jsonb not null default '[]',
  visibility text not null default 'organization',
  status text not null default 'draft',
  position integer not null default 0,
  search text generated always as (search_key(name, coalesce(title, ''))) stored,
  constraint projects_pkey primary key (id),
  constraint projects_progress check (progress in ('planned', 'ongoing', 'done', 'cancelled')),
  constraint projects_fiscal_year check (fiscal_year between 1950 and 2200),
  constraint projects_visibility check (visibility in ('organization', 'partners', 'public')),
  constraint projects_status check (status in ('draft', 'submitted', 'returned', 'confirmed', 'published')),
  constraint projects_owner_org_id_fkey foreign key (owner_org_id) references organizations (id),
  constraint projects_platform_id_fkey foreign key (platform_id) references platforms (id),
  constraint projects_goal_id_fkey foreign key (goal_id) references goals (id),
  constraint projects_predecessor_id_fkey foreign key (predecessor_id) references projects (id)
);
create index projects_platform_id on projects (platform_id, fiscal_year, position, id);
create index projects_owner_org_id on projects (owner_org_id, fiscal_year, position, id);
create index projects_list on projects (fiscal_year, position, id);
create index projects_goal_id on projects (goal_id);
create index projects_predecessor_id on projects (predecessor_id);
create index projects_search on projects using gin (search gin_trgm_ops);

-- What a project costs and who is paid: never public, so it is a table with a policy of its own.
create table project_costs (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  project_id uuid not null,
  contractor text,
  contractor_id uuid,
  items text[] not null default '{}',
  amount_yen bigint,
  approximate boolean not null default false,
  printed text,
  note text,
  position integer not null default 0,
  constraint project_costs_pkey primary key (id),
  constraint project_costs_amount check (amount_yen between 0 and 999999999999999),
  constraint project_costs_project_id_fkey foreign key (project_id) references projects (id),
  constraint project_costs_contractor_id_fkey foreign key (contractor_id) references organizations (id)
);
create index project_costs_list on project_costs (project_id, position, id);
create index project_costs_contractor_id on project_costs (contractor_id);

create table kpis (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  platform_id uuid,
  plan_id uuid,
  code text,
  name text not null,
  definition text,
  value_type text not null,
  unit text,
  decimals smallint,
  direction text not null default 'none',
  numerator_label text,
  denominator_label text,
  baseline jsonb,
  time_rule text not null default 'last',
  area_rule text not null default 'none',
  frequency text not null default 'fiscal_year',
  responsible text,
  data_source text,
  counts_people boolean not null default false,
  printed text,
  visibility text not null default 'organization',
  status text not null default 'draft',
  position integer not null default 0,
  search text generated always as (search_key(name, coalesce(code, ''), coalesce(definition, ''))) stored,
  constraint kpis_pkey primary key (id),
  constraint kpis_code_key unique (owner_org_id, code),
  constraint kpis_value_type check (value_type in ('number', 'ratio', 'state', 'text')),
  constraint kpis_decimals check (decimals between 0 and 6),
  constraint kpis_direction check (direction in ('increase', 'decrease', 'keep', 'range', 'milestone', 'none')),
  constraint kpis_time_rule check (time_rule in ('sum', 'last', 'mean', 'maximum', 'minimum', 'cumulative', 'none')),
  constraint kpis_area_rule check (area_rule in ('sum', 'ratio', 'none')),
  constraint kpis_frequency check (frequency in ('fiscal_year', 'quarter', 'month', 'day', 'irregular')),
  constraint kpis_visibility check (visibility in ('organization', 'partners', 'public')),
  constraint kpis_status check (status in ('draft', 'submitted', 'returned', 'confirmed', 'published')),
  constraint kpis_owner_org_id_fkey foreign key (owner_org_id) references organizations (id),
  constraint kpis_platform_id_fkey foreign key (platform_id) references platforms (id),
  constraint kpis_plan_id_fkey foreign key (plan_id) references plans (id)
);
create index kpis_platform_id on kpis (platform_id, position, id);
create index kpis_plan_id on kpis (plan_id, position, id);
create index kpis_owner_org_id on kpis (owner_org_id, position, id);
create index kpis_list on kpis (position, id);
create index kpis_search on kpis using gin (search gin_trgm_ops);

-- Where a KPI stands in documents. Re-listed (※再掲) is a mark of the placement, the KPI exists once.
create table kpi_placements (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  kpi_id uuid not null,
  goal_id uuid,
  project_id uuid,
  platform_id uuid,
  number text,
  printed text,
  relisted boolean not null default false,
  position integer not null default 0,
  constraint kpi_placements_pkey primary key (id),
  constraint kpi_placements_place check (num_nonnulls(goal_id, project_id, platform_id) = 1),
  constraint kpi_placements_key unique nulls not distinct (kpi_id, goal_id, project_id, platform_id),
  constraint kpi_placements_kpi_id_fkey foreign key (kpi_id) references kpis (id),
  constraint kpi_placements_goal_id_fkey foreign key (goal_id) references goals (id),
  constraint kpi_placements_project_id_fkey foreign key (project_id) references projects (id),
  constraint kpi_placements_platform_id_fkey foreign key (platform_id) references platforms (id)
);
create index kpi_placements_goal_id on kpi_placements (goal_id, position, id);
create index kpi_placements_project_id on kpi_placements (project_id, position, id);
create index kpi_placements_platform_id on kpi_placements (platform_id, position, id);

-- A line of values of a KPI: the whole (all empty), an area, an organisation, values of dimensions.
create table kpi_series (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  kpi_id uuid not null,
  municipality_code text,
  district text,
  organization_id uuid,
  dimensions jsonb not null default '{}',
  position integer not null default 0,
  constraint kpi_series_pkey primary key (id),
  constraint kpi_series_key unique nulls not distinct (kpi_id, municipality_code, district, organization_id, dimensions),
  constraint kpi_series_whole check (id <> kpi_id or num_nonnulls(municipality_code, district, organization_id) = 0 and dimensions = '{}'),
  constraint kpi_series_dimensions check (jsonb_typeof(dimensions) = 'object'),
  constraint kpi_series_kpi_id_fkey foreign key (kpi_id) references kpis (id),
  constraint kpi_series_municipality_code_fkey foreign key (municipality_code) references municipalities (code),
  constraint kpi_series_organization_id_fkey foreign key (organization_id) references organizations (id)
);
create index kpi_series_list on kpi_series (kpi_id, position, id);
create index kpi_series_municipality_code on kpi_series (municipality_code);
create index kpi_series_organization_id on kpi_series (organization_id);

create table kpi_targets (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  kpi_id uuid not null,
  fiscal_year smallint not null,
  kind text not null default 'numeric',
  comparator text not null default 'at_least',
  value numeric,
  high numeric,
  text text,
  rationale text,
  scope text,
  printed text,
  reason text,
  revision integer not null default 1,
  supersedes_id uuid,
  constraint kpi_targets_pkey primary key (id),
  constraint kpi_targets_fiscal_year check (fiscal_year between 1950 and 2200),
  constraint kpi_targets_kind check (kind in ('numeric', 'qualitative', 'not_set')),
  constraint kpi_targets_comparator check (comparator in ('at_least', 'at_most', 'equal', 'between')),
  constraint kpi_targets_value check (case kind
    when 'numeric' then value is not null and (high is not null) = (comparator = 'between') and coalesce(high, value) >= value
    when 'qualitative' then text is not null and num_nonnulls(value, high) = 0 else num_nonnulls(value, high) = 0 end),
  constraint kpi_targets_current unique (kpi_id, fiscal_year, revision),
  constraint kpi_targets_kpi_id_fkey foreign key (kpi_id) references kpis (id),
  constraint kpi_targets_supersedes_id_fkey foreign key (supersedes_id) references kpi_targets (id)
);
create index kpi_targets_supersedes_id on kpi_targets (supersedes_id);

create table kpi_observations (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  kpi_id uuid not null,
  series_id uuid not null,
  period_kind text not null,
  period_start date not null,
  period_end date not null,
  number numeric,
  low numeric,
  high numeric,
  numerator numeric,
  denominator numeric,
  state text,
  missing_reason text,
  approximate boolean not null default false,
  printed text,
  quality text not null default 'final',
  series_break boolean not null default false,
  source text,
  note text,
  reason text,
  revision integer not null default 1,
  supersedes_id uuid,
  recorded_by text,
  constraint kpi_observations_pkey primary key (id),
  constraint kpi_observations_period_kind check (period_kind in ('fiscal_year', 'quarter', 'month', 'day', 'range')),
  constraint kpi_observations_period check (period_end >= period_start and case period_kind
    when 'day' then period_end = period_start
    when 'month' then extract(day from period_start) = 1 and period_end = (period_start + interval '1 month - 1 day')::date
    when 'quarter' then extract(day from period_start) = 1 and extract(month from period_start) in (1, 4, 7, 10)
      and period_end = (period_start + interval '3 months - 1 day')::date
    when 'fiscal_year' then extract(day from period_start) = 1 and extract(month from period_start) = 4
      and period_end = (period_start + interval '1 year - 1 day')::date
    else true end),
  constraint kpi_observations_one_value check (num_nonnulls(number, low, numerator, state, missing_reason) = 1),
  constraint kpi_observations_range check ((low is null) = (high is null) and low <= high),
  constraint kpi_observations_ratio check ((numerator is null) = (denominator is null) and denominator > 0),
  constraint kpi_observations_missing_reason check (missing_reason in ('not_available', 'not_carried_out', 'not_applicable', 'not_yet_due', 'suppressed')),
  constraint kpi_observations_quality check (quality in ('provisional', 'final', 'estimated')),
  constraint kpi_observations_current unique (series_id, period_start, period_kind, period_end, revision),
  constraint kpi_observations_kpi_id_fkey foreign key (kpi_id) references kpis (id),
  constraint kpi_observations_series_id_fkey foreign key (series_id) references kpi_series (id),
  constraint kpi_observations_supersedes_id_fkey foreign key (supersedes_id) references kpi_observations (id)
);
create index kpi_observations_kpi_id on kpi_observations (kpi_id, period_start, id);
create index kpi_observations_supersedes_id on kpi_observations (supersedes_id) where supersedes_id is not null;

-- The newest value of the whole and the targets by year, kept in the transaction of the observation, so that
-- a dashboard reads one row a KPI. Derived, therefore no record: it can always be rebuilt.
create table kpi_current (
  kpi_id uuid not null,
  observation_id uuid,
  period_kind text,
  period_start date,
  period_end date,
  value numeric,
  text text,
  missing_reason text,
  quality text,
  targets jsonb not null default '{}',
  constraint kpi_current_pkey primary key (kpi_id),
  constraint kpi_current_kpi_id_fkey foreign key (kpi_id) references kpis (id) on delete cascade
) with (fillfactor = 70);

create table municipality_facts (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  municipality_code text not null,
  kind text not null,
  value numeric not null,
  unit text not null,
  as_of jsonb not null,
  as_of_on date not null,
  source text not null,
  printed text,
  visibility text not null default 'organization',
  status text not null default 'draft',
  constraint municipality_facts_pkey primary key (id),
  constraint municipality_facts_kind check (kind in ('population', 'households', 'elderly_rate', 'area', 'districts', 'other')),
  constraint municipality_facts_visibility check (visibility in ('organization', 'partners', 'public')),
  constraint municipality_facts_status check (status in ('draft', 'submitted', 'returned', 'confirmed', 'published')),
  constraint municipality_facts_owner_org_id_fkey foreign key (owner_org_id) references organizations (id),
  constraint municipality_facts_municipality_code_fkey foreign key (municipality_code) references municipalities (code)
);
create index municipality_facts_list on municipality_facts (municipality_code, as_of_on, id);
create index municipality_facts_owner_org_id on municipality_facts (owner_org_id);

-- Ids of other systems. (source, external id) is unique per owner and kind of record.
create table external_ids (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  entity text not null,
  record_id uuid not null,
  source text not null,
  external_id text not null,
  constraint external_ids_pkey primary key (id),
  constraint external_ids_key unique (owner_org_id, entity, source, external_id),
  constraint external_ids_record_key unique (owner_org_id, entity, record_id, source)
);

-- What a person said about a finding (a printed fact that the record contradicts). The findings themselves are computed.
create table finding_notes (
  id uuid not null,
  version bigint not null default 1,
  owner_org_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  entity text not null,
  record_id uuid not null,
  rule text not null,
  printed text not null,
  state text not null default 'explained',
  explanation text not null,
  constraint finding_notes_pkey primary key (id),
  constraint finding_notes_key unique (owner_org_id, record_id, rule, printed),
  constraint finding_notes_state check (state in ('explained', 'fixed'))
);

-- ---------------------------------------------------------------------------------------------
-- Rights on rows (the second wall; the first is Access<P> with policy.toml).

-- Roots carry visibility and status: published to all, submitted to the prefecture (and still seen by it when it has
-- returned them), shared with partners.
create function root_readable(variadic shared_keys text[]) returns text language sql immutable as $$
  select format($p$(visibility = 'public' and status = 'published')
    or (status <> 'draft' and owner_org_id = any((select app_gathers())::uuid[]))
    or (visibility <> 'organization' and (%s))$p$,
    (select string_agg(format('%I = any((select app_shared())::uuid[])', k), ' or ') from unnest(shared_keys) k))
$$;
-- Children are seen with their parent.
create function child_readable(child text, parent text, parent_column text) returns text language sql immutable as $$
  select format('exists (select 1 from %I p where p.id = %I.%I)', parent, child, parent_column)
$$;

select record_attach('platforms', readable => root_readable('id'));
select record_attach('platform_years', 'platforms', 'platform_id', child_readable('platform_years', 'platforms', 'platform_id'));
-- A member organisation keeps its own row up to date.
select record_attach('members', 'platforms', 'platform_id', child_readable('members', 'platforms', 'platform_id'),
  'organization_id = (select app_org())');
-- … but nobody makes himself a member, or ends it: what is shared follows membership.
create policy owner_admits on members as restrictive for insert to tsunagi_app with check (owner_org_id = (select app_org()));
create policy owner_dismisses on members as restrictive for delete to tsunagi_app using (owner_org_id = (select app_org()));
create function keep_membership() returns trigger language plpgsql as $$
begin
  if new.owner_org_id is distinct from app_org()
    and (new.platform_id, new.parent_id, new.kind, new.organization_id, new.role, new.class, new.joined_on, new.left_on, new.position)
    is distinct from (old.platform_id, old.parent_id, old.kind, old.organization_id, old.role, old.class, old.joined_on, old.left_on, old.position)
  then
    raise exception 'row-level security: the membership is kept by the owner of the platform' using errcode = '42501';
  end if;
  return new;
end $$;
create trigger d_membership before update on members for each row execute function keep_membership();
select record_attach('plans', readable => root_readable('id', 'platform_id'));
select record_attach('plan_actors', 'plans', 'plan_id', child_readable('plan_actors', 'plans', 'plan_id'));
select record_attach('evaluation_levels', 'plans', 'plan_id', child_readable('evaluation_levels', 'plans', 'plan_id'));
select record_attach('goals', 'plans', 'plan_id', child_readable('goals', 'plans', 'plan_id'));
select record_attach('goal_roles', 'goals', 'goal_id', child_readable('goal_roles', 'goals', 'goal_id'),
  'actor_id = any((select app_slots())::uuid[])');
select record_attach('roadmap_cells', 'goals', 'goal_id', child_readable('roadmap_cells', 'goals', 'goal_id'),
  'actor_id = any((select app_slots())::uuid[])');
select record_attach('roadmap_items', 'goals', 'goal_id', child_readable('roadmap_items', 'goals', 'goal_id'),
  'actor_id = any((select app_slots())::uuid[])');
select record_attach('evaluations', 'goals', 'goal_id', child_readable('evaluations', 'goals', 'goal_id'), append_only => true);
-- What the committee and the final evaluation (総合評価) say, an administrator enters.
create policy administrators_confirm on evaluations as restrictive for insert to tsunagi_app
  with check (stage not in ('committee', 'final') or (select app_administers()));
select record_attach('projects', readable => root_readable('platform_id'));
select record_attach('project_costs', 'projects', 'project_id',
  'contractor_id = (select app_org()) or (owner_org_id = any((select app_gathers())::uuid[]) and '
  || child_readable('project_costs', 'projects', 'project_id') || ')');
select record_attach('kpis', readable => root_readable('platform_id', 'plan_id'));
select record_attach('kpi_placements', 'kpis', 'kpi_id', child_readable('kpi_placements', 'kpis', 'kpi_id'));
select record_attach('kpi_series', 'kpis', 'kpi_id', child_readable('kpi_series', 'kpis', 'kpi_id'));
select record_attach('kpi_targets', 'kpis', 'kpi_id', child_readable('kpi_targets', 'kpis', 'kpi_id'), append_only => true);
-- An organisation records the values of its own line.
select record_attach('kpi_observations', 'kpis', 'kpi_id', child_readable('kpi_observations', 'kpis', 'kpi_id'),
  'exists (select 1 from kpi_series s where s.id = series_id and s.organization_id = (select app_org()))', append_only => true);
select record_attach('municipality_facts', readable =>
  '(visibility = ''public'' and status = ''published'') or (status <> ''draft'' and owner_org_id = any((select app_gathers())::uuid[]))');
select record_attach('external_ids');
select record_attach('finding_notes');

alter table kpi_current enable row level security;
alter table kpi_current force row level security;
create policy owner_all on kpi_current to tsunagi_owner using (true) with check (true);
create policy app_select on kpi_current for select to tsunagi_app using (exists (select 1 from kpis k where k.id = kpi_id));
grant select on kpi_current to tsunagi_app;
-- The value of an observation as one number: numerator by denominator, in the unit of the KPI (41 where that is %).
create function observed_value(number numeric, numerator numeric, denominator numeric, unit text) returns numeric
  language sql immutable parallel safe as $$
  select coalesce(number, trim_scale(round(case when normalize(unit, NFKC) = '%' then 100 else 1 end * numerator / denominator, 9)))
$$;
-- The past has no kept current value; as_of computes it from the observations and targets of that day.
create view as_of.kpi_current with (security_invoker = true) as
select k.id as kpi_id, o.id as observation_id, o.period_kind, o.period_start, o.period_end,
       observed_value(o.number, o.numerator, o.denominator, k.unit) as value, o.state as text, o.missing_reason, o.quality,
       coalesce(t.targets, '{}') as targets
from as_of.kpis k
left join lateral (
  select o.* from as_of.kpi_observations o where o.series_id = k.id
  order by o.period_end desc, o.period_start desc, o.created_at desc, o.revision desc limit 1) o on true
left join lateral (
  select jsonb_strip_nulls(jsonb_object_agg(t.fiscal_year::text, t.value::text order by t.revision)) as targets from as_of.kpi_targets t
  where t.kpi_id = k.id) t on true
where o.id is not null or t.targets is not null;
grant select on as_of.kpi_current to tsunagi_app;

-- ---------------------------------------------------------------------------------------------
-- Rules between rows

create trigger b_no_cycle before insert or update of parent_id on platforms
  for each row when (new.parent_id is not null) execute function refuse_cycle();
create trigger b_no_cycle before insert or update of parent_id on members
  for each row when (new.parent_id is not null) execute function refuse_cycle();
create trigger b_no_cycle before insert or update of parent_id on plan_actors
  for each row when (new.parent_id is not null) execute function refuse_cycle();
create trigger b_no_cycle before insert or update of parent_id on goals
  for each row when (new.parent_id is not null) execute function refuse_cycle();
create trigger b_no_cycle before insert or update of supersedes_id on plans
  for each row when (new.supersedes_id is not null) execute function refuse_cycle('supersedes_id');

-- A prefecture returns what was submitted to it, and changes nothing else of it.
create function keep_sheet() returns trigger language plpgsql as $$
declare
  moving constant text[] := '{status,version,updated_at,search}';
begin
  if to_jsonb(new) - moving <> to_jsonb(old) - moving then
    raise exception 'row-level security: the sheet is kept by its owner' using errcode = '42501';
  end if;
  return new;
end $$;

do $$
declare
  t text;
begin
  foreach t in array array['platforms', 'plans', 'projects', 'kpis', 'municipality_facts'] loop
    execute format('create trigger b_transition before update or delete on %I for each row execute function check_transition()', t);
    execute format('create policy app_return on %I for update to tsunagi_app
      using ((select app_may_write()) and status = ''submitted'' and owner_org_id = any((select app_gathers())::uuid[]))
      with check (status = ''returned'')', t);
    -- Before the stamp, which keeps version and times to itself.
    execute format('create trigger a_keep before update on %I for each row
      when (coalesce(current_setting(''app.org'', true), '''') <> old.owner_org_id::text and coalesce(current_setting(''app.org'', true), '''') <> '''')
      execute function keep_sheet()', t);
  end loop;
end $$;

-- Municipality codes of an area must exist. Series of areas use a foreign key; an array cannot.
create function check_municipality_codes() returns trigger language plpgsql as $$
begin
  if exists (select 1 from unnest(new.municipality_codes) c where not exists (select 1 from municipalities m where m.code = c)) then
    raise exception 'unknown municipality code' using errcode = '23503', constraint = 'platforms_municipality_codes_fkey', table = 'platforms';
  end if;
  return new;
end $$;
create trigger b_municipality_codes before insert or update of municipality_codes on platforms
  for each row execute function check_municipality_codes();

-- Only what is the organisation's own can be granted.
create function check_grant_scope() returns trigger language plpgsql as $$
begin
  if not exists (select 1 from platforms p where p.id = new.scope_id and p.owner_org_id = new.owner_org_id)
    and not exists (select 1 from plans p where p.id = new.scope_id and p.owner_org_id = new.owner_org_id)
  then
    raise exception 'no such platform or plan' using errcode = '23503', constraint = 'grants_scope_id_fkey', table = 'grants';
  end if;
  return new;
end $$;
create trigger b_scope before insert or update of scope_id on grants for each row execute function check_grant_scope();
-- The day by which facts are ordered: the last one their period names.
create function order_fact() returns trigger language plpgsql as $$
begin
  new.as_of_on := coalesce((new.as_of ->> 'end')::date, (new.as_of ->> 'start')::date);
  return new;
end $$;
create trigger b_order before insert or update of as_of on municipality_facts for each row execute function order_fact();

-- What is said of a record is said of one that the caller sees. A deleted record keeps what was said of it.
-- (The owner's own maintenance has no caller.)
create function refuse_unseen_record() returns trigger language plpgsql as $$
begin
  if (tg_op = 'INSERT' or (new.entity, new.record_id) is distinct from (old.entity, old.record_id))
    and coalesce(current_setting('app.begun', true), '') <> '' and not record_visible(new.entity, new.record_id)
  then
    raise exception 'no such record' using errcode = '23503',
      constraint = format('%s_record_id_fkey', tg_table_name), table = tg_table_name;
  end if;
  return new;
end $$;
create trigger b_see_record before insert or update on external_ids for each row execute function refuse_unseen_record();
create trigger b_see_record before insert or update on finding_notes for each row execute function refuse_unseen_record();

-- What is published is for everybody to read, not to hang things on: on a platform, plan or goal of somebody else stands
-- only what belongs to its members and columns.
create function refuse_stranger() returns trigger language plpgsql as $$
declare
  target constant uuid := (to_jsonb(new) ->> tg_argv[0])::uuid;
begin
  if coalesce(current_setting('app.begun', true), '') <> ''
    and (tg_op = 'INSERT' or target is distinct from (to_jsonb(old) ->> tg_argv[0])::uuid)
    and not (case tg_argv[1]
      when 'platforms' then exists (select 1 from platforms p where p.id = target and (p.owner_org_id = app_org() or p.id = any(app_shared())))
      when 'plans' then exists (select 1 from plans p where p.id = target
        and (p.owner_org_id = app_org() or p.id = any(app_shared()) or p.platform_id = any(app_shared())))
      when 'goals' then exists (select 1 from goals g join plans p on p.id = g.plan_id where g.id = target
        and (p.owner_org_id = app_org() or p.id = any(app_shared()) or p.platform_id = any(app_shared())))
      else exists (select 1 from projects p where p.id = target and (p.owner_org_id = app_org() or p.platform_id = any(app_shared()))) end)
  then
    raise exception 'somebody else''s' using errcode = '23503',
      constraint = format('%s_%s_fkey', tg_table_name, tg_argv[0]), table = tg_table_name;
  end if;
  return new;
end $$;
do $$
declare
  place text[];
begin
  foreach place slice 1 in array array[['plans', 'platform_id', 'platforms'], ['projects', 'platform_id', 'platforms'], ['projects', 'goal_id', 'goals'],
    ['kpis', 'platform_id', 'platforms'], ['kpis', 'plan_id', 'plans'], ['kpi_placements', 'platform_id', 'platforms'],
    ['kpi_placements', 'project_id', 'projects'], ['kpi_placements', 'goal_id', 'goals']] loop
    execute format('create trigger c_stranger_%s before insert or update of %I on %I for each row when (new.%I is not null) execute function refuse_stranger(%L, %L)',
      place[2], place[2], place[1], place[2], place[2], place[3]);
  end loop;
end $$;

-- A plan keeps the years in which something stands on its sheet.
create function keep_years_in_use() returns trigger language plpgsql as $$
begin
  if exists (select 1 from goals g join roadmap_items i on i.goal_id = g.id
      where g.plan_id = new.id and i.fiscal_year not between new.first_fiscal_year and new.last_fiscal_year)
    or exists (select 1 from goals g join roadmap_cells c on c.goal_id = g.id
      where g.plan_id = new.id and c.fiscal_year not between new.first_fiscal_year and new.last_fiscal_year)
  then
    raise exception 'there are entries outside' using errcode = '23514', constraint = 'plans_years_in_use', table = 'plans';
  end if;
  return new;
end $$;
create trigger b_years_in_use before update of first_fiscal_year, last_fiscal_year on plans
  for each row execute function keep_years_in_use();

-- A goal, a column or a level of a plan and a line of a KPI stay where they are: what refers to them stands there, too.
create function keep_parent() returns trigger language plpgsql as $$
begin
  raise exception 'it stays with its parent' using errcode = '23514', constraint = format('%s_%s_stays', tg_table_name, tg_argv[0]), table = tg_table_name;
end $$;
create trigger b_keep_parent before update on goals for each row when (old.plan_id <> new.plan_id) execute function keep_parent('plan_id');
create trigger b_keep_parent before update on plan_actors for each row when (old.plan_id <> new.plan_id) execute function keep_parent('plan_id');
create trigger b_keep_parent before update on evaluation_levels for each row when (old.plan_id <> new.plan_id) execute function keep_parent('plan_id');
create trigger b_keep_parent before update on kpi_series for each row when (old.kpi_id <> new.kpi_id) execute function keep_parent('kpi_id');

-- A project continues one of an earlier year, so none continues itself.
create function check_predecessor() returns trigger language plpgsql as $$
begin
  if exists (select 1 from projects p where p.id = new.predecessor_id and p.fiscal_year >= new.fiscal_year)
    or exists (select 1 from projects p where p.predecessor_id = new.id and p.fiscal_year <= new.fiscal_year)
  then
    raise exception 'the predecessor is not earlier' using errcode = '23514', constraint = 'projects_predecessor_earlier', table = 'projects';
  end if;
  return new;
end $$;
create trigger b_predecessor before insert or update of predecessor_id, fiscal_year on projects
  for each row execute function check_predecessor();

-- The fiscal year in which an item was first planned never changes: drift stays visible.
create function keep_original_fiscal_year() returns trigger language plpgsql as $$
declare
  origin roadmap_items;
begin
  if tg_op = 'UPDATE' and exists (select 1 from public.roadmap_items i where i.carried_over_from_id = new.id and i.fiscal_year <= new.fiscal_year) then
    raise exception 'what continues it is not later any more' using errcode = '23514',
      constraint = 'roadmap_items_carried_over_later', table = 'roadmap_items';
  end if;
  if new.carried_over_from_id is not null then
    select i.* into origin from public.roadmap_items i where i.id = new.carried_over_from_id;
    if new.fiscal_year <= origin.fiscal_year then
      raise exception 'carried over into the past' using errcode = '23514',
        constraint = 'roadmap_items_carried_over_later', table = 'roadmap_items';
    end if;
  end if;
  if tg_op = 'UPDATE' then
    new.original_fiscal_year := old.original_fiscal_year;
  elsif new.carried_over_from_id is not null then
    new.original_fiscal_year := origin.original_fiscal_year;
  else
    new.original_fiscal_year := new.fiscal_year;
  end if;
  return new;
end $$;
create trigger c_original_fiscal_year before insert or update on roadmap_items
  for each row execute function keep_original_fiscal_year();

-- Cell and item: the year lies in the plan, and the actor is a column of the same plan.
create function check_roadmap_place() returns trigger language plpgsql as $$
declare
  plan plans;
begin
  select p.* into plan from plans p join goals g on g.plan_id = p.id where g.id = new.goal_id;
  if new.fiscal_year not between plan.first_fiscal_year and plan.last_fiscal_year then
    raise exception 'outside the plan' using errcode = '23514',
      constraint = format('%s_year_of_plan', tg_table_name), table = tg_table_name;
  end if;
  if new.actor_id is not null and not exists (select 1 from plan_actors a where a.id = new.actor_id and a.plan_id = plan.id) then
    raise exception 'no such column' using errcode = '23503',
      constraint = format('%s_actor_of_plan', tg_table_name), table = tg_table_name;
  end if;
  return new;
end $$;
create trigger d_place before insert or update on roadmap_cells for each row execute function check_roadmap_place();
create trigger d_place before insert or update on roadmap_items for each row execute function check_roadmap_place();

-- The plan's owner enters a column of somebody else only where that is agreed (代理入力), and it stays visible who did.
create function check_roadmap_column() returns trigger language plpgsql as $$
begin
  if exists (select 1 from plan_actors a where a.id in (old.actor_id, new.actor_id)
    and not a.entered_by_owner and a.organization_id is distinct from app_org() and a.organization_id is not null)
  then
    raise exception 'the column is entered by its organisation' using errcode = '42501';
  end if;
  if tg_op = 'DELETE' then
    return old;
  end if;
  new.entered_by_org_id := app_org();
  return new;
end $$;
create trigger e_column before insert or update or delete on roadmap_cells for each row execute function check_roadmap_column();
create trigger e_column before insert or update or delete on roadmap_items for each row execute function check_roadmap_column();

-- A cell that says why it is empty has no items. The lock keeps an item and such a state from being written side by side.
create function lock_roadmap_cell(goal uuid, year smallint, actor uuid, kind text) returns void language sql as $$
  select pg_advisory_xact_lock(hashtextextended(concat_ws(' ', goal, year, actor, kind), 0))
$$;

create function refuse_items_in_closed_cell() returns trigger language plpgsql as $$
begin
  perform lock_roadmap_cell(new.goal_id, new.fiscal_year, new.actor_id, new.kind);
  if exists (select 1 from roadmap_cells c where c.goal_id = new.goal_id and c.fiscal_year = new.fiscal_year
    and c.actor_id is not distinct from new.actor_id and c.kind = new.kind and c.state <> 'not_entered')
  then
    raise exception 'the cell is closed' using errcode = '23514', constraint = tg_name, table = tg_table_name;
  end if;
  return null;
end $$;
create constraint trigger roadmap_items_cell_closed after insert or update of goal_id, fiscal_year, actor_id, kind on roadmap_items
  for each row execute function refuse_items_in_closed_cell();

create function refuse_closing_cell_with_items() returns trigger language plpgsql as $$
begin
  perform lock_roadmap_cell(new.goal_id, new.fiscal_year, new.actor_id, new.kind);
  if exists (select 1 from roadmap_items i where i.goal_id = new.goal_id and i.fiscal_year = new.fiscal_year
    and i.actor_id is not distinct from new.actor_id and i.kind = new.kind)
  then
    raise exception 'the cell has items' using errcode = '23514', constraint = tg_name, table = tg_table_name;
  end if;
  return null;
end $$;
create constraint trigger roadmap_cells_state_without_items after insert or update on roadmap_cells
  for each row when (new.state <> 'not_entered') execute function refuse_closing_cell_with_items();

-- A goal of a plan and everything below it; without a goal, everything. In the caller's sight and, with as_of, in the past.
create function goals_below(plan uuid, goal uuid) returns setof uuid language plpgsql stable rows 20 as $$
begin
  return query with recursive below as (
    select g.id from goals g where g.plan_id = plan and (goal is null or g.id = goal)
    union
    select g.id from below b join goals g on g.plan_id = plan and g.parent_id = b.id where goal is not null)
  select b.id from below b;
end $$;

-- What stands above a goal, up to the root.
create function goals_above(goal uuid) returns setof uuid language plpgsql stable rows 5 as $$
begin
  return query with recursive above as (
    select g.parent_id from goals g where g.id = goal
    union
    select g.parent_id from above a join goals g on g.id = a.parent_id)
  select a.parent_id from above a where a.parent_id is not null;
end $$;

create function goal_role_of_plan() returns trigger language plpgsql as $$
begin
  if not exists (select 1 from plan_actors a join goals g on g.plan_id = a.plan_id where a.id = new.actor_id and g.id = new.goal_id) then
    raise exception 'no such column' using errcode = '23503', constraint = 'goal_roles_actor_of_plan', table = 'goal_roles';
  end if;
  return new;
end $$;
create trigger d_place before insert or update on goal_roles for each row execute function goal_role_of_plan();

-- Revisions: a new one names the one it replaces (nobody overwrites unseen), and says why where that is asked.
create function stamp_evaluation() returns trigger language plpgsql as $$
declare
  current evaluations;
begin
  select g.plan_id into new.plan_id from goals g where g.id = new.goal_id;
  select e.* into current from evaluations e
  where e.goal_id = new.goal_id and e.fiscal_year = new.fiscal_year and e.stage = new.stage order by e.revision desc limit 1;
  if current.id is distinct from new.supersedes_id then
    raise exception 'already evaluated' using errcode = '23505', constraint = 'evaluations_current', table = 'evaluations';
  end if;
  if current.id is not null and is_blank(new.reason) then
    raise exception 'a reason is needed' using errcode = '23514', constraint = 'evaluations_reason', table = 'evaluations';
  end if;
  new.revision := coalesce(current.revision, 0) + 1;
  return new;
end $$;
create trigger c_stamp before insert on evaluations for each row execute function stamp_evaluation();

create function stamp_target() returns trigger language plpgsql as $$
declare
  current kpi_targets;
begin
  select t.* into current from kpi_targets t
  where t.kpi_id = new.kpi_id and t.fiscal_year = new.fiscal_year order by t.revision desc limit 1;
  if current.id is distinct from new.supersedes_id then
    raise exception 'already set' using errcode = '23505', constraint = 'kpi_targets_current', table = 'kpi_targets';
  end if;
  if current.id is not null and is_blank(new.reason) then
    raise exception 'a reason is needed' using errcode = '23514', constraint = 'kpi_targets_reason', table = 'kpi_targets';
  end if;
  new.revision := coalesce(current.revision, 0) + 1;
  return new;
end $$;
create trigger c_stamp before insert on kpi_targets for each row execute function stamp_target();

-- Replaces the generic stamp: one look at series and KPI gives owner, KPI and value type (the hot write).
create function stamp_observation() returns trigger language plpgsql as $$
declare
  line record;
begin
  select k.id as kpi_id, k.owner_org_id, k.value_type, o.id, o.revision, o.quality into line
  from kpi_series s join kpis k on k.id = s.kpi_id
  left join lateral (
    select o.id, o.revision, o.quality from kpi_observations o
    where o.series_id = s.id and o.period_start = new.period_start and o.period_kind = new.period_kind and o.period_end = new.period_end
    order by o.revision desc limit 1) o on true
  where s.id = new.series_id;
  if line.kpi_id is null then
    raise exception 'no such series' using errcode = '23503', constraint = 'kpi_observations_series_id_fkey', table = 'kpi_observations';
  end if;
  if new.missing_reason is null and not (case line.value_type
    when 'number' then new.number is not null or new.low is not null
    when 'ratio' then new.numerator is not null or new.number is not null
    else new.state is not null end)
  then
    raise exception 'not a % value', line.value_type using errcode = '23514', constraint = 'kpi_observations_value_type', table = 'kpi_observations';
  end if;
  if line.id is distinct from new.supersedes_id then
    raise exception 'already recorded' using errcode = '23505', constraint = 'kpi_observations_current', table = 'kpi_observations';
  end if;
  if line.quality = 'final' and is_blank(new.reason) then
    raise exception 'a reason is needed' using errcode = '23514', constraint = 'kpi_observations_reason', table = 'kpi_observations';
  end if;
  new.kpi_id := line.kpi_id;
  new.owner_org_id := line.owner_org_id;
  new.revision := coalesce(line.revision, 0) + 1;
  new.recorded_by := nullif(current_setting('app.actor_name', true), '');
  new.version := 1;
  new.created_at := written_at();
  new.updated_at := new.created_at;
  return new;
end $$;
drop trigger a_stamp_insert on kpi_observations;
create trigger a_stamp_insert before insert on kpi_observations for each row execute function stamp_observation();
-- It has looked at the series through the caller's rights already.
drop trigger b_see_series_id on kpi_observations;

-- kpi_current follows in the same transaction.
create function keep_current_observation() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into kpi_current as c (kpi_id, observation_id, period_kind, period_start, period_end, value, text, missing_reason, quality)
  select distinct on (n.kpi_id) n.kpi_id, n.id, n.period_kind, n.period_start, n.period_end,
         observed_value(n.number, n.numerator, n.denominator, k.unit), n.state, n.missing_reason, n.quality
  from changed n join kpis k on k.id = n.kpi_id
  where n.series_id = n.kpi_id
  order by n.kpi_id, n.period_end desc, n.period_start desc, n.revision desc
  on conflict on constraint kpi_current_pkey do update set observation_id = excluded.observation_id, period_kind = excluded.period_kind,
    period_start = excluded.period_start, period_end = excluded.period_end, value = excluded.value, text = excluded.text,
    missing_reason = excluded.missing_reason, quality = excluded.quality
  where c.period_end is null or (c.period_end, c.period_start) <= (excluded.period_end, excluded.period_start);
  return null;
end $$;
create trigger k_current after insert on kpi_observations referencing new table as changed for each statement execute function keep_current_observation();

-- Another unit, another number.
create function keep_current_unit() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update kpi_current c set value = observed_value(o.number, o.numerator, o.denominator, new.unit)
  from kpi_observations o where c.kpi_id = new.id and o.id = c.observation_id and o.numerator is not null;
  return null;
end $$;
create trigger k_current after update of unit on kpis for each row
  when (old.unit is distinct from new.unit) execute function keep_current_unit();

create function keep_current_target() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into kpi_current as c (kpi_id, targets) values (new.kpi_id, jsonb_strip_nulls(jsonb_build_object(new.fiscal_year::text, new.value::text)))
  on conflict on constraint kpi_current_pkey do update set targets = jsonb_strip_nulls(c.targets || jsonb_build_object(new.fiscal_year::text, new.value::text));
  return null;
end $$;
create trigger k_current after insert on kpi_targets for each row execute function keep_current_target();

-- Every KPI has the line of the whole from its first moment, under the id of the KPI itself: reading and recording
-- the whole needs no look at kpi_series.
create function open_series() returns trigger language plpgsql as $$
begin
  insert into kpi_series (id, owner_org_id, kpi_id) values (new.id, new.owner_org_id, new.id);
  return null;
end $$;
create trigger k_series after insert on kpis for each row execute function open_series();

-- It goes with the KPI and not before; other lines are deleted by name.
create function close_series() returns trigger language plpgsql as $$
begin
  delete from kpi_series where id = old.id and not exists (select 1 from kpi_observations o where o.series_id = old.id);
  return old;
end $$;
create trigger k_series_closed before delete on kpis for each row execute function close_series();
create function keep_whole() returns trigger language plpgsql as $$
begin
  raise exception 'the whole goes with its KPI' using errcode = '23514', constraint = 'kpi_series_whole', table = 'kpi_series';
end $$;
create trigger b_whole before delete on kpi_series for each row
  when (old.id = old.kpi_id and pg_trigger_depth() = 0) execute function keep_whole();

-- Values keep their kind.
create function keep_value_type() returns trigger language plpgsql as $$
begin
  if exists (select 1 from kpi_observations o where o.kpi_id = new.id) then
    raise exception 'there are values' using errcode = '23514', constraint = 'kpis_value_type_in_use', table = 'kpis';
  end if;
  return new;
end $$;
create trigger b_value_type before update on kpis for each row
  when (old.value_type <> new.value_type) execute function keep_value_type();


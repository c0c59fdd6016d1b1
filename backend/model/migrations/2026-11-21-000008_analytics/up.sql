-- What analysts ask. The tidy table is a view: a row for each value in its newest revision, whatever record it comes from.
--
-- It belongs to the owner, who sees everything, and asks for the caller's rights itself: once for a KPI instead of once for
-- each of its values. In schema as_of it is the table as it was known then.

-- Observations are added in the order of time: a few bytes a page are enough to find the new ones.
create index kpi_observations_created_at on kpi_observations using brin (created_at);

do $$
declare
  readable constant text := 'owner_org_id = (select app_content_org()) or ' || root_readable('platform_id', 'plan_id');
  -- Line by line in the declared order, then by time.
  columns constant text := $c$
    o.id, o.kpi_id, o.series_id, s.position as series_position, s.municipality_code, s.district, s.organization_id, g.name as organization_name, s.dimensions,
    o.period_kind, o.period_start, o.period_end, o.number, o.low, o.high, o.numerator, o.denominator, o.state, o.missing_reason,
    o.approximate, o.printed, o.quality, o.series_break, o.source, o.note, o.revision, o.created_at as recorded_at $c$;
begin
  execute format($view$
    create view kpi_values with (security_barrier = true) as
    select %s from (select id from kpis where %s) k join kpi_observations o on o.kpi_id = k.id join kpi_series s on s.id = o.series_id
    left join organizations g on g.id = s.organization_id
    where not exists (select 1 from kpi_observations newer where newer.supersedes_id = o.id) $view$, columns, readable);
  execute format($view$
    create view as_of.kpi_values with (security_barrier = true) as
    select %s from (select id from public.kpis where %s) k join public.kpi_observations o on o.kpi_id = k.id
    cross join lateral (
      select line.* from public.record_history h cross join lateral jsonb_populate_record(null::public.kpi_series, h.row) line
      where h.entity = 'kpi_series' and h.record_id = o.series_id and h.at <= public.app_as_of()
      order by h.version desc limit 1) s
    left join lateral (
      select h.row ->> 'name' as name from public.record_history h
      where h.entity = 'organizations' and h.record_id = s.organization_id and h.at <= public.app_as_of()
      order by h.version desc limit 1) g on true
    where o.created_at <= public.app_as_of() and not exists (
      select 1 from public.kpi_observations newer where newer.supersedes_id = o.id and newer.created_at <= public.app_as_of()) $view$,
    columns, readable);
end $$;
grant select on kpi_values, as_of.kpi_values to tsunagi_app;

-- The targets in force.
create view targets_in_force with (security_invoker = true) as
select distinct on (kpi_id, fiscal_year) kpi_id, fiscal_year, kind, comparator, value, high, text
from kpi_targets order by kpi_id, fiscal_year, revision desc;
create view as_of.targets_in_force with (security_invoker = true) as
select distinct on (kpi_id, fiscal_year) kpi_id, fiscal_year, kind, comparator, value, high, text
from public.kpi_targets where created_at <= public.app_as_of() order by kpi_id, fiscal_year, revision desc;
grant select on targets_in_force, as_of.targets_in_force to tsunagi_app;

-- When something was last changed: a vintage that holds until the next change.
create function app_changed() returns timestamptz language sql stable security definer set search_path = public, pg_temp as $$
  select coalesce(max(changed_at), 'epoch') from change_stream
$$;

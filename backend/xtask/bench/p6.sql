select o.id as observation_id, k.id as kpi_id, k.code as kpi_code, k.name as kpi_name, k.owner_org_id as owner_id, g.name as owner_name,
  m.prefecture_code, m.prefecture_name, m.code as municipality_code, m.name as municipality_name, s.district, k.platform_id, p.name as platform_name,
  k.plan_id, l.title as plan_title, o.series_id, s.organization_id, h.name as organization_name, nullif(s.dimensions, '{}') as dimensions,
  o.period_kind, o.period_start, o.period_end, extract(year from o.period_start - interval '3 months')::integer as fiscal_year,
  observed_value(o.number, o.numerator, o.denominator, k.unit) as value, o.low as value_low, o.high as value_high, o.numerator, o.denominator,
  o.state as text, k.unit, k.direction, k.baseline ->> 'value' as baseline, t.value as target,
  case when o.missing_reason is not null then 'missing' else o.quality end as status, o.missing_reason,
  case o.quality when 'final' then 'A' when 'provisional' then 'P' else 'E' end as obs_status,
  case o.quality when 'provisional' then 'p' when 'estimated' then 'e' end as sign, o.approximate, o.series_break, o.revision,
  o.created_at as recorded_at, o.source, o.note, o.printed
from kpi_observations o
join kpis k on k.id = o.kpi_id
join kpi_series s on s.id = o.series_id
join organizations g on g.id = k.owner_org_id
left join municipalities m on m.code = coalesce(s.municipality_code, g.municipality_code)
left join platforms p on p.id = k.platform_id
left join plans l on l.id = k.plan_id
left join organizations h on h.id = s.organization_id
left join kpi_targets t on t.kpi_id = k.id and t.fiscal_year = extract(year from o.period_start - interval '3 months')::integer
  and not exists (select 1 from kpi_targets newer where newer.supersedes_id = t.id)
where not exists (select 1 from kpi_observations newer where newer.supersedes_id = o.id)

\set n :n + 1
\set org (:client_id % 64) % :organisations + 1
\set user :client_id % 64 + 1
\set base (:run * 1000 + :client_id) * 1000000 + :n * 1000
\set day :run * 400 + (:n % 100) * 4
begin;
set local client_min_messages = error;
create temporary table if not exists stage (row integer, number numeric) on commit delete rows;
copy stage from '{file}' with (format csv);
with merged as (
  insert into bench.observations (id, owner_org_id, kpi_id, series_id, period_kind, period_start, period_end, number, source, recorded_by)
  select bench.id(19, :base::bigint + s.row), bench.id(1, :org), bench.id(5, (:org - 1) * 300 + s.row % 300 + 1),
         bench.id(5, (:org - 1) * 300 + s.row % 300 + 1), 'range', date '2030-01-01' + (:day + s.row / 300)::int,
         date '2030-01-02' + (:day + s.row / 300)::int, s.number, '福祉課の集計', '計測'
  from stage s on conflict do nothing returning id, owner_org_id
)
insert into bench.changes (stream_id, seq, entity, record_id, version, op, actor_id)
select owner_org_id, :base::bigint + row_number() over (), 'kpi_observations', id, 1, 'I', bench.id(15, :user) from merged;
commit;

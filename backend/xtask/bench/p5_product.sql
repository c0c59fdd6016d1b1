\set n :n + 1
\set org (:client_id % 64) % :organisations + 1
\set user :client_id % 64 + 1
\set id :run * 100000000 + :client_id * 1000000 + :n
\set kpi (:org - 1) * 300 + :n % 300 + 1
\set day :run * 400 + :n / 300
begin;
insert into kpi_observations (id, owner_org_id, kpi_id, series_id, period_kind, period_start, period_end, number, source) values (bench.id(19, :id), bench.id(1, :org), bench.id(5, :kpi), bench.id(5, :kpi), 'range', date '2030-01-01' + :day::int, date '2030-01-01' + :day::int + :client_id::int, 12.5, '福祉課の集計');
commit;

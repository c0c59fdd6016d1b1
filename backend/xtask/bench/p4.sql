\set p random(1, :organisations)
select * from plans where id = bench.id(8, :p) limit 1;
select * from plan_actors where plan_id = bench.id(8, :p) order by position, id;
select * from evaluation_levels where plan_id = bench.id(8, :p) order by rank desc, id;
select * from goals where plan_id = bench.id(8, :p) order by position, id;
select r.* from goal_roles r join goals g on g.id = r.goal_id where g.plan_id = bench.id(8, :p) order by r.id;
select p.*, k.name, k.value_type, k.unit, k.decimals, k.direction, c.* from goals g join kpi_placements p on p.goal_id = g.id join kpis k on k.id = p.kpi_id left join kpi_current c on c.kpi_id = k.id where g.plan_id = bench.id(8, :p) order by p.position, p.id;
select distinct on (t.fiscal_year, t.kpi_id) t.* from kpi_targets t where t.kpi_id in (select p.kpi_id from kpi_placements p join goals g on g.id = p.goal_id where g.plan_id = bench.id(8, :p)) order by t.fiscal_year, t.kpi_id, t.revision desc;
select * from evaluations e where plan_id = bench.id(8, :p) and not exists (select 1 from evaluations l where l.supersedes_id = e.id) order by fiscal_year, id;
select c.* from roadmap_cells c join goals g on g.id = c.goal_id where g.plan_id = bench.id(8, :p) order by c.fiscal_year, c.id;
select i.* from roadmap_items i join goals g on g.id = i.goal_id where g.plan_id = bench.id(8, :p) order by i.fiscal_year, i.position, i.id;

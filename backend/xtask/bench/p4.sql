\set p random(1, :organisations)
select * from plans where id = bench.id(8, :p) limit 1;
select * from plan_actors where plan_id = bench.id(8, :p) order by position, id;
select * from evaluation_levels where plan_id = bench.id(8, :p) order by rank desc, id;
select * from goals where plan_id = bench.id(8, :p) order by position, id;
select i.* from roadmap_items i join goals g on g.id = i.goal_id where g.plan_id = bench.id(8, :p) order by i.fiscal_year, i.position, i.id;
select c.* from roadmap_cells c join goals g on g.id = c.goal_id where g.plan_id = bench.id(8, :p) order by c.fiscal_year, c.id;
select * from evaluations where plan_id = bench.id(8, :p) order by fiscal_year, id;

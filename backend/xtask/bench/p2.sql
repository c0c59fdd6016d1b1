\set p random(1, :organisations * 5)
select id, version, owner_org_id, created_at, updated_at, status, platform_id, goal_id, predecessor_id, fiscal_year, number, name, title, is_reference, progress, lead_department, schedules, visibility, position from projects where platform_id = bench.id(2, :p) order by fiscal_year, position, id limit 51;

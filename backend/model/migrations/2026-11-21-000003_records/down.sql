drop trigger b_scope on grants;
drop function check_grant_scope;
do $$
declare
  t text;
begin
  foreach t in array array['finding_notes', 'external_ids', 'municipality_facts', 'kpi_current', 'kpi_observations', 'kpi_targets', 'kpi_series',
    'kpi_placements', 'kpis', 'project_costs', 'projects', 'evaluations', 'roadmap_items', 'roadmap_cells', 'goal_roles', 'goals',
    'evaluation_levels', 'plan_actors', 'plans', 'members', 'platform_years', 'platforms'] loop
    execute format('drop view if exists as_of.%I cascade', t);
    execute format('drop table %I', t);
    delete from record_tree where entity = t;
  end loop;
  perform record_visible_write();
end $$;
drop function open_series, refuse_stranger, close_series, keep_whole, keep_value_type, keep_parent, check_predecessor, keep_current_target, keep_current_unit, observed_value, keep_current_observation, keep_sheet, keep_years_in_use, stamp_observation, stamp_target, stamp_evaluation,
  goal_role_of_plan, goals_above, goals_below, refuse_closing_cell_with_items, refuse_items_in_closed_cell, lock_roadmap_cell,
  check_roadmap_column, check_roadmap_place, keep_original_fiscal_year, check_municipality_codes, child_readable, root_readable,
  keep_membership, order_fact, refuse_unseen_record, app_slots, app_shared;

drop function app_changed;
drop view as_of.targets_in_force, targets_in_force, as_of.kpi_values, kpi_values;
drop index kpi_observations_created_at;

drop table sync_rows, sync_runs, import_parts, imports;

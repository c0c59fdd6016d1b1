drop table idempotency_keys;
drop table record_history, change_log, change_stream, record_tree;
drop function check_transition, is_blank, search_key, refuse_cycle, record_visible, record_visible_write, record_view, record_attach,
  record_capture_delete, record_capture_update, record_capture_insert, record_stamp, record_stamp_child, record_see,
  refuse_change, change_flush, record_open, record_below, record_readers, cluster_timeline, app_may_write, app_as_of, app_role, app_actor, app_content_org, app_org, app_setting,
  app_not_begun, app_settled, written_at;
drop schema as_of;
drop schema attached cascade;
drop extension btree_gist;
drop extension pg_trgm;
revoke usage on schema public from tsunagi_app;

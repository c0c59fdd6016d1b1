drop function feed_before;
drop policy app_service on change_stream;
drop view as_of.webhooks;
drop table webhook_deliveries, webhook_states, webhook_secrets, webhooks;
delete from record_tree where entity = 'webhooks';

drop table revoked_tokens, client_assertions, client_uses;
drop view as_of.client_secrets;
drop table client_secrets;
drop function forget_secret;
delete from record_tree where entity = 'client_secrets';
drop view as_of.clients;
alter table clients drop column scopes, drop column addresses, drop column public_keys;
select record_view('clients');

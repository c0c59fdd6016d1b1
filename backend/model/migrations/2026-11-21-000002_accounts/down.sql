drop view as_of.clients, as_of.grants, as_of.user_roles, as_of.users, as_of.organizations;
drop function app_gathers, app_begin;
drop table signing_keys, sessions, sign_in_failures, credentials, clients, grants, user_roles, users, organizations, municipalities;
drop function app_administers_clients, app_administers, forget_holder, check_role_fits, keep_standing, takes_part;

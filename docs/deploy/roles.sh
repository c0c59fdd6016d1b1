#!/bin/bash
# Makes the two roles of the product. The image of PostgreSQL runs it once, in an empty data folder;
# by hand: TSUNAGI_APP_PASSWORD=... POSTGRES_USER=postgres POSTGRES_DB=tsunagi bash roles.sh
set -euo pipefail

: "${TSUNAGI_APP_PASSWORD:?the password of the role tsunagi_app}"

psql --no-psqlrc --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
\getenv app_password TSUNAGI_APP_PASSWORD
create role tsunagi_owner nologin nosuperuser nocreatedb nocreaterole nobypassrls;
create role tsunagi_app login nosuperuser nocreatedb nocreaterole nobypassrls password :'app_password';
SQL

#!/usr/bin/env bash
# Clients and properties: tests of the running service from outside, in Python.
#
#   TSUNAGI_URL             where it runs
#   TSUNAGI_DEMO_PASSWORD   password of the operator's account (TSUNAGI_TEST_OPERATOR)
#   TSUNAGI_OPENAPI         the document; default: openapi/openapi.json
#   TSUNAGI_SERVER, TSUNAGI_SPARE_DATABASE_URL, TSUNAGI_SPARE_MIGRATION_URL
#                           server program and an empty database (as tsunagi_app, as a superuser) for services that are killed
#   SCHEMATHESIS_EXAMPLES   examples per operation; the default is the short form, 1000 the long one
#
# Arguments go to pytest. The environment in target/python is made when requirements.txt changed.
set -euo pipefail
cd "$(dirname "$0")"
: "${TSUNAGI_URL:?where does the service run?}" "${TSUNAGI_DEMO_PASSWORD:?the password of the demo accounts}"

environment=../../target/python
stamp=$environment/installed-requirements.txt
if ! cmp --silent requirements.txt "$stamp"; then
  echo "Python: installing what tests/python/requirements.txt names"
  python3 -m venv --clear "$environment"
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check -r requirements.txt
  cp requirements.txt "$stamp"
fi

# Nothing is written beside the sources.
export PYTHONDONTWRITEBYTECODE=1 NO_PROXY=127.0.0.1,localhost
PATH=$(cd "$environment/bin" && pwd):$PATH
export PATH
exec python -m pytest -p no:cacheprovider --color=no -q "$@"

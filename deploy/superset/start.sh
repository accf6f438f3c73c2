#!/usr/bin/env bash
# Start Superset on this machine's loopback, with all that it keeps in FOLDER: its own database, its secret, the password of
# its first account. Run: deploy/superset/start.sh FOLDER [PORT]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:?give the folder in which Superset keeps its own database}
port=${2:-8088}
bin=$here/../../.venv-superset/bin
umask 077
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
for name in secret password; do
  [ -s "$folder/$name" ] || "$bin/python" -c 'import secrets; print(secrets.token_urlsafe(32))' >"$folder/$name"
done
SUPERSET_SECRET_KEY=$(cat "$folder/secret")
export SUPERSET_SECRET_KEY
export SUPERSET_METADATA_URL=${SUPERSET_METADATA_URL:-sqlite:///$folder/superset.db}
export SUPERSET_CONFIG_PATH=$here/superset_config.py SUPERSET_HOME=$folder FLASK_APP=superset
if [ ! -e "$folder/made" ]; then
  "$bin/superset" db upgrade >"$folder/setup.log" 2>&1
  "$bin/superset" fab create-admin --username admin --firstname Superset --lastname Admin --email admin@localhost.invalid \
    --password "$(cat "$folder/password")" >>"$folder/setup.log" 2>&1
  "$bin/superset" init >>"$folder/setup.log" 2>&1
  touch "$folder/made"
fi
echo "Superset on http://127.0.0.1:$port, account admin, password in $folder/password"
exec "$bin/gunicorn" --workers 1 --threads 8 --timeout 120 --bind "127.0.0.1:$port" --log-level warning 'superset.app:create_app()'

#!/bin/sh
# Makes the secrets that docker-compose.yml reads, in deploy/compose/secrets; leaves those that are there.
set -eu
umask 077
folder="$(dirname "$0")/compose/secrets"
mkdir -p "$folder"
# Containers run as other users: the folder keeps everybody else out.
put() { [ -e "$folder/$1" ] || { printf '%s' "$2" > "$folder/$1"; chmod 644 "$folder/$1"; echo "made $folder/$1"; }; }
put postgres_password "$(openssl rand -hex 32)"
put database_url "postgres://tributary:$(cat "$folder/postgres_password")@postgres:5432/tributary"
put secrets_key "$(openssl rand -base64 32)"
put receipt_key "$(openssl rand -base64 32)"
put bridge_password "$(openssl rand -hex 32)"
# As mosquitto_passwd writes it: the SHA-512 of password and salt.
salt="$(openssl rand -base64 12)"
hash="$({ cat "$folder/bridge_password"; printf '%s' "$salt" | openssl base64 -d -A; } | openssl dgst -sha512 -binary | openssl base64 -A)"
put mosquitto_passwords "bridge:\$6\$$salt\$$hash
"
put grafana_password "$(openssl rand -hex 16)"

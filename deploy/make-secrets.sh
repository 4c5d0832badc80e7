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
put grafana_password "$(openssl rand -hex 16)"

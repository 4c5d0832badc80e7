#!/bin/sh
# A device as a shell loop: a reading every few seconds over HTTP. Needs curl.
#
# Run it against `npm start`, with the token that it printed:
#
#   DEVICE_TOKEN=trb_... sh examples/shell/device.sh
#
# Each reading is a file in the folder $SPOOL until it was answered 202. The file's name is its Idempotency-Key:
# however often it is sent, it is stored once. More settings: see examples/README.md.
set -u

url=${INGEST_URL:-http://127.0.0.1:8080}
tenant=${TENANT_ID:-demo}
device=${DEVICE_ID:-demo-1}
site=${SITE_ID:-site-1}
token=${DEVICE_TOKEN:?set it to the token of the device}
interval_s=${INTERVAL_S:-5}
count=${COUNT:-0} # stop after so many readings; 0: never
spool=${SPOOL:-shell-device-spool}
most_waiting=1000

say() { echo "$*" >&2; }
waiting() { find "$spool" -maxdepth 1 -name '*.json' | sort; }

# Writes a reading to the spool. It gets its name when it is whole, so a power cut leaves no half ones.
measure() {
  if [ "$(waiting | wc -l)" -ge "$most_waiting" ]; then
    oldest=$(waiting | head -n 1)
    rm -f "$oldest"
    lost=$((lost + 1))
    say "spool full: $oldest is lost"
  fi
  ts=$(date +%s)
  load=$(cut -d ' ' -f 1 /proc/loadavg 2>/dev/null)
  key=$ts-$$-$(printf %06d "$taken")
  printf '{"site_id":"%s","ts":%s,"metrics":{"load":%s,"readings_lost":%s}}' \
    "$site" "$ts" "${load:-null}" "$lost" >"$spool/$key.part"
  mv "$spool/$key.part" "$spool/$key.json"
}

measure_for_ever() {
  taken=0
  lost=0
  while [ "$count" -eq 0 ] || [ "$taken" -lt "$count" ]; do
    measure
    taken=$((taken + 1))
    sleep "$interval_s"
  done
}

# Sends one file; sets pause_s to how long to wait before the next. curl itself retries what may pass (408, 429, 5xx,
# timeouts, no connection), honours Retry-After and waits longer each time. The token goes in on standard input:
# on the command line every user of the machine could read it.
send() {
  status=$(printf 'header = "X-Provision-Token: %s"\n' "$token" |
    curl --config - --silent --output "$spool/answer" --write-out '%{http_code}' \
      --max-time 10 --retry 5 --retry-connrefused \
      --header 'Content-Type: application/json' --header "Idempotency-Key: $(basename "$1" .json)" \
      --data-binary "@$1" "$url/ingest/v1/tenant/$tenant/device/$device/telemetry")
  # A device may send 5 messages a second unless its limits were raised: a backlog goes slower, or it is quarantined.
  pause_s=0.25
  case $status in
    202) # durable: only now may we forget it
      rm -f "$1" ;;
    400 | 404 | 405 | 413 | 415) # the same again would be refused again: out of the way, kept to be looked at
      say "$1: $status $(cat "$spool/answer")"
      mv "$1" "$spool/refused/" ;;
    401 | 403) # wrong token, or revoked: only a person can mend that, the readings wait
      say "$1: $status $(cat "$spool/answer")"
      pause_s=300 ;;
    *) # 503, 429, 000 for no answer: it may have been stored or not; under the same key it is safe to send again
      say "$1: $status, keeping it"
      pause_s=5 ;;
  esac
}

mkdir -p "$spool/refused"
# Measuring goes on while the network is away.
measure_for_ever &
measurer=$!
trap 'kill "$measurer" 2>/dev/null' EXIT
trap 'exit 130' INT TERM

while kill -0 "$measurer" 2>/dev/null || [ -n "$(waiting)" ]; do
  file=$(waiting | head -n 1)
  if [ -n "$file" ]; then send "$file"; else pause_s=0.5; fi
  sleep "$pause_s"
done

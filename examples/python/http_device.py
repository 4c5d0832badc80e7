#!/usr/bin/env python3
"""A device that sends a reading every few seconds over HTTP. Python 3.9 or newer, nothing but its library.

Run it against `npm start`, with the token that it printed:

    DEVICE_TOKEN=trb_... python3 examples/python/http_device.py

What it does with each answer is in `send`. More settings: see examples/README.md.
"""

import os
import random
import sys
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from spool import Spool

url = os.environ.get("INGEST_URL", "http://127.0.0.1:8080")
tenant = os.environ.get("TENANT_ID", "demo")
device = os.environ.get("DEVICE_ID", "demo-1")
site = os.environ.get("SITE_ID", "site-1")
token = os.environ.get("DEVICE_TOKEN") or sys.exit("set DEVICE_TOKEN to the device's token")
interval_s = float(os.environ.get("INTERVAL_S", "5"))
count = int(os.environ.get("COUNT", "0"))  # stop after so many readings; 0: never
spool_file = os.environ.get("SPOOL", "http-device.sqlite")

TIMEOUT_S = 10
# A device may send 5 messages a second unless its limits were raised. A backlog goes out slower than that: what
# comes too fast is answered 202 and then quarantined as RATE_LIMITED.
PACE_S = 0.25
LONGEST_WAIT_S = 300


def measure():
    return {
        "site_id": site,
        "ts": time.time_ns() // 1_000_000,  # when it was measured, not when it is sent
        "metrics": {"temp_c": round(random.gauss(21, 1), 2)},
    }


def post(body):
    """One attempt. Returns (status, Retry-After, text); status 0: no answer."""
    where = urlsplit(url)
    connect = HTTPSConnection if where.scheme == "https" else HTTPConnection
    connection = connect(where.netloc, timeout=TIMEOUT_S)
    try:
        path = f"/ingest/v1/tenant/{tenant}/device/{device}/telemetry"
        headers = {"Content-Type": "application/json", "X-Provision-Token": token}
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Retry-After", ""), answer.read().decode(errors="replace")
    except (OSError, HTTPException) as error:
        return 0, "", str(error)
    finally:
        connection.close()


def send(spool, seq, body, attempt):
    """Sends one reading and returns how long to wait before the next attempt, in seconds; None: it is settled."""
    status, retry_after, text = post(body)
    if status == 202:
        # Durable. Only now may we forget it.
        spool.accepted(seq)
        return None
    print(f"reading {seq}: {status or 'no answer'} {text}", file=sys.stderr)
    if status in (400, 404, 405, 413, 415):
        # Sending the same again would be refused again, and hold up the others.
        spool.set_aside(seq, f"{status} {text}")
        return None
    if status in (401, 403):
        # Our token is wrong or we are revoked. Only a person can mend that; the readings wait for it.
        return LONGEST_WAIT_S
    # 503, 429, a timeout, no connection: it may have been stored or not. The same reading with the same `ts` and
    # `seq` is the same message, so sending it again is safe.
    if retry_after.isdigit():
        return int(retry_after)
    return random.uniform(0, min(60, 2**attempt))


def main():
    spool = Spool(spool_file)
    taken, attempt = 0, 0
    next_reading = next_send = time.monotonic()
    while count == 0 or taken < count or len(spool) > 0:
        if time.monotonic() >= next_reading and (count == 0 or taken < count):
            spool.add(measure())
            taken += 1
            next_reading = time.monotonic() + interval_s
        waiting = spool.after(0)
        if waiting is not None and time.monotonic() >= next_send:
            wait_s = send(spool, *waiting, attempt)
            attempt = 0 if wait_s is None else attempt + 1
            next_send = time.monotonic() + (PACE_S if wait_s is None else wait_s)
        time.sleep(0.05)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass

#!/usr/bin/env python3
"""A device that sends a reading every few seconds over MQTT, QoS 1, with paho-mqtt 1.x or 2.x
(Debian: apt-get install python3-paho-mqtt).

Run it against `npm start`, with the token that it printed:

    DEVICE_TOKEN=trb_... python3 examples/python/mqtt_device.py

A PUBACK means that the reading is durable; until it comes, the reading stays in the spool. What the listener
cannot make durable gets no PUBACK: the connection ends, and paho sends it again after it has reconnected. Same
`ts`, same `seq`: however often it arrives, it is stored once. More settings: see examples/README.md.
"""

import os
import queue
import random
import sys
import time

import paho.mqtt.client as mqtt

from spool import Spool

host = os.environ.get("MQTT_HOST", "127.0.0.1")
port = int(os.environ.get("MQTT_PORT", "1883"))
tenant = os.environ.get("TENANT_ID", "demo")
device = os.environ.get("DEVICE_ID", "demo-1")
site = os.environ.get("SITE_ID", "site-1")
token = os.environ.get("DEVICE_TOKEN") or sys.exit("set DEVICE_TOKEN to the device's token")
interval_s = float(os.environ.get("INTERVAL_S", "5"))
count = int(os.environ.get("COUNT", "0"))  # stop after so many readings; 0: never
spool_file = os.environ.get("SPOOL", "mqtt-device.sqlite")

topic = f"tenant/{tenant}/device/{device}/telemetry"
# A device may send 5 messages a second unless its limits were raised; a backlog goes out slower than that.
PACE_S = 0.25
# paho holds these and sends them again itself after a reconnect, all at once: well below the burst of 20 that a
# device may send. The others wait in the spool.
MOST_UNDER_WAY = 10


def measure():
    return {
        "site_id": site,
        "ts": time.time_ns() // 1_000_000,  # when it was measured, not when it is sent
        "metrics": {"temp_c": round(random.gauss(21, 1), 2)},
    }


def new_client(acked):
    # A device connects under one client id: a new connection takes the place of one that died unnoticed.
    if hasattr(mqtt, "CallbackAPIVersion"):  # paho 2
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=device)
    else:
        client = mqtt.Client(client_id=device)
    client.username_pw_set(f"{tenant}/{device}", token)
    # Over a network: client.tls_set(), and port 8883 of what ends TLS in front of the listener.
    client.reconnect_delay_set(min_delay=1, max_delay=60)
    client.max_inflight_messages_set(MOST_UNDER_WAY)

    # The arguments behind the first three differ between paho 1 and 2. These run in paho's own thread.
    def on_connect(client, userdata, flags, reason, *_):
        # Not 0: wrong token (4) or revoked (5). paho keeps trying, the readings wait: a person has to mend it.
        print("connected" if reason == 0 else f"refused: {reason}", file=sys.stderr)

    def on_publish(client, userdata, message_id, *_):
        acked.put(message_id)

    client.on_connect = on_connect
    client.on_publish = on_publish
    return client


def main():
    spool = Spool(spool_file)
    acked = queue.Queue()
    under_way = {}  # message id → seq
    last_seq = 0  # handed to paho so far
    client = new_client(acked)
    client.connect_async(host, port, keepalive=30)
    client.loop_start()  # connects, and reconnects for ever
    taken = 0
    next_reading = next_send = time.monotonic()
    while count == 0 or taken < count or len(spool) > 0:
        if time.monotonic() >= next_reading and (count == 0 or taken < count):
            spool.add(measure())
            taken += 1
            next_reading = time.monotonic() + interval_s
        waiting = spool.after(last_seq)
        may_send = client.is_connected() and len(under_way) < MOST_UNDER_WAY
        if waiting is not None and may_send and time.monotonic() >= next_send:
            last_seq, body = waiting
            under_way[client.publish(topic, body, qos=1).mid] = last_seq
            next_send = time.monotonic() + PACE_S
        while not acked.empty():
            # Durable. Only now may we forget it.
            spool.accepted(under_way.pop(acked.get()))
        time.sleep(0.05)
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass

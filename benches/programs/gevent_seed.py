#!/usr/bin/env python3
"""The program from which greenroom began, in today's gevent and redis-py.

    python3 -m venv VENV
    VENV/bin/pip install gevent==26.9.0 redis==8.1.0
    VENV/bin/python gevent_seed.py pops clients=500 timeout=1 cron_ms=200

Each of N greenlets asks `BRPOP list TIMEOUT` on a connection of its own; a cron greenlet says hello meanwhile. What it
says goes to stderr; stdout has the one line of JSON that the programs in benches/src/bin print, whose workload `pops`
this is.
"""

from gevent import monkey

monkey.patch_all()

import json
import logging
import os
import sys
import time

import gevent
import redis

NAME = "gevent_seed"


def options(args):
    """What the command line says: `key=value` in any order."""
    known = {"host": "127.0.0.1", "port": 6379, "socket": ""}
    known |= {"clients": 500, "timeout": 1, "cron_ms": 200}
    for arg in args:
        key, equals, value = arg.partition("=")
        if not equals or key not in known:
            raise ValueError(f"pops does not take {arg!r}")
        known[key] = type(known[key])(value)
    return known


def open_pool(where):
    common = {
        # As good as none. Today's default is 100, with which the 101st greenlet fails.
        "max_connections": 2**31,
        # Today's default is 5 s, with which a pop that blocks for longer fails.
        "socket_timeout": None,
    }
    if where["socket"]:
        return redis.ConnectionPool(
            connection_class=redis.UnixDomainSocketConnection, path=where["socket"], **common
        )
    return redis.ConnectionPool(host=where["host"], port=where["port"], **common)


def pop(client, timeout):
    assert client.brpop("list", timeout=timeout) is None


def cron(period, late_us):
    """Sleeps from one due moment to the next, so that it does not drift; the first version slept for the period."""
    due = time.monotonic() + period
    while True:
        gevent.sleep(max(0, due - time.monotonic()))
        late_us.append(max(0, int((time.monotonic() - due) * 1e6)))
        logging.info("(cron) Hello from cron task.")
        while due <= time.monotonic():
            due += period


def pops(args):
    what = options(args)
    begun = time.monotonic()
    pool = open_pool(what)
    client = redis.Redis(connection_pool=pool)
    late_us = []
    cron_task = gevent.spawn(cron, what["cron_ms"] / 1000, late_us)
    tasks = [gevent.spawn(pop, client, what["timeout"]) for _ in range(what["clients"])]

    gevent.sleep(1)
    logging.info("(main) # OS threads: %d", len(os.listdir("/proc/self/task")))
    logging.info("(main) # Redis connections created: %d", pool._created_connections)
    logging.info("(main) # Redis connections in use: %d", len(pool._in_use_connections))
    logging.info("(main) # Redis connections available: %d", len(pool._available_connections))

    gevent.joinall(tasks, raise_error=True)
    pool.disconnect()
    wall = time.monotonic() - begun
    logging.info("(main) Done in %.3f s.", wall)
    cron_task.kill()
    print(json.dumps({"nil": len(tasks), "wall_s": wall, "cron_late_us": late_us}))


def main():
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    workload = sys.argv[1] if len(sys.argv) > 1 else ""
    if workload != "pops":
        print(f"{NAME} does not run {workload}: it has pops only", file=sys.stderr)
        return 3
    # joinall tells the first error; the hub would tell all five hundred, each with its stack.
    gevent.get_hub().NOT_ERROR += (Exception,)
    try:
        pops(sys.argv[2:])
    except Exception as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

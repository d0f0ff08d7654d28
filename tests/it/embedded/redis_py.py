"""What programs do with redis-py. Arguments: the port of a server, and its UNIX socket."""

import sys
import threading
import time

import redis
from redis.exceptions import (
    AuthenticationError,
    ConnectionError,
    ExecAbortError,
    RedisError,
    ResponseError,
)

PORT = int(sys.argv[1])
SOCKET = sys.argv[2]
# A test that hangs is a test that fails.
PATIENCE = 20


def fails(kind, call, *args, **options):
    try:
        call(*args, **options)
    except kind as error:
        return str(error)
    raise AssertionError(f"{call} did not fail")


def eventually(check):
    begin = time.monotonic()
    while not check():
        assert time.monotonic() - begin < PATIENCE
        time.sleep(0.002)


def strings(r):
    assert r.ping() is True
    assert r.echo("hello") == "hello"
    assert r.set("key", "value") is True
    assert r.get("key") == "value"
    assert r.get("none") is None
    assert r.set("key", "other", nx=True) is None
    assert r.set("none", "x", xx=True) is None
    assert r.set("key", "third", get=True) == "value"
    assert r.set("soon", "gone", px=500) is True
    assert r.set("soon", "kept", keepttl=True) is True
    assert r.set("late", "there", ex=100) is True
    eventually(lambda: r.get("soon") is None)
    assert r.exists("key", "late", "soon", "key") == 3
    # Its own incr() says INCRBY.
    assert r.execute_command("INCR", "number") == 1
    assert r.execute_command("INCR", "number") == 2
    assert r.type("key") == "string" and r.type("none") == "none"
    assert r.delete("key", "none", "number", "late") == 3


def lists(r):
    assert r.rpush("list", "a", "b", "c") == 3
    assert r.lpush("list", "z") == 4
    assert r.lrange("list", 0, -1) == ["z", "a", "b", "c"]
    assert r.llen("list") == 4
    assert r.lpop("list") == "z"
    assert r.rpop("list", 2) == ["c", "b"]
    assert r.lpop("none") is None and r.lpop("none", 2) is None
    assert r.lmove("list", "target", "LEFT", "RIGHT") == "a"
    assert r.rpoplpush("target", "list") == "a"
    assert r.lmpop(2, "none", "list", direction="LEFT", count=5) == ["list", ["a"]]
    assert r.rpush("list", "x", "y", "x") == 3
    assert r.lrem("list", 0, "x") == 2
    assert r.flushall() is True
    assert r.exists("list") == 0


def wrong_types(r):
    r.set("text", "x")
    r.rpush("list", "x")
    assert "WRONGTYPE" in fails(ResponseError, r.lpush, "text", "y")
    assert "WRONGTYPE" in fails(ResponseError, r.get, "list")
    assert "WRONGTYPE" in fails(ResponseError, r.brpop, "text", timeout=1)
    assert "not an integer" in fails(ResponseError, r.execute_command, "INCR", "text")
    assert "unknown command" in fails(ResponseError, r.execute_command, "NOSUCH", "x")
    assert "wrong number" in fails(ResponseError, r.execute_command, "GET")
    r.delete("text", "list")


def blocking(r):
    assert r.brpop("none", timeout=0.02) is None
    assert r.blpop(["none", "other"], timeout=0.02) is None
    assert r.blmove("none", "target", 0.02) is None
    assert r.brpoplpush("none", "target", timeout=0.02) is None
    assert r.blmpop(0.02, 1, "none", direction="LEFT") is None
    got, lock = [], threading.Lock()

    def pop():
        key, element = r.brpop(["jobs", "other"], timeout=PATIENCE)
        with lock:
            got.append(int(element))
        assert key == "jobs"

    threads = [threading.Thread(target=pop) for _ in range(20)]
    for thread in threads:
        thread.start()
    eventually(lambda: r.info("clients")["blocked_clients"] == 20)
    assert r.lpush("jobs", *range(15)) == 15
    with r.pipeline() as pipe:
        for number in range(15, 20):
            pipe.lpush("jobs", number)
        assert pipe.execute() == [1, 2, 3, 4, 5]
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(got) == list(range(20)), got


def pipelines(r):
    pipe = r.pipeline(transaction=False)
    for number in range(1000):
        pipe.rpush("pipe", number)
    pipe.lrange("pipe", 0, -1)
    *lengths, elements = pipe.execute()
    assert lengths == list(range(1, 1001)) and elements[999] == "999"
    pipe = r.pipeline(transaction=True)
    for _ in range(2):
        pipe.execute_command("INCR", "n")
    pipe.lpop("pipe").blpop("none", timeout=1)
    assert pipe.execute() == [1, 2, "0", None]
    pipe = r.pipeline()
    pipe.execute_command("INCR", "n").lpush("n", "x").execute_command("INCR", "n")
    n, error, m = pipe.execute(raise_on_error=False)
    assert (n, m) == (3, 4) and isinstance(error, ResponseError)
    pipe = r.pipeline()
    pipe.execute_command("INCR", "n").execute_command("NOSUCH")
    fails((ExecAbortError, ResponseError), pipe.execute)
    assert r.get("n") == "4"
    r.delete("pipe", "n")


def clients(r):
    other = redis.Redis(port=PORT, decode_responses=True, single_connection_client=True)
    assert other.client_setname("the-other") is True
    assert other.client_getname() == "the-other"
    number = other.client_id()
    lines = {line["name"]: line for line in r.client_list()}
    line = lines["the-other"]
    assert line["id"] == str(number) and line["db"] == "0"
    assert line["laddr"] == f"127.0.0.1:{PORT}" and line["lib-name"].startswith("redis-py")
    assert [line["name"] for line in r.client_list(client_id=[number])] == ["the-other"]
    assert "cannot contain" in fails(ResponseError, r.client_setname, "a b")

    answers = []
    thread = threading.Thread(target=lambda: answers.append(other.brpop("none", timeout=0)))
    thread.start()
    eventually(lambda: r.client_list(client_id=[number])[0]["flags"] == "b")
    assert r.client_unblock(number) in (1, True)
    thread.join(PATIENCE)
    assert answers == [None]
    assert r.client_unblock(number, error=True) in (0, False)

    assert r.client_kill_filter(_id=number) == 1
    assert r.client_kill_filter(_id=number) == 0
    assert "No such client" in fails(ResponseError, r.client_kill, "1.2.3.4:5")
    # It connects again by itself, as somebody else.
    assert other.client_id() > number
    other.close()


def about(r):
    info = r.info()
    assert info["redis_version"].startswith("7.0.") and info["tcp_port"] == PORT
    assert info["role"] == "master" and info["connected_clients"] >= 1
    r.set("key", "x")
    assert r.info("keyspace")["db0"]["keys"] == 1
    assert r.config_get("max*")["maxclients"] == "10000"
    assert r.config_get("none") == {}
    commands = r.command()
    assert r.command_count() == len(commands) > 30
    assert r.command_list() and "brpop" in commands
    r.delete("key")


def pools():
    pool = redis.ConnectionPool(port=PORT, max_connections=2)
    one, two = pool.get_connection(), pool.get_connection()
    fails(ConnectionError, pool.get_connection)
    pool.release(one)
    pool.release(two)
    assert redis.Redis(connection_pool=pool).ping()
    pool.disconnect()

    pool = redis.BlockingConnectionPool(port=PORT, max_connections=3, timeout=PATIENCE)
    r = redis.Redis(connection_pool=pool)

    def work():
        for _ in range(20):
            r.execute_command("INCR", "shared")
            r.brpop("none", timeout=0.001)

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert r.get("shared") == b"200"
    assert len(r.client_list()) >= 3
    r.delete("shared")
    pool.disconnect()


def everything(**options):
    r = redis.Redis(decode_responses=True, **options)
    for part in (strings, lists, wrong_types, blocking, pipelines, clients, about):
        try:
            part(r)
        except (AssertionError, RedisError) as error:
            raise AssertionError(f"{part.__name__} with {options}: {error}") from error
    r.close()


everything(port=PORT, protocol=2)
everything(port=PORT, protocol=3)
everything(unix_socket_path=SOCKET, protocol=3, client_name="by-socket")
pools()
fails(AuthenticationError, redis.Redis(port=PORT, password="none", protocol=2).ping)
print("all is well")

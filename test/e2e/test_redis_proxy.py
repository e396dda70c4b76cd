"""The judge judged: the proxy before Redis hands on what is right, counts it, and spoils exactly what it was told to; the set-ups
with Sentinels and Cluster do what the tests take for granted."""

import pytest
import redis as library

from support.redis import Migration, wait_for
from support.redis_proxy import MODES, bulks

WAITS = {"stall", "huge-bulk", "huge-array"}
# What a client makes of a fault. The rest are ends of the connection and waits.
SEEN_AS = {"error": library.ResponseError, "corrupt": None, "twice": None, "nil": None, "slow": None, "wrong-type": None}


@pytest.fixture
def pair(redis, redis_proxy):
    """(a Redis, a proxy before it, clients of the proxy: call it to get another)"""
    real = redis()
    proxy = redis_proxy(real)
    return real, proxy, lambda **more: real.client(**{"port": proxy.port, **more})


def test_hands_on_and_counts(pair):
    real, proxy, connect = pair
    client = connect()
    with client.pipeline(transaction=False) as pipe:
        for i in range(200):
            pipe.set(f"k{i}", b"\r\n*1\r\n$" * i)
        pipe.execute()
    assert client.mget([f"k{i}" for i in range(200)]) == [b"\r\n*1\r\n$" * i for i in range(200)]
    assert client.eval("return {KEYS[1], {1, false, ARGV[1]}}", 1, "key", "x" * 300_000) == [b"key", [1, None, b"x" * 300_000]]
    seen = [c for c in proxy.commands if c.name not in ("CLIENT", "HELLO")]
    assert [(c.name, c.key) for c in seen] == [("SET", b"k%d" % i) for i in range(200)] + [("MGET", b"k0"), ("EVAL", b"key")]
    assert [c.n for c in seen] == list(range(seen[0].n, seen[0].n + 202))
    assert len({c.connection for c in seen}) == 1
    assert real.command_counts()["set"] == 200


@pytest.mark.parametrize("mode", MODES)
def test_every_fault(pair, mode):
    """The second GET is hit, the one before is not; and the next connection works."""
    real, proxy, connect = pair
    real.client().set("key", "value")
    rule = proxy.fault(mode, nth=2, commands={"GET"})
    client = connect(single_connection_client=True)
    assert client.get("key") == b"value"
    if mode in SEEN_AS and SEEN_AS[mode] is None:
        second = client.get("key")
        assert (second == b"value") == (mode in ("twice", "slow"))
        if mode == "corrupt":
            assert sum(bin(a ^ b).count("1") for a, b in zip(second, b"value", strict=True)) == 1
        if mode == "twice":
            client.set("key", "other")
            assert client.get("key") == b"OK", "the reply of SET, one late"
            wait_for(lambda: sum(c.name == "GET" for c in proxy.commands) == 3, "read, whose reply nobody waits for")
    elif mode in WAITS:
        client.connection.send_command("GET", "key")
        with pytest.raises(library.TimeoutError):
            client.connection.read_response(timeout=0.5)
        wait_for(lambda: rule.applied, "there")
    else:
        with pytest.raises(SEEN_AS.get(mode, (library.RedisError, RecursionError))):
            client.get("key")
    assert rule.applied == 1 and [c.fault for c in proxy.commands if c.name == "GET"][:2] == ["", mode]
    proxy.reset()
    assert connect().get("key") in (b"value", b"other")
    assert [c.name for c in proxy.commands if c.name not in ("CLIENT", "HELLO")] == ["GET"]


def test_which_commands(pair):
    _, proxy, connect = pair
    client = connect()
    client.set("key", "value")
    proxy.fault("nil", every=3, after=1, commands={"GET"})
    assert [client.get("key") is None for _ in range(8)] == [i in (4, 7) for i in range(1, 9)]
    proxy.reset()
    proxy.fault("error", text="OOM command not allowed when used memory > 'maxmemory'.", commands={"SET"})
    with pytest.raises(library.exceptions.OutOfMemoryError):
        client.set("key", "other")
    assert client.get("key") == b"value", "the command was not to go on"


def test_refuse_and_accept(pair):
    _, proxy, connect = pair
    client = connect()
    assert client.ping()
    proxy.refuse()
    with pytest.raises(library.ConnectionError):
        connect().ping()
    proxy.accept()
    assert connect().ping()


def test_bulk_strings_are_found():
    reply = b"*3\r\n$3\r\n\r\n$\r\n*2\r\n:1\r\n$-1\r\n$0\r\n\r\n"
    assert [reply[a:b] for a, b in bulks(reply)] == [b"\r\n$", b""]


def test_a_paused_redis_and_a_new_one(redis):
    real = redis()
    real.client().set("key", "value")
    real.pause()
    with pytest.raises(library.TimeoutError):
        real.client(socket_timeout=0.2).get("key")
    real.resume()
    assert real.client().get("key") == b"value"
    assert real.restart().client().get("key") is None


def test_sentinels(sentinels):
    group = sentinels(replicas=1, sentinels=1, password="of the servers")
    first = group.master()
    assert first is group.redis[0]
    second = group.failover()
    assert second is group.redis[1] and first.role() == "slave"
    with pytest.raises(library.exceptions.ReadOnlyError):
        first.client().set("key", "value")
    assert group.kill_master() is first


def test_a_cluster(cluster):
    group = cluster()
    key, other = "{tag}:key", "{tag}:other"
    slot = group.slot(key)
    assert slot == group.slot(other)
    old = group.owner(slot)
    old.client().mset({key: "value", other: "value"})

    move = Migration(group, slot)
    assert move.keys(limit=1) != []
    with pytest.raises(library.exceptions.TryAgainError):
        old.ask("MGET", key, other)
    with pytest.raises(library.exceptions.AskError):
        old.ask("GET", "{tag}:new")
    new = move.finish()
    assert new is group.owner(slot) and new is not old
    with pytest.raises(library.exceptions.MovedError):
        old.ask("GET", key)
    assert sorted(group.keys()) == [key.encode(), other.encode()]
    assert new.client().mget(key, other) == [b"value", b"value"]

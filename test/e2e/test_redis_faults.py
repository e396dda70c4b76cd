"""A Redis that fails in every way, at every command: a sync gives the same as without it, the log and the counters say what was wrong
once, and the store is used again when it works again."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import wire
from support.aws import Sim
from support.crawl import Together, crawl
from support.paths import AWS_SIM, BATON_AWSD, WORK
from support.redis import Migration, Redis
from support.redis_proxy import RedisProxy
from support.server import Server
from support.shared import (EVERYTHING, LITTLE, PATIENT, SMALL, TINY, WORKS_AGAIN, crawled, store_counters, sync_id, told, used_again,
                            wait_for_recovery)
from support.stored import of_sync, values

# --- the n-th command fails, for every n ---

# Of Redis's errors one of each kind that is treated alike.
ERRORS = {"full": "OOM command not allowed when used memory > 'maxmemory'.", "changing": "READONLY You can't write against a read only replica.",
          "forbidden": "NOAUTH Authentication required.", "moved": "MOVED 1 127.0.0.1:1", "ask": "ASK 1 127.0.0.1:1", "unknown": "ERR unknown"}
WAYS = {**{mode: {"mode": mode} for mode in ("close", "close-after", "garbage", "truncated", "huge-bulk", "huge-array", "deep", "wrong-type",
                                             "corrupt", "twice", "nil", "stall")},
        **{name: {"mode": "error", "text": text} for name, text in ERRORS.items()}}
# What a server may well not notice, because a second attempt puts it right, or there is nothing wrong with it.
QUIET = {"close", "close-after", "truncated", "changing", "moved", "twice", "nil"}
# From the n-th command on, for good.
LASTING = {"gone": WAYS["close"], "full-for-good": WAYS["full"], "stalled-for-good": WAYS["stall"]}

# name: (organization, flags, fault, whether it lasts, whether the server finds facts in Redis, or is the one that puts them there; for
# which commands: (step, first)). Every one of them; a long torture is cut into two, for two threads.
TORTURES = {f"everything-gone-{part}": (LITTLE, EVERYTHING, LASTING["gone"], True, False, (2, part)) for part in (1, 2)}
TORTURES |= {f"write-{way}": (TINY, ("--sync-secrets",), fault, False, False, (1, 1)) for way, fault in WAYS.items()}
TORTURES |= {f"write-{way}": (TINY, ("--sync-secrets",), fault, True, False, (1, 1)) for way, fault in LASTING.items()}
TORTURES |= {f"read-{way}": (LITTLE, EVERYTHING, WAYS[way], False, True, (1, 1)) for way in
             ("corrupt", "full", "garbage", "twice", "wrong-type")}

# A stall costs a time-out, and so does whatever announces bytes that never come.
IMPATIENT = ("--store-command-timeout-ms", "400")
BUCKET_AWAY = "the bucket that paces all servers is away"  # of the log


class World:
    """A simulator, a Redis, and a server that reaches it over a proxy; read: another one that does not, and is asked first."""

    def __init__(self, folder, organization, flags, read):
        folder.mkdir(parents=True)
        self.processes, self.clients, self.read, self.syncs = [], [], read, 0
        try:
            self.aws = self.add(Sim(folder, **organization))
            self.redis = self.add(Redis(folder))
            self.proxy = RedisProxy(self.redis.port)
            ports = ({"other": self.redis.port} if read else {}) | {"victim": self.proxy.port}
            for name, port in ports.items():
                self.victim = self.add(Server(folder, self.aws.url, *flags, "--store-url", f"redis://127.0.0.1:{port}", name=name,
                                              admin=True)).wait_serving()
                self.clients.append(self.victim.client())
        except BaseException:
            self.end()
            raise

    def add(self, process):
        self.processes.append(process)
        return process

    def sync(self):
        """All that it gave."""
        if not self.read:
            return crawled(self.victim)
        self.syncs += 1
        client = Together(*self.clients)
        got = crawl(client, sync_id(self.syncs))
        assert not got.errors, got.errors[:2]
        client.call("ConnectorService/Cleanup", active_sync_id=sync_id(self.syncs))
        return got.content

    def end(self):
        for client in self.clients:
            client.close()
        return [p.log.stem for p in reversed(self.processes) if (p.stop() if isinstance(p, Server) else p.kill())]


def torture(folder, organization, flags, fault, lasts, read, which):
    """Syncs once for each command that a sync sends, which fails. Gives how many there were, how many syncs noticed, and the warnings of
    the store and of its bucket."""
    waits = fault["mode"] in ("stall", "huge-bulk", "huge-array")
    world = World(folder, organization, (*flags, *(IMPATIENT if waits else PATIENT)), read)
    try:
        server, proxy = world.victim, world.proxy
        want = world.sync()
        wait_for_recovery(server)
        proxy.reset()
        assert world.sync() == want
        commands, noticed = len(proxy.commands), 0
        for n in range(which[1], commands + 1, which[0]):
            proxy.clear()
            wait_for_recovery(server)
            before = store_counters(server)["failures"]
            world.aws.reset()
            proxy.reset()
            proxy.fault(**fault, **({"after": n - 1} if lasts else {"nth": n}))
            about = f"command {n} of {commands}"
            assert world.sync() == want, f"{about}: {proxy.commands[n - 1:n]}"
            if not read:  # there was nobody to learn from
                assert world.aws.get("repeats")["repeats"] == [], about
            noticed += store_counters(server)["failures"] > before
        proxy.reset()

        def sync():
            assert world.sync() == want
        grown = used_again(server, sync)
        assert grown["hits"] + grown["puts"] > 1, "the store is not used again"
        warnings = [*told(server), *told(server, BUCKET_AWAY)]
        assert len(warnings) == len(server.said("ignoring")), "warnings of another kind"
        return commands, noticed, warnings
    finally:
        crashed = world.end()
        world.proxy.close()
        assert not crashed


@pytest.fixture(scope="module")
def tortured(request):
    if not BATON_AWSD.exists() or not AWS_SIM.exists():
        from conftest import skip
        skip("the server or the simulator is not built")
    folder = WORK / "test_redis_faults" / "torture"
    shutil.rmtree(folder, ignore_errors=True)
    wire.pool()  # once, before the threads

    def run(name):
        try:
            return torture(folder / name, *TORTURES[name])
        except Exception as problem:  # told by the test of this torture
            return problem

    wanted = {item.callspec.id for item in request.session.items if item.path == request.path and hasattr(item, "callspec")}
    names = [name for name in TORTURES if name in wanted]
    with ThreadPoolExecutor(6) as pool:
        return dict(zip(names, pool.map(run, names)))


@pytest.mark.parametrize("name", TORTURES)
def test_the_nth_command_fails(tortured, name):
    result = tortured[name]
    if isinstance(result, Exception):
        raise result
    commands, noticed, warnings = result
    print(f"{name}: {commands} commands, {noticed} syncs noticed, {len(warnings)} warnings")
    assert commands >= 15, "the store is hardly used"
    assert noticed or name.partition("-")[2] in QUIET
    assert bool(noticed) <= len(warnings)


# --- how Redis fails ---

@pytest.fixture
def scene(sim, redis, redis_proxy, serve, connect):
    """scene(organization, *flags): a simulator, a Redis, a proxy before it, a server, and what a sync must give."""
    class Scene:
        def __init__(self, organization, *flags, direct=False, **options):
            self.aws = sim(**organization)
            self.redis = redis(**options)
            self.proxy = redis_proxy(self.redis)
            self.flags = (*EVERYTHING, *PATIENT, *flags, "--store-url", f"redis://{(self.redis if direct else self.proxy).address}")
            self.want = crawled(serve(self.aws.url, *EVERYTHING))
            self.server = serve(self.aws.url, *self.flags, admin=True)

        def sync(self, cursors=8):
            """Gives what the counters have grown by. Without anybody to learn from, nothing is read twice for want of a store."""
            self.aws.reset()
            before = store_counters(self.server)
            assert crawled(self.server, cursors) == self.want
            self.aws.assert_no_read_twice()
            after = store_counters(self.server)
            return {name: after[name] - before[name] for name in after}

        def recovers(self):
            assert used_again(self.server, self.sync)["puts"] > 15
    return Scene


def test_down_at_the_start(scene):
    """One warning; it is looked for in vain less and less often; and when it comes, it is used, and the log says so."""
    s = scene(SMALL)
    s.redis.kill()
    s.proxy.refuse()
    for _ in range(3):
        grown = s.sync()
        assert grown["failures"] > 20 and grown["hits"] == grown["puts"] == 0
    for warning in told(s.server):
        assert "refused" in warning and ", ignoring" in warning
    s.redis.start()
    s.redis.wait_ready()
    s.proxy.accept()
    s.recovers()
    client = s.server.client()
    s.server.wait_until(lambda: client.call("ResourcesService/ListResources", resource_type_id="role", active_sync_id=sync_id(7)) and
                        _again(client) and s.server.said(WORKS_AGAIN, level="info"), "told so")
    client.close()
    assert told(s.server)


def _again(client):
    """Facts of the sync are forgotten, so that the next question goes to the store."""
    return client.call("ConnectorService/Cleanup", active_sync_id=sync_id(7)) is not None


def test_dies_in_the_middle_and_comes_back_empty(scene):
    """While AWS takes its time: what failed in between costs no more than the store."""
    s = scene({**SMALL, "latency_ms": 60}, "--read-ahead", "0")

    def dies():
        """Gives whether it was in the middle."""
        before = store_counters(s.server)["puts"]
        with ThreadPoolExecutor(1) as pool:
            run = pool.submit(s.sync)
            s.server.wait_until(lambda: run.done() or store_counters(s.server)["puts"] >= before + 3, "putting facts there")
            s.redis.kill()
            s.server.wait_until(lambda: run.done() or store_counters(s.server)["away"], "missing it")
            s.redis.restart()
            return run.result()["failures"] > 0
    assert any(dies() for _ in range(5)), "the sync is over too early: make the organization larger"
    s.recovers()
    assert told(s.server)


def test_fails_again_and_again(scene):
    """Every eleventh command, with AWS so slow that the store is tried again many times within the sync."""
    s = scene({**LITTLE, "latency_ms": 100}, "--read-ahead", "0")
    s.proxy.fault("garbage", every=11)
    grown = s.sync(cursors=1)
    assert grown["failures"] >= 2 and grown["puts"] >= 2, grown
    s.proxy.clear()
    s.recovers()
    assert told(s.server)


def test_is_slow(scene):
    """Slower than all of AWS, but within its time: it is used all the same. Beyond, it counts as away."""
    s = scene(LITTLE)
    s.proxy.fault("slow", seconds=0.2)
    grown = s.sync()
    assert grown["puts"] > 10 and grown["failures"] == 0
    hasty = scene(LITTLE, "--store-connect-timeout-ms", "1000", "--store-command-timeout-ms", "400")
    hasty.proxy.fault("slow", seconds=0.8)
    grown = hasty.sync()
    assert grown["failures"] > 10
    warning, *_ = told(hasty.server)
    assert "within 400 ms (--store-command-timeout-ms)" in warning or "within 1000 ms (--store-connect-timeout-ms)" in warning, warning
    hasty.proxy.clear()
    hasty.recovers()


def test_hangs(scene):
    """The process is stopped: connections are there, and accepted, and nobody answers."""
    s = scene(SMALL, "--store-command-timeout-ms", "400", "--store-connect-timeout-ms", "400", direct=True)
    s.sync()
    s.redis.pause()
    grown = s.sync()
    assert grown["failures"] > 20 and grown["hits"] == grown["puts"] == 0
    s.redis.resume()
    s.recovers()
    assert told(s.server)


def test_speaks_another_language(scene, serve):
    """Whatever is asked: an HTTP server behind our URL, say."""
    s = scene(SMALL)
    s.proxy.fault("garbage")
    assert s.sync()["failures"] > 20
    s.proxy.clear()
    s.recovers()
    assert told(s.server)


def test_is_full(scene, serve, connect):
    """Nothing new goes in; what is there is found."""
    s = scene(SMALL, direct=True)
    first, late = connect(s.server), connect(serve(s.aws.url, *s.flags, admin=True))
    whole = crawl(first, sync_id(1)).content
    assert len(values(s.redis.client())) > 15
    s.redis.client().config_set("maxmemory", "1mb")  # less than it has anyway
    asked = s.aws.counters()["total"]
    s.aws.reset()
    found = crawl(late, sync_id(1))
    assert not found.errors and found.content == whole
    assert s.aws.counters().get("total", 0) < asked / 2, "what is in Redis was read from AWS"
    grown = s.sync()
    assert grown["failures"] > 0 and grown["puts"] == 0
    assert told(s.server)
    for warning in told(s.server):
        assert "OOM" in warning and "maxmemory" in warning
    s.redis.client().config_set("maxmemory", "0")
    s.recovers()


def test_makes_room(scene, serve, connect):
    """Full, but with a policy: facts may go at any time, and the set of a sync's keys, and leases."""
    s = scene({**SMALL, "users": 120}, direct=True, maxmemory_policy="allkeys-random")
    both = Together(connect(s.server), connect(serve(s.aws.url, *s.flags)))
    want = crawl(both, sync_id(1)).content  # also warms Redis up: clients, scripts
    s.redis.client().flushall()
    s.redis.client().config_set("maxmemory", s.redis.client().info("memory")["used_memory"] + 25_000)
    for n in range(2, 5):
        got = crawl(both, sync_id(n))
        assert not got.errors and got.content == want
    assert s.redis.client().info("stats")["evicted_keys"] > 5, "there was room: make the organization larger"


@pytest.mark.parametrize("how", ["failover", "kill_master"])
def test_fails_over(sim, sentinels, serve, engine, folder, how):
    """In the middle of a sync: the old master is a replica, or dead. The new one is found without anybody's help."""
    aws, group = sim(**SMALL, latency_ms=100), sentinels(replicas=1, sentinels=1)
    want = crawled(serve(aws.url, *EVERYTHING))
    aws.reset()
    server = serve(aws.url, *EVERYTHING, *PATIENT, "--read-ahead", "0", "--store-url", f"redis+sentinel://{group.addresses[0]}/{group.name}",
                   admin=True)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(crawled, server)
        server.wait_until(lambda: store_counters(server)["puts"] >= 2, "putting facts there")
        new = getattr(group, how)()
        assert run.result() == want
    aws.assert_no_read_twice()
    assert crawled(server) == want  # notices, if the first one was over too early for that

    def sync():
        assert crawled(server) == want
    assert used_again(server, sync)["puts"] > 15
    assert new.command_counts().get("set", 0) > 15
    told(server)


def test_a_slot_moves(sim, cluster, serve, connect):
    """Half the keys of a sync are on another node (ASK, TRYAGAIN), then all (MOVED): the same answers, and the store is used again."""
    aws, group = sim(**SMALL), cluster()
    flags = (*EVERYTHING, *PATIENT, "--store-url", f"redis://{group.addresses[0]}")
    want = crawl(connect(serve(aws.url, *EVERYTHING)), sync_id(1)).content
    servers = [serve(aws.url, *flags, admin=True) for _ in range(3)]
    assert crawl(connect(servers[0]), sync_id(1)).content == want
    (slot,) = {group.slot(k) for node in group.nodes for k in of_sync(node.client(), sync_id(1))}
    move = Migration(group, slot)
    assert move.keys(limit=12)
    got = crawl(connect(servers[1]), sync_id(1))
    assert not got.errors and got.content == want
    to = move.finish()
    wait_for_recovery(servers[1])
    before = to.command_counts().get("get", 0)
    got = crawl(connect(servers[2]), sync_id(1))
    assert not got.errors and got.content == want
    assert store_counters(servers[2])["hits"] > 15 and store_counters(servers[2])["failures"] == 0
    assert to.command_counts()["get"] - before > 15

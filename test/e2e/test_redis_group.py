"""Several servers, one Redis, one engine whose cursors are spread over them: together they ask AWS what one server would ask, as fast as
one may, and give what one gives; also when any of them dies, and when Redis does."""

import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import truth, truth_identity_center
from support.aws import Sim
from support.compare import assert_same
from support.crawl import crawl
from support.redis import Redis
from support.server import Server
from support.shared import EVERYTHING, FAILED, PATIENT, SMALL, store_counters, sync_id, told
from support.stored import of_sync, wait_for_ended_leases
from support.wire import msg

# AWS's rates times three: some 220 calls of SSO Admin take three seconds.
FASTER = 3
MEDIUM = {"users": 20, "roles": 15, "groups": 4, "policies": 4, "child_users": 4, "child_roles": 4, "child_groups": 1,
          "child_policies": 2, "accounts": 24, "permission_sets": 14, "permission_sets_per_account": 6, "sso_users": 200,
          "sso_groups": 60, "ous": 8, "ou_depth": 3, "large_assignments": 1, "report_polls": 0, "seed": 6,
          "sso_rate": 20 * FASTER, "identity_store_rate": 20 * FASTER, "organizations_rate": 10 * FASTER}
HALF = {"accounts": 12, "permission_sets": 10, "sso_groups": 20}
FEW = 4  # throttled answers
AT_AWS_SPEED = (*EVERYTHING[:-1], str(100 * FASTER))


@pytest.fixture
def group(serve):
    """group(aws, redis, *flags) starts three servers that share it."""
    def start(aws, redis, *flags, n=3, **kwargs):
        store = (*PATIENT, "--store-url", f"redis://{redis.address}", "--store-servers", str(n)) if redis else ()
        return [serve(aws.url, *flags, *store, admin=True, **kwargs) for _ in range(n)]
    return start


def targets(servers):
    return [s.target for s in servers]


def aws_calls(server):
    return sum(int(n) for name, n in server.metrics().items() if name.startswith("baton_aws_calls_total"))


def expected(aws):
    return truth.expected(aws.truth(), organization=True, secrets=True) + truth_identity_center.expected(aws.center())


def test_three_servers_are_one(sim, serve, group, engine, redis, folder):
    alone = sim(**MEDIUM)
    single = engine(folder, serve(alone.url, *AT_AWS_SPEED).target, workers=8, name="single")
    assert single.ok, single.summary
    assert_same(single.lines(), expected(alone))

    for _ in range(3):
        aws = sim(**MEDIUM)
        servers = group(aws, redis(), *AT_AWS_SPEED)
        result = engine(folder, targets(servers), workers=8, name="group")
        assert result.ok, result.summary
        assert result.dump.read_bytes() == single.dump.read_bytes()
        aws.assert_no_read_twice()
        assert all(aws_calls(s) > 1 for s in servers), "one of them did nothing"
        for server in servers:
            assert store_counters(server)["failures"] == 0 and not server.said(FAILED)
        assert aws.counters()["total"] <= alone.counters()["total"] + 2 * 30, "beyond what each server asks for itself: who it is, sessions"
        quota = [server.metrics() for server in servers]
        assert all(q["baton_quota_exchanges_total"] > 0 for q in quota)
        if not any(q["baton_quota_failures_total"] for q in quota):
            break  # else one of them did not hear from the bucket for a second: the machine was that busy
    else:
        raise AssertionError("the bucket fails again and again")
    rates = aws.rates()
    for service in ("sso", "identitystore", "organizations"):
        assert rates[service]["throttled"] <= FEW, rates[service]


def test_three_syncs_keep_the_quota(sim, group, engine, folder, redis):
    """Each at a server of its own: they share no facts, but the bucket. Without it they would ask three times as fast as AWS allows."""
    aws = sim(**{**MEDIUM, **HALF})
    servers = group(aws, redis(), *AT_AWS_SPEED)
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda i: engine(folder, servers[i].target, workers=4, name=f"sync{i}"), range(3)))
    want = expected(aws)
    for r in runs:
        assert r.ok, r.summary
        assert_same(r.lines(), want)
    rates = aws.rates()
    assert rates["sso"]["calls"] > 4 * 20 * FASTER, "too few to feel the quota"
    assert rates["sso"]["throttled"] <= FEW, rates["sso"]


def test_three_servers_keep_the_quota_without_redis(sim, group, engine, folder, redis):
    """Each keeps to its third. What one reads, the others may read again: nobody tells them."""
    aws, store = sim(**MEDIUM), redis()
    servers = group(aws, store, *AT_AWS_SPEED)
    store.kill()
    result = engine(folder, targets(servers), workers=8)
    assert result.ok, result.summary
    assert_same(result.lines(), expected(aws))
    rates = aws.rates()
    assert rates["sso"]["calls"] > 4 * 20 * FASTER, "too few to feel the quota"
    assert rates["sso"]["throttled"] <= FEW, rates["sso"]
    for server in servers:
        assert told(server)
        assert server.metrics()["baton_quota_away"] == 1


def test_policies_that_are_attached_somewhere(sim, serve, group, engine, redis, folder):
    """Each of AWS's policies is listed by one account of the sync, whichever server is asked about it."""
    aws = sim(**{**MEDIUM, "sso_rate": 0, "identity_store_rate": 0, "organizations_rate": 0})
    flags = (*EVERYTHING, "--sync-only-attached-policies")
    single = engine(folder, serve(aws.url, *flags).target, workers=8, name="single")
    aws.reset()
    result = engine(folder, targets(group(aws, redis(), *flags)), workers=8, name="group")
    assert single.ok and result.ok, result.summary
    assert result.dump.read_bytes() == single.dump.read_bytes()
    aws.assert_no_read_twice()


def test_two_syncs_at_once(sim, group, engine, redis, folder):
    aws, store = sim(**SMALL), redis()
    servers = group(aws, store, *EVERYTHING)
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda i: engine(folder, targets(servers), workers=4, name=f"s{i}"), range(2)))
    assert all(r.ok for r in runs), [r.summary for r in runs]
    for r in runs:
        assert_same(r.lines(), expected(aws))


def test_cleanup_at_one_ends_the_sync_for_all(sim, group, connect, redis):
    aws, store = sim(**SMALL), redis()
    servers = group(aws, store, *EVERYTHING)
    clients = [connect(s) for s in servers]
    want = crawl(clients[0], sync_id(1)).content
    assert crawl(clients[1], sync_id(1)).content == want
    clients[2].call("ConnectorService/Cleanup", active_sync_id=sync_id(1))
    assert of_sync(store.client(), sync_id(1)) == []
    # Who still asks gets an answer, and leaves nothing behind.
    for client in reversed(clients):
        late = crawl(client, sync_id(1))
        assert not late.errors and late.content == want
    assert of_sync(store.client(), sync_id(1)) == []


# --- leases ---

def grants_request(aws):
    account = aws.center()["accounts"][0]["id"]
    resource = msg("Resource", id=msg("ResourceId", resource_type="account", resource=account))
    return msg("GrantsServiceListGrantsRequest", resource=resource, active_sync_id=sync_id(1))


def test_who_fails_gives_up_its_lease(sim, group, connect, redis):
    """At once: the next one to ask need not wait until it runs out."""
    aws, store = sim(**SMALL), redis()
    first, second, _ = group(aws, store, *EVERYTHING, "--read-ahead", "0")
    aws.faults({"op": "sso:ListAccountAssignments", "action": "error", "status": 400, "code": "AccessDeniedException", "message": "no"})
    assert connect(first).fails("GrantsService/ListGrants", grants_request(aws)).code().name == "PERMISSION_DENIED"
    wait_for_ended_leases(store)
    aws.faults()
    assert connect(second).call("GrantsService/ListGrants", grants_request(aws)).list


def fetching(aws):
    return aws.counters().get("sso:ListAccountAssignments", {"calls": 0})["calls"]


def test_who_is_stopped_is_succeeded_at_once(sim, group, connect, redis):
    """In the middle of a fetch. Not when its lease would run out."""
    aws, store = sim(**SMALL), redis()
    first, second, _ = group(aws, store, *EVERYTHING, "--read-ahead", "0", "--drain-seconds", "1")
    aws.faults({"op": "sso:ListAccountAssignments", "nth": [1], "action": "hang", "ms": 60000})
    lost = connect(first).future("GrantsService/ListGrants", grants_request(aws), timeout=300)
    first.wait_until(lambda: fetching(aws), "fetching")
    asked = connect(second).future("GrantsService/ListGrants", grants_request(aws), timeout=300)
    second.wait_until(lambda: second.metrics()["baton_rpc_in_flight"] > 0, "asked")
    assert first.stop() == 0
    assert lost.code().name in ("CANCELLED", "UNAVAILABLE")
    assert asked.result().list
    assert store.client().info("stats")["expired_keys"] == 0, "its lease was ended"


@pytest.mark.parametrize("what", ["a lease", "Redis"])
def test_who_waits_can_be_stopped(sim, group, connect, redis, what):
    """At the end of its --drain-seconds, whoever it waits for."""
    aws, store = sim(**SMALL), redis()
    first, second, _ = group(aws, store, *EVERYTHING, "--read-ahead", "0", "--drain-seconds", "1", "--store-command-timeout-ms", "30000",
                             "--store-connect-timeout-ms", "30000")
    if what == "Redis":
        store.pause()
    else:
        aws.faults({"op": "sso:ListAccountAssignments", "nth": [1], "action": "hang", "ms": 60000})
        held = connect(first).future("GrantsService/ListGrants", grants_request(aws), timeout=300)
        first.wait_until(lambda: fetching(aws), "fetching")
    asked = connect(second).future("GrantsService/ListGrants", grants_request(aws), timeout=300)
    second.wait_until(lambda: second.metrics()["baton_rpc_in_flight"] > 0, "asked")
    time.sleep(0.2)  # until it waits
    assert second.stop() == 0
    assert asked.code().name in ("CANCELLED", "UNAVAILABLE")
    store.resume()
    assert what == "Redis" or not held.done()


def test_who_dies_is_succeeded(sim, group, connect, redis):
    """In the middle of a fetch. The others wait for its lease to run out, then one of them fetches, and the third has it from that one.
    A server that was only asleep wakes up and is no worse off. One that lives and takes its time is waited for."""
    def scene(action):
        aws = sim(**{**SMALL, "permission_sets_per_account": 1})
        servers = group(aws, redis(), *EVERYTHING, "--read-ahead", "0", may_fail=True)
        aws.faults({"op": "sso:ListAccountAssignments", "nth": [1], "action": action, "ms": 12000})
        return aws, servers, [connect(s) for s in servers]

    def play(scene, fate, wake=None, lives=True, reads=2):
        aws, servers, clients = scene
        first = clients[0].future("GrantsService/ListGrants", grants_request(aws), timeout=300)
        servers[0].wait_until(lambda: fetching(aws), "fetching")
        fate(servers[0])
        with ThreadPoolExecutor(2) as pool:
            asked = [pool.submit(c.call, "GrantsService/ListGrants", grants_request(aws), timeout=300) for c in clients[1:]]
            replies = [a.result() for a in asked]
        assert replies[0].list and replies[0] == replies[1]
        assert fetching(aws) == reads
        assert sum(store_counters(s)["hits"] for s in servers[1:]) > 0
        if wake:
            wake(servers[0])
        if lives:
            assert first.result().list == replies[0].list

    fates = [(scene("hang"), Server.kill, None, False, 2), (scene("hang"), Server.pause, Server.resume, True, 2),
             (scene("delay"), lambda server: None, None, True, 1)]
    with ThreadPoolExecutor(3) as pool:  # all of them wait for the end of a lease
        for one in [pool.submit(play, *fate) for fate in fates]:
            one.result()


# --- random deaths ---

RUNS, AT_A_TIME = 20, 4
SHORT = {**SMALL, "latency_ms": 20}


class Doom:
    """Kills what a run stands on, at moments drawn from its seed: a server (which comes back on its port) or Redis (empty). Or makes it
    sleep. Not before something was listed: the engine asks for Validate once, and takes any error for an answer."""

    def __init__(self, seed, servers, redis):
        self.dice, self.servers, self.redis, self.over, self.killed = random.Random(seed), servers, redis, threading.Event(), []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not any("ListResourceTypes" in s.output() for s in self.servers):
            if self.over.wait(0.01):
                return
        for _ in range(self.dice.randint(1, 3)):
            pause = self.dice.uniform(0.05, 0.7)
            victim = self.dice.choice([*self.servers, self.redis, self.redis])
            down, asleep = self.dice.choice([0, 0.2, 1]), self.dice.random() < 0.25
            if self.over.wait(pause):
                return
            self.killed.append((victim.log.stem, "asleep" if asleep else "killed", round(pause, 2), down))
            victim.pause() if asleep else victim.kill()
            time.sleep(down)
            victim.resume() if asleep else victim.start()

    def end(self):
        self.over.set()
        self.thread.join()


@pytest.fixture(scope="module")
def whole(session_started, program, engine):
    """What every run must give."""
    folder = session_started.folder
    aws = session_started.add(Sim(folder, "group-sim", **SMALL))
    server = session_started.add(Server(folder, aws.url, *EVERYTHING, name="group-server")).wait_serving()
    result = engine(folder, server.target, name="group-whole")
    assert result.ok
    assert_same(result.lines(), expected(aws))
    return result.dump.read_bytes()


def test_killed_at_random_moments(whole, started, engine, folder, serve, program):
    """Twenty syncs, each with up to three deaths."""
    def run(seed):
        where = folder / str(seed)
        where.mkdir()
        aws, store = Sim(where, **SHORT), Redis(where)
        flags = (*EVERYTHING, "--store-url", f"redis://{store.address}", "--store-servers", "3")
        servers = [Server(where, aws.url, *flags, name=f"server{i}") for i in range(3)]
        doom = None
        try:
            for s in servers:
                s.wait_serving()
            doom = Doom(seed, servers, store)
            result = engine(where, targets(servers), "--wait-for-ready", workers=8)
            doom.end()
            problem = None if result.ok and result.dump.read_bytes() == whole else json.dumps(result.summary)
            crashed = [s.name for s in servers if s.popen.poll() is not None and s.stop() != 0]
            return seed, doom.killed, problem, crashed
        finally:
            if doom:
                doom.end()
            for process in (*servers, store, aws):
                process.kill()

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        done = list(pool.map(run, range(RUNS)))
    print(*done, sep="\n")
    assert not [d for d in done if d[2] or d[3]]
    assert sum(bool(d[1]) for d in done) >= RUNS / 2, "most syncs were over before anybody died: make them longer"

"""The real engine syncs a large account in the simulator: the same result under throttling and errors, few AWS calls,
none of them twice."""

from concurrent.futures import ThreadPoolExecutor

from support.compare import assert_same
from support.truth import expected

LARGE = {"users": 5000, "roles": 2000, "groups": 500, "policies": 300, "seed": 5}
SMALL = {"users": 150, "roles": 80, "groups": 20, "policies": 40, "seed": 9}
MAX_CALLS = 40  # for the whole sync of LARGE


def test_a_large_account(sim, serve, engine, folder):
    aws = sim(**LARGE)
    server = serve(aws.url)
    result = engine(folder, server.target, "--workers", "4")
    assert result.ok, result.summary
    counters = aws.counters()
    print(f"AWS calls: {counters['total']}, largest reply: {result.summary['max_reply_bytes']} bytes, "
          f"server RSS: {server.rss_kb()} kB, {result.summary['elapsed_ms']} ms")
    assert_same(result.lines(), expected(aws.truth()))
    assert counters["total"] <= MAX_CALLS, counters
    aws.assert_no_read_twice()
    assert result.summary["max_reply_bytes"] < 4 << 20

    stormy = sim(**LARGE, throttle_percent=10, error_percent=5)
    again = engine(folder, serve(stormy.url).target, "--workers", "4", name="stormy")
    assert again.ok, again.summary
    assert again.dump.read_bytes() == result.dump.read_bytes()
    stormy.assert_no_read_twice()


def test_every_way_to_read_an_account_gives_the_same(sim, serve, engine, folder):
    """By the bulk operation, in small pages, and entity by entity where the bulk permissions are missing."""
    aws = sim(**SMALL)
    bulk = engine(folder, serve(aws.url).target, name="bulk")
    assert bulk.ok, bulk.summary
    assert_same(bulk.lines(), expected(aws.truth()))

    paged = sim(**SMALL, page_limit=7)
    small = engine(folder, serve(paged.url).target, name="paged")
    assert small.ok, small.summary
    assert small.dump.read_bytes() == bulk.dump.read_bytes()
    paged.assert_no_read_twice()

    denied = sim(**SMALL)
    denied.faults(*({"op": f"iam:{op}", "action": "error", "status": 403, "code": "AccessDenied",
                     "message": f"User is not authorized to perform: iam:{op}"}
                    for op in ("GetAccountAuthorizationDetails", "GenerateCredentialReport", "GetCredentialReport")))
    narrow = engine(folder, serve(denied.url).target, "--workers", "8", name="narrow")
    assert narrow.ok, narrow.summary
    assert_same(narrow.lines(), bulk.lines())
    denied.assert_no_read_twice()


def test_eight_workers_ask_no_more_than_one(sim, serve, engine, folder):
    totals = []
    for workers in (1, 8):
        aws = sim(**SMALL)
        assert engine(folder, serve(aws.url).target, "--workers", str(workers)).ok
        aws.assert_no_read_twice()
        totals.append({op: n for op, n in aws.counters().items() if op != "total" and op.startswith("iam:")})
    assert totals[0] == totals[1]


def test_two_syncs_at_once_do_not_disturb_each_other(sim, serve, engine, folder):
    aws = sim(**SMALL)
    server = serve(aws.url)
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda i: engine(folder, server.target, "--workers", "4", name=f"s{i}"), range(2)))
    assert all(r.ok for r in runs)
    assert runs[0].dump.read_bytes() == runs[1].dump.read_bytes()
    assert_same(runs[0].lines(), expected(aws.truth()))


def test_a_restart_in_the_middle_loses_nothing(sim, serve, engine, folder):
    """An engine that waits for its server gets the same from the next one: page tokens do not live in a process."""
    aws = sim(**SMALL)
    server = serve(aws.url, may_fail=True)
    whole = engine(folder, server.target, name="whole")
    assert whole.ok, whole.summary

    def restarts():
        """Gives whether it was in the middle."""
        nonlocal server
        calls = server.output().count("ListGrants")
        with ThreadPoolExecutor(1) as pool:
            run = pool.submit(engine, folder, server.target, "--wait-for-ready", "--workers", "2", name="restarted")
            server.wait_until(lambda: server.output().count("ListGrants") > calls + 20, "listing grants")
            server.kill()
            server = serve(aws.url, listen=server.target, may_fail=True)
            result = run.result()
        assert result.ok, result.summary
        assert result.dump.read_bytes() == whole.dump.read_bytes()
        return "ListGrants" in server.output()
    assert any(restarts() for _ in range(5)), "the sync is over before the restart: make the account larger"
    assert server.stop() == 0


def test_signatures_hold(sim, serve, engine, folder):
    """The simulator checks every signature, with a clock that is ten minutes ahead."""
    key = {"AWS_ACCESS_KEY_ID": "AKIASIMULATOREXAMPLE", "AWS_SECRET_ACCESS_KEY": "simsecretEXAMPLEKEY"}
    aws = sim(**SMALL, verify_signatures=True, clock_offset_s=600)
    result = engine(folder, serve(aws.url, env=key).target, "--workers", "4")
    assert result.ok, result.summary
    assert_same(result.lines(), expected(aws.truth()))


def test_latency_is_not_paid_for_every_entity(sim, serve, engine, folder):
    """With 100 ms a call, entity by entity would take 450 calls and 45 s."""
    aws = sim(**SMALL, latency_ms=100)
    result = engine(folder, serve(aws.url).target)
    assert result.ok, result.summary
    assert aws.counters()["total"] <= MAX_CALLS


def test_a_sync_with_grant_expansion_completes(sim, serve, engine, folder):
    aws = sim(**SMALL)
    result = engine(folder, serve(aws.url).target, "--expand", "--workers", "4")
    assert result.ok, result.summary

"""The session store in Redis, by each way that leads there: a sync gives what it gives with the store in memory, from Redis when the
facts are there, and without it when there is no way."""

import re

import pytest

from support.crawl import Together, crawl
from support.paths import ROOT
from support.shared import EVERYTHING, FAILED, PATIENT, SMALL, crawled, store_counters, sync_id, told, used_again
from support.stored import decode, of_sync, split, values, wait_for_ended_leases
from support.tls import Authority


@pytest.fixture
def aws(sim):
    return sim(**SMALL)


@pytest.fixture
def pair(aws, serve, connect):
    """pair(*flags) starts two servers, lets them crawl as one, and shows that what one of them read the other had from Redis. Gives one."""
    def run(*flags, env=None):
        first, second = (serve(aws.url, *EVERYTHING, *PATIENT, *flags, env=env, admin=True) for _ in range(2))
        with_memory = crawl(connect(serve(aws.url, *EVERYTHING)), sync_id(1))
        asked = aws.counters()["total"]
        aws.reset()
        got = crawl(Together(connect(first), connect(second)), sync_id(1))
        assert not got.errors and got.content == with_memory.content
        assert aws.counters()["total"] <= asked, "what one server has read the other one reads again"
        aws.assert_no_read_twice()
        counters = [store_counters(server) for server in (first, second)]
        assert sum(c["puts"] for c in counters) >= sum(c["hits"] for c in counters) > 15, counters
        for server, c in zip((first, second), counters):
            assert c["failures"] == 0 and not server.said(FAILED)
        return first
    return run


def cleaned(server, redis, sync):
    """After Cleanup there is nothing left of the sync."""
    assert of_sync(redis.client(), sync)
    client = server.client()
    client.call("ConnectorService/Cleanup", active_sync_id=sync)
    client.close()
    assert of_sync(redis.client(), sync) == []
    (mark,) = [k for k in redis.client().scan_iter() if sync in split(k).scope]
    assert 0 < redis.client().ttl(mark) <= 600


def test_plain(pair, redis):
    store = redis()
    cleaned(pair("--store-url", f"redis://{store.address}"), store, sync_id(1))


def test_the_real_engine(aws, serve, engine, redis, folder):
    store = redis()
    with_memory = engine(folder, serve(aws.url, *EVERYTHING).target, workers=4, name="memory")
    server = serve(aws.url, *EVERYTHING, *PATIENT, "--store-url", f"redis://{store.address}", admin=True)
    result = engine(folder, server.target, workers=4, name="redis")
    assert with_memory.ok and result.ok, result.summary
    assert result.dump.read_bytes() == with_memory.dump.read_bytes()
    assert store_counters(server)["puts"] > 15 and store_counters(server)["failures"] == 0
    left = [split(k) for k in store.client().scan_iter()]
    assert not [k for k in left if k.kind not in ("ended", "b", "m") and not k.scope.endswith("/policy-documents")], left


def test_what_is_kept_is_packed_and_goes_by_itself(pair, redis):
    """The layout that other versions of the server rely on; a time to live on every key, whatever becomes of the sync."""
    store = redis()
    pair("--store-url", f"redis://{store.address}", "--store-key-prefix", "team-a:baton", "--store-max-age-seconds", "3600")
    client = store.client()
    kept = values(client)
    assert len(kept) > 15
    assert sum(map(len, kept.values())) < sum(len(decode(v)) for v in kept.values())
    assert {v[4] for v in kept.values()} == {0, 1}, "both codecs are needed here"
    wait_for_ended_leases(store)
    kinds = set()
    for key in client.scan_iter():
        assert split(key).prefix == "team-a:baton"
        assert 0 < client.pttl(key) <= 3600_000, key
        kinds.add(split(key).kind)
    assert {"v", "keys"} <= kinds and "l" not in kinds, "no lease outlives its fetch for long"


@pytest.mark.parametrize("where", ["url", "option", "environment"])
def test_password(pair, redis, where):
    store = redis(password="p@ss:w/ord%")
    plain = f"redis://{store.address}/3"
    flags, env = {"url": (["--store-url", f"redis://:p%40ss%3Aw%2Ford%25@{store.address}/3"], None),
                  "option": (["--store-url", plain, "--store-password", store.password], None),
                  "environment": ([], {"BATON_STORE_URL": plain, "BATON_STORE_PASSWORD": store.password})}[where]
    server = pair(*flags, env=env)
    assert store.client().dbsize() == 0 and store.client(db=3).dbsize() > 15
    assert not [secret for secret in (store.password, "p%40ss") if secret in server.output()]


def test_a_user_with_few_rights(pair, redis):
    """What docs/scaling.md asks for is enough."""
    (rights,) = re.findall(r"ACL SETUSER \w+ on >PASSWORD ([^`]+)", (ROOT / "docs" / "scaling.md").read_text())
    store = redis(users={"awsd": ("of awsd", " ".join(rights.split()))})
    cleaned(pair("--store-url", f"redis://awsd@{store.address}", "--store-password", "of awsd"), store, sync_id(1))


def test_unix_socket(pair, redis):
    store = redis(socket=True, password="secret")
    cleaned(pair("--store-url", f"unix://:secret@{store.socket}?db=2"), _Database(store, 2), sync_id(1))


class _Database:
    """One database of a Redis."""

    def __init__(self, redis, number):
        self.redis, self.number = redis, number

    def client(self):
        return self.redis.client(db=self.number)


def test_tls(pair, redis, folder):
    authority = Authority(folder)
    store = redis(tls=authority)
    pair("--store-url", f"rediss://localhost:{store.port}", "--store-tls-ca-file", str(authority.ca))


def test_tls_with_client_certificates_and_another_name(pair, redis, folder):
    authority = Authority(folder)
    store = redis(tls=authority, client_certificates=True, hosts=["redis.example"], password="secret")
    cert, key = authority.issue("awsd")
    pair("--store-url", f"rediss://:secret@127.0.0.1:{store.port}", "--store-tls-ca-file", str(authority.ca), "--store-tls-cert-file",
         str(cert), "--store-tls-key-file", str(key), "--store-tls-server-name", "redis.example")


def test_certificates_are_replaced_while_serving(pair, redis, folder):
    """Redis's, ours, and the CA of both: the next connection uses them."""
    (folder / "other").mkdir()
    authority, other = Authority(folder), Authority(folder / "other")
    store = redis(tls=authority, client_certificates=True)
    cert, key = authority.issue("awsd")
    server = pair("--store-url", f"rediss://{store.address}", "--store-tls-ca-file", str(authority.ca), "--store-tls-cert-file", str(cert),
                  "--store-tls-key-file", str(key))
    for name in ("redis0", "awsd"):
        for new in other.issue(name):
            new.rename(folder / new.name)
    other.ca.rename(authority.ca)
    other.ca = authority.ca
    store.authority = other
    (folder / "test-client.pem").unlink()
    store.restart()
    assert used_again(server, lambda: crawled(server))["puts"] > 15


def test_tls_to_anybody(pair, redis, folder):
    store = redis(tls=Authority(folder))
    server = pair("--store-url", f"rediss://{store.address}", "--store-tls-skip-verify")
    assert server.said("--store-tls-skip-verify"), "whoever asks for that reads it in the log"


def test_sentinel(pair, sentinels):
    group = sentinels(replicas=1, sentinels=1, password="of redis", sentinel_password="of sentinel")
    server = pair("--store-url", f"redis+sentinel://127.0.0.1:1,{group.addresses[0]}/main", "--store-password", "of redis",
                  "--store-sentinel-password", "of sentinel")
    cleaned(server, group.master(), sync_id(1))


def test_cluster(pair, cluster):
    """Syncs and buckets lie on different nodes: MOVED leads there, whichever node the URL names."""
    group = cluster(password="secret")
    server = pair("--store-url", f"redis://:secret@127.0.0.1:1,{group.addresses[1]},{group.addresses[2]}")
    slots = {group.slot(key) for key in group.keys()}
    nodes = {group.owner(slot).port for slot in slots}
    assert len(slots) >= 2 and nodes
    client = server.client()
    client.call("ConnectorService/Cleanup", active_sync_id=sync_id(1))
    client.close()
    assert [split(k).kind for k in group.keys() if sync_id(1) in split(k).scope] == ["ended"]


# --- no way ---

def no_way(aws, serve, *flags, answers=True):
    """The sync is whole, and one warning says why the store is not used. Gives that warning. answers=False: none comes from there, so do
    not wait long for one."""
    want = crawled(serve(aws.url, *EVERYTHING))
    aws.reset()
    server = serve(aws.url, *EVERYTHING, *(PATIENT if answers else ()), *flags, admin=True)
    assert crawled(server) == want
    aws.assert_no_read_twice()
    counters = store_counters(server)
    assert counters["failures"] > 0 and counters["away"] == 1 and counters["puts"] == counters["hits"] == 0
    warning, *_ = told(server)
    assert ", ignoring" in warning
    return warning


@pytest.mark.parametrize("case", ["another CA", "the system's CAs", "another name", "expired", "no client certificate", "no TLS there",
                                  "TLS there alone"])
def test_tls_is_refused(aws, serve, redis, folder, case):
    (folder / "other").mkdir()
    authority, other = Authority(folder, expired=case == "expired"), Authority(folder / "other")
    wants_certificate = case == "no client certificate"
    store = redis(**({} if case == "no TLS there" else {"tls": authority, "client_certificates": wants_certificate}))
    scheme = "redis" if case == "TLS there alone" else "rediss"
    flags = ["--store-url", f"{scheme}://{store.address}"]
    if scheme == "rediss" and case != "the system's CAs":
        flags += ["--store-tls-ca-file", str(other.ca if case == "another CA" else authority.ca)]
    if case == "another name":
        flags += ["--store-tls-server-name", "other.example"]
    warning = no_way(aws, serve, *flags, answers=case != "no TLS there")
    if case in ("another CA", "the system's CAs", "another name", "expired"):
        assert "certificate" in warning, warning
    if not wants_certificate:
        assert store.client().dbsize() == 0


@pytest.mark.parametrize("case", ["wrong", "missing", "wrong user"])
def test_the_password_is_refused(aws, serve, redis, case):
    store = redis(password="right")
    user = {"wrong": ":s3cret-that-is-wrong@", "missing": "", "wrong user": "nobody:s3cret-that-is-wrong@"}[case]
    warning = no_way(aws, serve, "--store-url", f"redis://{user}{store.address}")
    assert "password" in warning and "s3cret" not in warning


def test_a_user_without_rights(aws, serve, redis):
    store = redis(users={"awsd": ("secret", "~other:* +@all")})
    assert "docs/scaling.md" in no_way(aws, serve, "--store-url", f"redis://awsd:secret@{store.address}")


def test_a_database_that_is_not_there(aws, serve, redis):
    assert "DB index" in no_way(aws, serve, "--store-url", f"redis://{redis(databases=2).address}/5")


def test_a_replica(aws, serve, sentinels):
    """Without Sentinel nobody tells us where the master is; the log says who does."""
    group = sentinels()
    assert "redis+sentinel://" in no_way(aws, serve, "--store-url", f"redis://{group.redis[1].address}")


def test_sentinel_knows_another_name(aws, serve, sentinels):
    group = sentinels()
    assert "'other'" in no_way(aws, serve, "--store-url", f"redis+sentinel://{group.addresses[0]}/other")


@pytest.mark.parametrize("url", ["redis://:s3cret@", "http://:s3cret@localhost", "redis://:s3cret@host:99999", "redis://s3cret@host/sixteen",
                                 "redis+sentinel://:s3cret@host", "unix://:s3cret@relative/path", "redis://:s3cret%zz@host", "s3cret"])
def test_a_url_that_is_none(serve, url):
    """Ends the start, and does not print what may be a password."""
    server = serve(None, "--store-url", url, ready=None, may_fail=True)
    assert server.wait() == 2
    assert "(session store): --store-url: " in server.output() and "s3cret" not in server.output(), server.output()


def test_files_that_are_no_certificates(serve, redis, folder):
    (folder / "none.pem").write_text("nothing\n")
    for flags in (["--store-tls-ca-file", "/nowhere"], ["--store-tls-ca-file", str(folder / "none.pem")]):
        server = serve(None, "--store-url", "rediss://localhost", *flags, ready=None, may_fail=True)
        assert server.wait() == 2
        assert f"{flags[0]}: '{flags[1]}'" in server.output()
    server = serve(None, "--store-url", "redis://localhost", "--store-tls-skip-verify", ready=None, may_fail=True)
    assert server.wait() == 2
    assert "--store-url: " in server.output() and "rediss://" in server.output()


def test_a_password_that_goes_nowhere(serve):
    server = serve(None, "--store-url", "redis://localhost", "--store-sentinel-password", "s3cret", ready=None, may_fail=True)
    assert server.wait() == 2
    assert "--store-sentinel-password: " in server.output() and "redis+sentinel://" in server.output() and "s3cret" not in server.output()

"""What lies in Redis: no secrets, and nothing that is believed without a look at it."""

import base64
import random
from urllib.parse import quote

import pytest

from support.crawl import crawl
from support.metadata import SIM_KEYS
from support.proxies import Front
from support.shared import EVERYTHING, FAILED, PATIENT, SMALL, store_counters, sync_id, told
from support.stored import decode, of_sync, split, values

REDIS_PASSWORD = "redis-password-e2e"
EXTERNAL_ID = "connector-external-id"


# --- secrets ---

def forms(secret):
    """As it is, and as careless code would write it."""
    raw = secret.encode()
    return {raw, base64.b64encode(raw), base64.urlsafe_b64encode(raw).rstrip(b"="), raw.hex().encode(), raw.hex().upper().encode(),
            quote(secret, safe="").encode()}


def test_no_secret_is_ever_sent_to_redis(sim, serve, connect, engine, redis, redis_proxy, folder):
    """Every word of every command of two full syncs, with keys of the connector, an assumed role with an external id, the roles of
    other accounts, and access keys among the facts."""
    aws = sim(**SMALL, verify_signatures=True)
    store = redis(password=REDIS_PASSWORD)
    proxy = redis_proxy(store, keep=True)
    front = Front(aws)
    try:
        keys = {"AWS_ACCESS_KEY_ID": SIM_KEYS["aws_access_key_id"], "AWS_SECRET_ACCESS_KEY": SIM_KEYS["aws_secret_access_key"]}
        server = serve(front.url, *EVERYTHING, "--use-assume", "--role-arn", "arn:aws:iam::123456789012:role/BatonConnectorRole",
                       "--external-id", EXTERNAL_ID, "--store-url", f"redis://{proxy.address}", "--log-level", "debug",
                       env={**keys, "BATON_STORE_PASSWORD": REDIS_PASSWORD})
        got = crawl(connect(server), sync_id(1))
        assert not got.errors, got.errors[:3]
        assert {kind for kind, _ in got.resources} >= {"access-key", "iam_user", "role", "account", "sso_user", "permission_set"}
        assert engine(folder, server.target, workers=4).ok
    finally:
        front.close()

    assert len(front.sessions) >= 6, "two roles at least were to be assumed"
    secrets = [SIM_KEYS["aws_secret_access_key"], EXTERNAL_ID, *front.sessions]
    words = [w for w in proxy.words] + [decode(w) for w in proxy.words if w.startswith(b"BST1")]
    user = next(arn for kind, arn in got.resources if kind == "iam_user").encode()
    assert any(user in w for w in words), "what is looked for would not be found"
    for secret in secrets:
        leaks = [w[:200] for w in words if any(f in w for f in forms(secret))]
        assert not leaks, f"{secret}: {leaks[:3]}"
        assert secret not in server.output(), secret
    assert REDIS_PASSWORD not in server.output()
    logins = {proxy.words[i - 1] for i, w in enumerate(proxy.words) if w == REDIS_PASSWORD.encode()}
    assert logins == {b"AUTH"}


# --- what is not to be believed ---

def garbage(dice, key, value, others):
    return dice.randbytes(len(value))


def truncated(dice, key, value, others):
    return value[:dice.randrange(len(value))]


def longer(dice, key, value, others):
    return value + b"\0"


def empty(dice, key, value, others):
    return b""


def flipped(dice, key, value, others):
    bit = dice.randrange(8 * len(value))
    spoilt = bytearray(value)
    spoilt[bit // 8] ^= 1 << bit % 8
    return bytes(spoilt)


def another_codec(dice, key, value, others):
    return value[:4] + bytes([1 - value[4]]) + value[5:]


def a_length_of_exabytes(dice, key, value, others):
    return value[:5] + (1 << 62).to_bytes(8, "little") + value[13:]


def another_keys(dice, key, value, others):
    """Of the same kind of fact if there is one: nothing but the key tells them apart."""
    kind = split(key).name.split("/")[0]
    alike = [v for k, v in others.items() if k != key and split(k).name.split("/")[0] == kind]
    return dice.choice(alike or [v for k, v in others.items() if k != key])


POISONS = [garbage, truncated, longer, empty, flipped, another_codec, a_length_of_exabytes, another_keys]


@pytest.fixture
def two(sim, serve, connect, redis):
    """(Redis, simulator, what a crawl must give, crawl by the first server, the second server, crawl by it)"""
    aws, store = sim(**SMALL), redis()
    first, second = (serve(aws.url, *EVERYTHING, *PATIENT, "--store-url", f"redis://{store.address}", admin=True) for _ in range(2))
    want = crawl(connect(serve(aws.url, *EVERYTHING)), sync_id(0)).content
    clients = connect(first), connect(second)

    def by(i):
        def run(n):
            got = crawl(clients[i], sync_id(n))
            assert not got.errors and got.content == want
        return run
    return store, aws, want, by(0), second, by(1)


def test_poisoned_values(two):
    """Between two servers of one sync every value is replaced. The second one reads all it wants anew, and puts it back in its place."""
    store, aws, _, by_first, second, by_second = two
    client, dice, earlier = store.client(), random.Random(5), {}

    def poison(n, how):
        by_first(n)
        kept = {k: v for k, v in values(client).items() if n == 1 or sync_id(n) in split(k).scope}
        poisoned = {key: how(dice, key, value, kept) for key, value in kept.items()}
        for key, value in poisoned.items():
            client.set(key, value, px=client.pttl(key))
        before = store_counters(second)
        by_second(n)
        after = store_counters(second)
        assert after["failures"] - before["failures"] > 15, how
        assert after["puts"] - before["puts"] > 15, how
        mended = [v for k, v in values(client).items() if v != poisoned.get(k, v)]
        assert len(mended) > 15 and all(decode(v) for v in mended), how
        return kept

    def of_an_earlier_sync(dice, key, value, others):
        """What was true under this very name in another sync."""
        k = split(key)
        return earlier.get((k.kind, k.name), b"none")

    for n, how in enumerate(POISONS, 1):
        kept = poison(n, how)
        earlier.update({(split(k).kind, split(k).name): v for k, v in kept.items() if sync_id(n) in split(k).scope})
    poison(len(POISONS) + 1, of_an_earlier_sync)
    assert told(second)


def test_keys_of_another_type(two):
    """Somebody else's keys under our names: lists instead of values, and text instead of the set of keys."""
    store, _, _, by_first, second, by_second = two
    client = store.client()
    by_first(1)
    for key in [*client.scan_iter()]:
        client.delete(key)
        if split(key).kind == "keys":
            client.set(key, "not a set", px=3600_000)
        else:
            client.rpush(key, "not", "a", "string")
            client.pexpire(key, 3600_000)
    by_second(1)
    assert told(second)


def test_leases_of_the_dead_and_of_nobody(two):
    """Leases that nobody prolongs end by themselves; meanwhile the sync waits, and is whole."""
    store, aws, _, by_first, second, by_second = two
    client = store.client()
    by_first(1)
    keys = of_sync(client, sync_id(1))
    client.delete(*keys)
    for key in keys:
        if split(key).kind == "v":
            client.set(key.replace(b"}:v:", b"}:l:"), "nobody", px=1500)
    aws.reset()
    by_second(1)
    assert not second.said(FAILED)
    aws.assert_no_read_twice()


# --- servers that are configured differently ---

VIEWS = {
    "everything": EVERYTHING,
    "no access keys": tuple(f for f in EVERYTHING if f != "--sync-secrets"),
    "attached policies": (*EVERYTHING, "--sync-only-attached-policies"),
    "all permissions": (*EVERYTHING, "--require-all-permissions"),
    "one account": ("--sync-secrets", "--aws-quota-percent", "10000"),
    "no other accounts": tuple(f for f in EVERYTHING if "cross-account" not in f),
}


def test_servers_that_see_different_things_share_no_facts(sim, serve, connect, redis):
    """One store, one sync id: whoever comes first, all give what they give alone."""
    aws, store = sim(**SMALL), redis()
    want = {name: crawl(connect(serve(aws.url, *flags)), sync_id(1)).content for name, flags in VIEWS.items()}
    assert want["everything"].keys() != want["no access keys"].keys() and want["attached policies"] != want["everything"]
    clients = {name: connect(serve(aws.url, *flags, "--store-url", f"redis://{store.address}")) for name, flags in VIEWS.items()}
    for n, first in enumerate(VIEWS):
        for name in [first, *VIEWS]:
            got = crawl(clients[name], sync_id(n))
            assert not got.errors and got.content == want[name], f"{name} after {first}"


def test_what_one_sync_was_denied_the_next_one_has(sim, serve, connect, redis):
    """Documents outlive a sync in Redis; that there was none to be had does not."""
    aws, store = sim(**SMALL), redis()
    want = crawl(connect(serve(aws.url, *EVERYTHING)), sync_id(1)).content
    aws.faults({"op": "iam:GetPolicyVersion", "action": "error", "status": 403, "code": "AccessDenied", "message": "denied"})
    poor = serve(aws.url, *EVERYTHING, "--store-url", f"redis://{store.address}")
    assert crawl(connect(poor), sync_id(1)).content != want
    aws.faults()
    rich = serve(aws.url, *EVERYTHING, "--store-url", f"redis://{store.address}")
    assert crawl(connect(rich), sync_id(2)).content == want

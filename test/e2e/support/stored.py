"""What lies in Redis, by the layout of store/redis.h and store/redis_value.h; nothing is taken from the server's code."""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

import zstandard

from .redis import wait_for

HEADER = 4 + 1 + 8 + 8


@dataclass(frozen=True)
class Key:
    prefix: str
    scope: str     # of the sync, or of what servers share beside syncs
    kind: str      # v: a value, l: a lease, keys: the scope's values, ended: its mark; b and m: a bucket
    name: str


def split(key):
    """A key of ours; others are a failure."""
    found = re.fullmatch(rb"([\w.:-]+):1:\{([^{}]+)\}:(v|l|keys|ended|b|m)(?::(.*))?", key, re.S)
    assert found, f"not a key of ours: {key!r}"
    prefix, scope, kind, name = found.groups()
    return Key(prefix.decode(), unquote_to_bytes(scope).decode(), kind.decode(), (name or b"").decode(errors="replace"))


def decode(value):
    """The bytes that were put."""
    assert value[:4] == b"BST1" and len(value) >= HEADER, value[:40]
    codec, length, packed = value[4], int.from_bytes(value[5:13], "little"), value[HEADER:]
    raw = packed if codec == 0 else zstandard.ZstdDecompressor().decompress(packed, max_output_size=length)
    assert len(raw) == length
    return raw


def values(client):
    """{key: stored bytes} of all values."""
    keys = [k for k in client.scan_iter(count=1000) if split(k).kind == "v"]
    return {k: v for k, v in zip(keys, client.mget(keys) if keys else []) if v is not None}


def wait_for_ended_leases(redis):
    """A server ends its leases in the background, but long before they would run out by themselves."""
    wait_for(lambda: not [k for k in redis.client().scan_iter(count=1000) if split(k).kind == "l"], "leases ended")
    assert redis.client().info("stats")["expired_keys"] == 0


def of_sync(client, sync_id):
    """All keys that a sync has, but for the mark that it has ended."""
    return [k for k in client.scan_iter(count=1000) if sync_id in split(k).scope and split(k).kind != "ended"]

"""Comparing what a sync gave with what it must give."""

import difflib
import json
import re

FRACTION = re.compile(r"(\d\d:\d\d:\d\d)\.\d+Z")


def key(line):
    """What a line is about: kind and id."""
    one = json.loads(line)
    return one["kind"], json.dumps(one["id"], sort_keys=True)


def canonical(line):
    """One line with sorted keys, and whole seconds: AWS gives no fractions of them, moto does."""
    one = json.loads(line)
    for field in ("createdAt",):
        if field in one:
            one[field] = FRACTION.sub(r"\1Z", one[field])
    for annotation in one.get("annotations", []):
        if "lastLogin" in annotation:
            annotation["lastLogin"] = FRACTION.sub(r"\1Z", annotation["lastLogin"])
    return json.dumps(one, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def pretty(line):
    return json.dumps(json.loads(line), sort_keys=True, indent=1, ensure_ascii=False).splitlines()


def assert_same(got, want, limit=8):
    """Both are lists of JSON lines. On a difference says what is missing, what is too many, and what differs in which field."""
    got_by = {key(line): canonical(line) for line in got}
    want_by = {key(line): canonical(line) for line in want}
    assert len(got_by) == len(got), "the sync holds two lines with one kind and id"
    missing = sorted(want_by.keys() - got_by.keys())
    extra = sorted(got_by.keys() - want_by.keys())
    differ = sorted(k for k in want_by.keys() & got_by.keys() if want_by[k] != got_by[k])
    if not (missing or extra or differ):
        return
    text = [f"{len(want_by)} lines expected, {len(got_by)} in the sync: {len(missing)} missing, {len(extra)} too many, "
            f"{len(differ)} different"]
    text += [f"missing:  {k}" for k in missing[:limit]]
    text += [f"too many: {got_by[k]}" for k in extra[:limit]]
    for k in differ[:limit]:
        text.append(f"different: {k}")
        text += list(difflib.unified_diff(pretty(want_by[k]), pretty(got_by[k]), "expected", "sync", lineterm="", n=1))
    raise AssertionError("\n".join(line[:400] for line in text))

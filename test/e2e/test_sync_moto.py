"""The real engine syncs an awkward account in moto; what it stored is what an independent walk expects."""

import json

import pytest

from support.compare import assert_same

def of_kind(lines, *kinds):
    return [line for line in lines if json.loads(line)["kind"] in kinds]


@pytest.mark.parametrize("workers", [1, 8])
def test_the_engine_finds_what_an_independent_walk_finds(workers, moto_expected, shared_server, engine, folder):
    result = engine(folder, shared_server.target, "--workers", str(workers))
    assert result.ok, result.summary
    assert_same(result.lines(), moto_expected)
    assert "too many warnings" not in result.stderr
    assert result.summary["max_reply_bytes"] < 4 << 20


def test_two_syncs_give_the_same_bytes(shared_server, engine, folder):
    first, second = (engine(folder, shared_server.target, *flags, name=name)
                     for name, flags in (("first", []), ("second", ["--workers", "4"])))
    assert first.ok and second.ok
    assert first.dump.read_bytes() == second.dump.read_bytes()


def test_a_sync_with_grant_expansion_completes(moto_expected, shared_server, engine, folder):
    result = engine(folder, shared_server.target, "--expand")
    assert result.ok, result.summary
    assert_same(of_kind(result.lines(), "resource", "entitlement"), of_kind(moto_expected, "resource", "entitlement"))
    direct = {json.loads(line)["id"] for line in of_kind(moto_expected, "grant")}
    found = {json.loads(line)["id"] for line in of_kind(result.lines(), "grant")}
    assert direct < found, "expansion must keep the direct grants and add derived ones"


def test_a_sync_of_an_empty_account(serve, engine, started, folder):
    from support.aws import Moto
    empty = started.add(Moto(folder))
    result = engine(folder, serve(empty.url, "--sync-only-attached-policies").target)
    assert result.ok, result.summary
    assert result.summary["counts"]["resource"] == {}
    assert result.summary["counts"]["resource_type"] != {}


def test_only_the_selected_types_are_served(moto, serve, engine, folder):
    """Without iam_policy in the selection, users, roles and groups emit no grants on managed policies."""
    server = serve(moto.url, "--sync-only-attached-policies", "--sync-resource-types", "iam_user,group")
    result = engine(folder, server.target)
    assert result.ok, result.summary
    grants = [json.loads(line)["id"] for line in of_kind(result.lines(), "grant")]
    assert grants and not [g for g in grants if g.startswith("iam_policy:")]

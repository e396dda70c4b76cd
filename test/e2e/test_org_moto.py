"""The real engine syncs an organization in moto, where an assumed role really selects the other account's data, with the whole
catalogue of AWS's policies."""

import pytest

import seed_moto
import walk_iam
from support.compare import assert_same
from support.server import Server

# AWS would not bear it, moto does: the catalogue's 1,400 documents take half a minute at IAM's pace.
FLAGS = ["--global-aws-orgs-enabled", "--sync-secrets", "--aws-quota-percent", "10000"]


@pytest.fixture(scope="module")
def server(program, moto_organization, session_started):
    """One for both numbers of workers, so that the catalogue is fetched once."""
    return session_started.add(Server(session_started.folder, moto_organization.url, *FLAGS, name="organization")).wait_serving()


@pytest.fixture(scope="module")
def walked(moto_organization, session_started):
    lines = walk_iam.expected(moto_organization.url, organization=True, secrets=True, own=seed_moto.MANAGEMENT)
    (session_started.folder / "expected-organization.jsonl").write_text("\n".join(lines) + "\n")
    return lines


@pytest.mark.parametrize("workers", [1, 8])
def test_the_engine_finds_what_an_independent_walk_finds(workers, walked, server, engine, folder):
    result = engine(folder, server.target, "--workers", str(workers))
    assert result.ok, result.summary
    assert_same(result.lines(), walked)
    counts = result.summary["counts"]["resource"]
    assert counts["account_iam"] == len(seed_moto.ACCOUNT_NAMES) + 1 and counts["access-key"] > 50, counts
    assert counts["iam_policy"] > 1000, counts

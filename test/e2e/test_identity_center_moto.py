"""The real engine syncs Identity Center of moto; what it stored is what an independent walk over boto3 expects."""

import json

import seed_moto_center
import walk_identity_center
from support import truth_identity_center
from support.aws import Moto
from support.compare import assert_same

OF_IAM = {"iam_user", "group", "role", "iam_policy", "inline_policy"}


def is_of_center(line):
    """moto's IAM is empty but for AWS's policies."""
    one = json.loads(line)
    if one["kind"] == "resource_type":
        return one["id"] not in OF_IAM
    return one["kind"] == "grant" or "iam_policy" not in json.dumps(one["id"])


def test_the_engine_finds_what_an_independent_walk_finds(started, serve, engine, folder):
    moto = started.add(Moto(folder))
    seed_moto_center.seed(moto.url)
    server = serve(moto.url, "--global-aws-orgs-enabled", "--global-aws-sso-enabled", "--aws-quota-percent", "10000",
                   "--sync-only-attached-policies")
    result = engine(folder, server.target, "--workers", "4")
    assert result.ok, result.summary
    want = truth_identity_center.expected(walk_identity_center.facts(moto.url))
    assert sum('"kind":"grant"' in line for line in want) > 2 * seed_moto_center.ASSIGNMENTS
    assert_same([line for line in result.lines() if is_of_center(line)], want)

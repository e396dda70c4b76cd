"""Our endpoints against the rule sets that AWS publishes with botocore: every service used, every region and variant."""

import subprocess

import botocore.session
import pytest
from botocore.endpoint_provider import EndpointProvider

from support.paths import BATON_AWSD

RESOLVE = BATON_AWSD.parent / "test" / "endpoint-url"

# Endpoint prefix: botocore's name of the service.
SERVICES = {
    "iam": "iam",
    "sts": "sts",
    "sso": "sso-admin",
    "identitystore": "identitystore",
    "organizations": "organizations",
    "cloudtrail": "cloudtrail",
}
GLOBAL = {"iam", "organizations"}


@pytest.fixture(scope="module")
def loader():
    return botocore.session.Session().get_component("data_loader")


@pytest.fixture(scope="module")
def partitions(loader):
    return loader.load_data("partitions")


def regions(partitions):
    return [r for p in partitions["partitions"] for r in p["regions"] if "global" not in r]


def theirs(provider, region, fips, dual_stack):
    names = {p for p in provider.ruleset.parameters}
    params = {"Region": region, "UseFIPS": fips, "UseDualStack": dual_stack}
    if "UseGlobalEndpoint" in names:
        params["UseGlobalEndpoint"] = False
    endpoint = provider.resolve_endpoint(**params)
    schemes = endpoint.properties.get("authSchemes") or [{}]
    return endpoint.url, schemes[0].get("signingRegion", region)


def ours(questions):
    lines = "".join(f"{s} {r} {int(f)} {int(d)}\n" for s, r, f, d in questions)
    run = subprocess.run([RESOLVE], input=lines, capture_output=True, text=True, check=True, timeout=300)
    return [tuple(line.split(" ")) for line in run.stdout.splitlines()]


@pytest.mark.parametrize("service", SERVICES)
def test_equal_to_botocore(service, loader, partitions):
    provider = EndpointProvider(loader.load_service_model(SERVICES[service], "endpoint-rule-set-1"), partitions)
    questions = [(service, r, f, d) for r in regions(partitions) for f in (False, True) for d in (False, True)]
    if service == "organizations":
        # The rule set has no entry for the other variants outside the home regions and falls back to hosts that do not
        # exist; a global service is signed for its home region in ours.
        questions = [q for q in questions if not q[2] and not q[3]]
    assert len(questions) > 30
    for question, answer in zip(questions, ours(questions), strict=True):
        assert answer == theirs(provider, *question[1:]), question

"""The way to AWS: own certificate authorities, proxies, and which host is asked in which partition, with which signature.

AWS's own host names lead, through a proxy, to a TLS front end before the simulator: what is tested is the server as it runs in
production, without an endpoint of ours.
"""

import pytest

from support.metadata import SIM_KEYS
from support.proxies import Front, Proxy
from support.tls import Authority
from support.wire import msg

KEYS = {"AWS_ACCESS_KEY_ID": SIM_KEYS["aws_access_key_id"], "AWS_SECRET_ACCESS_KEY": SIM_KEYS["aws_secret_access_key"]}
NO_PROXY = {"NO_PROXY": ""}

# region and flags -> the hosts of STS and IAM, and the regions their signatures are for
ENDPOINTS = {
    "home": ({}, "sts.us-east-1.amazonaws.com", "us-east-1", "iam.amazonaws.com", "us-east-1"),
    "eu-west-1": ({"AWS_REGION": "eu-west-1"}, "sts.eu-west-1.amazonaws.com", "eu-west-1", "iam.amazonaws.com", "us-east-1"),
    "fips": ({"AWS_USE_FIPS_ENDPOINT": "true"},
             "sts-fips.us-east-1.amazonaws.com", "us-east-1", "iam-fips.amazonaws.com", "us-east-1"),
    "dual-stack": ({"AWS_REGION": "eu-west-1", "AWS_USE_DUALSTACK_ENDPOINT": "true"},
                   "sts.eu-west-1.api.aws", "eu-west-1", "iam.global.api.aws", "us-east-1"),
    "fips-dual-stack": ({"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"},
                        "sts-fips.us-east-1.api.aws", "us-east-1", "iam-fips.global.api.aws", "us-east-1"),
    "cn-north-1": ({"AWS_REGION": "cn-north-1"},
                   "sts.cn-north-1.amazonaws.com.cn", "cn-north-1", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
    "cn-northwest-1": ({"AWS_REGION": "cn-northwest-1"}, "sts.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1",
                       "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
    "us-gov-west-1": ({"AWS_REGION": "us-gov-west-1"}, "sts.us-gov-west-1.amazonaws.com", "us-gov-west-1",
                      "iam.us-gov.amazonaws.com", "us-gov-west-1"),
    "us-gov-fips": ({"AWS_REGION": "us-gov-east-1", "AWS_USE_FIPS_ENDPOINT": "true"},
                    "sts.us-gov-east-1.amazonaws.com", "us-gov-east-1", "iam.us-gov.amazonaws.com", "us-gov-west-1"),
}
HOSTS = sorted({host for _, sts, _, iam, _ in ENDPOINTS.values() for host in (sts, iam)} | {"aws.example.test"})


@pytest.fixture
def authority(folder):
    return Authority(folder)


@pytest.fixture
def network(folder, sim, authority):
    """network(**simulator flags): a front end with a certificate of the authority, and a proxy that leads there."""
    started = []

    def start(certificate=authority.issue("aws", HOSTS), **flags):
        front = Front(sim(users=5, roles=3, groups=2, policies=2, **flags), certificate)
        proxy = Proxy(front)
        started.extend([proxy, front])
        return front, proxy

    yield start
    for s in started:
        s.close()


def list_users(client):
    return client.pages("ResourcesService/ListResources",
                        msg("ResourcesServiceListResourcesRequest", resource_type_id="iam_user"))


@pytest.mark.parametrize("case", ENDPOINTS)
def test_hosts_and_signatures(network, authority, serve, connect, case):
    env, sts, sts_region, iam, iam_region = ENDPOINTS[case]
    front, proxy = network()
    server = serve(None, env={"AWS_REGION": None, **KEYS, **NO_PROXY, "HTTPS_PROXY": proxy.url,
                              "AWS_CA_BUNDLE": str(authority.ca), **env})
    assert len(list_users(connect(server))) == 5
    assert set(proxy.tunnels) == {f"{sts}:443", f"{iam}:443"}
    assert set(front.seen) == {(sts, f"{sts_region}/sts"), (iam, f"{iam_region}/iam")}


def test_signatures_hold_behind_a_proxy(network, authority, serve, connect):
    front, proxy = network(verify_signatures=True)
    server = serve(None, env={**KEYS, **NO_PROXY, "https_proxy": proxy.url, "AWS_CA_BUNDLE": str(authority.ca)})
    assert len(list_users(connect(server))) == 5
    assert proxy.tunnels


@pytest.mark.parametrize("partition, host", [
    ("aws-cn", "sts.cn-north-1.amazonaws.com.cn:443"), ("aws-us-gov", "sts.us-gov-west-1.amazonaws.com:443"),
])
def test_role_arn_decides_the_partition(network, authority, serve, partition, host):
    """Without a region, the role that is to be assumed says where to ask. (The simulator knows no such role.)"""
    front, proxy = network()
    server = serve(None, "--use-assume", "--role-arn", f"arn:{partition}:iam::123456789012:role/x", ready="listening",
                   env={"AWS_REGION": None, **KEYS, **NO_PROXY, "HTTPS_PROXY": proxy.url,
                        "AWS_CA_BUNDLE": str(authority.ca)})
    server.wait_until(lambda: front.seen, "asking")
    assert set(proxy.tunnels) == {host}


def test_proxy_with_password(network, authority, serve):
    front, proxy = network()
    url = proxy.url.replace("http://", "http://me:e2ePassw0rd@")
    server = serve(None, "--log-level", "debug", env={**KEYS, **NO_PROXY, "HTTPS_PROXY": url,
                                                      "AWS_CA_BUNDLE": str(authority.ca)})
    assert proxy.authorization and all(a == "Basic bWU6ZTJlUGFzc3cwcmQ=" for a in proxy.authorization)
    server.stop()
    assert "e2ePassw0rd" not in server.output()


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
def test_plain_http_through_a_proxy(network, serve, connect, variable):
    """HTTP_PROXY is for http:// endpoints; the proxy gets the whole URL."""
    front, _ = network(certificate=None, verify_signatures=True)
    server = serve("http://aws.example.test", env={**KEYS, **NO_PROXY, variable: f"http://127.0.0.1:{front.port}"})
    assert len(list_users(connect(server))) == 5
    assert {host for host, _ in front.seen} == {"aws.example.test"}


@pytest.mark.parametrize("exceptions", [
    {"NO_PROXY": "aws.example.test"}, {"NO_PROXY": "other.test, .example.test"}, {"NO_PROXY": "*"},
    {"NO_PROXY": "", "no_proxy": "aws.example.test"},
], ids=["host", "domain", "all", "lower-case"])
def test_no_proxy(network, authority, serve, connect, exceptions):
    front, proxy = network()
    server = serve("https://aws.example.test", ready="listening",
                   env={**KEYS, **exceptions, "HTTPS_PROXY": proxy.url, "AWS_CA_BUNDLE": str(authority.ca)})
    error = connect(server).fails("ConnectorService/Validate")
    assert "aws.example.test" in error.details()
    assert not proxy.tunnels and not front.seen


def test_own_authority_without_a_proxy(network, authority, serve, connect):
    front, _ = network(verify_signatures=True)
    server = serve(f"https://127.0.0.1:{front.port}", env={**KEYS, "AWS_CA_BUNDLE": str(authority.ca)})
    assert len(list_users(connect(server))) == 5


def test_bundle_of_the_profile(network, authority, serve, folder):
    front, _ = network(verify_signatures=True)
    config = folder / "config"
    config.write_text(f"[default]\nca_bundle={authority.ca}\n")
    serve(f"https://127.0.0.1:{front.port}", env={**KEYS, "AWS_CONFIG_FILE": str(config)})


@pytest.mark.parametrize("bundle", ["none", "another"])
def test_unknown_authority(network, folder, serve, connect, bundle):
    front, _ = network()
    env = {"AWS_CA_BUNDLE": str(Authority(folder, "another-ca").ca)} if bundle == "another" else {}
    server = serve(f"https://127.0.0.1:{front.port}", ready="listening", env={**KEYS, **env})
    error = connect(server).fails("ResourcesService/ListResources", resource_type_id="iam_user")
    assert error.code().name == "UNAVAILABLE"
    assert "certificate" in error.details()
    assert not front.seen

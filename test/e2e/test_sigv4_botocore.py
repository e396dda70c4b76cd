"""Our signatures against botocore's, stage by stage, over generated requests. What AWS's SDK signs, AWS accepts."""

import base64
import json
import random
import subprocess
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support.paths import BATON_AWSD

SIGN = BATON_AWSD.parent / "test" / "sigv4-sign"
N = 5000

TEXT = "abcXYZ019 -._~!*'()&=+$,;:@%\"<>[]{}|\\^`/?#äöü€漢字\U0001f600\t"
WORDS = ["Action", "Version", "UserName", "a", "A", "aa", "a-b", "a.b", "Marker", "x y", "ü", "漢", "~", "%", "+", ""]
SERVICES = ["iam", "sts", "sso", "identitystore", "organizations", "cloudtrail", "service"]
REGIONS = ["us-east-1", "eu-west-3", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"]


def text(rnd, most):
    return "".join(rnd.choice(TEXT) for _ in range(rnd.randrange(most + 1)))


def path(rnd):
    segments = rnd.choices(["", ".", "..", "a", "b%20c", "%C3%A4", "x:y", "~u", "A-B_c.d", "%2F", "=&"], k=rnd.randrange(6))
    return "/" + "/".join(segments) + rnd.choice(["", "/"])


def query(rnd):
    pairs = []
    for _ in range(rnd.randrange(6)):
        name = quote(rnd.choice(WORDS) or "k", safe="-_.~")
        value = quote(text(rnd, 8), safe="-_.~")
        pairs.append(rnd.choice([f"{name}={value}", f"{name}={value}", f"{name}=", name]))
    return "&".join(pairs)


def headers(rnd):
    result = [["Host", rnd.choice(["iam.amazonaws.com", "127.0.0.1:5000", "[::1]:80"])]]
    choices = [
        ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
        ("X-Amz-Target", "SWBExternalService.ListInstances"),
        ("User-Agent", "not signed"),
        ("Expect", "100-continue"),
        ("X-Amzn-Trace-Id", "not signed"),
        ("x-amz-meta-spaces", "  two  spaces \t and   more  "),
        ("X-Amz-Meta-Empty", ""),
        ("X-AMZ-META-UPPER", "Value"),
        ("x-amz-meta-dup", "b"),
        ("X-Amz-Meta-Dup", "a"),
        ("X-Amz-Meta-Unicode", "grüße 漢"),
        ("Accept", "*/*"),
        ("A", "1,2"),
    ]
    result += [list(h) for h in rnd.sample(choices, rnd.randrange(len(choices)))]
    rnd.shuffle(result)
    return result


def case(rnd):
    return {
        "method": rnd.choice(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"]),
        "path": path(rnd),
        "query": query(rnd),
        "headers": headers(rnd),
        "body": base64.b64encode(rnd.choice([b"", b"Action=ListUsers", rnd.randbytes(rnd.randrange(300))])).decode(),
        "key_id": "AKIA" + str(rnd.randrange(4)),
        "secret": rnd.choice(["wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "s", "x" * 200]),
        "token": rnd.choice(["", "", "FwoGZXIvYXdzE//token+==" * rnd.randrange(1, 30)]),
        "region": rnd.choice(REGIONS),
        "service": rnd.choice(SERVICES),
        "time": rnd.randrange(1_400_000_000, 4_000_000_000),
    }


def botocore_signs(c):
    host = next(v for n, v in c["headers"] if n == "Host")
    url = f"https://{host}{c['path']}" + (f"?{c['query']}" if c["query"] else "")
    request = AWSRequest(method=c["method"], url=url, data=base64.b64decode(c["body"]))
    for name, value in c["headers"]:
        request.headers[name] = value  # appends
    signer = SigV4Auth(Credentials(c["key_id"], c["secret"], c["token"] or None), c["service"], c["region"])
    request.context["timestamp"] = timestamp(c["time"])
    signer._modify_request_before_signing(request)
    canonical = signer.canonical_request(request)
    to_sign = signer.string_to_sign(request, canonical)
    signature = signer.signature(to_sign, request)
    signer._inject_signature_to_request(request, signature)
    return {
        "canonical_request": canonical,
        "string_to_sign": to_sign,
        "signature": signature,
        "authorization": request.headers["Authorization"],
    }


def timestamp(seconds):
    import datetime

    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")


def we_sign(cases):
    lines = "".join(json.dumps(c) + "\n" for c in cases)
    run = subprocess.run([SIGN], input=lines, capture_output=True, text=True, check=True, timeout=120)
    assert run.stderr == ""
    return [json.loads(line) for line in run.stdout.splitlines()]


@pytest.mark.parametrize("seed", [1, 2])
def test_every_stage_equals_botocore(seed):
    rnd = random.Random(seed)
    cases = [case(rnd) for _ in range(N)]
    results = we_sign(cases)
    assert len(results) == N
    for c, ours in zip(cases, results):
        theirs = botocore_signs(c)
        for stage in ("canonical_request", "string_to_sign", "signature"):
            assert ours[stage] == theirs[stage], (stage, c)
        assert dict(ours["headers"])["Authorization"] == theirs["authorization"], c


def test_what_cannot_be_signed_is_refused():
    good = case(random.Random(3))
    bad = [
        {"key_id": ""},
        {"key_id": "AKIA\n"},
        {"key_id": "AK/IA"},
        {"secret": ""},
        {"token": "a\r\nX-Evil: 1"},
        {"region": "us-east-1/x"},
        {"service": ""},
        {"headers": [["X-Amz-Target", "no host"]]},
    ]
    for result in we_sign([{**good, **change} for change in bad]):
        assert "error" in result
        assert "Evil" not in result["error"]

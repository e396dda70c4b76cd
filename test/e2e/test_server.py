"""The server as a process: how it listens, what it says of its health, how it ends, and how it refuses to start."""

import json
import os
import signal
import socket
import stat
import subprocess

import grpc
import pytest

from support.paths import BATON_AWSD
from support.process import environment, free_port
from support.proxies import Relay
from support.server import Server, patience
from support.tls import Authority

Code = grpc.StatusCode
LIST = "ResourcesService/ListResources"
NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens


# --------------------------------------------------------------------------------------------- health

def test_health(moto, serve, connect):
    client = connect(serve(moto.url))
    assert client.health() == "SERVING"
    assert client.health("c1.connector.v2.ResourcesService") in ("SERVING",)
    error = client.fails("/grpc.health.v1.Health/Check", service="nope")
    assert error.code() == Code.NOT_FOUND


def test_it_serves_before_aws_can_be_reached_and_says_so(serve, connect):
    client = connect(serve(NOWHERE, ready="listening"))
    assert client.health() == "NOT_SERVING"
    assert client.call("ResourceTypesService/ListResourceTypes").list
    assert client.call("/c1.ratelimit.v1.RateLimiterService/Do").HasField("description")
    error = client.fails(LIST, resource_type_id="iam_user", timeout=patience(120))
    assert error.code() == Code.UNAVAILABLE
    assert error.details().startswith("error: listing resources failed: ")


def test_it_becomes_healthy_when_aws_comes_back(serve, connect, sim):
    gone = sim(port=free_port(), users=3)
    gone.stop()
    server = serve(gone.url, ready="listening")
    client = connect(server)
    assert client.health() == "NOT_SERVING"
    sim(port=gone.port, users=3)
    server.wait_until(lambda: client.health() == "SERVING", "SERVING", patience(120))


# ------------------------------------------------------------------------------------------ listening

def test_unix_socket(moto, serve, connect, folder):
    path = folder / "s.sock"
    server = serve(moto.url, listen=f"unix:{path}")
    client = connect(server)
    assert client.call(LIST, resource_type_id="group").list
    mode = os.stat(path).st_mode
    assert stat.S_ISSOCK(mode) and not mode & 0o077, "only the owner may connect"

    second = serve(moto.url, listen=f"unix:{path}", ready=None, may_fail=True)
    assert second.wait() == 1, second.tail()
    assert str(path) in second.output()
    assert client.call(LIST, resource_type_id="group").list, "the first one must keep its path"
    assert connect(server).health() == "SERVING"

    assert server.stop() == 0
    third = serve(moto.url, listen=f"unix:{path}")
    assert connect(third).health() == "SERVING"


def test_a_left_over_socket_is_replaced(moto, serve, connect, folder):
    path = folder / "s.sock"
    serve(moto.url, listen=f"unix:{path}", may_fail=True).kill()
    assert path.exists()
    assert connect(serve(moto.url, listen=f"unix:{path}")).health() == "SERVING"


def test_a_taken_port_is_an_error(moto, serve):
    server = serve(moto.url)
    second = serve(moto.url, listen=server.target, ready=None, may_fail=True)
    assert second.wait() == 1, second.tail()
    assert server.target.rsplit(":", 1)[1] in second.output()


def test_several_addresses(moto, serve, connect, folder):
    port = free_port()
    server = serve(moto.url, "--listen", f"127.0.0.1:{port}", listen=f"unix:{folder}/s.sock")
    assert connect(server).health() == "SERVING"
    from support.wire import Client
    client = Client(f"127.0.0.1:{port}")
    assert client.health() == "SERVING"
    client.close()


@pytest.fixture
def authority(folder):
    return Authority(folder)


def credentials(ca, pair=None):
    cert, key = (p.read_bytes() for p in pair) if pair else (None, None)
    return grpc.ssl_channel_credentials(ca.read_bytes(), key, cert)


def test_tls(moto, serve, connect, authority, engine):
    cert, key = authority.issue("server")
    trust = credentials(authority.ca)
    server = serve(moto.url, "--tls-cert-file", cert, "--tls-key-file", key, credentials=trust)
    assert connect(server, trust).call(LIST, resource_type_id="group").list
    assert connect(server).health() is None, "no plain text beside TLS"
    stranger = Authority(authority.folder, "stranger")
    assert connect(server, credentials(stranger.ca)).health() is None
    result = engine(authority.folder, server.target, "--tls-ca-file", str(authority.ca))
    assert result.ok, result.summary


def test_mutual_tls(moto, serve, connect, authority, engine):
    cert, key = authority.issue("server")
    pair = authority.issue("client")
    trust = credentials(authority.ca, pair)
    server = serve(moto.url, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-client-ca-file", authority.ca,
                   credentials=trust)
    assert connect(server, trust).call(LIST, resource_type_id="group").list
    assert connect(server, credentials(authority.ca)).health() is None, "no certificate"
    foreign = Authority(authority.folder, "stranger").issue("intruder")
    assert connect(server, credentials(authority.ca, foreign)).health() is None, "a certificate of another authority"
    result = engine(authority.folder, server.target, "--tls-ca-file", str(authority.ca), "--tls-cert-file", str(pair[0]),
                    "--tls-key-file", str(pair[1]))
    assert result.ok, result.summary


def replace(file, content):
    """In one step, as whoever issues certificates does it."""
    new = file.with_suffix(".new")
    new.write_bytes(content)
    new.rename(file)


def test_certificates_are_replaced_while_serving(moto, serve, connect, authority, folder):
    """Server's certificate and key, and the CA of the clients: the next handshake uses them, connections that are there stay."""
    cert, key = authority.issue("server")
    ca = folder / "clients.pem"
    ca.write_bytes(authority.ca.read_bytes())
    old = credentials(authority.ca, authority.issue("client"))
    server = serve(moto.url, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-client-ca-file", ca, credentials=old)
    open_connection = connect(server, old)
    assert open_connection.health()

    other = Authority(folder, "other")
    new_cert, new_key = (file.read_bytes() for file in other.issue("successor"))
    new = credentials(other.ca, other.issue("client-of-other"))
    replace(cert, new_cert)  # does not fit the key
    for _ in range(3):
        assert connect(server, old).health()
    assert len(server.said("new TLS files cannot be used, ignoring")) == 1
    assert connect(server, new).health() is None
    replace(key, new_key)
    replace(ca, other.ca.read_bytes())
    assert connect(server, new).health()
    assert connect(server, old).health() is None
    assert open_connection.health()
    assert server.said("new TLS files are used", level="info")
    assert len(server.said("new TLS files cannot be used, ignoring")) == 1


# --------------------------------------------------------------------------------------------- ending

def asks_iam(aws):
    return any(op.startswith("iam:") for op in aws.counters())


def test_sigterm_lets_calls_in_flight_finish(serve, connect, sim):
    aws = sim(users=20, latency_ms=1000)
    server = serve(aws.url)
    client = connect(server)
    call = client.future(LIST, listing("iam_user"), timeout=300)
    server.wait_until(lambda: asks_iam(aws), "asking AWS")
    server.signal(signal.SIGTERM)
    assert len(call.result().list) == 20
    assert server.wait() == 0
    assert connect(server).health() is None


def listing(kind, **fields):
    from support.wire import msg
    return msg("ResourcesServiceListResourcesRequest", resource_type_id=kind, **fields)


def test_sigterm_with_an_idle_client(moto, serve, connect):
    server = serve(moto.url, "--drain-seconds", "600")
    client = connect(server)
    client.call("ConnectorService/Validate")
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


def hang(aws):
    aws.faults({"op": "iam:*", "action": "hang", "ms": 600_000})


def test_a_call_that_never_ends_does_not_hold_it_for_ever(serve, connect, sim):
    aws = sim(users=3)
    server = serve(aws.url, "--drain-seconds", "1", ready="listening")
    hang(aws)
    call = connect(server).future(LIST, listing("iam_user"))
    server.wait_until(lambda: asks_iam(aws), "asking AWS")
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert call.exception() is not None


# ----------------------------------------------------------------------------- deadlines, cancellation

def test_deadline(serve, connect, sim):
    """The server lets the call go, too: it says so long before AWS answers. Which it notices first, that the time is over or that the client
    has gone, is a matter of chance."""
    aws = sim(users=3)
    server = serve(aws.url)
    client = connect(server)
    hang(aws)

    def ends():
        error = client.fails(LIST, resource_type_id="iam_user", timeout=1)
        assert error.code() == Code.DEADLINE_EXCEEDED
        return any(f'"code":"{code}"' in server.output() for code in ("DEADLINE_EXCEEDED", "CANCELLED"))
    server.wait_until(ends, "letting the call go")
    assert client.call("ResourceTypesService/ListResourceTypes").list


def test_cancelled_calls_leave_the_server_well(serve, connect, sim):
    """They hold no worker, and nobody waits for what they had begun to ask."""
    aws = sim(users=3)
    server = serve(aws.url)
    client = connect(server)
    hang(aws)
    calls = [client.future(LIST, listing("iam_user"), timeout=300) for _ in range(20)]
    server.wait_until(lambda: asks_iam(aws), "asking AWS")
    aws.faults()
    for call in calls:
        call.cancel()
    assert client.call("ResourceTypesService/ListResourceTypes").list
    assert len(client.call(LIST, resource_type_id="iam_user").list) == 3


def test_many_calls_at_once(moto, serve, connect):
    client = connect(serve(moto.url))
    calls = [client.future(LIST, listing(kind), timeout=120) for kind in ("iam_user", "group", "role", "iam_policy") * 25]
    first = {}
    for i, call in enumerate(calls):
        reply = call.result()
        assert first.setdefault(i % 4, reply) == reply


# ---------------------------------------------------------------------------------------- credentials

def test_wrong_credentials(serve, connect, sim):
    aws = sim(users=3, verify_signatures=True)
    server = serve(aws.url, ready="listening", env={"AWS_ACCESS_KEY_ID": "AKIAWRONGWRONGWRONG0"})
    client = connect(server)
    assert client.health() == "NOT_SERVING"
    for path, fields in (("ConnectorService/Validate", {}), (LIST, {"resource_type_id": "iam_user"})):
        error = client.fails(path, timeout=120, **fields)
        assert error.code() == Code.UNAUTHENTICATED, error
    assert "e2e-secret" not in server.output()


def test_no_credentials_at_all(serve, connect, sim):
    client = connect(serve(sim(users=3).url, ready="listening",
                           env={"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}))
    error = client.fails(LIST, resource_type_id="iam_user", timeout=120)
    assert error.code() in (Code.UNAUTHENTICATED, Code.FAILED_PRECONDITION), error


# ------------------------------------------------------------------------------------------------ log

def test_one_log_line_per_call(moto, serve, connect):
    server = serve(moto.url, "--log-format", "json")
    client = connect(server)
    client.call(LIST, resource_type_id="group")
    client.fails(LIST, resource_type_id="nope")
    client.fails("GrantsService/ListGrants")
    assert server.stop() == 0
    lines = [json.loads(line) for line in server.output().splitlines() if line]
    calls = [line for line in lines if "ListResources" in json.dumps(line)]
    assert len(calls) == 2, calls
    assert len([line for line in lines if "ListGrants" in json.dumps(line)]) == 1
    assert CREDENTIAL not in server.output()


CREDENTIAL = "e2e-secret"


# ------------------------------------------------------------------------------------- refusing to start

def run(folder, *args, **env):
    return subprocess.run([BATON_AWSD, *map(str, args)], capture_output=True, text=True, timeout=300, cwd=folder,
                          env=environment(folder, AWS_REGION="us-east-1", AWS_EC2_METADATA_DISABLED="true", **env))


ROLE = "arn:aws:iam::123456789012:role/David"


@pytest.mark.parametrize("args, env, text", [
    ([], {}, "serve"),
    (["nonsense"], {}, "nonsense"),
    (["serve", "--nonsense"], {}, "--nonsense"),
    (["serve", "--listen", "nowhere"], {}, "listen"),
    (["serve", "--listen"], {}, "listen"),
    (["serve", "--provisioning"], {}, "provisioning"),
    (["serve"], {"BATON_PROVISIONING": "true"}, "provisioning"),
    (["serve", "--rpc-threads", "many"], {}, "rpc-threads"),
    (["serve", "--http-timeout-seconds", "0"], {},
     "field http-timeout-seconds: value must be greater than or equal to 1 but got 0"),
    (["serve", "--http-timeout-seconds", "1801"], {},
     "field http-timeout-seconds: value must be less than or equal to 1800 but got 1801"),
    (["serve", "--use-assume"], {}, "set fields ('use-assume') are dependent on ('role-arn') being set"),
    (["serve", "--use-assume", "--role-arn", "x"], {}, "baton-aws: invalid role ARN: arn: invalid prefix"),
    (["serve", "--use-assume", "--role-arn", "arn:aws:s3:::bucket/x"], {},
     "baton-aws: invalid role ARN: invalid service: must be 'iam'"),
    (["serve", "--use-assume", "--role-arn", ROLE, "--global-role-arn", ROLE], {}, "baton-aws: external id is missing"),
    (["serve", "--use-assume", "--role-arn", ROLE, "--global-role-arn", ROLE, "--external-id", "1"], {},
     "baton-aws: aws_external_id must be between 32 and 64 bytes"),
    (["serve", "--global-aws-cross-account-iam-enabled"], {},
     "set fields ('global-aws-cross-account-iam-enabled') are dependent on ('global-aws-orgs-enabled' and "
     "'global-aws-sso-enabled') being set"),
    (["serve", "--create-account-resource-type", "nope"], {},
     "field create-account-resource-type: value must be one of [iam_user sso_user] but got 'nope'"),
    (["serve", "--global-access-key-id", "AKIA"], {}, "global-secret-access-key"),
    (["serve", "--tls-cert-file", "/does/not/exist", "--tls-key-file", "/does/not/exist"], {}, "/does/not/exist"),
    (["serve", "--tls-client-ca-file", "/does/not/exist"], {}, "tls-"),
    (["serve"], {"BATON_CONFIG_PATH": "/tmp/x.json"}, "expected config file to have .yaml or .yml extension"),
    (["serve"], {"BATON_CONFIG_PATH": "/does/not/exist.yaml"}, "/does/not/exist.yaml"),
], ids=lambda v: None)
def test_configuration_errors_exit(program, folder, args, env, text):
    done = run(folder, *args, **env)
    assert done.returncode in (1, 2), done
    assert text in done.stderr + done.stdout, done.stderr
    assert "Sanitizer" not in done.stderr


def test_usage_errors_are_told_from_failures(program, folder):
    assert run(folder, "serve", "--nonsense").returncode == 2
    assert run(folder, "serve", "--listen", "unix:/does/not/exist/s.sock").returncode == 1


def test_help_and_version(program, folder):
    for args in (["--help"], ["serve", "--help"], ["crawl", "--help"], ["help"]):
        done = run(folder, *args)
        assert done.returncode == 0 and len(done.stdout) > 200 and not done.stderr, args
        assert all(len(line) <= 110 for line in done.stdout.splitlines())
    assert "--listen" in run(folder, "serve", "--help").stdout
    assert run(folder, "--version").returncode == 0


@pytest.mark.parametrize("way", ["environment", "file"])
def test_options_come_from_environment_and_file(moto, program, started, connect, folder, way):
    target = f"127.0.0.1:{free_port()}"
    env = {"BATON_LISTEN": target, "BATON_SYNC_RESOURCE_TYPES": "iam_user"}
    if way == "file":
        (folder / ".baton.yaml").write_text(f"listen: {target}\nsync-resource-types: [iam_user]\nworkers: 3\n")
        env = {}
    from support.process import Process
    server = Process([BATON_AWSD, "serve"], folder / "server.log", environment(
        folder, AWS_ENDPOINT_URL=moto.url, AWS_REGION="us-east-1", AWS_ACCESS_KEY_ID="AKIAX",
        AWS_SECRET_ACCESS_KEY="x", **env))
    started.add(server)
    from support.wire import Client
    client = started.client(Client(target))
    server.wait_until(lambda: client.health() == "SERVING", "SERVING")
    types = {t.id: t for t in client.call("ResourceTypesService/ListResourceTypes").list}
    assert types["iam_user"].annotations[-1].type_url.endswith(".SkipEntitlementsAndGrants")
    assert server.stop() == 0


def test_the_client_program_syncs(moto, serve, folder):
    """`crawl` asks what an engine asks; its lines are the same things."""
    server = serve(moto.url)
    done = run(folder, "crawl", "--target", server.target, "--output", "jsonl")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) > 1000
    done = run(folder, "crawl", "--target", server.target)
    assert done.returncode == 0 and "iam_user" in done.stdout


def test_the_client_program_waits_for_a_connection_over_a_long_way(serve, sim, folder):
    """Or to a busy machine: half a second for each flight of TCP's and HTTP/2's is no reason to give up."""
    server = serve(sim(users=3).url)
    relay = Relay(int(server.target.rsplit(":", 1)[1]), 0.5)
    try:
        done = run(folder, "healthcheck", "--target", f"127.0.0.1:{relay.port}", "--timeout-seconds", "120")
        assert done.returncode == 0, done.stderr
    finally:
        relay.close()


def test_the_client_program_fails_when_nobody_listens(program, folder):
    done = run(folder, "crawl", "--target", f"127.0.0.1:{free_port()}")
    assert done.returncode == 1 and done.stderr
    done = run(folder, "healthcheck", "--target", f"127.0.0.1:{free_port()}")
    assert done.returncode == 1

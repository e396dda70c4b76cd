"""Every source of credentials, with the real server against a simulator that checks signatures: who AWS takes us for, and
that the log at debug level gives nothing away."""

import base64
import json
import re
import time

import pytest

from support.metadata import ROLE_ARN, SIM_KEYS, Metadata, issue
from support.server import patience

NO_KEYS = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
KEYS = {"AWS_ACCESS_KEY_ID": SIM_KEYS["aws_access_key_id"], "AWS_SECRET_ACCESS_KEY": SIM_KEYS["aws_secret_access_key"]}
USER = "arn:aws:iam::123456789012:user/baton-connector"
SESSION = "arn:aws:sts::123456789012:assumed-role/OrganizationAccountAccessRole/"
AUTHORIZATION = "Basic e2eAuthorizationToken0123456789"


def jwt(subject):
    """A token as an identity provider signs it, as far as the simulator looks."""
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    claims = {"iss": "https://oidc.example", "sub": subject, "aud": "sts.amazonaws.com"}
    return f"{part({'alg': 'RS256'})}.{part(claims)}.{'c2lnbmF0dXJl' * 4}"


class World:
    """What a case may use; `secrets` may appear in no log."""

    def __init__(self, folder, sim, metadata):
        self.folder, self.sim, self.metadata = folder, sim, metadata
        self.secrets = list(SIM_KEYS.values())

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def token_file(self):
        token = jwt("system:serviceaccount:baton:awsd")
        self.secrets.append(token)
        return self.file("token", token + "\n")

    def profile(self, text):
        return {**NO_KEYS, "AWS_CONFIG_FILE": self.file("config", text)}

    def process(self):
        """A command that prints a session of the simulator, and talks of its key on standard error."""
        s = issue(self.sim, "from-process")
        self.secrets += [s["AccessKeyId"], s["SecretAccessKey"], s["SessionToken"]]
        answer = {"Version": 1, "AccessKeyId": s["AccessKeyId"], "SecretAccessKey": s["SecretAccessKey"],
                  "SessionToken": s["SessionToken"], "Expiration": s["Expiration"].isoformat()}
        self.file("answer.json", json.dumps(answer))
        return f"echo 'helper gives '{s['SecretAccessKey']} >&2; cat '{self.folder}/answer.json'"

    def imds(self):
        return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": self.metadata.url, "AWS_EC2_METADATA_DISABLED": None}

    def container(self, path="/container/x"):
        self.secrets.append(AUTHORIZATION)
        self.metadata.authorization = AUTHORIZATION
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self.metadata.url + path,
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": self.file("authorization", AUTHORIZATION)}


def environment_keys(w):
    return KEYS, USER


def environment_session(w):
    s = issue(w.sim, "from-environment")
    w.secrets += [s["SecretAccessKey"], s["SessionToken"]]
    return {"AWS_ACCESS_KEY_ID": s["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": s["SecretAccessKey"],
            "AWS_SESSION_TOKEN": s["SessionToken"]}, SESSION + "from-environment"


def web_identity(w):
    return {**NO_KEYS, "AWS_WEB_IDENTITY_TOKEN_FILE": w.token_file(), "AWS_ROLE_ARN": ROLE_ARN,
            "AWS_ROLE_SESSION_NAME": "irsa"}, SESSION + "irsa"


def web_identity_profile(w):
    return w.profile(f"[default]\nweb_identity_token_file={w.token_file()}\nrole_arn={ROLE_ARN}\n"), SESSION + "baton-awsd"


def container(w):
    return {**NO_KEYS, **w.container()}, SESSION + "from-metadata"


def container_by_name(w):
    settings = w.container()
    settings["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = settings["AWS_CONTAINER_CREDENTIALS_FULL_URI"].replace(
        "127.0.0.1", "localhost")
    return {**NO_KEYS, **settings}, SESSION + "from-metadata"


def imds(w):
    return {**NO_KEYS, **w.imds(), "AWS_EC2_METADATA_V1_DISABLED": "true"}, SESSION + "from-metadata"


def imds_version_1(w):
    w.metadata.version_2 = False
    return {**NO_KEYS, **w.imds()}, SESSION + "from-metadata"


def imds_despite_a_proxy(w):
    return {**NO_KEYS, **w.imds(), "HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": ""}, SESSION + "from-metadata"


def process(w):
    return w.profile(f"[default]\ncredential_process={w.process()}\n"), SESSION + "from-process"


def role_over_source_profile(w):
    return w.profile(f"[default]\nrole_arn={ROLE_ARN}\nsource_profile=base\nrole_session_name=profile\n[profile base]\n"
                     f"aws_access_key_id={KEYS['AWS_ACCESS_KEY_ID']}\n"
                     f"aws_secret_access_key={KEYS['AWS_SECRET_ACCESS_KEY']}\n"), SESSION + "profile"


def role_over_process(w):
    return w.profile(f"[profile x]\nrole_arn={ROLE_ARN}\ncredential_process={w.process()}\nrole_session_name=xy\n") | {
        "AWS_PROFILE": "x"}, SESSION + "xy"


def role_over_imds(w):
    return w.profile(f"[default]\nrole_arn={ROLE_ARN}\ncredential_source=Ec2InstanceMetadata\nrole_session_name=xy\n") | {
        **w.imds()}, SESSION + "xy"


def role_over_own_keys(w):
    return w.profile(f"[default]\nrole_arn={ROLE_ARN}\n"
                     f"aws_access_key_id={KEYS['AWS_ACCESS_KEY_ID']}\naws_secret_access_key={KEYS['AWS_SECRET_ACCESS_KEY']}\n"
                     "role_session_name=own-keys\n"), SESSION + "own-keys"


def role_over_container(w):
    return w.profile(f"[default]\nrole_arn={ROLE_ARN}\ncredential_source=EcsContainer\nrole_session_name=xy\n") | {
        **w.container()}, SESSION + "xy"


def role_over_this_host(w):
    return w.profile(f"[default]\nrole_arn={ROLE_ARN}\nrole_session_name=xy\n") | w.imds(), SESSION + "xy"


def everything_at_once(w):
    """The first in AWS's order."""
    return {**web_identity(w)[0], **KEYS, **w.container(), **w.imds()}, USER


def all_but_keys(w):
    return {**w.container(), **w.imds(), **w.profile(f"[default]\ncredential_process={w.process()}\n"),
            **web_identity(w)[0]}, SESSION + "irsa"


SOURCES = [environment_keys, environment_session, web_identity, web_identity_profile, container, container_by_name, imds,
           imds_version_1, imds_despite_a_proxy, process, role_over_source_profile, role_over_process,
           role_over_imds, role_over_own_keys, role_over_container, role_over_this_host, everything_at_once, all_but_keys]


@pytest.fixture
def world(folder, sim):
    the_sim = sim(users=5, roles=3, groups=2, policies=2, verify_signatures=True)
    metadata = Metadata(the_sim)
    yield World(folder, the_sim, metadata)
    metadata.close()


def assert_no_secret(server, world):
    log = server.output()
    assert '"debug"' in log or "debug" in log
    for secret in world.secrets + world.metadata.secrets:
        assert secret not in log, "a secret is in the log"
    assert not re.search(r"(AKIA|ASIA)[A-Z0-9]{16}", log), "an access key id is in the log"
    assert "eyJ" not in log


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.__name__)
def test_source(world, serve, connect, source):
    env, arn = source(world)
    server = serve(world.sim.url, "--log-level", "debug", env=env)
    client = connect(server)
    client.call("ConnectorService/Validate")
    assert client.call("ResourceTypesService/ListResourceTypes").list
    assert arn in server.output(), "another identity than this source gives"
    server.stop()
    assert_no_secret(server, world)


def test_static_keys_come_first(world, serve, connect):
    """Those of the connector's own options, before anything of AWS's environment."""
    env = {**web_identity(world)[0], "BATON_GLOBAL_ACCESS_KEY_ID": KEYS["AWS_ACCESS_KEY_ID"],
           "BATON_GLOBAL_SECRET_ACCESS_KEY": KEYS["AWS_SECRET_ACCESS_KEY"]}
    server = serve(world.sim.url, "--log-level", "debug", env=env)
    connect(server).call("ConnectorService/Validate")
    assert USER in server.output()
    server.stop()
    assert_no_secret(server, world)


def test_connector_role_over_metadata(world, serve, connect):
    env = {**NO_KEYS, **world.imds()}
    server = serve(world.sim.url, "--log-level", "debug", "--use-assume", "--role-arn",
                   "arn:aws:iam::123456789012:role/BatonConnectorRole", "--external-id", "connector-external-id", env=env)
    connect(server).call("ConnectorService/Validate")
    assert "assumed-role/BatonConnectorRole/baton-awsd" in server.output()
    server.stop()
    world.secrets.append("connector-external-id")
    assert_no_secret(server, world)


@pytest.mark.parametrize("env, text", [
    ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere"}, "role ARN is not set"),
    ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://10.0.0.1/x"}, "neither this host nor an agent of ECS or EKS"),
    ({"AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": "nonsense"}, "has to be an http or https URL"),
], ids=["web-identity", "container", "imds"])
def test_refused_at_the_start(world, serve, env, text):
    server = serve(world.sim.url, env={**NO_KEYS, **env}, ready=None, may_fail=True)
    assert server.wait() == 2
    assert text in server.output()


def test_sso_profile_is_refused(world, serve):
    server = serve(world.sim.url, env=world.profile("[default]\nsso_session=x\nsso_account_id=1\nsso_role_name=r\n"),
                   ready=None, may_fail=True)
    assert server.wait() == 2
    assert "a server cannot use the cache of an SSO login" in server.output()


def test_nothing_anywhere(world, serve, connect):
    """A host without metadata: the server starts, says what is missing, and answers soon."""
    env = {**NO_KEYS, "AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"}
    server = serve(world.sim.url, env=env, ready="listening")
    error = connect(server).fails("ConnectorService/Validate", timeout=patience(30))
    assert error.code().name == "UNAUTHENTICATED"
    assert "no AWS credentials: EC2 instance metadata" in error.details()


def test_matching_source_that_fails_is_an_error(world, serve, connect):
    """Metadata would give credentials; the token file comes first, and is empty."""
    env = {**NO_KEYS, **world.imds(), "AWS_ROLE_ARN": ROLE_ARN, "AWS_WEB_IDENTITY_TOKEN_FILE": world.file("token", "")}
    server = serve(world.sim.url, env=env, ready="listening")
    error = connect(server).fails("ConnectorService/Validate")
    assert error.code().name == "UNAUTHENTICATED"
    assert "is empty" in error.details()
    assert not world.metadata.asked
    world.file("token", jwt("later"))
    server.wait_until(lambda: server.client().health() == "SERVING", "SERVING", timeout=patience(120))


def test_renewal(folder, sim, serve, connect):
    """Sessions of a few seconds: each is renewed before it ends, and no call ever fails."""
    the_sim = sim(users=5, roles=3, groups=2, policies=2, verify_signatures=True, session_seconds=4)
    metadata = Metadata(the_sim)
    try:
        world = World(folder, the_sim, metadata)
        server = serve(the_sim.url, "--log-level", "debug", env={**NO_KEYS, **world.imds()})
        client = connect(server)
        for n in range(400):
            client.call("ResourcesService/ListResources", resource_type_id="iam_user", active_sync_id=f"{n:027d}")
            if metadata.asked.count(("PUT", "/latest/api/token")) > 4:
                break
            time.sleep(0.3)
        else:
            raise AssertionError("the sessions are not renewed")
        server.stop()
        assert_no_secret(server, world)
    finally:
        metadata.close()

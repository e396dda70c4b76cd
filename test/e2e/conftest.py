"""Fixtures of the end-to-end tests: real processes, started for the test and always ended with it."""

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from support import engine as engine_module  # noqa: E402
from support.aws import Moto, Sim  # noqa: E402
from support.paths import AWS_SIM, BATON_AWSD, WORK, WORKER  # noqa: E402
from support.process import Process  # noqa: E402
from support.redis import Cluster, Redis, Sentinels  # noqa: E402
from support.redis_proxy import RedisProxy  # noqa: E402
from support.server import Server  # noqa: E402
import seed_moto  # noqa: E402
import walk_iam  # noqa: E402

RUNNING = []  # every Process alive, so that a failure can show what it said


def skip(reason):
    """A test that cannot run here; where everything must be there (CI), that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"would be skipped, which CI does not allow: {reason}")
    pytest.skip(reason)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for process in RUNNING:
            lines = [line for line in process.output().splitlines() if '"code":"OK"' not in line]
            text = "\n".join(lines[-40:] if isinstance(process, Server) else lines[-10:])
            report.sections.append((f"{process.name} ({process.log.name})", text))


class Started:
    """Keeps what a scope has started and ends it. A program that crashed or did not end by itself is a failure."""

    def __init__(self, folder):
        self.folder, self.processes, self.clients = folder, [], []

    def add(self, process: Process):
        self.processes.append(process)
        RUNNING.append(process)
        return process

    def client(self, client):
        self.clients.append(client)
        return client

    def end(self):
        for client in self.clients:
            client.close()
        bad = []
        for process in reversed(self.processes):
            before = process.popen.poll()
            rc = process.stop()
            if isinstance(process, Server) and not getattr(process, "may_fail", False) and rc != 0:
                bad.append(f"{process.name} ended with {rc}{' by itself' if before is not None else ''}:\n{process.tail()}")
        for process in self.processes:
            RUNNING.remove(process)
        assert not bad, "\n".join(bad)


@pytest.fixture
def folder(request):
    """A folder of the test's own below build/e2e, kept after it."""
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in request.node.name)[:100]
    path = WORK / request.node.path.stem / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


@pytest.fixture
def started(folder):
    s = Started(folder)
    yield s
    s.end()


@pytest.fixture(scope="session")
def program():
    if not BATON_AWSD.exists():
        skip(f"{BATON_AWSD} is not built")
    return BATON_AWSD


@pytest.fixture
def serve(program, started):
    """serve(aws_url, *flags, ...) starts a server; it must end with 0."""
    def start(aws=None, *flags, ready="serving", credentials=None, may_fail=False, **kwargs):
        name = f"server{sum(isinstance(p, Server) for p in started.processes)}"
        server = started.add(Server(started.folder, aws, *flags, name=name, **kwargs))
        server.may_fail = may_fail
        if ready == "serving":
            server.wait_serving(credentials)
        elif ready == "listening":
            server.wait_listening(credentials)
        return server
    return start


@pytest.fixture
def connect(started):
    """connect(server) gives a client that is closed with the test."""
    return lambda server, credentials=None, **kwargs: started.client(server.client(credentials, **kwargs))


@pytest.fixture
def sim(started):
    """sim(users=..., ...) starts the simulator."""
    def start(**flags):
        if not AWS_SIM.exists():
            skip(f"{AWS_SIM} is not built")
        name = f"sim{sum(isinstance(p, Sim) for p in started.processes)}"
        return started.add(Sim(started.folder, name, **flags))
    return start


@pytest.fixture
def redis(started):
    """redis(password=..., tls=..., maxmemory=..., ...) starts a Redis; see support/redis.py."""
    def start(**options):
        need_redis()
        name = f"redis{sum(isinstance(p, Redis) for p in started.processes)}"
        return started.add(Redis(started.folder, name, **options))
    return start


@pytest.fixture
def sentinels(started):
    """sentinels(replicas=..., sentinels=..., ...) starts a master, its replicas and those who watch it."""
    return lambda **options: need_redis() or Sentinels(started.folder, add=started.add, **options)


@pytest.fixture
def cluster(started):
    """cluster(masters=..., ...) starts a Redis Cluster."""
    return lambda **options: need_redis() or Cluster(started.folder, add=started.add, **options)


@pytest.fixture
def redis_proxy(started):
    """redis_proxy(redis) gives a proxy before it, which is closed with the test."""
    return lambda upstream, **options: started.client(RedisProxy(upstream.port, **options))


def need_redis():
    for name in ("redis-server", "redis-sentinel"):
        if not shutil.which(name):
            skip(f"{name} is not installed")


@pytest.fixture(scope="session")
def session_started():
    path = WORK / f"session-{WORKER}"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    s = Started(path)
    yield s
    s.end()


@pytest.fixture(scope="session")
def moto(session_started):
    """moto with a seeded account; tests only read it."""
    m = session_started.add(Moto(session_started.folder))
    seed_moto.seed(m.url)
    return m


@pytest.fixture(scope="session")
def moto_expected(moto, session_started):
    """What a sync of moto's account must hold, by the shared server."""
    lines = walk_iam.expected(moto.url, only_attached=True)
    (session_started.folder / "expected.jsonl").write_text("\n".join(lines) + "\n")
    return lines


@pytest.fixture(scope="session")
def moto_organization(moto):
    """moto as the management account of an organization, whose accounts are smaller. Who does not ask for the
    organization sees nothing of it."""
    seed_moto.seed_organization(moto.url)
    return moto


@pytest.fixture(scope="session")
def shared_server(program, moto, session_started):
    """One server on the seeded moto account, for tests that only ask. AWS's catalogue is left to test_org_moto."""
    server = session_started.add(Server(session_started.folder, moto.url, "--sync-only-attached-policies", name="shared-server"))
    return server.wait_serving()


@pytest.fixture
def client(shared_server):
    """A client of the shared server. The server must have survived the test."""
    c = shared_server.client()
    yield c
    assert shared_server.popen.poll() is None, "the server is gone"
    assert c.health() == "SERVING"
    c.close()


@pytest.fixture(scope="session")
def engine():
    """The real engine: engine(folder, target, *flags, name=...)."""
    problem = engine_module.go_problem()
    if problem:
        skip(f"no sync engine: {problem}")
    engine_module.build()
    return engine_module.sync

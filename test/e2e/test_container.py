"""Dockerfile, docker-compose.yml and deploy/make-root, without a container engine: what they say must be what the programs
understand, the services must work together as processes, and the root file system must be enough to run in."""

import json
import os
import re
import shlex
import shutil
import subprocess

import pytest
import yaml

from conftest import skip
from support.paths import AWS_SIM, BATON_AWSD, ROOT
from support.process import Process, environment, free_port, port_open
from support.server import patience

PROGRAMS = {"baton-awsd": BATON_AWSD, "aws-sim": AWS_SIM}
USER = "65532:65532"


def run(*argv, timeout=120, **kwargs):
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=patience(timeout), **kwargs)


# -------------------------------------------------------------------------------------------- reading

def stages():
    """The Dockerfile as {name of a stage: [(instruction, its argument)]}."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.M).replace("\\\n", " ")
    out = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        instruction, argument = line.split(None, 1)
        if instruction == "FROM":
            out[argument.split()[-1]] = stage = []
        stage.append((instruction, argument))
    return out


class Image:
    """What a stage tells the engine that runs it."""

    def __init__(self, name):
        said = stages()[name]
        by = dict(said)
        self.name, self.user, self.exposed, self.stop_signal = name, by["USER"], by["EXPOSE"], by["STOPSIGNAL"]
        self.entrypoint, self.command = json.loads(by["ENTRYPOINT"]), json.loads(by.get("CMD", "[]"))
        self.healthcheck = by.get("HEALTHCHECK")
        self.env = dict(pair.split("=", 1) for instruction, text in said if instruction == "ENV" for pair in shlex.split(text))
        self.args = dict((text + "=").split("=")[:2] for instruction, text in said if instruction == "ARG")
        assert self.entrypoint[0] == f"/usr/bin/{name}"

    def argv(self, command=None):
        """The program that was built instead of the image's."""
        return [PROGRAMS[self.name], *self.entrypoint[1:], *(self.command if command is None else command)]


def interpolated(value):
    """Compose's ${NAME:-default} when nothing is set."""
    if isinstance(value, dict):
        return {k: interpolated(v) for k, v in value.items()}
    if isinstance(value, list):
        return [interpolated(v) for v in value]
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) if isinstance(value, str) else value


@pytest.fixture(scope="module")
def services():
    return interpolated(yaml.safe_load((ROOT / "docker-compose.yml").read_text()))["services"]


@pytest.fixture(scope="module")
def options(program):
    """Names of the options of a command of ours, by its help."""
    def of(command):
        done = run(program, "help", command)
        assert done.returncode == 0, done.stderr
        return set(re.findall(r"--([a-z][a-z0-9-]+)", done.stdout))
    return of


# -------------------------------------------------------------------------------------------- the files

def test_the_images_say_what_the_programs_understand(program):
    image, sim = Image("baton-awsd"), Image("aws-sim")
    assert list(stages()) == ["build", "aws-sim", "baton-awsd"], "the last one is what a build without --target makes"
    assert image.user == sim.user == USER
    assert image.stop_signal == sim.stop_signal == "SIGTERM"
    assert image.args["VERSION"] == run(program, "version").stdout.split()[-1]
    assert image.env["BATON_LISTEN"].endswith(f":{image.exposed}")
    assert run(program, *image.command, "--help").stdout.startswith(f"Usage: baton-awsd {image.command[0]}")
    check = json.loads(image.healthcheck[image.healthcheck.index("["):])
    assert check == ["/usr/bin/baton-awsd", "healthcheck"]
    assert sim.entrypoint[-1] == f"0.0.0.0:{sim.exposed}"


def test_every_service_is_locked_down(services):
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"] and service["pids_limit"], name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name


def test_every_variable_is_an_option(services, options):
    known = options("serve")
    variables = set(Image("baton-awsd").env)
    for service in services.values():
        variables |= set(service.get("environment", {})) if service["image"] == "baton-awsd" else set()
    unknown = {v for v in variables if v.startswith("BATON_") and v[6:].lower().replace("_", "-") not in known}
    assert not unknown


def test_services_name_what_there_is(services):
    for name, service in services.items():
        if "build" in service:
            assert service["build"]["target"] == service["image"] and service["image"] in stages(), name
        for other, wanted in service.get("depends_on", {}).items():
            checked = "healthcheck" in services[other]
            assert wanted["condition"] == ("service_healthy" if checked else "service_started"), (name, other)


# -------------------------------------------------------------------------------------------- the services

def elsewhere(value, moved):
    """The value with "host:port" of a service replaced by where the test has it."""
    for was, now in moved.items():
        value = re.sub(rf"(?<![\w.]){re.escape(was)}\b", now, value)
    return value


def free_port_of_both():
    """A port that is free for IPv4 and (most likely) IPv6: `localhost` then is a name of two servers."""
    try:
        with open("/proc/net/if_inet6") as f:
            if not any(line.startswith("0" * 31 + "1 ") for line in f):
                skip("no IPv6 loopback for the second server")
    except FileNotFoundError:
        skip("no IPv6")
    return free_port()


def test_the_services_work_together(services, started, folder):
    """The whole of docker-compose.yml as processes, with its commands and environments."""
    if not shutil.which("redis-server"):
        skip("redis-server is not installed")
    image = Image("baton-awsd")
    redis, aws, port = free_port(), free_port(), free_port_of_both()
    moved = {"redis:6379": f"127.0.0.1:{redis}", "aws:4566": f"127.0.0.1:{aws}", "connector:50051": f"localhost:{port}"}

    started.add(Process([*services["redis"]["command"], "--port", redis, "--bind", "127.0.0.1", "--dir", folder],
                        folder / "redis.log", environment(folder))).wait_until(lambda: port_open(redis), "listening")
    # At full speed, with less in it: the flags given last count.
    started.add(Process([*Image("aws-sim").argv(services["aws"]["command"]), "--listen", f"127.0.0.1:{aws}", "--sso-rate=0",
                         "--identity-store-rate=0", "--accounts=3", "--users=10", "--sso-users=20", "--sso-groups=5"],
                        folder / "aws.log", environment(folder))).wait_until(lambda: port_open(aws), "listening")
    connectors = []
    for name, host in (("connector-1", "127.0.0.1"), ("connector-2", "[::1]")):
        env = {k: elsewhere(v, moved) for k, v in {**image.env, **services[name]["environment"]}.items()}
        env["BATON_LISTEN"] = f"{host}:{port}"
        server = started.add(Process(image.argv(services[name].get("command")), folder / f"{name}.log",
                                     environment(folder, **env)))
        check = services[name]["healthcheck"]["test"]
        assert check[:2] == ["CMD", image.entrypoint[0]]
        server.wait_until(lambda: run(BATON_AWSD, *check[2:], "--target", f"{host}:{port}").returncode == 0, "SERVING")
        connectors.append(server)

    for _ in range(10):
        before = [server.output().count('"sync_id"') for server in connectors]
        crawl = run(*image.argv([elsewhere(a, moved) for a in services["crawl"]["command"]]), env=environment(folder, **image.env),
                    cwd=folder)
        assert crawl.returncode == 0, crawl.stderr
        assert re.search(r"^total +\d+ +\d+ +\d+$", crawl.stdout, re.M), crawl.stdout
        calls = [server.output().count('"sync_id"') - n for server, n in zip(connectors, before)]
        if min(calls) > 10 and max(calls) - min(calls) < sum(calls) / 4:
            break  # else one of them was connected to so late that the other had answered much already
    else:
        raise AssertionError(f"not shared by both: {calls}")
    keys = run("redis-cli", "-p", redis, "-e", "info", "stats", env=environment(folder, **services["redis"]["environment"]))
    assert re.search(r"^keyspace_hits:[1-9]", keys.stdout, re.M), keys.stdout + keys.stderr
    assert [server.stop() for server in connectors] == [0, 0]


# -------------------------------------------------------------------------------------------- the root

@pytest.fixture
def root(folder):
    """root(program): the folder that deploy/make-root has filled for it."""
    if os.geteuid() != 0:
        skip("only root can chroot")
    if any(k in os.environ for k in ("ASAN_OPTIONS", "TSAN_OPTIONS")):
        skip("a sanitizer wants /proc")

    def make(name):
        path = folder / name
        done = run(ROOT / "deploy" / "make-root", path, PROGRAMS[name])
        assert done.returncode == 0, done.stderr
        (path / "etc" / "hosts").write_text("127.0.0.1 aws\n")  # the engine's, in a container
        return path
    return make


def test_the_root_is_enough_to_run_in(program, started, folder, root):
    """Both programs as the image's user, in nothing but their roots; AWS is found by its name."""
    image, sim = Image("baton-awsd"), Image("aws-sim")
    roots = {name: root(name) for name in PROGRAMS}
    aws, port = free_port(), free_port()

    def inside(name, *argv):
        return ["chroot", f"--userspec={USER}", roots[name], *argv]

    assert run(*inside("baton-awsd", image.entrypoint[0], "version")).stdout == run(program, "version").stdout
    started.add(Process(inside("aws-sim", *sim.entrypoint[:-1], f"127.0.0.1:{aws}"), folder / "sim.log",
                        environment(folder))).wait_until(lambda: port_open(aws), "listening")
    server = started.add(Process(inside("baton-awsd", *image.entrypoint, *image.command), folder / "server.log", environment(
        "/home/baton", BATON_LISTEN=f"127.0.0.1:{port}", AWS_ENDPOINT_URL=f"http://aws:{aws}", AWS_REGION="us-east-1",
        AWS_ACCESS_KEY_ID="AKIASIMULATOREXAMPLE", AWS_SECRET_ACCESS_KEY="simsecretEXAMPLEKEY")))
    check = json.loads(image.healthcheck[image.healthcheck.index("["):])
    server.wait_until(lambda: run(*inside("baton-awsd", *check, "--target", f"127.0.0.1:{port}")).stdout == "SERVING\n",
                      "SERVING")
    assert server.stop() == 0


def test_the_root_holds_nothing_else(root):
    path = root("baton-awsd")
    assert [f.name for f in (path / "usr" / "bin").iterdir()] == ["baton-awsd"]
    assert not (path / "bin").exists()
    assert "BEGIN CERTIFICATE" in (path / "etc/ssl/certs/ca-certificates.crt").read_text()
    assert [f for f in path.rglob("*") if not f.is_symlink() and f.stat().st_mode & 0o7022] == [], "writable by others, or with set-id bits"
    uid, gid = (path / "etc" / "passwd").read_text().split(":")[2:4]
    assert f"{uid}:{gid}" == USER

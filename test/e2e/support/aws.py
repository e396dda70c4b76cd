"""Stand-ins for AWS: moto (for truth) and our simulator (for load, faults and counters)."""

import json
import re
import sys
import urllib.request
from pathlib import Path

from .paths import AWS_SIM
from .process import Process, environment, free_port, port_open


def http(url, body=None, timeout=120):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=timeout) as reply:
        return reply.read()


class Moto(Process):
    def __init__(self, folder, name="moto"):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        program = Path(sys.executable).with_name("moto_server")
        super().__init__([program, "-p", self.port, "-H", "127.0.0.1"], folder / f"{name}.log",
                         environment(folder, MOTO_IAM_LOAD_MANAGED_POLICIES="true"))
        self.wait_until(lambda: port_open(self.port), "listening", timeout=180)

    def reset(self):
        http(f"{self.url}/moto-api/reset", {})


class Sim(Process):
    """The simulator with an organization made from flags, e.g. Sim(folder, users=100, seed=7)."""

    def __init__(self, folder, name="sim", port=None, **flags):
        log = folder / f"{name}.log"
        log.unlink(missing_ok=True)
        argv = [AWS_SIM, "--listen", f"127.0.0.1:{port or 0}"]
        for flag, value in flags.items():
            argv += [f"--{flag.replace('_', '-')}"] + ([] if value is True else [value])
        super().__init__(argv, log, environment(folder))
        self.wait_until(self.said_port, "listening")
        self.port = int(self.said_port()[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def said_port(self):
        return re.search(r"listening on \S+:(\d+)\n", self.output())

    def get(self, path):
        return json.loads(http(f"{self.url}/sim/{path}"))

    def counters(self, by=None):
        """Calls per operation; by="account": for each account."""
        return self.get(f"counters?by={by}" if by else "counters")

    def assert_no_read_twice(self):
        """Of IAM, Organizations and the like; what all accounts answer alike (AWS's policies) is to be asked of one. The simulator
        leaves out what the rule leaves out: STS, report polling, answers with an error."""
        repeats = self.get("repeats?global=aws-policies")
        assert repeats["lost"] == 0
        assert repeats["repeats"] == [], json.dumps(repeats["repeats"], indent=1)[:4000]

    def requests(self, account=None):
        """Every request: op, params, status."""
        query = f"?account={account}" if account else ""
        return [json.loads(line) for line in http(f"{self.url}/sim/log{query}").decode().splitlines() if line]

    def truth(self, account=None):
        """The organization. Each account's policies hold the AWS-managed ones too, as its ListPolicies answers."""
        truth = self.get(f"truth?account={account}" if account else "truth")
        for a in truth["accounts"]:
            used = {p["arn"]: p for p in a.pop("aws_policies_used")}
            a["policies"] += [{**p, **used.get(p["arn"], {"attachments": 0, "boundaries": 0})} for p in truth["aws_policies"]]
        return truth

    def center(self):
        """The truth of Identity Center: tree, accounts, permission sets, assignments, directory, events."""
        return self.get("truth/identity-center")

    def rates(self):
        """How fast each service was called, and what was throttled of it."""
        return self.get("rates")

    def mutate(self, *mutations):
        """Changes the organization; see test/sim."""
        http(f"{self.url}/sim/mutate", list(mutations))

    def reset(self):
        """Forgets counters, log and faults."""
        http(f"{self.url}/sim/reset", {})

    def faults(self, *rules):
        """Replaces the fault rules; see test/sim."""
        http(f"{self.url}/sim/faults", list(rules))

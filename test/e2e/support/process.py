"""Programs under test as child processes: started on a free port, their output kept, always killed at the end."""

import os
import random
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from .paths import WORKER, WORKERS

GIVEN, GIVEN_LOCK = set(), threading.Lock()  # ports


def free_port():
    """Below the ports that outgoing connections get: what is killed and started again finds its port as it left it. (In between,
    one of those who try to reach it could be given that very port, and connect to itself.) No port is given twice, in no process of
    the tests: whoever has it may not have begun to listen yet, or be dead for a while."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    each = (lowest - 10000) // WORKERS
    first = 10000 + WORKER * each
    for _ in range(1000):
        port = random.randrange(first, first + each) if each > 300 else 0
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            port = s.getsockname()[1]
        with GIVEN_LOCK:
            if port in GIVEN:
                continue
            GIVEN.add(port)
        return port
    raise AssertionError("no free port")


def environment(home, **extra):
    """A small environment: nothing of the developer's AWS or BATON settings, but the sanitizers' options."""
    keep = {k: v for k, v in os.environ.items()
            if k in ("PATH", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV") or k.endswith("SAN_OPTIONS")}
    return {**keep, "HOME": str(home), "NO_PROXY": "*", **extra}


class Process:
    """One running program. `log` holds its stdout and stderr."""

    def __init__(self, argv, log: Path, env):
        self.argv, self.log, self.env = [str(a) for a in argv], log, env
        self.start()

    def start(self):
        """Done once already; does it again after the program has ended."""
        with open(self.log, "ab") as out:
            self.popen = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                          env=self.env, cwd=self.log.parent, start_new_session=True)

    @property
    def name(self):
        return Path(self.argv[0]).name

    def output(self):
        return self.log.read_text(errors="replace")

    def tail(self, lines=80):
        return "\n".join(self.output().splitlines()[-lines:])

    def wait_until(self, ready, what, timeout=120.0):
        """Polls ready() until it is true; fails when the process ends or the time is over."""
        deadline = time.monotonic() + timeout
        while not ready():
            rc = self.popen.poll()
            if rc is not None:
                raise AssertionError(f"{self.name} ended with {rc} before {what}:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name}: not {what} after {timeout} s:\n{self.tail()}")
            time.sleep(0.02)

    def signal(self, number):
        self.popen.send_signal(number)

    def wait(self, timeout=120.0):
        return self.popen.wait(timeout)

    def stop(self, timeout=60.0):
        """Asks it to end and gives its exit code; kills it when it does not obey."""
        if self.popen.poll() is None:
            self.signal(signal.SIGTERM)
            self.resume()
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.popen.returncode

    def kill(self):
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()

    def pause(self):
        """Alive for the kernel, dead for whoever waits for an answer."""
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def rss_kb(self):
        status = Path(f"/proc/{self.popen.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])


def port_open(port):
    with socket.socket() as s:
        s.settimeout(10)
        return s.connect_ex(("127.0.0.1", port)) == 0

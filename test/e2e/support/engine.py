"""The real sync engine (test/e2e/engine), built once per session."""

import fcntl
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .paths import E2E, WORK, WORKER

PROGRAM = WORK / f"enginesync-{WORKER}"


def go_problem():
    """Why the engine cannot be built here; None when it can."""
    go = shutil.which("go") or ("/usr/local/go/bin/go" if os.access("/usr/local/go/bin/go", os.X_OK) else None)
    if not go:
        return "go is not installed"
    text = subprocess.run([go, "version"], capture_output=True, text=True, env={**os.environ, "GOTOOLCHAIN": "local"}).stdout
    found = re.search(r"go(\d+)\.(\d+)", text)
    if not found or tuple(map(int, found.groups())) < (1, 21):
        return f"go is older than 1.21, which is the first to fetch the version the engine needs ({text.strip()})"
    return None


def build():
    """Compiles enginesync; Go's own cache makes a second time cheap. One process at a time, or they would do the same work at once."""
    go = shutil.which("go") or "/usr/local/go/bin/go"
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"}
    if os.environ.get("GOTOOLCHAIN", "auto") == "auto":
        env["GOTOOLCHAIN"] = "auto"
    with open(WORK / "enginesync.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run([go, "build", "-trimpath", "-o", str(PROGRAM), "."], cwd=E2E / "engine", env=env, check=True,
                       timeout=1200)


@dataclass
class Result:
    summary: dict     # what enginesync printed: ok, error, code, elapsed_ms, rpcs, servers, max_reply_bytes, counts
    dump: Path        # sorted JSON lines
    stderr: str       # warnings of the engine

    @property
    def ok(self):
        return self.summary["ok"]

    def lines(self):
        return self.dump.read_text().splitlines()


def sync(folder, target, *flags, workers=None, name="sync", timeout=1800):
    """Runs one sync against a server, or against a list of them in turn; never raises for a sync that fails."""
    c1z, dump = folder / f"{name}.c1z", folder / f"{name}.jsonl"
    c1z.unlink(missing_ok=True)
    target = target if isinstance(target, str) else ",".join(target)
    flags = [*flags, *(["--workers", str(workers)] if workers else [])]
    done = subprocess.run([str(PROGRAM), "--target", target, "--c1z", str(c1z), "--dump", str(dump), *flags],
                          capture_output=True, text=True, timeout=timeout, cwd=folder)
    (folder / f"{name}.log").write_text(done.stderr)
    assert done.stdout, f"enginesync said nothing, exit code {done.returncode}:\n{done.stderr}"
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["ok"] == (done.returncode == 0)
    return Result(summary, dump, done.stderr)

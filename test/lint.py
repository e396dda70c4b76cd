#!/usr/bin/env python3
"""Checks what no compiler sees: format, include rules, shell syntax. `./dev lint` runs it, `./dev fmt` is `--fix`.

Every finding is one line, `file:line: what is wrong`; the exit code is 1 when there is any.
"""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Versions of clang-format disagree; ours is Debian 12's, elsewhere the same one from PyPI.
CLANG_FORMAT = "14.0.6"

# A foreign API lives in one place. Folders end in a slash; test/ and bench/ are programs of their own.
HOMES = {
    "curl/": ["aws/http.c"],
    "expat.h": ["base/xml.c"],
    "grpc/": ["server/rpc.c", "server/client.c"],
    "hiredis": ["store/resp.c"],
    "jansson.h": ["base/json.c"],
    "microhttpd.h": ["server/admin.c"],
    "openssl/": ["aws/sigv4.c", "server/tls.c", "store/stream.c"],
    "protobuf-c/": ["proto/", "server/", "syncers/"],
    "yaml.h": ["server/yaml.c"],
    "zstd.h": ["store/redis_value.c"],
}


def files(*patterns):
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", *patterns], cwd=ROOT, check=True, text=True,
                         capture_output=True).stdout.splitlines()
    return [f for f in out if (ROOT / f).is_file()]


def clang_format():
    """The command of the right version, fetched into build/lint when the system has another one."""
    for name in ("clang-format-14", "clang-format"):
        found = shutil.which(name)
        if found and f"version {CLANG_FORMAT.split('.')[0]}." in subprocess.run([found, "--version"], capture_output=True,
                                                                                 text=True).stdout:
            return found
    venv = ROOT / "build" / "lint"
    tool = venv / "bin" / "clang-format"
    if not tool.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        subprocess.run([venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check",
                        f"clang-format=={CLANG_FORMAT}"], check=True)
    return str(tool)


def check_format(sources):
    done = subprocess.run([clang_format(), "--dry-run", "--ferror-limit=1", *sources], cwd=ROOT, capture_output=True, text=True)
    bad = re.findall(r"^(\S+?:\d+):\d+: warning: code should be clang-formatted", done.stderr, re.M)
    if done.returncode != 0:
        yield f"clang-format failed: {done.stderr.strip()[:500]}"
    seen = set()
    for where in bad:
        name = where.split(":")[0]
        if name not in seen:
            seen.add(name)
            yield f"{where}: not formatted (./dev fmt)"


def check_includes(sources):
    for name in sources:
        for n, line in enumerate((ROOT / name).read_text().splitlines(), 1):
            include = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
            if not include:
                continue
            quote, what = include.groups()
            if quote == '"' and (what.startswith(".") or "/../" in what):
                yield f"{name}:{n}: a relative include gets round the layers; write \"layer/header.h\""
            if quote == '"' or name.startswith(("test/", "bench/")):
                continue
            for api, homes in HOMES.items():
                if what.startswith(api) and not any(name == h or (h.endswith("/") and name.startswith(h)) for h in homes):
                    yield f"{name}:{n}: {what} belongs to {', '.join(homes)}"


def check_shell(scripts):
    for name in scripts:
        done = subprocess.run(["bash", "-n", name], cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            yield done.stderr.strip()


def main():
    parser = argparse.ArgumentParser(description="Checks format, include rules and shell syntax.")
    parser.add_argument("--fix", action="store_true", help="format in place, check nothing")
    args = parser.parse_args()
    sources = files("*.c", "*.h")
    if args.fix:
        return subprocess.run([clang_format(), "-i", *sources], cwd=ROOT).returncode
    findings = [*check_format(sources), *check_includes(sources), *check_shell(["dev", ".ci/run"])]
    for finding in findings:
        print(finding)
    print(f"lint: {len(sources)} C files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

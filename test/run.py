#!/usr/bin/env python3
"""Runs every test of a built tree: what ctest knows (unit tests, fuzz corpora), then the end-to-end tests.

    test/run.py [--preset dev] [--only unit|e2e] [--unit-too asan]... [-- pytest arguments]

`./dev test` builds and calls this. The last line counts: "N passed, N failed, N skipped". Skips are told with their
reasons; with CI=true a skip is a failure.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
E2E = ROOT / "test" / "e2e"

SANITIZER_OPTIONS = {
    "asan": {"ASAN_OPTIONS": "detect_leaks=1:exitcode=99", "LSAN_OPTIONS": f"suppressions={ROOT / 'test' / 'leaks.supp'}:print_suppressions=0",
             "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99"},
    "tsan": {"TSAN_OPTIONS": "ignore_noninstrumented_modules=1:halt_on_error=1:exitcode=99"},
}


class Tally:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], []

    def add_junit(self, file, source):
        """Counts the cases of a JUnit file. A test that fails and whose teardown fails too is one failure."""
        cases = {}
        for case in ET.parse(file).getroot().iter("testcase"):
            name = f"{source}: " + "::".join(filter(None, (case.get("classname"), case.get("name"))))
            state, reason = "passed", ""
            for child in case:
                if child.tag in ("failure", "error"):
                    state = "failed"
                elif child.tag == "skipped" and state == "passed":
                    state, reason = "skipped", child.get("message") or (child.text or "").strip()
            if cases.get(name, ("passed",))[0] != "failed":
                cases[name] = (state, reason)
        for name, (state, reason) in cases.items():
            if state == "passed":
                self.passed += 1
            elif state == "failed":
                self.failed.append(name)
            else:
                self.skipped.append((name, reason))
        return len(cases)


def run_unit(build, tally, source="unit"):
    report = build / "ctest.xml"
    report.unlink(missing_ok=True)
    subprocess.run(["ctest", "--test-dir", build, "--output-on-failure", "--no-tests=error", "-j", str(os.cpu_count() or 1),
                    "--output-junit", report], check=False)
    if not report.exists() or not tally.add_junit(report, source):
        tally.failed.append(f"{source}: ctest gave no result for {build}")


def virtualenv():
    """build/venv with what requirements.txt pins; made once, renewed when the file changes."""
    venv, wanted = ROOT / "build" / "venv", E2E / "requirements.txt"
    python, stamp = venv / "bin" / "python", venv / "requirements.sha256"
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == digest:
        return python
    print("preparing the Python packages of the end-to-end tests", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", wanted], check=True)
    stamp.write_text(digest)
    return python


def run_e2e(build, preset, extra, tally):
    try:
        python = virtualenv()
    except (OSError, subprocess.CalledProcessError) as problem:
        tally.failed.append(f"e2e: no Python environment: {problem}")
        return
    report = build / "pytest.xml"
    report.unlink(missing_ok=True)
    env = {**os.environ, **SANITIZER_OPTIONS.get(preset, {}), "BATON_AWSD": str(build / "baton-awsd"),
           "AWS_SIM": str(build / "aws-sim"), "PYTHONDONTWRITEBYTECODE": "1"}
    workers = (os.cpu_count() or 1) + 1  # most of a test's time is waiting; a file's tests share things, so they stay together
    subprocess.run([python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(workers), "--dist", "loadfile",
                    f"--junitxml={report}", E2E, *extra], env=env, cwd=ROOT, check=False)
    if not report.exists() or not tally.add_junit(report, "e2e"):
        tally.failed.append("e2e: pytest gave no result")


def main():
    parser = argparse.ArgumentParser(description="Runs every test of a built tree.")
    parser.add_argument("--preset", default="dev", help="build/<preset> is tested (default: dev)")
    parser.add_argument("--only", choices=["unit", "e2e"], help="leave the other half out")
    parser.add_argument("--unit-too", metavar="PRESET", action="append", default=[],
                        help="run the unit tests of build/<PRESET>, too (for the sanitizers)")
    parser.add_argument("extra", nargs="*", help="arguments for pytest, after --")
    args = parser.parse_args()
    build, tally = ROOT / "build" / args.preset, Tally()
    if not build.is_dir():
        parser.error(f"{build} does not exist: build it first")

    if args.only != "e2e":
        run_unit(build, tally)
    for preset in args.unit_too:
        run_unit(ROOT / "build" / preset, tally, f"unit ({preset})")
    if args.only != "unit":
        run_e2e(build, args.preset, args.extra, tally)

    ci = os.environ.get("CI") == "true"
    print()
    for name, reason in tally.skipped:
        print(f"skipped: {name}: {reason}")
    for name in tally.failed:
        print(f"failed: {name}")
    if ci and tally.skipped:
        print("a skip is a failure here, because CI=true")
    print(f"{tally.passed} passed, {len(tally.failed)} failed, {len(tally.skipped)} skipped")
    return 1 if tally.failed or not tally.passed or (ci and tally.skipped) else 0


if __name__ == "__main__":
    sys.exit(main())

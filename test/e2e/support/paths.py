"""Where things lie. Everything made by the tests goes to build/e2e."""

import os
from pathlib import Path

E2E = Path(__file__).resolve().parent.parent
ROOT = E2E.parent.parent
WORK = ROOT / "build" / "e2e"

# The tests run in several processes: which one this is, and of how many.
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))

# The preset under test: BATON_AWSD names the program, the simulator lies beside it unless AWS_SIM names it.
BATON_AWSD = Path(os.environ.get("BATON_AWSD") or ROOT / "build" / "dev" / "baton-awsd")
AWS_SIM = Path(os.environ.get("AWS_SIM") or BATON_AWSD.parent / "aws-sim")

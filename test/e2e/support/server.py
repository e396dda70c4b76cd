"""baton-awsd as a child process."""

import os
import re
import urllib.request

from .paths import BATON_AWSD
from .process import Process, environment, free_port
from .wire import Client

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAE2EE2EE2EE2EE2E0", "AWS_SECRET_ACCESS_KEY": "e2e-secret"}


class Server(Process):
    """Listens on a free loopback port unless `listen` says otherwise; ready when it answers a health check. admin=True: has /metrics."""

    def __init__(self, folder, aws=None, *flags, listen=None, env=None, name="server", admin=False):
        self.target = listen or f"127.0.0.1:{free_port()}"
        self.admin = f"127.0.0.1:{free_port()}" if admin else None
        flags = [*flags, *(["--admin-listen", self.admin] if admin else [])]
        settings = {"AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", **CREDENTIALS}
        if aws:
            settings["AWS_ENDPOINT_URL"] = aws
        settings.update(env or {})
        settings = {k: v for k, v in settings.items() if v is not None}
        super().__init__([BATON_AWSD, "serve", "--listen", self.target, *flags], folder / f"{name}.log",
                         environment(folder, **settings))

    def client(self, credentials=None, **kwargs):
        return Client(self.target, credentials, **kwargs)

    def wait_listening(self, credentials=None):
        client = self.client(credentials)
        try:
            self.wait_until(lambda: client.health() is not None, "answering", timeout=patience(60))
        finally:
            client.close()
        return self

    def wait_serving(self, credentials=None):
        """Healthy means: it knows who it is at AWS."""
        client = self.client(credentials)
        try:
            self.wait_until(lambda: client.health() == "SERVING", "SERVING", timeout=patience(120))
        finally:
            client.close()
        return self

    def metrics(self):
        """{"name" or 'name{label="..."}': number}"""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{self.admin}/metrics", timeout=60) as reply:
            text = reply.read().decode()
        return {name: float(value) for name, value in re.findall(r"^([a-z_]+(?:\{[^}]*\})?) (\S+)$", text, re.M)}

    def said(self, *texts, level="warn"):
        """Its lines of that level that contain all the texts."""
        return [line for line in self.output().splitlines() if f'"level":"{level}"' in line and all(t in line for t in texts)]


def patience(seconds):
    """Time limits stretch where the program under test is slow on purpose (sanitizers)."""
    return seconds * (5 if any(k in os.environ for k in ("ASAN_OPTIONS", "TSAN_OPTIONS")) else 1)

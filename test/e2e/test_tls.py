"""The transport's TLS: whom it trusts, and what it says when it does not."""

import http.server
import ssl
import subprocess
import threading

import pytest

from support.paths import BATON_AWSD

GET = BATON_AWSD.parent / "test" / "http-get"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b"x" * 300000
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def make_certificate(folder, name, host):
    key, cert = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", f"/CN={host}", "-addext", f"subjectAltName={host}", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )
    return cert, key


@pytest.fixture
def serve():
    servers = []

    def start(cert, key, most=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        if most:
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = most
            context.set_ciphers("DEFAULT@SECLEVEL=0")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"https://127.0.0.1:{server.server_address[1]}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def get(url, n=1, ca=""):
    run = subprocess.run([GET, url, str(n), ca], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


def test_trusts_its_bundle(serve, tmp_path):
    cert, key = make_certificate(tmp_path, "server", "IP:127.0.0.1")
    url = serve(cert, key)
    lines = get(url, 40, str(cert))
    assert lines[:-1] == ["200 300000"] * 40
    assert int(lines[-1].removeprefix("connections ")) <= 32


def test_trusts_nobody_else(serve, tmp_path):
    """A certificate that does not verify is final: it will not verify in a second either."""
    cert, key = make_certificate(tmp_path, "server", "IP:127.0.0.1")
    other, _ = make_certificate(tmp_path, "other", "IP:127.0.0.1")
    url = serve(cert, key)
    for ca in ("", str(other)):
        (line, _) = get(url, 1, ca)
        assert line.startswith("UNAVAILABLE 0 127.0.0.1:"), line
        assert "certificate" in line, line


def test_wrong_host(serve, tmp_path):
    cert, key = make_certificate(tmp_path, "server", "DNS:iam.amazonaws.com")
    (line, _) = get(serve(cert, key), 1, str(cert))
    assert line.startswith("UNAVAILABLE 0 "), line


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_is_refused(serve, tmp_path):
    cert, key = make_certificate(tmp_path, "server", "IP:127.0.0.1")
    (line, _) = get(serve(cert, key, ssl.TLSVersion.TLSv1_1), 1, str(cert))
    assert line.startswith("UNAVAILABLE "), line

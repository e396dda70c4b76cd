"""What may stand between the server and AWS: a proxy, and an AWS that speaks TLS under any host name.

The front end answers for every host and hands the requests on to the simulator, as they are; the proxy leads every tunnel to the front
end, wherever it was to go. Both remember what passed.
"""

import http.client
import http.server
import re
import select
import socket
import socketserver
import ssl
import threading
import time


class FrontHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        front = self.server.front
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        scope = self.headers.get("Authorization", "").partition("Credential=")[2].partition(",")[0]
        front.seen.append((self.headers["Host"], "/".join(scope.split("/")[2:4])))
        path = self.path[self.path.index("/", 8):] if self.path.startswith("http://") else self.path
        upstream = http.client.HTTPConnection("127.0.0.1", front.sim.port, timeout=30)
        upstream.putrequest("POST", path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("proxy-connection", "connection"):
                upstream.putheader(name, value)
        upstream.endheaders(body)
        reply = upstream.getresponse()
        data = reply.read()
        front.sessions += re.findall(r"<(?:AccessKeyId>(?=ASIA)|SecretAccessKey>|SessionToken>)([^<]+)<", data.decode(errors="replace"))
        self.send_response(reply.status)
        for name in ("Content-Type", "x-amzn-RequestId", "Date"):
            if reply.getheader(name):
                self.send_header(name, reply.getheader(name))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        upstream.close()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass  # a client that does not like our certificate


class Front:
    """seen: (host, "region/service" of the signature) of each request; sessions: keys, secrets and tokens that STS gave away.
    certificate None: plain HTTP, as a proxy gets it."""

    def __init__(self, sim, certificate=None):
        self.sim, self.seen, self.sessions = sim, [], []
        self.server = Server(("127.0.0.1", 0), FrontHandler)
        self.server.front = self
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class RelayHandler(socketserver.BaseRequestHandler):
    def handle(self):
        relay = self.server.relay
        with socket.create_connection(("127.0.0.1", relay.upstream)) as far:
            there = threading.Thread(target=self.pump, args=(self.request, far, relay.seconds), daemon=True)
            there.start()
            self.pump(far, self.request, relay.seconds)
            there.join()

    @staticmethod
    def pump(near, far, seconds):
        try:
            while data := near.recv(65536):
                time.sleep(seconds)
                far.sendall(data)
            far.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Relay:
    """A long way to a port: whatever is sent, either way, is some seconds late."""

    def __init__(self, upstream, seconds):
        self.upstream, self.seconds = upstream, seconds
        self.server = ThreadingTCPServer(("127.0.0.1", 0), RelayHandler)
        self.server.relay = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class ProxyHandler(socketserver.StreamRequestHandler):
    def handle(self):
        proxy = self.server.proxy
        method, target, _ = self.rfile.readline().decode().split(" ")
        headers = http.client.parse_headers(self.rfile)
        proxy.tunnels.append(target)
        proxy.authorization.append(headers.get("Proxy-Authorization"))
        if method != "CONNECT":
            self.wfile.write(b"HTTP/1.1 405 Only tunnels\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", proxy.front.port)) as far:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            self.pump(self.connection, far)

    @staticmethod
    def pump(near, far):
        while True:
            ready, _, _ = select.select([near, far], [], [], 60)
            for end in ready:
                data = end.recv(65536)
                if not data:
                    return
                (far if end is near else near).sendall(data)
            if not ready:
                return


class ThreadingTCPServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        pass


class Proxy:
    """tunnels: where the clients wanted to go ("sts.us-east-1.amazonaws.com:443")."""

    def __init__(self, front):
        self.front, self.tunnels, self.authorization = front, [], []
        self.server = ThreadingTCPServer(("127.0.0.1", 0), ProxyHandler)
        self.server.proxy = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

"""Redis as the tests want it: real servers on loopback ports and UNIX sockets; alone, watched by Sentinels, or as a Cluster.

Nothing is persisted: what was killed and started again is empty. `redis` is the client library, from PyPI.
"""

import time

import redis
from redis.crc import key_slot

from .process import Process, environment, free_port


def wait_for(ready, what, timeout=120.0):
    """Polls until ready() gives something, and gives it. A Redis that does not answer yet is not ready."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            if found := ready():
                return found
        except redis.RedisError:
            pass
        assert time.monotonic() < deadline, f"not {what} after {timeout} s"
        time.sleep(0.02)


def config_text(settings):
    """One line a setting; a list is several of them, a bool yes or no."""
    lines = []
    for name, value in settings.items():
        for one in value if isinstance(value, list) else [value]:
            text = {True: "yes", False: "no"}.get(one, one) if isinstance(one, bool) else one
            lines.append(f"{name.replace('_', '-')} {text}")
    return "\n".join(lines) + "\n"


class Redis(Process):
    """One server. What stands in **config goes to its configuration file, with _ for -.

    password    of the default user
    users       {name: (password, "rules of an ACL")}
    tls         an Authority: TLS only, with a certificate of its own; client_certificates=True wants one of each client
    socket      True: listens on a UNIX socket as well, `.socket`
    """

    def __init__(self, folder, name="redis", *, port=None, password=None, users=None, tls=None, client_certificates=False,
                 socket=False, hosts=(), program="redis-server", **config):
        self.port, self.password, self.users = port or free_port(), password, users or {}
        self.authority, self.folder, self.config_file = tls, folder, folder / f"{name}.conf"
        self.socket = folder / f"{name}.sock" if socket else None
        settings = {"bind": "127.0.0.1", "dir": folder, "port": 0 if tls else self.port, "save": '""', "appendonly": False,
                    "dbfilename": f"{name}.rdb", "repl_diskless_sync_delay": 0, "enable_debug_command": "yes"}
        if program == "redis-sentinel":
            settings = {k: settings[k] for k in ("bind", "dir", "port")}
        if password:
            settings["requirepass"] = f'"{password}"'
        if self.users:
            settings["user"] = [f'{user} on ">{secret}" {rules}' for user, (secret, rules) in self.users.items()]
        if tls:
            cert, key = tls.issue(name, hosts)
            settings |= {"tls_port": self.port, "tls_cert_file": cert, "tls_key_file": key, "tls_ca_cert_file": tls.ca,
                         "tls_auth_clients": client_certificates}
        if socket:
            assert len(str(self.socket)) < 108, f"{self.socket}: too long for the address of a socket"
            settings |= {"unixsocket": self.socket, "unixsocketperm": 700}
        self.config_file.write_text(config_text({**settings, **config}))
        super().__init__([program, self.config_file], folder / f"{name}.log", environment(folder))
        self.wait_ready()

    def wait_ready(self):
        try:
            self.wait_until(self._answers, "answering")
        except AssertionError:
            self.kill()
            raise
        return self

    def _answers(self):
        try:
            return self.client().ping()
        except redis.RedisError:
            return False

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def client(self, **more):
        """Of the client library, as the default user, with database 0 unless db says otherwise; text comes as bytes."""
        options = {"host": "127.0.0.1", "port": self.port, "password": self.password, "protocol": 2, "socket_timeout": 60,
                   "retry": redis.retry.Retry(redis.backoff.NoBackoff(), 0)}
        if self.authority:
            cert, key = self.folder / "test-client.pem", self.folder / "test-client.key"
            if not cert.exists():
                self.authority.issue("test-client")
                if self.authority.folder != self.folder:
                    cert, key = self.authority.folder / cert.name, self.authority.folder / key.name
            options |= {"ssl": True, "ssl_ca_certs": str(self.authority.ca), "ssl_certfile": str(cert), "ssl_keyfile": str(key)}
            if self.authority.expired:
                options |= {"ssl_cert_reqs": "none", "ssl_check_hostname": False}
        return redis.Redis(**{**options, **more})

    def ask(self, *command):
        """The reply as it came, without what the library makes of it, over a connection of its own."""
        with self.client() as client:
            connection = client.connection_pool.get_connection()
            connection.send_command(*command)
            return connection.read_response(timeout=60)

    def restart(self):
        """As after kill -9 and a new start: on the same port, and empty."""
        self.kill()
        self.start()
        return self.wait_ready()

    def stop(self, timeout=20.0):
        self.kill()  # there is nothing to save
        return 0

    def role(self):
        return self.ask("ROLE")[0].decode()

    def command_counts(self):
        """{command: calls} since the start or the last CONFIG RESETSTAT, of all clients."""
        stats = self.client().info("commandstats")
        return {name.removeprefix("cmdstat_"): n["calls"] for name, n in stats.items()}


class Sentinels:
    """A master with replicas, and those who watch it. `.redis` are the servers in the order of their making, `.sentinels` the others."""

    def __init__(self, folder, *, name="main", replicas=1, sentinels=1, password=None, sentinel_password=None, add=lambda p: p):
        self.name, self.quorum = name, sentinels // 2 + 1
        more = {"masterauth": f'"{password}"'} if password else {}
        first = add(Redis(folder, "redis0", password=password, **more))
        self.redis = [first] + [
            add(Redis(folder, f"redis{i}", password=password, replicaof=f"127.0.0.1 {first.port}", **more))
            for i in range(1, replicas + 1)]
        for replica in self.redis[1:]:
            wait_for(lambda r=replica: r.client().info("replication")["master_link_status"] == "up", "a replica in step")
        # Nobody is taken for dead but who was killed: see kill_master.
        watch = {"sentinel": [f"monitor {name} 127.0.0.1 {first.port} {self.quorum}", f"down-after-milliseconds {name} 60000",
                              f"failover-timeout {name} 10000"] + ([f'auth-pass {name} "{password}"'] if password else [])}
        self.sentinels = [add(Redis(folder, f"sentinel{i}", password=sentinel_password, program="redis-sentinel", **watch))
                          for i in range(sentinels)]
        # Their intervals are for networks: 10 s between two questions about replicas. What is older than five pings is not believed.
        for s in self.sentinels:
            s.ask("SENTINEL", "DEBUG", "INFO-PERIOD", 300, "PING-PERIOD", 400, "ASK-PERIOD", 100, "PUBLISH-PERIOD", 200)
        for s in self.sentinels:
            wait_for(lambda s=s: self._knows(s, "num-slaves") == replicas and self._knows(s, "num-other-sentinels") == sentinels - 1,
                     "everybody known to the sentinels")

    def _knows(self, sentinel, what):
        row = sentinel.ask("SENTINEL", "MASTER", self.name)
        return int(dict(zip(row[::2], row[1::2]))[what.encode()])

    @property
    def processes(self):
        return self.redis + self.sentinels

    @property
    def addresses(self):
        """Of the sentinels."""
        return [s.address for s in self.sentinels]

    def master(self):
        """The server that the sentinels call the master and that says so itself; None in between."""
        for s in self.sentinels:
            if s.popen.poll() is not None:
                continue
            row = s.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.name)
            for r in self.redis:
                if row and int(row[1]) == r.port and r.popen.poll() is None and r.role() == "master":
                    return r
        return None

    def failover(self):
        """Ordered: a replica becomes the master, the master its replica. Gives the new master."""
        old = wait_for(self.master, "a master")
        wait_for(self._order_failover, "a failover begun")
        new = self.wait_for_another_than(old)
        wait_for(lambda: old.role() == "slave", "the old master a replica")
        return new

    def _order_failover(self):
        alive = next(s for s in self.sentinels if s.popen.poll() is None)
        return alive.ask("SENTINEL", "FAILOVER", self.name)

    def kill_master(self):
        """Found out by the sentinels. Gives the new master; the old one stays dead until restart()."""
        old = wait_for(self.master, "a master")
        old.kill()
        for s in self.sentinels:
            if s.popen.poll() is None:
                s.ask("SENTINEL", "SET", self.name, "down-after-milliseconds", 500)
        return self.wait_for_another_than(old)

    def wait_for_another_than(self, old):
        def another():
            now = self.master()
            return now if now is not old else None
        return wait_for(another, "another master")


class Cluster:
    """Masters that share the slots evenly."""

    def __init__(self, folder, *, masters=3, password=None, add=lambda p: p, **config):
        self.nodes = []
        for i in range(masters):
            more = {"masterauth": f'"{password}"'} if password else {}
            self.nodes.append(add(Redis(folder, f"node{i}", password=password, cluster_enabled=True, cluster_port=free_port(),
                                        cluster_config_file=f"nodes{i}.conf", cluster_node_timeout=15000, **more, **config)))
        for i, node in enumerate(self.nodes):
            first, end = 16384 * i // masters, 16384 * (i + 1) // masters
            node.ask("CLUSTER", "ADDSLOTSRANGE", first, end - 1)
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", i + 1)
        for node in self.nodes[1:]:
            bus = int(node.client().config_get("cluster-port")["cluster-port"])
            self.nodes[0].ask("CLUSTER", "MEET", "127.0.0.1", node.port, bus)
        wait_for(lambda: all(self._complete(node) for node in self.nodes), "a complete cluster")

    def _complete(self, node):
        info = dict(line.split(":") for line in node.ask("CLUSTER", "INFO").decode().split())
        return info["cluster_state"] == "ok" and int(info["cluster_known_nodes"]) == len(self.nodes)

    @property
    def processes(self):
        return self.nodes

    @property
    def addresses(self):
        return [node.address for node in self.nodes]

    @staticmethod
    def slot(key):
        return key_slot(key if isinstance(key, bytes) else key.encode())

    @staticmethod
    def node_id(node):
        return node.ask("CLUSTER", "MYID").decode()

    def owner(self, slot):
        for first, last, (_, port, *_), *_ in self.nodes[0].ask("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(n for n in self.nodes if n.port == port)
        raise AssertionError(f"nobody has slot {slot}")

    def migrate(self, slot, to=None):
        """The slot goes to another node, keys and all: whoever asks the old one is told MOVED."""
        move = Migration(self, slot, to)
        move.keys()
        return move.finish()

    def keys(self):
        """All keys, of all nodes."""
        return [key for node in self.nodes for key in node.client().scan_iter(count=1000)]


class Migration:
    """A slot on its way: the old node answers ASK for keys that are no more there, and TRYAGAIN for several keys of which some are."""

    def __init__(self, cluster, slot, to=None):
        self.slot, self.source, self.cluster = slot, cluster.owner(slot), cluster
        self.target = to or next(n for n in cluster.nodes if n is not self.source)
        self.target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", cluster.node_id(self.source))
        self.source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", cluster.node_id(self.target))

    def keys(self, limit=1_000_000):
        """Moves that many keys, and gives them."""
        keys = self.source.ask("CLUSTER", "GETKEYSINSLOT", self.slot, limit)
        if keys:
            auth = ["AUTH", self.target.password] if self.target.password else []
            self.source.ask("MIGRATE", "127.0.0.1", self.target.port, "", 0, 60000, "REPLACE", *auth, "KEYS", *keys)
        return keys

    def finish(self):
        """New keys may have come meanwhile; then everybody is told the new owner."""
        self.keys()
        for node in (self.target, self.source, *self.cluster.nodes):
            node.ask("CLUSTER", "SETSLOT", self.slot, "NODE", self.cluster.node_id(self.target))
        return self.target

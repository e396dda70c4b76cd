"""Between the server and Redis: counts and remembers every command, and does to the n-th of them what a test wants.

Commands of one connection are handed on one by one, pipelined or not, and each reply is awaited, so that a fault hits the reply
of exactly one command. A thread for each connection; the rules and the record have one lock.
"""

import random
import socket
import struct
import threading
from dataclasses import dataclass

from .process import free_port

# --- RESP 2 as bytes ---


class Closed(Exception):
    """The other end is gone, or we are to be."""


class Stream:
    """Reads a socket by lines and lengths."""

    def __init__(self, sock):
        self.sock, self.pending = sock, bytearray()

    def _more(self):
        try:
            data = self.sock.recv(1 << 16)
        except OSError as problem:
            raise Closed(str(problem)) from None
        if not data:
            raise Closed("end of the stream")
        self.pending += data

    def line(self):
        """With its CR LF."""
        while (end := self.pending.find(b"\r\n")) < 0:
            self._more()
        return self.take(end + 2)

    def take(self, n):
        while len(self.pending) < n:
            self._more()
        data = bytes(self.pending[:n])
        del self.pending[:n]
        return data

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as problem:
            raise Closed(str(problem)) from None

    def value(self):
        """One value, whole, as it stands on the wire."""
        line = self.line()
        kind, rest = line[:1], line[1:-2]
        if kind in b"+-:":
            return line
        if kind == b"$":
            return line + (self.take(int(rest) + 2) if int(rest) >= 0 else b"")
        assert kind == b"*", f"not RESP 2: {line[:80]!r}"
        return line + b"".join(self.value() for _ in range(int(rest)))

    def command(self):
        """(its words, as it stands on the wire)"""
        line = self.line()
        assert line[:1] == b"*", f"not a command: {line[:80]!r}"
        words, raw = [], line
        for _ in range(int(line[1:-2])):
            head = self.line()
            word = self.take(int(head[1:-2]) + 2)
            words.append(word[:-2])
            raw += head + word
        return words, raw


def bulks(reply):
    """(begin, end) of the payload of each bulk string in a reply, those in arrays too."""
    found, at = [], 0
    while at < len(reply):
        end = reply.index(b"\r\n", at)
        kind, rest = reply[at:at + 1], reply[at + 1:end]
        at = end + 2
        if kind == b"$" and int(rest) >= 0:
            found.append((at, at + int(rest)))
            at += int(rest) + 2
    return found


# --- faults ---

WITH_KEYS_BEHIND_A_COUNT = {"EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL"}

# What may happen to a command, and what it needs beside `mode`.
MODES = {
    "close": "the connection, before the command has gone on",
    "close-after": "it has gone on and was done, but its reply is not handed back",
    "error": "text: the reply, e.g. 'OOM command not allowed'; the command has not gone on",
    "garbage": "bytes that are no RESP",
    "truncated": "half the reply, then the end of the connection",
    "huge-bulk": "a length of ten gigabytes, and nothing more",
    "huge-array": "two billion elements, and nothing more",
    "deep": "an array in an array in an array ...: 100,000",
    "wrong-type": "an integer where text is due, an array where a status is, ...",
    "corrupt": "the right reply, a bit of one of its bulk strings flipped",
    "twice": "the right reply, and once more: all later ones are shifted",
    "nil": "nothing there, instead of a bulk string",
    "stall": "never an answer",
    "slow": "seconds: the right reply, later; of commands sent together only the first is late, as over a long way",
}


@dataclass
class Rule:
    mode: str
    nth: int = 0              # the n-th of those that match; 0: see `every`, `after`
    every: int = 0            # each k-th
    after: int = 0            # those behind the n-th
    commands: frozenset = frozenset()   # names; empty: all
    text: str = "ERR asked for"
    seconds: float = 0.3
    seen: int = 0             # commands that matched
    applied: int = 0

    def wants(self, name):
        if self.commands and name not in self.commands:
            return False
        self.seen += 1
        hit = self.seen == self.nth if self.nth else self.seen > self.after and (
            not self.every or (self.seen - self.after) % self.every == 0)
        self.applied += hit
        return hit


@dataclass(frozen=True)
class Command:
    n: int             # from 1, over all connections
    connection: int    # from 1
    name: str
    key: bytes         # the first; empty: none
    size: int          # bytes on the wire
    fault: str = ""


class RedisProxy:
    """Listens on .port for as long as it is not closed; hands on to the port of a Redis, which may change (`upstream`)."""

    def __init__(self, upstream, seed=1, keep=False):
        self.upstream, self.dice = upstream, random.Random(seed)
        self.keep, self.words = keep, []  # keep: `words` has every word of every command
        self.lock, self.released = threading.Lock(), threading.Event()
        self.rules, self.record, self.connections, self.live = [], [], 0, set()
        self.problems = []
        self.listener, self.port = None, free_port()
        self.accept()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    # --- what tests say ---

    def fault(self, mode, **which):
        """fault("close", nth=3), fault("error", text="OOM ...", commands={"SET"}), fault("slow", seconds=0.3): see Rule. Of several rules
        the first that fits."""
        assert mode in MODES, mode
        rule = Rule(mode, **{k: frozenset(v) if k == "commands" else v for k, v in which.items()})
        with self.lock:
            self.rules.append(rule)
        return rule

    def clear(self):
        """No more faults; who was stalled loses the connection."""
        with self.lock:
            self.rules = []
            self.released.set()
            self.released = threading.Event()

    def reset(self):
        """clear(), and the record is empty: the next command is the first."""
        self.clear()
        with self.lock:
            self.record = []

    @property
    def commands(self):
        """Command by command, what came so far."""
        with self.lock:
            return list(self.record)

    def refuse(self):
        """Nobody gets in any more, and who was in is out."""
        listener, self.listener = self.listener, None
        if listener:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.drop()

    def accept(self):
        """After refuse(): on the same port again."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(128)
        self.listener = listener
        threading.Thread(target=self._serve, args=(listener,), daemon=True).start()

    def drop(self):
        """Every connection there is."""
        with self.lock:
            live = list(self.live)
        for sock in live:
            shut(sock)

    def close(self):
        self.refuse()
        self.clear()
        assert not self.problems, self.problems

    # --- the way of a command ---

    def _serve(self, listener):
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.connections += 1
                self.live.add(near)
                number = self.connections
            threading.Thread(target=self._connection, args=(near, number), daemon=True).start()

    def _connection(self, near, number):
        far = None
        try:
            far = socket.create_connection(("127.0.0.1", self.upstream), timeout=60)
            far.settimeout(None)
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.live.add(far)
            client, server = Stream(near), Stream(far)
            while True:
                alone = not client.pending
                words, raw = client.command()
                self._one(client, server, number, words, raw, alone)
        except (Closed, OSError):
            pass
        except Exception as problem:  # noqa: BLE001  a fault of ours: told by close()
            self.problems.append(repr(problem))
        finally:
            with self.lock:
                self.live -= {near, far}
            for sock in (near, far):
                if sock:
                    shut(sock)
                    sock.close()

    def _one(self, client, server, number, words, raw, alone):
        name = words[0].decode(errors="replace").upper()
        at = 3 if name in WITH_KEYS_BEHIND_A_COUNT else 1
        key = words[at] if len(words) > at else b""
        with self.lock:
            rule = next((r for r in self.rules if r.wants(name)), None)
            mode, released = (rule.mode if rule else ""), self.released
            self.record.append(Command(len(self.record) + 1, number, name, key, len(raw), mode))
            self.words += words if self.keep else []
        if mode == "close":
            reset(client.sock)
            raise Closed(mode)
        if mode == "stall":
            released.wait()
            raise Closed(mode)
        if mode == "slow" and alone:
            released.wait(rule.seconds)
        made_up = self._made_up(rule) if rule else None
        if made_up is not None:
            client.send(made_up)
            return
        server.send(raw)
        reply = server.value()
        if mode == "close-after":
            raise Closed(mode)
        if mode == "truncated":
            client.send(reply[:max(1, len(reply) // 2)])
            raise Closed(mode)
        client.send(self._spoilt(mode, reply))

    def _made_up(self, rule):
        """The reply of a command that is not handed on; None: it is."""
        if rule.mode == "garbage":
            with self.lock:
                return b"\x00\xff?garbage" + self.dice.randbytes(200) + b"\r\n"
        return {"error": f"-{rule.text}\r\n".encode(), "huge-bulk": b"$9999999999\r\nabc", "nil": b"$-1\r\n",
                "huge-array": b"*2147483647\r\n$1\r\na\r\n", "deep": b"*1\r\n" * 100_000 + b":1\r\n"}.get(rule.mode)

    def _spoilt(self, mode, reply):
        if mode == "twice":
            return reply + reply
        if mode == "wrong-type":
            return {b"$": b":7\r\n", b"+": b"*0\r\n", b":": b"$3\r\nabc\r\n", b"*": b"+OK\r\n", b"-": b"+OK\r\n"}[reply[:1]]
        if mode == "corrupt":
            spans = [s for s in bulks(reply) if s[1] > s[0]]
            if spans:
                spoilt = bytearray(reply)
                with self.lock:
                    begin, end = self.dice.choice(spans)
                    spoilt[self.dice.randrange(begin, end)] ^= 1 << self.dice.randrange(8)
                return bytes(spoilt)
        return reply


def shut(sock):
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def reset(sock):
    """Closes with a TCP reset, the rude way."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

"""The wire contract from our own .proto files, and a client that sends messages or raw bytes.

Message classes are made at run time from a descriptor set, so nothing generated has to match a protobuf version.
"""

import json
import subprocess
from functools import cache

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

from .paths import ROOT, WORK, WORKER

PROTO = ROOT / "proto"
V2 = "c1.connector.v2."


@cache
def pool():
    out = WORK / f"contract-{WORKER}.pb"
    out.parent.mkdir(parents=True, exist_ok=True)
    files = sorted(str(p.relative_to(PROTO)) for p in PROTO.rglob("*.proto"))
    subprocess.run(["protoc", f"-I{PROTO}", "--include_imports", f"--descriptor_set_out={out}", *files], check=True)
    p = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file:
        p.Add(file)
    return p


def cls(name):
    """Message class by name; without a package it is one of c1.connector.v2."""
    full = name if "." in name and not name[0].isupper() else V2 + name
    return message_factory.GetMessageClass(pool().FindMessageTypeByName(full))


def msg(name, **fields):
    return cls(name)(**fields)


def parse(name, text):
    """A message from protobuf JSON."""
    return json_format.Parse(text if isinstance(text, str) else json.dumps(text), cls(name)(), descriptor_pool=pool())


def to_dict(message):
    return json_format.MessageToDict(message, descriptor_pool=pool())


def pack(message):
    any_ = cls("google.protobuf.Any")()
    any_.Pack(message)
    return any_


def unpack(any_):
    """The message inside an Any."""
    m = cls(any_.type_url.rsplit("/", 1)[-1])()
    assert any_.Unpack(m)
    return m


def rid(kind, resource):
    return msg("ResourceId", resource_type=kind, resource=resource)


def status_details(error):
    """The details of a failed call; their status must repeat the call's code."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = cls("google.rpc.Status").FromString(value)
            assert status.code == error.code().value[0]
            return [unpack(d) for d in status.details]
    return []


# A server that is not there yet is looked for again after 0.1 s; gRPC would let a second pass.
OPTIONS = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0),
           ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 1000)]


class Client:
    """Calls by full method path ("/pkg.Service/Method") or, in c1.connector.v2, by "Service/Method"."""

    def __init__(self, target, credentials=None, options=()):
        opts = OPTIONS + list(options)
        self.channel = (grpc.secure_channel(target, credentials, opts) if credentials
                        else grpc.insecure_channel(target, opts))

    def close(self):
        self.channel.close()

    @staticmethod
    def method(path):
        path = path if path.startswith("/") else f"/{V2}{path}"
        service, method = path[1:].rsplit("/", 1)
        return path, pool().FindServiceByName(service).FindMethodByName(method)

    def stub(self, path):
        path, method = self.method(path)
        reply = message_factory.GetMessageClass(method.output_type)
        return self.channel.unary_unary(path, request_serializer=lambda m: m.SerializeToString(),
                                        response_deserializer=reply.FromString)

    def call(self, path, request=None, timeout=120.0, **fields):
        """The reply; raises grpc.RpcError. Without a request message its fields are given."""
        if request is None:
            request = message_factory.GetMessageClass(self.method(path)[1].input_type)(**fields)
        return self.stub(path)(request, timeout=timeout)

    def raw(self, path, data: bytes, timeout=120.0, metadata=None):
        """Sends bytes as they are, gives the reply's bytes."""
        path = path if path.startswith("/") else f"/{V2}{path}"
        return self.channel.unary_unary(path)(data, timeout=timeout, metadata=metadata)

    def future(self, path, request, timeout=None):
        return self.stub(path).future(request, timeout=timeout)

    def fails(self, path, request=None, timeout=120.0, **fields):
        """The error of a call that must fail."""
        try:
            reply = self.call(path, request, timeout, **fields)
        except grpc.RpcError as error:
            return error
        raise AssertionError(f"{path} succeeded: {reply}")

    def health(self, service="", timeout=60.0):
        """Name of the serving status, or None when the server cannot be reached."""
        try:
            reply = self.call("/grpc.health.v1.Health/Check", service=service, timeout=timeout)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNAVAILABLE:
                return None
            raise
        return to_dict(reply).get("status", "UNKNOWN")

    def pages(self, path, request, limit=10_000):
        """All items of a paged listing."""
        items, tokens = [], set()
        for _ in range(limit):
            reply = self.call(path, request, timeout=120)
            items += reply.list
            if not reply.next_page_token:
                return items
            assert reply.next_page_token not in tokens, "a page token came back"
            tokens.add(reply.next_page_token)
            request.page_token = reply.next_page_token
        raise AssertionError(f"{path}: more than {limit} pages")

"""Our tables of the JSON services against the models that AWS publishes with botocore: every name, every kind."""

import subprocess

import botocore.session
import pytest

from support.paths import BATON_AWSD

OPERATIONS = BATON_AWSD.parent / "test" / "operations"

# Endpoint prefix: botocore's name of the service.
SERVICES = {
    "sso": "sso-admin",
    "identitystore": "identitystore",
    "organizations": "organizations",
    "cloudtrail": "cloudtrail",
}


def members(shape, path=""):
    """Every path of a shape with its member, written as our tool writes them."""
    for name, member in getattr(shape, "members", {}).items():
        yield f"{path}{name}", member
        if member.type_name == "list":
            if member.member.type_name != "structure":
                yield f"{path}{name}[]", member.member
            yield from members(member.member, f"{path}{name}[].")
        else:
            yield from members(member, f"{path}{name}.")


def kind_of(member):
    """A document is any JSON value; ours are strings."""
    return "string" if getattr(member, "is_document_type", False) else member.type_name


def tables():
    """{(service, target prefix, operation): [(side, path, kind), ...]}"""
    found = {}
    run = subprocess.run([OPERATIONS], capture_output=True, text=True, check=True, timeout=300)
    for line in run.stdout.splitlines():
        words = line.split(" ")
        if words[0] in ("in", "out"):
            found[current].append(tuple(words))
        else:
            current = tuple(words)
            found[current] = []
    return found


TABLES = tables() if OPERATIONS.exists() else {}


def test_tool_is_built():
    assert len(TABLES) > 20


@pytest.mark.parametrize("operation", TABLES, ids=lambda o: f"{o[0]}:{o[2]}")
def test_equal_to_botocore(operation):
    service, prefix, name = operation
    model = botocore.session.Session().get_service_model(SERVICES[service])
    theirs = model.operation_model(name)
    known = {
        "in": dict(members(theirs.input_shape)),
        "out": dict(members(theirs.output_shape)),
    }
    # CloudTrail's model has the whole Java package in front of what its own SDKs send.
    assert model.metadata["targetPrefix"].rpartition(".")[2] == prefix
    assert model.metadata["protocol"] == "json" and model.metadata["jsonVersion"] == "1.1"
    for side, path, kind in TABLES[operation]:
        assert path in known[side], f"{name} has no {side} {path}"
        assert kind_of(known[side][path]) == kind, path
    ours = {path for side, path, _ in TABLES[operation] if side == "in"}
    required = set(theirs.input_shape.required_members) if theirs.input_shape else set()
    assert required <= ours
    pages = {side for side in known if "NextToken" in known[side]}
    assert pages == {side for side, path, _ in TABLES[operation] if path == "NextToken"}

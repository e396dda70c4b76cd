"""Bad input over the wire: hostile bytes, rule violations with their exact texts, page tokens that are not ours.
Each test ends with the server alive and healthy (fixture `client`)."""

import base64
import random

import grpc
import pytest

from support.wire import cls, msg, rid

Code = grpc.StatusCode
LIST_RESOURCES = "ResourcesService/ListResources"
LIST_GRANTS = "GrantsService/ListGrants"
LIST_ENTITLEMENTS = "EntitlementsService/ListEntitlements"


# -------------------------------------------------------------------------------------- hostile bytes

def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def nested(depth):
    """ListGrantsRequest.resource.profile, a Struct whose value is a Struct whose ... ."""
    prefixes, size = [], 0

    def wrap(before):
        nonlocal size
        prefixes.append(before(size))
        size += len(prefixes[-1])

    def inside(number):                        # the message so far becomes field `number` of a new one
        wrap(lambda n: varint(number << 3 | 2) + varint(n))

    def value_of_map_entry():                  # ... and then Struct.fields{k: it}
        inside(2)
        wrap(lambda n: field(1, b"k"))
        inside(1)

    inside(5)                                  # Value.struct_value, empty
    for _ in range(depth):
        value_of_map_entry()
        inside(5)
    value_of_map_entry()
    inside(9)                                  # Resource.profile
    inside(1)                                  # ListGrantsRequest.resource
    return b"".join(reversed(prefixes))


def unknown_nested(depth):
    """Groups inside groups in a field nobody knows."""
    return b"\xfb\x01" * depth + b"\xfc\x01" * depth


HOSTILE = {
    "deep-101": nested(101),
    "deep-10000": nested(10_000),
    "deep-200000": nested(200_000),
    "groups": unknown_nested(100_000),
    "group-open": b"\xfb\x01",
    "group-close": b"\xfc\x01",
    "truncated-length": b"\x0a\xff\xff\xff\xff\x0f",
    "length-overflow": b"\x0a" + b"\xff" * 9 + b"\x01",
    "varint-too-long": b"\x18" + b"\xff" * 11,
    "tag-zero": b"\x00\x00",
    "wire-type-6": b"\x0e",
    "wire-type-7": b"\x0f",
    "wrong-wire-type": b"\x08\x01",
    "not-utf8": field(1, b"\xff\xfe"),
    "surrogate-utf8": field(1, b"\xed\xa0\x80"),
    "overlong-utf8": field(1, b"\xc0\xaf"),
    "utf8-in-id": field(2, field(1, b"iam_user") + field(2, b"\x80")),
    "garbage": bytes(random.Random(1).randrange(256) for _ in range(5000)),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("path", [LIST_RESOURCES, LIST_GRANTS])
def test_hostile_bytes(client, name, path):
    try:
        client.raw(path, HOSTILE[name])
    except grpc.RpcError as error:
        assert error.code() in (Code.INTERNAL, Code.INVALID_ARGUMENT, Code.NOT_FOUND), error
        assert len(error.details()) < 4096
    else:
        raise AssertionError("accepted")


@pytest.mark.parametrize("name", ["deep-101", "deep-10000", "truncated-length", "tag-zero"])
def test_what_cannot_be_decoded_is_internal(client, name):
    with pytest.raises(grpc.RpcError) as error:
        client.raw(LIST_GRANTS, HOSTILE[name])
    assert error.value.code() == Code.INTERNAL
    assert error.value.details().startswith("grpc: error unmarshalling request: ")


def test_nesting_that_is_allowed(client):
    """A profile some levels deep is ordinary; what it is asked with does not exist."""
    with pytest.raises(grpc.RpcError) as error:
        client.raw(LIST_GRANTS, nested(20))
    assert error.value.code() == Code.NOT_FOUND


def test_random_bytes_never_kill(client):
    rng = random.Random(7)
    seeds = [msg("ResourcesServiceListResourcesRequest", resource_type_id="iam_user", page_token="x" * 40).SerializeToString(),
             msg("GrantsServiceListGrantsRequest", resource=msg("Resource", id=rid("group", "g"))).SerializeToString(),
             nested(5)]
    for _ in range(400):
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            client.raw(rng.choice([LIST_RESOURCES, LIST_GRANTS, LIST_ENTITLEMENTS]), bytes(data))
        except grpc.RpcError as error:
            assert error.code() in (Code.INTERNAL, Code.INVALID_ARGUMENT, Code.NOT_FOUND), error


def test_four_mebibytes_of_empty_messages(client, shared_server):
    before = shared_server.rss_kb()
    for _ in range(3):
        with pytest.raises(grpc.RpcError) as error:
            client.raw(LIST_GRANTS, field(1, b"") + b"\x22\x00" * ((4 << 20) // 2 - 100))
        assert error.value.code() in (Code.INTERNAL, Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.RESOURCE_EXHAUSTED)
    assert shared_server.rss_kb() - before < 200_000


def test_requests_over_four_mebibytes(client):
    with pytest.raises(grpc.RpcError) as error:
        client.raw(LIST_RESOURCES, field(1, b"x" * (5 << 20)))
    assert error.value.code() == Code.RESOURCE_EXHAUSTED


def test_a_gzip_bomb_stays_small(client, shared_server):
    before = shared_server.rss_kb()
    call = client.channel.unary_unary("/c1.connector.v2." + LIST_RESOURCES)
    with pytest.raises(grpc.RpcError) as error:
        call(b"\0" * (200 << 20), timeout=120, compression=grpc.Compression.Gzip)
    assert error.value.code() in (Code.RESOURCE_EXHAUSTED, Code.UNIMPLEMENTED, Code.INTERNAL)
    assert shared_server.rss_kb() - before < 60_000


def test_large_metadata_does_not_break_the_connection(client):
    client.channel.unary_unary("/c1.connector.v2.ConnectorService/Validate")(
        b"", timeout=60, metadata=[("x-large", "v" * 20_000), ("traceparent", "00-" + "a" * 32 + "-" + "b" * 16 + "-01")])


# ----------------------------------------------------------------------------------------------- rules

LONG = "x" * 1025


def invalid(kind, field_name, reason, *caused_by):
    text = f"invalid {kind}.{field_name}: {reason}"
    for cause in caused_by:
        text += f" | caused by: {cause}"
    return text


EMBEDDED = "embedded message failed validation"
BYTES = "value length must be between 1 and 1024 bytes, inclusive"
GRANTS, RESOURCES = "GrantsServiceListGrantsRequest", "ResourcesServiceListResourcesRequest"

VIOLATIONS = [
    (LIST_RESOURCES, {}, invalid(RESOURCES, "ResourceTypeId", BYTES)),
    (LIST_RESOURCES, {"resource_type_id": LONG}, invalid(RESOURCES, "ResourceTypeId", BYTES)),
    (LIST_RESOURCES, {"resource_type_id": "é" * 513}, invalid(RESOURCES, "ResourceTypeId", BYTES)),
    (LIST_RESOURCES, {"resource_type_id": "role", "page_size": 251},
     invalid(RESOURCES, "PageSize", "value must be less than or equal to 250")),
    (LIST_RESOURCES, {"resource_type_id": "role", "page_token": "t" * 1048577},
     invalid(RESOURCES, "PageToken", "value length must be between 1 and 1048576 bytes, inclusive")),
    (LIST_RESOURCES, {"resource_type_id": "role", "active_sync_id": LONG}, invalid(RESOURCES, "ActiveSyncId", BYTES)),
    (LIST_RESOURCES, {"resource_type_id": "role", "parent_resource_id": {"resource_type": "account"}},
     invalid(RESOURCES, "ParentResourceId", EMBEDDED, invalid("ResourceId", "Resource", BYTES))),
    (LIST_RESOURCES, {"resource_type_id": "role", "parent_resource_id": {"resource": "1"}},
     invalid(RESOURCES, "ParentResourceId", EMBEDDED, invalid("ResourceId", "ResourceType", BYTES))),
    # the first violation in declaration order is the one reported
    (LIST_RESOURCES, {"resource_type_id": "", "page_size": 999}, invalid(RESOURCES, "ResourceTypeId", BYTES)),
    (LIST_GRANTS, {}, invalid(GRANTS, "Resource", "value is required")),
    (LIST_GRANTS, {"resource": {"id": {"resource_type": "role", "resource": LONG}}},
     invalid(GRANTS, "Resource", EMBEDDED, invalid("Resource", "Id", EMBEDDED), invalid("ResourceId", "Resource", BYTES))),
    (LIST_GRANTS, {"resource": {"display_name": LONG}},
     invalid(GRANTS, "Resource", EMBEDDED, invalid("Resource", "DisplayName", BYTES))),
    (LIST_GRANTS, {"resource": {"description": "d" * 2049}},
     invalid(GRANTS, "Resource", EMBEDDED,
             invalid("Resource", "Description", "value length must be between 1 and 2048 bytes, inclusive"))),
    (LIST_GRANTS, {"resource": {"status": {"status": 99}}},
     invalid(GRANTS, "Resource", EMBEDDED, invalid("Resource", "Status", EMBEDDED),
             invalid("Status", "Status", "value must be one of the defined enum values"))),
    (LIST_GRANTS, {"resource": {"icon": {}}},
     invalid(GRANTS, "Resource", EMBEDDED, invalid("Resource", "Icon", EMBEDDED), invalid("AssetRef", "Id", BYTES))),
    (LIST_ENTITLEMENTS, {"resource": {"parent_resource_id": {}}},
     invalid("EntitlementsServiceListEntitlementsRequest", "Resource", EMBEDDED,
             invalid("Resource", "ParentResourceId", EMBEDDED), invalid("ResourceId", "ResourceType", BYTES))),
    ("ResourceTypesService/ListResourceTypes", {"page_size": 1000},
     invalid("ResourceTypesServiceListResourceTypesRequest", "PageSize", "value must be less than or equal to 250")),
    ("ConnectorService/Cleanup", {"active_sync_id": LONG}, invalid("ConnectorServiceCleanupRequest", "ActiveSyncId", BYTES)),
    # rules come before "provisioning is not enabled"
    ("GrantManagerService/Grant", {}, invalid("GrantManagerServiceGrantRequest", "Entitlement", "value is required")),
    ("GrantManagerService/Grant", {"entitlement": {"id": "e", "resource": {}}},
     invalid("GrantManagerServiceGrantRequest", "Principal", "value is required")),
    ("GrantManagerService/Grant", {"entitlement": {"id": "e"}, "principal": {}},
     invalid("GrantManagerServiceGrantRequest", "Entitlement", EMBEDDED,
             invalid("Entitlement", "Resource", "value is required"))),
    ("GrantManagerService/Revoke", {"grant": {"entitlement": {"id": "e", "resource": {}}, "principal": {}}},
     invalid("GrantManagerServiceRevokeRequest", "Grant", EMBEDDED, invalid("Grant", "Id", BYTES))),
    ("AccountManagerService/CreateAccount", {"credential_options": {"random_password": {"length": 7}}},
     invalid("CreateAccountRequest", "CredentialOptions", EMBEDDED,
             invalid("CredentialOptions", "RandomPassword", EMBEDDED),
             invalid("CredentialOptions_RandomPassword", "Length", "value must be inside range [8, 64]"))),
    ("AccountManagerService/CreateAccount", {"credential_options": {"encrypted_password": {}}},
     invalid("CreateAccountRequest", "CredentialOptions", EMBEDDED,
             invalid("CredentialOptions", "EncryptedPassword", EMBEDDED),
             invalid("CredentialOptions_EncryptedPassword", "EncryptedPasswords", "value must contain at least 1 item(s)"))),
    ("CredentialManagerService/IssueCredential", {},
     invalid("IssueCredentialRequest", "RequestId", "value length must be between 1 and 128 bytes, inclusive")),
    ("CredentialManagerService/IssueCredential", {"request_id": "a b"},
     invalid("IssueCredentialRequest", "RequestId", 'value does not match regex pattern "^[A-Za-z0-9_-]+$"')),
    ("EventService/ListEvents", {"page_size": 1001},
     invalid("ListEventsRequest", "PageSize", "value must be less than or equal to 1000")),
    ("/c1.ratelimit.v1.RateLimiterService/Do", {"descriptors": {}},
     invalid("DoRequest", "Descriptors", EMBEDDED,
             invalid("RateLimitDescriptors", "Entries", "value must contain at least 1 item(s)"))),
    ("/c1.ratelimit.v1.RateLimiterService/Do", {"descriptors": {"entries": [{"key": "k"}]}},
     invalid("DoRequest", "Descriptors", EMBEDDED, invalid("RateLimitDescriptors", "Entries[0]", EMBEDDED),
             invalid("RateLimitDescriptors_Entry", "Value", "value length must be at least 1 runes"))),
]


@pytest.mark.parametrize("path, fields, text", VIOLATIONS, ids=lambda v: None)
def test_rule_violations(client, path, fields, text):
    error = client.fails(path, **fields)
    assert (error.code(), error.details()) == (Code.INVALID_ARGUMENT, text)


@pytest.mark.parametrize("fields", [
    {"resource_type_id": "role", "page_size": 250},
    {"resource_type_id": "role", "active_sync_id": "x" * 1024},
    {"resource_type_id": "x" * 1024},
])
def test_limits_are_inclusive(client, fields):
    try:
        client.call(LIST_RESOURCES, **fields)
    except grpc.RpcError as error:
        assert error.code() == Code.NOT_FOUND, error  # the type of 1024 bytes


def test_annotations_are_not_looked_into(client):
    any_ = cls("google.protobuf.Any")(type_url="type.googleapis.com/c1.connector.v2.Nope", value=b"\xff\xff")
    client.call("ResourcesService/ListResources", resource_type_id="role", annotations=[any_])


# -------------------------------------------------------------------------------------------- page tokens

def good_token(client, kind):
    return client.call(LIST_RESOURCES, resource_type_id=kind, page_size=5).next_page_token


def corrupt_tokens(token):
    rng = random.Random(3)
    yield from ("x", "{}", "null", "\u00e9", "a" * 100_000, " ", "1", base64.b64encode(b"\0" * 40).decode())
    yield '{"states":null,"current_state":{"token":"m","type":"role"}}'
    yield token[:-1]
    yield token + "A"
    yield token * 2
    for _ in range(20):
        at = rng.randrange(len(token))
        yield token[:at] + rng.choice("AZaz09-_+/=.{") + token[at + 1:]


def test_corrupt_page_tokens(client):
    token = good_token(client, "role")
    for corrupt in corrupt_tokens(token):
        if corrupt == token:
            continue
        error = client.fails(LIST_RESOURCES, resource_type_id="role", page_token=corrupt)
        assert error.code() == Code.INVALID_ARGUMENT, (corrupt[:60], error)
        assert "page token" in error.details()


def test_a_token_of_another_listing(client):
    error = client.fails(LIST_RESOURCES, resource_type_id="group", page_token=good_token(client, "role"))
    assert error.code() == Code.INVALID_ARGUMENT
    group = client.call(LIST_RESOURCES, resource_type_id="group").list[0]
    error = client.fails(LIST_GRANTS, resource=group, page_token=good_token(client, "role"))
    assert error.code() == Code.INVALID_ARGUMENT

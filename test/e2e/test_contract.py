"""What each method answers (spec/rpc-surface.md ch. 1 and 3), asked over the wire without the engine."""

import grpc
import pytest

from support.wire import cls, msg, pack, rid, status_details, to_dict, unpack
from walk_iam import PERMISSIONS, resource_types

Code = grpc.StatusCode
SYNC = "0123456789abcdefghijklmnopq"
RATE_LIMITER = "/c1.ratelimit.v1.RateLimiterService/"


def first(client, kind, **request):
    """Some resource of a type."""
    return client.call("ResourcesService/ListResources", resource_type_id=kind, **request).list[0]


# What a server without organizations, Identity Center and secrets registers.
TYPES = sorted(t["id"] for t in resource_types(organization=False, secrets=False))


def user(n=1):
    return msg("Resource", id=rid("iam_user", f"arn:aws:iam::123456789012:user/u{n}"), display_name=f"u{n}")


# ------------------------------------------------------------------------------- connector service

def test_validate_names_a_version_that_makes_the_engine_send_sync_ids(client):
    reply = client.call("ConnectorService/Validate")
    assert reply.sdk_version == "v0.25.0"


def test_metadata(client):
    meta = client.call("ConnectorService/GetMetadata").metadata
    assert meta.display_name == "AWS (e2e-alias-1)"
    profile = to_dict(meta)["profile"]
    assert profile["account_id"] == "123456789012"
    assert profile["account_name"] == "e2e-alias-1"
    again = client.call("ConnectorService/GetMetadata").metadata
    assert len(again.annotations) == len(meta.annotations), "annotations must not pile up"


def test_capabilities(client):
    capabilities = client.call("ConnectorService/GetMetadata").metadata.capabilities
    rows = list(capabilities.resource_type_capabilities)
    assert [r.resource_type.id for r in rows] == TYPES
    for row in rows:
        assert "CAPABILITY_SYNC" in to_dict(row)["capabilities"]
        assert [p.permission for p in row.permissions.permissions] == PERMISSIONS[row.resource_type.id].split()
        assert not row.opt_in_required
    assert capabilities.HasField("credential_details")
    total = set()
    for row in rows:
        total |= set(row.capabilities)
    assert total <= set(capabilities.connector_capabilities)
    assert list(capabilities.connector_capabilities) == sorted(capabilities.connector_capabilities)


def test_cleanup(client):
    client.call("ConnectorService/Cleanup", active_sync_id=SYNC)
    client.call("ConnectorService/Cleanup")


# ------------------------------------------------------------------------------------------ listing

def test_resource_types(client):
    reply = client.call("ResourceTypesService/ListResourceTypes", active_sync_id=SYNC, page_size=1)
    assert reply.next_page_token == "" and not reply.annotations
    got = [{**to_dict(t), "kind": "resource_type"} for t in reply.list]
    assert sorted(got, key=lambda t: t["id"]) == sorted(resource_types(organization=False, secrets=False), key=lambda t: t["id"])


def test_types_that_are_only_children_list_nothing_at_the_top(client):
    reply = client.call("ResourcesService/ListResources", resource_type_id="inline_policy", active_sync_id=SYNC)
    assert not reply.list and not reply.next_page_token


@pytest.mark.parametrize("kind", TYPES)
def test_no_static_entitlements(client, kind):
    reply = client.call("EntitlementsService/ListStaticEntitlements", resource_type_id=kind, active_sync_id=SYNC)
    assert not reply.list and not reply.next_page_token


def test_users_have_no_entitlements_and_policies_no_grants(client):
    resource = first(client, "iam_user")
    assert not client.call("EntitlementsService/ListEntitlements", resource=resource).list
    resource = first(client, "iam_policy")
    assert not client.call("GrantsService/ListGrants", resource=resource).list


def test_entitlements_and_grants_carry_the_resource_of_the_request(client):
    """Whole, with whatever the engine put there, not only its id (spec/iam.md 3.2)."""
    for resource in client.call("ResourcesService/ListResources", resource_type_id="group").list[:5]:
        resource.description = "as the engine stored it"
        entitlements = client.call("EntitlementsService/ListEntitlements", resource=resource).list
        assert [e.resource for e in entitlements] == [resource]
        assert to_dict(entitlements[0].grantable_to[0])["id"] == "iam_user"
        assert len(entitlements[0].grantable_to[0].annotations) == 3
        for grant in client.call("GrantsService/ListGrants", resource=resource).list:
            if grant.entitlement.id.startswith("group:"):
                assert grant.entitlement.resource == resource
            else:
                want = msg("Resource", id=grant.entitlement.resource.id,
                           display_name=grant.entitlement.resource.id.resource.rsplit("/", 1)[-1])
                assert grant.entitlement.resource == want
            assert grant.principal == msg("Resource", id=grant.principal.id)


@pytest.mark.parametrize("call, text", [
    (("ResourcesService/ListResources", {"resource_type_id": "nope"}), "error: list resources with unknown resource type nope"),
    (("EntitlementsService/ListStaticEntitlements", {"resource_type_id": "nope"}),
     "error: list static entitlements with unknown resource type nope"),
    (("EntitlementsService/ListEntitlements", {"resource": {"id": {"resource_type": "nope", "resource": "x"}}}),
     "error: list entitlements with unknown resource type nope"),
    (("EntitlementsService/ListEntitlements", {"resource": {}}), "error: list entitlements with unknown resource type "),
    (("GrantsService/ListGrants", {"resource": {"id": {"resource_type": "nope", "resource": "x"}}}),
     "error: list grants with unknown resource type nope"),
    (("GrantsService/ListGrants", {"resource": {}}), "error: list grants with unknown resource type "),
    # registered only with other settings
    (("ResourcesService/ListResources", {"resource_type_id": "access-key"}),
     "error: list resources with unknown resource type access-key"),
    (("ResourcesService/ListResources", {"resource_type_id": "account"}),
     "error: list resources with unknown resource type account"),
])
def test_unknown_types(client, call, text):
    path, fields = call
    error = client.fails(path, **fields)
    assert (error.code(), error.details()) == (Code.NOT_FOUND, text)


def test_entitlements_need_a_resource(client):
    error = client.fails("EntitlementsService/ListEntitlements")
    assert (error.code(), error.details()) == (Code.INVALID_ARGUMENT, "error: list entitlements requires a resource")


@pytest.mark.parametrize("path, annotation, text", [
    ("EntitlementsService/ListEntitlements", "TypeScopedEntitlements",
     "error: type-scoped list entitlements for resource type group, but its syncer does not implement "
     "TypeScopedEntitlementsSyncer"),
    ("GrantsService/ListGrants", "TypeScopedGrants",
     "error: type-scoped list grants for resource type group, but its syncer does not implement TypeScopedGrantsSyncer"),
])
def test_type_scoped_listings_do_not_exist(client, path, annotation, text):
    error = client.fails(path, resource=msg("Resource", id=rid("group", "group")), annotations=[pack(msg(annotation))])
    assert (error.code(), error.details()) == (Code.INVALID_ARGUMENT, text)


@pytest.mark.parametrize("kind", ["iam_user", "group", "role"])
def test_an_entity_that_is_gone_drops_its_cursor(client, kind):
    """NOT_FOUND, or nothing at all: both are allowed for the very resource of the request, anything else is not."""
    name = {"iam_user": "user"}.get(kind, kind)
    gone = rid(kind, f"arn:aws:iam::123456789012:{name}/never-was")
    try:
        assert not client.call("GrantsService/ListGrants", resource=msg("Resource", id=gone, display_name="never-was")).list
    except grpc.RpcError as error:
        assert error.code() == Code.NOT_FOUND
    try:
        assert not client.call("ResourcesService/ListResources", resource_type_id="inline_policy", parent_resource_id=gone).list
    except grpc.RpcError as error:
        assert error.code() == Code.NOT_FOUND


def test_inline_policies_have_only_three_kinds_of_parent(client):
    error = client.fails("ResourcesService/ListResources", resource_type_id="inline_policy",
                         parent_resource_id=rid("iam_policy", "arn:aws:iam::123456789012:policy/p"))
    assert error.code() == Code.INVALID_ARGUMENT
    assert 'baton-aws: unsupported inline policy parent resource type "iam_policy"' in error.details()


def test_inline_policy_grants_need_a_parent(client):
    resource = msg("Resource", id=rid("inline_policy", "arn:aws:iam::123456789012:user/u::inline::p"), display_name="p")
    for path in ("EntitlementsService/ListEntitlements", "GrantsService/ListGrants"):
        error = client.fails(path, resource=resource)
        assert error.code() == Code.INVALID_ARGUMENT
        assert "baton-aws: inline policy missing parent resource" in error.details()


def test_get_resource_is_not_offered(client):
    for fields in ({"resource_id": rid("iam_user", "x")}, {}):
        error = client.fails("ResourceGetterService/GetResource", **fields)
        kind = "iam_user" if fields else ""
        assert (error.code(), error.details()) == (
            Code.UNIMPLEMENTED, f"error: get resource with unknown resource type {kind}")


# ---------------------------------------------------------------------------------------- what is off

@pytest.mark.parametrize("path, fields", [
    ("GrantManagerService/Grant", {"entitlement": {"id": "e", "resource": {}}, "principal": {}}),
    ("GrantManagerService/Revoke", {"grant": {"id": "g", "entitlement": {"id": "e", "resource": {}}, "principal": {}}}),
    ("ResourceManagerService/CreateResource", {}),
    ("ResourceManagerService/DeleteResource", {}),
    ("ResourceDeleterService/DeleteResourceV2", {}),
    ("AccountManagerService/CreateAccount", {}),
    ("CredentialManagerService/RotateCredential", {}),
    ("CredentialManagerService/IssueCredential", {"request_id": "r"}),
])
def test_provisioning_is_off(client, path, fields):
    error = client.fails(path, **fields)
    assert (error.code(), error.details()) == (Code.FAILED_PRECONDITION, "provisioning is not enabled")


@pytest.mark.parametrize("method", ["CreateTicket", "GetTicket", "ListTicketSchemas", "GetTicketSchema",
                                    "BulkCreateTickets", "BulkGetTickets"])
def test_ticketing_is_off(client, method):
    error = client.fails(f"TicketsService/{method}")
    assert (error.code(), error.details()) == (Code.UNKNOWN, "ticketing is not enabled")


def test_there_are_no_event_feeds(client):
    assert not client.call("EventService/ListEventFeeds").list
    error = client.fails("EventService/ListEvents")
    assert (error.code(), error.details()) == (Code.NOT_FOUND, "error: event feed id baton_feed_event not found")


def test_there_are_no_actions(client):
    assert not client.call("ActionService/ListActionSchemas").schemas
    error = client.fails("ActionService/GetActionStatus", id="none")
    assert error.code() == Code.NOT_FOUND


def test_assets_are_an_empty_stream(client):
    path = "/c1.connector.v2.AssetService/GetAsset"
    stream = client.channel.unary_stream(path, request_serializer=lambda m: m.SerializeToString())
    assert list(stream(msg("AssetServiceGetAssetRequest", asset=msg("AssetRef", id="a")), timeout=60)) == []
    with pytest.raises(grpc.RpcError) as error:
        list(stream(msg("AssetServiceGetAssetRequest"), timeout=60))
    assert error.value.code() == Code.INVALID_ARGUMENT


def test_unknown_services_and_methods(client):
    for path in ("/c1.connector.v2.SchemaService/GetSchema", "/c1.connector.v2.GrantsService/Nope", "/a/b"):
        with pytest.raises(grpc.RpcError) as error:
            client.raw(path, b"")
        assert error.value.code() == Code.UNIMPLEMENTED


# --------------------------------------------------------------------------------------- rate limiter

def test_the_rate_limiter_never_stands_in_the_way(client):
    reply = client.call(RATE_LIMITER + "Do", request_token="token", service="connector")
    assert reply.request_token == "token"
    assert to_dict(reply)["description"]["status"] == "STATUS_EMPTY"
    descriptors = cls("c1.ratelimit.v1.RateLimitDescriptors")()
    descriptors.entries.add(key="connector_method", value="/c1.connector.v2.GrantsService/ListGrants")
    assert client.call(RATE_LIMITER + "Do", descriptors=descriptors).HasField("description")
    client.call(RATE_LIMITER + "Report", request_token="token")


# ------------------------------------------------------------------------------------------ reflection

def reflect(client, version, **request):
    path = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
    request_cls, reply_cls = (cls(f"grpc.reflection.{version}.ServerReflection{x}") for x in ("Request", "Response"))
    stream = client.channel.stream_stream(path, request_serializer=lambda m: m.SerializeToString(),
                                          response_deserializer=reply_cls.FromString)
    return list(stream(iter([request_cls(**request)]), timeout=60))[0]


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection(client, version):
    from google.protobuf import descriptor_pb2, descriptor_pool
    names = {s.name for s in reflect(client, version, list_services="*").list_services_response.service}
    assert {"c1.connector.v2.ResourcesService", "c1.connector.v2.GrantsService", "c1.ratelimit.v1.RateLimiterService",
            "grpc.health.v1.Health"} <= names
    assert len([n for n in names if n.startswith("c1.connector.v2.")]) == 15

    # A tool can build every service's schema from what it is given.
    files = {}

    def fetch(**request):
        reply = reflect(client, version, **request)
        assert reply.WhichOneof("message_response") == "file_descriptor_response", reply
        for raw in reply.file_descriptor_response.file_descriptor_proto:
            proto = descriptor_pb2.FileDescriptorProto.FromString(raw)
            files[proto.name] = proto

    for name in names:
        fetch(file_containing_symbol=name)
    while missing := {d for f in files.values() for d in f.dependency} - files.keys():
        for name in missing:
            fetch(file_by_filename=name)
    pool = descriptor_pool.DescriptorPool()

    def add(name):
        for dependency in files[name].dependency:
            add(dependency)
        pool.Add(files[name])

    for name in files:
        add(name)
    for name in names:
        assert pool.FindServiceByName(name).methods

    reply = reflect(client, version, file_containing_symbol="c1.connector.v2.Nope")
    assert reply.error_response.error_code == Code.NOT_FOUND.value[0]
    reply = reflect(client, version, file_containing_symbol="c1.connector.v2.ResourcesService.ListResources")
    assert reply.WhichOneof("message_response") == "file_descriptor_response"


# --------------------------------------------------------------------------------------------- paging

@pytest.mark.parametrize("kind", ["iam_user", "group", "role", "iam_policy"])
def test_small_pages_give_what_one_page_gives(client, kind):
    def listing(size):
        return client.pages("ResourcesService/ListResources", msg(
            "ResourcesServiceListResourcesRequest", resource_type_id=kind, page_size=size, active_sync_id=SYNC))

    whole, small = listing(0), listing(7)
    assert [r.id.resource for r in whole] == [r.id.resource for r in small]
    assert len({r.id.resource for r in whole}) == len(whole) > 7


def test_a_token_is_good_in_another_process(client, moto, serve, connect):
    """Any server answers any page: tokens refer to what was handed out, not to a place in memory."""
    request = msg("ResourcesServiceListResourcesRequest", resource_type_id="role", page_size=10, active_sync_id=SYNC)
    reply = client.call("ResourcesService/ListResources", request)
    request.page_token = reply.next_page_token
    here = client.call("ResourcesService/ListResources", request)
    there = connect(serve(moto.url)).call("ResourcesService/ListResources", request)
    assert here == there and here.list


def test_error_details_have_the_code_of_the_call(client):
    assert status_details(client.fails("GrantsService/ListGrants")) == []


def test_traits_and_annotations_decode(client):
    for kind in ("iam_user", "group", "role", "iam_policy"):
        for resource in client.call("ResourcesService/ListResources", resource_type_id=kind).list:
            for annotation in resource.annotations:
                unpack(annotation)

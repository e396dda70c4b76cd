"""What an engine asks, in its order, without its patience: every error is kept and the crawl goes on."""

from dataclasses import dataclass, field

import grpc

from .wire import Client, msg, status_details, unpack


@dataclass
class Crawl:
    resources: dict = field(default_factory=dict)     # (type, id) -> message
    entitlements: dict = field(default_factory=dict)  # id -> message
    grants: dict = field(default_factory=dict)        # id -> message
    errors: list = field(default_factory=list)        # Failure

    @property
    def ids(self):
        return set(self.resources) | {("entitlement", e) for e in self.entitlements} | {("grant", g) for g in self.grants}

    @property
    def content(self):
        """All of it, byte for byte, for comparison with another crawl's."""
        found = {**self.resources, **{("entitlement", k): m for k, m in self.entitlements.items()},
                 **{("grant", k): m for k, m in self.grants.items()}}
        return {k: m.SerializeToString(deterministic=True) for k, m in found.items()}

    @property
    def codes(self):
        return {e.code for e in self.errors}


@dataclass
class Failure:
    path: str
    about: str      # type or resource asked for
    code: str       # name of the gRPC status
    text: str
    details: list   # messages in the status details


def has_annotation(message, name):
    return any(a.type_url.endswith("." + name) for a in message.annotations)


def crawl(client, sync_id="0crawlcrawlcrawlcrawlcrawl0", stop_at_first_error=False):
    out, stopped = Crawl(), []

    def listing(path, about, request):
        if stopped:
            return []
        try:
            return client.pages(path, request)
        except grpc.RpcError as error:
            out.errors.append(Failure(path, about, error.code().name, error.details(), status_details(error)))
            if stop_at_first_error:
                stopped.append(True)
            return []

    types = client.call("ResourceTypesService/ListResourceTypes", active_sync_id=sync_id).list
    todo = [(t.id, None) for t in types]
    while todo:
        kind, parent = todo.pop(0)
        request = msg("ResourcesServiceListResourcesRequest", resource_type_id=kind, active_sync_id=sync_id)
        if parent:
            request.parent_resource_id.CopyFrom(parent)
        for r in listing("ResourcesService/ListResources", f"{kind} {parent.resource if parent else ''}", request):
            out.resources[r.id.resource_type, r.id.resource] = r
            todo += [(unpack(a).resource_type_id, r.id) for a in r.annotations if a.type_url.endswith(".ChildResourceType")]
    skip = {t.id: {a.type_url.rsplit(".", 1)[-1] for a in t.annotations} for t in types}
    for (kind, name), r in list(out.resources.items()):
        request = msg("EntitlementsServiceListEntitlementsRequest", resource=r, active_sync_id=sync_id)
        if not skip[kind] & {"SkipEntitlements", "SkipEntitlementsAndGrants"}:
            out.entitlements |= {e.id: e for e in listing("EntitlementsService/ListEntitlements", name, request)}
        request = msg("GrantsServiceListGrantsRequest", resource=r, active_sync_id=sync_id)
        if "SkipEntitlementsAndGrants" not in skip[kind] and not has_annotation(r, "SkipGrants"):
            out.grants |= {g.id: g for g in listing("GrantsService/ListGrants", name, request)}
    return out


class Together:
    """Several servers as if they were one client: each call goes to all of them in turn, and all must answer the same."""

    def __init__(self, *clients):
        self.clients = clients

    def call(self, path, request=None, **kwargs):
        first, *others = [c.call(path, request, **kwargs) for c in self.clients]
        assert all(o == first for o in others), f"{path}: the servers do not agree about\n{request or kwargs}"
        return first

    pages = Client.pages

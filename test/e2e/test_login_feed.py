"""The feed of Identity Center logins, asked as the engine's event tail asks: in a loop while there is more, then again later with the cursor.
Each login comes once, late ones too, within what CloudTrail allows."""

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

import pytest
from grpc import StatusCode as Code

from support.wire import msg, status_details, to_dict

FEED = "aws_last_login_event_feed"
FLAGS = ("--global-aws-orgs-enabled", "--global-aws-sso-enabled", "--sync-sso-user-last-login")
FAST = (*FLAGS, "--aws-quota-percent", "10000")  # with cloudtrail_rate=0: where the quota is not the point
SMALL = {"accounts": 4, "users": 1, "permission_sets": 3, "sso_users": 20, "sso_groups": 3}
CURSOR_MAX = 4096


class Tail:
    """Polls until there is no more for now; keeps the cursor for the next time."""

    def __init__(self, client, start_at=None, page_size=100):
        self.client, self.page_size, self.cursor, self.sizes = client, page_size, "", []
        self.start_at = None if start_at is None else msg("google.protobuf.Timestamp", seconds=start_at)

    def poll(self, limit=1000):
        events = []
        for _ in range(limit):
            reply = self.client.call("EventService/ListEvents", event_feed_id=FEED, start_at=self.start_at, cursor=self.cursor,
                                     page_size=self.page_size, timeout=300)
            assert 0 < len(reply.cursor) <= CURSOR_MAX
            assert not reply.has_more or reply.cursor != self.cursor
            self.cursor = reply.cursor
            self.sizes.append(len(reply.events))
            events += [to_dict(e) for e in reply.events]
            if not reply.has_more:
                return events
        raise AssertionError(f"more than {limit} pages")


def expected(center, start_s, now_s):
    """Logins of the simulator's truth as events, by id."""
    events = {}
    for e in center["events"]:
        if e["source"] != "sso.amazonaws.com" or e["visible_s"] > now_s or e["time_s"] < start_s:
            continue
        try:
            record = json.loads(e["record"] or "")
        except ValueError:
            continue
        who = record.get("userIdentity", {}).get("onBehalfOf", {})
        account = record.get("serviceEventDetails", {}).get("account_id") or record.get("recipientAccountId")
        if record["eventName"] not in ("Federate", "Authenticate") or not who.get("userId") or not account:
            continue
        store = who["identityStoreArn"].rsplit("/", 1)[1]
        events[e["id"]] = {
            "id": e["id"],
            "occurredAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(e["time_s"])),
            "usageEvent": {
                "targetResource": {"id": {"resourceType": "account", "resource": account}, "displayName": account},
                "actorResource": {"id": {"resourceType": "sso_user",
                                         "resource": f"arn:aws:identitystore:us-east-1::{store}/user/{who['userId']}"},
                                  "displayName": who["userId"]}}}
    return events


def by_id(events):
    found = {e["id"]: e for e in events}
    assert len(found) == len(events), "an event came twice"
    return found


def test_it_is_announced_only_when_it_is_there(sim, serve, connect):
    aws = sim(**SMALL)
    client = connect(serve(aws.url, *FLAGS))
    feeds = client.call("EventService/ListEventFeeds").list
    assert [to_dict(f) for f in feeds] == [{"id": FEED, "supportedEventTypes": ["EVENT_TYPE_USAGE"]}]
    metadata = client.call("ConnectorService/GetMetadata").metadata
    assert "CAPABILITY_EVENT_FEED_V2" in to_dict(metadata)["capabilities"]["connectorCapabilities"]
    for other in ("", "x"):
        error = client.fails("EventService/ListEvents", event_feed_id=other)
        assert (error.code(), error.details()) == (Code.NOT_FOUND, f"error: event feed id {other or 'baton_feed_event'} not found")

    for flags in (FLAGS[:2], FLAGS[::2]):  # without Identity Center, or not asked for
        plain = connect(serve(aws.url, *flags))
        assert not plain.call("EventService/ListEventFeeds").list
        assert plain.fails("EventService/ListEvents", event_feed_id=FEED).code() == Code.NOT_FOUND
        metadata = plain.call("ConnectorService/GetMetadata").metadata
        assert "CAPABILITY_EVENT_FEED_V2" not in to_dict(metadata)["capabilities"]["connectorCapabilities"]


@pytest.mark.parametrize("page_size", [100, 7])
def test_each_login_once(sim, serve, connect, page_size):
    """From the history, with the simulator's limit of two look-ups a second: none of ours is throttled."""
    aws = sim(**SMALL, logins=300, **({} if page_size == 100 else {"cloudtrail_rate": 0}))
    client = connect(serve(aws.url, *(FLAGS if page_size == 100 else FAST)))
    start = int(time.time()) - 20 * 3600
    tail = Tail(client, start, page_size)
    got = by_id(tail.poll())
    settled = {k: v for k, v in expected(aws.center(), start, 2**40).items()}
    visible = expected(aws.center(), start, int(time.time()))
    assert got.keys() <= visible.keys() and all(got[k] == settled[k] for k in got)
    early = expected(aws.center(), start, int(time.time()) - 60)
    assert early.keys() <= got.keys() and len(got) > 100
    assert max(tail.sizes) <= min(page_size, 50)
    users = {r.id.resource for r in client.pages("ResourcesService/ListResources",
                                                 msg("ResourcesServiceListResourcesRequest", resource_type_id="sso_user"))}
    assert {e["usageEvent"]["actorResource"]["id"]["resource"] for e in got.values()} <= users
    assert all(r["status"] == 200 for r in aws.requests())
    if page_size == 100:
        assert aws.counters()["cloudtrail:LookupEvents"]["calls"] <= 300 // 45 + 2


def test_late_events_and_the_boundary(sim, serve, connect):
    aws = sim(**SMALL, cloudtrail_rate=0)
    server = serve(aws.url, *FAST)
    tail = Tail(connect(server))
    assert tail.poll() == []
    user = aws.center()["users"][3]["id"]
    accounts = [a["id"] for a in aws.center()["accounts"]]
    now, got, added = int(time.time()), [], 0

    def login(age, **more):
        return {"event": "Federate", "time": now - age, "user": user, "target_account": accounts[age % len(accounts)], **more}
    for round_ in range(4):
        batch = [login(age) for age in (0, 0, 1, 300, 300, 870, 880 + round_)]
        aws.mutate(*batch, login(5, record="{not json"), login(6, record=""), {**login(7), "event": "ListApplications"})
        added += len(batch)
        got += tail.poll()
        got += tail.poll()
        if round_ == 1:  # another server goes on
            tail.client = connect(serve(aws.url, *FAST))
    assert len(got) == added
    want = expected(aws.center(), now - 3600, now + 3600)
    assert by_id(got) == want


@pytest.mark.parametrize("offset", [-7200, 7200])
def test_a_clock_that_is_wrong(sim, serve, connect, offset):
    """AWS's clock counts: by ours what happens now would be done with already, or still to come."""
    key = {"AWS_ACCESS_KEY_ID": "AKIASIMULATOREXAMPLE", "AWS_SECRET_ACCESS_KEY": "simsecretEXAMPLEKEY"}
    aws = sim(**SMALL, cloudtrail_rate=0, verify_signatures=True, clock_offset_s=offset)
    tail = Tail(connect(serve(aws.url, *FAST, env=key)))
    assert tail.poll() == []
    user = aws.center()["users"][3]["id"]
    account = aws.center()["accounts"][0]["id"]
    got = []
    for age in (30, 20, 10):
        aws.mutate({"event": "Federate", "time": int(time.time()) + offset - age, "user": user, "target_account": account})
        got += tail.poll()
    assert len(by_id(got)) == 3


def test_more_in_one_second_than_a_page_holds(sim, serve, connect):
    aws = sim(**SMALL, cloudtrail_rate=0)
    tail = Tail(connect(serve(aws.url, *FAST)), page_size=20)
    user, now = aws.center()["users"][0]["id"], int(time.time())
    aws.mutate(*({"event": "Authenticate", "time": now - 2000 + i // 130, "user": user} for i in range(260)))
    assert by_id(tail.poll()) == expected(aws.center(), 0, now + 60)
    assert tail.poll() == []


def test_a_crowd_is_late_but_complete(sim, serve, connect):
    """More logins in the overlap than a cursor remembers: what does not fit comes when it has settled. (How that ends is told by the unit test
    of the scan, which can wait for twenty minutes.)"""
    aws = sim(**SMALL, cloudtrail_rate=0)
    tail = Tail(connect(serve(aws.url, *FAST)))
    user, now = aws.center()["users"][0]["id"], int(time.time())
    for at in range(0, 1800, 200):
        aws.mutate(*({"event": "Authenticate", "time": now - i, "user": user} for i in range(at, at + 200)))
    got = by_id(tail.poll())
    want = expected(aws.center(), 0, now + 60)
    assert got.items() <= want.items() and len(want) == 1800
    later = time.time() - now  # what has grown older than the overlap since
    assert 600 + 600 <= len(got) < 1250 + later, "600 remembered, and what was older than the overlap"
    assert not got.keys() & by_id(tail.poll()).keys(), "nothing comes twice"


def test_the_window_advances(sim, serve, connect):
    aws = sim(**SMALL, cloudtrail_rate=0)
    tail = Tail(connect(serve(aws.url, *FAST)), int(time.time()) - 86400)
    starts = []
    for _ in range(3):
        tail.poll()
        last = parse_qs([r["params"] for r in aws.requests() if r["op"] == "LookupEvents"][-1])
        assert last["LookupAttributes.1.AttributeKey"] == ["EventSource"] and last["MaxResults"] == ["50"]
        starts.append(float(last["StartTime"][0]))
        time.sleep(1.1)
    now = time.time()
    assert now - 86500 < starts[0] < now - 86300
    assert now - 1300 < starts[1] < now - 900 and starts[1] < starts[2]


def test_a_cursor_of_the_connector_before_goes_on(sim, serve, connect):
    aws = sim(**SMALL, cloudtrail_rate=0)
    tail = Tail(connect(serve(aws.url, *FAST)))
    user, now = aws.center()["users"][0]["id"], int(time.time())
    aws.mutate(*({"event": "Authenticate", "time": now - 3000 - i, "user": user} for i in range(10)))
    start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 3004))
    tail.cursor = base64.b64encode(json.dumps({"start_at": start}).encode()).decode()
    assert len(by_id(tail.poll())) == 5
    assert tail.poll() == []


def test_bad_cursors(sim, serve, connect):
    client = connect(serve(sim(**SMALL).url, *FLAGS))
    good = client.call("EventService/ListEvents", event_feed_id=FEED).cursor
    for bad in (good[:-1], good[1:], good + "A", "x", "!", "eyJ9", "A" * CURSOR_MAX):
        error = client.fails("EventService/ListEvents", event_feed_id=FEED, cursor=bad)
        assert error.code() == Code.INVALID_ARGUMENT, bad
        assert error.details().startswith("error: listing events failed: baton-aws: cursor corrupt: ")


def test_errors_of_aws(sim, serve, connect):
    aws = sim(**SMALL, cloudtrail_rate=0)
    client = connect(serve(aws.url, *FAST))
    tail = Tail(client)
    tail.poll()

    def fails(status, code):
        aws.faults({"op": "cloudtrail:LookupEvents", "action": "error", "status": status, "code": code, "message": "no"})
        return client.fails("EventService/ListEvents", event_feed_id=FEED, cursor=tail.cursor, timeout=120)
    throttled = fails(400, "ThrottlingException")
    assert throttled.code() == Code.UNAVAILABLE
    assert [d.DESCRIPTOR.name for d in status_details(throttled)] == ["RateLimitDescription"]
    denied = fails(400, "AccessDeniedException")
    assert denied.code() == Code.PERMISSION_DENIED and "cloudtrail:LookupEvents" in denied.details()
    assert fails(500, "InternalFailure").code() == Code.UNAVAILABLE
    aws.faults()
    assert tail.poll() == [], "the same cursor goes on"


def test_tails_share_the_quota(sim, serve, connect):
    """Two at once, AWS's limit, none throttled: the pacer is one for the server. (Calls that a busy machine holds up come together: that
    is another story, and does not happen each time.)"""
    for _ in range(3):
        aws = sim(**SMALL, logins=200)
        client = connect(serve(aws.url, *FLAGS))
        start = int(time.time()) - 20 * 3600
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda _: by_id(Tail(client, start).poll()), range(2)))
        assert both[0].keys() == both[1].keys() or abs(len(both[0]) - len(both[1])) <= 2
        if all(r["status"] == 200 for r in aws.requests()):
            break
    else:
        raise AssertionError("throttled again and again")

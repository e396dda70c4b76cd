"""The simulator's own account of its organization (GET /sim/truth), as the lines a sync of it must hold."""

from walk_iam import Expected


def facts(e, **more):
    return {"name": e["name"], "arn": e["arn"], "path": e["path"], "id": e["id"], "created": e["created"],
            "attached": [a["arn"] for a in e["attached"]], "inline": [(i["name"], i["document"]) for i in e["inline"]],
            "tags": {t["key"]: t["value"] for t in e.get("tags", ())}, **more}


def expected(account):
    """account: one of truth["accounts"]."""
    out = Expected()
    members = {g["name"]: [] for g in account["groups"]}
    out.role_arns = {r["arn"] for r in account["roles"]}
    for u in account["users"]:
        for group in u["groups"]:
            members[group].append(u["arn"])
        dates = [u["password_last_used"]] + [k["last_used"] for k in u["access_keys"]]
        out.user(facts(u, last_login=max((d for d in dates if d), default=None)))
    for g in account["groups"]:
        out.group(facts(g, members=members[g["name"]]))
    for r in account["roles"]:
        out.role(facts(r, trust=r["trust"], description=r["description"] or "", max_session=r["max_session_duration"]))
    for p in account["policies"]:
        if out.wants(p["arn"]):
            document = next(v["document"] for v in p["versions"] if v["id"] == p["default_version"])
            out.policy({**p, "document": document})
    return out.sorted()

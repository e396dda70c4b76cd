"""The simulator's own account of its organization (GET /sim/truth), as the lines a sync of it must hold."""

from walk_iam import Expected


def facts(e, **more):
    return {"name": e["name"], "arn": e["arn"], "path": e["path"], "id": e["id"], "created": e["created"],
            "attached": [a["arn"] for a in e["attached"]], "inline": [(i["name"], i["document"]) for i in e["inline"]],
            "tags": {t["key"]: t["value"] for t in e.get("tags", ())}, **more}


def add_account(out, account):
    members = {g["name"]: [] for g in account["groups"]}
    for u in account["users"]:
        for group in u["groups"]:
            members[group].append(u["arn"])
        dates = [u["password_last_used"]] + [k["last_used"] for k in u["access_keys"]]
        out.user(facts(u, last_login=max((d for d in dates if d), default=None), keys=u["access_keys"]))
    for g in account["groups"]:
        out.group(facts(g, members=members[g["name"]]))
    for r in account["roles"]:
        out.role(facts(r, trust=r["trust"], description=r["description"] or "", max_session=r["max_session_duration"]))
    for p in account["policies"]:
        if out.wants(p["arn"]):
            document = next(v["document"] for v in p["versions"] if v["id"] == p["default_version"])
            out.policy({**p, "document": document})


def can_be_entered(account):
    """By the management account."""
    return account["state"] == "ACTIVE" and account["assume"] == "allowed" and any(
        r["name"] == "OrganizationAccountAccessRole" for r in account["roles"])


def expected(truth, organization=False, secrets=False, only_attached=False):
    """truth: Sim.truth(). Without organization: of the first account, which is the own one."""
    out = Expected(organization, secrets, only_attached)
    own, *others = truth["accounts"]
    synced = [own] + [a for a in others if organization and can_be_entered(a)]
    for a in truth["accounts"] if organization else ():
        if a["state"] == "ACTIVE":
            out.account(a, has_children=a is not own and can_be_entered(a))
    out.role_arns = {r["arn"] for a in synced for r in a["roles"]}
    for a in synced:
        out.enter(None if a is own else a["id"])
        add_account(out, a)
    return out.sorted()

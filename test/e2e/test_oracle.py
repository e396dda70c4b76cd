"""The oracle itself: trust policies, classification and e-mail addresses, by tables written from spec/iam.md."""

import pytest

from seed_moto import OTHER, trust_documents
from walk_iam import classify, decode, emails, trust_principals

ACCOUNT = "123456789012"
OWN = f"arn:aws:iam::{ACCOUNT}:role/own"
USERS = [f"arn:aws:iam::{ACCOUNT}:user/u{i}" for i in range(40)]
ROLES = [f"arn:aws:iam::{ACCOUNT}:role/r{i}" for i in range(10)]
FORMS = dict(trust_documents(ACCOUNT, USERS, ROLES))
FOREIGN_USER, FOREIGN_ROLE = f"arn:aws:iam::{OTHER}:user/ops/alice", f"arn:aws:iam::{OTHER}:role/ci/Deployer"


def u(*numbers):
    return [USERS[i] for i in numbers]


# form of seed_moto.trust_documents -> (who may assume, NHI detail)
EXPECTED = {
    "service": ([], "aws.role.lambda"),
    "service-dash": ([], "aws.role.ecs_tasks"),
    "service-list": ([], "aws.role.ec2"),
    "service-bare": ([], "aws.role.batch"),
    "service-empty": ([], "aws.role"),
    "service-and-user": (u(0), "aws.role.ec2"),
    "oidc": ([], "aws.role.oidc"),
    "saml": ([], "aws.role.saml"),
    "saml-before-oidc": ([], "aws.role.saml"),
    "federated": ([], "aws.role.federated"),
    "federated-empty": ([], "aws.role.federated"),
    "user": (u(0), "aws.role"),
    "role": ([ROLES[0]], "aws.role"),
    "users-and-roles": ([USERS[1], ROLES[1], USERS[2], ROLES[2]], "aws.role"),
    "duplicates": (u(3), "aws.role"),
    "cross-user": ([FOREIGN_USER], "aws.role.cross_account"),
    "cross-role": ([FOREIGN_ROLE, ROLES[3]], "aws.role.cross_account"),
    "cross-root": ([], "aws.role.cross_account"),
    "own-root": ([], "aws.role"),
    "bare-account": ([], "aws.role"),
    "unique-ids": ([], "aws.role"),
    "other-resources": ([], "aws.role"),
    "cloudfront": ([], "aws.role"),
    "missing-user": ([f"arn:aws:iam::{ACCOUNT}:user/nobody/here"], "aws.role"),
    "missing-role": ([f"arn:aws:iam::{ACCOUNT}:role/nobody/here"], "aws.role"),
    "wildcard-string": ([], "aws.role.public"),
    "wildcard-aws": ([], "aws.role.public"),
    "wildcard-aws-list": (u(4), "aws.role.public"),
    "wildcard-condition": ([], "aws.role"),
    "wildcard-and-service": ([], "aws.role.public"),
    "wildcard-saml-action": ([], "aws.role.public"),
    "wildcard-other-action": ([], "aws.role"),
    "principal-string": ([], "aws.role"),
    "condition-ignored": (u(6), "aws.role"),
    "condition-odd": (u(7), "aws.role"),
    "action-list": (u(8), "aws.role"),
    "action-star": (u(9), "aws.role"),
    "action-sts-star": (u(10), "aws.role"),
    "action-glob": (u(11), "aws.role"),
    "action-question": (u(12), "aws.role"),
    "action-case": (u(13), "aws.role"),
    "action-saml-only": ([], "aws.role"),
    "action-other": ([], "aws.role"),
    "action-prefix": ([], "aws.role"),
    "action-longer": ([], "aws.role.cross_account"),
    "not-action": ([], "aws.role"),
    "not-principal": ([], "aws.role"),
    "effect-case": ([], "aws.role"),
    "deny-one": (u(20), "aws.role"),
    "deny-first": (u(20), "aws.role"),
    "deny-all-string": ([], "aws.role"),
    "deny-all-aws": ([], "aws.role"),
    "deny-glob": (u(19), "aws.role"),
    "deny-other-action": (u(19), "aws.role"),
    "deny-condition": (u(19), "aws.role"),
    "deny-root": (u(19), "aws.role"),
    "deny-not-principal": (u(19), "aws.role"),
    "deny-not-action": (u(19), "aws.role"),
    "single-statement": (u(22), "aws.role"),
    "statement-null": ([], "aws.role"),
    "statement-empty": ([], "aws.role"),
    "statement-missing": ([], "aws.role"),
    "statement-string": ([], "aws.role"),
    "statement-null-element": (u(23), "aws.role"),
    "bad-statement-number": (u(24), "aws.role"),
    "bad-principal-array": (u(26), "aws.role"),
    "bad-principal-member": (u(26), "aws.role"),
    "bad-action": (u(26), "aws.role"),
    "bad-effect": (u(26), "aws.role"),
    "null-members": ([], "aws.role"),
    "null-in-lists": (u(27), "aws.role"),
    "canonical-user": (u(28), "aws.role"),
    "member-case": (u(29), "aws.role"),
    "principal-member-case": ([], "aws.role"),
    "key-twice": (u(31), "aws.role"),
    "white-space": (u(32), "aws.role"),
    "escapes": (u(33), "aws.role"),
    "trailing-garbage": ([], "aws.role"),
    "not-json": ([], "aws.role"),
    "not-object": ([], "aws.role"),
    "json-null": ([], "aws.role"),
    "json-string": ([], "aws.role"),
    "bad-escape": ([], "aws.role"),
}


def test_every_form_has_an_expectation():
    assert set(EXPECTED) | {"self"} == set(FORMS)


@pytest.mark.parametrize("form", EXPECTED)
def test_trust(form):
    document = decode(FORMS[form])
    principals, detail = EXPECTED[form]
    assert [arn for _, arn in trust_principals(document)] == principals
    assert classify(OWN, "/", document) == ("NHI_TYPE_ASSUMABLE_ROLE", detail)


def test_service_linked_role_is_told_by_its_path():
    assert classify(OWN, "/aws-service-role/x.amazonaws.com/", "null") == (
        "NHI_TYPE_MANAGED_IDENTITY", "aws.service_linked_role")


@pytest.mark.parametrize("name, tag, addresses", [
    ("jane", None, []),
    ("jane@example.com", None, ["jane@example.com"]),
    ("jane", "jane@example.com", ["jane@example.com"]),
    ("jane@example.com", "jane@example.com", ["jane@example.com"]),
    ("jane@example.com", "doe@example.com", ["jane@example.com", "doe@example.com"]),
    ("a@b@c", "@x.com", []),
    ("x,y@example.com", "", []),
    ("dots..twice@example.com", ".lead@example.com", []),
    ("JOHN@Example.COM", None, ["JOHN@Example.COM"]),
    ("a@-b.com", "a@b-.com", []),
    ("a@" + "b" * 63 + ".com", "a@" + "b" * 64 + ".com", ["a@" + "b" * 63 + ".com"]),
    ("l" * 64 + "@x", "l" * 65 + "@x", ["l" * 64 + "@x"]),
])
def test_emails(name, tag, addresses):
    tags = {"Email": "no@example.com"} if tag is None else {"email": tag, "EMAIL": "no@example.com"}
    assert emails(name, tags) == [
        {"address": a, "isPrimary": True} if i == 0 else {"address": a} for i, a in enumerate(addresses)]


@pytest.mark.parametrize("text, decoded", [("a%20b+c", "a b+c"), ("%c3%A9", "é"), ("%", None), ("%2", None), ("%zz", None)])
def test_documents_are_percent_decoded_only(text, decoded):
    assert decode(text) == decoded

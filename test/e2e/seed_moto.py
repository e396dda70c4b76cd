"""Fills an empty AWS account (moto's, or a scratch one) with a few hundred IAM entities through boto3.

The account is made to be awkward: every character IAM allows in names and paths, unicode where AWS
allows it, every form a trust policy can take, and links between all of it. The same seed gives the
same names, documents and links; unique ids and dates are the account's own.

    python3 seed_moto.py http://127.0.0.1:5000 [--seed 1] [--users 180] ...
"""

import argparse
import functools
import json
import random
import string

import boto3
from botocore.config import Config

OTHER = "999988887777"  # an account outside the sync

# IAM names: letters, digits and _+=,.@- (users, groups, roles up to 64, 64, 128; policies up to 128).
ODD_NAMES = [
    "plus+sign", "equals=sign", "comma,name", "dot.name", "under_score", "dash-name", "+=,.@-", "_",
    "0", "UPPER.lower", "name..with..dots", "trailing-", "-leading", "null", "true", "user", "role",
    "a" * 64, "x" * 60 + "+=,@",
]
EMAIL_NAMES = [
    "jane.doe@example.com", "JOHN@Example.COM", "o+tag@sub.example.co", "a@b@c", "@nobody", "nodomain@",
    "x,y@example.com", "local@localhost", "dots..twice@example.com", ".lead@example.com", "u_1=2@ex-ample.org",
    "hyphen@-bad.example", "l" * 52 + "@example.com",
]
ALL_PUNCTUATION = "/" + "".join(c for c in string.punctuation if c != "/") + "/"
LONG_PATH = "/" + "/".join(["segment-%02d-%s" % (i, "p" * 20) for i in range(16)]) + "/"
ODD_PATHS = ["/", "/eng/", "/eng/platform/", "/a:b/c:d/", "/x::inline::y/", "/user/", "/role/", "/group/",
             ALL_PUNCTUATION, "/%41%2F+%zz/", LONG_PATH, "/" + "q" * 510 + "/"]

DESCRIPTIONS = ["", "plain", "Größe, naïve, Ñandú", "two\nlines\tand a tab", "<b>&amp; \"quotes\" ' \\ ]]>",
                "d" * 1000, " leading and trailing "]
TAG_VALUES = ["", "plain", "日本語", "Ünïcödé", "a b", "k=v:/+-@._", "v" * 256, "Ελληνικά"]

AWS_MANAGED = [
    "AdministratorAccess", "ReadOnlyAccess", "IAMFullAccess", "PowerUserAccess", "SecurityAudit",
    "AmazonS3ReadOnlyAccess", "AmazonEC2FullAccess", "job-function/ViewOnlyAccess", "job-function/Billing",
    "service-role/AWSLambdaBasicExecutionRole", "service-role/AmazonEC2RoleforSSM", "CloudWatchLogsFullAccess",
]


def trust_documents(account, user_arns, role_arns):
    """Every form of spec/iam.md 6.2, 6.5 and 6.6: (label, document text)."""
    u, r = user_arns, role_arns
    foreign_user = f"arn:aws:iam::{OTHER}:user/ops/alice"
    foreign_role = f"arn:aws:iam::{OTHER}:role/ci/Deployer"

    def doc(*statements, **top):
        return json.dumps({"Version": "2012-10-17", **top, "Statement": list(statements)})

    def st(principal, action="sts:AssumeRole", effect="Allow", **more):
        return {"Effect": effect, "Action": action, "Principal": principal, **more}

    def aws(*arns):
        return {"AWS": arns[0] if len(arns) == 1 else list(arns)}

    oidc = f"arn:aws:iam::{account}:oidc-provider/token.actions.githubusercontent.com"
    saml = f"arn:aws:iam::{account}:saml-provider/Okta"
    return [
        ("service", doc(st({"Service": "lambda.amazonaws.com"}))),
        ("service-dash", doc(st({"Service": "ecs-tasks.amazonaws.com"}))),
        ("service-list", doc(st({"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]}))),
        ("service-bare", doc(st({"Service": "Batch"}))),
        ("service-empty", doc(st({"Service": ["", ".amazonaws.com"]}))),
        ("service-and-user", doc(st({"Service": "ec2.amazonaws.com", "AWS": u[0]}))),
        ("oidc", doc(st({"Federated": oidc}, "sts:AssumeRoleWithWebIdentity",
                        Condition={"StringEquals": {"x:aud": "sts.amazonaws.com"}}))),
        ("saml", doc(st({"Federated": saml}, "sts:AssumeRoleWithSAML"))),
        ("saml-before-oidc", doc(st({"Federated": ["cognito-identity.amazonaws.com", saml, oidc]},
                                    "sts:AssumeRoleWithSAML"))),
        ("federated", doc(st({"Federated": "cognito-identity.amazonaws.com"}, "sts:AssumeRoleWithWebIdentity"))),
        ("federated-empty", doc(st({"Federated": ""}, "sts:AssumeRoleWithWebIdentity"))),
        ("user", doc(st(aws(u[0])))),
        ("role", doc(st(aws(r[0])))),
        ("users-and-roles", doc(st(aws(u[1], r[1], u[2], r[2])))),
        ("duplicates", doc(st(aws(u[3], u[3])), st(aws(u[3])))),
        ("cross-user", doc(st(aws(foreign_user)))),
        ("cross-role", doc(st(aws(foreign_role, r[3])))),
        ("cross-root", doc(st(aws(f"arn:aws:iam::{OTHER}:root")))),
        ("own-root", doc(st(aws(f"arn:aws:iam::{account}:root")))),
        ("bare-account", doc(st(aws(OTHER, account)))),
        ("unique-ids", doc(st(aws("AIDAEXAMPLEEXAMPLE123", "AROAEXAMPLEEXAMPLE123")))),
        ("other-resources", doc(st(aws(f"arn:aws:iam::{account}:group/devs",
                                       f"arn:aws:sts::{account}:assumed-role/x/y",
                                       f"arn:aws:sts::{account}:federated-user/bob")))),
        ("cloudfront", doc(st(aws("arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1")))),
        ("missing-user", doc(st(aws(f"arn:aws:iam::{account}:user/nobody/here")))),
        ("missing-role", doc(st(aws(f"arn:aws:iam::{account}:role/nobody/here")))),
        ("wildcard-string", doc(st("*"))),
        ("wildcard-aws", doc(st(aws("*")))),
        ("wildcard-aws-list", doc(st(aws(u[4], "*")))),
        ("wildcard-condition", doc(st("*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}))),
        ("wildcard-and-service", doc(st(aws("*")), st({"Service": "ec2.amazonaws.com"}))),
        ("wildcard-saml-action", doc(st("*", "sts:AssumeRoleWithSAML"))),
        ("wildcard-other-action", doc(st("*", "sts:TagSession"))),
        ("principal-string", doc(st(u[5]))),
        ("condition-ignored", doc(st(aws(u[6]), Condition={"Bool": {"aws:MultiFactorAuthPresent": True}}))),
        ("condition-odd", doc(st(aws(u[7]), Condition=["not", 1, None]))),
        ("action-list", doc(st(aws(u[8]), ["sts:TagSession", "sts:AssumeRole"]))),
        ("action-star", doc(st(aws(u[9]), "*"))),
        ("action-sts-star", doc(st(aws(u[10]), "sts:*"))),
        ("action-glob", doc(st(aws(u[11]), "sts:Assume*"))),
        ("action-question", doc(st(aws(u[12]), "sts:AssumeRol?"))),
        ("action-case", doc(st(aws(u[13]), "STS:assumerole"))),
        ("action-saml-only", doc(st(aws(u[14]), "sts:AssumeRoleWithSAML"))),
        ("action-other", doc(st(aws(u[15]), "sts:TagSession"))),
        ("action-prefix", doc(st(aws(u[16]), "sts:AssumeRol"))),
        ("action-longer", doc(st(aws(f"arn:aws:iam::{OTHER}:root"), "sts:AssumeRoleX"))),
        ("not-action", doc({"Effect": "Allow", "NotAction": "s3:*", "Principal": aws(u[17])})),
        ("not-principal", doc({"Effect": "Allow", "Action": "sts:AssumeRole", "NotPrincipal": aws(u[17])})),
        ("effect-case", doc(st(aws(u[18]), effect="allow"))),
        ("deny-one", doc(st(aws(u[19], u[20])), st(aws(u[19]), effect="Deny"))),
        ("deny-first", doc(st(aws(u[19]), effect="Deny"), st(aws(u[19], u[20])))),
        ("deny-all-string", doc(st(aws(u[19], u[20])), st("*", effect="Deny"))),
        ("deny-all-aws", doc(st(aws(u[19], r[4])), st(aws("*"), effect="Deny"))),
        ("deny-glob", doc(st(aws(u[19], u[21])), st(aws(u[21]), "sts:*", effect="Deny"))),
        ("deny-other-action", doc(st(aws(u[19])), st(aws(u[19]), "sts:TagSession", effect="Deny"))),
        ("deny-condition", doc(st(aws(u[19])), st(aws(u[19]), effect="Deny",
                                                  Condition={"Bool": {"aws:SecureTransport": "false"}}))),
        ("deny-root", doc(st(aws(u[19])), st(aws(f"arn:aws:iam::{account}:root"), effect="Deny"))),
        ("deny-not-principal", doc(st(aws(u[19])), {"Effect": "Deny", "Action": "sts:AssumeRole",
                                                    "NotPrincipal": aws(u[19])})),
        ("deny-not-action", doc(st(aws(u[19])), {"Effect": "Deny", "NotAction": "sts:TagSession",
                                                 "Principal": aws(u[19])})),
        ("single-statement", json.dumps({"Version": "2012-10-17", "Statement": st(aws(u[22]))})),
        ("statement-null", '{"Version":"2012-10-17","Statement":null}'),
        ("statement-empty", '{"Version":"2012-10-17","Statement":[]}'),
        ("statement-missing", '{"Version":"2012-10-17"}'),
        ("statement-string", '{"Version":"2012-10-17","Statement":"x"}'),
        ("statement-null-element", doc(None, st(aws(u[23])))),
        ("bad-statement-number", doc(7, st(aws(u[24])))),
        ("bad-principal-array", doc(st([u[25]]), st(aws(u[26])))),
        ("bad-principal-member", doc(st({"AWS": 5}), st(aws(u[26])))),
        ("bad-action", doc(st(aws(u[25]), 5), st(aws(u[26])))),
        ("bad-effect", doc(st(aws(u[25]), effect=1), st(aws(u[26])))),
        ("null-members", doc({"Effect": "Allow", "Action": None, "Principal": None}, st({"AWS": None}))),
        ("null-in-lists", doc(st({"AWS": [None, u[27]]}, [None, "sts:AssumeRole"]))),
        ("canonical-user", doc(st({"CanonicalUser": "79a5", "AWS": u[28]}))),
        ("member-case", json.dumps({"version": "2012-10-17", "STATEMENT": [
            {"effect": "Allow", "ACTION": "sts:AssumeRole", "principal": aws(u[29])}]})),
        ("principal-member-case", doc(st({"aws": u[30], "service": "ec2.amazonaws.com"}))),
        ("key-twice", '{"Statement":[],"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
                      '"Principal":{"AWS":%s}}]}' % json.dumps(u[31])),
        ("white-space", " \n\t" + json.dumps(json.loads(doc(st(aws(u[32])))), indent=4) + "\n"),
        ("escapes", doc(st(aws(u[33]))).replace("sts:", "\\u0073\\u0074s:").replace("arn:", "\\u0061rn:")),
        ("trailing-garbage", doc(st(aws(u[34]))) + "x"),
        ("not-json", '{"Statement": bad'),
        ("not-object", json.dumps([st(aws(u[34]))])),
        ("json-null", "null"),
        ("json-string", '"x"'),
        ("bad-escape", doc(st(aws(u[34]))).replace("2012-10-17", "2012-10-17%zz")),
        ("self", None),  # filled in by seed(): the role trusts itself
    ]


class Seeder:
    def __init__(self, endpoint, rng, access_key="AKIASEEDSEEDSEEDSEED"):
        self.endpoint, self.rng, self.n = endpoint, rng, 0
        self.iam = self.client("iam", access_key, "secret")

    def client(self, service, access_key, secret_key):
        return boto3.client(service, endpoint_url=self.endpoint, region_name="us-east-1",
                            aws_access_key_id=access_key, aws_secret_access_key=secret_key,
                            config=Config(retries={"total_max_attempts": 1}))

    def names(self, n, odd, kind):
        """n names, the odd ones first; IAM compares names without regard to case, so they differ so."""
        out = list(odd[:n])
        while len(out) < n:
            tail = "".join(self.rng.choice("abcdefghijkXYZ0189_+=,.@-") for _ in range(self.rng.randint(0, 12)))
            out.append(f"{kind}{len(out):04d}{tail}")
        assert len({name.lower() for name in out}) == n
        return out

    def path(self, i):
        if i < len(ODD_PATHS):
            return ODD_PATHS[i]
        return self.rng.choice(["/", "/", "/eng/", "/eng/platform/", "/a:b/", "/ops/on-call/"])

    def tags(self, email=None):
        keys = self.rng.sample(["team", "cost center", "Ünïcode", "a/b", "env", "Email", "x:y", "日本"],
                               self.rng.randint(0, 4))
        tags = [{"Key": k, "Value": self.rng.choice(TAG_VALUES)} for k in keys]
        if email is not None:
            tags.append({"Key": "email", "Value": email})
        return tags

    def document(self, size=0, percent="%20"):
        """A permission document with escapes, non-ASCII text and some size."""
        actions = ["s3:Get*", "ec2:Describe*", "iam:PassRole", "logs:*"]
        statements = [{"Sid": f"S{i}", "Effect": self.rng.choice(["Allow", "Deny"]),
                       "Action": self.rng.sample(actions, 2),
                       "Resource": f"arn:aws:s3:::bucket-{self.rng.randint(0, 999)}/a+b c{percent}d/é<&>\"/*"}
                      for i in range(self.rng.randint(1, 3) + size)]
        return json.dumps({"Version": "2012-10-17", "Statement": statements}, ensure_ascii=False,
                          indent=self.rng.choice([None, 2]))

    def policies(self, n):
        arns = []
        # No per cent signs: moto's GetPolicyVersion, unlike AWS, does not encode documents, so they would be ambiguous there.
        document = functools.partial(self.document, percent="")
        for i, name in enumerate(self.names(n, ODD_NAMES + ["z" * 128], "policy")):
            description = DESCRIPTIONS[i % len(DESCRIPTIONS)]
            more = {"Description": description} if description else {}
            arn = self.iam.create_policy(PolicyName=name, Path=self.path(i), PolicyDocument=document(i % 25),
                                         **more)["Policy"]["Arn"]
            if i % 5 == 0:  # the default version is not always the newest, nor v1
                self.iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(), SetAsDefault=i % 10 == 0)
            arns.append(arn)
        return arns

    def users(self, n):
        users = []
        emails = [None, None, "tagged@example.com", "", "not an e-mail", "Jane.Doe@example.com", "x@y.example",
                  "jane.doe@example.com"]
        for i, name in enumerate(self.names(n, EMAIL_NAMES + ODD_NAMES, "user")):
            email = "jane.doe@example.com" if i == 0 else self.rng.choice(emails)
            arn = self.iam.create_user(UserName=name, Path=self.path(i), Tags=self.tags(email))["User"]["Arn"]
            users.append((name, arn))
            if i % 4 == 0:
                self.iam.create_login_profile(UserName=name, Password="Corr3ct-Horse!")
            for k in range((i % 3 == 0) + (i % 9 == 0)):
                key = self.iam.create_access_key(UserName=name)["AccessKey"]
                if k == 0 and i % 2 == 0:  # a use sets the date of last use
                    self.client("sts", key["AccessKeyId"], key["SecretAccessKey"]).get_caller_identity()
                elif i % 5 == 0:
                    self.iam.update_access_key(UserName=name, AccessKeyId=key["AccessKeyId"], Status="Inactive")
        return users

    def groups(self, n, users):
        groups = []
        for i, name in enumerate(self.names(n, ODD_NAMES, "group")):
            arn = self.iam.create_group(GroupName=name, Path=self.path(i))["Group"]["Arn"]
            groups.append((name, arn))
            size = 0 if i == 0 else len(users) // 2 if i == 1 else self.rng.randint(0, 8)
            for user, _ in self.rng.sample(users, size):
                self.iam.add_user_to_group(GroupName=name, UserName=user)
        return groups

    def roles(self, n, account, users):
        names = self.names(n, ODD_NAMES, "role")
        paths = [self.path(i) for i in range(n)]
        arns = [f"arn:aws:iam::{account}:role{path}{name}" for path, name in zip(paths, names)]
        user_arns = [arn for _, arn in users]
        forms = trust_documents(account, user_arns, arns)
        roles = []
        for i, (name, path, arn) in enumerate(zip(names, paths, arns)):
            label, trust = forms[i] if i < len(forms) else self.random_trust(user_arns, arns)
            if trust is None:
                trust = json.dumps({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                   "Principal": {"AWS": arn}}]})
            description = DESCRIPTIONS[i % len(DESCRIPTIONS)]
            more = {"Description": description} if description else {}
            if i % 7 == 0:
                more["MaxSessionDuration"] = 3600 * (1 + i % 12)
            made = self.iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trust, Tags=self.tags(),
                                        **more)["Role"]["Arn"]
            assert made == arn, (label, made, arn)
            roles.append((name, arn))
        for service in ("support.amazonaws.com", "ecs.amazonaws.com"):
            name = self.iam.create_service_linked_role(AWSServiceName=service)["Role"]["RoleName"]
            roles.append((name, f"arn:aws:iam::{account}:role/aws-service-role/{service}/{name}"))
        return roles

    def random_trust(self, user_arns, role_arns):
        statements = []
        for _ in range(self.rng.randint(1, 3)):
            arns = self.rng.sample(user_arns + role_arns, self.rng.randint(1, 5))
            statements.append({"Effect": self.rng.choice(["Allow"] * 4 + ["Deny"]),
                               "Action": self.rng.choice(["sts:AssumeRole", ["sts:AssumeRole", "sts:TagSession"]]),
                               "Principal": {"AWS": arns}})
        return "random", json.dumps({"Version": "2012-10-17", "Statement": statements})

    def link(self, kind, entities, policy_arns):
        """Attaches managed policies and writes inline ones; every third entity has none."""
        attach = getattr(self.iam, f"attach_{kind}_policy")
        put = getattr(self.iam, f"put_{kind}_policy")
        field = {"user": "UserName", "role": "RoleName", "group": "GroupName"}[kind]
        managed = [f"arn:aws:iam::aws:policy/{name}" for name in AWS_MANAGED]
        inline_names = ODD_NAMES + ["i" * 128]
        for i, (name, _) in enumerate(entities):
            if i % 3 == 2:
                continue
            for arn in self.rng.sample(policy_arns + managed, self.rng.randint(0, 4)):
                attach(**{field: name, "PolicyArn": arn})
            for policy in self.rng.sample(inline_names, 3 if i < 10 else self.rng.randint(0, 1)):
                put(**{field: name, "PolicyName": policy, "PolicyDocument": self.document()})


def seed(endpoint, number=1, users=180, groups=50, roles=160, policies=70, account="123456789012",
         access_key="AKIASEEDSEEDSEEDSEED"):
    """Fills the account. Needs at least 40 users (the trust forms name them)."""
    s = Seeder(endpoint, random.Random(number), access_key)
    policy_arns = s.policies(policies)
    made_users = s.users(users)
    made_groups = s.groups(groups, made_users)
    made_roles = s.roles(roles, account, made_users)
    attachable = policy_arns[: len(policy_arns) * 3 // 4]  # the rest stays unattached
    s.link("user", made_users, attachable)
    s.link("group", made_groups, attachable)
    s.link("role", made_roles, attachable)
    s.iam.create_account_alias(AccountAlias=f"e2e-alias-{number}")


MANAGEMENT = "123456789012"
ACCOUNT_NAMES = ["Production", "Sandbox <dev> & \"legacy\"", "Empty"]


def seed_organization(endpoint):
    """An organization with two accounts that have something, one that has nothing and one that is suspended. In each of
    the first two a role trusts roles of all. Returns the accounts' numbers."""
    s = Seeder(endpoint, random.Random(0))
    organizations, sts = (s.client(service, "AKIASEEDSEEDSEEDSEED", "secret") for service in ("organizations", "sts"))
    organizations.create_organization(FeatureSet="ALL")
    made = [organizations.create_account(AccountName=name, Email=f"aws{i}@example.com")["CreateAccountStatus"]["AccountId"]
            for i, name in enumerate(ACCOUNT_NAMES + ["Closed"])]
    organizations.close_account(AccountId=made[-1])
    for number, account in enumerate(made[:2], start=2):
        key = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole",
                              RoleSessionName="seed")["Credentials"]["AccessKeyId"]
        seed(endpoint, number, users=40, groups=6, roles=24, policies=8, account=account, access_key=key)
        # The first role of every account that has any has this name.
        arns = [f"arn:aws:iam::{trusted}:role/{ODD_NAMES[0]}" for trusted in [MANAGEMENT, *made, OTHER]]
        trust = {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": arns}}}
        s.client("iam", key, "secret").create_role(RoleName="across", AssumeRolePolicyDocument=json.dumps(trust))
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("endpoint")
    for name, default in (("seed", 1), ("users", 180), ("groups", 50), ("roles", 160), ("policies", 70)):
        parser.add_argument(f"--{name}", type=int, default=default)
    a = parser.parse_args()
    seed(a.endpoint, a.seed, a.users, a.groups, a.roles, a.policies)


if __name__ == "__main__":
    main()

/* Identity Store, API version 2020-06-15: the operations that read the directory of IAM Identity Center. The management
 * account and a delegated administrator may ask.
 * https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/ */
#include "sim/sim_call.h"
#include "sim/sim_center.h"

static void fail_not_found(struct sim_call *c, const char *type)
{
	sim_fail(c, 400, "ResourceNotFoundException", "%s not found.", type);
}

/* NULL: the call has failed, or there is nobody in this store (*ret_empty). Only the organization's directory has people
 * in it. */
static const struct sim_people *people_of(struct sim_call *c)
{
	const struct sim_center *center = c->sim->center;
	struct str id = sim_param(c, "IdentityStoreId");

	if (!sim_is_administrator(c)) {
		sim_fail(c, 400, "AccessDeniedException",
			"User: " STR_FMT " is not authorized to perform: identitystore:" STR_FMT,
			STR_ARG(c->caller.arn), STR_ARG(c->op_name));
		return NULL;
	}
	for (size_t i = 0; i < center->n_instances && sim_is_sso_region(c); i++) {
		if (str_eq(center->instances[i].store_id, id))
			return center->instances[i].has_sets ? center->people : center->nobody;
	}
	fail_not_found(c, "IDENTITY_STORE");
	return NULL;
}

/* Whom a parameter names. False: the call has failed. */
static bool find(struct sim_call *c, const struct sim_people *p, enum sim_sso_kind kind, const char *param,
	size_t *ret_i)
{
	if (!sim_people_find(p, kind, sim_param(c, param), ret_i) || sim_people_is_gone(p, kind, *ret_i))
		fail_not_found(c, kind == SIM_SSO_USER ? "USER" : "GROUP");
	return !sim_failed(c);
}

/* --- writing --- */
static void put_external_ids(struct json_writer *w, const struct sim_external_id *ids, size_t n)
{
	if (n == 0)
		return;
	jw_open(w, "ExternalIds", '[');
	for (size_t i = 0; i < n; i++) {
		jw_open(w, NULL, '{');
		jw_str(w, "Issuer", ids[i].issuer);
		jw_str(w, "Id", ids[i].id);
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

static void put_emails(struct json_writer *w, const struct sim_sso_user *u)
{
	if (u->n_emails == 0)
		return;
	jw_open(w, "Emails", '[');
	for (size_t i = 0; i < u->n_emails; i++) {
		jw_open(w, NULL, '{');
		jw_str_unless_empty(w, "Value", u->emails[i].value);
		jw_str_unless_empty(w, "Type", u->emails[i].type);
		jw_bool(w, "Primary", u->emails[i].primary);
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

static void put_user(struct sim_call *c, const struct sim_people *p, size_t i)
{
	struct sim_sso_user u = sim_people_user(p, i, c->arena);
	struct json_writer *w = &c->json;

	jw_str(w, "IdentityStoreId", sim_param(c, "IdentityStoreId"));
	jw_str(w, "UserId", u.id);
	jw_str(w, "UserName", u.user_name);
	jw_open(w, "Name", '{');
	jw_str(w, "GivenName", u.given_name);
	jw_str(w, "FamilyName", u.family_name);
	jw_close(w, '}');
	jw_str_unless_empty(w, "DisplayName", u.display_name);
	jw_str_unless_empty(w, "Title", u.title);
	jw_str_unless_empty(w, "UserStatus", u.status);
	put_emails(w, &u);
	put_external_ids(w, u.external_ids, u.n_external_ids);
}

static void put_group(struct sim_call *c, const struct sim_people *p, size_t i)
{
	struct sim_sso_group g = sim_people_group(p, i, c->arena);
	struct json_writer *w = &c->json;

	jw_str(w, "IdentityStoreId", sim_param(c, "IdentityStoreId"));
	jw_str(w, "GroupId", g.id);
	jw_str(w, "DisplayName", g.display_name);
	jw_str_unless_empty(w, "Description", g.description);
	put_external_ids(w, g.external_ids, g.n_external_ids);
}

static void put_member(struct sim_call *c, struct str user_id)
{
	jw_open(&c->json, "MemberId", '{');
	jw_str(&c->json, "UserId", user_id);
	jw_close(&c->json, '}');
}

/* --- users and groups --- */
struct people_query {
	const struct sim_people *people;
	enum sim_sso_kind kind;
	size_t only; /* SIZE_MAX: all */
};

static bool is_listed(struct sim_call *c, const void *of, size_t i)
{
	const struct people_query *q = of;

	(void)c;
	return !sim_people_is_gone(q->people, q->kind, i) && (q->only == SIZE_MAX || q->only == i);
}

/* One filter by name is all there is. False: the call has failed. */
static bool read_filter(struct sim_call *c, struct people_query *q)
{
	struct str path = sim_param(c, "Filters.1.AttributePath");
	size_t i;

	if (path.n == 0)
		return true;
	if (!str_eq_c(path, q->kind == SIM_SSO_USER ? "UserName" : "DisplayName") ||
		sim_param(c, "Filters.2.AttributePath").n > 0)
		sim_fail(c, 400, "ValidationException", "The filter is not supported.");
	else if (sim_people_named(q->people, q->kind, sim_param(c, "Filters.1.AttributeValue"), &i))
		q->only = i;
	else
		q->only = SIZE_MAX - 1;
	return !sim_failed(c);
}

static void list_people(struct sim_call *c, enum sim_sso_kind kind)
{
	struct people_query q = {.people = people_of(c), .kind = kind, .only = SIZE_MAX};
	struct sim_page page;

	if (q.people == NULL || !read_filter(c, &q))
		return;
	size_t n = kind == SIM_SSO_USER ? q.people->n_users : q.people->n_groups;
	if (!sim_select(c, n, is_listed, &q, &page))
		return;
	jw_open(&c->json, kind == SIM_SSO_USER ? "Users" : "Groups", '[');
	for (size_t k = 0; k < page.n; k++) {
		jw_open(&c->json, NULL, '{');
		(kind == SIM_SSO_USER ? put_user : put_group)(c, q.people, page.items[k]);
		jw_close(&c->json, '}');
	}
	jw_close(&c->json, ']');
	sim_page_end(c, &page);
}

static void list_users(struct sim_call *c)
{
	list_people(c, SIM_SSO_USER);
}

static void list_groups(struct sim_call *c)
{
	list_people(c, SIM_SSO_GROUP);
}

static void describe_user(struct sim_call *c)
{
	const struct sim_people *p = people_of(c);
	size_t i;

	if (p != NULL && find(c, p, SIM_SSO_USER, "UserId", &i))
		put_user(c, p, i);
}

static void describe_group(struct sim_call *c)
{
	const struct sim_people *p = people_of(c);
	size_t i;

	if (p != NULL && find(c, p, SIM_SSO_GROUP, "GroupId", &i))
		put_group(c, p, i);
}

/* --- by something unique --- */
static bool has_email(const struct sim_sso_user *u, struct str value)
{
	for (size_t i = 0; i < u->n_emails; i++) {
		if (str_eq(u->emails[i].value, value))
			return true;
	}
	return false;
}

static bool has_external_id(const struct sim_external_id *ids, size_t n, struct sim_external_id want)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(ids[i].issuer, want.issuer) && str_eq(ids[i].id, want.id))
			return true;
	}
	return false;
}

/* Rarely asked, so it looks at all of them. */
static bool is_it(const struct sim_people *p, enum sim_sso_kind kind, size_t i, struct str email,
	struct sim_external_id external, struct arena *arena)
{
	if (sim_people_is_gone(p, kind, i))
		return false;
	if (kind == SIM_SSO_GROUP) {
		struct sim_sso_group g = sim_people_group(p, i, arena);
		return has_external_id(g.external_ids, g.n_external_ids, external);
	}
	struct sim_sso_user u = sim_people_user(p, i, arena);
	return email.n > 0 ? has_email(&u, email)
			   : has_external_id(u.external_ids, u.n_external_ids, external);
}

static bool search(const struct sim_people *p, enum sim_sso_kind kind, struct str email,
	struct sim_external_id external, size_t *ret_i)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	size_t n = kind == SIM_SSO_USER ? p->n_users : p->n_groups;

	for (size_t i = 0; i < n; i++) {
		if (is_it(p, kind, i, email, external, arena)) {
			*ret_i = i;
			return true;
		}
		arena_reset(arena);
	}
	return false;
}

static bool find_alternate(
	struct sim_call *c, const struct sim_people *p, enum sim_sso_kind kind, size_t *ret_i)
{
	struct str path = sim_param(c, "AlternateIdentifier.UniqueAttribute.AttributePath");
	struct str value = sim_param(c, "AlternateIdentifier.UniqueAttribute.AttributeValue");
	struct sim_external_id external = {sim_param(c, "AlternateIdentifier.ExternalId.Issuer"),
		sim_param(c, "AlternateIdentifier.ExternalId.Id")};

	if (str_eq_c(path, kind == SIM_SSO_USER ? "userName" : "displayName"))
		return sim_people_named(p, kind, value, ret_i);
	if (kind == SIM_SSO_USER && str_eq_c(path, "emails.value") && value.n > 0)
		return search(p, kind, value, external, ret_i);
	if (path.n == 0 && external.id.n > 0)
		return search(p, kind, STR_EMPTY, external, ret_i);
	sim_fail(c, 400, "ValidationException", "The alternate identifier is not supported.");
	return false;
}

static void get_id(struct sim_call *c, enum sim_sso_kind kind)
{
	const struct sim_people *p = people_of(c);
	size_t i;

	if (p == NULL)
		return;
	if (!find_alternate(c, p, kind, &i)) {
		fail_not_found(c, kind == SIM_SSO_USER ? "USER" : "GROUP");
		return;
	}
	jw_str(&c->json, "IdentityStoreId", sim_param(c, "IdentityStoreId"));
	jw_str(&c->json, kind == SIM_SSO_USER ? "UserId" : "GroupId", sim_people_id(p, kind, i, c->arena));
}

static void get_user_id(struct sim_call *c)
{
	get_id(c, SIM_SSO_USER);
}

static void get_group_id(struct sim_call *c)
{
	get_id(c, SIM_SSO_GROUP);
}

/* --- memberships --- */
struct member_query {
	const struct sim_people *people;
	size_t of; /* the group, or the user */
};

static void put_membership(struct sim_call *c, const struct sim_people *p, size_t user, size_t group)
{
	struct json_writer *w = &c->json;

	jw_open(w, NULL, '{');
	jw_str(w, "IdentityStoreId", sim_param(c, "IdentityStoreId"));
	jw_str(w, "MembershipId", sim_people_membership_id(p, user, group, c->arena));
	jw_str(w, "GroupId", sim_people_id(p, SIM_SSO_GROUP, group, c->arena));
	put_member(c, sim_people_id(p, SIM_SSO_USER, user, c->arena));
	jw_close(w, '}');
}

static bool has_member(struct sim_call *c, const void *of, size_t user)
{
	const struct member_query *q = of;

	(void)c;
	return sim_people_is_member(q->people, user, q->of);
}

static bool has_group(struct sim_call *c, const void *of, size_t k)
{
	const struct member_query *q = of;
	size_t ignored;

	(void)c;
	return sim_people_membership(q->people, q->of, k, &ignored);
}

static void list_group_memberships(struct sim_call *c)
{
	struct member_query q = {.people = people_of(c)};
	struct sim_page page;

	if (q.people == NULL || !find(c, q.people, SIM_SSO_GROUP, "GroupId", &q.of) ||
		!sim_select(c, q.people->n_users, has_member, &q, &page))
		return;
	jw_open(&c->json, "GroupMemberships", '[');
	for (size_t k = 0; k < page.n; k++)
		put_membership(c, q.people, page.items[k], q.of);
	jw_close(&c->json, ']');
	sim_page_end(c, &page);
}

static void list_memberships_of_member(struct sim_call *c)
{
	struct member_query q = {.people = people_of(c)};
	struct sim_page page;
	size_t group;

	if (q.people == NULL || !find(c, q.people, SIM_SSO_USER, "MemberId.UserId", &q.of) ||
		!sim_select(c, q.people->per_user, has_group, &q, &page))
		return;
	jw_open(&c->json, "GroupMemberships", '[');
	for (size_t k = 0; k < page.n; k++) {
		if (sim_people_membership(q.people, q.of, page.items[k], &group))
			put_membership(c, q.people, q.of, group);
	}
	jw_close(&c->json, ']');
	sim_page_end(c, &page);
}

static void get_membership_id(struct sim_call *c)
{
	const struct sim_people *p = people_of(c);
	size_t user, group;

	if (p == NULL || !find(c, p, SIM_SSO_GROUP, "GroupId", &group) ||
		!find(c, p, SIM_SSO_USER, "MemberId.UserId", &user))
		return;
	if (!sim_people_is_member(p, user, group)) {
		fail_not_found(c, "MEMBERSHIP");
		return;
	}
	jw_str(&c->json, "IdentityStoreId", sim_param(c, "IdentityStoreId"));
	jw_str(&c->json, "MembershipId", sim_people_membership_id(p, user, group, c->arena));
}

#define STORE "IdentityStoreId"

static const struct sim_op ops[] = {
	{.name = "ListUsers", .fn = list_users, .required = {STORE}},
	{.name = "ListGroups", .fn = list_groups, .required = {STORE}},
	{.name = "DescribeUser", .fn = describe_user, .required = {STORE, "UserId"}},
	{.name = "DescribeGroup", .fn = describe_group, .required = {STORE, "GroupId"}},
	{.name = "GetUserId", .fn = get_user_id, .required = {STORE}},
	{.name = "GetGroupId", .fn = get_group_id, .required = {STORE}},
	{.name = "ListGroupMemberships", .fn = list_group_memberships, .required = {STORE, "GroupId"}},
	{.name = "ListGroupMembershipsForMember",
		.fn = list_memberships_of_member,
		.required = {STORE, "MemberId.UserId"}},
	{.name = "GetGroupMembershipId",
		.fn = get_membership_id,
		.required = {STORE, "GroupId", "MemberId.UserId"}},
};

static const struct sim_codes codes = {
	.invalid = "ValidationException",
	.unreadable = "SerializationException",
	.throttled = "ThrottlingException",
	.failed = "InternalServerException",
};

static const struct sim_paging paging = {
	.token = "NextToken",
	.size = "MaxResults",
	.size_default = 100,
	.size_max = 100,
	.bad_token_code = "ValidationException",
	.bad_token = "Invalid NextToken",
};

const struct sim_service sim_identity_store = {
	.name = "identitystore",
	.protocol = &sim_json,
	.target = "AWSIdentityStore",
	.codes = &codes,
	.paging = &paging,
	.ops = ops,
	.n_ops = ARRAY_LEN(ops),
	.count_repeats = true,
};

/* IAM, API version 2010-05-08: the operations that read.
 *
 * DESIGN
 * Users, groups and roles are one struct, so one function serves GetUser and GetRole, or the three
 * ListAttached...; what differs (element names, messages) is in `kinds`. What an operation leaves out is as
 * important as what it returns: ListUsers has no tags and no permissions boundary, ListRoles neither of these
 * nor RoleLastUsed, GetAccountAuthorizationDetails no PasswordLastUsed, Description or MaxSessionDuration.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/ */
#include <inttypes.h>
#include <string.h>

#include "base/encode.h"
#include "sim/sim_call.h"
#include "sim/sim_report.h"

static const struct kind_names {
	const char *element;                   /* <User> */
	const char *list;                      /* <Users> */
	const char *name;                      /* <UserName>, and the parameter */
	const char *id;                        /* <UserId> */
	const char *word;                      /* in messages */
	const char *detail_list, *inline_list; /* GetAccountAuthorizationDetails */
} kinds[SIM_KIND_COUNT] = {
	[SIM_USER] = {"User", "Users", "UserName", "UserId", "user", "UserDetailList", "UserPolicyList"},
	[SIM_GROUP] = {"Group", "Groups", "GroupName", "GroupId", "group", "GroupDetailList",
		"GroupPolicyList"},
	[SIM_ROLE] = {"Role", "Roles", "RoleName", "RoleId", "role", "RoleDetailList", "RolePolicyList"},
};

static struct sim_entity *entity_at(const struct sim_call *c, enum sim_kind kind, size_t i)
{
	return &c->caller.account->entities[kind][i];
}

/* The entity that the call is about; NULL: the call has failed. */
static struct sim_entity *asked_entity(struct sim_call *c)
{
	const struct kind_names *k = &kinds[c->op->kind];
	struct str name = sim_param(c, k->name);
	struct sim_entity *e = sim_entity_find(c->caller.account, c->op->kind, name);

	if (e == NULL)
		sim_fail(c, 404, "NoSuchEntity", "The %s with name " STR_FMT " cannot be found.", k->word,
			STR_ARG(name));
	return e;
}

static bool path_matches(const struct sim_call *c, struct str path)
{
	return str_starts(path, sim_param(c, "PathPrefix"));
}

/* --- pieces --- */
static void put_identity(struct sim_call *c, const struct sim_entity *e)
{
	const struct kind_names *k = &kinds[e->kind];

	el_str(c, "Path", e->path);
	el_str(c, k->name, e->name);
	el_str(c, k->id, e->id);
	el_str(c, "Arn", e->arn);
	el_time(c, "CreateDate", e->created_s);
}

static void put_tag(struct sim_call *c, const struct sim_tag *tag)
{
	el_open(c, "member");
	el_str(c, "Key", tag->key);
	el_str(c, "Value", tag->value);
	el_close(c, "member");
}

static void put_tags(struct sim_call *c, const struct sim_entity *e)
{
	if (e->n_tags == 0)
		return;
	el_open(c, "Tags");
	for (uint32_t i = 0; i < e->n_tags; i++)
		put_tag(c, &e->tags[i]);
	el_close(c, "Tags");
}

static void put_boundary(struct sim_call *c, const struct sim_entity *e)
{
	if (e->boundary == SIM_NONE)
		return;
	el_open(c, "PermissionsBoundary");
	el_str(c, "PermissionsBoundaryType", STR("Policy"));
	el_str(c, "PermissionsBoundaryArn", sim_policy_at(c->caller.account, e->boundary)->arn);
	el_close(c, "PermissionsBoundary");
}

static void put_last_used(struct sim_call *c, const struct sim_entity *e)
{
	el_open(c, "RoleLastUsed");
	if (e->last_used_s != SIM_NEVER) {
		el_time(c, "LastUsedDate", e->last_used_s);
		el_str(c, "Region", STR("us-east-1"));
	}
	el_close(c, "RoleLastUsed");
}

static void put_attached_policy(struct sim_call *c, const struct sim_policy *p)
{
	el_open(c, "member");
	el_str(c, "PolicyName", p->name);
	el_str(c, "PolicyArn", p->arn);
	el_close(c, "member");
}

/* What a list operation tells of an entity. */
static void put_listed(struct sim_call *c, const struct sim_entity *e)
{
	put_identity(c, e);
	if (e->kind == SIM_USER)
		el_time(c, "PasswordLastUsed", e->password_last_used_s);
	if (e->kind != SIM_ROLE)
		return;
	el_document(c, "AssumeRolePolicyDocument", e->trust);
	if (e->description.n > 0)
		el_str(c, "Description", e->description);
	el_int(c, "MaxSessionDuration", e->max_session_s);
}

/* --- users, groups, roles --- */
static bool has_entity(struct sim_call *c, const void *of, size_t i)
{
	const struct sim_entity *e = entity_at(c, c->op->kind, i);

	(void)of;
	return !e->gone && path_matches(c, e->path);
}

static void list_entities(struct sim_call *c)
{
	const struct kind_names *k = &kinds[c->op->kind];
	struct sim_page page;

	if (!sim_select(c, c->caller.account->n[c->op->kind], has_entity, NULL, &page))
		return;
	el_open(c, k->list);
	for (size_t i = 0; i < page.n; i++) {
		el_open(c, "member");
		put_listed(c, entity_at(c, c->op->kind, page.items[i]));
		el_close(c, "member");
	}
	el_close(c, k->list);
	sim_page_end(c, &page);
}

/* GetUser and GetRole tell everything. */
static void put_whole(struct sim_call *c, const struct sim_entity *e)
{
	const struct kind_names *k = &kinds[e->kind];

	el_open(c, k->element);
	put_listed(c, e);
	put_boundary(c, e);
	put_tags(c, e);
	if (e->kind == SIM_ROLE)
		put_last_used(c, e);
	el_close(c, k->element);
}

static void get_entity(struct sim_call *c)
{
	const struct sim_entity *e = asked_entity(c);

	if (e != NULL)
		put_whole(c, e);
}

static void get_user(struct sim_call *c)
{
	if (sim_param(c, "UserName").n > 0) {
		get_entity(c);
		return;
	}
	/* Without a name: the user whose key signed. That is always the first one. */
	if (c->caller.is_session || c->caller.account->n[SIM_USER] == 0)
		sim_fail(c, 400, "ValidationError",
			"Must specify userName when calling with non-User credentials");
	else
		put_whole(c, entity_at(c, SIM_USER, 0));
}

static bool has_member(struct sim_call *c, const void *of, size_t i)
{
	const struct sim_entity *user = entity_at(c, SIM_USER, i);

	return !user->gone && sim_in_group(user, of);
}

static void get_group(struct sim_call *c)
{
	const struct sim_entity *group = asked_entity(c);
	struct sim_page page;

	if (group == NULL || !sim_select(c, c->caller.account->n[SIM_USER], has_member, group, &page))
		return;
	el_open(c, "Group");
	put_identity(c, group);
	el_close(c, "Group");
	el_open(c, "Users");
	for (size_t i = 0; i < page.n; i++) {
		el_open(c, "member");
		put_listed(c, entity_at(c, SIM_USER, page.items[i]));
		el_close(c, "member");
	}
	el_close(c, "Users");
	sim_page_end(c, &page);
}

static void list_groups_for_user(struct sim_call *c)
{
	const struct sim_entity *user = asked_entity(c);
	struct sim_page page;

	if (user == NULL || !sim_select(c, user->n_groups, sim_has_all, NULL, &page))
		return;
	el_open(c, "Groups");
	for (size_t i = 0; i < page.n; i++) {
		el_open(c, "member");
		put_identity(c, entity_at(c, SIM_GROUP, user->groups[page.items[i]]));
		el_close(c, "member");
	}
	el_close(c, "Groups");
	sim_page_end(c, &page);
}

static void list_tags(struct sim_call *c)
{
	const struct sim_entity *e = asked_entity(c);
	struct sim_page page;

	if (e == NULL || !sim_select(c, e->n_tags, sim_has_all, NULL, &page))
		return;
	el_open(c, "Tags");
	for (size_t i = 0; i < page.n; i++)
		put_tag(c, &e->tags[page.items[i]]);
	el_close(c, "Tags");
	sim_page_end(c, &page);
}

/* --- policies of an entity --- */
static bool has_attached(struct sim_call *c, const void *of, size_t i)
{
	const struct sim_entity *e = of;

	return path_matches(c, sim_policy_at(c->caller.account, e->attached[i])->path);
}

static void list_attached(struct sim_call *c)
{
	const struct sim_entity *e = asked_entity(c);
	struct sim_page page;

	if (e == NULL || !sim_select(c, e->n_attached, has_attached, e, &page))
		return;
	el_open(c, "AttachedPolicies");
	for (size_t i = 0; i < page.n; i++)
		put_attached_policy(c, sim_policy_at(c->caller.account, e->attached[page.items[i]]));
	el_close(c, "AttachedPolicies");
	sim_page_end(c, &page);
}

static void list_inline(struct sim_call *c)
{
	const struct sim_entity *e = asked_entity(c);
	struct sim_page page;

	if (e == NULL || !sim_select(c, e->n_inline, sim_has_all, NULL, &page))
		return;
	el_open(c, "PolicyNames");
	for (size_t i = 0; i < page.n; i++)
		el_str(c, "member", sim_inline_name(c->caller.account, e, (uint32_t)page.items[i]));
	el_close(c, "PolicyNames");
	sim_page_end(c, &page);
}

static void get_inline(struct sim_call *c)
{
	const struct sim_entity *e = asked_entity(c);
	struct str name = sim_param(c, "PolicyName");

	for (uint32_t k = 0; e != NULL && k < e->n_inline; k++) {
		if (!str_eq(name, sim_inline_name(c->caller.account, e, k)))
			continue;
		el_str(c, kinds[e->kind].name, e->name);
		el_str(c, "PolicyName", name);
		el_document(c, "PolicyDocument", sim_inline_document(c->caller.account, e, k, c->arena));
		return;
	}
	sim_fail(c, 404, "NoSuchEntity", "The %s policy with name " STR_FMT " cannot be found.",
		kinds[c->op->kind].word, STR_ARG(name));
}

/* --- managed policies --- */
static bool has_policy(struct sim_call *c, const void *of, size_t i)
{
	const struct sim_policy *p = sim_policy_at(c->caller.account, i);
	struct str scope = sim_param(c, "Scope");

	(void)of;
	if (str_eq_c(scope, p->aws ? "Local" : "AWS"))
		return false;
	if (str_eq_c(sim_param(c, "OnlyAttached"), "true") && c->caller.account->use[i].attachments == 0)
		return false;
	return path_matches(c, p->path);
}

/* What ListPolicies tells of a policy. GetPolicy and GetAccountAuthorizationDetails add the description. */
static void put_policy(struct sim_call *c, const struct sim_policy *p)
{
	const struct sim_policy_use *use = sim_policy_use(c->caller.account, p);

	el_str(c, "PolicyName", p->name);
	el_str(c, "PolicyId", p->id);
	el_str(c, "Arn", p->arn);
	el_str(c, "Path", p->path);
	el_str(c, "DefaultVersionId", str_fmt(c->arena, "v%" PRIu32, p->default_version));
	el_int(c, "AttachmentCount", use->attachments);
	el_int(c, "PermissionsBoundaryUsageCount", use->boundaries);
	el_bool(c, "IsAttachable", true);
	el_time(c, "CreateDate", p->created_s);
	el_time(c, "UpdateDate", p->updated_s);
}

static void list_policies(struct sim_call *c)
{
	struct str scope = sim_param(c, "Scope");
	struct sim_page page;

	if (scope.n > 0 && !str_eq_c(scope, "All") && !str_eq_c(scope, "AWS") && !str_eq_c(scope, "Local")) {
		sim_fail(c, 400, "ValidationError",
			"1 validation error detected: Value '" STR_FMT
			"' at 'scope' failed to satisfy constraint: "
			"Member must satisfy enum value set: [All, AWS, Local]",
			STR_ARG(scope));
		return;
	}
	c->same_everywhere = str_eq_c(scope, "AWS") && !str_eq_c(sim_param(c, "OnlyAttached"), "true");
	if (!sim_select(c, c->caller.account->n_policies, has_policy, NULL, &page))
		return;
	el_open(c, "Policies");
	for (size_t i = 0; i < page.n; i++) {
		el_open(c, "member");
		put_policy(c, sim_policy_at(c->caller.account, page.items[i]));
		el_close(c, "member");
	}
	el_close(c, "Policies");
	sim_page_end(c, &page);
}

static const struct sim_policy *asked_policy(struct sim_call *c)
{
	struct str arn = sim_param(c, "PolicyArn");
	const struct sim_policy *p = sim_policy_find(c->caller.account, arn);

	if (p == NULL)
		sim_fail(c, 404, "NoSuchEntity", "Policy " STR_FMT " was not found.", STR_ARG(arn));
	return p;
}

static void get_policy(struct sim_call *c)
{
	const struct sim_policy *p = asked_policy(c);

	if (p == NULL)
		return;
	el_open(c, "Policy");
	put_policy(c, p);
	if (p->description.n > 0)
		el_str(c, "Description", p->description);
	el_open(c, "Tags");
	if (p->tag.key.n > 0)
		put_tag(c, &p->tag);
	el_close(c, "Tags");
	el_close(c, "Policy");
}

static void put_version(struct sim_call *c, const struct sim_policy *p, uint32_t version)
{
	el_document(c, "Document", sim_policy_document(c->caller.account, p, version, c->arena));
	el_str(c, "VersionId", str_fmt(c->arena, "v%" PRIu32, version));
	el_bool(c, "IsDefaultVersion", version == p->default_version);
	el_time(c, "CreateDate", sim_policy_version_created(p, version));
}

static void get_policy_version(struct sim_call *c)
{
	const struct sim_policy *p = asked_policy(c);
	struct str id = sim_param(c, "VersionId");
	uint64_t version = 0;

	if (p == NULL)
		return;
	if (!str_starts(id, STR("v")) || !str_to_u64(str_from(id, 1), &version) ||
		version < p->first_version || version > p->last_version) {
		sim_fail(c, 404, "NoSuchEntity",
			"Policy " STR_FMT " version " STR_FMT " does not exist or is not attachable.",
			STR_ARG(p->arn), STR_ARG(id));
		return;
	}
	c->same_everywhere = p->aws;
	el_open(c, "PolicyVersion");
	put_version(c, p, (uint32_t)version);
	el_close(c, "PolicyVersion");
}

/* --- GetAccountAuthorizationDetails --- */
enum detail { DETAIL_USERS, DETAIL_GROUPS, DETAIL_ROLES, DETAIL_LOCAL, DETAIL_AWS, DETAIL_COUNT };

struct details {
	bool wanted[DETAIL_COUNT];
	size_t end[DETAIL_COUNT]; /* candidates: users, then groups, roles, customer policies, AWS policies */
};

static enum detail detail_of(const struct details *d, size_t i, size_t *ret_index)
{
	enum detail kind = DETAIL_USERS;

	while (i >= d->end[kind])
		kind++;
	/* Both kinds of policies lie in one array. */
	size_t start = kind == DETAIL_USERS ? 0 : d->end[kind == DETAIL_AWS ? DETAIL_ROLES : kind - 1];
	*ret_index = i - start;
	return kind;
}

static bool read_filter(struct sim_call *c, struct details *d)
{
	static const char *const names[DETAIL_COUNT] = {
		"User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy"};
	unsigned n = 1;

	for (struct str f; (f = sim_param_member(c, "Filter", n)).n > 0; n++) {
		size_t kind = 0;
		while (kind < DETAIL_COUNT && !str_eq_c(f, names[kind]))
			kind++;
		if (kind == DETAIL_COUNT) {
			sim_fail(c, 400, "ValidationError",
				"1 validation error detected: Value '[" STR_FMT
				"]' at 'filter' failed to satisfy constraint: "
				"Member must satisfy constraint: [Member must satisfy enum value set: "
				"[User, Role, Group, LocalManagedPolicy, AWSManagedPolicy]]",
				STR_ARG(f));
			return false;
		}
		d->wanted[kind] = true;
	}
	for (size_t kind = 0; n == 1 && kind < DETAIL_COUNT; kind++)
		d->wanted[kind] = true;
	return true;
}

static bool has_detail(struct sim_call *c, const void *of, size_t i)
{
	const struct details *d = of;
	size_t index;
	enum detail kind = detail_of(d, i, &index);

	if (!d->wanted[kind])
		return false;
	if (kind < DETAIL_LOCAL)
		return !entity_at(c, (enum sim_kind)kind, index)->gone;
	/* Of the AWS-managed policies only those in use. */
	const struct sim_policy_use *use = &c->caller.account->use[index];
	return kind == DETAIL_LOCAL || use->attachments > 0 || use->boundaries > 0;
}

static void put_instance_profiles(struct sim_call *c, const struct sim_entity *role)
{
	el_open(c, "InstanceProfileList");
	if (role->has_profile) {
		uint64_t h = sim_hash(c->caller.account->seed, role->index, 0, 0);
		el_open(c, "member");
		el_str(c, "InstanceProfileId", sim_id(c->arena, "AIPA", h));
		el_str(c, "InstanceProfileName", role->name);
		el_str(c, "Path", STR("/"));
		el_str(c, "Arn",
			str_fmt(c->arena, "arn:aws:iam::" STR_FMT ":instance-profile/" STR_FMT,
				STR_ARG(c->caller.account->id), STR_ARG(role->name)));
		el_time(c, "CreateDate", role->created_s);
		el_open(c, "Roles"); /* the role once more, inside itself */
		el_open(c, "member");
		put_identity(c, role);
		el_document(c, "AssumeRolePolicyDocument", role->trust);
		el_close(c, "member");
		el_close(c, "Roles");
		el_close(c, "member");
	}
	el_close(c, "InstanceProfileList");
}

static void put_entity_detail(struct sim_call *c, const struct sim_entity *e)
{
	struct sim_account *a = c->caller.account;

	put_identity(c, e);
	if (e->kind == SIM_ROLE) {
		el_document(c, "AssumeRolePolicyDocument", e->trust);
		put_instance_profiles(c, e);
	}
	if (e->kind == SIM_USER) {
		el_open(c, "GroupList");
		for (uint32_t i = 0; i < e->n_groups; i++)
			el_str(c, "member", entity_at(c, SIM_GROUP, e->groups[i])->name);
		el_close(c, "GroupList");
	}
	if (e->n_inline > 0) {
		el_open(c, kinds[e->kind].inline_list);
		for (uint32_t k = 0; k < e->n_inline; k++) {
			el_open(c, "member");
			el_str(c, "PolicyName", sim_inline_name(a, e, k));
			el_document(c, "PolicyDocument", sim_inline_document(a, e, k, c->arena));
			el_close(c, "member");
		}
		el_close(c, kinds[e->kind].inline_list);
	}
	el_open(c, "AttachedManagedPolicies");
	for (uint32_t i = 0; i < e->n_attached; i++)
		put_attached_policy(c, sim_policy_at(a, e->attached[i]));
	el_close(c, "AttachedManagedPolicies");
	put_boundary(c, e);
	put_tags(c, e);
	if (e->kind == SIM_ROLE)
		put_last_used(c, e);
}

static void put_policy_detail(struct sim_call *c, const struct sim_policy *p)
{
	/* All versions of a customer's policy, the default one of AWS's. */
	uint32_t first = p->aws ? p->default_version : p->first_version;
	uint32_t last = p->aws ? p->default_version : p->last_version;

	put_policy(c, p);
	if (p->description.n > 0)
		el_str(c, "Description", p->description);
	el_open(c, "PolicyVersionList");
	for (uint32_t v = last; v >= first; v--) {
		el_open(c, "member");
		put_version(c, p, v);
		el_close(c, "member");
	}
	el_close(c, "PolicyVersionList");
}

static void put_details(struct sim_call *c, const struct details *d, const struct sim_page *page, size_t *at,
	enum detail last)
{
	for (; *at < page->n; (*at)++) {
		size_t index;
		enum detail kind = detail_of(d, page->items[*at], &index);
		if (kind > last)
			return;
		el_open(c, "member");
		if (kind < DETAIL_LOCAL)
			put_entity_detail(c, entity_at(c, (enum sim_kind)kind, index));
		else
			put_policy_detail(c, sim_policy_at(c->caller.account, index));
		el_close(c, "member");
	}
}

static void get_account_authorization_details(struct sim_call *c)
{
	const struct sim_account *a = c->caller.account;
	struct details d = {0};
	struct sim_page page;
	size_t at = 0;

	if (!read_filter(c, &d))
		return;
	d.end[DETAIL_USERS] = a->n[SIM_USER];
	d.end[DETAIL_GROUPS] = d.end[DETAIL_USERS] + a->n[SIM_GROUP];
	d.end[DETAIL_ROLES] = d.end[DETAIL_GROUPS] + a->n[SIM_ROLE];
	d.end[DETAIL_LOCAL] = d.end[DETAIL_ROLES] + a->n_customer_policies;
	d.end[DETAIL_AWS] = d.end[DETAIL_ROLES] + a->n_policies;
	if (!sim_select(c, d.end[DETAIL_AWS], has_detail, &d, &page))
		return;
	for (size_t kind = 0; kind < SIM_KIND_COUNT; kind++) {
		el_open(c, kinds[kind].detail_list);
		put_details(c, &d, &page, &at, (enum detail)kind);
		el_close(c, kinds[kind].detail_list);
	}
	el_open(c, "Policies");
	put_details(c, &d, &page, &at, DETAIL_AWS);
	el_close(c, "Policies");
	sim_page_end(c, &page);
}

/* --- access keys --- */
static void list_access_keys(struct sim_call *c)
{
	const struct sim_entity *user = asked_entity(c);
	struct sim_page page;

	if (user == NULL || !sim_select(c, user->n_keys, sim_has_all, NULL, &page))
		return;
	el_open(c, "AccessKeyMetadata");
	for (size_t i = 0; i < page.n; i++) {
		const struct sim_access_key *k = &user->keys[page.items[i]];
		el_open(c, "member");
		el_str(c, "UserName", user->name);
		el_str(c, "AccessKeyId", k->id);
		el_str(c, "Status", str_c(sim_key_status_names[k->status]));
		el_time(c, "CreateDate", k->created_s);
		el_close(c, "member");
	}
	el_close(c, "AccessKeyMetadata");
	sim_page_end(c, &page);
}

static void put_key_use(struct sim_call *c, const struct sim_entity *user, const struct sim_access_key *k)
{
	bool used = k->last_used_s != SIM_NEVER;

	el_str(c, "UserName", user->name);
	el_open(c, "AccessKeyLastUsed");
	el_time(c, "LastUsedDate", k->last_used_s);
	el_str(c, "ServiceName", used ? k->service : STR("N/A"));
	el_str(c, "Region", used ? k->region : STR("N/A"));
	el_close(c, "AccessKeyLastUsed");
}

static void get_access_key_last_used(struct sim_call *c)
{
	struct str id = sim_param(c, "AccessKeyId");
	const struct sim_entity *user;
	const struct sim_access_key *key = sim_key_find(c->caller.account, id, &user);

	if (key != NULL) {
		put_key_use(c, user, key);
		return;
	}
	/* A key that is not the account's reads as denied, so that nobody learns whose it is. */
	sim_fail(c, 403, "AccessDenied",
		"User: " STR_FMT " is not authorized to perform: iam:GetAccessKeyLastUsed",
		STR_ARG(c->caller.arn));
}

/* --- credential report, aliases --- */
static void generate_credential_report(struct sim_call *c)
{
	static const char *const states[] = {"STARTED", "INPROGRESS", "COMPLETE"};
	enum sim_report_state state = sim_report_generate(c->sim, c->caller.account);

	el_str(c, "State", str_c(states[state]));
	if (state == SIM_REPORT_STARTED)
		el_str(c, "Description", STR("No report exists. Starting a new report generation task"));
}

static void get_credential_report(struct sim_call *c)
{
	int64_t generated_s;

	switch (sim_report_get(c->sim, c->caller.account, &generated_s)) {
	case SIM_REPORT_ABSENT:
		sim_fail(c, 410, "ReportNotPresent", "No report has been generated.");
		return;
	case SIM_REPORT_EXPIRED:
		sim_fail(c, 410, "ReportExpired", "The most recent credential report has expired.");
		return;
	case SIM_REPORT_STARTED:
	case SIM_REPORT_IN_PROGRESS:
		sim_fail(c, 404, "ReportInProgress", "Credential report generation is in progress.");
		return;
	case SIM_REPORT_COMPLETE:
		break;
	}
	el_str(c, "Content", b64_encode(c->arena, sim_report_csv(c->sim, c->caller.account, c->arena)));
	el_str(c, "ReportFormat", STR("text/csv"));
	el_time(c, "GeneratedTime", generated_s);
}

static void list_account_aliases(struct sim_call *c)
{
	struct sim_page page;

	if (!sim_select(c, c->caller.account->alias.n > 0, sim_has_all, NULL, &page))
		return;
	el_open(c, "AccountAliases");
	for (size_t i = 0; i < page.n; i++)
		el_str(c, "member", c->caller.account->alias);
	el_close(c, "AccountAliases");
	sim_page_end(c, &page);
}

static const struct sim_op ops[] = {
	{.name = "GetAccountAuthorizationDetails", .fn = get_account_authorization_details},
	{.name = "ListUsers", .fn = list_entities, .kind = SIM_USER},
	{.name = "ListGroups", .fn = list_entities, .kind = SIM_GROUP},
	{.name = "ListRoles", .fn = list_entities, .kind = SIM_ROLE},
	{.name = "ListPolicies", .fn = list_policies},
	{.name = "GetUser", .fn = get_user, .kind = SIM_USER},
	{.name = "GetGroup", .fn = get_group, .required = {"GroupName"}, .kind = SIM_GROUP},
	{.name = "GetRole", .fn = get_entity, .required = {"RoleName"}, .kind = SIM_ROLE},
	{.name = "ListUserTags", .fn = list_tags, .required = {"UserName"}, .kind = SIM_USER},
	{.name = "ListRoleTags", .fn = list_tags, .required = {"RoleName"}, .kind = SIM_ROLE},
	{.name = "ListAttachedUserPolicies", .fn = list_attached, .required = {"UserName"}, .kind = SIM_USER},
	{.name = "ListAttachedGroupPolicies",
		.fn = list_attached,
		.required = {"GroupName"},
		.kind = SIM_GROUP},
	{.name = "ListAttachedRolePolicies", .fn = list_attached, .required = {"RoleName"}, .kind = SIM_ROLE},
	{.name = "ListUserPolicies", .fn = list_inline, .required = {"UserName"}, .kind = SIM_USER},
	{.name = "ListGroupPolicies", .fn = list_inline, .required = {"GroupName"}, .kind = SIM_GROUP},
	{.name = "ListRolePolicies", .fn = list_inline, .required = {"RoleName"}, .kind = SIM_ROLE},
	{.name = "GetUserPolicy", .fn = get_inline, .required = {"UserName", "PolicyName"}, .kind = SIM_USER},
	{.name = "GetGroupPolicy",
		.fn = get_inline,
		.required = {"GroupName", "PolicyName"},
		.kind = SIM_GROUP},
	{.name = "GetRolePolicy", .fn = get_inline, .required = {"RoleName", "PolicyName"}, .kind = SIM_ROLE},
	{.name = "GetPolicy", .fn = get_policy, .required = {"PolicyArn"}},
	{.name = "GetPolicyVersion", .fn = get_policy_version, .required = {"PolicyArn", "VersionId"}},
	{.name = "ListGroupsForUser", .fn = list_groups_for_user, .required = {"UserName"}, .kind = SIM_USER},
	{.name = "ListAccessKeys", .fn = list_access_keys, .required = {"UserName"}, .kind = SIM_USER},
	{.name = "GetAccessKeyLastUsed", .fn = get_access_key_last_used, .required = {"AccessKeyId"}},
	{.name = "GenerateCredentialReport", .fn = generate_credential_report, .poll = true},
	{.name = "GetCredentialReport", .fn = get_credential_report, .poll = true},
	{.name = "ListAccountAliases", .fn = list_account_aliases},
};

static const struct sim_codes codes = {
	.invalid = "ValidationError",
	.unreadable = "MalformedInput",
	.throttled = "Throttling",
	.failed = "ServiceFailure",
};

static const struct sim_paging paging = {
	.token = "Marker",
	.size = "MaxItems",
	.size_default = 100,
	.size_max = 1000,
	.bad_token_code = "ValidationError",
	.bad_token = "Invalid Marker.",
};

const struct sim_service sim_iam = {
	.name = "iam",
	.protocol = &sim_query,
	.codes = &codes,
	.paging = &paging,
	.version = "2010-05-08",
	.region = "us-east-1", /* one global service, signed for one region */
	.xmlns = "https://iam.amazonaws.com/doc/2010-05-08/",
	.ops = ops,
	.n_ops = ARRAY_LEN(ops),
	.count_repeats = true,
};

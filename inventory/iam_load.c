/* DESIGN
 *
 * A load is a list of phases (the table at the end), each of which either pages through one list operation or fans out over many small
 * calls. State that a phase needs to go on after a failure lives in struct iam_load: the marker of the next page, the jobs not done
 * yet. Records gather in a draft (iam_draft.h); the last phase packs it.
 *
 *	bulk      GetAccountAuthorizationDetails gives nearly everything; ListUsers adds the date of the password's last use, ListRoles the
 *	          description and session duration, the credential report the dates of the keys
 *	narrow    after the bulk operation was denied: ListUsers, ListRoles, ListGroups make the records, one or more calls per record
 *	          fill them
 *
 * Both ways give the same bytes for the same account. Pages are read as streams (aws_call_stream): a page of 1,000 roles with documents can
 * have tens of megabytes of XML, of which only the records stay. */
#include "inventory/iam_load.h"

#include <stdlib.h>
#include <string.h>

#include "aws/client.h"
#include "aws/iam.h"
#include "base/arena.h"
#include "base/arn.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/mem.h"
#include "inventory/credential_report.h"
#include "inventory/iam_draft.h"
#include "inventory/external_ids.h"

#define PAGE_ITEMS 1000 /* AWS's maximum */
#define WAVE       64   /* jobs whose answers are in memory together */
/* AWS needs some seconds for a report, a minute or two for the largest accounts. */
#define REPORT_WAIT_MS 60000
#define REPORT_POLL_MS 250 /* first pause between two polls; doubles up to 4 s */

/* How a denied read counts (architecture, decision 10). */
enum weight {
	WEIGHT_REQUIRED,    /* yields resources or grants: a denial fails */
	WEIGHT_ENRICHMENT,  /* documents, tags, dates: left out */
	WEIGHT_POLICY_SIDE, /* may be denied as a whole, not in part */
};

/* The operations that fan out, in the table `fans`. */
enum fan_id {
	FAN_GROUP_MEMBERS,
	FAN_USER_TAGS,
	FAN_ROLE_TAGS,
	FAN_USER_ATTACHED,
	FAN_GROUP_ATTACHED,
	FAN_ROLE_ATTACHED,
	FAN_USER_INLINES,
	FAN_GROUP_INLINES,
	FAN_ROLE_INLINES,
	FAN_USER_DOCUMENTS,
	FAN_GROUP_DOCUMENTS,
	FAN_ROLE_DOCUMENTS,
	FAN_POLICIES,
	FAN_POLICY_DOCUMENTS,
	FAN_USER_KEYS,
	FAN_KEYS_LAST_USED,
	FAN_COUNT
};

struct job {
	void *record;      /* a draft record */
	struct str name;   /* what the operation asks by: the entity's name, the policy's ARN, the key's id */
	struct str detail; /* second argument: name of an inline policy, version of a policy */
	struct str marker; /* next page of a paged answer */
	bool done;
};

struct iam_load {
	struct iam_load_options opts;
	struct iam_draft *draft;
	struct arena *scratch;  /* of one page or one wave */
	struct aws_client *iam; /* during a run */
	const struct ctx *ctx;  /* during a run */

	size_t phase;                 /* index into phases: where a resumed run goes on */
	bool narrow;                  /* the bulk operation is denied */
	bool report_denied;           /* or not to be had in time */
	int64_t report_wait_until_ms; /* 0: not polled yet */

	struct str marker;  /* of the next page in the current phase */
	int64_t page_items; /* MaxItems of the bulk operation: halved when an answer is too large */
	size_t page_start[IAM_KIND_COUNT]; /* records before the page that is being read */

	struct job *jobs; /* of the current phase; NULL: not made yet */
	size_t n_jobs, cap_jobs, next_job;
	bool allowed[FAN_COUNT]; /* the operation has answered at least once */
	bool denied[FAN_COUNT];  /* it was denied and that was accepted */
};

/* --- rights --- */

/* A denial by AWS of an operation on IAM itself. One of STS underneath says nothing about the resource. */
static bool is_denial(const struct err *e)
{
	return e->code == ERR_DENIED && str_starts(str_c(e->aws_operation), STR("iam:"));
}

static void warn_denied(struct iam_load *l, const struct aws_operation *op, const char *consequence)
{
	atomic_fetch_add_explicit(l->opts.denied_reads, 1, memory_order_relaxed);
	log_warn("a permission is missing, ignoring",
		LOG_STR("permission", str_fmt(l->draft->arena, "%s:%s", op->service->id, op->name)),
		LOG_STR("account", l->opts.account_id), LOG_CSTR("consequence", consequence));
}

/* --- drafts from answers --- */

static struct str keep(struct iam_load *l, struct str s)
{
	return s.n == 0 ? STR_EMPTY : str_dup(l->draft->arena, s);
}

static int64_t time_or_none(struct aws_int t)
{
	return t.set ? t.v : IAM_NO_TIME;
}

static enum err_code keep_document(struct iam_load *l, struct str encoded, const char *what, struct str name,
	struct str *ret_document, struct err *reterr)
{
	if (!percent_decode(l->draft->arena, encoded, ret_document))
		return err_set(reterr, ERR_PROTOCOL,
			"baton-aws: failed to decode %s document of '" STR_FMT "'", what, STR_ARG(name));
	return ERR_OK;
}

/* A trust document that cannot be decoded counts as none (spec/iam.md 6.2). */
static struct str keep_trust(struct iam_load *l, struct str encoded)
{
	struct str decoded;

	if (!percent_decode(l->draft->arena, encoded, &decoded))
		return STR_EMPTY;
	return without_external_ids(l->draft->arena, decoded);
}

/* An array in the draft's arena with room for `more` elements behind the n it has. */
static void *grown(struct iam_load *l, const void *items, size_t n, size_t more, size_t size)
{
	void *all = arena_array(l->draft->arena, n + more, size);

	if (n > 0)
		memcpy(all, items, n * size);
	return all;
}

static void add_tags(struct iam_load *l, struct iam_principal *p, const struct aws_list *from)
{
	p->tags = grown(l, p->tags, p->n_tags, from->n, sizeof(*p->tags));
	for (size_t i = 0; i < from->n; i++) {
		const struct aws_iam_tag *t = AWS_LIST_AT(*from, struct aws_iam_tag, i);

		p->tags[p->n_tags++] = (struct iam_tag){.key = keep(l, t->key), .value = keep(l, t->value)};
	}
}

static enum err_code add_attached(
	struct iam_load *l, struct iam_principal *p, const struct aws_list *from, struct err *reterr)
{
	p->attached = grown(l, p->attached, p->n_attached, from->n, sizeof(*p->attached));
	for (size_t i = 0; i < from->n; i++) {
		const struct aws_iam_attached_policy *policy =
			AWS_LIST_AT(*from, struct aws_iam_attached_policy, i);

		if (policy->arn.n == 0)
			return err_set(reterr, ERR_PROTOCOL, "baton-aws: attached policy missing ARN");
		p->attached[p->n_attached++] =
			(struct iam_attachment){.name = keep(l, policy->name), .arn = keep(l, policy->arn)};
	}
	return ERR_OK;
}

static enum err_code add_inlines(
	struct iam_load *l, struct iam_principal *p, const struct aws_list *from, struct err *reterr)
{
	p->inlines = grown(l, p->inlines, p->n_inlines, from->n, sizeof(*p->inlines));
	for (size_t i = 0; i < from->n; i++) {
		const struct aws_iam_inline_policy *policy =
			AWS_LIST_AT(*from, struct aws_iam_inline_policy, i);
		struct iam_inline *to = &p->inlines[p->n_inlines++];

		to->name = keep(l, policy->name);
		if (keep_document(l, policy->document, "inline policy", policy->name, &to->document,
			    reterr) != ERR_OK)
			return reterr->code;
	}
	return ERR_OK;
}

/* AWS never leaves out an ARN; a record without one could not be told from another. */
static enum err_code check_arn(struct str arn, const char *what, struct err *reterr)
{
	if (arn.n == 0)
		return err_set(reterr, ERR_PROTOCOL, "AWS answered with a %s that has no ARN", what);
	return ERR_OK;
}

static enum err_code add_user(struct iam_load *l, const void *item, struct err *reterr)
{
	const struct aws_iam_user *from = item;
	struct iam_principal *p;
	struct draft_user *u;

	if (check_arn(from->arn, "user", reterr) != ERR_OK)
		return reterr->code;
	u = iam_draft_add(l->draft, IAM_USERS, sizeof(*u));
	u->facts.last_login_s = time_or_none(from->password_last_used_s);
	u->report_keys = KEYS_UNKNOWN;
	u->report_used_s = IAM_NO_TIME;
	u->n_groups = from->groups.n;
	u->groups = arena_array_of(l->draft->arena, u->n_groups, struct str);
	for (size_t i = 0; i < u->n_groups; i++)
		u->groups[i] = keep(l, *AWS_LIST_AT(from->groups, struct str, i));
	p = &u->facts.is;
	p->arn = keep(l, from->arn);
	p->path = keep(l, from->path);
	p->name = keep(l, from->name);
	p->id = keep(l, from->id);
	p->created_s = time_or_none(from->created_s);
	add_tags(l, p, &from->tags);
	if (add_inlines(l, p, &from->inline_policies, reterr) != ERR_OK)
		return reterr->code;
	return add_attached(l, p, &from->attached, reterr);
}

static enum err_code add_group(struct iam_load *l, const void *item, struct err *reterr)
{
	const struct aws_iam_group *from = item;
	struct iam_principal *p;

	if (check_arn(from->arn, "group", reterr) != ERR_OK)
		return reterr->code;
	p = &((struct draft_group *)iam_draft_add(l->draft, IAM_GROUPS, sizeof(struct draft_group)))
		     ->facts.is;
	p->arn = keep(l, from->arn);
	p->path = keep(l, from->path);
	p->name = keep(l, from->name);
	p->id = keep(l, from->id);
	p->created_s = time_or_none(from->created_s);
	if (add_inlines(l, p, &from->inline_policies, reterr) != ERR_OK)
		return reterr->code;
	return add_attached(l, p, &from->attached, reterr);
}

static enum err_code add_role(struct iam_load *l, const void *item, struct err *reterr)
{
	const struct aws_iam_role *from = item;
	struct iam_principal *p;
	struct draft_role *r;

	if (check_arn(from->arn, "role", reterr) != ERR_OK)
		return reterr->code;
	r = iam_draft_add(l->draft, IAM_ROLES, sizeof(*r));
	r->facts.description = keep(l, from->description);
	r->facts.max_session_s = from->max_session_s.set ? from->max_session_s.v : 0;
	r->facts.trust_document = keep_trust(l, from->trust_document);
	p = &r->facts.is;
	p->arn = keep(l, from->arn);
	p->path = keep(l, from->path);
	p->name = keep(l, from->name);
	p->id = keep(l, from->id);
	p->created_s = time_or_none(from->created_s);
	add_tags(l, p, &from->tags);
	if (add_inlines(l, p, &from->inline_policies, reterr) != ERR_OK)
		return reterr->code;
	return add_attached(l, p, &from->attached, reterr);
}

/* "arn:aws:iam::aws:policy/..." belongs to AWS, in every partition. */
static bool is_aws_managed(struct str arn)
{
	struct str rest = arn;

	for (int section = 0; section < 4; section++)
		str_cut(&rest, ':');
	return str_eq(str_cut(&rest, ':'), STR("aws"));
}

/* name empty: its field is optional in AWS's model and some answers lack it, but an ARN always ends in it. */
static struct draft_policy *new_policy(struct iam_load *l, struct str arn, struct str name)
{
	struct draft_policy *p = iam_draft_add(l->draft, IAM_POLICIES, sizeof(*p));

	p->facts.arn = keep(l, arn);
	p->facts.name = keep(l, name.n > 0 ? name : arn_last_segment(arn));
	p->facts.aws_managed = is_aws_managed(arn);
	p->facts.created_s = IAM_NO_TIME;
	return p;
}

static enum err_code add_policy(struct iam_load *l, const void *item, struct err *reterr)
{
	const struct aws_iam_policy *from = item;
	struct draft_policy *p;

	if (check_arn(from->arn, "policy", reterr) != ERR_OK)
		return reterr->code;
	p = new_policy(l, from->arn, from->name);
	p->facts.description = keep(l, from->description);
	p->facts.created_s = time_or_none(from->created_s);
	p->facts.version_id = keep(l, from->default_version_id);
	for (size_t i = 0; i < from->versions.n && !p->has_details; i++) {
		const struct aws_iam_policy_version *v =
			AWS_LIST_AT(from->versions, struct aws_iam_policy_version, i);

		if (!str_eq(v->id, from->default_version_id) && !(v->is_default.set && v->is_default.v))
			continue;
		if (keep_document(l, v->document, "managed policy", from->name, &p->facts.document, reterr) !=
			ERR_OK)
			return reterr->code;
		p->has_details = true;
	}
	return ERR_OK;
}

/* ListUsers and ListRoles beside the bulk operation: add what that leaves out. Who came into being since then has no record and gets
 * none: the bulk answer is the moment this account is seen at. */
static enum err_code join_user(struct iam_load *l, const void *item, struct err *reterr)
{
	const struct aws_iam_user *from = item;
	struct draft_user *u = iam_draft_find(l->draft, IAM_USERS, from->arn);

	(void)reterr;
	if (u != NULL)
		u->facts.last_login_s = time_or_none(from->password_last_used_s);
	return ERR_OK;
}

static enum err_code join_role(struct iam_load *l, const void *item, struct err *reterr)
{
	const struct aws_iam_role *from = item;
	struct draft_role *r = iam_draft_find(l->draft, IAM_ROLES, from->arn);

	(void)reterr;
	if (r != NULL) {
		r->facts.description = keep(l, from->description);
		r->facts.max_session_s = from->max_session_s.set ? from->max_session_s.v : 0;
	}
	return ERR_OK;
}

/* --- pages of a list operation --- */

typedef enum err_code(take_item_fn)(struct iam_load *l, const void *item, struct err *reterr);

struct page_reader {
	struct iam_load *load;
	take_item_fn *take; /* NULL: by the list the item is of (bulk) */
};

static enum err_code take_bulk_item(
	struct iam_load *l, const struct aws_member *list, const void *item, struct err *reterr)
{
	const struct {
		const struct aws_member *list;
		take_item_fn *take;
	} takers[] = {
		{aws_iam_account_details_users, add_user},
		{aws_iam_account_details_groups, add_group},
		{aws_iam_account_details_roles, add_role},
		{aws_iam_account_details_policies, add_policy},
	};

	for (size_t i = 0; i < ARRAY_LEN(takers); i++) {
		if (takers[i].list == list)
			return takers[i].take(l, item, reterr);
	}
	return err_set(reterr, ERR_INTERNAL, "the bulk answer has a list '%s' that nobody takes", list->name);
}

static enum err_code page_item(
	void *self, const struct aws_member *list, const void *item, struct err *reterr)
{
	struct page_reader *r = self;

	return r->take != NULL ? r->take(r->load, item, reterr) : take_bulk_item(r->load, list, item, reterr);
}

/* The page is asked again: what it gave so far goes (its text stays in the arena until the load ends). */
static void page_restart(void *self)
{
	struct page_reader *r = self;

	for (size_t kind = 0; kind < IAM_KIND_COUNT; kind++)
		r->load->draft->lists[kind].n = r->load->page_start[kind];
}

/* Reads one page into the draft and moves l->marker on. in and out are the operation's structs; out starts with its page, and `in`
 * already holds l->marker. */
static enum err_code read_page(struct iam_load *l, const struct aws_operation *op, const void *in,
	struct aws_iam_page *out, take_item_fn *take, bool *ret_last, struct err *reterr)
{
	struct page_reader reader = {.load = l, .take = take};
	const struct aws_sink sink = {.restart = page_restart, .item = page_item, .self = &reader};

	for (size_t kind = 0; kind < IAM_KIND_COUNT; kind++)
		l->page_start[kind] = l->draft->lists[kind].n;
	arena_reset(l->scratch);
	if (aws_call_stream(l->iam, l->ctx, op, in, l->scratch, out, &sink, reterr) != ERR_OK) {
		page_restart(&reader);
		return reterr->code;
	}
	*ret_last = !out->is_truncated.set || out->is_truncated.v == 0;
	if (*ret_last) {
		l->marker = STR_EMPTY;
		return ERR_OK;
	}
	/* D35: the end of a listing is said, never guessed. A marker that does not move would go on for ever. */
	if (out->marker.n == 0 || str_eq(out->marker, l->marker)) {
		page_restart(&reader);
		return err_set(reterr, ERR_UNAVAILABLE,
			"iam:%s answered a truncated list without a new marker", op->name);
	}
	l->marker = keep(l, out->marker);
	return ERR_OK;
}

static enum err_code list_pages(
	struct iam_load *l, const struct aws_operation *op, take_item_fn *take, struct err *reterr)
{
	/* Every list answer here starts with its page; a stream fills nothing else. */
	union {
		struct aws_iam_page page;
		struct aws_iam_list_users_out users;
		struct aws_iam_list_groups_out groups;
		struct aws_iam_list_roles_out roles;
		struct aws_iam_list_policies_out policies;
	} out;
	bool last = false;

	while (!last) {
		const struct aws_iam_page_in in = {.marker = l->marker, .max_items = {PAGE_ITEMS, true}};

		if (read_page(l, op, &in, &out.page, take, &last, reterr) != ERR_OK)
			return reterr->code;
	}
	return ERR_OK;
}

/* --- many small calls --- */

struct fan {
	const struct aws_operation *op;
	enum weight weight;
	const char *consequence; /* of a denial, for the log */
	void (*fill)(const struct job *job, void *in);
	enum err_code (*take)(struct iam_load *l, struct job *job, const void *out, struct err *reterr);
	bool paged; /* out starts with a struct aws_iam_page */
};

union fan_in {
	struct aws_iam_name_page_in name_page;
	struct aws_iam_get_inline_in inline_policy;
	struct aws_iam_get_policy_in policy;
	struct aws_iam_get_policy_version_in policy_version;
	struct aws_iam_access_key_last_used_in key;
};

union fan_out {
	struct aws_iam_page page;
	struct aws_iam_get_group_out group;
	struct aws_iam_list_tags_out tags;
	struct aws_iam_list_attached_out attached;
	struct aws_iam_list_inline_out inlines;
	struct aws_iam_get_inline_out inline_policy;
	struct aws_iam_get_policy_out policy;
	struct aws_iam_get_policy_version_out policy_version;
	struct aws_iam_list_access_keys_out keys;
	struct aws_iam_access_key_last_used_out key;
};

static void fill_name_page(const struct job *job, void *in)
{
	*(struct aws_iam_name_page_in *)in = (struct aws_iam_name_page_in){
		.name = job->name, .marker = job->marker, .max_items = {PAGE_ITEMS, true}};
}

static void fill_inline(const struct job *job, void *in)
{
	*(struct aws_iam_get_inline_in *)in =
		(struct aws_iam_get_inline_in){.name = job->name, .policy_name = job->detail};
}

static void fill_policy(const struct job *job, void *in)
{
	*(struct aws_iam_get_policy_in *)in = (struct aws_iam_get_policy_in){.arn = job->name};
}

static void fill_policy_version(const struct job *job, void *in)
{
	*(struct aws_iam_get_policy_version_in *)in =
		(struct aws_iam_get_policy_version_in){.arn = job->name, .version_id = job->detail};
}

static void fill_key(const struct job *job, void *in)
{
	*(struct aws_iam_access_key_last_used_in *)in =
		(struct aws_iam_access_key_last_used_in){.id = job->name};
}

static enum err_code take_members(struct iam_load *l, struct job *job, const void *out, struct err *reterr)
{
	const struct aws_list *users = &((const struct aws_iam_get_group_out *)out)->users;

	(void)reterr;
	for (size_t i = 0; i < users->n; i++) {
		const struct str arn = AWS_LIST_AT(*users, struct aws_iam_user, i)->arn;

		if (arn.n > 0)
			iam_draft_add_member(l->draft, job->record, keep(l, arn));
	}
	return ERR_OK;
}

/* The records of users, groups and roles start with what they have in common (iam_draft.h). */
static enum err_code take_tags(struct iam_load *l, struct job *job, const void *out, struct err *reterr)
{
	(void)reterr;
	add_tags(l, job->record, &((const struct aws_iam_list_tags_out *)out)->tags);
	return ERR_OK;
}

static enum err_code take_attached(struct iam_load *l, struct job *job, const void *out, struct err *reterr)
{
	return add_attached(
		l, job->record, &((const struct aws_iam_list_attached_out *)out)->attached, reterr);
}

static enum err_code take_inline_names(
	struct iam_load *l, struct job *job, const void *out, struct err *reterr)
{
	const struct aws_list *names = &((const struct aws_iam_list_inline_out *)out)->names;
	struct iam_principal *p = job->record;

	(void)reterr;
	p->inlines = grown(l, p->inlines, p->n_inlines, names->n, sizeof(*p->inlines));
	for (size_t i = 0; i < names->n; i++)
		p->inlines[p->n_inlines++].name = keep(l, *AWS_LIST_AT(*names, struct str, i));
	return ERR_OK;
}

/* The job's record is the struct iam_inline itself. */
static enum err_code take_inline_document(
	struct iam_load *l, struct job *job, const void *out, struct err *reterr)
{
	struct iam_inline *p = job->record;

	return keep_document(l, ((const struct aws_iam_get_inline_out *)out)->document, "inline policy",
		p->name, &p->document, reterr);
}

static enum err_code take_policy(struct iam_load *l, struct job *job, const void *out, struct err *reterr)
{
	const struct aws_iam_policy *from = &((const struct aws_iam_get_policy_out *)out)->policy;
	struct draft_policy *p = job->record;

	(void)reterr;
	p->facts.description = keep(l, from->description);
	p->facts.created_s = time_or_none(from->created_s);
	p->facts.version_id = keep(l, from->default_version_id);
	return ERR_OK;
}

static enum err_code take_policy_document(
	struct iam_load *l, struct job *job, const void *out, struct err *reterr)
{
	struct draft_policy *p = job->record;

	return keep_document(l, ((const struct aws_iam_get_policy_version_out *)out)->version.document,
		"managed policy", p->facts.name, &p->facts.document, reterr);
}

static enum err_code take_keys(struct iam_load *l, struct job *job, const void *out, struct err *reterr)
{
	const struct aws_list *keys = &((const struct aws_iam_list_access_keys_out *)out)->keys;
	struct draft_user *u = job->record;

	u->keys = grown(l, u->keys, u->n_keys, keys->n, sizeof(*u->keys));
	for (size_t i = 0; i < keys->n; i++) {
		const struct aws_iam_access_key *from = AWS_LIST_AT(*keys, struct aws_iam_access_key, i);
		struct draft_key *k;

		if (from->id.n == 0)
			return err_set(
				reterr, ERR_PROTOCOL, "AWS answered with an access key that has no id");
		k = iam_draft_add(l->draft, IAM_KEYS, sizeof(*k));
		k->user = u;
		k->facts = (struct iam_key){
			.id = keep(l, from->id),
			.user_arn = u->facts.is.arn,
			.user_name = u->facts.is.name,
			.status = keep(l, from->status),
			.created_s = time_or_none(from->created_s),
			.last_used_s = IAM_NO_TIME,
		};
		u->keys[u->n_keys++] = k;
	}
	return ERR_OK;
}

static void set_key_used(struct draft_key *k, int64_t used_s)
{
	k->facts.last_used_s = used_s;
	if (used_s > k->user->facts.last_login_s)
		k->user->facts.last_login_s = used_s;
}

static enum err_code take_key_last_used(
	struct iam_load *l, struct job *job, const void *out, struct err *reterr)
{
	(void)l;
	(void)reterr;
	set_key_used(job->record,
		time_or_none(((const struct aws_iam_access_key_last_used_out *)out)->last_used_s));
	return ERR_OK;
}

#define NO_TAGS      "tags and e-mail addresses from tags are left out"
#define NO_ATTACHED  "grants of managed policies are left out"
#define NO_INLINES   "inline policies are left out"
#define NO_DOCUMENTS "policy documents are left out"
#define NO_LAST_USED "dates of last use of access keys are left out"

static const struct fan fans[FAN_COUNT] = {
	[FAN_GROUP_MEMBERS] = {&aws_iam_get_group, WEIGHT_REQUIRED, "", fill_name_page, take_members, true},
	[FAN_USER_TAGS] = {&aws_iam_list_user_tags, WEIGHT_ENRICHMENT, NO_TAGS, fill_name_page, take_tags,
		true},
	[FAN_ROLE_TAGS] = {&aws_iam_list_role_tags, WEIGHT_ENRICHMENT, NO_TAGS, fill_name_page, take_tags,
		true},
	[FAN_USER_ATTACHED] = {&aws_iam_list_attached_user_policies, WEIGHT_POLICY_SIDE, NO_ATTACHED,
		fill_name_page, take_attached, true},
	[FAN_GROUP_ATTACHED] = {&aws_iam_list_attached_group_policies, WEIGHT_POLICY_SIDE, NO_ATTACHED,
		fill_name_page, take_attached, true},
	[FAN_ROLE_ATTACHED] = {&aws_iam_list_attached_role_policies, WEIGHT_POLICY_SIDE, NO_ATTACHED,
		fill_name_page, take_attached, true},
	[FAN_USER_INLINES] = {&aws_iam_list_user_policies, WEIGHT_POLICY_SIDE, NO_INLINES, fill_name_page,
		take_inline_names, true},
	[FAN_GROUP_INLINES] = {&aws_iam_list_group_policies, WEIGHT_POLICY_SIDE, NO_INLINES, fill_name_page,
		take_inline_names, true},
	[FAN_ROLE_INLINES] = {&aws_iam_list_role_policies, WEIGHT_POLICY_SIDE, NO_INLINES, fill_name_page,
		take_inline_names, true},
	[FAN_USER_DOCUMENTS] = {&aws_iam_get_user_policy, WEIGHT_ENRICHMENT, NO_DOCUMENTS, fill_inline,
		take_inline_document, false},
	[FAN_GROUP_DOCUMENTS] = {&aws_iam_get_group_policy, WEIGHT_ENRICHMENT, NO_DOCUMENTS, fill_inline,
		take_inline_document, false},
	[FAN_ROLE_DOCUMENTS] = {&aws_iam_get_role_policy, WEIGHT_ENRICHMENT, NO_DOCUMENTS, fill_inline,
		take_inline_document, false},
	[FAN_POLICIES] = {&aws_iam_get_policy, WEIGHT_ENRICHMENT, "policy descriptions are left out",
		fill_policy, take_policy, false},
	[FAN_POLICY_DOCUMENTS] = {&aws_iam_get_policy_version, WEIGHT_ENRICHMENT, NO_DOCUMENTS,
		fill_policy_version, take_policy_document, false},
	[FAN_USER_KEYS] = {&aws_iam_list_access_keys, WEIGHT_ENRICHMENT, NO_LAST_USED, fill_name_page,
		take_keys, true},
	[FAN_KEYS_LAST_USED] = {&aws_iam_get_access_key_last_used, WEIGHT_ENRICHMENT, NO_LAST_USED, fill_key,
		take_key_last_used, false},
};

static void add_job(struct iam_load *l, void *record, struct str name, struct str detail)
{
	if (l->n_jobs == l->cap_jobs) {
		l->cap_jobs = l->cap_jobs == 0 ? 64 : l->cap_jobs * 2;
		l->jobs = mem_realloc(l->jobs, l->cap_jobs * sizeof(*l->jobs));
	}
	l->jobs[l->n_jobs++] = (struct job){
		.record = record, .name = name, .detail = detail, .marker = STR_EMPTY, .done = false};
}

static void drop_jobs(struct iam_load *l)
{
	mem_free(l->jobs);
	l->jobs = NULL;
	l->n_jobs = l->cap_jobs = l->next_job = 0;
}

/* Decides about a failed call. ERR_OK: leave it out and go on. */
static enum err_code weigh_failure(
	struct iam_load *l, enum fan_id id, const struct err *failure, struct err *reterr)
{
	const struct fan *fan = &fans[id];
	/* A key is a resource where keys are synced, and only a date elsewhere. */
	const enum weight weight = id == FAN_USER_KEYS && l->opts.access_keys ? WEIGHT_REQUIRED : fan->weight;

	*reterr = *failure;
	if (failure->code == ERR_NOT_FOUND) {
		atomic_fetch_add_explicit(l->opts.vanished, 1, memory_order_relaxed);
		return ERR_OK; /* the object is gone: it has no details */
	}
	if (!is_denial(failure) || weight == WEIGHT_REQUIRED || l->opts.require_all_permissions)
		return failure->code;
	/* A policy side that answers for some and is denied for others would be a partial answer. */
	if (weight == WEIGHT_POLICY_SIDE && l->allowed[id])
		return failure->code;
	if (!l->denied[id])
		warn_denied(l, fan->op, fan->consequence);
	l->denied[id] = true;
	return ERR_OK;
}

static enum err_code finish_job(
	struct iam_load *l, enum fan_id id, struct job *job, const union fan_out *out, struct err *reterr)
{
	const struct fan *fan = &fans[id];

	l->allowed[id] = true;
	if (fan->take(l, job, out, reterr) != ERR_OK)
		return reterr->code;
	job->done = true;
	if (!fan->paged || !out->page.is_truncated.set || out->page.is_truncated.v == 0)
		return ERR_OK;
	if (out->page.marker.n == 0 || str_eq(out->page.marker, job->marker))
		return err_set(reterr, ERR_UNAVAILABLE,
			"iam:%s answered a truncated list without a new marker", fan->op->name);
	job->marker = keep(l, out->page.marker);
	job->done = false;
	return ERR_OK;
}

/* Stops a wave early only for what cannot be left out. */
static bool is_hard_failure(const struct aws_call_item *item)
{
	return item->code != ERR_NOT_FOUND && item->code != ERR_DENIED;
}

/* Calls for up to WAVE jobs that are not done. Answers that came are kept even when another call of the wave failed. */
static enum err_code run_wave(struct iam_load *l, enum fan_id id, struct err *reterr)
{
	struct aws_call_item items[WAVE];
	struct job *wave[WAVE];
	union fan_in in[WAVE];
	union fan_out *out;
	enum err_code code = ERR_OK;
	size_t n = 0;

	for (size_t i = l->next_job; i < l->n_jobs && n < WAVE; i++) {
		if (!l->jobs[i].done)
			wave[n++] = &l->jobs[i];
	}
	arena_reset(l->scratch);
	out = arena_array_of(l->scratch, n, union fan_out);
	for (size_t i = 0; i < n; i++) {
		fans[id].fill(wave[i], &in[i]);
		items[i] = (struct aws_call_item){.op = fans[id].op, .in = &in[i], .out = &out[i]};
	}
	aws_call_many(l->iam, l->ctx, items, n, l->opts.max_in_flight, is_hard_failure, l->scratch);
	/* What came first: that the operation is permitted counts for the whole wave, which has no order. */
	for (size_t i = 0; i < n; i++) {
		struct err e;

		if (items[i].code == ERR_OK && finish_job(l, id, wave[i], &out[i], &e) != ERR_OK &&
			code == ERR_OK) {
			*reterr = e;
			code = e.code;
		}
	}
	for (size_t i = 0; i < n; i++) {
		struct err e;

		if (items[i].code == ERR_OK)
			continue;
		if (weigh_failure(l, id, &items[i].err, &e) == ERR_OK) {
			wave[i]->done = true;
		} else if (code == ERR_OK ||
			   code == ERR_CANCELLED) { /* cancelled: only because another one failed */
			*reterr = e;
			code = e.code;
		}
	}
	return code;
}

/* Runs the jobs of the phase to the end. An operation that is denied from the first answer on is not asked again. */
static enum err_code run_fan(struct iam_load *l, enum fan_id id, struct err *reterr)
{
	while (l->next_job < l->n_jobs && !(l->denied[id] && !l->allowed[id])) {
		if (run_wave(l, id, reterr) != ERR_OK)
			return reterr->code;
		while (l->next_job < l->n_jobs && l->jobs[l->next_job].done)
			l->next_job++;
	}
	drop_jobs(l);
	return ERR_OK;
}

/* --- phases --- */

struct phase {
	enum err_code (*run)(struct iam_load *l, const struct phase *phase, struct err *reterr);
	enum fan_id fan;    /* for those that fan out */
	enum iam_kind kind; /* over these records */
};

static enum err_code request_report(struct iam_load *l, struct err *reterr)
{
	struct aws_iam_generate_credential_report_out out;

	arena_reset(l->scratch);
	if (aws_call(l->iam, l->ctx, &aws_iam_generate_credential_report, NULL, l->scratch, &out, reterr) ==
		ERR_OK)
		return ERR_OK;
	if (!is_denial(reterr) || l->opts.require_all_permissions)
		return reterr->code;
	l->report_denied = true;
	warn_denied(l, &aws_iam_generate_credential_report, "dates of last use cost calls for every user");
	return ERR_OK;
}

static enum err_code ask_for_report(struct iam_load *l, const struct phase *phase, struct err *reterr)
{
	(void)phase;
	return request_report(l, reterr);
}

static enum err_code read_details(struct iam_load *l, const struct phase *phase, struct err *reterr)
{
	static struct str filter[] = {STR_INIT("User"), STR_INIT("Role"), STR_INIT("Group"),
		STR_INIT("LocalManagedPolicy"), STR_INIT("AWSManagedPolicy")};
	struct aws_iam_account_details_out out;
	bool last = false;

	(void)phase;
	while (!last) {
		const struct aws_iam_account_details_in in = {
			.filter = {.items = filter, .n = ARRAY_LEN(filter)},
			.marker = l->marker,
			.max_items = {l->page_items, true},
		};

		if (read_page(l, &aws_iam_get_account_authorization_details, &in, &out.page, NULL, &last,
			    reterr) == ERR_OK)
			continue;
		if (reterr->code == ERR_TOO_LARGE && l->page_items > 1) {
			l->page_items /= 2;
			continue;
		}
		/* Denied at the first page: go the narrow way. Denied later: the right was taken away in the middle. */
		if (!is_denial(reterr) || l->marker.n > 0 || l->opts.require_all_permissions)
			return reterr->code;
		l->narrow = true;
		warn_denied(l, &aws_iam_get_account_authorization_details,
			"every user, group and role costs calls of its own");
		return ERR_OK;
	}
	for (enum iam_kind kind = 0; kind < IAM_KIND_COUNT; kind++)
		iam_draft_sort(l->draft, kind); /* before others look records up */
	return ERR_OK;
}

static enum err_code list_users(struct iam_load *l, const struct phase *phase, struct err *reterr)
{
	(void)phase;
	return list_pages(l, &aws_iam_list_users, l->narrow ? add_user : join_user, reterr);
}

static enum err_code list_roles(struct iam_load *l, const struct phase *phase, struct err *reterr)
{
	(void)phase;
	return list_pages(l, &aws_iam_list_roles, l->narrow ? add_role : join_role, reterr);
}

static enum err_code list_groups(struct iam_load *l, const struct phase *phase, struct err *reterr)
{
	(void)phase;
	return l->narrow ? list_pages(l, &aws_iam_list_groups, add_group, reterr) : ERR_OK;
}

static int compare_group_name(const void *a, const void *b)
{
	return str_cmp((*(struct draft_group *const *)a)->facts.is.name,
		(*(struct draft_group *const *)b)->facts.is.name);
}

/* The bulk answer tells the groups of each user by name; names are unique within an account. */
static void invert_memberships(struct iam_load *l)
{
	struct draft_list *groups, *users;
	struct draft_group **by_name;

	iam_draft_sort(l->draft, IAM_GROUPS);
	iam_draft_sort(l->draft, IAM_USERS);
	groups = &l->draft->lists[IAM_GROUPS];
	users = &l->draft->lists[IAM_USERS];
	by_name = mem_array(groups->n + 1, sizeof(*by_name));
	if (groups->n > 0) {
		memcpy(by_name, groups->items, groups->n * sizeof(*by_name));
		qsort(by_name, groups->n, sizeof(*by_name), compare_group_name);
	}
	for (size_t i = 0; i < users->n; i++) {
		struct draft_user *u = users->items[i];

		for (size_t k = 0; k < u->n_groups; k++) {
			struct draft_group wanted = {.facts.is.name = u->groups[k]};
			const struct draft_group *key = &wanted;
			struct draft_group **g =
				bsearch(&key, by_name, groups->n, sizeof(*by_name), compare_group_name);

			if (g != NULL) /* else the group was deleted between two pages */
				iam_draft_add_member(l->draft, *g, u->facts.is.arn);
		}
		u->n_groups = 0;
	}
	mem_free(by_name);
}

static struct iam_principal *principal_at(struct iam_load *l, enum iam_kind kind, size_t i)
{
	return l->draft->lists[kind].items[i];
}

/* One call per record of the kind. */
static void make_record_jobs(struct iam_load *l, enum iam_kind kind)
{
	iam_draft_sort(l->draft, kind);
	for (size_t i = 0; i < l->draft->lists[kind].n; i++)
		add_job(l, principal_at(l, kind, i), principal_at(l, kind, i)->name, STR_EMPTY);
}

static enum err_code per_record(struct iam_load *l, const struct phase *phase, struct err *reterr)
{
	if (!l->narrow)
		return ERR_OK;
	if (l->jobs == NULL)
		make_record_jobs(l, phase->kind);
	return run_fan(l, phase->fan, reterr);
}

static enum err_code resolve_members(struct iam_load *l, const struct phase *phase, struct err *reterr)
{
	if (!l->narrow) {
		invert_memberships(l);
		return ERR_OK;
	}
	return per_record(l, phase, reterr);
}

/* One call per inline policy of the records of the kind. */
static enum err_code per_inline(struct iam_load *l, const struct phase *phase, struct err *reterr)
{
	const bool resumed = l->jobs != NULL;

	if (!l->narrow)
		return ERR_OK;
	for (size_t i = 0; !resumed && i < l->draft->lists[phase->kind].n; i++) {
		const struct iam_principal *p = principal_at(l, phase->kind, i);

		for (size_t k = 0; k < p->n_inlines; k++)
			add_job(l, &p->inlines[k], p->name, p->inlines[k].name);
	}
	return run_fan(l, phase->fan, reterr);
}

/* Customer-managed policies on the narrow way. With only_attached_policies the attachments name them all. */
static enum err_code list_policies(struct iam_load *l, const struct phase *phase, struct err *reterr)
{
	struct aws_iam_list_policies_out out;
	bool last = !l->narrow || l->opts.only_attached_policies;

	(void)phase;
	while (!last) {
		const struct aws_iam_list_policies_in in = {
			.scope = STR("Local"), .marker = l->marker, .max_items = {PAGE_ITEMS, true}};

		if (read_page(l, &aws_iam_list_policies, &in, &out.page, add_policy, &last, reterr) == ERR_OK)
			continue;
		if (!is_denial(reterr) || l->marker.n > 0 || l->opts.require_all_permissions)
			return reterr->code;
		warn_denied(l, &aws_iam_list_policies, "managed policies that nobody holds are left out");
		return ERR_OK;
	}
	return ERR_OK;
}

static int compare_attachments(const void *a, const void *b)
{
	return str_cmp(((const struct iam_attachment *)a)->arn, ((const struct iam_attachment *)b)->arn);
}

/* All attachments of the account, each policy once, sorted by ARN. The caller frees the array. */
static struct iam_attachment *collect_attachments(struct iam_load *l, size_t *ret_n)
{
	struct iam_attachment *all = NULL;
	size_t n = 0, cap = 0, distinct = 0;

	for (enum iam_kind kind = IAM_USERS; kind <= IAM_ROLES; kind++) {
		for (size_t i = 0; i < l->draft->lists[kind].n; i++) {
			const struct iam_principal *p = principal_at(l, kind, i);

			if (n + p->n_attached > cap) {
				cap = (n + p->n_attached) * 2;
				all = mem_realloc(all, cap * sizeof(*all));
			}
			if (p->n_attached > 0)
				memcpy(all + n, p->attached, p->n_attached * sizeof(*all));
			n += p->n_attached;
		}
	}
	if (n > 0)
		qsort(all, n, sizeof(*all), compare_attachments);
	for (size_t i = 0; i < n; i++) {
		if (distinct == 0 || !str_eq(all[distinct - 1].arn, all[i].arn))
			all[distinct++] = all[i];
	}
	*ret_n = distinct;
	return all;
}

/* Settles which policies the account has: its own (or only those attached), and AWS's that are attached. The bulk answer may hold more of
 * AWS's, or not all that are attached (spec/iam.md 14.2). */
static enum err_code settle_policies(struct iam_load *l, const struct phase *phase, struct err *reterr)
{
	size_t n_attached, n_missing = 0, kept = 0;
	struct iam_attachment *attached = collect_attachments(l, &n_attached);
	const struct iam_attachment **missing =
		mem_array(n_attached + 1, sizeof(const struct iam_attachment *));
	struct draft_list *list;

	(void)phase;
	(void)reterr;
	for (size_t i = 0; i < n_attached; i++) {
		if (iam_draft_find(l->draft, IAM_POLICIES, attached[i].arn) == NULL)
			missing[n_missing++] = &attached[i];
	}
	for (size_t i = 0; i < n_missing;
		i++) /* not while searching: each search after an addition would sort */
		new_policy(l, missing[i]->arn, missing[i]->name);
	mem_free(missing);
	iam_draft_sort(l->draft, IAM_POLICIES);
	list = &l->draft->lists[IAM_POLICIES];
	for (size_t i = 0; i < list->n; i++) {
		const struct draft_policy *p = list->items[i];
		const struct iam_attachment key = {.arn = p->facts.arn};
		const bool is_attached = n_attached > 0 && bsearch(&key, attached, n_attached, sizeof(key),
								   compare_attachments) != NULL;

		if (is_attached || (!p->facts.aws_managed && !l->opts.only_attached_policies))
			list->items[kept++] = list->items[i];
	}
	list->n = kept;
	mem_free(attached);
	return ERR_OK;
}

static enum err_code policy_details(struct iam_load *l, const struct phase *phase, struct err *reterr)
{
	const struct draft_list *list = &l->draft->lists[IAM_POLICIES];
	const bool resumed = l->jobs != NULL;

	for (size_t i = 0; !resumed && i < list->n; i++) {
		struct draft_policy *p = list->items[i];

		if (!p->has_details)
			add_job(l, p, p->facts.arn, STR_EMPTY);
	}
	return run_fan(l, phase->fan, reterr);
}

static enum err_code policy_documents(struct iam_load *l, const struct phase *phase, struct err *reterr)
{
	const struct draft_list *list = &l->draft->lists[IAM_POLICIES];
	const bool resumed = l->jobs != NULL;

	for (size_t i = 0; !resumed && i < list->n; i++) {
		struct draft_policy *p = list->items[i];

		/* AWS's own are the same in every account: inventory_policy_documents has them. */
		if (!p->has_details && !p->facts.aws_managed && p->facts.version_id.n > 0)
			add_job(l, p, p->facts.arn, p->facts.version_id);
	}
	return run_fan(l, phase->fan, reterr);
}

static enum err_code take_report_row(void *self, const struct credential_report_row *row, struct err *reterr)
{
	struct iam_load *l = self;
	struct draft_user *u = iam_draft_find(l->draft, IAM_USERS, row->user_arn);

	(void)reterr;
	if (u == NULL)
		return ERR_OK;
	u->report_keys = row->keys;
	u->report_used_s = row->key_last_used_s;
	if (row->key_last_used_s > u->facts.last_login_s)
		u->facts.last_login_s = row->key_last_used_s;
	return ERR_OK;
}

static bool is_report_pending(const struct err *e)
{
	return str_eq_c(str_c(e->aws_code), "ReportInProgress") ||
	       str_eq_c(str_c(e->aws_code), "ReportNotPresent") ||
	       str_eq_c(str_c(e->aws_code), "ReportExpired");
}

/* The report was asked for at the very beginning, so by now it mostly is there. */
static enum err_code read_report(struct iam_load *l, const struct phase *phase, struct err *reterr)
{
	struct aws_iam_get_credential_report_out out;
	int64_t pause_ms = REPORT_POLL_MS;

	(void)phase;
	if (l->report_denied)
		return ERR_OK;
	if (l->report_wait_until_ms == 0)
		l->report_wait_until_ms = clock_mono_ms(l->ctx->clock) + REPORT_WAIT_MS;
	for (;;) {
		arena_reset(l->scratch);
		if (aws_call(l->iam, l->ctx, &aws_iam_get_credential_report, NULL, l->scratch, &out,
			    reterr) == ERR_OK)
			return credential_report_read(out.content, l->scratch, take_report_row, l, reterr);
		if (is_denial(reterr) && !l->opts.require_all_permissions) {
			l->report_denied = true;
			warn_denied(l, &aws_iam_get_credential_report,
				"dates of last use cost calls for every user");
			return ERR_OK;
		}
		if (!is_report_pending(reterr))
			return reterr->code;
		if (clock_mono_ms(l->ctx->clock) >= l->report_wait_until_ms) {
			l->report_denied = true;
			log_warn("the credential report is not ready after a minute, asking for each user's "
				 "keys, ignoring",
				LOG_STR("account", l->opts.account_id), LOG_CSTR("state", reterr->aws_code));
			return ERR_OK;
		}
		if (!str_eq_c(str_c(reterr->aws_code), "ReportInProgress") &&
			request_report(l, reterr) != ERR_OK)
			return reterr->code;
		if (l->report_denied)
			return ERR_OK; /* nobody is going to make one */
		if (ctx_sleep_ms(l->ctx, pause_ms, "waiting for the credential report", reterr) != ERR_OK)
			return reterr->code;
		pause_ms = pause_ms < 4000 ? pause_ms * 2 : 4000;
	}
}

/* Whose keys are listed: where keys are synced, users who have one or are newer than the report; without a report everybody, for the
 * dates of last use. */
static bool wants_keys(const struct iam_load *l, const struct draft_user *u)
{
	return l->report_denied || (l->opts.access_keys && u->report_keys != 0);
}

static enum err_code user_keys(struct iam_load *l, const struct phase *phase, struct err *reterr)
{
	const struct draft_list *users = &l->draft->lists[IAM_USERS];
	const bool resumed = l->jobs != NULL;

	for (size_t i = 0; !resumed && i < users->n; i++) {
		struct draft_user *u = users->items[i];

		if (wants_keys(l, u))
			add_job(l, u, u->facts.is.name, STR_EMPTY);
	}
	return run_fan(l, phase->fan, reterr);
}

/* Of a user with one key the report told when that was used; of two it did not tell which is which. */
static bool is_told_by_report(const struct draft_user *u)
{
	return u->n_keys == 1 && u->report_keys == 1;
}

static enum err_code keys_last_used(struct iam_load *l, const struct phase *phase, struct err *reterr)
{
	const struct draft_list *users = &l->draft->lists[IAM_USERS];
	const bool resumed = l->jobs != NULL;

	for (size_t i = 0; !resumed && i < users->n; i++) {
		struct draft_user *u = users->items[i];

		if (is_told_by_report(u)) {
			set_key_used(u->keys[0], u->report_used_s);
			continue;
		}
		for (size_t k = 0; k < u->n_keys; k++)
			add_job(l, u->keys[k], u->keys[k]->facts.id, STR_EMPTY);
	}
	if (run_fan(l, phase->fan, reterr) != ERR_OK)
		return reterr->code;
	if (!l->opts.access_keys)
		l->draft->lists[IAM_KEYS].n = 0; /* they have given their dates */
	return ERR_OK;
}

static const struct phase phases[] = {
	{.run = ask_for_report}, /* AWS makes it while the rest is read */
	{.run = read_details},
	{.run = list_users},
	{.run = list_roles},
	{.run = list_groups},
	{.run = resolve_members, .fan = FAN_GROUP_MEMBERS, .kind = IAM_GROUPS},
	{.run = per_record, .fan = FAN_USER_TAGS, .kind = IAM_USERS},
	{.run = per_record, .fan = FAN_ROLE_TAGS, .kind = IAM_ROLES},
	{.run = per_record, .fan = FAN_USER_ATTACHED, .kind = IAM_USERS},
	{.run = per_record, .fan = FAN_GROUP_ATTACHED, .kind = IAM_GROUPS},
	{.run = per_record, .fan = FAN_ROLE_ATTACHED, .kind = IAM_ROLES},
	{.run = per_record, .fan = FAN_USER_INLINES, .kind = IAM_USERS},
	{.run = per_record, .fan = FAN_GROUP_INLINES, .kind = IAM_GROUPS},
	{.run = per_record, .fan = FAN_ROLE_INLINES, .kind = IAM_ROLES},
	{.run = per_inline, .fan = FAN_USER_DOCUMENTS, .kind = IAM_USERS},
	{.run = per_inline, .fan = FAN_GROUP_DOCUMENTS, .kind = IAM_GROUPS},
	{.run = per_inline, .fan = FAN_ROLE_DOCUMENTS, .kind = IAM_ROLES},
	{.run = list_policies},
	{.run = settle_policies},
	{.run = policy_details, .fan = FAN_POLICIES},
	{.run = policy_documents, .fan = FAN_POLICY_DOCUMENTS},
	{.run = read_report},
	{.run = user_keys, .fan = FAN_USER_KEYS},
	{.run = keys_last_used, .fan = FAN_KEYS_LAST_USED},
};

struct iam_load *iam_load_new(const struct iam_load_options *opts)
{
	struct iam_load *l = mem_zalloc(sizeof(*l));

	l->opts = *opts;
	l->draft = iam_draft_new(opts->account_id);
	l->opts.account_id = l->draft->account_id;
	l->scratch = arena_new(0);
	l->page_items = PAGE_ITEMS;
	return l;
}

void iam_load_free(struct iam_load *l)
{
	if (l == NULL)
		return;
	drop_jobs(l);
	iam_draft_free(l->draft);
	arena_free(l->scratch);
	mem_free(l);
}

enum err_code iam_load_run(struct iam_load *l, struct aws_client *iam, const struct ctx *ctx,
	struct iam_account **ret_account, struct err *reterr)
{
	l->iam = iam;
	l->ctx = ctx;
	for (; l->phase < ARRAY_LEN(phases); l->phase++) {
		if (phases[l->phase].run(l, &phases[l->phase], reterr) != ERR_OK)
			return reterr->code;
	}
	return iam_draft_finish(l->draft, l->opts.max_bytes, ret_account, reterr);
}

/* iam_policy: managed policies (spec/iam.md 7). Its grants come from users, groups and roles (attached.h).
 *
 * The account's own policies are listed under the account. AWS's are the same in every account and are listed once (D44):
 *
 *	all wanted            the whole catalogue, behind the connector's own account's policies
 *	only attached ones    under the first account that has it attached and asks
 *
 * Where the catalogue may not be read the second way serves for both. */
#include "inventory/inventory.h"
#include "inventory/policy_catalogue.h"
#include "syncers/account_of.h"
#include "syncers/kinds.h"
#include "syncers/message.h"
#include "syncers/page.h"
#include "syncers/page_token.h"

#include "proto/pb_build.h"

static const struct str kind = STR_INIT("iam_policy");

#define CATALOGUE STR("catalogue") /* the phase of page tokens */

/* Policies whose documents are asked for together. */
#define CHUNK 256

static V2(Resource) *
	policy_resource(struct arena *arena, const struct iam_policy *p, const V2(ResourceId) * parent)
{
	V2(Resource) *r = resource_named(arena, "iam_policy", p->arn, p->name);
	V2(SkipGrants) *skip_grants = pb_new(arena, V2_DESC(skip_grants));
	V2(RoleTrait) *trait = pb_new(arena, V2_DESC(role_trait));

	resource_set_parent(arena, r, p->aws_managed ? NULL : parent);
	resource_set_created(arena, r, p->created_s);
	resource_set_description(arena, r, p->description);
	PB_ANNOTATE(arena, r, skip_grants);
	PB_ANNOTATE(arena, r, trait);
	r->profile = pb_struct(arena);
	pb_struct_str(arena, r->profile, STR("aws_policy_name"), p->name);
	pb_struct_str(arena, r->profile, STR("aws_policy_arn"), p->arn);
	if (p->document.n > 0)
		pb_struct_str(arena, r->profile, STR("policy_document"), p->document);
	return r;
}

struct listing_of_policies {
	const struct syncer_call *call;
	const V2(ResourceId) * parent;
	struct iam_account *account;
	struct policy_catalogue *catalogue; /* NULL: only attached policies are wanted */
	struct page page;
};

static bool in_catalogue(const struct policy_catalogue *catalogue, struct str arn)
{
	return catalogue != NULL && policy_catalogue_find(catalogue, arn) != NULL;
}

/* AWS's policies stand in the catalogue, or under the account that claimed them. */
static bool is_listed_here(const struct listing_of_policies *l, const struct iam_policy *p)
{
	if (!p->aws_managed)
		return true;
	return !in_catalogue(l->catalogue, p->arn) &&
	       inventory_claim_policy(
		       l->call->inventory, l->call->sync_id, p->arn, iam_account_id(l->account));
}

/* What the account says of a policy of the catalogue that is attached in it (description and document), or what the catalogue says. */
static struct iam_policy catalogue_facts(
	const struct listing_of_policies *l, const struct catalogue_policy *from)
{
	const ptrdiff_t i = iam_account_find(l->account, IAM_POLICIES, from->arn);

	if (i >= 0)
		return iam_account_policy(l->account, (size_t)i);
	return (struct iam_policy){.arn = from->arn,
		.name = from->name,
		.description = STR_EMPTY,
		.document = STR_EMPTY,
		.created_s = from->created_s,
		.version_id = from->version_id,
		.aws_managed = true};
}

/* Fills in the documents of AWS's policies that the account does not have: they are the same everywhere (inventory.h). */
static enum err_code add_documents(
	const struct syncer_call *call, struct iam_policy *policies, size_t n, struct err *reterr)
{
	struct policy_version *missing = arena_array_of(call->arena, n, struct policy_version);
	struct str **places = arena_array_of(call->arena, n, struct str *);
	struct str *documents = arena_array_of(call->arena, n, struct str);
	size_t n_missing = 0;

	for (size_t i = 0; i < n; i++) {
		if (!policies[i].aws_managed || policies[i].document.n > 0)
			continue;
		places[n_missing] = &policies[i].document;
		missing[n_missing++] = (struct policy_version){policies[i].arn, policies[i].version_id};
	}
	if (inventory_policy_documents(
		    call->inventory, call->ctx, missing, n_missing, call->arena, documents, reterr) != ERR_OK)
		return reterr->code;
	for (size_t i = 0; i < n_missing; i++)
		*places[i] = documents[i];
	return ERR_OK;
}

/* Adds policies until the page is full; *last is where it stopped. */
static enum err_code add_policies(struct listing_of_policies *l, struct iam_policy *policies, size_t n,
	struct str *last, bool *ret_full, struct err *reterr)
{
	if (add_documents(l->call, policies, n, reterr) != ERR_OK)
		return reterr->code;
	for (size_t i = 0; i < n; i++) {
		*ret_full = page_full(&l->page);
		if (*ret_full)
			break;
		page_add(&l->page, &policy_resource(l->call->arena, &policies[i], l->parent)->base);
		*last = str_dup(l->call->arena, policies[i].arn);
	}
	return ERR_OK;
}

static enum err_code add_account_policies(
	struct listing_of_policies *l, struct str *last, bool *ret_full, struct err *reterr)
{
	const size_t n_all = iam_account_count(l->account, IAM_POLICIES);
	struct iam_policy *policies = arena_array_of(l->call->arena, CHUNK, struct iam_policy);
	size_t next = iam_account_after(l->account, IAM_POLICIES, *last);

	for (*ret_full = false; next < n_all && !*ret_full;) {
		size_t n = 0;

		for (; next < n_all && n < CHUNK; next++) {
			policies[n] = iam_account_policy(l->account, next);
			n += is_listed_here(l, &policies[n]) ? 1 : 0;
		}
		if (add_policies(l, policies, n, last, ret_full, reterr) != ERR_OK)
			return reterr->code;
	}
	return ERR_OK;
}

static enum err_code add_catalogue(
	struct listing_of_policies *l, struct str *last, bool *ret_full, struct err *reterr)
{
	size_t n_all, next;
	const struct catalogue_policy *all = policy_catalogue_all(l->catalogue, &n_all);
	struct iam_policy *policies = arena_array_of(l->call->arena, CHUNK, struct iam_policy);

	next = policy_catalogue_after(l->catalogue, *last);
	for (*ret_full = false; next < n_all && !*ret_full;) {
		size_t n = 0;

		while (next < n_all && n < CHUNK)
			policies[n++] = catalogue_facts(l, &all[next++]);
		if (add_policies(l, policies, n, last, ret_full, reterr) != ERR_OK)
			return reterr->code;
	}
	return ERR_OK;
}

static enum err_code list_from(struct listing_of_policies *l, struct page_token *token,
	struct syncer_page *ret_page, struct err *reterr)
{
	bool full;

	if (token->phase.n == 0) {
		if (add_account_policies(l, &token->last, &full, reterr) != ERR_OK)
			return reterr->code;
		if (full)
			return page_end(&l->page, kind, STR_EMPTY, token->last, ret_page);
		if (l->parent != NULL || l->catalogue == NULL)
			return page_last(&l->page, ret_page);
		token->last = STR_EMPTY;
	}
	if (l->catalogue == NULL)
		return page_last(&l->page, ret_page); /* the token is from before a change of configuration */
	if (add_catalogue(l, &token->last, &full, reterr) != ERR_OK)
		return reterr->code;
	return full ? page_end(&l->page, kind, CATALOGUE, token->last, ret_page)
		    : page_last(&l->page, ret_page);
}

static enum err_code list(const struct syncer_call *call, const V2(ResourceId) * parent,
	struct syncer_page *ret_page, struct err *reterr)
{
	CLEANUP(iam_account_unrefp) struct iam_account *account = NULL;
	CLEANUP(policy_catalogue_unrefp) struct policy_catalogue *catalogue = NULL;
	struct listing_of_policies l = {.call = call, .parent = parent};
	struct page_token token;

	if (page_token_decode(call->arena, kind, call->page_token, &token, reterr) != ERR_OK ||
		account_of_parent(call, parent, &account, reterr) != ERR_OK)
		return reterr->code;
	if (!call->config->only_attached_policies && inventory_policy_catalogue(call->inventory, call->ctx,
							     call->sync_id, &catalogue, reterr) != ERR_OK)
		return reterr->code;
	l.account = account;
	l.catalogue = catalogue;
	page_init(&l.page, call);
	return list_from(&l, &token, ret_page, reterr);
}

static enum err_code entitlements(const struct syncer_call *call, const V2(Resource) * resource,
	struct syncer_page *ret_page, struct err *reterr)
{
	static const char *const grantable_to[] = {
		"iam_user", "role", "group", "permission_set", "permission_set_assignment", NULL};
	const char *name = resource->display_name;

	(void)reterr;
	const struct entitlement_spec spec = {
		.slug = "attached",
		.display_name = str_fmt(call->arena, "%s Managed Policy", name),
		.description = str_fmt(call->arena, "Has the %s managed policy in AWS", name),
		.grantable_to = grantable_to,
		.v1_id = STR_EMPTY,
	};
	return page_of_one(call, &entitlement_new(call->arena, resource, &spec)->base, ret_page);
}

const struct syncer syncer_iam_policy = {
	.type_id = "iam_policy",
	.list = list,
	.entitlements = entitlements,
	.grants = syncer_nothing,
	.capabilities = capability_sync,
	.n_capabilities = ARRAY_LEN(capability_sync),
};

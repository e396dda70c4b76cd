/* Documents of AWS-managed policies. A document is immutable by (ARN, version id) and the same in every account, so it is fetched once and
 * kept across syncs, in a store of its own with its own limits: the sync's entries neither push it out nor take it with them. */
#include "aws/iam.h"
#include "base/encode.h"
#include "base/log.h"
#include "inventory/internal.h"
#include "store/store.h"

#define SCOPE STR("policy-documents")
#define WAVE  64 /* documents asked for together */

static struct str document_key(struct arena *arena, const struct policy_version *p)
{
	return str_fmt(arena, STR_FMT "|" STR_FMT, STR_ARG(p->arn), STR_ARG(p->version_id));
}

static bool read_kept(struct inventory *inv, const struct ctx *ctx, const struct policy_version *p, struct arena *arena,
	struct str *ret_document)
{
	CLEANUP(blob_unrefp) struct blob *bytes = NULL;
	struct err ignored; /* a document that is not kept is fetched */

	if (store_get(inv->documents, ctx, SCOPE, document_key(arena, p), &bytes, &ignored) != ERR_OK)
		return false;
	*ret_document = str_dup(arena, blob_view(bytes));
	return true;
}

static void keep_document(struct inventory *inv, const struct ctx *ctx, const struct policy_version *p,
	struct str document, struct arena *scratch)
{
	CLEANUP(blob_unrefp) struct blob *bytes = blob_new(document);
	struct err e;

	if (store_put(inv->documents, ctx, SCOPE, document_key(scratch, p), bytes, /* ttl_ms= */ 0, &e) != ERR_OK)
		log_debug("a policy document is not kept", LOG_STR("policy", p->arn), LOG_CSTR("error", e.msg));
}

/* Decides about a document that did not come: it is enrichment (architecture, decision 10). Only what came is kept (D25). */
static enum err_code weigh_failure(struct inventory *inv, const struct err *failure, struct err *reterr)
{
	const bool denied = failure->code == ERR_DENIED && str_starts(str_c(failure->aws_operation), STR("iam:"));

	*reterr = *failure;
	if (failure->code == ERR_NOT_FOUND) {
		atomic_fetch_add_explicit(&inv->vanished, 1, memory_order_relaxed);
		return ERR_OK;
	}
	if (!denied || inv->opts.require_all_permissions)
		return err_prefix(reterr, "baton-aws: failed to get managed policy document");
	atomic_fetch_add_explicit(&inv->denied_reads, 1, memory_order_relaxed);
	if (!atomic_exchange(&inv->documents_denied, true))
		log_warn("a permission is missing, ignoring", LOG_CSTR("permission", "iam:GetPolicyVersion"),
			LOG_CSTR("consequence", "documents of AWS-managed policies are left out"));
	return ERR_OK;
}

static bool is_hard_failure(const struct aws_call_item *item)
{
	return item->code != ERR_NOT_FOUND && item->code != ERR_DENIED;
}

struct wave {
	const struct policy_version          *policies[WAVE];
	struct str                           *documents[WAVE];
	struct aws_iam_get_policy_version_in  in[WAVE];
	struct aws_iam_get_policy_version_out out[WAVE];
	struct aws_call_item                  items[WAVE];
	size_t                                n;
};

static enum err_code fetch_wave(struct inventory *inv, const struct ctx *ctx, struct aws_client *iam, struct wave *w,
	struct arena *arena, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new(0);
	enum err_code code = ERR_OK;

	for (size_t i = 0; i < w->n; i++) {
		w->in[i] = (struct aws_iam_get_policy_version_in){
			.arn = w->policies[i]->arn, .version_id = w->policies[i]->version_id};
		w->items[i] = (struct aws_call_item){
			.op = &aws_iam_get_policy_version, .in = &w->in[i], .out = &w->out[i]};
	}
	aws_call_many(iam, ctx, w->items, w->n, inv->opts.max_in_flight, is_hard_failure, scratch);
	for (size_t i = 0; i < w->n; i++) {
		struct err e;

		if (w->items[i].code != ERR_OK) {
			if (weigh_failure(inv, &w->items[i].err, &e) != ERR_OK && (code == ERR_OK || code == ERR_CANCELLED)) {
				*reterr = e;
				code = e.code;
			}
			continue;
		}
		if (!percent_decode(arena, w->out[i].version.document, w->documents[i]))
			return err_set(reterr, ERR_PROTOCOL, "baton-aws: failed to decode managed policy document of '" STR_FMT "'",
				STR_ARG(w->policies[i]->arn));
		keep_document(inv, ctx, w->policies[i], *w->documents[i], scratch);
	}
	w->n = 0;
	return code;
}

enum err_code inventory_policy_documents(struct inventory *inv, const struct ctx *ctx,
	const struct policy_version *policies, size_t n, struct arena *arena, struct str *documents, struct err *reterr)
{
	CLEANUP(aws_client_unrefp) struct aws_client *iam = NULL;
	CLEANUP(arena_freep) struct arena *scratch = arena_new(0);
	struct wave *w = arena_new_of(scratch, struct wave);

	for (size_t i = 0; i < n; i++) {
		documents[i] = STR_EMPTY;
		if (policies[i].version_id.n == 0 || read_kept(inv, ctx, &policies[i], arena, &documents[i]))
			continue;
		if (iam == NULL && inventory_client(inv, ctx, &aws_iam, STR_EMPTY, &iam, reterr) != ERR_OK)
			return reterr->code;
		w->policies[w->n] = &policies[i];
		w->documents[w->n++] = &documents[i];
		if (w->n == WAVE && fetch_wave(inv, ctx, iam, w, arena, reterr) != ERR_OK)
			return reterr->code;
	}
	return w->n == 0 ? ERR_OK : fetch_wave(inv, ctx, iam, w, arena, reterr);
}

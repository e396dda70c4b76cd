/* DESIGN
 *
 * Documents of AWS-managed policies. A document is immutable by (ARN, version id) and the same in every account, so it is fetched once and
 * kept across syncs, in a store of its own with its own limits: the sync's entries neither push it out nor take it with them.
 *
 * Two callers that want the same document at the same time share one fetch: each marks what it fetches as under way and fetches only what
 * nobody else has marked; then it waits for the others. What another caller failed to get is tried again by who still wants it. */
#include "aws/iam.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "inventory/internal.h"
#include "store/store.h"

#define SCOPE STR("policy-documents")
#define WAVE  64 /* documents asked for together */

/* A wave of denials is believed for so long: a sync would repeat it for each of 1,400 policies. */
#define DENIED_MS 60000

static struct str document_key(struct arena *arena, const struct policy_version *p)
{
	return str_fmt(arena, STR_FMT "|" STR_FMT, STR_ARG(p->arn), STR_ARG(p->version_id));
}

static bool read_kept(struct inventory *inv, const struct ctx *ctx, const struct policy_version *p,
	struct arena *arena, struct str *ret_document)
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

	if (store_put(inv->documents, ctx, SCOPE, document_key(scratch, p), bytes, /* ttl_ms= */ 0, &e) !=
		ERR_OK)
		log_debug(
			"a policy document is not kept", LOG_STR("policy", p->arn), LOG_CSTR("error", e.msg));
}

/* Decides about a document that did not come: it is enrichment (architecture, decision 10). Only what came is kept (D25). */
static enum err_code weigh_failure(struct inventory *inv, const struct err *failure, struct err *reterr)
{
	const bool denied =
		failure->code == ERR_DENIED && str_starts(str_c(failure->aws_operation), STR("iam:"));

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

static bool are_denied(struct inventory *inv, const struct ctx *ctx)
{
	return clock_mono_ms(ctx->clock) < atomic_load(&inv->documents_denied_until_ms);
}

static bool is_hard_failure(const struct aws_call_item *item)
{
	return item->code != ERR_NOT_FOUND && item->code != ERR_DENIED;
}

struct wave {
	const struct policy_version *policies[WAVE];
	struct str *documents[WAVE];
	struct aws_iam_get_policy_version_in in[WAVE];
	struct aws_iam_get_policy_version_out out[WAVE];
	struct aws_call_item items[WAVE];
	size_t n;
};

static enum err_code fetch_wave(struct inventory *inv, const struct ctx *ctx, struct aws_client *iam,
	struct wave *w, struct arena *arena, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new(0);
	enum err_code code = ERR_OK;
	size_t n_denied = 0;

	for (size_t i = 0; i < w->n; i++) {
		w->in[i] = (struct aws_iam_get_policy_version_in){
			.arn = w->policies[i]->arn, .version_id = w->policies[i]->version_id};
		w->items[i] = (struct aws_call_item){
			.op = &aws_iam_get_policy_version, .in = &w->in[i], .out = &w->out[i]};
	}
	aws_call_many(iam, ctx, w->items, w->n, inv->opts.max_in_flight, is_hard_failure, scratch);
	for (size_t i = 0; i < w->n; i++) {
		struct err e;

		n_denied += w->items[i].code == ERR_DENIED;
		if (w->items[i].code != ERR_OK) {
			if (weigh_failure(inv, &w->items[i].err, &e) != ERR_OK &&
				(code == ERR_OK || code == ERR_CANCELLED)) {
				*reterr = e;
				code = e.code;
			}
			continue;
		}
		if (!percent_decode(arena, w->out[i].version.document, w->documents[i]))
			return err_set(reterr, ERR_PROTOCOL,
				"baton-aws: failed to decode managed policy document of '" STR_FMT "'",
				STR_ARG(w->policies[i]->arn));
		keep_document(inv, ctx, w->policies[i], *w->documents[i], scratch);
	}
	if (n_denied == w->n)
		atomic_store(&inv->documents_denied_until_ms, clock_mono_ms(ctx->clock) + DENIED_MS);
	w->n = 0;
	return code;
}

/* --- who fetches what --- */

#define BUCKETS 256

struct under_way {
	struct under_way *next;
	char *key;
};

struct document_flights {
	struct mutex lock;
	struct cond landed;
	struct under_way *buckets[BUCKETS];
};

struct document_flights *document_flights_new(void)
{
	struct document_flights *f = mem_zalloc(sizeof(*f));

	mutex_init(&f->lock);
	cond_init(&f->landed);
	return f;
}

void document_flights_free(struct document_flights *f)
{
	if (f == NULL)
		return;
	cond_deinit(&f->landed);
	mutex_deinit(&f->lock);
	mem_free(f);
}

static struct under_way **find_flight(struct document_flights *f, struct str key)
{
	struct under_way **at = &f->buckets[str_hash(key) % BUCKETS];

	while (*at != NULL && !str_eq_c(key, (*at)->key))
		at = &(*at)->next;
	return at;
}

/* True: the caller fetches the document, and calls land afterwards. */
static bool take_off(struct document_flights *f, struct str key)
{
	LOCK_SCOPE(&f->lock);
	struct under_way **at = find_flight(f, key);

	if (*at != NULL)
		return false;
	*at = mem_zalloc(sizeof(**at));
	(*at)->key = mem_strndup(key.p, key.n);
	return true;
}

static void land(struct document_flights *f, struct str key)
{
	LOCK_SCOPE(&f->lock);
	struct under_way **at = find_flight(f, key);
	struct under_way *gone = *at;

	*at = gone->next;
	mem_free(gone->key);
	mem_free(gone);
	cond_broadcast(&f->landed);
}

static enum err_code await_landing(
	struct document_flights *f, const struct ctx *ctx, struct str key, struct err *reterr)
{
	LOCK_SCOPE(&f->lock);
	while (*find_flight(f, key) != NULL) {
		if (ctx_check(ctx, "waiting for another call that fetches the same document", reterr) !=
			ERR_OK)
			return reterr->code;
		cond_wait_ctx(&f->landed, &f->lock, ctx);
	}
	return ERR_OK;
}

/* --- the whole --- */

/* One caller's wish. */
struct wanted {
	struct inventory *inv;
	const struct ctx *ctx;
	const struct policy_version *policies;
	struct str *documents;
	struct arena *arena;
	bool *settled; /* the document is there, or there is none to be had */
	size_t n;
};

/* Fetches what nobody else is fetching. *ret_others: how many are left to others. */
static enum err_code fetch_own(
	const struct wanted *w, struct arena *scratch, size_t *ret_others, struct err *reterr)
{
	CLEANUP(aws_client_unrefp) struct aws_client *iam = NULL;
	struct wave *wave = arena_new_of(scratch, struct wave);
	size_t *own = arena_array_of(scratch, w->n, size_t);
	enum err_code code = ERR_OK;
	size_t n_own = 0;

	*ret_others = 0;
	for (size_t i = 0; i < w->n; i++) {
		if (w->settled[i])
			continue;
		if (take_off(w->inv->document_flights, document_key(scratch, &w->policies[i])))
			own[n_own++] = i;
		else
			++*ret_others;
	}
	if (n_own > 0)
		code = inventory_client(w->inv, w->ctx, &aws_iam, STR_EMPTY, &iam, reterr);
	for (size_t i = 0; i < n_own && code == ERR_OK && !(wave->n == 0 && are_denied(w->inv, w->ctx));
		i++) {
		wave->policies[wave->n] = &w->policies[own[i]];
		wave->documents[wave->n++] = &w->documents[own[i]];
		if (wave->n == WAVE || i + 1 == n_own)
			code = fetch_wave(w->inv, w->ctx, iam, wave, w->arena, reterr);
	}
	for (size_t i = 0; i < n_own; i++) {
		w->settled[own[i]] = code == ERR_OK;
		land(w->inv->document_flights, document_key(scratch, &w->policies[own[i]]));
	}
	return code;
}

/* What is kept, by us or by now by somebody else. */
static void take_kept(const struct wanted *w)
{
	for (size_t i = 0; i < w->n; i++) {
		if (!w->settled[i])
			w->settled[i] =
				w->policies[i].version_id.n == 0 ||
				read_kept(w->inv, w->ctx, &w->policies[i], w->arena, &w->documents[i]);
	}
}

enum err_code inventory_policy_documents(struct inventory *inv, const struct ctx *ctx,
	const struct policy_version *policies, size_t n, struct arena *arena, struct str *documents,
	struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new(0);
	const struct wanted w = {.inv = inv,
		.ctx = ctx,
		.policies = policies,
		.documents = documents,
		.arena = arena,
		.settled = arena_array_of(scratch, n, bool),
		.n = n};
	size_t others;

	for (size_t i = 0; i < n; i++)
		documents[i] = STR_EMPTY;
	do {
		take_kept(&w);
		if (fetch_own(&w, scratch, &others, reterr) != ERR_OK)
			return reterr->code;
		for (size_t i = 0; i < n; i++) {
			if (!w.settled[i] && await_landing(inv->document_flights, ctx,
						     document_key(scratch, &policies[i]), reterr) != ERR_OK)
				return reterr->code;
		}
	} while (others > 0);
	return ERR_OK;
}

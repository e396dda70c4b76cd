/* DESIGN
 *
 * Documents of AWS-managed policies. A document is immutable by (ARN, version id) and the same in every account, so it is fetched once and
 * kept across syncs, in a store of its own with its own limits: the sync's entries neither push it out nor take it with them.
 *
 * Two callers that want the same document at the same time share one fetch: each marks what it fetches as under way and fetches only what
 * nobody else has marked; then it waits for the others. What another caller failed to get is tried again by who still wants it.
 *
 * Where servers share a store, they share the documents as well: what is to be fetched is looked for there first, a wave at a time, and
 * what another server is fetching (shelf.h) counts as another caller's. */
#include "aws/iam.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "inventory/internal.h"
#include "inventory/shelf.h"
#include "store/store.h"

#define SCOPE STR("policy-documents")
#define WAVE  64 /* documents asked for together */

#define DOCUMENTS_TTL_MS                                                                                     \
	(7 * 24 * 3600 * 1000LL) /* in a store that servers share; it may have a shorter limit */

/* A wave of denials is believed for so long: a sync would repeat it for each of 1,400 policies. */
#define DENIED_MS 60000

/* A policy's ARN has a path of up to 512 bytes and a name of up to 128 (IAM quotas). */
_Static_assert(STORE_NAME_MAX > 512 + 128 + 100, "the key of each policy version fits");

static struct str document_key(struct arena *arena, const struct policy_version *p)
{
	return str_fmt(arena, STR_FMT "|" STR_FMT, STR_ARG(p->arn), STR_ARG(p->version_id));
}

/* Otherwise what inv->documents has is all there is: the sync's store is in this process as well. */
static bool is_shared(const struct inventory *inv)
{
	return store_is_shared(inv->opts.store);
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

static void keep_document(struct inventory *inv, const struct ctx *ctx, struct str key, struct blob *bytes)
{
	struct err e;

	if (store_put(inv->documents, ctx, SCOPE, key, bytes, /* ttl_ms= */ 0, &e) != ERR_OK)
		log_debug("a policy document is not kept", LOG_STR("policy", key), LOG_CSTR("error", e.msg));
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
	struct store_item kept[WAVE]; /* what was fetched, for the store that servers share: n_kept of them */
	size_t n_kept;
	struct aws_iam_get_policy_version_in in[WAVE];
	struct aws_iam_get_policy_version_out out[WAVE];
	struct aws_call_item items[WAVE];
	size_t n;
};

static enum err_code fetch_documents(struct inventory *inv, const struct ctx *ctx, struct aws_client *iam,
	struct wave *w, struct arena *arena, struct arena *scratch, struct err *reterr)
{
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
		w->kept[w->n_kept] = (struct store_item){
			.key = document_key(scratch, w->policies[i]), .value = blob_new(*w->documents[i])};
		keep_document(inv, ctx, w->kept[w->n_kept].key, w->kept[w->n_kept].value);
		w->n_kept++;
	}
	if (n_denied == w->n)
		atomic_store(&inv->documents_denied_until_ms, clock_mono_ms(ctx->clock) + DENIED_MS);
	return code;
}

/* What came is kept even when something else did not. */
static enum err_code fetch_wave(struct inventory *inv, const struct ctx *ctx, struct aws_client *iam,
	struct wave *w, struct arena *arena, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new(0);
	const enum err_code code = fetch_documents(inv, ctx, iam, w, arena, scratch, reterr);

	if (is_shared(inv))
		shelf_put(inv->shelf, ctx, SCOPE, w->kept, w->n_kept, DOCUMENTS_TTL_MS);
	for (; w->n_kept > 0; w->n_kept--)
		blob_unref(w->kept[w->n_kept - 1].value);
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

/* Looks for n documents in the store that servers share. ours[i]: nobody has it, this server fetches it. */
static void look_on_shelf(
	const struct wanted *w, const size_t *which, size_t n, struct arena *scratch, bool *ours)
{
	struct store_item items[WAVE] = {{.value = NULL}};

	for (size_t i = 0; i < n; i++)
		items[i].key = document_key(scratch, &w->policies[which[i]]);
	shelf_get(w->inv->shelf, w->ctx, SCOPE, items, n);
	for (size_t i = 0; i < n; i++) {
		ours[i] = items[i].found != STORE_VALUE && items[i].found != STORE_ELSEWHERE;
		if (items[i].value == NULL)
			continue;
		w->documents[which[i]] = str_dup(w->arena, blob_view(items[i].value));
		w->settled[which[i]] = true;
		keep_document(w->inv, w->ctx, items[i].key, items[i].value);
		blob_unref(items[i].value);
	}
}

/* Fetches n documents, as many as one wave takes; those that another server fetches stay unsettled. */
static enum err_code obtain_wave(const struct wanted *w, struct aws_client *iam, const size_t *which,
	size_t n, struct arena *scratch, struct err *reterr)
{
	struct wave *wave = arena_new_of(scratch, struct wave);
	struct str keys[WAVE];
	bool ours[WAVE];
	enum err_code code = ERR_OK;

	for (size_t i = 0; i < n; i++)
		ours[i] = true;
	if (is_shared(w->inv))
		look_on_shelf(w, which, n, scratch, ours);
	for (size_t i = 0; i < n; i++) {
		if (!ours[i])
			continue;
		keys[wave->n] = document_key(scratch, &w->policies[which[i]]);
		wave->policies[wave->n] = &w->policies[which[i]];
		wave->documents[wave->n++] = &w->documents[which[i]];
	}
	if (wave->n == 0)
		return ERR_OK;
	n = wave->n;
	code = fetch_wave(w->inv, w->ctx, iam, wave, w->arena, reterr);
	shelf_done(w->inv->shelf, SCOPE, keys, n);
	for (size_t i = 0, at = 0; at < n; i++) {
		if (ours[i]) {
			w->settled[which[i]] = code == ERR_OK;
			at++;
		}
	}
	return code;
}

/* Fetches what nobody else is fetching. *ret_others: how many are left to other callers of this server. */
static enum err_code fetch_own(
	const struct wanted *w, struct arena *scratch, size_t *ret_others, struct err *reterr)
{
	CLEANUP(aws_client_unrefp) struct aws_client *iam = NULL;
	size_t *own = arena_array_of(scratch, w->n, size_t);
	enum err_code code = ERR_OK;
	size_t n_own = 0, i = 0;

	*ret_others = 0;
	for (size_t j = 0; j < w->n; j++) {
		if (w->settled[j])
			continue;
		if (take_off(w->inv->document_flights, document_key(scratch, &w->policies[j])))
			own[n_own++] = j;
		else
			++*ret_others;
	}
	if (n_own > 0)
		code = inventory_client(w->inv, w->ctx, &aws_iam, STR_EMPTY, &iam, reterr);
	for (; i < n_own && code == ERR_OK && !are_denied(w->inv, w->ctx); i += WAVE)
		code = obtain_wave(w, iam, own + i, n_own - i < WAVE ? n_own - i : WAVE, scratch, reterr);
	for (size_t j = 0; j < n_own; j++) {
		if (code == ERR_OK && j >= i)
			w->settled[own[j]] = true; /* denied just now: there is none to be had */
		land(w->inv->document_flights, document_key(scratch, &w->policies[own[j]]));
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

static size_t n_unsettled(const struct wanted *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += !w->settled[i];
	return n;
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
	for (unsigned round = 0;; round++) {
		take_kept(&w);
		if (fetch_own(&w, scratch, &others, reterr) != ERR_OK)
			return reterr->code;
		if (n_unsettled(&w) == 0)
			return ERR_OK;
		for (size_t i = 0; i < n && others > 0; i++) {
			if (!w.settled[i] && await_landing(inv->document_flights, ctx,
						     document_key(scratch, &policies[i]), reterr) != ERR_OK)
				return reterr->code;
		}
		/* What is left without other callers, another server fetches. */
		if (others == 0 && shelf_wait(ctx, round, reterr) != ERR_OK)
			return reterr->code;
	}
}

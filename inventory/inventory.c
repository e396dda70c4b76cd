/* DESIGN
 *
 * One table of entries, keyed by (scope, account). An entry is a state machine under the inventory's lock:
 *
 *	EMPTY ---- first asker ----> LOADING ---- success ----> READY
 *	  ^                             |
 *	  +--------- failure -----------+   (what the load fetched so far stays in the entry: the next asker resumes it)
 *
 * The thread that asks first does the load itself, under its own deadline, with the lock released; others wait on the condition
 * variable under theirs. When the loader fails because its own caller gave up, the waiters are woken and one of them takes over: one
 * client's cancellation is not another's error. Any other failure is theirs too, for this once.
 *
 * Rejected: a thread of the inventory's own for each load (a second place where deadlines and cancellation would have to be carried to).
 *
 * Memory: entries are opened accounts whose bytes are the store's own blob. They go when their sync ends, when they have not been asked
 * for IDLE_MS, when they are the oldest beyond max_bytes. */
#include "inventory/inventory.h"

#include <stdatomic.h>
#include <string.h>

#include "aws/iam.h"
#include "aws/session.h"
#include "base/blob.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "inventory/iam_account.h"
#include "inventory/iam_load.h"
#include "store/store.h"

#define UNSCOPED_TTL_MS   60000                /* architecture, decision 1 */
#define IDLE_MS           (30 * 60 * 1000)     /* an engine that works on other types meanwhile must not lose its facts */
#define STORE_TTL_MS      (24 * 3600 * 1000LL) /* longer than any sync */
#define PARTIAL_TTL_MS    (10 * 60 * 1000)     /* AWS's markers do not live for ever, and a partial view ages */
#define DEFAULT_MAX_BYTES (256UL << 20)
#define ACCOUNT_MAX_BYTES (1UL << 30)          /* of one account, packed: about a million users */
#define DEFAULT_IN_FLIGHT 16

enum entry_state { ENTRY_EMPTY, ENTRY_LOADING, ENTRY_READY };

struct entry {
	struct entry       *next;
	char               *scope;       /* sync id; "" for requests without one */
	struct str          account;     /* 12 digits, in digits */
	char                digits[12];
	enum entry_state    state;
	unsigned            users;       /* threads that load or wait: such an entry is not removed */
	uint64_t            failures;    /* failed loads, so that a waiter sees that the one it waited for failed */
	struct err          failure;     /* of the last one */
	bool                failure_is_loaders; /* its caller gave up: not the waiters' error */
	struct iam_account *data;        /* READY */
	struct iam_load    *partial;     /* EMPTY, LOADING: what is fetched so far */
	int64_t             made_ms;     /* READY since, or first answer of the partial load */
	int64_t             used_ms;     /* last asked for */
	bool                forget;      /* its sync ended while it was in use */
};

struct inventory {
	struct inventory_options opts;
	struct mutex             lock;
	struct cond              changed;
	struct entry            *entries; /* most recently made first; a few per live sync */

	atomic_uint_fast64_t hits, store_hits, flights, waits, store_failures, denied_reads, vanished;
};

struct inventory *inventory_new(const struct inventory_options *opts)
{
	struct inventory *inv = mem_zalloc(sizeof(*inv));

	inv->opts = *opts;
	if (inv->opts.max_bytes == 0)
		inv->opts.max_bytes = DEFAULT_MAX_BYTES;
	if (inv->opts.max_in_flight == 0)
		inv->opts.max_in_flight = DEFAULT_IN_FLIGHT;
	mutex_init(&inv->lock);
	cond_init(&inv->changed);
	return inv;
}

static void entry_free(struct entry *e)
{
	iam_account_unref(e->data);
	iam_load_free(e->partial);
	mem_free(e->scope);
	mem_free(e);
}

void inventory_free(struct inventory *inv)
{
	if (inv == NULL)
		return;
	while (inv->entries != NULL) {
		struct entry *e = inv->entries;

		inv->entries = e->next;
		entry_free(e);
	}
	cond_deinit(&inv->changed);
	mutex_deinit(&inv->lock);
	mem_free(inv);
}

/* --- identity --- */

enum err_code inventory_identity(struct inventory *inv, const struct ctx *ctx, bool refresh, struct arena *arena,
	struct inventory_identity *ret_identity, struct err *reterr)
{
	struct aws_identity id;

	if (aws_session_identity(inv->opts.aws, ctx, refresh, arena, &id, reterr) != ERR_OK)
		return reterr->code;
	*ret_identity = (struct inventory_identity){.account = id.account, .arn = id.arn, .partition = id.partition};
	return ERR_OK;
}

enum err_code inventory_account_alias(
	struct inventory *inv, const struct ctx *ctx, struct arena *arena, struct str *ret_alias, struct err *reterr)
{
	CLEANUP(aws_client_unrefp) struct aws_client *iam = NULL;
	const struct aws_iam_page_in in = {.marker = STR_EMPTY};
	struct aws_iam_list_account_aliases_out out;

	if (aws_session_client(inv->opts.aws, &aws_iam, STR_EMPTY, &iam, reterr) != ERR_OK)
		return reterr->code;
	if (aws_call(iam, ctx, &aws_iam_list_account_aliases, &in, arena, &out, reterr) == ERR_OK) {
		*ret_alias = out.aliases.n == 1 ? *AWS_LIST_AT(out.aliases, struct str, 0) : STR_EMPTY;
		return ERR_OK;
	}
	if (reterr->code != ERR_DENIED)
		return reterr->code;
	atomic_fetch_add_explicit(&inv->denied_reads, 1, memory_order_relaxed);
	*ret_alias = STR_EMPTY;
	return ERR_OK;
}

/* --- entries; the lock is held --- */

static struct entry *find_entry(struct inventory *inv, struct str scope, struct str account)
{
	struct entry *e = inv->entries;

	while (e != NULL && (e->forget || !str_eq(str_c(e->scope), scope) || !str_eq(e->account, account)))
		e = e->next;
	return e;
}

static struct entry *add_entry(struct inventory *inv, struct str scope, struct str account)
{
	struct entry *e = mem_zalloc(sizeof(*e));

	e->scope = mem_strndup(scope.p, scope.n);
	memcpy(e->digits, account.p, sizeof(e->digits));
	e->account = str_n(e->digits, sizeof(e->digits));
	e->next = inv->entries;
	inv->entries = e;
	return e;
}

static void remove_entry(struct inventory *inv, struct entry *gone)
{
	struct entry **at = &inv->entries;

	while (*at != gone)
		at = &(*at)->next;
	*at = gone->next;
	entry_free(gone);
}

static bool is_stale(const struct entry *e, int64_t now_ms)
{
	if (e->forget)
		return true;
	if (e->state == ENTRY_READY && e->scope[0] == '\0')
		return now_ms - e->made_ms >= UNSCOPED_TTL_MS;
	if (e->state == ENTRY_EMPTY && e->partial != NULL && now_ms - e->made_ms >= PARTIAL_TTL_MS)
		return true;
	return now_ms - e->used_ms >= IDLE_MS;
}

/* Drops what is stale, then the least recently used until the rest fits. */
static void sweep(struct inventory *inv, int64_t now_ms)
{
	size_t bytes = 0;

	for (struct entry *e = inv->entries, *next; e != NULL; e = next) {
		next = e->next;
		if (e->users == 0 && is_stale(e, now_ms))
			remove_entry(inv, e);
		else if (e->data != NULL)
			bytes += blob_view(iam_account_bytes(e->data)).n;
	}
	while (bytes > inv->opts.max_bytes) {
		struct entry *oldest = NULL;

		for (struct entry *e = inv->entries; e != NULL; e = e->next) {
			if (e->users == 0 && e->data != NULL && (oldest == NULL || e->used_ms < oldest->used_ms))
				oldest = e;
		}
		if (oldest == NULL)
			return;
		bytes -= blob_view(iam_account_bytes(oldest->data)).n;
		remove_entry(inv, oldest);
	}
}

/* --- the session store; a failure is logged, counted, and costs AWS calls --- */

static void store_failed(struct inventory *inv, const char *doing, const struct err *e)
{
	atomic_fetch_add_explicit(&inv->store_failures, 1, memory_order_relaxed);
	log_warn("the session store failed, ignoring", LOG_CSTR("doing", doing), LOG_CSTR("error", e->msg));
}

static struct str store_key(struct arena *arena, struct str account)
{
	return str_fmt(arena, "iam-account/1/" STR_FMT, STR_ARG(account));
}

static struct iam_account *read_store(
	struct inventory *inv, const struct ctx *ctx, struct str scope, struct str account, struct arena *arena)
{
	CLEANUP(blob_unrefp) struct blob *bytes = NULL;
	struct iam_account *data;
	struct err e;

	if (scope.n == 0)
		return NULL; /* facts without a sync stay in this process */
	if (store_get(inv->opts.store, ctx, scope, store_key(arena, account), &bytes, &e) != ERR_OK) {
		if (e.code != ERR_NOT_FOUND)
			store_failed(inv, "get", &e);
		return NULL;
	}
	if (iam_account_open(bytes, &data, &e) != ERR_OK) {
		store_failed(inv, "open", &e);
		return NULL;
	}
	return data;
}

static void write_store(struct inventory *inv, const struct ctx *ctx, struct str scope, struct str account,
	struct iam_account *data, struct arena *arena)
{
	struct err e;

	if (scope.n > 0 && store_put(inv->opts.store, ctx, scope, store_key(arena, account), iam_account_bytes(data),
				   STORE_TTL_MS, &e) != ERR_OK)
		store_failed(inv, "put", &e);
}

/* --- one flight --- */

static enum err_code fetch(struct inventory *inv, const struct ctx *ctx, struct entry *e,
	struct iam_account **ret_data, struct err *reterr)
{
	CLEANUP(aws_client_unrefp) struct aws_client *iam = NULL;

	if (aws_session_client(inv->opts.aws, &aws_iam, e->account, &iam, reterr) != ERR_OK)
		return reterr->code;
	if (e->partial == NULL) {
		const struct iam_load_options opts = {
			.account_id = e->account,
			.require_all_permissions = inv->opts.require_all_permissions,
			.only_attached_policies = inv->opts.only_attached_policies,
			.max_in_flight = inv->opts.max_in_flight,
			.max_bytes = ACCOUNT_MAX_BYTES,
			.denied_reads = &inv->denied_reads,
			.vanished = &inv->vanished,
		};

		e->partial = iam_load_new(&opts);
		e->made_ms = clock_mono_ms(ctx->clock);
		atomic_fetch_add_explicit(&inv->flights, 1, memory_order_relaxed);
	}
	if (iam_load_run(e->partial, iam, ctx, ret_data, reterr) != ERR_OK) {
		/* What may work later is resumed; what cannot is not worth its memory. */
		if (!reterr->retryable && reterr->code != ERR_CANCELLED && reterr->code != ERR_DEADLINE) {
			iam_load_free(e->partial);
			e->partial = NULL;
		}
		return reterr->code;
	}
	iam_load_free(e->partial);
	e->partial = NULL;
	return ERR_OK;
}

/* Fills the entry, which this thread has marked LOADING; the lock is not held. */
static enum err_code load_entry(struct inventory *inv, const struct ctx *ctx, struct entry *e, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const struct str scope = str_c(e->scope);
	struct iam_account *data = read_store(inv, ctx, scope, e->account, arena);
	enum err_code code = ERR_OK;

	if (data != NULL) {
		atomic_fetch_add_explicit(&inv->store_hits, 1, memory_order_relaxed);
	} else {
		code = fetch(inv, ctx, e, &data, reterr);
		if (code == ERR_OK)
			write_store(inv, ctx, scope, e->account, data, arena);
	}
	LOCK_SCOPE(&inv->lock);
	if (code == ERR_OK) {
		e->state = ENTRY_READY;
		e->data = data;
		e->made_ms = clock_mono_ms(ctx->clock);
	} else {
		struct err ignored;

		e->state = ENTRY_EMPTY;
		e->failures++;
		e->failure = *reterr;
		e->failure_is_loaders = ctx_check(ctx, "", &ignored) != ERR_OK;
	}
	cond_broadcast(&inv->changed);
	return code;
}

/* Waits until the entry is READY, or is EMPTY and this thread may load it. The lock is held. */
static enum err_code await_entry(struct inventory *inv, const struct ctx *ctx, struct entry *e, struct err *reterr)
{
	const uint64_t failures = e->failures;

	atomic_fetch_add_explicit(&inv->waits, 1, memory_order_relaxed);
	while (e->state == ENTRY_LOADING) {
		if (ctx_check(ctx, "waiting for another call to read the account", reterr) != ERR_OK)
			return reterr->code;
		cond_wait_ctx(&inv->changed, &inv->lock, ctx);
	}
	if (e->state == ENTRY_EMPTY && e->failures != failures && !e->failure_is_loaders) {
		*reterr = e->failure;
		return reterr->code;
	}
	return ERR_OK;
}

static enum err_code obtain(struct inventory *inv, const struct ctx *ctx, struct entry *e,
	struct iam_account **ret_account, struct err *reterr)
{
	enum err_code code = ERR_OK;

	while (code == ERR_OK && e->state != ENTRY_READY) {
		if (e->state == ENTRY_LOADING) {
			code = await_entry(inv, ctx, e, reterr);
			continue;
		}
		e->state = ENTRY_LOADING;
		mutex_unlock(&inv->lock);
		code = load_entry(inv, ctx, e, reterr);
		mutex_lock(&inv->lock);
	}
	if (code == ERR_OK)
		*ret_account = iam_account_ref(e->data);
	return code;
}

static enum err_code own_account(
	struct inventory *inv, const struct ctx *ctx, struct str *account, struct arena *arena, struct err *reterr)
{
	struct inventory_identity id;

	if (account->n > 0)
		return ERR_OK;
	if (inventory_identity(inv, ctx, /* refresh= */ false, arena, &id, reterr) != ERR_OK)
		return reterr->code;
	*account = id.account;
	return ERR_OK;
}

enum err_code inventory_iam_account(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct str account, struct iam_account **ret_account, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const int64_t now_ms = clock_mono_ms(inv->opts.clock);
	enum err_code code;
	struct entry *e;

	if (own_account(inv, ctx, &account, arena, reterr) != ERR_OK)
		return reterr->code;
	if (account.n != 12)
		return err_set(reterr, ERR_INVALID, "'" STR_FMT "' is not an account number", STR_ARG(account));
	LOCK_SCOPE(&inv->lock);
	sweep(inv, now_ms);
	e = find_entry(inv, sync_id, account);
	if (e == NULL)
		e = add_entry(inv, sync_id, account);
	if (e->state == ENTRY_READY)
		atomic_fetch_add_explicit(&inv->hits, 1, memory_order_relaxed);
	e->used_ms = now_ms;
	e->users++;
	code = obtain(inv, ctx, e, ret_account, reterr);
	e->users--;
	return code;
}

enum err_code inventory_end_sync(struct inventory *inv, const struct ctx *ctx, struct str sync_id, struct err *reterr)
{
	if (sync_id.n == 0)
		return ERR_OK; /* what is kept without a sync goes by age */
	{
		LOCK_SCOPE(&inv->lock);
		for (struct entry *e = inv->entries; e != NULL; e = e->next) {
			if (str_eq(str_c(e->scope), sync_id))
				e->forget = true;
		}
		sweep(inv, clock_mono_ms(inv->opts.clock));
	}
	if (store_clear(inv->opts.store, ctx, sync_id, reterr) != ERR_OK) {
		store_failed(inv, "clear", reterr);
		return reterr->code;
	}
	return ERR_OK;
}

void inventory_stats(struct inventory *inv, struct inventory_stats *ret_stats)
{
	*ret_stats = (struct inventory_stats){
		.hits = atomic_load(&inv->hits),
		.store_hits = atomic_load(&inv->store_hits),
		.flights = atomic_load(&inv->flights),
		.waits = atomic_load(&inv->waits),
		.store_failures = atomic_load(&inv->store_failures),
		.denied_reads = atomic_load(&inv->denied_reads),
		.vanished = atomic_load(&inv->vanished),
	};
}

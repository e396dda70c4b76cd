/* The front door: what syncers ask for, put together from facts (facts.h), the read-ahead (read_ahead.h) and the session. */
#include "inventory/inventory.h"

#include "aws/iam.h"
#include "aws/session.h"
#include "base/arn.h"
#include "base/log.h"
#include "base/mem.h"
#include "inventory/claims.h"
#include "inventory/gather.h"
#include "inventory/iam_account.h"
#include "inventory/iam_load.h"
#include "inventory/identity_center.h"
#include "inventory/internal.h"
#include "inventory/read_ahead.h"
#include "inventory/shelf.h"
#include "store/memory.h"
#include "store/store.h"

#define DEFAULT_MAX_BYTES (256UL << 20)
#define ACCOUNT_MAX_BYTES (1UL << 30)   /* of one account, packed: about a million users */
#define MAX_LIST_BYTES    (512UL << 20) /* twice what a list may take packed: structs take more */
#define DEFAULT_IN_FLIGHT 16
#define DOCUMENTS_BYTES   (32UL << 20) /* AWS's 1,400 policies have about 4 MiB of documents */
#define DOCUMENTS_AGE_MS  (7 * 24 * 3600 * 1000LL)
#define PROBES_IN_FLIGHT  16

/* --- facts about an account --- */

static struct iam_load_options load_options(struct inventory *inv, struct str account)
{
	return (struct iam_load_options){
		.account_id = account,
		.require_all_permissions = inv->opts.require_all_permissions,
		.only_attached_policies = inv->opts.only_attached_policies,
		.access_keys = inv->opts.access_keys,
		.max_in_flight = inv->opts.max_in_flight,
		.max_bytes = ACCOUNT_MAX_BYTES,
		.denied_reads = &inv->denied_reads,
		.vanished = &inv->vanished,
	};
}

static enum err_code fetch_account(const struct fact_kind *kind, void *self, const struct ctx *ctx,
	struct str scope, struct str name, void **partial, void **ret_fact, struct err *reterr)
{
	CLEANUP(aws_client_unrefp) struct aws_client *iam = NULL;
	struct inventory *inv = self;
	struct iam_account *account;

	(void)kind;
	(void)scope;
	if (inventory_client(inv, ctx, &aws_iam, name, &iam, reterr) != ERR_OK)
		return reterr->code;
	if (*partial == NULL) {
		const struct iam_load_options opts = load_options(inv, name);

		*partial = iam_load_new(&opts);
	}
	if (iam_load_run(*partial, iam, ctx, &account, reterr) != ERR_OK)
		return reterr->code;
	iam_load_free(*partial);
	*partial = NULL;
	*ret_fact = account;
	return ERR_OK;
}

static void free_partial_account(void *partial)
{
	iam_load_free(partial);
}

static enum err_code open_account(
	const struct fact_kind *kind, struct blob *bytes, void **ret_fact, struct err *reterr)
{
	struct iam_account *account;

	(void)kind;
	if (iam_account_open(bytes, &account, reterr) != ERR_OK)
		return reterr->code;
	*ret_fact = account;
	return ERR_OK;
}

static struct blob *bytes_of_account(void *fact)
{
	return iam_account_bytes(fact);
}

static void *ref_account(void *fact)
{
	return iam_account_ref(fact);
}

static void unref_account(void *fact)
{
	iam_account_unref(fact);
}

const struct fact_kind iam_account_fact = {
	.name = "iam-account/2",
	.fetch = fetch_account,
	.partial_free = free_partial_account,
	.open = open_account,
	.bytes = bytes_of_account,
	.ref = ref_account,
	.unref = unref_account,
};

/* --- life --- */

static void read_thing_ahead(void *self, const struct ctx *ctx, struct str sync_id, struct str name);
static bool has_room(void *self);
static void drop_sync(void *self, struct str sync_id);

struct inventory *inventory_new(const struct inventory_options *opts)
{
	struct inventory *inv = mem_zalloc(sizeof(*inv));

	inv->opts = *opts;
	if (inv->opts.max_bytes == 0)
		inv->opts.max_bytes = DEFAULT_MAX_BYTES;
	if (inv->opts.max_list_bytes == 0)
		inv->opts.max_list_bytes = MAX_LIST_BYTES;
	if (inv->opts.max_in_flight == 0)
		inv->opts.max_in_flight = DEFAULT_IN_FLIGHT;
	inv->shelf = shelf_new(&(struct shelf_options){.store = opts->store,
		.clock = opts->clock,
		.view = opts->view,
		.ended = drop_sync,
		.self = inv});
	inv->facts = facts_new(&(struct facts_options){
		.shelf = inv->shelf, .clock = opts->clock, .max_bytes = inv->opts.max_bytes, .self = inv});
	inv->documents = store_memory_new(&(struct store_memory_options){
		.max_bytes = DOCUMENTS_BYTES, .max_age_ms = DOCUMENTS_AGE_MS, .clock = opts->clock});
	inv->document_flights = document_flights_new();
	inv->claims = claims_new();
	if (opts->read_ahead > 0)
		inv->read_ahead = read_ahead_new(&(struct read_ahead_options){.threads = opts->read_ahead,
			.clock = opts->clock,
			.read = read_thing_ahead,
			.has_room = has_room,
			.self = inv});
	return inv;
}

void inventory_free(struct inventory *inv)
{
	if (inv == NULL)
		return;
	read_ahead_free(inv->read_ahead);
	shelf_free(inv->shelf); /* drop_sync is not called any more */
	claims_free(inv->claims);
	document_flights_free(inv->document_flights);
	facts_free(inv->facts);
	store_free(inv->documents);
	mem_free(inv);
}

enum err_code inventory_client(struct inventory *inv, const struct ctx *ctx,
	const struct aws_service *service, struct str account, struct aws_client **ret_client,
	struct err *reterr)
{
	return aws_session_client(inv->opts.aws, ctx, service, account, ret_client, reterr);
}

/* --- who we are --- */

enum err_code inventory_identity(struct inventory *inv, const struct ctx *ctx, bool refresh,
	struct arena *arena, struct inventory_identity *ret_identity, struct err *reterr)
{
	struct aws_identity id;

	if (aws_session_identity(inv->opts.aws, ctx, refresh, arena, &id, reterr) != ERR_OK)
		return reterr->code;
	*ret_identity =
		(struct inventory_identity){.account = id.account, .arn = id.arn, .partition = id.partition};
	return ERR_OK;
}

enum err_code inventory_account_alias(struct inventory *inv, const struct ctx *ctx, struct arena *arena,
	struct str *ret_alias, struct err *reterr)
{
	CLEANUP(aws_client_unrefp) struct aws_client *iam = NULL;
	const struct aws_iam_page_in in = {.marker = STR_EMPTY};
	struct aws_iam_list_account_aliases_out out;

	if (inventory_client(inv, ctx, &aws_iam, STR_EMPTY, &iam, reterr) != ERR_OK)
		return reterr->code;
	if (aws_call(iam, ctx, &aws_iam_list_account_aliases, &in, arena, &out, reterr) == ERR_OK) {
		*ret_alias = out.aliases.n == 1 ? *AWS_LIST_AT(out.aliases, struct str, 0) : STR_EMPTY;
		return ERR_OK;
	}
	/* A denial of STS underneath says nothing about the alias. */
	if (reterr->code != ERR_DENIED || !str_starts(str_c(reterr->aws_operation), STR("iam:")) ||
		inv->opts.require_all_permissions)
		return reterr->code;
	atomic_fetch_add_explicit(&inv->denied_reads, 1, memory_order_relaxed);
	if (!atomic_exchange(&inv->alias_denied, true))
		log_warn("a permission is missing, ignoring",
			LOG_CSTR("permission", "iam:ListAccountAliases"),
			LOG_CSTR("consequence", "the connector's name and profile lack the account's alias"));
	*ret_alias = STR_EMPTY;
	return ERR_OK;
}

/* --- facts --- */

/* Names in the queue of the read-ahead: what, then of which. */
static struct str ahead_name(struct arena *arena, enum ahead what, struct str name)
{
	if (what == AHEAD_NOTHING)
		return STR_EMPTY;
	return str_fmt(arena, "%c" STR_FMT, (char)('0' + what), STR_ARG(name));
}

/* How a fact that could not be had is reported. What AWS did not find is then not what the engine asked us for: NOT_FOUND would make it
 * drop the cursor and call the sync complete (architecture, decision 9). */
static enum err_code no_fact(const struct fact_wanted *wanted, struct err *reterr)
{
	if (reterr->code == ERR_NOT_FOUND && !wanted->not_found_passes)
		reterr->code = ERR_MISSING;
	if (!str_starts(str_c(reterr->msg), STR("baton-aws: ")))
		err_prefix(reterr, "baton-aws");
	return reterr->code;
}

enum err_code inventory_get_fact(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	const struct fact_wanted *wanted, void **ret_fact, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct read_ahead *r = ctx->background ? NULL : inv->read_ahead;
	struct live_sync *alive =
		read_ahead_begin(r, sync_id, ahead_name(arena, wanted->ahead, wanted->name));
	const enum err_code code =
		facts_get(inv->facts, ctx, wanted->kind, sync_id, wanted->name, ret_fact, reterr);

	read_ahead_done(r, alive);
	return code == ERR_OK ? ERR_OK : no_fact(wanted, reterr);
}

enum err_code inventory_get_rows(struct inventory *inv, const struct ctx *ctx, const struct rows_fact *fact,
	struct str sync_id, struct ic_rows **ret_rows, struct err *reterr)
{
	const struct fact_wanted wanted = {.kind = &fact->kind, .name = STR_EMPTY};
	void *rows;

	if (inventory_get_fact(inv, ctx, sync_id, &wanted, &rows, reterr) != ERR_OK)
		return reterr->code;
	*ret_rows = rows;
	return ERR_OK;
}

bool inventory_is_permitted(struct inventory *inv, struct str scope, const struct aws_operation *op)
{
	/* Requests without a sync have no end at which a denial would be forgotten: they try. */
	return scope.n == 0 || !claims_is_taken(inv->claims, scope, str_c(op->name));
}

void inventory_note_denied(
	struct inventory *inv, struct str scope, const struct aws_operation *op, const char *consequence)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);

	if (!claims_first(inv->claims, scope, str_c(op->name)))
		return;
	atomic_fetch_add_explicit(&inv->denied_reads, 1, memory_order_relaxed);
	log_warn("a permission is missing, ignoring",
		LOG_STR("permission", str_fmt(arena, "%s:%s", op->service->id, op->name)),
		LOG_CSTR("consequence", consequence));
}

static enum err_code own_account(struct inventory *inv, const struct ctx *ctx, struct str *account,
	struct arena *arena, struct err *reterr)
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
	struct fact_wanted wanted = {.kind = &iam_account_fact, .ahead = AHEAD_ACCOUNT};
	void *fact;

	if (own_account(inv, ctx, &account, arena, reterr) != ERR_OK)
		return reterr->code;
	if (!arn_is_account(account))
		return err_set(reterr, ERR_INVALID, "baton-aws: '" STR_FMT "' is not an account number",
			STR_ARG(account));
	wanted.name = account;
	if (inventory_get_fact(inv, ctx, sync_id, &wanted, &fact, reterr) != ERR_OK)
		return reterr->code;
	*ret_account = fact;
	return ERR_OK;
}

enum err_code inventory_org_accounts(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct org_accounts **ret_accounts, struct err *reterr)
{
	const struct fact_wanted wanted = {.kind = &org_accounts_fact.rows.kind, .name = STR_EMPTY};
	void *fact;

	if (inventory_get_fact(inv, ctx, sync_id, &wanted, &fact, reterr) != ERR_OK)
		return reterr->code;
	*ret_accounts = fact;
	return ERR_OK;
}

enum err_code inventory_policy_catalogue(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct policy_catalogue **ret_catalogue, struct err *reterr)
{
	const struct fact_wanted wanted = {.kind = &policy_catalogue_fact.rows.kind, .name = STR_EMPTY};
	void *fact;

	if (inventory_get_fact(inv, ctx, sync_id, &wanted, &fact, reterr) != ERR_OK)
		return reterr->code;
	*ret_catalogue = fact;
	return ERR_OK;
}

/* --- accounts of the organization --- */

enum err_code inventory_enter_accounts(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	const struct str *accounts, size_t n, bool *ret_ok, struct err *reterr)
{
	struct aws_probe *probes = mem_array(n + 1, sizeof(*probes));
	struct live_sync *alive;
	enum err_code code = ERR_OK;

	alive = read_ahead_begin(inv->read_ahead, sync_id, STR_EMPTY);
	aws_session_probe(inv->opts.aws, ctx, accounts, n, probes, PROBES_IN_FLIGHT);
	read_ahead_done(inv->read_ahead, alive);
	for (size_t i = 0; i < n && code == ERR_OK; i++) {
		ret_ok[i] = probes[i].code == ERR_OK;
		if (ret_ok[i])
			continue;
		if (probes[i].code != ERR_DENIED) {
			*reterr = probes[i].err;
			code = err_prefix(reterr, "baton-aws: entering account " STR_FMT " failed",
				STR_ARG(accounts[i]));
		} else if (claims_first(inv->claims, sync_id, accounts[i])) {
			atomic_fetch_add_explicit(&inv->denied_reads, 1, memory_order_relaxed);
			log_warn("the role of an account cannot be assumed, its IAM is left out, ignoring",
				LOG_STR("account", accounts[i]), LOG_CSTR("error", probes[i].err.msg));
		}
	}
	mem_free(probes);
	return code;
}

void inventory_expect(
	struct inventory *inv, struct str sync_id, enum ahead what, const struct str *names, size_t n)
{
	CLEANUP(arena_freep) struct arena *arena = NULL;
	struct str *queue;

	if (inv->read_ahead == NULL || sync_id.n == 0)
		return;
	arena = arena_new(0);
	queue = arena_array_of(arena, n, struct str);
	for (size_t i = 0; i < n; i++)
		queue[i] = ahead_name(arena, what, names[i]);
	read_ahead_expect(inv->read_ahead, sync_id, what, queue, n);
}

void inventory_expect_accounts(
	struct inventory *inv, struct str sync_id, const struct str *accounts, size_t n)
{
	inventory_expect(inv, sync_id, AHEAD_ACCOUNT, accounts, n);
}

void inventory_expect_assignments(
	struct inventory *inv, struct str sync_id, const struct str *accounts, size_t n)
{
	inventory_expect(inv, sync_id, AHEAD_ASSIGNMENTS, accounts, n);
}

void inventory_expect_members(
	struct inventory *inv, struct str sync_id, const struct str *group_ids, size_t n)
{
	inventory_expect(inv, sync_id, AHEAD_MEMBERS, group_ids, n);
}

static enum err_code read_account(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct str account, struct err *reterr)
{
	CLEANUP(iam_account_unrefp) struct iam_account *data = NULL;

	return inventory_iam_account(inv, ctx, sync_id, account, &data, reterr);
}

static enum err_code read_assignments(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct str account, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *rows = NULL;

	return inventory_ic_assignments(inv, ctx, sync_id, account, &rows, reterr);
}

static enum err_code read_members(struct inventory *inv, const struct ctx *ctx, struct str sync_id,
	struct str group_id, struct err *reterr)
{
	CLEANUP(ic_unrefp) struct ic_rows *rows = NULL;

	return inventory_ic_members(inv, ctx, sync_id, group_id, &rows, reterr);
}

/* The read-ahead asks as the foreground would, and drops the answer: it stays with the facts. */
static void read_thing_ahead(void *self, const struct ctx *ctx, struct str sync_id, struct str name)
{
	static enum err_code (*const readers[AHEAD_COUNT])(struct inventory * inv, const struct ctx *ctx,
		struct str sync_id, struct str of, struct err *reterr) = {
		[AHEAD_ACCOUNT] = read_account,
		[AHEAD_ASSIGNMENTS] = read_assignments,
		[AHEAD_PAIRS] = read_assignments,
		[AHEAD_MEMBERS] = read_members,
	};
	struct inventory *inv = self;
	struct err e;

	if (readers[name.p[0] - '0'](inv, ctx, sync_id, str_from(name, 1), &e) != ERR_OK) {
		log_debug("reading ahead failed, it is read when it is asked for", LOG_STR("name", name),
			LOG_CSTR("error", e.msg));
		return;
	}
	atomic_fetch_add_explicit(&inv->read_ahead_done, 1, memory_order_relaxed);
}

/* Half of the room is for what was asked for. */
static bool has_room(void *self)
{
	struct inventory *inv = self;

	return facts_bytes(inv->facts) < inv->opts.max_bytes / 2;
}

bool inventory_claim_policy(struct inventory *inv, struct str sync_id, struct str arn, struct str account)
{
	return sync_id.n == 0 || claims_take(inv->claims, sync_id, arn, account);
}

/* --- the end --- */

/* Another server got the Cleanup. What is read ahead here finds the sync ended and goes no further. */
static void drop_sync(void *self, struct str sync_id)
{
	struct inventory *inv = self;

	claims_forget(inv->claims, sync_id);
	facts_drop(inv->facts, sync_id);
	mem_trim();
}

void inventory_end_sync(struct inventory *inv, const struct ctx *ctx, struct str sync_id)
{
	if (inv->read_ahead != NULL)
		read_ahead_end(inv->read_ahead, sync_id);
	claims_forget(inv->claims, sync_id);
	facts_forget(inv->facts, ctx, sync_id);
	mem_trim(); /* else each thread's part of the heap stays as large as its largest sync */
}

void inventory_stats(struct inventory *inv, struct inventory_stats *ret_stats)
{
	struct facts_stats facts;

	facts_stats(inv->facts, &facts);
	*ret_stats = (struct inventory_stats){
		.hits = facts.hits,
		.store_hits = facts.store_hits,
		.flights = facts.flights,
		.waits = facts.waits,
		.store_failures = shelf_failures(inv->shelf),
		.denied_reads = atomic_load(&inv->denied_reads),
		.vanished = atomic_load(&inv->vanished),
		.read_ahead = atomic_load(&inv->read_ahead_done),
		.bytes = facts_bytes(inv->facts),
	};
}

#include "inventory/gather.h"

#include "base/log.h"
#include "base/mem.h"
#include "inventory/claims.h"
#include "inventory/internal.h"

/* Targets that tell how many pages one has: enough to see that each has several, few enough to be spent in vain. */
#define SAMPLE 32

enum target_state { TARGET_OPEN, TARGET_ASKED, TARGET_DONE };

struct target {
	struct str name;
	struct str token; /* of its next page */
	struct str mark;  /* one of the tokens before it: see is_repeated */
	size_t n_pages, next_mark;
	enum target_state state;
};

struct gather {
	const struct gather_fact *fact; /* whose targets these are; NULL: of several */
	struct listing *rows;
	struct arena *arena; /* of targets' texts */
	struct target *targets;
	size_t n, cap;
	size_t first_open; /* all before it are done or asked */
	size_t n_done;     /* targets */
	size_t n_calls;    /* that came back */
	size_t rival;      /* calls of the other way; 0: there is none */
	bool answered;     /* at least one call was */
	bool denied;       /* at least one call was, and that is accepted */
};

/* One run: the source of aws_call_each. */
struct run {
	struct gather *g;
	const struct gather_call *call;
	bool failed;
	enum err_code code; /* of the first failure that counts */
	struct err err;
};

/* One call under way. */
struct asked {
	struct aws_call_item item;
	struct target *target;
};

struct gather *gather_new(const struct rows_type *type)
{
	struct gather *g = mem_zalloc(sizeof(*g));

	g->rows = listing_new(type->item_size);
	g->arena = arena_new(0);
	return g;
}

void gather_free(void *gather)
{
	struct gather *g = gather;

	if (g == NULL)
		return;
	listing_free(g->rows);
	arena_free(g->arena);
	mem_free(g->targets);
	mem_free(g);
}

struct listing *gather_rows(struct gather *g)
{
	return g->rows;
}

void gather_aim(struct gather *g, const struct str *targets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (g->n == g->cap) {
			g->cap = g->cap == 0 ? 16 : g->cap * 2;
			g->targets = mem_realloc(g->targets, g->cap * sizeof(*g->targets));
		}
		g->targets[g->n++] =
			(struct target){.name = str_dup(g->arena, targets[i]), .token = STR_EMPTY};
	}
}

/* Whether an operation that may be denied as a whole is, is decided by its first answer in a sync (architecture, decision 10). False: it was
 * decided otherwise. A request without a sync has nobody to agree with. */
static bool decides(const struct gather_call *call, const char *what)
{
	CLEANUP(arena_freep) struct arena *scratch = NULL;
	const struct aws_operation *op = call->fact->op;

	if (call->scope.n == 0)
		return true;
	scratch = arena_new(0);
	return claims_take(call->inv->claims, call->scope,
		str_fmt(scratch, "%s:%s", op->service->id, op->name), str_c(what));
}

/* Decides about a failed call. ERR_OK: the target is left out. */
static enum err_code weigh_failure(struct gather *g, const struct gather_call *call, struct str target,
	const struct err *failure, struct err *reterr)
{
	const struct gather_fact *fact = call->fact;
	struct inventory *inv = call->inv;

	*reterr = *failure;
	if (failure->code == ERR_NOT_FOUND && fact->not_found == NOT_FOUND_IS_EMPTY) {
		atomic_fetch_add_explicit(&inv->vanished, 1, memory_order_relaxed);
		log_warn("something was deleted during the sync, ignoring",
			LOG_CSTR("operation", fact->op->name), LOG_STR("target", target),
			LOG_STR("under", call->name));
		return ERR_OK;
	}
	/* Denied as a whole, or not at all: some rows without the others would be a partial answer. */
	if (failure->code != ERR_DENIED || fact->denied != DENIED_IS_EMPTY || g->answered ||
		inv->opts.require_all_permissions || !decides(call, "denied"))
		return err_prefix(reterr, "baton-aws: %s.%s failed", fact->op->service->id, fact->op->name);
	g->denied = true;
	inventory_note_denied(inv, call->scope, fact->op, fact->consequence);
	return ERR_OK;
}

/* By the calls so far for each target that is done. What is spent is spent: only what is left competes with the other way. */
static bool is_beaten(const struct gather *g)
{
	return g->rival > 0 && g->n_done >= SAMPLE && g->n_calls * (g->n - g->n_done) > g->rival * g->n_done;
}

static struct aws_call_item *next_call(void *self)
{
	struct run *run = self;
	struct gather *g = run->g;
	const struct aws_operation *op = run->call->fact->op;
	struct asked *asked;
	struct arena *arena;
	void *in;

	while (g->first_open < g->n && g->targets[g->first_open].state != TARGET_OPEN)
		g->first_open++;
	if (run->failed || g->denied || g->first_open == g->n)
		return NULL;
	arena = arena_new(0);
	asked = arena_new_of(arena, struct asked);
	in = arena_zalloc(arena, op->in->size);
	asked->target = &g->targets[g->first_open];
	asked->target->state = TARGET_ASKED;
	run->call->fact->fill(run->call, asked->target->name, asked->target->token, in);
	asked->item = (struct aws_call_item){
		.op = op, .in = in, .out = arena_zalloc(arena, op->out->size), .arena = arena};
	return &asked->item;
}

/* Pages that go round in a circle, of whatever length, meet the mark sooner or later: it is set anew after 1, 2, 4, 8 ... pages (Brent). */
static bool is_repeated(struct target *t)
{
	if (t->token.n > 0 && str_eq(t->token, t->mark))
		return true;
	if (t->n_pages++ == t->next_mark) {
		t->mark = t->token;
		t->next_mark = 2 * t->next_mark + 1;
	}
	return false;
}

/* A listing that does not end would take all the memory there is. */
static enum err_code check_size(const struct run *run, struct err *reterr)
{
	const struct gather *g = run->g;
	const size_t bytes = arena_used(g->rows->arena) + g->rows->n * g->rows->item_size +
			     arena_used(g->arena) + g->n * sizeof(*g->targets);

	if (bytes <= run->call->inv->opts.max_list_bytes)
		return ERR_OK;
	return err_set(reterr, ERR_TOO_LARGE, "baton-aws: %s:%s answers more than is kept of one list",
		run->call->fact->op->service->id, run->call->fact->op->name);
}

static enum err_code take_answer(struct run *run, struct asked *asked, struct err *reterr)
{
	struct target *target = asked->target;
	struct str token = STR_EMPTY;

	target->state = TARGET_OPEN;
	if (asked->item.code != ERR_OK) {
		if (weigh_failure(run->g, run->call, target->name, &asked->item.err, reterr) != ERR_OK)
			return reterr->code;
		target->state = TARGET_DONE;
		return ERR_OK;
	}
	run->g->answered = true;
	if (run->g->denied || (run->call->fact->denied == DENIED_IS_EMPTY && !decides(run->call, "allowed")))
		return err_set(reterr, ERR_DENIED,
			"baton-aws: %s:%s is allowed for some and denied for others",
			run->call->fact->op->service->id, run->call->fact->op->name);
	if (run->call->fact->take(run->call, run->g->rows, target->name, asked->item.out, &token, reterr) !=
		ERR_OK)
		return reterr->code;
	target->token = str_dup(run->g->arena, token);
	if (is_repeated(target))
		return err_set(reterr, ERR_UNAVAILABLE, "%s:%s answered the same page token again",
			run->call->fact->op->service->id, run->call->fact->op->name);
	target->state = token.n > 0 ? TARGET_OPEN : TARGET_DONE;
	return check_size(run, reterr);
}

static enum err_code count_answer(struct run *run, const struct target *target, struct err *reterr)
{
	struct gather *g = run->g;

	g->n_calls++;
	g->n_done += target->state == TARGET_DONE;
	if (is_beaten(g))
		return err_set(reterr, ERR_TOO_LARGE,
			"baton-aws: %s:%s took %zu calls for %zu of %zu targets; another way takes %zu",
			run->call->fact->op->service->id, run->call->fact->op->name, g->n_calls, g->n_done,
			g->n, g->rival);
	return ERR_OK;
}

static void call_done(void *self, struct aws_call_item *item)
{
	struct asked *asked = (struct asked *)item; /* its first member */
	struct run *run = self;
	struct gather *g = run->g;
	const size_t at = (size_t)(asked->target - g->targets);
	struct err e;

	if ((take_answer(run, asked, &e) != ERR_OK || count_answer(run, asked->target, &e) != ERR_OK) &&
		!run->failed) {
		run->failed = true;
		run->code = e.code;
		run->err = e;
	}
	if (g->targets[at].state == TARGET_OPEN && at < g->first_open)
		g->first_open = at;
	arena_free(item->arena);
}

/* The source is asked again after it had nothing: a target's next page opens when its last one is done. */
enum err_code gather_run(
	struct gather *g, const struct gather_call *call, const struct ctx *ctx, struct err *reterr)
{
	CLEANUP(aws_client_unrefp) struct aws_client *client = NULL;
	struct run run = {.g = g, .call = call};
	const struct aws_call_source source = {.next = next_call, .done = call_done, .self = &run};

	if (inventory_client(call->inv, ctx, call->fact->op->service, STR_EMPTY, &client, reterr) != ERR_OK)
		return reterr->code;
	for (g->first_open = 0; g->first_open < g->n;) {
		if (aws_call_each(client, ctx, &source, call->inv->opts.max_in_flight, reterr) != ERR_OK &&
			!run.failed)
			return reterr->code;
		if (run.failed) {
			*reterr = run.err;
			return run.code;
		}
		if (g->denied) /* the rest would be, too: it was not asked for */
			return ERR_OK;
		while (g->first_open < g->n && g->targets[g->first_open].state == TARGET_DONE)
			g->first_open++;
	}
	return ERR_OK;
}

static enum err_code begin(
	const struct gather_call *call, const struct ctx *ctx, void **partial, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new(0);
	struct str *targets = arena_new_of(scratch, struct str);
	size_t n = 1, rival = 0;
	struct gather *g;

	targets[0] = call->name;
	if (call->fact->denied == DENIED_IS_EMPTY &&
		!inventory_is_permitted(call->inv, call->scope, call->fact->op))
		n = 0;
	else if (call->fact->targets != NULL &&
		 call->fact->targets(call, ctx, scratch, &targets, &n, reterr) != ERR_OK)
		return reterr->code;
	if (call->fact->rival != NULL && call->fact->rival(call, ctx, &rival, reterr) != ERR_OK)
		return reterr->code;
	g = gather_new(call->fact->rows.type);
	g->fact = call->fact;
	g->rival = rival;
	gather_aim(g, targets, n);
	*partial = g;
	return ERR_OK;
}

bool gather_is_of(const void *partial, const struct gather_fact *fact)
{
	const struct gather *g = partial;

	return g != NULL && g->fact == fact;
}

enum err_code gather_fetch(const struct fact_kind *kind, void *self, const struct ctx *ctx, struct str scope,
	struct str name, void **partial, void **ret_fact, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct gather_call call = {
		.inv = self, .fact = (const struct gather_fact *)kind, .scope = scope, .name = name};
	struct listing *rows;
	struct rows *fact;

	if (call.fact->needs_instance &&
		inventory_ic_instance(self, ctx, scope, arena, &call.instance, reterr) != ERR_OK)
		return reterr->code;
	/* What another operation has left for the same fact is no use: its targets are other things. */
	if (!gather_is_of(*partial, call.fact)) {
		gather_free(*partial);
		*partial = NULL;
	}
	if (*partial == NULL && begin(&call, ctx, partial, reterr) != ERR_OK)
		return reterr->code;
	if (gather_run(*partial, &call, ctx, reterr) != ERR_OK)
		return reterr->code;
	rows = gather_rows(*partial);
	if (rows_new(call.fact->rows.type, rows->items, rows->n, &fact, reterr) != ERR_OK)
		return reterr->code;
	gather_free(*partial);
	*partial = NULL;
	*ret_fact = fact;
	return ERR_OK;
}

enum err_code gather_get(struct inventory *inv, const struct ctx *ctx, const struct gather_fact *fact,
	struct str sync_id, struct str name, struct ic_rows **ret_rows, struct err *reterr)
{
	const struct fact_wanted wanted = {.kind = &fact->rows.kind,
		.name = name,
		.ahead = fact->ahead,
		.not_found_passes = fact->not_found == NOT_FOUND_PASSES};
	void *rows;

	if (inventory_get_fact(inv, ctx, sync_id, &wanted, &rows, reterr) != ERR_OK)
		return reterr->code;
	*ret_rows = rows;
	return ERR_OK;
}

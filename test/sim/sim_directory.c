/* DESIGN
 * Accounts are numbered in the order of the list, 0 is the management account. Which of the others are
 * suspended, about to be closed or deny is drawn from the seed, so that they stand anywhere in the list. */
#include "sim/sim_directory.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sim/sim_text.h"

#define ACCOUNT_KIND (SIM_KIND_COUNT + 1) /* hashes beside users, groups, roles and policies */
#define JOINED_S     INT64_C(1577836800)  /* 2020-01-01T00:00:00Z */
#define DAY_S        INT64_C(86400)

enum salt { SALT_SEED = 1, SALT_ID, SALT_JOINED, SALT_RANK };

const char *const sim_account_state_names[SIM_ACCOUNT_STATE_COUNT] = {
	"ACTIVE", "SUSPENDED", "PENDING_CLOSURE"};
const char *const sim_assume_names[SIM_ASSUME_COUNT] = {"allowed", "denied", "throttled"};

static uint64_t draw(const struct sim_org *o, uint64_t number, enum salt salt)
{
	return sim_hash(o->opts.seed, ((uint64_t)ACCOUNT_KIND << 32) | number, salt, 0);
}

/* Twelve digits. The second half is the number, so no two are alike; the first child's begins with a zero,
 * for those who take ids for numbers. */
static struct str child_id(const struct sim_org *o, uint32_t number)
{
	uint64_t h = draw(o, number, SALT_ID);

	for (;; h++) {
		uint64_t half = number == 1 ? h % 100000 : h % 1000000;
		struct str id = str_fmt(o->arena, "%06" PRIu64 "%06" PRIu32, half, number);
		if (!str_eq(id, o->opts.account))
			return id;
	}
}

static void name_account(const struct sim_org *o, struct sim_account *a)
{
	uint32_t number = a->number;

	a->email = str_fmt(o->arena, "aws+%" PRIu32 "@example.com", number);
	if (number == 0) {
		a->id = o->opts.account;
		a->name = STR("Baton Demo");
		a->alias = STR("baton-demo");
		return;
	}
	a->id = child_id(o, number);
	a->name = number <= sim_account_names.n ? str_c(sim_account_names.words[number - 1])
						: str_fmt(o->arena, "Workload %" PRIu32, number);
	if (number % 3 != 0) /* not every account has an alias */
		a->alias = str_fmt(o->arena, "baton-demo-%" PRIu32, number);
}

static void build_one(struct sim_org *o, uint32_t number)
{
	struct sim_account *a = &o->accounts[number];

	a->org = o;
	a->number = number;
	a->seed = number == 0 ? o->opts.seed : draw(o, number, SALT_SEED);
	name_account(o, a);
	a->arn = str_fmt(o->arena, "arn:aws:organizations::" STR_FMT ":account/" STR_FMT "/" STR_FMT,
		STR_ARG(o->opts.account), STR_ARG(o->id), STR_ARG(a->id));
	a->joined_s = JOINED_S + number * DAY_S + (int64_t)(draw(o, number, SALT_JOINED) % (uint64_t)DAY_S);
	mutex_init(&a->lock);
}

/* --- what is wrong with some --- */
struct ranked {
	uint64_t rank;
	uint32_t number;
};

static int rank_cmp(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->rank != y->rank ? (x->rank < y->rank ? -1 : 1) : (x->number < y->number ? -1 : 1);
}

static void draw_troubles(struct sim_org *o)
{
	CLEANUP(mem_freep) struct ranked *children = mem_array(o->n_accounts, sizeof(children[0]));
	size_t n = o->n_accounts - 1, at = 0;

	for (uint32_t i = 0; i < n; i++)
		children[i] = (struct ranked){draw(o, i + 1, SALT_RANK), i + 1};
	qsort(children, n, sizeof(children[0]), rank_cmp);
	for (size_t i = 0; i < o->opts.suspended && at < n; i++)
		o->accounts[children[at++].number].state = SIM_SUSPENDED;
	for (size_t i = 0; i < o->opts.pending_closure && at < n; i++)
		o->accounts[children[at++].number].state = SIM_PENDING_CLOSURE;
	for (size_t i = 0; i < o->opts.denied && at < n; i++)
		o->accounts[children[at++].number].assume = SIM_ASSUME_DENIED;
}

void sim_directory_build(struct sim_org *o)
{
	o->id = STR("o-a1b2c3d4e5"); /* trust policies name it too, see sim_text.c */
	o->arn = str_fmt(o->arena, "arn:aws:organizations::" STR_FMT ":organization/" STR_FMT,
		STR_ARG(o->opts.account), STR_ARG(o->id));
	o->n_accounts = o->opts.accounts;
	o->accounts = arena_array_of(o->arena, o->n_accounts, struct sim_account);
	for (size_t i = 0; i < o->n_accounts; i++)
		build_one(o, (uint32_t)i);
	draw_troubles(o);
}

/* --- asking --- */
bool sim_is_management(const struct sim_account *a)
{
	return a->number == 0;
}

struct sim_account *sim_org_account(struct sim_org *o, struct str id)
{
	for (size_t i = 0; i < o->n_accounts; i++) {
		if (str_eq(o->accounts[i].id, id))
			return &o->accounts[i];
	}
	return NULL;
}

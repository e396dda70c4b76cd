/* DESIGN
 *
 * A hash table under one short lock, its entries in the order of their last use, so that idle ones are found
 * at the end of that list. An entry is never taken out while somebody has one of its clients: clients borrow
 * their pacer from it. Credentials are reference-counted and may live on without their entry.
 *
 * Who waits for whom is decided per account by the credentials cache (one renewal at a time, denials
 * remembered), not here. A probe begins the renewals of many caches and lets one thread drive their
 * AssumeRole calls together. It holds none of them while it waits for one that somebody else began, so two
 * probes of the same accounts cannot wait for each other.
 *
 * Rejected: a thread per account to probe, and to assume all roles up front. The one costs threads, the
 * other calls for accounts that nobody asks about. */
#include "aws/child_accounts.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

#include "aws/client_new.h"
#include "aws/sts.h"
#include "base/arn.h"
#include "base/mem.h"
#include "base/thread.h"

#define BUCKETS        4096
#define ACCOUNT_DIGITS 12

struct service_client {
	struct service_client *next;
	const struct aws_service *service;
	struct pacer *pacer;
	struct aws_client *client;
};

struct child_account {
	struct child_account *next;          /* in its bucket */
	struct child_account *newer, *older; /* by last use */
	int64_t used_ms;
	char id[ACCOUNT_DIGITS];
	struct credentials_provider *credentials; /* a cache */
	struct service_client *clients;
};

struct child_accounts {
	struct child_accounts_options opts;
	struct arena *arena; /* of role_name */
	struct str role_name;
	uint64_t hash_key[2]; /* account numbers come from outside */

	struct mutex lock; /* guards all below */
	struct child_account *buckets[BUCKETS];
	struct child_account *newest, *oldest;
	size_t n;
};

/* ---- life ---- */

struct child_accounts *child_accounts_new(const struct child_accounts_options *opts)
{
	struct child_accounts *t = mem_zalloc(sizeof(*t));
	struct str name = opts->role_name.n ? opts->role_name : STR(CHILD_ACCOUNTS_ROLE_NAME);

	if (getrandom(t->hash_key, sizeof(t->hash_key), 0) !=
		sizeof(t->hash_key)) /* cannot happen: getrandom(2) */
		abort();
	t->opts = *opts;
	t->opts.source = credentials_provider_ref(opts->source);
	t->opts.sts_client = aws_client_ref(opts->sts_client);
	t->opts.max = opts->max ? opts->max : CHILD_ACCOUNTS_MAX;
	t->arena = arena_new(0);
	t->role_name = str_dup(t->arena, str_starts(name, STR("/")) ? str_from(name, 1) : name);
	mutex_init(&t->lock);
	return t;
}

static void account_free(struct child_account *a)
{
	while (a->clients) {
		struct service_client *c = a->clients;

		a->clients = c->next;
		aws_client_unref(c->client);
		pacer_free(c->pacer);
		mem_free(c);
	}
	credentials_provider_unref(a->credentials);
	mem_free(a);
}

void child_accounts_free(struct child_accounts *t)
{
	if (!t)
		return;
	while (t->newest) {
		struct child_account *a = t->newest;

		t->newest = a->older;
		account_free(a);
	}
	mutex_deinit(&t->lock);
	aws_client_unref(t->opts.sts_client);
	credentials_provider_unref(t->opts.source);
	arena_free(t->arena);
	mem_free(t);
}

/* ---- the table: the lock is held ---- */

static struct child_account **bucket_of(struct child_accounts *t, struct str account)
{
	return &t->buckets[str_hash_keyed(t->hash_key, account) % BUCKETS];
}

static struct child_account *find(struct child_accounts *t, struct str account)
{
	struct child_account *a = *bucket_of(t, account);

	while (a && !str_eq(str_n(a->id, sizeof(a->id)), account))
		a = a->next;
	return a;
}

static void unlink_use(struct child_accounts *t, struct child_account *a)
{
	*(a->newer ? &a->newer->older : &t->newest) = a->older;
	*(a->older ? &a->older->newer : &t->oldest) = a->newer;
}

static void link_use(struct child_accounts *t, struct child_account *a, int64_t now_ms)
{
	a->used_ms = now_ms;
	a->newer = NULL;
	a->older = t->newest;
	*(t->newest ? &t->newest->newer : &t->oldest) = a;
	t->newest = a;
}

static void remove_account(struct child_accounts *t, struct child_account *a)
{
	struct child_account **at = bucket_of(t, str_n(a->id, sizeof(a->id)));

	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	unlink_use(t, a);
	t->n--;
	account_free(a);
}

static bool is_in_use(const struct child_account *a)
{
	for (const struct service_client *c = a->clients; c; c = c->next)
		if (aws_client_is_shared(c->client))
			return true;
	return false;
}

/* An account that was not asked for in a while but is in use counts as asked for now. So each is looked at
 * once an hour, however many there are. */
static void drop_idle(struct child_accounts *t, int64_t now_ms)
{
	while (t->oldest && now_ms - t->oldest->used_ms >= CHILD_ACCOUNTS_IDLE_MS) {
		struct child_account *a = t->oldest;

		if (is_in_use(a)) {
			unlink_use(t, a);
			link_use(t, a, now_ms);
		} else {
			remove_account(t, a);
		}
	}
}

static bool make_room(struct child_accounts *t)
{
	struct child_account *a = t->oldest;

	if (t->n < t->opts.max)
		return true;
	while (a && is_in_use(a))
		a = a->newer;
	if (!a)
		return false;
	remove_account(t, a);
	return true;
}

static struct str role_arn(const struct child_accounts *t, struct arena *arena,
	const struct aws_identity *own, struct str account)
{
	return str_fmt(arena, "arn:" STR_FMT ":iam::" STR_FMT ":role/" STR_FMT, STR_ARG(own->partition),
		STR_ARG(account), STR_ARG(t->role_name));
}

/* Put in front of what STS says. */
static struct str error_prefix(struct arena *arena, struct str role)
{
	return str_fmt(arena, "baton-aws: failed to assume role into '" STR_FMT "'", STR_ARG(role));
}

static struct credentials_provider *make_credentials(
	struct child_accounts *t, const struct aws_identity *own, struct str account)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct str role = role_arn(t, arena, own, account);
	const struct assume_role_options opts = {
		.role_arn = role,
		.session_name = STR(CHILD_ACCOUNTS_SESSION_NAME),
		.duration_s = CHILD_ACCOUNTS_SESSION_S,
		.error_prefix = error_prefix(arena, role),
		.keep_denied = true, /* for the probe; the client makes another error of it */
		.sts = t->opts.sts,
	};

	return credentials_cache_new(
		credentials_assume_role_new(credentials_provider_ref(t->opts.source), &opts), t->opts.clock);
}

static struct child_account *add(
	struct child_accounts *t, const struct aws_identity *own, struct str account, int64_t now_ms)
{
	struct child_account *a = mem_zalloc(sizeof(*a));
	struct child_account **bucket = bucket_of(t, account);

	assert(account.n == sizeof(a->id));
	for (size_t i = 0; i < sizeof(a->id); i++)
		a->id[i] = account.p[i];
	a->credentials = make_credentials(t, own, account);
	a->next = *bucket;
	*bucket = a;
	link_use(t, a, now_ms);
	t->n++;
	return a;
}

static enum err_code get(struct child_accounts *t, const struct aws_identity *own, struct str account,
	struct child_account **ret_account, struct err *reterr)
{
	int64_t now_ms = clock_mono_ms(t->opts.clock);
	struct child_account *a;

	if (!arn_is_account(account))
		return err_set(reterr, ERR_INVALID, "'" STR_FMT "' is not an account number",
			STR_ARG(str_sub(account, 0, 40)));
	drop_idle(t, now_ms);
	a = find(t, account);
	if (a) {
		unlink_use(t, a);
		link_use(t, a, now_ms);
	} else if (make_room(t)) {
		a = add(t, own, account, now_ms);
	} else {
		return err_set(reterr, ERR_UNAVAILABLE, "too many accounts are in use at once: %zu", t->n);
	}
	*ret_account = a;
	return ERR_OK;
}

/* ---- clients ---- */

static struct service_client *client_of(
	struct child_accounts *t, struct child_account *a, const struct aws_service *service)
{
	struct service_client *c = a->clients;

	while (c && c->service != service)
		c = c->next;
	if (c)
		return c;
	c = mem_zalloc(sizeof(*c));
	c->service = service;
	c->pacer = aws_service_pacer(service, t->opts.quota_percent);
	if (t->opts.share)
		t->opts.share(t->opts.self, service, str_n(a->id, sizeof(a->id)), c->pacer);
	c->client = t->opts.client(t->opts.self, service, a->credentials, c->pacer);
	c->next = a->clients;
	a->clients = c;
	return c;
}

enum err_code child_accounts_client(struct child_accounts *t, const struct aws_identity *own,
	const struct aws_service *service, struct str account, struct aws_client **ret_client,
	struct err *reterr)
{
	struct child_account *a;

	LOCK_SCOPE(&t->lock);
	if (get(t, own, account, &a, reterr) != ERR_OK)
		return reterr->code;
	*ret_client = aws_client_ref(client_of(t, a, service)->client);
	return ERR_OK;
}

size_t child_accounts_count(struct child_accounts *t)
{
	LOCK_SCOPE(&t->lock);
	return t->n;
}

/* ---- probing ---- */

struct probe {
	struct child_accounts *table;
	const struct ctx *ctx;
	const struct aws_identity *own;
	const struct str *accounts;
	struct aws_probe *results;
	size_t n;
	size_t next; /* accounts[next ...] have not been looked at */
	struct credentials_provider *
		*in_flight; /* n: of an account that somebody else is entering; else NULL */
	bool refused;       /* AWS does not know us: no account can be entered, */
	struct err refusal; /* with this */
};

/* One AssumeRole under way. item comes first: it is what the client hands back. */
struct probe_call {
	struct aws_call_item item;
	size_t i;
	struct arena *arena; /* of in and out: keys */
	struct credentials_provider *credentials;
	struct aws_sts_assume_role_in in;
	struct aws_sts_assume_role_out out;
};

static void answer(struct probe *p, size_t i, enum err_code code, const struct err *err)
{
	p->results[i].code = code;
	if (code != ERR_OK)
		p->results[i].err = *err;
}

static enum err_code credentials_of(
	struct probe *p, struct str account, struct credentials_provider **ret, struct err *reterr)
{
	struct child_account *a;

	LOCK_SCOPE(&p->table->lock);
	if (get(p->table, p->own, account, &a, reterr) != ERR_OK)
		return reterr->code;
	*ret = credentials_provider_ref(a->credentials);
	return ERR_OK;
}

static struct aws_call_item *new_call(
	const struct probe *p, size_t i, struct credentials_provider *take_credentials)
{
	struct probe_call *c = mem_zalloc(sizeof(*c));

	c->i = i;
	c->arena = arena_new(0);
	c->credentials = take_credentials;
	c->in = (struct aws_sts_assume_role_in){
		.role_arn = role_arn(p->table, c->arena, p->own, p->accounts[i]),
		.session_name = STR(CHILD_ACCOUNTS_SESSION_NAME),
		.duration_s = {.v = CHILD_ACCOUNTS_SESSION_S, .set = true},
	};
	c->item = (struct aws_call_item){
		.op = &aws_sts_assume_role, .in = &c->in, .out = &c->out, .arena = c->arena};
	return &c->item;
}

/* A call when the account has to be asked about; NULL when its answer is there, or will be. */
static struct aws_call_item *look_at(struct probe *p, size_t i)
{
	CLEANUP(credentials_provider_unrefp) struct credentials_provider *credentials = NULL;
	struct err err;
	enum err_code code = ERR_OK;

	if (str_eq(p->accounts[i], p->own->account)) {
		answer(p, i, ERR_OK, NULL);
		return NULL;
	}
	code = credentials_of(p, p->accounts[i], &credentials, &err);
	if (code != ERR_OK) {
		answer(p, i, code, &err);
		return NULL;
	}
	switch (credentials_cache_begin(credentials, CHILD_ACCOUNTS_PROOF_MS, &err)) {
	case CREDENTIALS_THERE:
		answer(p, i, ERR_OK, NULL);
		break;
	case CREDENTIALS_DENIED:
		answer(p, i, ERR_DENIED, &err);
		break;
	case CREDENTIALS_IN_FLIGHT:
		p->in_flight[i] = TAKE(credentials);
		break;
	case CREDENTIALS_YOURS:
		return new_call(p, i, TAKE(credentials));
	}
	return NULL;
}

static struct aws_call_item *next_call(void *self)
{
	struct probe *p = self;
	struct aws_call_item *item = NULL;

	while (!item && !p->refused && p->next < p->n)
		item = look_at(p, p->next++);
	return item;
}

static void call_done(void *self, struct aws_call_item *item)
{
	struct probe *p = self;
	struct probe_call *c = (struct probe_call *)item;
	struct aws_credentials *fresh = NULL;
	enum err_code code = item->code;

	if (code == ERR_OK)
		code = aws_sts_snapshot(p->table->opts.sts_client, &aws_sts_assume_role, &c->out.credentials,
			&fresh, &item->err);
	if (code == ERR_UNAUTHENTICATED && !p->refused) {
		p->refused = true;
		p->refusal = item->err;
	}
	if (code != ERR_OK && code != ERR_CANCELLED && code != ERR_DEADLINE)
		err_prefix(&item->err, STR_FMT, STR_ARG(error_prefix(c->arena, c->in.role_arn)));
	code = credentials_cache_end(c->credentials, p->ctx, code, fresh, &item->err);
	answer(p, c->i, code, &item->err);
	credentials_provider_unref(c->credentials);
	arena_free(c->arena);
	mem_free(c);
}

/* Somebody else is entering the account: his answer, or ours when he gave up. */
static void wait_for_others(struct probe *p)
{
	for (size_t i = 0; i < p->n; i++) {
		CLEANUP(credentials_provider_unrefp)
		struct credentials_provider *theirs = TAKE(p->in_flight[i]);
		struct err err;

		if (theirs)
			answer(p, i, credentials_cache_wait(theirs, p->ctx, &err), &err);
	}
}

void child_accounts_probe(struct child_accounts *t, const struct ctx *ctx, const struct aws_identity *own,
	const struct str *accounts, size_t n, struct aws_probe *results, size_t max_in_flight)
{
	CLEANUP(mem_freep)
	struct credentials_provider **in_flight = mem_array(n + 1, sizeof(struct credentials_provider *));
	struct probe p = {.table = t,
		.ctx = ctx,
		.own = own,
		.accounts = accounts,
		.results = results,
		.n = n,
		.in_flight = in_flight};
	const struct aws_call_source source = {.next = next_call, .done = call_done, .self = &p};
	struct err err;
	enum err_code code =
		aws_call_each(t->opts.sts_client, ctx, &source, max_in_flight < n ? max_in_flight : n, &err);

	if (code == ERR_OK && p.refused) {
		err = p.refusal;
		code = err.code;
	}
	for (size_t i = p.next; i < n; i++) /* none unless it ended early */
		answer(&p, i, code, &err);
	wait_for_others(&p);
}

/* DESIGN
 *
 * A batch goes over a connection of its own: taken from those that lie idle, or opened. One that reported an error, timed out, or has
 * more to say than it was asked is closed, never put back.
 *
 *	where is it?   the UNIX socket | the node that MOVED named for this tag | the master that Sentinel knows | a host of the URL
 *	try            an idle connection may have been closed by the other side meanwhile: then once more with a fresh one
 *	MOVED, ASK     follow, up to MAX_HOPS times
 *
 * Away. A Redis that does not answer would cost every fact a time-out. After a failure nobody tries for a while; then one thread
 * does, while the others still pass by, and when it succeeds all are back. So an absent Redis costs next to nothing, and comes
 * back by itself within REDIS_AWAY_MAX_MS.
 *
 * Cluster: all keys of a scope lie in one slot by their hash tag, so a tag has one node. Which, the first MOVED tells; there is no
 * need to know the map of slots. */
#include "store/redis_client.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/thread.h"

#define MAX_IDLE  64 /* connections: more threads than that are rarely in the store at once */
#define MAX_MOVED 64 /* tags whose node is remembered: syncs, and buckets of (account, service) */
#define MAX_HOPS  5
#define SLOW_MS   500 /* Redis answers within a few: whoever gave up after that has met a failure */

struct node {
	char host[256];
	unsigned port; /* 0: none */
};

struct idle {
	struct redis_link *link;
	int64_t since_ms;
};

struct moved {
	char *tag;
	struct node node;
};

struct redis_client {
	struct arena *arena; /* of url */
	struct redis_url url;
	struct redis_login login, sentinel_login;
	struct secret *sentinel_password;
	struct stream_tls *tls; /* NULL: plain */
	size_t max_reply_bytes;
	int64_t connect_timeout_ms, command_timeout_ms, idle_ms;
	const struct clock *clock;

	struct mutex lock; /* guards all below */
	struct idle idle[MAX_IDLE];
	size_t n_idle;
	size_t first_host;  /* of url.hosts: where to begin */
	struct node master; /* as Sentinel said; port 0: ask */
	struct moved moved[MAX_MOVED];
	size_t next_moved;
	uint64_t failures; /* in a row */
	int64_t away_since_ms, away_until_ms;
	char reason[448]; /* of the last failure, with its remedy */
	uint64_t connects;
};

/* --- life --- */

static void client_freep(struct redis_client **c)
{
	redis_client_free(*c);
}

static struct secret *secret_or(const struct secret *first, struct secret *second)
{
	if (secret_empty(first))
		return second;
	secret_unref(second);
	return secret_new(secret_reveal(first));
}

static bool has_tls_options(const struct stream_tls_options *o)
{
	return o->ca_file.n > 0 || o->cert_file.n > 0 || o->key_file.n > 0 || o->server_name.n > 0 ||
	       o->accept_any;
}

enum err_code redis_client_new(
	const struct redis_client_options *opts, struct redis_client **ret_client, struct err *reterr)
{
	CLEANUP(client_freep) struct redis_client *c = mem_zalloc(sizeof(*c));

	c->arena = arena_new(0);
	mutex_init(&c->lock);
	c->max_reply_bytes = opts->max_reply_bytes;
	c->connect_timeout_ms = opts->connect_timeout_ms;
	c->command_timeout_ms = opts->command_timeout_ms;
	c->idle_ms = opts->idle_ms;
	c->clock = opts->clock;
	if (redis_url_parse(c->arena, opts->url, &c->url, reterr) != ERR_OK)
		return err_prefix(reterr, "--store-url");
	c->url.password = secret_or(opts->password, c->url.password);
	c->sentinel_password = secret_or(opts->sentinel_password, NULL);
	if (c->url.user.n > 0 && c->url.password == NULL) /* else we would be the default user, unnoticed */
		return err_set(reterr, ERR_INVALID,
			"--store-url: it names a user, whose password is missing: --store-password (a user "
			"that needs none takes any)");
	if (c->url.service.n == 0 && !secret_empty(c->sentinel_password))
		return err_set(reterr, ERR_INVALID,
			"--store-sentinel-password: --store-url names no Sentinels (redis+sentinel:// or "
			"rediss+sentinel://)");
	c->login = (struct redis_login){.user = c->url.user,
		.password = c->url.password,
		.database = c->url.database,
		.must_be_master = c->url.service.n > 0};
	c->sentinel_login = (struct redis_login){.user = STR_EMPTY, .password = c->sentinel_password};
	if (!c->url.tls &&
		has_tls_options(&opts->tls)) /* else the password would go in clear text, unnoticed */
		return err_set(reterr, ERR_INVALID,
			"--store-url: the options --store-tls-... need a URL that begins with rediss:// or "
			"rediss+sentinel://");
	if (c->url.tls && stream_tls_new(&opts->tls, &c->tls, reterr) != ERR_OK)
		return reterr->code;
	*ret_client = TAKE(c);
	return ERR_OK;
}

void redis_client_free(struct redis_client *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n_idle; i++)
		redis_link_free(c->idle[i].link);
	for (size_t i = 0; i < MAX_MOVED; i++)
		mem_free(c->moved[i].tag);
	stream_tls_free(c->tls);
	secret_unref(c->url.password);
	secret_unref(c->sentinel_password);
	mutex_deinit(&c->lock);
	arena_free(c->arena);
	mem_free(c);
}

void redis_client_stats(struct redis_client *c, struct redis_client_stats *ret_stats)
{
	LOCK_SCOPE(&c->lock);
	*ret_stats = (struct redis_client_stats){.connects = c->connects, .away = c->failures > 0};
}

/* The caller's deadline or cancellation: that says nothing about Redis. */
static bool is_callers_end(const struct ctx *ctx)
{
	return ctx_left_ms(ctx) == 0 || cancel_fired(ctx->cancel);
}

/* --- away --- */

/* Of those who come when the time is over, one tries, and the others still pass by. *ret_failures: for note_failure. */
static enum err_code may_try(struct redis_client *c, uint64_t *ret_failures, struct err *reterr)
{
	const int64_t now_ms = clock_mono_ms(c->clock);

	LOCK_SCOPE(&c->lock);
	if (c->failures > 0 && now_ms < c->away_until_ms)
		return err_set(reterr, ERR_UNAVAILABLE, "Redis is not tried, it failed for %lld ms: %s",
			(long long)(now_ms - c->away_since_ms), c->reason);
	if (c->failures > 0)
		c->away_until_ms = now_ms + c->connect_timeout_ms + c->command_timeout_ms;
	*ret_failures = c->failures;
	return ERR_OK;
}

static void forget_places(struct redis_client *c)
{
	c->master.port = 0;
	for (size_t i = 0; i < MAX_MOVED; i++) {
		mem_free(c->moved[i].tag);
		c->moved[i] = (struct moved){.tag = NULL};
	}
}

/* `seen`: the failures that there were when the attempt began. Threads that fail together have failed once. Connections that lie
 * idle may be to a server that is gone; they go to *dead. */
static size_t note_failure(
	struct redis_client *c, uint64_t seen, const struct err *e, struct redis_link *dead[static MAX_IDLE])
{
	const int64_t now_ms = clock_mono_ms(c->clock);
	int64_t pause_ms = REDIS_AWAY_FIRST_MS;
	size_t n_dead = 0;

	LOCK_SCOPE(&c->lock);
	if (c->failures != seen)
		return 0;
	if (c->failures++ == 0)
		c->away_since_ms = now_ms;
	for (uint64_t i = 1; i < c->failures && pause_ms < REDIS_AWAY_MAX_MS; i++)
		pause_ms *= 2;
	c->away_until_ms = now_ms + (pause_ms < REDIS_AWAY_MAX_MS ? pause_ms : REDIS_AWAY_MAX_MS);
	(void)snprintf(c->reason, sizeof(c->reason), "%.440s", e->msg);
	forget_places(c);
	/* One that answers may be no good, a Sentinel may name the master of yesterday. */
	if (c->url.n_hosts > 0)
		c->first_host = (c->first_host + 1) % c->url.n_hosts;
	for (; c->n_idle > 0; c->n_idle--)
		dead[n_dead++] = c->idle[c->n_idle - 1].link;
	return n_dead;
}

/* What began before the last failure says nothing about what is now. */
static void note_success(struct redis_client *c, uint64_t seen)
{
	LOCK_SCOPE(&c->lock);
	if (c->failures == seen)
		c->failures = 0;
}

/* --- connections --- */

static struct node node_of(const struct redis_host *host)
{
	struct node node = {.port = host->port};

	(void)snprintf(node.host, sizeof(node.host), STR_FMT, STR_ARG(host->host));
	return node;
}

static struct redis_link_options link_options(struct redis_client *c, const struct node *node)
{
	return (struct redis_link_options){
		.path = c->url.path,
		.host = {.host = str_c(node->host), .port = node->port},
		.tls = c->tls,
		.login = &c->login,
		.max_reply_bytes = c->max_reply_bytes,
		.connect_timeout_ms = c->connect_timeout_ms,
		.command_timeout_ms = c->command_timeout_ms,
	};
}

static enum err_code open_link(struct redis_client *c, const struct ctx *ctx,
	const struct redis_link_options *opts, struct redis_link **ret_link, struct err *reterr)
{
	if (redis_link_open(opts, ctx, ret_link, reterr) != ERR_OK)
		return reterr->code;
	LOCK_SCOPE(&c->lock);
	c->connects++;
	return ERR_OK;
}

static bool is_to(const struct redis_link *link, const struct node *node)
{
	char name[300];

	if (node->port == 0)
		return true; /* the UNIX socket */
	(void)snprintf(
		name, sizeof(name), strchr(node->host, ':') ? "[%s]:%u" : "%s:%u", node->host, node->port);
	return str_eq_c(redis_link_name(link), name);
}

/* The connection that was used last, so that the others grow old; NULL: there is none. Those that have grown too old go to *dead. */
static struct redis_link *pop_idle(struct redis_client *c, const struct node *node,
	struct redis_link *dead[static MAX_IDLE], size_t *n_dead)
{
	const int64_t now_ms = clock_mono_ms(c->clock);
	struct redis_link *found = NULL;
	size_t kept = 0;

	*n_dead = 0;
	LOCK_SCOPE(&c->lock);
	for (size_t i = c->n_idle; i-- > 0 && found == NULL;) {
		if (!is_to(c->idle[i].link, node))
			continue;
		found = c->idle[i].link;
		c->idle[i].link = NULL;
		if (now_ms - c->idle[i].since_ms > c->idle_ms) {
			dead[(*n_dead)++] = found;
			found = NULL;
		}
	}
	for (size_t i = 0; i < c->n_idle; i++)
		if (c->idle[i].link != NULL)
			c->idle[kept++] = c->idle[i];
	c->n_idle = kept;
	return found;
}

static struct redis_link *take_idle(struct redis_client *c, const struct node *node)
{
	struct redis_link *dead[MAX_IDLE], *link;
	size_t n_dead;

	for (;;) {
		link = pop_idle(c, node, dead, &n_dead);
		while (n_dead > 0)
			redis_link_free(dead[--n_dead]);
		if (link == NULL || redis_link_is_quiet(link))
			return link;
		redis_link_free(link); /* closed by the other side, or it speaks unasked */
	}
}

/* The one that lies idle for longest goes when it has grown too old, or there are too many. */
static void give_back(struct redis_client *c, struct redis_link *link)
{
	const int64_t now_ms = clock_mono_ms(c->clock);
	struct redis_link *surplus = NULL;

	mutex_lock(&c->lock);
	if (c->n_idle == MAX_IDLE || (c->n_idle > 0 && now_ms - c->idle[0].since_ms > c->idle_ms)) {
		surplus = c->idle[0].link;
		memmove(&c->idle[0], &c->idle[1], --c->n_idle * sizeof(c->idle[0]));
	}
	c->idle[c->n_idle++] = (struct idle){.link = link, .since_ms = now_ms};
	mutex_unlock(&c->lock);
	redis_link_free(surplus);
}

/* --- where it is --- */

static struct moved *find_moved(struct redis_client *c, struct str tag)
{
	for (size_t i = 0; i < MAX_MOVED; i++)
		if (c->moved[i].tag != NULL && str_eq_c(tag, c->moved[i].tag))
			return &c->moved[i];
	return NULL;
}

static void remember_moved(struct redis_client *c, struct str tag, const struct node *node)
{
	LOCK_SCOPE(&c->lock);
	struct moved *m = find_moved(c, tag);

	if (m == NULL)
		m = &c->moved[c->next_moved++ % MAX_MOVED];
	mem_free(m->tag);
	*m = (struct moved){.tag = mem_strndup(tag.p, tag.n), .node = *node};
}

/* What is known without asking anybody. */
static bool recall(struct redis_client *c, struct str tag, struct node *ret_node)
{
	LOCK_SCOPE(&c->lock);
	const struct moved *m = find_moved(c, tag);

	if (c->url.path.n > 0) {
		*ret_node = (struct node){.port = 0};
		return true;
	}
	if (m != NULL)
		*ret_node = m->node;
	else
		*ret_node = c->url.service.n > 0 ? c->master : node_of(&c->url.hosts[c->first_host]);
	return ret_node->port > 0;
}

static enum err_code read_master(struct redis_client *c, const struct resp_reply *reply, struct arena *arena,
	struct node *ret_node, struct err *reterr)
{
	struct redis_host host;
	struct str text;

	if (reply->kind == RESP_ERROR && redis_reply_err(reply, reterr) == ERR_UNAUTHENTICATED)
		return err_set(reterr, ERR_UNAUTHENTICATED,
			"this Sentinel wants a password: --store-sentinel-password");
	if (reply->kind == RESP_ERROR)
		return reterr->code;
	if (reply->kind == RESP_NIL)
		return err_set(reterr, ERR_UNAVAILABLE, "this Sentinel knows no master '" STR_FMT "'",
			STR_ARG(c->url.service));
	if (reply->kind != RESP_ARRAY || reply->n != 2 || reply->items[0]->kind != RESP_STRING ||
		reply->items[1]->kind != RESP_STRING)
		return redis_reply_odd("SENTINEL GET-MASTER-ADDR-BY-NAME", reterr);
	text = str_fmt(
		arena, STR_FMT ":" STR_FMT, STR_ARG(reply->items[0]->text), STR_ARG(reply->items[1]->text));
	if (!redis_host_parse(arena, text, /* default_port= */ 0, &host))
		return redis_reply_odd("SENTINEL GET-MASTER-ADDR-BY-NAME", reterr);
	*ret_node = node_of(&host);
	return ERR_OK;
}

static enum err_code ask_sentinel(struct redis_client *c, const struct ctx *ctx, const struct node *sentinel,
	struct node *ret_node, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	CLEANUP(redis_link_freep) struct redis_link *link = NULL;
	CLEANUP(redis_batch_deinit) struct redis_batch b = {.n = 0};
	struct redis_link_options opts = link_options(c, sentinel);
	struct resp_reply *reply;

	redis_batch_init(&b, 4096);
	REDIS_ADD(&b, STR("SENTINEL"), STR("GET-MASTER-ADDR-BY-NAME"), c->url.service);
	opts.login = c->sentinel_password != NULL ? &c->sentinel_login : NULL;
	if (open_link(c, ctx, &opts, &link, reterr) != ERR_OK)
		return err_prefix(reterr, "Sentinel");
	if (redis_link_run(link, ctx, &b, arena, &reply, reterr) != ERR_OK ||
		read_master(c, reply, arena, ret_node, reterr) != ERR_OK)
		return err_prefix(reterr, "Sentinel at " STR_FMT, STR_ARG(redis_link_name(link)));
	return ERR_OK;
}

/* Each Sentinel in turn, beginning with the one that answered last. */
static enum err_code find_master(
	struct redis_client *c, const struct ctx *ctx, struct node *ret_node, struct err *reterr)
{
	size_t first;

	mutex_lock(&c->lock);
	first = c->first_host;
	mutex_unlock(&c->lock);
	for (size_t i = 0; i < c->url.n_hosts; i++) {
		const size_t at = (first + i) % c->url.n_hosts;
		const struct node sentinel = node_of(&c->url.hosts[at]);

		if (ask_sentinel(c, ctx, &sentinel, ret_node, reterr) == ERR_OK) {
			LOCK_SCOPE(&c->lock);
			c->first_host = at;
			c->master = *ret_node;
			return ERR_OK;
		}
	}
	return reterr->code;
}

/* Where to try next, when the one tried did not answer: a host of the URL. False: there is no other. */
static bool next_host(struct redis_client *c, struct str tag, size_t *tried)
{
	LOCK_SCOPE(&c->lock);
	struct moved *m = find_moved(c, tag);

	if (m != NULL) { /* the node that had it is gone: the others know who has it now */
		mem_free(m->tag);
		*m = (struct moved){.tag = NULL};
		return true;
	}
	if (c->url.service.n > 0 || ++*tried >= c->url.n_hosts) /* a UNIX socket has no hosts */
		return false;
	c->first_host = (c->first_host + 1) % c->url.n_hosts;
	return true;
}

/* A connection for the tag, an idle one if there is, and where it leads. */
static enum err_code take_link(struct redis_client *c, const struct ctx *ctx, struct str tag,
	struct redis_link **ret_link, struct node *ret_node, struct err *reterr)
{
	struct redis_link_options opts;
	size_t tried = 0;

	do {
		if (!recall(c, tag, ret_node) && find_master(c, ctx, ret_node, reterr) != ERR_OK)
			return reterr->code;
		*ret_link = take_idle(c, ret_node);
		if (*ret_link != NULL)
			return ERR_OK;
		opts = link_options(c, ret_node);
		if (open_link(c, ctx, &opts, ret_link, reterr) == ERR_OK)
			return ERR_OK;
	} while (!is_callers_end(ctx) && next_host(c, tag, &tried));
	return reterr->code;
}

/* --- running --- */

/* What redis_client_run was given. */
struct request {
	struct str tag;
	const struct redis_batch *batch;
	struct arena *arena;         /* of the replies */
	struct resp_reply **replies; /* one for each command */
};

/* A request over one connection, which is then idle again, or closed. *ret_was_closed: the other side had closed it, unused for a
 * while, which says nothing about Redis. */
static enum err_code run_on(struct redis_client *c, const struct ctx *ctx, struct redis_link *link,
	const struct request *q, bool *ret_was_closed, struct err *reterr)
{
	*ret_was_closed = false;
	if (redis_link_run(link, ctx, q->batch, q->arena, q->replies, reterr) != ERR_OK) {
		*ret_was_closed = redis_link_was_used(link) && reterr->code == ERR_UNAVAILABLE;
		redis_link_free(link);
		return reterr->code;
	}
	for (size_t i = 0; i < q->batch->n; i++) {
		const enum redis_trouble trouble = redis_reply_trouble(q->replies[i]);

		if (trouble == REDIS_CHANGING || trouble == REDIS_FORBIDDEN) {
			redis_link_free(link);
			return redis_reply_err(q->replies[i], reterr);
		}
	}
	give_back(c, link);
	return ERR_OK;
}

/* There may be several connections that were closed, each of which is tried once at most; all commands may be sent twice. *ret_node: who
 * has answered. */
static enum err_code run_once(struct redis_client *c, const struct ctx *ctx, const struct request *q,
	struct node *ret_node, struct err *reterr)
{
	struct redis_link *link;
	bool was_closed;

	do {
		if (take_link(c, ctx, q->tag, &link, ret_node, reterr) != ERR_OK)
			return reterr->code;
		if (run_on(c, ctx, link, q, &was_closed, reterr) == ERR_OK)
			return ERR_OK;
	} while (was_closed && !is_callers_end(ctx));
	return reterr->code;
}

/* "MOVED 3999 127.0.0.1:6381", or ":6381": the host is that of the node that answers. */
static enum err_code read_redirection(const struct resp_reply *r, const struct node *from,
	struct arena *arena, struct node *ret_node, struct err *reterr)
{
	struct str rest = r->text;
	struct redis_host host;

	str_cut(&rest, ' ');
	str_cut(&rest, ' ');
	if (str_starts(rest, STR(":")))
		rest = str_fmt(arena, "%s" STR_FMT, from->host, STR_ARG(rest));
	if (!redis_host_parse(arena, rest, /* default_port= */ 0, &host))
		return redis_reply_odd("with a redirection,", reterr);
	*ret_node = node_of(&host);
	return ERR_OK;
}

/* Sends command i of the request to the node. */
static enum err_code run_asking(struct redis_client *c, const struct ctx *ctx, const struct node *node,
	const struct request *q, size_t i, struct err *reterr)
{
	CLEANUP(redis_batch_deinit) struct redis_batch b = {.n = 0};
	const struct redis_link_options opts = link_options(c, node);
	struct resp_reply *replies[2];
	const struct request asking = {.batch = &b, .arena = q->arena, .replies = replies};
	struct redis_link *link;
	bool was_closed;

	redis_batch_init(&b, q->batch->bytes.cap);
	REDIS_ADD(&b, STR("ASKING"));
	redis_batch_copy(&b, q->batch, i);
	do {
		link = take_idle(c, node);
		if (link == NULL && open_link(c, ctx, &opts, &link, reterr) != ERR_OK)
			return reterr->code;
		if (run_on(c, ctx, link, &asking, &was_closed, reterr) == ERR_OK) {
			q->replies[i] = replies[1];
			return ERR_OK;
		}
	} while (was_closed && !is_callers_end(ctx));
	return reterr->code;
}

/* from: who has answered. *ret_again: the tag is elsewhere, which is known now. */
static enum err_code follow(struct redis_client *c, const struct ctx *ctx, const struct request *q,
	const struct node *from, bool *ret_again, struct err *reterr)
{
	struct node node;

	*ret_again = false;
	for (size_t i = 0; i < q->batch->n; i++) {
		switch (redis_reply_trouble(q->replies[i])) {
		case REDIS_MOVED:
			if (read_redirection(q->replies[i], from, q->arena, &node, reterr) != ERR_OK)
				return reterr->code;
			remember_moved(c, q->tag, &node);
			*ret_again = true;
			return ERR_OK;
		case REDIS_ASK:
			if (read_redirection(q->replies[i], from, q->arena, &node, reterr) != ERR_OK ||
				run_asking(c, ctx, &node, q, i, reterr) != ERR_OK)
				return reterr->code;
			break;
		default:
			break;
		}
	}
	return ERR_OK;
}

static enum err_code run(
	struct redis_client *c, const struct ctx *ctx, const struct request *q, struct err *reterr)
{
	struct node node;
	bool again;

	for (size_t hop = 0; hop < MAX_HOPS; hop++) {
		if (run_once(c, ctx, q, &node, reterr) != ERR_OK ||
			follow(c, ctx, q, &node, &again, reterr) != ERR_OK)
			return reterr->code;
		if (!again)
			return ERR_OK;
	}
	return err_set(reterr, ERR_UNAVAILABLE, "Redis Cluster sends us in circles");
}

enum err_code redis_client_run(struct redis_client *c, const struct ctx *ctx, struct str tag,
	const struct redis_batch *b, struct arena *arena, struct resp_reply **replies, struct err *reterr)
{
	const struct request q = {.tag = tag, .batch = b, .arena = arena, .replies = replies};
	const int64_t start_ms = clock_mono_ms(c->clock);
	struct redis_link *dead[MAX_IDLE];
	uint64_t failures;
	size_t n_dead = 0;

	if (may_try(c, &failures, reterr) != ERR_OK)
		return reterr->code;
	if (run(c, ctx, &q, reterr) == ERR_OK) {
		note_success(c, failures);
		return ERR_OK;
	}
	/* A request or an answer that is too large is no failure of Redis's either. */
	if ((!is_callers_end(ctx) || clock_mono_ms(c->clock) - start_ms >= SLOW_MS) &&
		reterr->code != ERR_TOO_LARGE)
		n_dead = note_failure(c, failures, reterr, dead);
	while (n_dead > 0)
		redis_link_free(dead[--n_dead]);
	return reterr->code;
}

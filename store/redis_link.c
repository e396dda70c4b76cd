#include "store/redis_link.h"

#include <string.h>

#include "base/mem.h"
#include "store/stream.h"

#define READ_BYTES ((size_t)16 * 1024)

struct redis_link {
	struct stream *stream;
	struct resp_reader *reader;
	char *name;
	int64_t command_timeout_ms;
	bool used;
};

/* --- commands --- */

void redis_batch_init(struct redis_batch *b, size_t max_bytes)
{
	*b = (struct redis_batch){.n = 0};
	buf_init(&b->bytes, max_bytes);
}

void redis_batch_deinit(struct redis_batch *b)
{
	buf_deinit(&b->bytes);
	mem_free(b->ends);
}

static void end_command(struct redis_batch *b)
{
	if (b->n == b->cap) {
		b->cap = b->cap == 0 ? 8 : 2 * b->cap;
		b->ends = mem_realloc(b->ends, b->cap * sizeof(*b->ends));
	}
	b->ends[b->n++] = b->bytes.n;
}

void redis_batch_add(struct redis_batch *b, const struct str *args, size_t n)
{
	resp_command(&b->bytes, args, n);
	end_command(b);
}

void redis_batch_copy(struct redis_batch *b, const struct redis_batch *from, size_t i)
{
	const size_t start = i == 0 ? 0 : from->ends[i - 1];

	buf_str(&b->bytes, str_sub(buf_view(&from->bytes), start, from->ends[i] - start));
	end_command(b);
}

/* --- replies --- */

/* What Redis's error replies begin with. What a remedy is for, the operator reads in the log. */
static const struct {
	const char *words;
	enum redis_trouble trouble;
	enum err_code code;
	const char *remedy;
} troubles[] = {
	{"MOVED", REDIS_MOVED, ERR_UNAVAILABLE, NULL},
	{"ASK", REDIS_ASK, ERR_UNAVAILABLE, NULL},
	{"LOADING", REDIS_CHANGING, ERR_UNAVAILABLE, NULL},
	{"READONLY", REDIS_CHANGING, ERR_UNAVAILABLE,
		"this is a replica; Sentinel finds the master (redis+sentinel://)"},
	{"MASTERDOWN", REDIS_CHANGING, ERR_UNAVAILABLE, NULL},
	{"CLUSTERDOWN", REDIS_CHANGING, ERR_UNAVAILABLE, NULL},
	{"TRYAGAIN", REDIS_CHANGING, ERR_UNAVAILABLE, NULL},
	{"UNBLOCKED", REDIS_CHANGING, ERR_UNAVAILABLE, NULL},
	{"BUSY", REDIS_CHANGING, ERR_UNAVAILABLE, "somebody's script runs for too long"},
	{"ERR max number of clients reached", REDIS_CHANGING, ERR_UNAVAILABLE, "raise Redis's maxclients"},
	{"DENIED", REDIS_FORBIDDEN, ERR_DENIED, "set a password there, or protected-mode no"},
	{"OOM", REDIS_FULL, ERR_TOO_LARGE,
		"give Redis more maxmemory, or a maxmemory-policy that makes room"},
	{"MISCONF", REDIS_FULL, ERR_UNAVAILABLE,
		"Redis cannot write its snapshot; this store needs none: save \"\""},
	{"NOREPLICAS", REDIS_FULL, ERR_UNAVAILABLE, "min-replicas-to-write is not met"},
	{"NOAUTH", REDIS_FORBIDDEN, ERR_UNAUTHENTICATED,
		"give user and password in --store-url or --store-password"},
	{"WRONGPASS", REDIS_FORBIDDEN, ERR_UNAUTHENTICATED, "user or password is wrong"},
	{"NOPERM", REDIS_FORBIDDEN, ERR_DENIED, "docs/scaling.md lists what the user must be allowed"},
};

/* Redis 5 and 6 wrap what a command in a script was answered:
 * "ERR Error running script (call to f_...): @user_script:3: @user_script: 3: -OOM command not allowed" */
static struct str unwrap(struct str text)
{
	const ptrdiff_t inner =
		str_starts(text, STR("ERR Error running script")) ? str_rfind(text, STR(": -")) : -1;

	return inner >= 0 ? str_from(text, (size_t)inner + 3) : text;
}

static bool begins_with(struct str text, struct str words)
{
	return str_starts(text, words) && (text.n == words.n || text.p[words.n] == ' ');
}

static size_t find_trouble(const struct resp_reply *r)
{
	const struct str text = unwrap(r->text);
	size_t i = 0;

	while (i < ARRAY_LEN(troubles) && !begins_with(text, str_c(troubles[i].words)))
		i++;
	return i;
}

enum redis_trouble redis_reply_trouble(const struct resp_reply *r)
{
	size_t i;

	if (r->kind != RESP_ERROR)
		return REDIS_FINE;
	i = find_trouble(r);
	return i < ARRAY_LEN(troubles) ? troubles[i].trouble : REDIS_REFUSED;
}

enum err_code redis_reply_err(const struct resp_reply *r, struct err *reterr)
{
	const size_t i = find_trouble(r);
	const struct str text = str_sub(r->text, 0, 200);

	if (i == ARRAY_LEN(troubles))
		return err_set(reterr, ERR_UNAVAILABLE, "Redis refuses: " STR_FMT, STR_ARG(text));
	if (troubles[i].remedy == NULL)
		return err_set(reterr, troubles[i].code, "Redis: " STR_FMT, STR_ARG(text));
	return err_set(
		reterr, troubles[i].code, "Redis: " STR_FMT " (%s)", STR_ARG(text), troubles[i].remedy);
}

enum err_code redis_reply_odd(const char *doing, struct err *reterr)
{
	return err_set(reterr, ERR_PROTOCOL, "Redis answers %s in a way that makes no sense", doing);
}

/* --- running --- */

static struct ctx within(const struct ctx *ctx, int64_t timeout_ms)
{
	struct ctx part = *ctx;

	if (ctx_left_ms(ctx) > timeout_ms)
		part.deadline_ms = clock_mono_ms(ctx->clock) + timeout_ms;
	return part;
}

/* Says whose time it was that passed. */
static enum err_code too_slow(
	const struct ctx *ctx, int64_t timeout_ms, const char *option, struct err *reterr)
{
	if (reterr->code != ERR_DEADLINE || ctx_left_ms(ctx) == 0)
		return reterr->code;
	return err_set(reterr, ERR_DEADLINE, "Redis did not answer within %lld ms (%s)",
		(long long)timeout_ms, option);
}

static enum err_code read_replies(struct redis_link *l, const struct ctx *ctx, struct arena *arena,
	struct resp_reply **replies, size_t n, struct err *reterr)
{
	char bytes[READ_BYTES];
	size_t done = 0, got;

	while (done < n) {
		if (resp_next(l->reader, arena, &replies[done], reterr) != ERR_OK)
			return reterr->code;
		if (replies[done] != NULL) {
			done++;
			continue;
		}
		if (stream_read(l->stream, ctx, bytes, sizeof(bytes), &got, reterr) != ERR_OK ||
			resp_feed(l->reader, str_n(bytes, got), reterr) != ERR_OK)
			return reterr->code;
	}
	return ERR_OK;
}

enum err_code redis_link_run(struct redis_link *l, const struct ctx *ctx, const struct redis_batch *b,
	struct arena *arena, struct resp_reply **replies, struct err *reterr)
{
	const struct ctx part = within(ctx, l->command_timeout_ms);

	if (buf_check(&b->bytes, "a request to Redis", reterr) != ERR_OK)
		return reterr->code;
	if (stream_write(l->stream, &part, buf_view(&b->bytes), reterr) != ERR_OK ||
		read_replies(l, &part, arena, replies, b->n, reterr) != ERR_OK)
		return too_slow(ctx, l->command_timeout_ms, "--store-command-timeout-ms", reterr);
	if (!resp_reader_is_empty(l->reader)) /* it would be taken for the next request's */
		return err_set(reterr, ERR_PROTOCOL, "Redis answers more than it was asked");
	l->used = true;
	return ERR_OK;
}

/* --- opening --- */

/* The second element of ROLE's answer is not looked at: Redis 2.8 and newer all begin with the role. */
static bool is_master(const struct resp_reply *role)
{
	return role->kind == RESP_ARRAY && role->n > 0 && role->items[0]->kind == RESP_STRING &&
	       str_eq_c(role->items[0]->text, "master");
}

static enum err_code log_in(
	struct redis_link *l, const struct redis_login *login, const struct ctx *ctx, struct err *reterr)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	CLEANUP(redis_batch_deinit) struct redis_batch b = {.n = 0};
	struct resp_reply *replies[4] = {NULL};

	redis_batch_init(&b, 64 * 1024);
	b.bytes.wipe = true;
	if (login->password != NULL && login->user.n > 0)
		REDIS_ADD(&b, STR("AUTH"), login->user, secret_reveal(login->password));
	else if (login->password != NULL)
		REDIS_ADD(&b, STR("AUTH"), secret_reveal(login->password));
	if (login->database > 0)
		REDIS_ADD(&b, STR("SELECT"), str_fmt(arena, "%u", login->database));
	if (login->must_be_master)
		REDIS_ADD(&b, STR("ROLE"));
	if (b.n == 0)
		REDIS_ADD(&b, STR("PING")); /* a server that wants a password says so now */
	/* Who lets nobody in says so, once, and hangs up. */
	if (redis_link_run(l, ctx, &b, arena, replies, reterr) != ERR_OK &&
		(replies[0] == NULL || replies[0]->kind != RESP_ERROR))
		return reterr->code;
	/* A server without AUTH repeats its arguments. */
	if (login->password != NULL && redis_reply_trouble(replies[0]) == REDIS_REFUSED)
		return err_set(reterr, ERR_UNAUTHENTICATED,
			"Redis refuses AUTH: is a password set there, and is it one of a user's?");
	for (size_t i = 0; i < b.n && replies[i] != NULL; i++)
		if (replies[i]->kind == RESP_ERROR)
			return redis_reply_err(replies[i], reterr);
	if (login->must_be_master && !is_master(replies[b.n - 1]))
		return err_set(reterr, ERR_UNAVAILABLE, "this is no master, or not yet");
	return ERR_OK;
}

static enum err_code open_link(
	struct redis_link *l, const struct redis_link_options *o, const struct ctx *ctx, struct err *reterr)
{
	const struct stream_options stream = {
		.path = o->path, .host = o->host.host, .port = o->host.port, .tls = o->tls};

	if (stream_open(&stream, ctx, &l->stream, reterr) != ERR_OK)
		return reterr->code;
	l->reader = resp_reader_new(o->max_reply_bytes);
	if (o->login != NULL && log_in(l, o->login, ctx, reterr) != ERR_OK)
		return reterr->code;
	l->used = false;
	return ERR_OK;
}

static char *make_name(const struct redis_link_options *o)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct str name = o->path;

	if (name.n == 0)
		name = str_fmt(arena,
			str_find_char(o->host.host, ':') < 0 ? STR_FMT ":%u" : "[" STR_FMT "]:%u",
			STR_ARG(o->host.host), o->host.port);
	return mem_strndup(name.p, name.n);
}

enum err_code redis_link_open(const struct redis_link_options *opts, const struct ctx *ctx,
	struct redis_link **ret_link, struct err *reterr)
{
	CLEANUP(redis_link_freep) struct redis_link *l = mem_zalloc(sizeof(*l));
	const struct ctx part = within(ctx, opts->connect_timeout_ms);

	l->name = make_name(opts);
	l->command_timeout_ms = opts->command_timeout_ms;
	if (open_link(l, opts, &part, reterr) != ERR_OK) {
		too_slow(ctx, opts->connect_timeout_ms, "--store-connect-timeout-ms", reterr);
		return err_prefix(reterr, "Redis at %s", l->name);
	}
	*ret_link = TAKE(l);
	return ERR_OK;
}

void redis_link_free(struct redis_link *l)
{
	if (l == NULL)
		return;
	stream_free(l->stream);
	resp_reader_free(l->reader);
	mem_free(l->name);
	mem_free(l);
}

void redis_link_freep(struct redis_link **l)
{
	redis_link_free(*l);
	*l = NULL;
}

bool redis_link_is_quiet(struct redis_link *l)
{
	return stream_is_quiet(l->stream);
}

struct str redis_link_name(const struct redis_link *l)
{
	return str_c(l->name);
}

bool redis_link_was_used(const struct redis_link *l)
{
	return l->used;
}

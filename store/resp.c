/* DESIGN
 *
 * hiredis parses; the objects are ours. Its own reply objects have no bound on what a server announces: an array of 2^31 elements is
 * allocated when its header comes. Ours live in the caller's arena and count what they take. Commands are written without it: its
 * encoder makes a copy of each value, and leaves one of each password behind. */
#include "store/resp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/mem.h"

#define MAX_ELEMENTS 10000 /* of an array; we ask for 500 */
#define MAX_DEPTH    4     /* of arrays in arrays; 0.14 has a bound of its own, 1.x has none */

struct resp_reader {
	redisReader *parser;
	size_t max_bytes;
	size_t fed;          /* since the last whole reply */
	size_t kept;         /* by the objects of the reply under way */
	struct arena *arena; /* of these; during resp_next */
};

void resp_command(struct buf *out, const struct str *args, size_t n)
{
	buf_fmt(out, "*%zu\r\n", n);
	for (size_t i = 0; i < n; i++) {
		buf_fmt(out, "$%zu\r\n", args[i].n);
		buf_str(out, args[i]);
		buf_c(out, "\r\n");
	}
}

/* --- objects --- */

static void *alloc(struct resp_reader *r, size_t size)
{
	if (size > r->max_bytes - r->kept)
		return NULL; /* the parser then reports that it is out of memory */
	r->kept += size;
	return arena_try_alloc(r->arena, size);
}

static struct resp_reply *reply_new(const redisReadTask *task, enum resp_kind kind)
{
	struct resp_reply *reply = alloc(task->privdata, sizeof(*reply));

	if (reply != NULL)
		*reply = (struct resp_reply){.kind = kind, .text = STR_EMPTY};
	return reply;
}

static void *place(const redisReadTask *task, struct resp_reply *reply)
{
	if (reply != NULL && task->parent != NULL) {
		struct resp_reply *parent = task->parent->obj;

		parent->items[task->idx] = reply;
	}
	return reply;
}

static enum resp_kind kind_of_text(int type)
{
	switch (type) {
	case REDIS_REPLY_STRING:
		return RESP_STRING;
	case REDIS_REPLY_STATUS:
		return RESP_STATUS;
	case REDIS_REPLY_ERROR:
		return RESP_ERROR;
	default:
		return RESP_OTHER; /* of a protocol version that nobody asked for */
	}
}

static void *make_text(const redisReadTask *task, char *p, size_t n)
{
	struct resp_reply *reply = reply_new(task, kind_of_text(task->type));
	char *copy = reply != NULL ? alloc(task->privdata, n + 1) : NULL;

	if (copy == NULL)
		return NULL;
	memcpy(copy, p, n);
	copy[n] = '\0';
	reply->text = str_n(copy, n);
	return place(task, reply);
}

static bool is_too_deep(const redisReadTask *task)
{
	int depth = 1;

	while ((task = task->parent) != NULL)
		if (++depth > MAX_DEPTH)
			return true;
	return false;
}

static void *make_array_of(const redisReadTask *task, size_t n)
{
	struct resp_reader *r = task->privdata;
	struct resp_reply *reply = reply_new(task, task->type == REDIS_REPLY_ARRAY ? RESP_ARRAY : RESP_OTHER);

	if (reply == NULL || n > MAX_ELEMENTS || is_too_deep(task))
		return NULL;
	reply->n = n;
	reply->items = alloc(r, n * sizeof(*reply->items));
	if (reply->items == NULL && n > 0)
		return NULL;
	return place(task, reply);
}

static void *make_integer(const redisReadTask *task, long long value)
{
	struct resp_reply *reply = reply_new(task, RESP_INTEGER);

	if (reply != NULL)
		reply->integer = value;
	return place(task, reply);
}

static void *make_nil(const redisReadTask *task)
{
	return place(task, reply_new(task, RESP_NIL));
}

static void drop(void *reply)
{
	(void)reply; /* the arena's */
}

/* Without functions for them hiredis 1.x would make up pointers for what only a server that talks RESP3 unasked sends. */
#if HIREDIS_MAJOR >= 1
static void *make_array(const redisReadTask *task, size_t n)
{
	return make_array_of(task, n);
}

static void *make_double(const redisReadTask *task, double value, char *p, size_t n)
{
	(void)value;
	(void)p;
	(void)n;
	return place(task, reply_new(task, RESP_OTHER));
}

static void *make_bool(const redisReadTask *task, int value)
{
	(void)value;
	return place(task, reply_new(task, RESP_OTHER));
}
#else
static void *make_array(const redisReadTask *task, int n)
{
	/* The parser lets no negative one through, which would be too large here. */
	return make_array_of(task, (size_t)n);
}
#endif

static redisReplyObjectFunctions object_functions = {
	.createString = make_text,
	.createArray = make_array,
	.createInteger = make_integer,
	.createNil = make_nil,
	.freeObject = drop,
#if HIREDIS_MAJOR >= 1
	.createDouble = make_double,
	.createBool = make_bool,
#endif
};

/* --- the reader --- */

struct resp_reader *resp_reader_new(size_t max_bytes)
{
	struct resp_reader *r = mem_zalloc(sizeof(*r));

	r->max_bytes = max_bytes;
	r->parser = redisReaderCreateWithFunctions(&object_functions);
	if (r->parser == NULL) { /* as mem_alloc does */
		fputs("out of memory\n", stderr);
		abort();
	}
	r->parser->privdata = r;
	return r;
}

void resp_reader_free(struct resp_reader *r)
{
	if (r == NULL)
		return;
	redisReaderFree(r->parser);
	mem_free(r);
}

void resp_reader_freep(struct resp_reader **r)
{
	resp_reader_free(*r);
	*r = NULL;
}

enum err_code resp_feed(struct resp_reader *r, struct str bytes, struct err *reterr)
{
	if (bytes.n > r->max_bytes - r->fed)
		return err_set(reterr, ERR_TOO_LARGE, "Redis answers more than %zu bytes", r->max_bytes);
	r->fed += bytes.n;
	if (redisReaderFeed(r->parser, bytes.p, bytes.n) != REDIS_OK)
		return err_set(reterr, ERR_TOO_LARGE, "no memory for Redis's answer");
	return ERR_OK;
}

enum err_code resp_next(
	struct resp_reader *r, struct arena *arena, struct resp_reply **ret_reply, struct err *reterr)
{
	void *reply = NULL;
	int rc;

	r->arena = arena;
	rc = redisReaderGetReply(r->parser, &reply);
	r->arena = NULL;
	if (rc != REDIS_OK && r->parser->err == REDIS_ERR_OOM)
		return err_set(reterr, ERR_TOO_LARGE,
			"Redis's answer is larger than %zu bytes, or nested too deep", r->max_bytes);
	if (rc != REDIS_OK)
		return err_set(reterr, ERR_PROTOCOL, "Redis's answer is not Redis's protocol: %s",
			r->parser->errstr);
	if (reply != NULL)
		r->fed = r->kept = 0;
	*ret_reply = reply;
	return ERR_OK;
}

bool resp_reader_is_empty(const struct resp_reader *r)
{
	return r->parser->pos == r->parser->len && r->kept == 0;
}

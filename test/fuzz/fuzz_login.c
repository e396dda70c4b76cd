/* layers: syncers inventory proto base
 *
 * CloudTrail's documents and the feed's cursors: any text in. A login that comes out can become a resource id; a cursor that is believed
 * survives a step and fits the wire again. */
#include "syncers/login_scan.h"

#include <string.h>

#include "base/buf.h"
#include "base/encode.h"
#include "base/log.h"
#include "support/fuzz.h"

static void drop_line(void *arg, struct str line)
{
	(void)arg;
	(void)line;
}

/* A page that holds the input as a document, at both ends of what was asked for. */
static enum err_code look_up(void *self, const struct login_query *q, struct arena *arena,
	struct login_page *ret_page, struct err *reterr)
{
	const struct str *document = self;

	(void)reterr;
	FUZZ_CHECK(q->from_s <= q->until_s);
	*ret_page = (struct login_page){.records = arena_array_of(arena, 2, struct login_record),
		.n = 2,
		.next = q->token.n == 0 ? STR("more") : STR_EMPTY};
	ret_page->records[0] =
		(struct login_record){.id = STR("a"), .time_s = q->until_s, .document = *document};
	ret_page->records[1] =
		(struct login_record){.id = STR("b"), .time_s = q->from_s, .document = *document};
	return ERR_OK;
}

static void step(struct arena *arena, struct login_cursor *c, struct str document)
{
	const struct login_source source = {.look_up = look_up, .self = &document};
	struct login_cursor back;
	struct login_batch batch;
	struct err e;

	for (int i = 0; i < 3; i++) {
		FUZZ_CHECK(login_scan_step(c, c->from_s + i * 5000, 1, &source, arena, &batch, &e) == ERR_OK);
		FUZZ_CHECK(batch.n <= 1);
		FUZZ_CHECK(login_cursor_decode(arena, login_cursor_encode(arena, c), &back, &e) == ERR_OK);
		FUZZ_CHECK(
			back.from_s == c->from_s && back.scanning == c->scanning && back.n_seen == c->n_seen);
	}
}

/* The input as the inside of a cursor whose checksum is right. */
static struct str sealed(struct arena *arena, struct str inside)
{
	CLEANUP(buf_deinit) struct buf b = {0};
	uint64_t hash;

	buf_init(&b, SIZE_MAX / 2);
	buf_char(&b, '\1');
	buf_str(&b, inside);
	hash = str_hash(buf_view(&b));
	for (int i = 0; i < 4; i++)
		buf_char(&b, (char)((hash ^ hash >> 32) >> (8 * i)));
	return b64url_encode(arena, buf_view(&b));
}

static void try_cursor(struct arena *arena, struct str text)
{
	struct login_cursor c;
	struct err e;

	if (login_cursor_decode(arena, text, &c, &e) == ERR_OK && c.from_s < INT64_C(1) << 39)
		step(arena, &c, STR("{}"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str in = str_n((const char *)data, size);
	struct arena *arena = arena_new(0), *scratch = arena_new(0);
	struct login_cursor c = {.from_s = 1795228800};
	struct login login;

	log_capture(drop_line, NULL);
	if (login_parse(in, scratch, arena, &login))
		FUZZ_CHECK(login.account.n == 12 && login.user_id.n + login.store_id.n <= 512);
	step(arena, &c, in);
	try_cursor(arena, in);
	try_cursor(arena, sealed(arena, in));
	arena_free(scratch);
	arena_free(arena);
	return 0;
}

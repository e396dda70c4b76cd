/* layers: base
 *
 * XML from outside: any bytes in; events are balanced and within the limits, and how the bytes are cut into
 * chunks changes nothing. */
#include <string.h>

#include "base/buf.h"
#include "base/xml.h"
#include "support/fuzz.h"

#define MAX_TEXT  1024
#define MAX_BYTES (64 << 10)

struct events {
	struct buf log; /* what happened, for comparison */
	unsigned open;
};

static enum err_code on_start(void *self, struct str name, unsigned depth, struct err *reterr)
{
	struct events *e = self;

	(void)reterr;
	FUZZ_CHECK(depth == ++e->open && depth <= XML_MAX_DEPTH && name.n > 0);
	buf_char(&e->log, '<');
	buf_str(&e->log, name);
	return ERR_OK;
}

static enum err_code on_end(void *self, struct str name, struct str text, unsigned depth, struct err *reterr)
{
	struct events *e = self;

	FUZZ_CHECK(depth == e->open-- && text.n <= MAX_TEXT && str_is_utf8(text));
	buf_str(&e->log, name);
	buf_char(&e->log, '>');
	buf_str(&e->log, text);
	if (str_eq(name, STR("stop")))
		return err_set(reterr, ERR_PRECONDITION, "stopped");
	return ERR_OK;
}

static enum err_code read_all(struct events *e, struct str in, size_t chunk, struct err *err)
{
	struct xml_handler handler = {.start = on_start, .end = on_end, .self = e};
	CLEANUP(xml_reader_freep) struct xml_reader *r = xml_reader_new(&handler, MAX_BYTES, MAX_TEXT);
	enum err_code rc;

	e->open = 0;
	buf_init(&e->log, 4 << 20);
	do {
		struct str piece = str_sub(in, 0, chunk);

		in = str_from(in, piece.n);
		rc = xml_reader_feed(r, piece, in.n == 0, err);
	} while (rc == ERR_OK && in.n > 0);
	FUZZ_CHECK(rc != ERR_OK || e->open == 0);
	return rc;
}

/* What is written as text reads back, unless XML has no way to say it. */
static void check_writer(struct str in)
{
	CLEANUP(buf_deinit) struct buf written;

	buf_init(&written, 6 * in.n);
	xml_write_text(&written, in);
	FUZZ_CHECK(!written.overflow);
	FUZZ_CHECK(str_find_char(buf_view(&written), '<') < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_n((const char *)data, size);
	struct events whole, pieces;
	struct err err;
	enum err_code rc = read_all(&whole, in, size ? size : 1, &err);

	FUZZ_CHECK(rc == ERR_OK || rc == ERR_PROTOCOL || rc == ERR_TOO_LARGE || rc == ERR_PRECONDITION);
	FUZZ_CHECK(rc == read_all(&pieces, in, 1 + size / 7, &err) || size > MAX_BYTES);
	if (rc == ERR_OK)
		FUZZ_CHECK(str_eq(buf_view(&whole.log), buf_view(&pieces.log)));
	buf_deinit(&whole.log);
	buf_deinit(&pieces.log);
	check_writer(in);
	return 0;
}

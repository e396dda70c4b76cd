/* layers: base
 *
 * JSON from outside: any bytes in; what is accepted keeps its limits, and every string of it can be written
 * and read back. */
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "support/fuzz.h"

static void check_string(struct arena *a, struct str s)
{
	CLEANUP(buf_deinit) struct buf written;
	const struct json *back;
	struct err err;

	FUZZ_CHECK(str_is_utf8(s) && !memchr(s.n ? s.p : "", '\0', s.n));
	buf_init(&written, 6 * s.n + 2);
	json_write_str(&written, s);
	FUZZ_CHECK(!written.overflow);
	FUZZ_CHECK(json_parse(a, buf_view(&written), written.n, &back, &err) == ERR_OK);
	FUZZ_CHECK(str_eq(json_str(back), s));
}

static void check_tree(struct arena *a, const struct json *j, unsigned depth)
{
	FUZZ_CHECK(depth <= JSON_MAX_DEPTH);
	if (j->kind == JSON_STRING)
		check_string(a, j->string);
	for (size_t i = 0; i < j->n; i++) {
		if (j->kind == JSON_OBJECT) {
			check_string(a, j->keys[i]);
			FUZZ_CHECK(json_get(j, j->keys[i]) == &j->items[i]); /* no key is there twice */
			FUZZ_CHECK(json_get_nocase(j, j->keys[i]) != NULL);
		}
		check_tree(a, &j->items[i], depth + 1);
	}
}

static void check_writer(struct arena *a, struct str any)
{
	CLEANUP(buf_deinit) struct buf written;
	const struct json *back;
	struct err err;

	buf_init(&written, 6 * any.n + 2);
	json_write_str(&written, any);
	FUZZ_CHECK(!written.overflow && str_is_utf8(buf_view(&written)));
	if (!memchr(any.n ? any.p : "", '\0', any.n)) /* a NUL is written, but not read */
		FUZZ_CHECK(json_parse(a, buf_view(&written), written.n, &back, &err) == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct str in = str_n((const char *)data, size);
	const struct json *j;
	struct err err;

	if (json_parse(a, in, 64 << 10, &j, &err) == ERR_OK)
		check_tree(a, j, 0);
	else
		FUZZ_CHECK(err.code == ERR_PROTOCOL || err.code == ERR_TOO_LARGE);
	check_writer(a, in);
	return 0;
}

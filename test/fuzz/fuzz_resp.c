/* layers: store base
 *
 * Whatever Redis sends: replies within the bound, or an error; and in one piece the same as byte by byte. */
#include "store/resp.h"

#include "support/fuzz.h"

#define MAX_BYTES 20000

static size_t weigh(const struct resp_reply *r)
{
	size_t sum = 1 + r->text.n;

	for (size_t i = 0; i < r->n; i++)
		sum += weigh(r->items[i]);
	return sum;
}

static enum err_code read_all(struct str bytes, size_t step, size_t *ret_n)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	CLEANUP(resp_reader_freep) struct resp_reader *reader = resp_reader_new(MAX_BYTES);
	struct resp_reply *reply;
	struct err err;

	for (size_t at = 0; at < bytes.n; at += step) {
		if (resp_feed(reader, str_sub(bytes, at, step), &err) != ERR_OK)
			return err.code;
		do {
			if (resp_next(reader, arena, &reply, &err) != ERR_OK)
				return err.code;
			if (reply == NULL)
				continue;
			++*ret_n;
			FUZZ_CHECK(weigh(reply) <= MAX_BYTES);
		} while (reply != NULL);
	}
	return ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str bytes = str_n((const char *)data, size);
	size_t whole = 0, pieces = 0;
	enum err_code code;

	if (size > MAX_BYTES)
		return 0;
	code = read_all(bytes, size > 0 ? size : 1, &whole);
	FUZZ_CHECK(read_all(bytes, 1, &pieces) == code && whole == pieces);
	return 0;
}

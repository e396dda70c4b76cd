/* layers: store base
 *
 * Values in Redis: what decodes is within the bound, and encodes to something that decodes to the same; the checksum is made good, so
 * that what is behind it is reached. */
#include "store/redis_value.h"

#include <string.h>

#include "support/fuzz.h"

#define KEY       STR("baton:1:{sync}:v:key")
#define MAX_BYTES 100000
#define SUM_AT    13
#define HEADER    21

static void make_checksum_good(char *bytes, size_t n)
{
	uint64_t sum = str_hash(str_n(bytes + HEADER, n - HEADER)) * 31 + str_hash(KEY);

	for (size_t i = 0; i < 8; i++, sum >>= 8)
		bytes[SUM_AT + i] = (char)sum;
}

static void check(struct str bytes)
{
	CLEANUP(blob_unrefp) struct blob *value = NULL;
	CLEANUP(blob_unrefp) struct blob *again = NULL;
	CLEANUP(buf_deinit) struct buf packed;
	struct err err;

	buf_init(&packed, MAX_BYTES + 100);
	if (redis_value_decode(KEY, bytes, MAX_BYTES, &value, &err) != ERR_OK)
		return;
	FUZZ_CHECK(blob_view(value).n <= MAX_BYTES);
	FUZZ_CHECK(redis_value_encode(KEY, blob_view(value), &packed, &err) == ERR_OK);
	FUZZ_CHECK(redis_value_decode(KEY, buf_view(&packed), MAX_BYTES, &again, &err) == ERR_OK);
	FUZZ_CHECK(str_eq(blob_view(value), blob_view(again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = calloc(size + 1, 1);

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	check(str_n(copy, size));
	if (size >= HEADER) {
		make_checksum_good(copy, size);
		check(str_n(copy, size));
	}
	free(copy);
	return 0;
}

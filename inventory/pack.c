#include "inventory/pack.h"

void pack_u64(struct buf *b, uint64_t v)
{
	char bytes[10];
	size_t n = 0;

	do {
		bytes[n++] = (char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		v >>= 7;
	} while (v != 0);
	buf_add(b, bytes, n);
}

void pack_i64(struct buf *b, int64_t v)
{
	pack_u64(b, ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0));
}

void pack_str(struct buf *b, struct str s)
{
	pack_u64(b, s.n);
	buf_str(b, s);
}

/* After the first misfit nothing is left, so every later read fails as well. */
static void unpack_fail(struct unpack *u)
{
	u->bad = true;
	u->rest = STR_EMPTY;
}

uint64_t unpack_u64(struct unpack *u)
{
	uint64_t v = 0;

	for (size_t i = 0; i < u->rest.n && i < 10; i++) {
		const unsigned char byte = (unsigned char)u->rest.p[i];

		if (i == 9 && byte > 1)
			break; /* more than 64 bits */
		v |= (uint64_t)(byte & 0x7f) << (7 * i);
		if ((byte & 0x80) == 0) {
			u->rest = str_from(u->rest, i + 1);
			return v;
		}
	}
	unpack_fail(u);
	return 0;
}

int64_t unpack_i64(struct unpack *u)
{
	const uint64_t v = unpack_u64(u);

	return (int64_t)((v >> 1) ^ ((v & 1) ? UINT64_MAX : 0));
}

struct str unpack_str(struct unpack *u)
{
	const uint64_t n = unpack_u64(u);
	struct str s;

	if (n > u->rest.n) {
		unpack_fail(u);
		return STR_EMPTY;
	}
	s = str_sub(u->rest, 0, (size_t)n);
	u->rest = str_from(u->rest, (size_t)n);
	return s;
}

size_t unpack_count(struct unpack *u, size_t min_bytes)
{
	const uint64_t n = unpack_u64(u);

	if (n > u->rest.n / min_bytes) {
		unpack_fail(u);
		return 0;
	}
	return (size_t)n;
}

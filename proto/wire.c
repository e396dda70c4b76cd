#include "proto/wire.h"

#define MAX_FIELD_NUMBER 0x1fffffffU
#define MAX_VARINT_BYTES 10

struct wire wire_of(struct str bytes)
{
	const uint8_t *p = (const uint8_t *)(bytes.n > 0 ? bytes.p : "");

	return (struct wire){.p = p, .end = p + bytes.n};
}

bool wire_varint(struct wire *w, uint64_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < MAX_VARINT_BYTES && w->p + i < w->end; i++) {
		uint8_t byte = w->p[i];

		if (i == MAX_VARINT_BYTES - 1 && byte > 1)
			return false; /* bits beyond the 64th */
		v |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			w->p += i + 1;
			*ret = v;
			return true;
		}
	}
	return false;
}

static bool take(struct wire *w, uint64_t n, struct str *ret)
{
	if (n > (uint64_t)(w->end - w->p))
		return false;
	*ret = str_n((const char *)w->p, (size_t)n);
	w->p += n;
	return true;
}

bool wire_next(struct wire *w, struct wire_field *ret)
{
	uint64_t tag, v;
	const uint8_t *start;

	if (!wire_varint(w, &tag) || tag >> 3 == 0 || tag >> 3 > MAX_FIELD_NUMBER)
		return false;
	ret->number = (uint32_t)(tag >> 3);
	ret->type = (enum wire_type)(tag & 7);
	start = w->p;
	switch (ret->type) {
	case WIRE_VARINT:
		if (!wire_varint(w, &v))
			return false;
		ret->bytes = str_n((const char *)start, (size_t)(w->p - start));
		return true;
	case WIRE_FIXED64:
		return take(w, 8, &ret->bytes);
	case WIRE_FIXED32:
		return take(w, 4, &ret->bytes);
	case WIRE_LEN:
		return wire_varint(w, &v) && take(w, v, &ret->bytes);
	case WIRE_GROUP_START:
	case WIRE_GROUP_END:
		break;
	}
	return false;
}

/* base/json.h
 *
 * JSON from outside, read into an immutable tree in the arena; and a writer. The one place that knows jansson.
 *
 * Limits before parsing: bytes, nesting depth, number of values. Rejected: trailing bytes, NUL in strings, invalid
 * UTF-8. Duplicate members: the last one wins, as encoding/json of Go does it.
 *
 * Threads: values; one thread per arena. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_kind kind;
	bool boolean;
	bool is_int; /* number without fraction or exponent that fits integer */
	int64_t integer;
	double number;
	struct str string;
	size_t n;           /* elements or members */
	struct json *items; /* n elements (array) or member values (object) */
	struct str *keys;   /* n member names (object), in document order */
};

#define JSON_MAX_DEPTH 64
/* Values of all levels together. A tree takes some 200 bytes per value while it is made, so this is what bounds it:
 * at 50 MB. AWS's largest answer in JSON has a few thousand. */
#define JSON_MAX_VALUES (1u << 18)

/* ERR_PROTOCOL: not JSON (message says where). ERR_TOO_LARGE: text longer than max_bytes, nested too
 * deep, or of too many values. */
MUST_CHECK enum err_code json_parse(
	struct arena *a, struct str text, size_t max_bytes, const struct json **ret_json, struct err *reterr);

/* NULL when j is NULL, not an object, or has no such member. json_get_nocase matches ASCII case-insensitively. Both: the last
 * of several. */
const struct json *json_get(const struct json *j, struct str key);
const struct json *json_get_nocase(const struct json *j, struct str key);
struct str json_str(const struct json *j); /* empty unless a string */

/* Writers append to b; text that is not valid UTF-8 gets U+FFFD for what is not. */
void json_write_str(struct buf *b, struct str s); /* quoted and escaped */

#endif

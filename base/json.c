/* DESIGN
 *
 * jansson does the grammar, the escapes and the numbers; what it gives is copied into the arena and freed, so
 * that a tree dies with its call like everything else. What we add before it: size, nesting (its own limit,
 * 2048, is deeper than anything AWS sends) and the number of values, because three bytes of text ("[],") cost
 * both trees together some 200.
 *
 * jansson's error texts quote the input. That input can be an answer that carries credentials, so its texts
 * are not used: a message of ours says what is wrong and where, never what stood there. */

/* jansson's kinds have the names of ours. Its json_is_...() macros use them, so they are off limits here:
 * json_typeof only. */
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY  JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_NULL   JANSSON_NULL
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_NULL

#include "base/json.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"

/* Above this a double no longer tells integers apart. */
#define DOUBLE_EXACT 9007199254740992.0

static void init_jansson(void)
{
	/* Answers with credentials in them come as JSON too. */
	json_set_alloc_funcs(mem_alloc, mem_free_wiped);
}

static const char *error_text(enum json_error_code code)
{
	switch (code) {
	case json_error_premature_end_of_input:
		return "it ends too early";
	case json_error_end_of_input_expected:
		return "something follows it";
	case json_error_invalid_utf8:
		return "invalid UTF-8";
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "a NUL byte in a string";
	case json_error_numeric_overflow:
		return "a number is too big";
	default:
		return "invalid syntax";
	}
}

/* Nesting and values as a reader of brackets and commas sees them: each value is the first one, the first of a
 * container, or stands behind a comma. Text that is not JSON may be counted wrong, but never less than the
 * parser would go into: what opens a string here opens one there. */
static enum err_code check_limits(struct str text, struct err *reterr)
{
	unsigned depth = 0;
	size_t values = 1;
	bool in_string = false;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			values++;
			if (++depth > JSON_MAX_DEPTH)
				return err_set(reterr, ERR_TOO_LARGE, "JSON is nested deeper than %d",
					JSON_MAX_DEPTH);
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		} else if (c == ',') {
			values++;
		}
	}
	if (values > JSON_MAX_VALUES)
		return err_set(reterr, ERR_TOO_LARGE, "JSON has more than %u values", JSON_MAX_VALUES);
	return ERR_OK;
}

static void *try_array(struct arena *a, size_t n, size_t size)
{
	/* n is the length of something already in memory, whose elements there are larger: no overflow */
	void *p = arena_try_alloc(a, n * size);

	if (p)
		memset(p, 0, n * size);
	return p;
}

static bool copy_str(struct arena *a, const char *p, size_t n, struct str *ret)
{
	char *to = arena_try_alloc(a, n + 1);

	if (!to)
		return false;
	memcpy(to, p, n);
	to[n] = '\0';
	*ret = str_n(to, n);
	return true;
}

static bool copy_value(struct arena *a, const json_t *from, bool ints_as_real, struct json *to);

static bool copy_array(struct arena *a, const json_t *from, bool ints_as_real, struct json *to)
{
	to->n = json_array_size(from);
	if (to->n == 0)
		return true;
	to->items = try_array(a, to->n, sizeof(*to->items));
	if (!to->items)
		return false;
	for (size_t i = 0; i < to->n; i++)
		if (!copy_value(a, json_array_get(from, i), ints_as_real, &to->items[i]))
			return false;
	return true;
}

static bool copy_object(struct arena *a, const json_t *from, bool ints_as_real, struct json *to)
{
	json_t *object = (json_t *)from; /* iteration does not change it, but its API says so */
	size_t i = 0;

	to->n = json_object_size(from);
	if (to->n == 0)
		return true;
	to->items = try_array(a, to->n, sizeof(*to->items));
	to->keys = to->items ? try_array(a, to->n, sizeof(*to->keys)) : NULL;
	if (!to->keys)
		return false;
	for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it), i++) {
		const char *key = json_object_iter_key(it);

		if (!copy_str(a, key, strlen(key), &to->keys[i]) ||
			!copy_value(a, json_object_iter_value(it), ints_as_real, &to->items[i]))
			return false;
	}
	return true;
}

static void copy_number(double number, bool is_int, int64_t integer, struct json *to)
{
	to->kind = JSON_NUMBER;
	to->number = number;
	to->is_int = is_int;
	to->integer = integer;
}

static void copy_real(double number, bool ints_as_real, struct json *to)
{
	bool exact = ints_as_real && number >= -DOUBLE_EXACT && number <= DOUBLE_EXACT &&
		     number == (double)(int64_t)number;

	copy_number(number, exact, exact ? (int64_t)number : 0, to);
}

/* False: the arena is full. Recurses at most JSON_MAX_DEPTH deep. */
static bool copy_value(struct arena *a, const json_t *from, bool ints_as_real, struct json *to)
{
	switch (json_typeof(from)) {
	case JANSSON_OBJECT:
		to->kind = JSON_OBJECT;
		return copy_object(a, from, ints_as_real, to);
	case JANSSON_ARRAY:
		to->kind = JSON_ARRAY;
		return copy_array(a, from, ints_as_real, to);
	case JANSSON_STRING:
		to->kind = JSON_STRING;
		return copy_str(a, json_string_value(from), json_string_length(from), &to->string);
	case JSON_INTEGER:
		copy_number((double)json_integer_value(from), true, json_integer_value(from), to);
		return true;
	case JSON_REAL:
		copy_real(json_real_value(from), ints_as_real, to);
		return true;
	case JSON_TRUE:
	case JSON_FALSE:
		to->kind = JSON_BOOL;
		to->boolean = json_typeof(from) == JSON_TRUE;
		return true;
	case JANSSON_NULL:
		to->kind = JSON_NULL;
		return true;
	}
	return false;
}

/* jansson refuses a document with an integer beyond int64. Such a document is read again with every integer
 * as a double; those that a double holds exactly are integers again in our tree. */
static json_t *load(struct str text, bool *ret_ints_as_real, json_error_t *error)
{
	json_t *root = json_loadb(text.n ? text.p : "", text.n, JSON_DECODE_ANY, error);

	*ret_ints_as_real = !root && json_error_code(error) == json_error_numeric_overflow;
	if (*ret_ints_as_real)
		root = json_loadb(text.p, text.n, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, error);
	return root;
}

enum err_code json_parse(
	struct arena *a, struct str text, size_t max_bytes, const struct json **ret_json, struct err *reterr)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	json_error_t error;
	bool ints_as_real, copied;
	json_t *root;
	struct json *tree;
	enum err_code rc;

	(void)pthread_once(&once, init_jansson);
	if (text.n > max_bytes)
		return err_set(reterr, ERR_TOO_LARGE, "JSON of %zu bytes is larger than %zu bytes", text.n,
			max_bytes);
	rc = check_limits(text, reterr);
	if (rc != ERR_OK)
		return rc;
	root = load(text, &ints_as_real, &error);
	if (!root)
		return err_set(reterr, ERR_PROTOCOL, "not JSON: %s at line %d, column %d",
			error_text(json_error_code(&error)), error.line, error.column);

	tree = try_array(a, 1, sizeof(*tree));
	copied = tree && copy_value(a, root, ints_as_real, tree);
	json_decref(root);
	if (!copied)
		return err_set(reterr, ERR_TOO_LARGE, "JSON needs more memory than its call may use");
	*ret_json = tree;
	return ERR_OK;
}

typedef bool(str_equal_fn)(struct str a, struct str b);

static const struct json *find_last(const struct json *j, struct str key, str_equal_fn *equal)
{
	if (!j || j->kind != JSON_OBJECT)
		return NULL;
	for (size_t i = j->n; i > 0; i--)
		if (equal(j->keys[i - 1], key))
			return &j->items[i - 1];
	return NULL;
}

const struct json *json_get(const struct json *j, struct str key)
{
	return find_last(j, key, str_eq);
}

const struct json *json_get_nocase(const struct json *j, struct str key)
{
	return find_last(j, key, str_eq_nocase);
}

struct str json_str(const struct json *j)
{
	return j && j->kind == JSON_STRING ? j->string : STR_EMPTY;
}

static void write_ascii(struct buf *b, char c)
{
	switch (c) {
	case '"':
		buf_c(b, "\\\"");
		return;
	case '\\':
		buf_c(b, "\\\\");
		return;
	case '\n':
		buf_c(b, "\\n");
		return;
	case '\r':
		buf_c(b, "\\r");
		return;
	case '\t':
		buf_c(b, "\\t");
		return;
	default:
		if ((unsigned char)c < 0x20 || c == 0x7f)
			buf_fmt(b, "\\u%04x", (unsigned)c);
		else
			buf_char(b, c);
	}
}

/* How many bytes at the front need no escape and are ASCII: nearly all of nearly every text. */
static size_t plain_run(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= 0x20 && s.p[n] < 0x7f && s.p[n] != '"' && s.p[n] != '\\')
		n++;
	return n;
}

void json_write_str(struct buf *b, struct str s)
{
	buf_char(b, '"');
	while (s.n > 0) {
		size_t n = plain_run(s);

		if (n > 0) {
			buf_add(b, s.p, n);
			s = str_from(s, n);
			continue;
		}
		n = str_utf8_step(s);
		if (n == 1)
			write_ascii(b, s.p[0]);
		else if (n > 1)
			buf_add(b, s.p, n);
		else
			buf_c(b, "\xef\xbf\xbd");
		s = str_from(s, n ? n : 1);
	}
	buf_char(b, '"');
}

/* layers: aws base
 *
 * The decoder of JSON 1.1 answers over a shape with every kind of member. What was decoded is encoded
 * again, and decodes to the same. */
#include "aws/json11.h"

#include "support/fuzz.h"

#define MAX_BYTES 100000

struct item {
	struct str id;
};
struct thing {
	struct str name, bytes;
	struct aws_int count, on, at;
	struct aws_list names, items;
	struct item one;
};
static const struct aws_member item_members[] = {{"Id", AWS_STRING, offsetof(struct item, id), NULL}};
static const struct aws_shape item_shape = AWS_SHAPE(struct item, item_members);
static const struct aws_member members[] = {
	{"Name", AWS_STRING, offsetof(struct thing, name), NULL},
	{"Bytes", AWS_BLOB, offsetof(struct thing, bytes), NULL},
	{"Count", AWS_INT, offsetof(struct thing, count), NULL},
	{"On", AWS_BOOL, offsetof(struct thing, on), NULL},
	{"At", AWS_TIME, offsetof(struct thing, at), NULL},
	{"Names", AWS_LIST, offsetof(struct thing, names), NULL},
	{"Items", AWS_LIST, offsetof(struct thing, items), &item_shape},
	{"One", AWS_STRUCT, offsetof(struct thing, one), &item_shape},
};
static const struct aws_shape shape = AWS_SHAPE(struct thing, members);
static const struct aws_service service = {.id = "things", .protocol = AWS_JSON11, .target_prefix = "Things"};
static const struct aws_operation op = {.service = &service, .name = "DoThing", .in = &shape, .out = &shape};

static enum err_code decode(struct arena *a, struct str body, struct thing *t)
{
	struct aws_json11_answer answer = {.op = &op, .body = body, .max_bytes = MAX_BYTES};
	struct err err;
	bool sink_failed;

	return aws_json11_decode(&answer, a, t, &sink_failed, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	CLEANUP(buf_deinit) struct buf b;
	struct thing t, again;
	struct err err;

	buf_init(&b, MAX_BYTES);
	if (decode(a, str_n((const char *)data, size), &t) != ERR_OK ||
		aws_json11_encode(&op, &t, &b, &err) != ERR_OK)
		return 0;
	FUZZ_CHECK(decode(a, buf_view(&b), &again) == ERR_OK);
	FUZZ_CHECK(
		str_eq(t.name, again.name) && str_eq(t.bytes, again.bytes) && str_eq(t.one.id, again.one.id));
	FUZZ_CHECK(t.count.v == again.count.v && t.on.v == again.on.v && t.at.v == again.at.v);
	FUZZ_CHECK(t.names.n == again.names.n && t.items.n == again.items.n);
	for (size_t i = 0; i < t.names.n; i++)
		FUZZ_CHECK(str_eq(
			*AWS_LIST_AT(t.names, struct str, i), *AWS_LIST_AT(again.names, struct str, i)));
	return 0;
}

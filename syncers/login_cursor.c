#include "syncers/login_cursor.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/encode.h"
#include "base/json.h"
#include "inventory/pack.h"

#define VERSION        '\1'
#define HASH_BYTES     4
#define CHECKSUM_BYTES 4
#define MAX_TIME_S     (INT64_C(1) << 40) /* the year 36812: sums of two stay far below any limit */

/* What a cursor takes at most: version, three times of six bytes, two flags, at_hash, the count, the checksum; then the ids. All lie in two
 * spans of LOGIN_OVERLAP_S: a distance that needs a second byte uses up 128 s of them, and the one between the spans has six at most. */
#define MAX_HEAD  (1 + 3 * 6 + 2 + HASH_BYTES + 2 + CHECKSUM_BYTES)
#define MAX_SEEN  (LOGIN_MAX_SEEN * (1 + HASH_BYTES) + 2 * LOGIN_OVERLAP_S / 128 + 6)
#define MAX_BYTES (LOGIN_CURSOR_MAX / 4 * 3)
_Static_assert(MAX_HEAD + MAX_SEEN <= MAX_BYTES, "a cursor fits");

static void put_u32(struct buf *b, uint32_t v)
{
	for (size_t i = 0; i < 4; i++)
		buf_char(b, (char)(v >> (8 * i)));
}

static uint32_t take_u32(struct unpack *u)
{
	uint32_t v = 0;

	if (u->rest.n < 4) {
		u->bad = true;
		return 0;
	}
	for (size_t i = 0; i < 4; i++)
		v |= (uint32_t)(unsigned char)u->rest.p[i] << (8 * i);
	u->rest = str_from(u->rest, 4);
	return v;
}

static uint32_t fold(uint64_t hash)
{
	return (uint32_t)(hash ^ hash >> 32);
}

uint32_t login_hash(struct str event_id)
{
	return fold(str_hash(event_id));
}

/* --- the ids --- */

static int compare(struct login_seen a, struct login_seen b)
{
	if (a.time_s != b.time_s)
		return a.time_s < b.time_s ? -1 : 1;
	return a.hash < b.hash ? -1 : a.hash > b.hash;
}

/* Where it is, or belongs. */
static size_t place_of(const struct login_cursor *c, struct login_seen event)
{
	size_t low = 0, high = c->n_seen;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (compare(c->seen[middle], event) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool login_cursor_has_seen(const struct login_cursor *c, struct login_seen event)
{
	const size_t i = place_of(c, event);

	return i < c->n_seen && compare(c->seen[i], event) == 0;
}

void login_cursor_add(struct login_cursor *c, struct login_seen event)
{
	const size_t i = place_of(c, event);

	if (i < c->n_seen && compare(c->seen[i], event) == 0)
		return;
	assert(c->n_seen < LOGIN_MAX_SEEN);
	memmove(&c->seen[i + 1], &c->seen[i], (c->n_seen - i) * sizeof(c->seen[0]));
	c->seen[i] = event;
	c->n_seen++;
}

void login_cursor_forget(struct login_cursor *c, int64_t first_s, int64_t last_s)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->n_seen; i++) {
		if (c->seen[i].time_s < first_s || c->seen[i].time_s > last_s)
			c->seen[kept++] = c->seen[i];
	}
	c->n_seen = kept;
}

/* --- writing --- */

struct str login_cursor_encode(struct arena *arena, const struct login_cursor *c)
{
	CLEANUP(buf_deinit) struct buf b = {0};
	int64_t before_s = c->from_s;

	buf_init(&b, MAX_BYTES);
	buf_char(&b, VERSION);
	pack_u64(&b, (uint64_t)c->from_s);
	pack_u64(&b, c->scanning);
	if (c->scanning) {
		pack_u64(&b, (uint64_t)(c->until_s - c->from_s));
		pack_u64(&b, (uint64_t)(c->at_s - c->from_s));
		pack_u64(&b, c->in_second);
		if (c->in_second)
			put_u32(&b, c->at_hash);
	}
	pack_u64(&b, c->n_seen);
	for (size_t i = 0; i < c->n_seen; i++) {
		pack_u64(&b, (uint64_t)(c->seen[i].time_s - before_s));
		put_u32(&b, c->seen[i].hash);
		before_s = c->seen[i].time_s;
	}
	put_u32(&b, fold(str_hash(buf_view(&b))));
	assert(!b.overflow);
	return b64url_encode(arena, buf_view(&b));
}

/* --- reading --- */

static int64_t take_time(struct unpack *u, int64_t base_s)
{
	const uint64_t offset = unpack_u64(u);

	if (offset > (uint64_t)(MAX_TIME_S - base_s)) {
		u->bad = true;
		return base_s;
	}
	return base_s + (int64_t)offset;
}

static bool take_flag(struct unpack *u)
{
	const uint64_t v = unpack_u64(u);

	u->bad = u->bad || v > 1;
	return v == 1;
}

static bool may_be_seen(const struct login_cursor *c, int64_t time_s)
{
	return time_s < c->from_s + LOGIN_OVERLAP_S ||
	       (c->scanning && time_s > c->until_s - LOGIN_OVERLAP_S && time_s <= c->until_s);
}

static void take_seen(struct unpack *u, struct login_cursor *c)
{
	const size_t n = unpack_count(u, 1 + HASH_BYTES);
	int64_t before_s = c->from_s;

	u->bad = u->bad || n > LOGIN_MAX_SEEN;
	while (!u->bad && c->n_seen < n) {
		struct login_seen *seen = &c->seen[c->n_seen];

		seen->time_s = before_s = take_time(u, before_s);
		seen->hash = take_u32(u);
		u->bad = u->bad || !may_be_seen(c, seen->time_s) ||
			 (c->n_seen > 0 && compare(seen[-1], *seen) >= 0);
		c->n_seen++;
	}
}

static void take_scan(struct unpack *u, struct login_cursor *c)
{
	c->until_s = take_time(u, c->from_s);
	c->at_s = take_time(u, c->from_s);
	c->in_second = take_flag(u);
	if (c->in_second)
		c->at_hash = take_u32(u);
	u->bad = u->bad || c->at_s > c->until_s;
}

/* {"latest_event_seen":"...","next_page_token":"...","start_at":"2026-11-21T02:35:00Z","end_at":"..."}. Its scan, if it is in the middle of
 * one, begins anew: the token belongs to credentials and times that need not be ours. */
static enum err_code decode_reference(
	struct arena *arena, struct str text, struct login_cursor *ret, struct err *reterr)
{
	const struct json *j;
	struct str bytes;

	if (!b64_decode(arena, text, &bytes) ||
		json_parse(arena, bytes, LOGIN_CURSOR_MAX, &j, reterr) != ERR_OK)
		return err_set(reterr, ERR_INVALID, "baton-aws: cursor corrupt: not base64 of JSON");
	if (!time_parse_rfc3339(json_str(json_get(j, STR("start_at"))), &ret->from_s) || ret->from_s < 0 ||
		ret->from_s > MAX_TIME_S)
		return err_set(reterr, ERR_INVALID, "baton-aws: cursor corrupt: its start_at is not a time");
	return ERR_OK;
}

enum err_code login_cursor_decode(
	struct arena *arena, struct str text, struct login_cursor *ret, struct err *reterr)
{
	struct login_cursor c = {.n_seen = 0};
	struct unpack u = {.bad = false}, checksum;
	struct str bytes;

	if (text.n > LOGIN_CURSOR_MAX)
		return err_set(reterr, ERR_INVALID, "baton-aws: cursor corrupt: it is longer than %d bytes",
			LOGIN_CURSOR_MAX);
	if (str_starts(text, STR("ey"))) { /* '{' and a quotation mark; ours begin with the version */
		if (decode_reference(arena, text, &c, reterr) != ERR_OK)
			return reterr->code;
		*ret = c;
		return ERR_OK;
	}
	if (!b64url_decode(arena, text, &bytes))
		return err_set(reterr, ERR_INVALID, "baton-aws: cursor corrupt: not base64url");
	if (bytes.n < 1 + CHECKSUM_BYTES || bytes.p[0] != VERSION)
		return err_set(
			reterr, ERR_INVALID, "baton-aws: cursor corrupt: not a cursor of this version");
	bytes.n -= CHECKSUM_BYTES;
	checksum = (struct unpack){.rest = str_n(bytes.p + bytes.n, CHECKSUM_BYTES)};
	if (take_u32(&checksum) != fold(str_hash(bytes)))
		return err_set(reterr, ERR_INVALID, "baton-aws: cursor corrupt: wrong checksum");
	u.rest = str_from(bytes, 1);
	c.from_s = take_time(&u, 0);
	c.scanning = take_flag(&u);
	if (c.scanning)
		take_scan(&u, &c);
	take_seen(&u, &c);
	if (u.bad || u.rest.n > 0)
		return err_set(reterr, ERR_INVALID, "baton-aws: cursor corrupt: it contradicts itself");
	*ret = c;
	return ERR_OK;
}

#include "sim/sim_auth.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/thread.h"

#define ALGORITHM    "AWS4-HMAC-SHA256"
#define SKEW_MAX_S   300
#define SESSIONS_MAX 32768 /* 32^3; the oldest is forgotten first, its keys are unknown from then on */
#define HASH_LEN     32

struct session {
	char access_key_id[21]; /* "": a place not used yet */
	char secret[41];
	char token[129];
	char *arn, *user_id;
	struct sim_account *account;
	const struct sim_entity *role;
	int64_t expires_s;
};

struct sim_auth {
	struct mutex lock;                     /* guards the rest */
	struct session sessions[SESSIONS_MAX]; /* a ring; a key id ends in its place */
	uint64_t issued;
};

struct sim_auth *sim_auth_new(void)
{
	struct sim_auth *a = mem_zalloc(sizeof(*a));

	mutex_init(&a->lock);
	return a;
}

void sim_auth_free(struct sim_auth *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		mem_free(a->sessions[i].arn);
		mem_free(a->sessions[i].user_id);
	}
	mutex_deinit(&a->lock);
	mem_free(a);
}

/* --- temporary credentials --- */
static void random_text(char *out, size_t size, uint64_t seed, uint64_t what)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i + 1 < size; i++)
		out[i] = alphabet[sim_hash(seed, what, i, 7) % 64];
	out[size - 1] = '\0';
}

/* Three digits of base 32 at the end of a key id say where its session is. */
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
#define KEY_ID_LEN   20
#define PLACE_DIGITS 3

static void write_place(char *key_id, size_t place)
{
	for (size_t i = 1; i <= PLACE_DIGITS; i++, place /= 32)
		key_id[KEY_ID_LEN - i] = digits[place % 32];
}

/* NULL: never issued, or forgotten. */
static const struct session *session_find(const struct sim_auth *a, struct str key_id)
{
	size_t place = 0;

	if (key_id.n != KEY_ID_LEN)
		return NULL;
	for (size_t i = KEY_ID_LEN - PLACE_DIGITS; i < KEY_ID_LEN; i++) {
		const char *digit = strchr(digits, key_id.p[i]);
		if (key_id.p[i] == '\0' || digit == NULL)
			return NULL;
		place = place * 32 + (size_t)(digit - digits);
	}
	return str_eq_c(key_id, a->sessions[place].access_key_id) ? &a->sessions[place] : NULL;
}

void sim_auth_issue(struct sim_call *c, struct sim_account *account, const struct sim_entity *role,
	struct str session_name, int64_t duration_s, struct sim_session *ret)
{
	struct sim_auth *a = c->sim->auth;
	const struct sim_options *opts = c->sim->opts;
	struct str arn = str_fmt(c->arena, "arn:aws:sts::" STR_FMT ":assumed-role/" STR_FMT "/" STR_FMT,
		STR_ARG(account->id), STR_ARG(role->name), STR_ARG(session_name));
	struct str user_id = str_fmt(c->arena, STR_FMT ":" STR_FMT, STR_ARG(role->id), STR_ARG(session_name));

	LOCK_SCOPE(&a->lock);
	uint64_t nth = a->issued++;
	struct session *s = &a->sessions[nth % SESSIONS_MAX];
	mem_free(s->arn);
	mem_free(s->user_id);
	s->arn = mem_strndup(arn.p, arn.n);
	s->user_id = mem_strndup(user_id.p, user_id.n);
	s->account = account;
	s->role = role;
	s->expires_s =
		sim_now_s(c->sim) + (opts->session_seconds > 0 ? (int64_t)opts->session_seconds : duration_s);
	struct str id = sim_id(c->arena, "ASIA", sim_hash(opts->seed, nth, 1, 1));
	memcpy(s->access_key_id, id.p, KEY_ID_LEN);
	write_place(s->access_key_id, nth % SESSIONS_MAX);
	random_text(s->secret, sizeof(s->secret), opts->seed, nth * 2 + 1);
	random_text(s->token, sizeof(s->token), opts->seed, nth * 2 + 2);
	*ret = (struct sim_session){
		.access_key_id = str_dup(c->arena, str_c(s->access_key_id)),
		.secret = str_dup(c->arena, str_c(s->secret)),
		.token = str_dup(c->arena, str_c(s->token)),
		.expires_s = s->expires_s,
	};
}

/* --- the Authorization header --- */
struct sigv4 { /* what a request says of its signature */
	struct str access_key_id, date, region, service, terminator;
	struct str scope;          /* date/region/service/aws4_request */
	struct str signed_headers; /* as sent: "host;x-amz-date" */
	struct str signature;
	struct str time; /* x-amz-date */
};

static void fail_incomplete(struct sim_call *c, const char *what)
{
	sim_fail(c, 400, "IncompleteSignature", "Authorization header requires '%s' parameter.", what);
}

static bool parse_authorization(struct sim_call *c, const struct sim_request *req, struct sigv4 *ret)
{
	struct str rest = sim_header(req, "authorization");
	struct sigv4 s = {.time = sim_header(req, "x-amz-date")};

	if (rest.n == 0) {
		sim_fail(c, 403, "MissingAuthenticationToken", "Request is missing Authentication Token");
		return false;
	}
	if (!str_eq_c(str_cut(&rest, ' '), ALGORITHM)) {
		sim_fail(c, 400, "IncompleteSignature", "Unsupported AWS 'algorithm'");
		return false;
	}
	while (rest.n > 0) {
		struct str value = str_trim(str_cut(&rest, ','));
		struct str key = str_cut(&value, '=');
		if (str_eq_c(key, "Credential"))
			s.scope = value;
		else if (str_eq_c(key, "SignedHeaders"))
			s.signed_headers = value;
		else if (str_eq_c(key, "Signature"))
			s.signature = value;
	}
	s.access_key_id = str_cut(&s.scope, '/');
	struct str parts = s.scope;
	s.date = str_cut(&parts, '/');
	s.region = str_cut(&parts, '/');
	c->region = str_dup(c->arena, s.region);
	s.service = str_cut(&parts, '/');
	s.terminator = parts;
	if (s.access_key_id.n == 0 || !str_eq_c(s.terminator, "aws4_request"))
		fail_incomplete(c, "Credential");
	else if (s.signature.n == 0)
		fail_incomplete(c, "Signature");
	else if (s.signed_headers.n == 0)
		fail_incomplete(c, "SignedHeaders");
	*ret = s;
	return !sim_failed(c);
}

/* --- the signature --- */
static void sha256_hex(struct str bytes, char out[2 * HASH_LEN + 1])
{
	uint8_t hash[HASH_LEN];

	EVP_Digest(bytes.p, bytes.n, hash, NULL, EVP_sha256(), NULL);
	hex_write(out, hash, sizeof(hash));
	out[2 * HASH_LEN] = '\0';
}

static void hmac(uint8_t out[HASH_LEN], const void *key, size_t key_len, struct str text)
{
	unsigned len = HASH_LEN;

	HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text.p, text.n, out, &len);
}

static int encoded_cmp(const void *a, const void *b)
{
	const struct sim_param *x = a, *y = b;
	int by_name = str_cmp(x->name, y->name);

	return by_name != 0 ? by_name : str_cmp(x->value, y->value);
}

static struct str encoded(struct arena *arena, struct str s)
{
	struct buf b;

	buf_init(&b, SIZE_MAX / 2);
	percent_encode(&b, s, /* keep_slash= */ false);
	struct str out = buf_dup(&b, arena);
	buf_deinit(&b);
	return out;
}

static void add_canonical_query(struct buf *b, const struct sim_request *req, struct arena *arena)
{
	struct sim_param *q = arena_array_of(arena, req->n_query + 1, struct sim_param);

	for (size_t i = 0; i < req->n_query; i++)
		q[i] = (struct sim_param){
			encoded(arena, req->query[i].name), encoded(arena, req->query[i].value)};
	qsort(q, req->n_query, sizeof(q[0]), encoded_cmp);
	for (size_t i = 0; i < req->n_query; i++)
		buf_fmt(b, "%s" STR_FMT "=" STR_FMT, i > 0 ? "&" : "", STR_ARG(q[i].name),
			STR_ARG(q[i].value));
}

/* A header's values in the order they came, joined by commas, with runs of spaces made one. False: it is
 * absent. */
static bool add_header_value(struct buf *b, const struct sim_request *req, struct str name)
{
	unsigned found = 0;

	for (size_t i = 0; i < req->n_headers; i++) {
		if (!str_eq(req->headers[i].name, name))
			continue;
		if (found++ > 0)
			buf_char(b, ',');
		struct str value = str_trim(req->headers[i].value);
		for (size_t k = 0; k < value.n; k++) {
			if (value.p[k] != ' ' || value.p[k - 1] != ' ')
				buf_char(b, value.p[k]);
		}
	}
	return found > 0;
}

static bool is_signed(const struct sigv4 *s, struct str name)
{
	for (struct str rest = s->signed_headers; rest.n > 0;) {
		if (str_eq(str_cut(&rest, ';'), name))
			return true;
	}
	return false;
}

static bool canonical_request(
	struct sim_call *c, const struct sim_request *req, const struct sigv4 *s, struct buf *out)
{
	struct str last = STR_EMPTY;
	char payload[2 * HASH_LEN + 1];

	buf_fmt(out, STR_FMT "\n/\n", STR_ARG(req->method));
	add_canonical_query(out, req, c->arena);
	buf_char(out, '\n');
	for (struct str rest = s->signed_headers; rest.n > 0;) {
		struct str name = str_cut(&rest, ';');
		buf_str(out, name);
		buf_char(out, ':');
		if (str_cmp(last, name) >= 0 || !add_header_value(out, req, name)) {
			sim_fail(c, 403, "SignatureDoesNotMatch",
				"Signed header '" STR_FMT "' is missing or out of order", STR_ARG(name));
			return false;
		}
		buf_char(out, '\n');
		last = name;
	}
	sha256_hex(req->body, payload);
	buf_fmt(out, "\n" STR_FMT "\n%s", STR_ARG(s->signed_headers), payload);
	return true;
}

static void sign(const struct sigv4 *s, struct str secret, struct str canonical, struct arena *arena,
	char out[2 * HASH_LEN + 1])
{
	struct str first = str_fmt(arena, "AWS4" STR_FMT, STR_ARG(secret));
	const struct str steps[] = {s->region, s->service, STR("aws4_request")};
	uint8_t key[HASH_LEN], next[HASH_LEN];
	char hash[2 * HASH_LEN + 1];

	sha256_hex(canonical, hash);
	struct str to_sign = str_fmt(
		arena, ALGORITHM "\n" STR_FMT "\n" STR_FMT "\n%s", STR_ARG(s->time), STR_ARG(s->scope), hash);
	hmac(key, first.p, first.n, s->date);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		hmac(next, key, sizeof(key), steps[i]);
		memcpy(key, next, sizeof(key));
	}
	hmac(next, key, sizeof(key), to_sign);
	hex_write(out, next, sizeof(next));
	out[2 * HASH_LEN] = '\0';
}

/* "20260102T030405Z" */
static bool parse_amz_time(struct str t, struct arena *arena, int64_t *ret_s)
{
	if (t.n != 16)
		return false;
	struct str rfc = str_fmt(
		arena, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", t.p, t.p + 4, t.p + 6, t.p + 9, t.p + 11, t.p + 13);
	return t.p[8] == 'T' && t.p[15] == 'Z' && time_parse_rfc3339(rfc, ret_s);
}

static void check_time(struct sim_call *c, const struct sigv4 *s)
{
	int64_t now_s = sim_now_s(c->sim), signed_s, limit_s;
	char now[17], limit[17];

	if (!parse_amz_time(s->time, c->arena, &signed_s)) {
		sim_fail(c, 400, "IncompleteSignature",
			"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' "
			"header.");
		return;
	}
	if (!str_eq(str_sub(s->time, 0, 8), s->date)) {
		sim_fail(c, 403, "SignatureDoesNotMatch",
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
			"from HTTP");
		return;
	}
	bool late = signed_s < now_s - SKEW_MAX_S;
	if (!late && signed_s <= now_s + SKEW_MAX_S)
		return;
	limit_s = late ? now_s - SKEW_MAX_S : now_s + SKEW_MAX_S;
	time_format_amz(now_s, now);
	time_format_amz(limit_s, limit);
	sim_fail(c, 403, "SignatureDoesNotMatch",
		late ? "Signature expired: " STR_FMT " is now earlier than %s (%s - 5 min.)"
		     : "Signature not yet current: " STR_FMT " is still later than %s (%s + 5 min.)",
		STR_ARG(s->time), limit, now);
}

static void check_scope(struct sim_call *c, const struct sigv4 *s)
{
	if (!str_eq_c(s->service, c->service->name))
		sim_fail(c, 403, "SignatureDoesNotMatch",
			"Credential should be scoped to correct service: '%s'. ", c->service->name);
	else if (c->service->region != NULL && !str_eq_c(s->region, c->service->region))
		sim_fail(c, 403, "SignatureDoesNotMatch", "Credential should be scoped to a valid region. ");
}

/* The host and everything of x-amz-... has to be signed. */
static void check_coverage(struct sim_call *c, const struct sim_request *req, const struct sigv4 *s)
{
	for (size_t i = 0; i < req->n_headers; i++) {
		struct str name = req->headers[i].name;
		if ((str_eq_c(name, "host") || str_starts(name, STR("x-amz-"))) && !is_signed(s, name))
			sim_fail(c, 403, "SignatureDoesNotMatch",
				"'" STR_FMT "' must be a 'SignedHeader' in the AWS Authorization.",
				STR_ARG(name));
	}
}

static void verify(
	struct sim_call *c, const struct sim_request *req, const struct sigv4 *s, struct str secret)
{
	char want[2 * HASH_LEN + 1];
	struct buf canonical;

	check_time(c, s);
	check_scope(c, s);
	check_coverage(c, req, s);
	if (sim_failed(c))
		return;
	buf_init(&canonical, SIZE_MAX / 2);
	if (canonical_request(c, req, s, &canonical)) {
		sign(s, secret, buf_view(&canonical), c->arena, want);
		if (!str_eq_c(s->signature, want))
			sim_fail(c, 403, "SignatureDoesNotMatch",
				"The request signature we calculated does not match the signature you "
				"provided. Check your AWS Secret Access Key and signing method. Consult "
				"the service documentation for details.\n\nThe Canonical String for "
				"this request should have been\n'" STR_FMT "'",
				STR_ARG(buf_view(&canonical)));
	}
	buf_deinit(&canonical);
}

/* --- who it is --- */
static void fail_unknown_key(struct sim_call *c)
{
	sim_fail(c, 403, "InvalidClientTokenId", "The security token included in the request is invalid.");
}

static void be_user(struct sim_call *c)
{
	struct sim_account *a = &c->sim->org->accounts[c->sim->opts->delegated_administrator ? 1 : 0];

	c->caller.account = a;
	if (a->n[SIM_USER] > 0) {
		c->caller.arn = a->entities[SIM_USER][0].arn;
		c->caller.user_id = a->entities[SIM_USER][0].id;
	} else {
		c->caller.arn = str_fmt(c->arena, "arn:aws:iam::" STR_FMT ":root", STR_ARG(a->id));
		c->caller.user_id = a->id;
	}
}

/* The session of a key. Fills the caller unless the call fails. */
static void be_session(struct sim_call *c, struct str access_key_id, struct str token, struct str *ret_secret)
{
	struct sim_auth *a = c->sim->auth;

	LOCK_SCOPE(&a->lock);
	const struct session *s = session_find(a, access_key_id);
	if (s == NULL) {
		fail_unknown_key(c);
		return;
	}
	c->caller = (struct sim_caller){
		.account = s->account,
		.arn = str_dup(c->arena, str_c(s->arn)),
		.user_id = str_dup(c->arena, str_c(s->user_id)),
		.is_session = true,
	};
	*ret_secret = str_dup(c->arena, str_c(s->secret));
	bool ended = s->role->gone || s->account->state == SIM_SUSPENDED; /* sessions go with the role */
	if (!str_eq_c(token, s->token) || ended)
		fail_unknown_key(c);
	else if (sim_now_s(c->sim) >= s->expires_s)
		sim_fail(c, 403, "ExpiredToken", "The security token included in the request is expired");
}

void sim_auth_check(struct sim_call *c, const struct sim_request *req)
{
	const struct sim_options *opts = c->sim->opts;
	struct str token = sim_header(req, "x-amz-security-token");
	struct str secret = opts->secret_access_key;
	struct sigv4 s;

	be_user(c); /* whoever else it is, an account is known from here on */
	if (sim_failed(c) || (c->op->unsigned_ok && sim_header(req, "authorization").n == 0))
		return;
	if (!parse_authorization(c, req, &s))
		return;
	/* Whoever takes any key takes no temporary one for the known one: an account would see another's
	 * data. */
	bool session = str_starts(s.access_key_id, STR("ASIA"));
	if (session)
		be_session(c, s.access_key_id, token, &secret);
	if (!opts->verify_signatures || sim_failed(c))
		return;
	if (!session && (token.n > 0 || !str_eq(s.access_key_id, opts->access_key_id)))
		fail_unknown_key(c);
	else
		verify(c, req, &s, secret);
}

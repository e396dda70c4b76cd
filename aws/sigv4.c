/* DESIGN
 *
 * The derived key changes once a day, so it is kept: an entry is found by a SHA-256 over everything that
 * the key depends on (secret included), which makes the look-up one comparison and keeps the secret out of
 * the cache.
 *
 * One EVP_MAC context is re-keyed for every HMAC, because fetching one costs more than the HMAC itself;
 * hence the lock. */
#include "aws/sigv4.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/encode.h"
#include "base/mem.h"
#include "base/thread.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

enum {
	HASH_BYTES = 32,
	/* Derived keys: a few services, in one or two regions, for the accounts of an organization that
	 * are being read right now. */
	CACHE_ENTRIES = 64,
	MAX_CANONICAL_BYTES = 4 << 20, /* our own URLs and headers are far below this */
};

struct derived_key {
	uint8_t id[HASH_BYTES]; /* of what it was derived from */
	uint8_t key[HASH_BYTES];
	uint64_t used_at; /* 0: free */
};

struct sigv4_signer {
	EVP_MD *sha256;
	EVP_MAC *hmac;

	struct mutex lock; /* guards all below */
	EVP_MAC_CTX *hmac_ctx;
	uint64_t uses;
	struct derived_key cache[CACHE_ENTRIES];
};

/* These calls fail only for want of memory or of an OpenSSL with SHA-256. */
static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "OpenSSL: %s failed\n", what);
	abort();
}

struct sigv4_signer *sigv4_signer_new(void)
{
	struct sigv4_signer *s = mem_zalloc(sizeof(*s));
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	s->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	must(s->sha256 != NULL, "EVP_MD_fetch");
	s->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	must(s->hmac != NULL, "EVP_MAC_fetch");
	s->hmac_ctx = EVP_MAC_CTX_new(s->hmac);
	must(s->hmac_ctx != NULL && EVP_MAC_CTX_set_params(s->hmac_ctx, params), "EVP_MAC_CTX_new");
	mutex_init(&s->lock);
	return s;
}

void sigv4_signer_free(struct sigv4_signer *s)
{
	if (s == NULL)
		return;
	EVP_MAC_CTX_free(s->hmac_ctx);
	EVP_MAC_free(s->hmac);
	EVP_MD_free(s->sha256);
	mutex_deinit(&s->lock);
	mem_wipe(s, sizeof(*s));
	mem_free(s);
}

void sigv4_signer_freep(struct sigv4_signer **s)
{
	sigv4_signer_free(*s);
	*s = NULL;
}

static void add_sha256_hex(const struct sigv4_signer *s, struct buf *out, struct str bytes)
{
	uint8_t hash[HASH_BYTES];
	char hex[2 * HASH_BYTES];

	must(EVP_Digest(bytes.n ? bytes.p : "", bytes.n, hash, NULL, s->sha256, NULL) == 1, "EVP_Digest");
	hex_write(hex, hash, sizeof(hash));
	buf_add(out, hex, sizeof(hex));
}

/* ---- stage 1: the canonical request ---- */

/* CanonicalURI: no dot segments, no empty segments, and every byte that is not unreserved encoded (a
 * second time: the path comes as it is on the wire). */
static void add_path(struct buf *out, struct arena *a, struct str path, bool encoded_once)
{
	struct str *segments, rest = path;
	size_t n = 0;

	if (encoded_once) {
		buf_str(out, path.n ? path : STR("/"));
		return;
	}
	segments = arena_array_of(a, path.n + 1, struct str);
	while (rest.n) {
		struct str segment = str_cut(&rest, '/');

		if (str_eq(segment, STR("..")))
			n -= n > 0;
		else if (segment.n && !str_eq(segment, STR(".")))
			segments[n++] = segment;
	}
	for (size_t i = 0; i < n; i++) {
		buf_char(out, '/');
		percent_encode(out, segments[i], /* keep_slash= */ false);
	}
	if (n == 0 || path.p[path.n - 1] == '/')
		buf_char(out, '/');
}

struct pair {
	struct str name, value;
};

static int compare_pairs(const void *x, const void *y)
{
	const struct pair *a = x, *b = y;
	int by_name = str_cmp(a->name, b->name);

	return by_name ? by_name : str_cmp(a->value, b->value);
}

/* A name or value of the query in the one canonical encoding, whatever encoding it came in. */
static struct str normalise_query_part(struct arena *a, struct str s)
{
	CLEANUP(buf_deinit) struct buf b = {.n = 0};
	struct str decoded;

	if (!percent_decode(a, s, &decoded))
		decoded = s; /* not an encoding: then the percent signs are text */
	buf_init(&b, decoded.n * 3);
	percent_encode(&b, decoded, /* keep_slash= */ false);
	return buf_dup(&b, a);
}

/* CanonicalQueryString: sorted by encoded name, then by value. */
static void add_query(struct buf *out, struct arena *a, struct str query)
{
	struct pair *pairs = arena_array_of(a, query.n / 2 + 1, struct pair);
	size_t n = 0;

	while (query.n) {
		struct str value = str_cut(&query, '&');
		struct str name = str_cut(&value, '=');

		if (name.n == 0 && value.n == 0)
			continue;
		pairs[n].name = normalise_query_part(a, name);
		pairs[n++].value = normalise_query_part(a, value);
	}
	qsort(pairs, n, sizeof(*pairs), compare_pairs);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_char(out, '&');
		buf_str(out, pairs[i].name);
		buf_char(out, '=');
		buf_str(out, pairs[i].value);
	}
}

/* Headers that a proxy or the transport adds, changes or drops. */
static bool is_unsigned_header(struct str lower_name)
{
	static const char *const names[] = {"authorization", "connection", "expect", "transfer-encoding",
		"user-agent", "x-amzn-trace-id"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (str_eq_c(lower_name, names[i]))
			return true;
	}
	return false;
}

/* No white space at the ends, one space for each run inside. */
static struct str normalise_value(struct arena *a, struct str s)
{
	char *out = arena_alloc(a, s.n + 1);
	size_t n = 0;

	s = str_trim(s);
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i] == '\t' ? ' ' : s.p[i];

		if (c != ' ' || out[n - 1] != ' ') /* the first one is no space: n > 0 here */
			out[n++] = c;
	}
	return str_n(out, n);
}

struct header {
	struct str name, value;
	size_t at; /* qsort is not stable, and values of one name keep their order */
};

static int compare_headers(const void *x, const void *y)
{
	const struct header *a = x, *b = y;
	int by_name = str_cmp(a->name, b->name);

	return by_name ? by_name : (a->at > b->at) - (a->at < b->at);
}

/* CanonicalHeaders and SignedHeaders, each with the line's end behind it. */
static struct str add_headers(struct buf *out, struct arena *a, const struct sigv4_request *req)
{
	struct header *headers = arena_array_of(a, req->n_headers + 1, struct header);
	CLEANUP(buf_deinit) struct buf names = {.n = 0};
	struct str signed_headers;
	size_t n = 0;

	buf_init(&names, MAX_CANONICAL_BYTES);
	for (size_t i = 0; i < req->n_headers; i++) {
		struct header h = {.name = str_lower(a, str_trim(req->headers[i].name)), .at = i};

		if (is_unsigned_header(h.name))
			continue;
		h.value = normalise_value(a, req->headers[i].value);
		headers[n++] = h;
	}
	qsort(headers, n, sizeof(*headers), compare_headers);
	for (size_t i = 0; i < n; i++) {
		if (i && str_eq(headers[i].name, headers[i - 1].name)) {
			out->n--; /* the line goes on */
			buf_char(out, ',');
		} else {
			buf_str(&names, headers[i].name);
			buf_char(&names, ';');
			buf_str(out, headers[i].name);
			buf_char(out, ':');
		}
		buf_str(out, headers[i].value);
		buf_char(out, '\n');
	}
	signed_headers = buf_dup(&names, a);
	signed_headers.n -= signed_headers.n > 0; /* the last ';' */
	buf_char(out, '\n');
	buf_str(out, signed_headers);
	buf_char(out, '\n');
	return signed_headers;
}

struct str sigv4_canonical_request(const struct sigv4_signer *s, struct arena *a,
	const struct sigv4_request *req, bool path_encoded_once, struct str *ret_signed_headers)
{
	CLEANUP(buf_deinit) struct buf b = {.n = 0};
	struct str signed_headers;

	buf_init(&b, MAX_CANONICAL_BYTES);
	b.wipe = true; /* the session token is one of the headers */
	buf_str(&b, req->method);
	buf_char(&b, '\n');
	add_path(&b, a, req->path, path_encoded_once);
	buf_char(&b, '\n');
	add_query(&b, a, req->query);
	buf_char(&b, '\n');
	signed_headers = add_headers(&b, a, req);
	add_sha256_hex(s, &b, req->body);
	assert(!b.overflow);
	if (ret_signed_headers)
		*ret_signed_headers = signed_headers;
	return buf_dup(&b, a);
}

/* ---- stage 2: the string to sign ---- */

/* "20150830/us-east-1/iam/aws4_request" */
static struct str credential_scope(struct arena *a, const struct sigv4_params *p)
{
	char date[17];

	time_format_amz(p->time_s, date);
	return str_fmt(a, "%.8s/" STR_FMT "/" STR_FMT "/aws4_request", date, STR_ARG(p->region),
		STR_ARG(p->service));
}

struct str sigv4_string_to_sign(const struct sigv4_signer *s, struct arena *a, const struct sigv4_params *p,
	struct str canonical_request)
{
	CLEANUP(buf_deinit) struct buf b = {.n = 0};
	char date[17];

	time_format_amz(p->time_s, date);
	buf_init(&b, MAX_CANONICAL_BYTES);
	buf_fmt(&b, ALGORITHM "\n%s\n", date);
	buf_str(&b, credential_scope(a, p));
	buf_char(&b, '\n');
	add_sha256_hex(s, &b, canonical_request);
	return buf_dup(&b, a);
}

/* ---- stage 3: the signature ---- */

/* With the lock held. out may be key. */
static void hmac(
	struct sigv4_signer *s, const void *key, size_t key_n, struct str data, uint8_t out[HASH_BYTES])
{
	size_t n = 0;

	must(EVP_MAC_init(s->hmac_ctx, key, key_n, NULL) == 1, "EVP_MAC_init");
	must(EVP_MAC_update(s->hmac_ctx, (const uint8_t *)(data.n ? data.p : ""), data.n) == 1,
		"EVP_MAC_update");
	must(EVP_MAC_final(s->hmac_ctx, out, &n, HASH_BYTES) == 1 && n == HASH_BYTES, "EVP_MAC_final");
}

/* kDate = HMAC("AWS4" + secret, date), kRegion, kService, kSigning: each the key of the next. */
static void derive_key(
	struct sigv4_signer *s, const struct sigv4_params *p, struct str date, uint8_t key[HASH_BYTES])
{
	CLEANUP(buf_deinit) struct buf first = {.n = 0};
	struct str secret = secret_reveal(p->secret_access_key);

	buf_init(&first, secret.n + 4);
	first.wipe = true;
	buf_c(&first, "AWS4");
	buf_str(&first, secret);
	hmac(s, first.p, first.n, date, key);
	hmac(s, key, HASH_BYTES, p->region, key);
	hmac(s, key, HASH_BYTES, p->service, key);
	hmac(s, key, HASH_BYTES, STR("aws4_request"), key);
}

/* What a derived key depends on. The lengths keep ("ab", "c") and ("a", "bc") apart. */
static void key_id(
	const struct sigv4_signer *s, const struct sigv4_params *p, struct str date, uint8_t id[HASH_BYTES])
{
	const struct str parts[] = {
		p->access_key_id, secret_reveal(p->secret_access_key), date, p->region, p->service};
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	must(ctx != NULL && EVP_DigestInit_ex2(ctx, s->sha256, NULL) == 1, "EVP_DigestInit");
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		must(EVP_DigestUpdate(ctx, &parts[i].n, sizeof(parts[i].n)) == 1, "EVP_DigestUpdate");
		must(EVP_DigestUpdate(ctx, parts[i].n ? parts[i].p : "", parts[i].n) == 1,
			"EVP_DigestUpdate");
	}
	must(EVP_DigestFinal_ex(ctx, id, NULL) == 1, "EVP_DigestFinal");
	EVP_MD_CTX_free(ctx);
}

/* With the lock held: the entry of this id, or the one to give up for it (used_at is then 0). */
static struct derived_key *find_key(struct sigv4_signer *s, const uint8_t id[HASH_BYTES])
{
	struct derived_key *oldest = &s->cache[0];

	for (size_t i = 0; i < CACHE_ENTRIES; i++) {
		struct derived_key *k = &s->cache[i];

		if (k->used_at && memcmp(k->id, id, HASH_BYTES) == 0)
			return k;
		if (k->used_at < oldest->used_at)
			oldest = k;
	}
	memcpy(oldest->id, id, HASH_BYTES);
	oldest->used_at = 0;
	return oldest;
}

void sigv4_signature(
	struct sigv4_signer *s, const struct sigv4_params *p, struct str string_to_sign, char out[65])
{
	uint8_t id[HASH_BYTES], mac[HASH_BYTES];
	struct derived_key *key;
	char date[17];
	struct str day;

	time_format_amz(p->time_s, date);
	day = str_n(date, 8);
	key_id(s, p, day, id);
	{
		LOCK_SCOPE(&s->lock);
		key = find_key(s, id);
		if (key->used_at == 0)
			derive_key(s, p, day, key->key);
		key->used_at = ++s->uses;
		hmac(s, key->key, HASH_BYTES, string_to_sign, mac);
	}
	hex_write(out, mac, sizeof(mac));
	out[64] = '\0';
}

/* ---- stage 4: the headers ---- */

static bool is_visible_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	}
	return true;
}

/* A part of the credential scope; a slash or comma in it would mean something else. */
static bool is_scope_part(struct str s)
{
	return s.n > 0 && is_visible_ascii(s) && str_find_char(s, '/') < 0 && str_find_char(s, ',') < 0;
}

static bool has_host(const struct sigv4_request *req)
{
	for (size_t i = 0; i < req->n_headers; i++) {
		if (str_eq_nocase(req->headers[i].name, STR("host")))
			return true;
	}
	return false;
}

static enum err_code check_input(
	const struct sigv4_request *req, const struct sigv4_params *p, struct err *reterr)
{
	if (!is_scope_part(p->access_key_id))
		return err_set(reterr, ERR_INVALID,
			"the access key id is empty or has characters that no key id has");
	if (secret_empty(p->secret_access_key))
		return err_set(reterr, ERR_INVALID, "the secret access key is empty");
	if (!is_visible_ascii(secret_reveal(p->session_token)))
		return err_set(reterr, ERR_INVALID, "the session token has characters that no token has");
	if (!is_scope_part(p->region) || !is_scope_part(p->service))
		return err_set(reterr, ERR_INVALID, "the signing region or service is empty or malformed");
	if (!has_host(req))
		return err_set(reterr, ERR_INVALID, "a request without Host header cannot be signed");
	return ERR_OK;
}

static void add_result(struct sigv4_result *r, const char *name, struct str value)
{
	r->headers[r->n++] = (struct http_header){.name = str_c(name), .value = value};
}

enum err_code sigv4_sign(struct sigv4_signer *s, struct arena *a, const struct sigv4_request *req,
	const struct sigv4_params *p, struct sigv4_result *ret, struct err *reterr)
{
	struct http_header *headers =
		arena_array_of(a, req->n_headers + SIGV4_MAX_HEADERS, struct http_header);
	struct sigv4_request all = *req;
	struct sigv4_result r = {.n = 0};
	struct str signed_headers;
	char date[17], signature[65];
	enum err_code rc = check_input(req, p, reterr);

	if (rc != ERR_OK)
		return rc;
	time_format_amz(p->time_s, date);
	add_result(&r, "X-Amz-Date", str_dup(a, str_c(date)));
	if (!secret_empty(p->session_token))
		add_result(&r, "X-Amz-Security-Token", str_dup(a, secret_reveal(p->session_token)));

	for (size_t i = 0; i < req->n_headers; i++)
		headers[i] = req->headers[i];
	for (size_t i = 0; i < r.n; i++)
		headers[all.n_headers++] = r.headers[i];
	all.headers = headers;

	r.canonical_request = sigv4_canonical_request(s, a, &all, p->path_encoded_once, &signed_headers);
	r.string_to_sign = sigv4_string_to_sign(s, a, p, r.canonical_request);
	sigv4_signature(s, p, r.string_to_sign, signature);
	r.signature = str_dup(a, str_c(signature));
	add_result(&r, "Authorization",
		str_fmt(a,
			ALGORITHM " Credential=" STR_FMT "/" STR_FMT ", SignedHeaders=" STR_FMT
				  ", Signature=%s",
			STR_ARG(p->access_key_id), STR_ARG(credential_scope(a, p)), STR_ARG(signed_headers),
			signature));
	*ret = r;
	return ERR_OK;
}

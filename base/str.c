#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

struct str str_c(const char *cstr)
{
	return cstr ? str_n(cstr, strlen(cstr)) : STR_EMPTY;
}

struct str str_n(const char *p, size_t n)
{
	return (struct str){.p = p, .n = n};
}

static unsigned char lower(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 'A' && u <= 'Z' ? (unsigned char)(u + ('a' - 'A')) : u;
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_eq_c(struct str a, const char *cstr)
{
	return str_eq(a, str_c(cstr));
}

bool str_eq_nocase(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

int str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0; /* memcmp may not be given NULL, even for 0 bytes */

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq(str_n(s.p, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_eq(str_from(s, s.n - suffix.n), suffix);
}

bool str_contains(struct str s, struct str needle)
{
	return str_find(s, needle) >= 0;
}

ptrdiff_t str_find(struct str s, struct str needle)
{
	const char *hit;

	if (needle.n == 0)
		return 0;
	if (needle.n > s.n)
		return -1;
	hit = memmem(s.p, s.n, needle.p, needle.n);
	return hit ? hit - s.p : -1;
}

ptrdiff_t str_rfind(struct str s, struct str needle)
{
	if (needle.n > s.n)
		return -1;
	for (size_t i = s.n - needle.n + 1; i-- > 0;)
		if (str_eq(str_n(s.p + i, needle.n), needle))
			return (ptrdiff_t)i;
	return -1;
}

ptrdiff_t str_find_char(struct str s, char c)
{
	const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;

	return hit ? hit - s.p : -1;
}

ptrdiff_t str_rfind_char(struct str s, char c)
{
	const char *hit = s.n ? memrchr(s.p, c, s.n) : NULL;

	return hit ? hit - s.p : -1;
}

struct str str_from(struct str s, size_t from)
{
	if (from >= s.n)
		return STR_EMPTY;
	return str_n(s.p + from, s.n - from);
}

struct str str_sub(struct str s, size_t from, size_t n)
{
	s = str_from(s, from);
	if (s.n > n)
		s.n = n;
	return s;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	while (s.n && is_space(*s.p)) {
		s.p++;
		s.n--;
	}
	return s;
}

struct str str_cut(struct str *rest, char sep)
{
	struct str all = *rest;
	ptrdiff_t at = str_find_char(all, sep);

	if (at < 0) {
		*rest = (struct str){.p = NULL, .n = 0};
		return all;
	}
	*rest = str_n(all.p + at + 1, all.n - (size_t)at - 1);
	return str_n(all.p, (size_t)at);
}

char *str_dup_c(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

struct str str_dup(struct arena *a, struct str s)
{
	return str_n(str_dup_c(a, s), s.n);
}

struct str str_fmt(struct arena *a, const char *fmt, ...)
{
	struct str s;
	va_list ap;

	va_start(ap, fmt);
	s = str_vfmt(a, fmt, ap);
	va_end(ap);
	return s;
}

struct str str_vfmt(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	int n;
	char *p;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		abort(); /* a format that printf cannot do is our bug */
	p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return str_n(p, (size_t)n);
}

struct str str_lower(struct arena *a, struct str s)
{
	char *p = str_dup_c(a, s);

	for (size_t i = 0; i < s.n; i++)
		p[i] = (char)lower(p[i]);
	return str_n(p, s.n);
}

struct str str_join(struct arena *a, const struct str *parts, size_t n, struct str sep)
{
	size_t total = 0;
	char *p, *out;

	for (size_t i = 0; i < n; i++)
		total += parts[i].n + (i ? sep.n : 0);
	p = out = arena_alloc(a, total + 1);
	for (size_t i = 0; i < n; i++) {
		if (i && sep.n)
			out = (char *)mempcpy(out, sep.p, sep.n);
		if (parts[i].n)
			out = (char *)mempcpy(out, parts[i].p, parts[i].n);
	}
	*out = '\0';
	return str_n(p, total);
}

bool str_to_u64(struct str s, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';

		if (digit > 9 || __builtin_mul_overflow(v, UINT64_C(10), &v) ||
			__builtin_add_overflow(v, digit, &v))
			return false;
	}
	*ret = v;
	return true;
}

bool str_to_i64(struct str s, int64_t *ret)
{
	bool negative = s.n && *s.p == '-';
	uint64_t v;

	if (s.n && (*s.p == '-' || *s.p == '+'))
		s = str_from(s, 1);
	if (!str_to_u64(s, &v) || v > (uint64_t)INT64_MAX + negative)
		return false;
	/* -(v - 1) - 1: INT64_MIN has no positive twin to negate */
	*ret = negative && v ? -(int64_t)(v - 1) - 1 : (int64_t)v;
	return true;
}

bool str_to_bool(struct str s, bool *ret)
{
	static const struct {
		struct str word;
		bool value;
	} words[] = {
		{STR_INIT("1"), true},
		{STR_INIT("t"), true},
		{STR_INIT("T"), true},
		{STR_INIT("TRUE"), true},
		{STR_INIT("true"), true},
		{STR_INIT("True"), true},
		{STR_INIT("0"), false},
		{STR_INIT("f"), false},
		{STR_INIT("F"), false},
		{STR_INIT("FALSE"), false},
		{STR_INIT("false"), false},
		{STR_INIT("False"), false},
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (str_eq(s, words[i].word)) {
			*ret = words[i].value;
			return true;
		}
	}
	return false;
}

/* Unicode 15, table 3-7 "Well-Formed UTF-8 Byte Sequences": the second byte's range carries the ban on
 * overlong forms, surrogates and what lies above U+10FFFF. */
size_t str_utf8_step(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned char low = 0x80, high = 0xbf;
	size_t len;

	if (s.n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (s.n < len)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

/* Length of the valid prefix. Eight ASCII bytes at a time: nearly all text is ASCII, and every reply passes
 * here. */
static size_t valid_prefix(struct str s)
{
	size_t i = 0;

	while (i < s.n) {
		size_t step;
		uint64_t word;

		if (s.n - i >= sizeof(word)) {
			memcpy(&word, s.p + i, sizeof(word));
			if ((word & UINT64_C(0x8080808080808080)) == 0) {
				i += sizeof(word);
				continue;
			}
		}
		step = str_utf8_step(str_n(s.p + i, s.n - i));
		if (step == 0)
			break;
		i += step;
	}
	return i;
}

bool str_is_utf8(struct str s)
{
	return valid_prefix(s) == s.n;
}

size_t str_utf8_count(struct str s)
{
	size_t count = 0;

	for (size_t i = 0; i < s.n; i++)
		count += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return count;
}

struct str str_utf8_clean(struct arena *a, struct str s)
{
	static const char replacement[3] = {(char)0xef, (char)0xbf, (char)0xbd};
	size_t good = valid_prefix(s), bad = 0, n = 0;
	char *out;

	if (good == s.n)
		return s;
	for (size_t i = good, step; i < s.n; i += step ? step : 1) {
		step = str_utf8_step(str_from(s, i));
		bad += step == 0;
	}
	/* bad <= s.n bytes become three each; s is in memory, so this cannot overflow */
	out = arena_alloc(a, s.n + 2 * bad + 1);
	for (size_t i = 0, step; i < s.n; i += step ? step : 1) {
		step = str_utf8_step(str_from(s, i));
		memcpy(out + n, step ? s.p + i : replacement, step ? step : sizeof(replacement));
		n += step ? step : sizeof(replacement);
	}
	out[n] = '\0';
	return str_n(out, n);
}

struct str str_utf8_cut(struct str s, size_t max)
{
	if (s.n <= max)
		return s;
	while (max > 0 && ((unsigned char)s.p[max] & 0xc0) == 0x80)
		max--;
	return str_n(s.p, max);
}

uint64_t str_hash(struct str s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < s.n; i++) {
		h ^= (unsigned char)s.p[i];
		h *= UINT64_C(0x100000001b3);
	}
	return h;
}

/* SipHash-2-4 as in "SipHash: a fast short-input PRF" (Aumasson, Bernstein 2012), names of section 2.1. */
struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate_left(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_rounds(struct sip *s, int n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotate_left(s->v1, 13) ^ s->v0;
		s->v3 = rotate_left(s->v3, 16) ^ s->v2;
		s->v0 = rotate_left(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rotate_left(s->v1, 17) ^ s->v2;
		s->v3 = rotate_left(s->v3, 21) ^ s->v0;
		s->v2 = rotate_left(s->v2, 32);
	}
}

static void sip_word(struct sip *s, uint64_t m)
{
	s->v3 ^= m;
	sip_rounds(s, 2);
	s->v0 ^= m;
}

/* Up to eight bytes, the first the lowest. */
static uint64_t little_endian(const char *p, size_t n)
{
	uint64_t word = 0;

	for (size_t i = 0; i < n; i++)
		word |= (uint64_t)(unsigned char)p[i] << (8 * i);
	return word;
}

uint64_t str_hash_keyed(const uint64_t key[2], struct str s)
{
	struct sip sip = {
		.v0 = key[0] ^ UINT64_C(0x736f6d6570736575),
		.v1 = key[1] ^ UINT64_C(0x646f72616e646f6d),
		.v2 = key[0] ^ UINT64_C(0x6c7967656e657261),
		.v3 = key[1] ^ UINT64_C(0x7465646279746573),
	};
	size_t whole = s.n & ~(size_t)7;

	for (size_t i = 0; i < whole; i += 8)
		sip_word(&sip, little_endian(s.p + i, 8));
	sip_word(&sip, (uint64_t)s.n << 56 | little_endian(whole < s.n ? s.p + whole : "", s.n - whole));
	sip.v2 ^= 0xff;
	sip_rounds(&sip, 4);
	return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
}

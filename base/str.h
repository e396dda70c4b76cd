/* base/str.h
 *
 * Text by value: a pointer and a length, not NUL-terminated, not owned. The bytes live as long as what they point
 * into (an arena, a buf, a literal, a snapshot). The empty string is {NULL or anything, 0}.
 *
 * Threads: values, no state. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>

#include "base/err.h"

struct arena;

struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){.p = ("" literal), .n = sizeof(literal) - 1})
#define STR_EMPTY    ((struct str){.p = "", .n = 0})
/* For static tables. */
/* clang-format off */
#define STR_INIT(lit) {.p = ("" lit), .n = sizeof(lit) - 1}
/* clang-format on */
/* printf("x=" STR_FMT, STR_ARG(x)) */
#define STR_FMT    "%.*s"
#define STR_ARG(s) (int)(s).n, ((s).n ? (s).p : "")

struct str str_c(const char *cstr); /* NULL gives the empty string */
struct str str_n(const char *p, size_t n);

bool str_eq(struct str a, struct str b);
bool str_eq_c(struct str a, const char *cstr);
bool str_eq_nocase(struct str a, struct str b); /* ASCII case only */
int str_cmp(struct str a, struct str b);        /* byte order, as memcmp; a prefix sorts first */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_contains(struct str s, struct str needle);

/* Position of the first / last occurrence, or -1. */
ptrdiff_t str_find(struct str s, struct str needle);
ptrdiff_t str_rfind(struct str s, struct str needle);
ptrdiff_t str_find_char(struct str s, char c);
ptrdiff_t str_rfind_char(struct str s, char c);

struct str str_from(struct str s, size_t from);          /* from > n gives empty */
struct str str_sub(struct str s, size_t from, size_t n); /* clamped */
struct str str_trim(struct str s);                       /* ASCII white space at both ends */

/* Cuts *rest at the first `sep`: returns what stands before it and moves *rest behind it. Without a `sep` returns all of
 * *rest and leaves it empty with p == NULL (so that `while (rest.p)` walks empty fields too). */
struct str str_cut(struct str *rest, char sep);

/* Copies live in the arena and are NUL-terminated behind n. Never fail (see arena_alloc). */
struct str str_dup(struct arena *a, struct str s);
char *str_dup_c(struct arena *a, struct str s);
struct str str_fmt(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct str str_vfmt(struct arena *a, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
struct str str_lower(struct arena *a, struct str s); /* ASCII */
struct str str_join(struct arena *a, const struct str *parts, size_t n, struct str sep);

/* Whole-string parsers of decimal numbers: no white space, no sign for u64 (i64: '-' or '+'), no overflow. False leaves *ret
 * untouched. */
bool str_to_u64(struct str s, uint64_t *ret);
bool str_to_i64(struct str s, int64_t *ret);
/* 1 t T TRUE true True / 0 f F FALSE false False (spec/config.md 1). */
bool str_to_bool(struct str s, bool *ret);

/* UTF-8 as protobuf wants it: no overlong forms, no surrogates, nothing above U+10FFFF. NUL is valid here. */
bool str_is_utf8(struct str s);
size_t str_utf8_count(struct str s); /* code points of a valid string */

/* Bytes of the code point that s starts with (1 to 4); 0 when s is empty or starts with none. */
size_t str_utf8_step(struct str s);

/* s itself when valid, else a copy in which each byte that belongs to no valid sequence is U+FFFD (as Go does it). */
struct str str_utf8_clean(struct arena *a, struct str s);

/* The longest prefix of at most max bytes that ends at a code point boundary (of a valid string). */
struct str str_utf8_cut(struct str s, size_t max);

/* FNV-1a, for hash tables whose keys nobody hostile chooses. */
uint64_t str_hash(struct str s);
/* SipHash-2-4, for those whose keys come from outside: nobody who does not know key can make collisions. */
uint64_t str_hash_keyed(const uint64_t key[2], struct str s);

#endif

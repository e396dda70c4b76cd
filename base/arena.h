/* base/arena.h
 *
 * Memory of one call: request, AWS answers, response live in one arena and die with it, in one place
 * (server/call.c). Nothing long-lived points into an arena. Its memory is wiped on free, because answers of AssumeRole and
 * CreateAccessKey pass through it.
 *
 * The cap bounds what the outside can make us allocate: arena_try_alloc honours it, arena_alloc (sizes chosen by our own
 * code) does not, but counts too.
 *
 * Threads: one arena, one thread at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

/* cap_bytes: what arena_try_alloc may bring the total to; 0 means no cap. */
struct arena *arena_new(size_t cap_bytes) __attribute__((returns_nonnull));
void arena_free(struct arena *a); /* NULL is fine; wipes */
void arena_freep(struct arena **a);

/* Aligned for any type; never NULL. arena_zalloc is zeroed; arena_array too, and aborts on overflow of n * size. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull));
void *arena_zalloc(struct arena *a, size_t size) __attribute__((returns_nonnull));
void *arena_array(struct arena *a, size_t n, size_t size) __attribute__((returns_nonnull));

/* NULL when size would bring the arena over its cap. */
void *arena_try_alloc(struct arena *a, size_t size);

/* Forgets everything allocated, keeps the first block for reuse. What was used is wiped. */
void arena_reset(struct arena *a);

size_t arena_used(const struct arena *a);

#define arena_new_of(a, type)      ((type *)arena_zalloc((a), sizeof(type)))
#define arena_array_of(a, n, type) ((type *)arena_array((a), (n), sizeof(type)))

#endif

/* DESIGN
 *
 * A chain of blocks, each bumped from front to back. The first block is part of the arena's own allocation,
 * so a small call costs one malloc; following blocks double up to MAX_BLOCK. What does not fit a block of the
 * current size gets one of its own, put behind the current block so that the rest of the current one stays in
 * use.
 *
 * Rejected: returning memory to the arena piecewise. protobuf-c's free does nothing for the same reason: the
 * call ends soon, and wiping happens once.
 *
 * Under AddressSanitizer the part of a block that was not handed out is poisoned, and a poisoned gap stands
 * behind each allocation, so that overruns inside an arena are found as they would be with malloc. */
#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
enum { GAP = 16 };
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
enum { GAP = 0 };
#endif

enum {
	ALIGN = alignof(max_align_t),
	FIRST_BLOCK = 4096,     /* holds a small request and its answer */
	MAX_BLOCK = 1024 * 1024 /* past this, doubling only wastes address space */
};

struct block {
	struct block *next;
	char *free; /* first byte not handed out, aligned */
	char *end;
};

struct arena {
	struct block *top; /* what allocations come from */
	size_t used;
	size_t cap;        /* 0: none */
	size_t next_block; /* size of the next ordinary block */
	struct block first;
};

#define ROUND_UP(n) (((n) + (ALIGN - 1)) & ~(size_t)(ALIGN - 1))

/* Both headers are followed by data at an aligned offset. */
#define ARENA_HEAD ROUND_UP(sizeof(struct arena))
#define BLOCK_HEAD ROUND_UP(sizeof(struct block))

static char *block_data(struct arena *a, struct block *b)
{
	return b == &a->first ? (char *)a + ARENA_HEAD : (char *)b + BLOCK_HEAD;
}

static void block_open(struct block *b, char *data, char *end)
{
	b->free = data;
	b->end = end;
	POISON(data, (size_t)(end - data));
}

static void block_wipe(struct arena *a, struct block *b)
{
	char *data = block_data(a, b);

	UNPOISON(data, (size_t)(b->end - data));
	mem_wipe(data, (size_t)(b->free - data));
}

struct arena *arena_new(size_t cap_bytes)
{
	struct arena *a = mem_alloc(FIRST_BLOCK);

	*a = (struct arena){.cap = cap_bytes, .next_block = 2 * FIRST_BLOCK};
	a->top = &a->first;
	block_open(&a->first, (char *)a + ARENA_HEAD, (char *)a + FIRST_BLOCK);
	return a;
}

/* Wipes everything and frees all blocks but the first. */
static void drop_blocks(struct arena *a)
{
	struct block *b = a->top, *next;

	for (; b; b = next) {
		next = b->next;
		block_wipe(a, b);
		if (b != &a->first)
			mem_free(b);
	}
}

void arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	drop_blocks(a);
	mem_free(a);
}

void arena_freep(struct arena **a)
{
	arena_free(*a);
	*a = NULL;
}

void arena_reset(struct arena *a)
{
	drop_blocks(a);
	a->top = &a->first;
	a->first.next = NULL;
	a->used = 0;
	a->next_block = 2 * FIRST_BLOCK;
	block_open(&a->first, (char *)a + ARENA_HEAD, (char *)a + FIRST_BLOCK);
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}

static _Noreturn void die_overflow(void)
{
	fputs("arena: allocation size overflows\n", stderr);
	abort();
}

/* A block with room for `need` bytes. */
static struct block *add_block(struct arena *a, size_t need)
{
	bool own = need > a->next_block - BLOCK_HEAD;
	size_t size = own ? BLOCK_HEAD + need : a->next_block;
	struct block *b = mem_alloc(size);

	block_open(b, (char *)b + BLOCK_HEAD, (char *)b + size);
	if (own) {
		b->next = a->top->next;
		a->top->next = b;
		return b;
	}
	b->next = a->top;
	a->top = b;
	if (a->next_block < MAX_BLOCK)
		a->next_block *= 2;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct block *b = a->top;
	size_t rounded, need;
	void *p;

	if (size > SIZE_MAX / 2)
		die_overflow();
	rounded = ROUND_UP(size ? size : 1);
	need = rounded + GAP;
	if ((size_t)(b->end - b->free) < need)
		b = add_block(a, need);
	p = b->free;
	b->free += need;
	a->used += rounded;
	UNPOISON(p, size);
	return p;
}

void *arena_zalloc(struct arena *a, size_t size)
{
	return memset(arena_alloc(a, size), 0, size);
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		die_overflow();
	return arena_zalloc(a, total);
}

void *arena_try_alloc(struct arena *a, size_t size)
{
	if (size > SIZE_MAX / 2)
		return NULL;
	if (a->cap > 0 && (a->used > a->cap || ROUND_UP(size ? size : 1) > a->cap - a->used))
		return NULL;
	return arena_alloc(a, size);
}

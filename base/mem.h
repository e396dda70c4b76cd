/* base/mem.h
 *
 * Heap memory that never is NULL: out of memory aborts, because a server that cannot allocate cannot answer
 * either. Sizes set by the outside do not come here unchecked: see arena_try_alloc (base/arena.h) and struct buf.
 *
 * Threads: any. Ownership: the caller frees with mem_free. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *mem_zalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *mem_array(size_t n, size_t size) __attribute__((malloc, returns_nonnull)); /* zeroed; overflow aborts */
void *mem_realloc(void *p, size_t size) __attribute__((returns_nonnull));
char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull));
char *mem_strndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
/* n bytes of any value, and a NUL behind them. */
void *mem_dup(const void *p, size_t n) __attribute__((malloc, returns_nonnull));
void mem_free(void *p); /* NULL is fine */

/* Blocks that are allocated and not freed: tests assert that a suite leaves none. */
size_t mem_live_blocks(void);

/* Gives what is free back to the system, in the middle of the heap as well. Takes milliseconds. */
void mem_trim(void);

/* For CLEANUP(mem_freep) on a `char *` or any other pointer to heap memory. */
void mem_freep(void *pp);

/* memset that the compiler may not remove, for keys and tokens. */
void mem_wipe(void *p, size_t n);

/* mem_free and mem_realloc that leave nothing of the old bytes behind: for parsers, through whose buffers answers with
 * keys in them pass. */
void mem_free_wiped(void *p);
void *mem_realloc_wiped(void *p, size_t size) __attribute__((returns_nonnull));

#endif

#include "base/mem.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The one global of this file: a statistic that orders nothing. */
static atomic_size_t live_blocks;

static _Noreturn void die(const char *what, size_t size)
{
	fprintf(stderr, "%s (%zu bytes)\n", what, size);
	abort();
}

static void *counted(void *p, size_t size)
{
	if (p == NULL)
		die("out of memory", size);
	atomic_fetch_add_explicit(&live_blocks, 1, memory_order_relaxed);
	return p;
}

void *mem_alloc(size_t size)
{
	return counted(malloc(size ? size : 1), size);
}

void *mem_zalloc(size_t size)
{
	return counted(calloc(1, size ? size : 1), size);
}

void *mem_array(size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		die("array size overflows", n);
	return mem_zalloc(total);
}

void *mem_realloc(void *p, size_t size)
{
	void *moved;

	if (p == NULL)
		return mem_alloc(size);
	moved = realloc(p, size ? size : 1);
	if (moved == NULL)
		die("out of memory", size);
	return moved;
}

char *mem_strdup(const char *s)
{
	return mem_strndup(s, strlen(s));
}

char *mem_strndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = mem_alloc(len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

void *mem_dup(const void *p, size_t n)
{
	char *copy = mem_alloc(n + 1);

	if (n > 0)
		memcpy(copy, p, n);
	copy[n] = '\0';
	return copy;
}

void mem_free(void *p)
{
	if (p == NULL)
		return;
	atomic_fetch_sub_explicit(&live_blocks, 1, memory_order_relaxed);
	free(p);
}

size_t mem_live_blocks(void)
{
	return atomic_load_explicit(&live_blocks, memory_order_relaxed);
}

void mem_trim(void)
{
	malloc_trim(0);
}

void mem_freep(void *pp)
{
	void *p;

	/* pp is a pointer to some pointer type; reading it through memcpy keeps aliasing rules out of it. */
	memcpy(&p, pp, sizeof(p));
	mem_free(p);
	p = NULL;
	memcpy(pp, &p, sizeof(p));
}

void mem_wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

void mem_free_wiped(void *p)
{
	if (p != NULL)
		mem_wipe(p, malloc_usable_size(p));
	mem_free(p);
}

void *mem_realloc_wiped(void *p, size_t size)
{
	size_t old_size = p != NULL ? malloc_usable_size(p) : 0;
	void *moved = mem_alloc(size);

	if (p != NULL)
		memcpy(moved, p, old_size < size ? old_size : size);
	mem_free_wiped(p);
	return moved;
}

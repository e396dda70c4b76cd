/* aws/turns.h
 *
 * Turns that were granted ahead of time, in the order in which they come: what aws/pacer.c got from a shared bucket
 * and has not given to a caller yet.
 *
 * Times are monotonic milliseconds with fractions.
 *
 * Threads: none; the pacer's lock guards it. */
#ifndef AWS_TURNS_H
#define AWS_TURNS_H

#include <stdbool.h>
#include <stddef.h>

/* A grant is a block. The pacer asks when less than half of what it holds ahead is left, so few are there at once. */
#define TURNS_BLOCKS 16

struct turns_block {
	double first_ms; /* turn k of the block comes at first_ms + k * interval_ms, */
	double interval_ms;
	double least_ms; /* but not before this */
	size_t n;        /* > 0 */
};

/* Zeroed: none. */
struct turns {
	struct turns_block blocks[TURNS_BLOCKS]; /* a ring */
	size_t first, n_blocks;
	size_t n; /* turns in all blocks */
};

bool turns_full(const struct turns *t);
/* Behind all others: none comes before theirs, nor before least_ms. n > 0; not full. */
void turns_add(struct turns *t, double first_ms, double interval_ms, size_t n, double least_ms);
/* One in front of all others, whose time is not after theirs. Lost when that would leave no place for a grant. */
void turns_put_back(struct turns *t, double at_ms);
/* When turn k (from 0) comes; k < n. */
double turns_at_ms(const struct turns *t, size_t k);
double turns_last_ms(const struct turns *t); /* n > 0 */
/* Takes the first one out; n > 0. */
void turns_pop(struct turns *t);

#endif

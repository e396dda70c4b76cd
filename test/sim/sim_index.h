/* sim/sim_index.h
 *
 * Finds positions in an array by a text of theirs: an open-addressed table of hashes. Nothing is ever taken out.
 *
 * Threads: as what it indexes. Ownership: lives in an arena. */
#ifndef SIM_INDEX_H
#define SIM_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct sim_index {
	uint32_t *slots; /* position + 1; 0: free */
	size_t mask;
};

/* Room for n texts. */
void sim_index_init(struct sim_index *x, struct arena *arena, size_t n);
void sim_index_add(struct sim_index *x, struct str text, uint32_t position);

/* Walks the positions that may have this text (the caller compares): start with *at = 0; false: no more. */
bool sim_index_next(const struct sim_index *x, struct str text, size_t *at, uint32_t *ret_position);

#endif

#include "sim/sim_index.h"

void sim_index_init(struct sim_index *x, struct arena *arena, size_t n)
{
	size_t size = 4;

	while (size < 2 * n) /* half of it stays free, so that a walk is short and ends */
		size *= 2;
	x->slots = arena_array_of(arena, size, uint32_t);
	x->mask = size - 1;
}

void sim_index_add(struct sim_index *x, struct str text, uint32_t position)
{
	size_t i = (size_t)str_hash(text) & x->mask;

	while (x->slots[i] != 0)
		i = (i + 1) & x->mask;
	x->slots[i] = position + 1;
}

bool sim_index_next(const struct sim_index *x, struct str text, size_t *at, uint32_t *ret_position)
{
	uint32_t slot = x->slots[((size_t)str_hash(text) + *at) & x->mask];

	(*at)++;
	*ret_position = slot - 1;
	return slot != 0;
}

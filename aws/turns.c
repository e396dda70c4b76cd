#include "aws/turns.h"

#include <assert.h>

static struct turns_block *block(struct turns *t, size_t i)
{
	return &t->blocks[(t->first + i) % TURNS_BLOCKS];
}

static double at_ms(const struct turns_block *b, size_t k)
{
	double at = b->first_ms + (double)k * b->interval_ms;

	return at > b->least_ms ? at : b->least_ms;
}

bool turns_full(const struct turns *t)
{
	return t->n_blocks == TURNS_BLOCKS;
}

void turns_add(struct turns *t, double first_ms, double interval_ms, size_t n, double least_ms)
{
	double last_ms = t->n > 0 ? turns_last_ms(t) : least_ms;

	assert(n > 0 && !turns_full(t));
	*block(t, t->n_blocks++) = (struct turns_block){
		.first_ms = first_ms,
		.interval_ms = interval_ms,
		.least_ms = last_ms > least_ms ? last_ms : least_ms,
		.n = n,
	};
	t->n += n;
}

void turns_put_back(struct turns *t, double when_ms)
{
	if (t->n_blocks + 1 >= TURNS_BLOCKS)
		return;
	t->first = (t->first + TURNS_BLOCKS - 1) % TURNS_BLOCKS;
	t->n_blocks++;
	*block(t, 0) = (struct turns_block){.first_ms = when_ms, .least_ms = when_ms, .n = 1};
	t->n++;
}

double turns_at_ms(const struct turns *t, size_t k)
{
	size_t i = 0;

	assert(k < t->n);
	while (k >= t->blocks[(t->first + i) % TURNS_BLOCKS].n)
		k -= t->blocks[(t->first + i++) % TURNS_BLOCKS].n;
	return at_ms(&t->blocks[(t->first + i) % TURNS_BLOCKS], k);
}

double turns_last_ms(const struct turns *t)
{
	return turns_at_ms(t, t->n - 1);
}

void turns_pop(struct turns *t)
{
	struct turns_block *b = block(t, 0);

	assert(t->n > 0);
	t->n--;
	b->n--;
	b->first_ms += b->interval_ms;
	if (b->n == 0) {
		t->first = (t->first + 1) % TURNS_BLOCKS;
		t->n_blocks--;
	}
}

#include "aws/call_stats.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/thread.h"

/* Every operation that has a table: about 25 of IAM's, as many of all other services. More is a bug. */
#define MAX_OPERATIONS 256

struct call_stats {
	struct mutex lock;
	const struct aws_operation *ops[MAX_OPERATIONS];
	struct aws_call_stats rows[MAX_OPERATIONS];
	size_t n;
};

struct call_stats *call_stats_new(void)
{
	struct call_stats *s = mem_zalloc(sizeof(*s));

	mutex_init(&s->lock);
	return s;
}

void call_stats_free(struct call_stats *s)
{
	if (!s)
		return;
	mutex_deinit(&s->lock);
	mem_free(s);
}

static struct aws_call_stats *row_of(struct call_stats *s, const struct aws_operation *op)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->ops[i] == op)
			return &s->rows[i];
	assert(s->n < MAX_OPERATIONS);
	s->ops[s->n] = op;
	s->rows[s->n] = (struct aws_call_stats){.service = op->service->id, .operation = op->name};
	return &s->rows[s->n++];
}

void call_stats_count(struct call_stats *s, const struct aws_operation *op, enum call_event event)
{
	struct aws_call_stats *row;

	LOCK_SCOPE(&s->lock);
	row = row_of(s, op);
	switch (event) {
	case CALL_BEGUN:
		row->calls++;
		break;
	case CALL_RETRIED:
		row->retries++;
		break;
	case CALL_THROTTLED:
		row->throttled++;
		break;
	case CALL_FAILED:
		row->failed++;
		break;
	}
}

void call_stats_each(struct call_stats *s, void (*fn)(void *arg, const struct aws_call_stats *st), void *arg)
{
	for (size_t i = 0;; i++) {
		struct aws_call_stats row;

		mutex_lock(&s->lock);
		if (i >= s->n) {
			mutex_unlock(&s->lock);
			return;
		}
		row = s->rows[i];
		mutex_unlock(&s->lock);
		fn(arg, &row);
	}
}

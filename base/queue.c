#include "base/queue.h"

#include <assert.h>

#include "base/mem.h"
#include "base/thread.h"

struct queue {
	struct mutex lock; /* guards all below */
	struct cond ready; /* an item came, or closed */
	bool closed;
	size_t capacity;
	size_t head; /* the oldest item */
	size_t n;
	void *items[]; /* a ring */
};

struct queue *queue_new(size_t capacity)
{
	struct queue *q;

	assert(capacity > 0 && capacity <= SIZE_MAX / 2 / sizeof(q->items[0]));
	q = mem_zalloc(sizeof(*q) + capacity * sizeof(q->items[0]));
	q->capacity = capacity;
	mutex_init(&q->lock);
	cond_init(&q->ready);
	return q;
}

void queue_free(struct queue *q)
{
	if (q == NULL)
		return;
	assert(q->n == 0);
	cond_deinit(&q->ready);
	mutex_deinit(&q->lock);
	mem_free(q);
}

bool queue_push(struct queue *q, void *item)
{
	assert(item != NULL); /* NULL is queue_pop's "closed" */
	LOCK_SCOPE(&q->lock);
	if (q->closed || q->n == q->capacity)
		return false;
	q->items[(q->head + q->n) % q->capacity] = item;
	q->n++;
	cond_signal(&q->ready);
	return true;
}

void *queue_pop(struct queue *q)
{
	void *item;

	LOCK_SCOPE(&q->lock);
	while (q->n == 0 && !q->closed)
		cond_wait(&q->ready, &q->lock);
	if (q->n == 0)
		return NULL;
	item = q->items[q->head];
	q->head = (q->head + 1) % q->capacity;
	q->n--;
	return item;
}

void queue_close(struct queue *q)
{
	LOCK_SCOPE(&q->lock);
	q->closed = true;
	cond_broadcast(&q->ready);
}

size_t queue_len(struct queue *q)
{
	LOCK_SCOPE(&q->lock);
	return q->n;
}

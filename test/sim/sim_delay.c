/* DESIGN
 * A binary heap by due time and one thread that waits for its head. With a latency of L ms and R calls per
 * second the heap holds R * L / 1000 connections; a sorted list would do for a constant latency, but hangs
 * and delays mix. */
#include "sim/sim_delay.h"

#include <stdbool.h>
#include <sys/types.h>
#include <sys/select.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"

struct sleeper {
	int64_t due_ms;
	struct MHD_Connection *connection;
};

struct sim_delay {
	struct mutex lock; /* guards the rest but thread */
	struct cond changed;
	struct sleeper *heap;
	size_t n, size;
	bool closed;
	struct thread thread;
};

static void swap(struct sleeper *a, struct sleeper *b)
{
	struct sleeper t = *a;

	*a = *b;
	*b = t;
}

static void heap_push(struct sim_delay *d, struct sleeper s)
{
	size_t i = d->n++;

	if (d->n > d->size) {
		d->size = d->size == 0 ? 64 : 2 * d->size;
		d->heap = mem_realloc(d->heap, d->size * sizeof(d->heap[0]));
	}
	d->heap[i] = s;
	for (; i > 0 && d->heap[(i - 1) / 2].due_ms > d->heap[i].due_ms; i = (i - 1) / 2)
		swap(&d->heap[i], &d->heap[(i - 1) / 2]);
}

static struct sleeper heap_pop(struct sim_delay *d)
{
	struct sleeper top = d->heap[0];
	size_t i = 0;

	d->heap[0] = d->heap[--d->n];
	for (;;) {
		size_t child = 2 * i + 1;
		if (child + 1 < d->n && d->heap[child + 1].due_ms < d->heap[child].due_ms)
			child++;
		if (child >= d->n || d->heap[i].due_ms <= d->heap[child].due_ms)
			return top;
		swap(&d->heap[i], &d->heap[child]);
		i = child;
	}
}

static void *delay_main(void *arg)
{
	struct sim_delay *d = arg;

	LOCK_SCOPE(&d->lock);
	while (!d->closed || d->n > 0) {
		int64_t now_ms = clock_mono_ms(&clock_system);
		if (d->n == 0)
			cond_wait(&d->changed, &d->lock);
		else if (d->closed || d->heap[0].due_ms <= now_ms)
			MHD_resume_connection(heap_pop(d).connection);
		else
			cond_wait_ms(&d->changed, &d->lock, d->heap[0].due_ms - now_ms);
	}
	return NULL;
}

enum err_code sim_delay_new(struct sim_delay **ret_delay, struct err *reterr)
{
	struct sim_delay *d = mem_zalloc(sizeof(*d));

	mutex_init(&d->lock);
	cond_init(&d->changed);
	enum err_code code = thread_start(&d->thread, "sim-delay", 0, delay_main, d, reterr);
	if (code != ERR_OK) {
		mem_free(d);
		return code;
	}
	*ret_delay = d;
	return ERR_OK;
}

void sim_delay_close(struct sim_delay *d)
{
	mutex_lock(&d->lock);
	d->closed = true;
	cond_broadcast(&d->changed);
	mutex_unlock(&d->lock);
	thread_join(&d->thread);
}

void sim_delay_free(struct sim_delay *d)
{
	if (d == NULL)
		return;
	cond_deinit(&d->changed);
	mutex_deinit(&d->lock);
	mem_free(d->heap);
	mem_free(d);
}

bool sim_delay_add(struct sim_delay *d, struct MHD_Connection *connection, uint64_t ms)
{
	LOCK_SCOPE(&d->lock);
	if (d->closed)
		return false;
	MHD_suspend_connection(connection);
	heap_push(d, (struct sleeper){clock_mono_ms(&clock_system) + (int64_t)ms, connection});
	cond_signal(&d->changed);
	return true;
}

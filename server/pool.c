#include "server/pool.h"

#include "base/mem.h"
#include "base/queue.h"
#include "base/thread.h"

/* Handlers keep their data in arenas and recurse no deeper than PB_MAX_DEPTH; getaddrinfo and OpenSSL, which
 * run on the AWS thread, are not called here. */
#define STACK_BYTES (512 * 1024)

struct pool {
	struct queue *queue;
	pool_run_fn *run;
	size_t n; /* threads that were started */
	struct thread threads[];
};

static void *pool_main(void *arg)
{
	struct pool *p = arg;
	void *item;

	while ((item = queue_pop(p->queue)) != NULL)
		p->run(item);
	return NULL;
}

static void pool_freep(struct pool **p)
{
	pool_free(*p);
}

enum err_code pool_new(const char *name, size_t threads, size_t capacity, pool_run_fn *run,
	struct pool **ret_pool, struct err *reterr)
{
	CLEANUP(pool_freep) struct pool *p = mem_zalloc(sizeof(*p) + threads * sizeof(p->threads[0]));

	p->queue = queue_new(capacity);
	p->run = run;
	for (; p->n < threads; p->n++) {
		enum err_code rc = thread_start(&p->threads[p->n], name, STACK_BYTES, pool_main, p, reterr);

		if (rc != ERR_OK)
			return rc;
	}
	*ret_pool = TAKE(p);
	return ERR_OK;
}

void pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	queue_close(p->queue);
	for (size_t i = 0; i < p->n; i++)
		thread_join(&p->threads[i]);
	queue_free(p->queue);
	mem_free(p);
}

bool pool_push(struct pool *p, void *item)
{
	return queue_push(p->queue, item);
}

size_t pool_waiting(struct pool *p)
{
	return queue_len(p->queue);
}

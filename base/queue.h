/* base/queue.h
 *
 * A bounded first-in first-out queue of pointers between threads. A full queue refuses, it never blocks the
 * producer: the server answers "try later" instead of hoarding work.
 *
 * Threads: any number on both ends. Ownership: pointers are the callers'. */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct queue;

struct queue *queue_new(size_t capacity);
void queue_free(struct queue *q);             /* must be empty */
bool queue_push(struct queue *q, void *item); /* false: full or closed */
void *queue_pop(struct queue *q);             /* blocks; NULL: closed and empty */
void queue_close(struct queue *q);            /* pushes fail from now on, pops drain what is there */
size_t queue_len(struct queue *q);

#endif

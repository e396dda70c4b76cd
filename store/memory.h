/* store/memory.h
 *
 * The session store inside the process, bounded in bytes and in age.
 *
 * Threads: any, see store.h. Errors: ERR_NOT_FOUND and ERR_TOO_LARGE; nothing here blocks, so ctx is not
 * looked at. */
#ifndef STORE_MEMORY_H
#define STORE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct store_memory_options {
	/* Keys + values + 32 per entry never exceed it: the entries not used for longest make room. An entry
	 * that alone is larger is ERR_TOO_LARGE; 0 thus keeps nothing. */
	size_t max_bytes;
	int64_t max_age_ms;        /* no entry gets older, whatever its ttl_ms; 0: no limit */
	const struct clock *clock; /* borrowed */
};

struct store *store_memory_new(const struct store_memory_options *opts); /* store_free */

#endif

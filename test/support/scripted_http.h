/* test/support/scripted_http.h
 *
 * support/http_server.h with a script: a function says what to answer and in what manner, misbehaviour included
 * (bodies that are cut, connections that are closed, answers that never come), and requests are counted.
 *
 * Threads:   one per connection; the script runs on these, one at a time (a lock is held), and must not
 *            assert.
 * Ownership: what an answer points to lives until the server is stopped. */
#ifndef TEST_SUPPORT_SCRIPTED_HTTP_H
#define TEST_SUPPORT_SCRIPTED_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct scripted_request {
	size_t n; /* how many came before it */
	struct str method, path;
	struct str head; /* all header lines */
	struct str body;
};

/* The value of a header, or empty. Case does not matter. */
struct str scripted_header(const struct scripted_request *req, const char *name);

enum scripted_manner {
	SCRIPTED_WHOLE = 0, /* the answer as it should be */
	SCRIPTED_CUT,   /* Content-Length promises all of the body, half of it comes, the connection closes */
	SCRIPTED_CLOSE, /* the connection closes without an answer */
	SCRIPTED_NEVER, /* nothing comes, the connection stays open */
	SCRIPTED_HANG,  /* the headers and half of the body come, then nothing more */
};

struct scripted_answer {
	int status;          /* 0: 200 */
	const char *headers; /* complete lines, "Retry-After: 1\r\n"; NULL: none */
	struct str body;
	enum scripted_manner manner;
	int64_t delay_ms;
};

/* The arena lives as long as the server: for answers that have to be made. */
typedef struct scripted_answer(scripted_fn)(
	void *self, const struct scripted_request *req, struct arena *arena);

struct scripted_http;

/* Aborts when the system has no port or thread to give. */
struct scripted_http *scripted_http_start(scripted_fn *fn, void *self);
void scripted_http_stop(struct scripted_http *s); /* NULL is fine */
unsigned scripted_http_port(const struct scripted_http *s);
size_t scripted_http_requests(struct scripted_http *s);
size_t scripted_http_most_at_once(struct scripted_http *s); /* requests being answered at one time */

#endif

/* test/support/redis_server.h
 *
 * A real Redis, for one test: on a UNIX socket in a folder of its own, with nothing on disk.
 *
 * Threads: main thread. */
#ifndef TEST_SUPPORT_REDIS_SERVER_H
#define TEST_SUPPORT_REDIS_SERVER_H

struct redis_server;

/* Aborts where there is no redis-server: it is one of the packages of `./dev deps test`. */
struct redis_server *redis_server_start(void);
void redis_server_stop(struct redis_server *r); /* NULL is fine */

const char *redis_server_url(const struct redis_server *r);

#endif

/* test/support/http_server.h
 *
 * An HTTP server on 127.0.0.1 that does what a test tells it, also what no decent server does: the test's
 * function gets the request and the naked socket. One thread per connection, requests one after the other.
 *
 * Threads: fn runs on the connections' threads, several at a time. It must not assert (CUnit): it counts,
 *          and the test looks. */
#ifndef TEST_SUPPORT_HTTP_SERVER_H
#define TEST_SUPPORT_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct http_server;

struct http_server_request {
	struct str method;
	struct str target;  /* path and query */
	struct str headers; /* all lines, with their CRLF */
	struct str body;
};

/* Answers on fd. False: close the connection. */
typedef bool(http_server_fn)(void *arg, const struct http_server_request *req, int fd);

struct http_server *http_server_start(http_server_fn *fn, void *arg);
void http_server_stop(struct http_server *s); /* NULL is fine; ends every connection */

unsigned http_server_port(const struct http_server *s);
size_t http_server_connections(struct http_server *s); /* accepted so far */

/* All of it; false when the peer is gone. */
bool http_server_send(int fd, const void *p, size_t n);
/* A whole answer. headers: lines with CRLF, may be empty. */
bool http_server_answer(int fd, int status, const char *headers, struct str body);
/* The same, but of the body that its Content-Length promises only the first n_sent bytes come. */
bool http_server_answer_part(int fd, int status, const char *headers, struct str body, size_t n_sent);
/* Closing fd will then send a reset. */
void http_server_reset_on_close(int fd);
/* Waits until the peer has closed. */
void http_server_wait_for_close(int fd);

/* The value of a request's header, empty when it has none. */
struct str http_server_header(const struct http_server_request *req, const char *name);

#endif

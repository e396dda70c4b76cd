/* sim/sim_http.h
 *
 * The web server; with sim_delay.c all that knows libmicrohttpd.
 *
 * Threads: two of libmicrohttpd's answer requests. */
#ifndef SIM_HTTP_H
#define SIM_HTTP_H

#include "base/err.h"
#include "sim/sim.h"

struct sim_http;

/* Listens on s->opts->listen ("127.0.0.1:4566"; port 0: any free one). ERR_INVALID: no such address.
 * ERR_UNAVAILABLE: the port is taken. */
MUST_CHECK enum err_code sim_http_start(struct sim *s, struct sim_http **ret_http, struct err *reterr);
unsigned sim_http_port(const struct sim_http *h);
void sim_http_stop(struct sim_http *h); /* NULL is fine; ends what is under way, frees */

#endif

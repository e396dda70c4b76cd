/* server/healthcheck.h
 *
 * `baton-awsd healthcheck`: exit code 0 when a running server says SERVING, else 1. For Docker's
 * HEALTHCHECK. */
#ifndef SERVER_HEALTHCHECK_H
#define SERVER_HEALTHCHECK_H

#include "server/settings.h"

int healthcheck_main(const struct config_source *source);

#endif

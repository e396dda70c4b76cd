/* server/crawl.h
 *
 * `baton-awsd crawl`: asks a server everything a sync engine asks, in the same order, and shows what it
 * found. */
#ifndef SERVER_CRAWL_H
#define SERVER_CRAWL_H

#include "server/settings.h"

int crawl_main(const struct config_source *source);

#endif

/* store/resolve.h
 *
 * Addresses of a host's name. The system's resolver blocks for as long as its configuration says (5 to 40 s where name servers
 * are away), so it runs on a thread of its own, and who asks waits for it no longer than its ctx allows. A thread that nobody waits for
 * any more ends by itself.
 *
 * Threads: any. Ownership: the list is the caller's, freeaddrinfo. Errors: ERR_UNAVAILABLE: there is no such name, or nobody
 * who knows. ERR_DEADLINE, ERR_CANCELLED. */
#ifndef STORE_RESOLVE_H
#define STORE_RESOLVE_H

#include <netdb.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

/* host: a name or an address, without brackets. */
MUST_CHECK enum err_code resolve(const struct ctx *ctx, struct str host, unsigned port,
	struct addrinfo **ret_addresses, struct err *reterr);

#endif

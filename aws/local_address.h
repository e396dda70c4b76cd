/* aws/local_address.h
 *
 * Where credentials may be asked for in plain text: this host, and the link-local addresses of the
 * agents of ECS and EKS. A name counts when every address it has counts, and the connection then goes
 * to one of these very addresses: a name that resolves differently a moment later leads nowhere.
 *
 * Threads: any; the look-up of a name blocks for as long as the resolver takes. Errors:
 *          ERR_UNAUTHENTICATED. */
#ifndef AWS_LOCAL_ADDRESS_H
#define AWS_LOCAL_ADDRESS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define LOCAL_ADDRESS_MAX 8 /* of one name; more are not tried */

struct local_addresses {
	struct str url_hosts[LOCAL_ADDRESS_MAX]; /* "127.0.0.1", "[::1]": as in a URL */
	size_t n;                                /* at least 1 */
};

/* host: as in a URL, without port. Results live in the arena. */
MUST_CHECK enum err_code local_addresses_of(
	struct arena *a, struct str host, struct local_addresses *ret, struct err *reterr);

#endif

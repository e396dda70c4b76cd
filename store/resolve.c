#include "store/resolve.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/thread.h"

#define HOST_MAX 255 /* of a name in DNS */

/* Of the asker and of the thread, whichever lives longer. */
struct lookup {
	atomic_int refs;
	char host[HOST_MAX + 1];
	char port[8];

	struct mutex lock; /* guards all below */
	struct cond done;
	bool is_done;
	int rc;
	struct addrinfo *addresses;
};

static void lookup_unref(struct lookup *l)
{
	if (atomic_fetch_sub(&l->refs, 1) != 1)
		return;
	if (l->addresses != NULL)
		freeaddrinfo(l->addresses);
	cond_deinit(&l->done);
	mutex_deinit(&l->lock);
	mem_free(l);
}

static int look_up(const struct lookup *l, int flags, struct addrinfo **ret_addresses)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};

	*ret_addresses = NULL;
	return getaddrinfo(l->host, l->port, &hints, ret_addresses);
}

static void *lookup_main(void *arg)
{
	struct lookup *l = arg;
	struct addrinfo *addresses;
	const int rc = look_up(l, 0, &addresses);

	mutex_lock(&l->lock);
	l->rc = rc;
	l->addresses = addresses;
	l->is_done = true;
	cond_broadcast(&l->done);
	mutex_unlock(&l->lock);
	lookup_unref(l);
	return NULL;
}

static enum err_code await(
	struct lookup *l, const struct ctx *ctx, struct addrinfo **ret_addresses, struct err *reterr)
{
	LOCK_SCOPE(&l->lock);
	while (!l->is_done) {
		if (ctx_check(ctx, "looking up a name", reterr) != ERR_OK)
			return reterr->code;
		cond_wait_ctx(&l->done, &l->lock, ctx);
	}
	if (l->rc != 0)
		return err_set(reterr, ERR_UNAVAILABLE, "no address: %s", gai_strerror(l->rc));
	*ret_addresses = TAKE(l->addresses);
	return ERR_OK;
}

enum err_code resolve(const struct ctx *ctx, struct str host, unsigned port, struct addrinfo **ret_addresses,
	struct err *reterr)
{
	struct lookup *l = mem_zalloc(sizeof(*l));
	struct thread thread;
	enum err_code rc;

	atomic_init(&l->refs, 2);
	mutex_init(&l->lock);
	cond_init(&l->done);
	(void)snprintf(l->host, sizeof(l->host), STR_FMT, STR_ARG(host));
	(void)snprintf(l->port, sizeof(l->port), "%u", port);
	if (look_up(l, AI_NUMERICHOST, ret_addresses) == 0) { /* no name, nobody to ask */
		rc = ERR_OK;
		lookup_unref(l);
	} else if (thread_start(&thread, "resolve", 0, lookup_main, l, reterr) != ERR_OK) {
		rc = reterr->code;
		lookup_unref(l);
	} else {
		thread_detach(&thread);
		rc = await(l, ctx, ret_addresses, reterr);
	}
	lookup_unref(l);
	return rc;
}

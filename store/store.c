#include "store/store.h"

#include <stddef.h>

static enum err_code check_name(const char *what, struct str name, struct err *reterr)
{
	if (name.n == 0)
		return err_set(reterr, ERR_INVALID, "the store's %s is empty", what);
	if (name.n > STORE_NAME_MAX)
		return err_set(reterr, ERR_INVALID, "the store's %s has %zu bytes, more than %d", what,
			name.n, STORE_NAME_MAX);
	return ERR_OK;
}

static enum err_code check_names(struct str scope, struct str key, struct err *reterr)
{
	enum err_code rc = check_name("scope", scope, reterr);

	return rc ? rc : check_name("key", key, reterr);
}

enum err_code store_get(struct store *s, const struct ctx *ctx, struct str scope, struct str key,
	struct blob **ret_value, struct err *reterr)
{
	enum err_code rc = check_names(scope, key, reterr);

	return rc ? rc : s->vtable->get(s, ctx, scope, key, ret_value, reterr);
}

enum err_code store_put(struct store *s, const struct ctx *ctx, struct str scope, struct str key,
	struct blob *value, int64_t ttl_ms, struct err *reterr)
{
	enum err_code rc = check_names(scope, key, reterr);

	if (rc)
		return rc;
	if (ttl_ms < 0)
		return err_set(reterr, ERR_INVALID, "a time to live of %lld ms", (long long)ttl_ms);
	return s->vtable->put(s, ctx, scope, key, value, ttl_ms, reterr);
}

enum err_code store_delete(
	struct store *s, const struct ctx *ctx, struct str scope, struct str key, struct err *reterr)
{
	enum err_code rc = check_names(scope, key, reterr);

	return rc ? rc : s->vtable->delete (s, ctx, scope, key, reterr);
}

enum err_code store_clear(struct store *s, const struct ctx *ctx, struct str scope, struct err *reterr)
{
	enum err_code rc = check_name("scope", scope, reterr);

	return rc ? rc : s->vtable->clear(s, ctx, scope, reterr);
}

void store_stats(struct store *s, struct store_stats *ret_stats)
{
	s->vtable->stats(s, ret_stats);
}

void store_free(struct store *s)
{
	if (s)
		s->vtable->free(s);
}

void store_freep(struct store **s)
{
	store_free(*s);
	*s = NULL;
}

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

bool store_is_shared(const struct store *s)
{
	return s->vtable->get_or_lease != NULL;
}

static enum err_code check_items(
	struct str scope, const struct store_item *items, size_t n, struct err *reterr)
{
	enum err_code rc = check_name("scope", scope, reterr);

	for (size_t i = 0; i < n && rc == ERR_OK; i++)
		rc = check_name("key", items[i].key, reterr);
	return rc;
}

static enum err_code check_leases(
	struct str scope, const struct store_lease *leases, size_t n, struct err *reterr)
{
	enum err_code rc = check_name("scope", scope, reterr);

	for (size_t i = 0; i < n && rc == ERR_OK; i++)
		rc = check_name("key", leases[i].key, reterr);
	return rc;
}

static enum err_code get_each(struct store *s, const struct ctx *ctx, struct str scope,
	struct store_item *items, size_t n, struct err *reterr)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; i < n; i++) {
		struct err err;
		const enum err_code one = s->vtable->get(s, ctx, scope, items[i].key, &items[i].value, &err);

		if (one == ERR_OK)
			items[i].found = STORE_VALUE;
		if (one == ERR_OK || one == ERR_NOT_FOUND)
			continue;
		*reterr = err;
		rc = one;
	}
	return rc;
}

enum err_code store_get_or_lease(struct store *s, const struct ctx *ctx, struct str scope,
	struct store_item *items, size_t n, int64_t lease_ms, struct err *reterr)
{
	enum err_code rc = check_items(scope, items, n, reterr);

	for (size_t i = 0; i < n; i++) {
		items[i].value = NULL;
		items[i].found = STORE_YOURS;
	}
	if (rc || n == 0)
		return rc;
	if (!store_is_shared(s))
		return get_each(s, ctx, scope, items, n, reterr);
	return s->vtable->get_or_lease(s, ctx, scope, items, n, lease_ms, reterr);
}

enum err_code store_put_many(struct store *s, const struct ctx *ctx, struct str scope,
	const struct store_item *items, size_t n, int64_t ttl_ms, struct err *reterr)
{
	enum err_code rc = check_items(scope, items, n, reterr);

	if (rc == ERR_OK && n > 0 && store_is_shared(s))
		return s->vtable->put_many(s, ctx, scope, items, n, ttl_ms, reterr);
	for (size_t i = 0; i < n && rc == ERR_OK; i++)
		rc = store_put(s, ctx, scope, items[i].key, items[i].value, ttl_ms, reterr);
	return rc;
}

enum err_code store_renew_leases(struct store *s, const struct ctx *ctx, struct str scope,
	const struct store_lease *leases, size_t n, int64_t lease_ms, struct err *reterr)
{
	enum err_code rc = check_leases(scope, leases, n, reterr);

	if (rc || n == 0 || !store_is_shared(s))
		return rc;
	return s->vtable->renew_leases(s, ctx, scope, leases, n, lease_ms, reterr);
}

enum err_code store_end_leases(struct store *s, const struct ctx *ctx, struct str scope,
	const struct store_lease *leases, size_t n, struct err *reterr)
{
	enum err_code rc = check_leases(scope, leases, n, reterr);

	if (rc || n == 0 || !store_is_shared(s))
		return rc;
	return s->vtable->end_leases(s, ctx, scope, leases, n, reterr);
}

enum err_code store_ended(
	struct store *s, const struct ctx *ctx, struct str scope, bool *ret_ended, struct err *reterr)
{
	enum err_code rc = check_name("scope", scope, reterr);

	*ret_ended = false;
	return rc || !store_is_shared(s) ? rc : s->vtable->ended(s, ctx, scope, ret_ended, reterr);
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

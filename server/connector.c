#include "server/connector.h"

#include "base/mem.h"
#include "server/metrics.h"
#include "server/rpc.h"
#include "server/services.h"

struct connector *connector_new(const struct connector_options *opts)
{
	struct connector *c = mem_zalloc(sizeof(*c));

	c->opts = *opts;
	c->metrics = metrics_new();
	c->resource_types = resource_types_reply(c);
	c->identity_check = identity_check_new();
	return c;
}

void connector_free(struct connector *c)
{
	if (c == NULL)
		return;
	identity_check_free(c->identity_check);
	rpc_body_free(c->resource_types);
	metrics_free(c->metrics);
	mem_free(c);
}

const struct syncer *connector_syncer(const struct connector *c, struct str type_id)
{
	for (size_t i = 0; i < c->opts.n_syncers; i++)
		if (str_eq_c(type_id, c->opts.syncers[i]->type_id))
			return c->opts.syncers[i];
	return NULL;
}

const struct event_feed *connector_feed(const struct connector *c, struct str id)
{
	for (size_t i = 0; i < c->opts.n_feeds; i++)
		if (str_eq_c(id, c->opts.feeds[i]->id))
			return c->opts.feeds[i];
	return NULL;
}

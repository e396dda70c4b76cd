/* syncers/syncer.h
 *
 * A resource type as the connector serves it: a row of functions that map facts of the inventory to baton messages. One file per type,
 * listed in registry.c. Pure mapping: no HTTP, no store, no gRPC.
 *
 * Threads:   a syncer has no state; its functions run on any worker.
 * Ownership: messages live in call->arena and die with the RPC.
 * Errors:    ERR_NOT_FOUND only when the very resource or parent of the request is gone (it makes the engine drop the cursor);
 *            ERR_INVALID for a bad page token or argument; else what the inventory said. Messages start with "baton-aws: ". */
#ifndef SYNCERS_SYNCER_H
#define SYNCERS_SYNCER_H

#include <stdbool.h>
#include <stddef.h>

#include "c1/connector/v2/connector.pb-c.h"
#include "c1/connector/v2/entitlement.pb-c.h"
#include "c1/connector/v2/grant.pb-c.h"
#include "c1/connector/v2/resource.pb-c.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

struct inventory;

/* What of the configuration changes the output (spec/iam.md 2.2). Immutable. */
struct syncer_config {
	const struct str *type_filter; /* sync-resource-types */
	size_t n_type_filter;          /* 0: no filter */
	bool only_attached_policies;
	bool sync_secrets; /* registers access-key */
	bool organization; /* Organizations without Identity Center, or with cross-account IAM: registers account_iam */
	bool identity_center;  /* Organizations and Identity Center: registers their types */
	bool sso_logins;       /* with identity_center: registers the event feed of logins */
	struct str sso_region; /* of Identity Center: part of its users' and groups' ids */
	struct str create_account_resource_type; /* "iam_user" or "sso_user" */
};

/* True when there is no filter, or it names the type. The "iam_policy gate" is syncer_config_wants(c, "iam_policy"). */
bool syncer_config_wants(const struct syncer_config *config, const char *type_id);

/* What one RPC brings. */
struct syncer_call {
	const struct ctx *ctx;
	struct arena *arena;
	struct inventory *inventory;
	const struct syncer_config *config;
	struct str sync_id;    /* active_sync_id; may be empty */
	struct str page_token; /* empty: first page */
	size_t page_size;      /* the engine's hint; 0: none */
};

/* One page: messages of the kind the function makes, and the token of the next page (empty: the last). syncers/page.h fills it and
 * keeps it below the reply limit. */
struct syncer_page {
	ProtobufCMessage **items;
	size_t n;
	struct str next;
};

typedef enum err_code(syncer_list_fn)(const struct syncer_call *call,
	const C1__Connector__V2__ResourceId *parent, struct syncer_page *ret_page, struct err *reterr);
typedef enum err_code(syncer_of_resource_fn)(const struct syncer_call *call,
	const C1__Connector__V2__Resource *resource, struct syncer_page *ret_page, struct err *reterr);

struct syncer {
	const char *type_id;
	/* The ResourceType message as ListResourceTypes gives it, where the configuration changes it; NULL: the static form. */
	C1__Connector__V2__ResourceType *(*type)(struct arena *arena, const struct syncer_config *config);
	syncer_list_fn *list;                /* C1__Connector__V2__Resource */
	syncer_of_resource_fn *entitlements; /* C1__Connector__V2__Entitlement */
	syncer_of_resource_fn *grants;       /* C1__Connector__V2__Grant */
	/* Capabilities in the order of spec/rpc-surface.md 3.2. Only what works is announced. */
	const C1__Connector__V2__Capability *capabilities;
	size_t n_capabilities;
};

#define SYNCERS_MAX 16

/* The syncers that this configuration registers (spec/config.md 7), in the byte order of their type ids. Returns how many. */
size_t syncers_registered(const struct syncer_config *config, const struct syncer *ret_syncers[SYNCERS_MAX]);

/* The type's message as ListResourceTypes gives it. */
C1__Connector__V2__ResourceType *syncer_type(
	struct arena *arena, const struct syncer *s, const struct syncer_config *config);

/* Any resource type of the connector by id, registered or not, in its static form: for grantable_to lists. NULL: unknown. */
C1__Connector__V2__ResourceType *resource_type_static(struct arena *arena, const char *type_id);

/* The i-th of all of them, in the byte order of their ids, and what the connector as a whole can do with it, whatever is configured
 * (ended by CAPABILITY_UNSPECIFIED). False: there are no more. */
bool resource_type_at(struct arena *arena, size_t i, C1__Connector__V2__ResourceType **ret_type,
	const C1__Connector__V2__Capability **ret_capabilities);

#endif

/* server/services.h
 *
 * The handlers behind the method table: one svc_*.c per gRPC service (those that only say "not enabled" share
 * one), plus health.c and reflection.c. Each is a method_fn of server/methods.h.
 *
 * Threads: any worker, or the completion-queue thread for those the table calls inline: these make no AWS or
 * store call. */
#ifndef SERVER_SERVICES_H
#define SERVER_SERVICES_H

#include "server/methods.h"

struct connector;
struct identity_check;
struct rpc_body;

/* svc_connector.c */
method_fn svc_get_metadata, svc_validate, svc_cleanup;
/* Validate's answer, shared for a few seconds. */
struct identity_check *identity_check_new(void);
void identity_check_free(struct identity_check *check); /* NULL is fine */

/* svc_resource_types.c */
method_fn svc_list_resource_types;
struct rpc_body *resource_types_reply(const struct connector *c); /* NULL: there are no types */

/* svc_resources.c */
method_fn svc_list_resources, svc_get_resource;
/* svc_entitlements.c */
method_fn svc_list_entitlements, svc_list_static_entitlements;
/* svc_grants.c */
method_fn svc_list_grants;
/* svc_assets.c */
method_fn svc_get_asset;
/* svc_events.c */
method_fn svc_list_events, svc_list_event_feeds;
/* svc_actions.c */
method_fn svc_invoke_action, svc_get_action_status, svc_get_action_schema, svc_list_action_schemas;
/* svc_disabled.c */
method_fn svc_provisioning_disabled, svc_ticketing_disabled;
/* svc_rate_limiter.c */
method_fn svc_rate_limiter_do, svc_rate_limiter_report;
/* health.c */
method_fn svc_health_check, svc_health_watch;
/* reflection.c */
method_fn svc_reflection;

#endif

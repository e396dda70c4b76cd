#include "server/methods.h"

#include <string.h>

#include "base/mem.h"
#include "grpc/health/v1/health.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "proto/messages.h"
#include "server/services.h"

#define UNARY(service, method, in, lane_, run_)                                                              \
	{                                                                                                    \
		.path = "/" service "/" method, .request = (in), .lane = (lane_), .shape = RPC_UNARY,        \
		.run = (run_)                                                                                \
	}
#define QUIET(service, method, in, shape_, run_)                                                             \
	{                                                                                                    \
		.path = "/" service "/" method, .request = (in), .lane = RPC_INLINE, .shape = (shape_),      \
		.quiet = true, .run = (run_)                                                                 \
	}

#define CONNECTOR    "c1.connector.v2.ConnectorService"
#define RES_TYPES    "c1.connector.v2.ResourceTypesService"
#define RESOURCES    "c1.connector.v2.ResourcesService"
#define GETTER       "c1.connector.v2.ResourceGetterService"
#define ENTITLEMENTS "c1.connector.v2.EntitlementsService"
#define GRANTS       "c1.connector.v2.GrantsService"
#define ASSETS       "c1.connector.v2.AssetService"
#define EVENTS       "c1.connector.v2.EventService"
#define ACTIONS      "c1.connector.v2.ActionService"
#define TICKETS      "c1.connector.v2.TicketsService"
#define GRANT_MGR    "c1.connector.v2.GrantManagerService"
#define RESOURCE_MGR "c1.connector.v2.ResourceManagerService"
#define DELETER      "c1.connector.v2.ResourceDeleterService"
#define ACCOUNT_MGR  "c1.connector.v2.AccountManagerService"
#define CREDENTIALS  "c1.connector.v2.CredentialManagerService"
#define RATE_LIMITER "c1.ratelimit.v1.RateLimiterService"
#define HEALTH       "grpc.health.v1.Health"
#define REFLECTION   "grpc.reflection.v1.ServerReflection"
#define REFLECTION_A "grpc.reflection.v1alpha.ServerReflection" /* the same messages under another name */

/* clang-format off */
static const struct method methods[] = {
	UNARY(CONNECTOR,    "GetMetadata",            V2_DESC(connector_service_get_metadata_request),             RPC_WORKERS,  svc_get_metadata),
	UNARY(CONNECTOR,    "Validate",               V2_DESC(connector_service_validate_request),                 RPC_VALIDATE, svc_validate),
	UNARY(CONNECTOR,    "Cleanup",                V2_DESC(connector_service_cleanup_request),                  RPC_WORKERS,  svc_cleanup),
	UNARY(RES_TYPES,    "ListResourceTypes",      V2_DESC(resource_types_service_list_resource_types_request), RPC_INLINE,   svc_list_resource_types),
	UNARY(RESOURCES,    "ListResources",          V2_DESC(resources_service_list_resources_request),           RPC_WORKERS,  svc_list_resources),
	UNARY(GETTER,       "GetResource",            V2_DESC(resource_getter_service_get_resource_request),       RPC_INLINE,   svc_get_resource),
	UNARY(ENTITLEMENTS, "ListEntitlements",       V2_DESC(entitlements_service_list_entitlements_request),     RPC_WORKERS,  svc_list_entitlements),
	UNARY(ENTITLEMENTS, "ListStaticEntitlements", V2_DESC(entitlements_service_list_static_entitlements_request), RPC_INLINE, svc_list_static_entitlements),
	UNARY(GRANTS,       "ListGrants",             V2_DESC(grants_service_list_grants_request),                 RPC_WORKERS,  svc_list_grants),
	UNARY(ASSETS,       "GetAsset",               V2_DESC(asset_service_get_asset_request),                    RPC_INLINE,   svc_get_asset),
	UNARY(EVENTS,       "ListEvents",             V2_DESC(list_events_request),                                RPC_WORKERS,  svc_list_events),
	UNARY(EVENTS,       "ListEventFeeds",         V2_DESC(list_event_feeds_request),                           RPC_INLINE,   svc_list_event_feeds),
	UNARY(ACTIONS,      "InvokeAction",           V2_DESC(invoke_action_request),                              RPC_INLINE,   svc_invoke_action),
	UNARY(ACTIONS,      "GetActionStatus",        V2_DESC(get_action_status_request),                          RPC_INLINE,   svc_get_action_status),
	UNARY(ACTIONS,      "GetActionSchema",        V2_DESC(get_action_schema_request),                          RPC_INLINE,   svc_get_action_schema),
	UNARY(ACTIONS,      "ListActionSchemas",      V2_DESC(list_action_schemas_request),                        RPC_INLINE,   svc_list_action_schemas),
	UNARY(TICKETS,      "CreateTicket",           V2_DESC(tickets_service_create_ticket_request),              RPC_INLINE,   svc_ticketing_disabled),
	UNARY(TICKETS,      "GetTicket",              V2_DESC(tickets_service_get_ticket_request),                 RPC_INLINE,   svc_ticketing_disabled),
	UNARY(TICKETS,      "ListTicketSchemas",      V2_DESC(tickets_service_list_ticket_schemas_request),        RPC_INLINE,   svc_ticketing_disabled),
	UNARY(TICKETS,      "GetTicketSchema",        V2_DESC(tickets_service_get_ticket_schema_request),          RPC_INLINE,   svc_ticketing_disabled),
	UNARY(TICKETS,      "BulkCreateTickets",      V2_DESC(tickets_service_bulk_create_tickets_request),        RPC_INLINE,   svc_ticketing_disabled),
	UNARY(TICKETS,      "BulkGetTickets",         V2_DESC(tickets_service_bulk_get_tickets_request),           RPC_INLINE,   svc_ticketing_disabled),
	UNARY(GRANT_MGR,    "Grant",                  V2_DESC(grant_manager_service_grant_request),                RPC_INLINE,   svc_provisioning_disabled),
	UNARY(GRANT_MGR,    "Revoke",                 V2_DESC(grant_manager_service_revoke_request),               RPC_INLINE,   svc_provisioning_disabled),
	UNARY(RESOURCE_MGR, "CreateResource",         V2_DESC(create_resource_request),                            RPC_INLINE,   svc_provisioning_disabled),
	UNARY(RESOURCE_MGR, "DeleteResource",         V2_DESC(delete_resource_request),                            RPC_INLINE,   svc_provisioning_disabled),
	UNARY(DELETER,      "DeleteResourceV2",       V2_DESC(delete_resource_v2_request),                         RPC_INLINE,   svc_provisioning_disabled),
	UNARY(ACCOUNT_MGR,  "CreateAccount",          V2_DESC(create_account_request),                             RPC_INLINE,   svc_provisioning_disabled),
	UNARY(CREDENTIALS,  "RotateCredential",       V2_DESC(rotate_credential_request),                          RPC_INLINE,   svc_provisioning_disabled),
	UNARY(CREDENTIALS,  "IssueCredential",        V2_DESC(issue_credential_request),                           RPC_INLINE,   svc_provisioning_disabled),
	QUIET(RATE_LIMITER, "Do",                     RL_DESC(do_request),                                         RPC_UNARY,    svc_rate_limiter_do),
	QUIET(RATE_LIMITER, "Report",                 RL_DESC(report_request),                                     RPC_UNARY,    svc_rate_limiter_report),
	QUIET(HEALTH,       "Check",                  &grpc__health__v1__health_check_request__descriptor,         RPC_UNARY,    svc_health_check),
	QUIET(HEALTH,       "Watch",                  &grpc__health__v1__health_check_request__descriptor,         RPC_WATCH,    svc_health_watch),
	QUIET(REFLECTION,   "ServerReflectionInfo",   &grpc__reflection__v1__server_reflection_request__descriptor, RPC_DIALOG,  svc_reflection),
	QUIET(REFLECTION_A, "ServerReflectionInfo",   &grpc__reflection__v1__server_reflection_request__descriptor, RPC_DIALOG,  svc_reflection),
};
/* clang-format on */

size_t methods_count(void)
{
	return ARRAY_LEN(methods);
}

const struct method *methods_at(size_t i)
{
	return &methods[i];
}

struct rpc_method *methods_for_rpc(void)
{
	struct rpc_method *rows = mem_array(ARRAY_LEN(methods), sizeof(*rows));

	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		rows[i] = (struct rpc_method){
			.path = methods[i].path, .lane = methods[i].lane, .shape = methods[i].shape};
	return rows;
}

static struct str service_of(const struct method *m)
{
	struct str rest = str_c(m->path + 1);

	return str_cut(&rest, '/');
}

bool methods_has_service(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (str_eq(service_of(&methods[i]), name))
			return true;
	return false;
}

size_t methods_services(struct arena *arena, struct str **ret_names)
{
	struct str *names = arena_array_of(arena, ARRAY_LEN(methods), struct str);
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct str name = service_of(&methods[i]);
		size_t at = 0;

		while (at < n && str_cmp(names[at], name) < 0)
			at++;
		if (at < n && str_eq(names[at], name))
			continue;
		memmove(&names[at + 1], &names[at], (n - at) * sizeof(*names));
		names[at] = name;
		n++;
	}
	*ret_names = names;
	return n;
}

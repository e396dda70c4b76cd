/* layers: proto base
 *
 * A request as it comes from the network: checked, unpacked, validated, printed. The first byte selects the
 * request type. What was accepted once must be accepted again after packing, and to the same bytes. */
#include <string.h>

#include "base/json.h"
#include "proto/messages.h"
#include "proto/pb_check.h"
#include "proto/pb_json.h"
#include "proto/pb_validate.h"
#include "support/fuzz.h"

/* New types go to the end: the corpus knows them by position. */
static const ProtobufCMessageDescriptor *const types[] = {
	V2_DESC(asset_service_get_asset_request),
	V2_DESC(connector_service_cleanup_request),
	V2_DESC(connector_service_get_metadata_request),
	V2_DESC(connector_service_validate_request),
	V2_DESC(create_account_request),
	V2_DESC(create_resource_request),
	V2_DESC(delete_resource_request),
	V2_DESC(delete_resource_v2_request),
	V2_DESC(entitlements_service_list_entitlements_request),
	V2_DESC(entitlements_service_list_static_entitlements_request),
	V2_DESC(get_action_schema_request),
	V2_DESC(get_action_status_request),
	V2_DESC(grant_manager_service_grant_request),
	V2_DESC(grant_manager_service_revoke_request),
	V2_DESC(grants_service_list_grants_request),
	V2_DESC(invoke_action_request),
	V2_DESC(issue_credential_request),
	V2_DESC(list_action_schemas_request),
	V2_DESC(list_event_feeds_request),
	V2_DESC(list_events_request),
	V2_DESC(resource_getter_service_get_resource_request),
	V2_DESC(resource_types_service_list_resource_types_request),
	V2_DESC(resources_service_list_resources_request),
	V2_DESC(rotate_credential_request),
	V2_DESC(tickets_service_bulk_create_tickets_request),
	V2_DESC(tickets_service_bulk_get_tickets_request),
	V2_DESC(tickets_service_create_ticket_request),
	V2_DESC(tickets_service_get_ticket_request),
	V2_DESC(tickets_service_get_ticket_schema_request),
	V2_DESC(tickets_service_list_ticket_schemas_request),
	RL_DESC(do_request),
	RL_DESC(report_request),
};

static void check_validation(const ProtobufCMessage *msg)
{
	struct err err;

	if (pb_validate(msg, &err) == ERR_OK)
		return;
	FUZZ_CHECK(err.code == ERR_INVALID);
	FUZZ_CHECK(str_starts(str_c(err.msg), STR("invalid ")) && str_is_utf8(str_c(err.msg)));
}

static void check_round_trip(struct arena *a, const ProtobufCMessage *msg)
{
	struct str packed = pb_pack(a, msg);
	ProtobufCMessage *again;
	struct err err;

	FUZZ_CHECK(pb_unpack(a, msg->descriptor, packed, PB_MAX_BYTES, &again, &err) == ERR_OK);
	FUZZ_CHECK(str_eq(pb_pack(a, again), packed));
}

static void check_json(struct arena *a, const ProtobufCMessage *msg)
{
	const struct json *json;
	struct buf out;
	struct err err;

	buf_init(&out, 1 << 20);
	if (pb_json(a, msg, PB_JSON_INDENTED, &out, &err) == ERR_OK) {
		enum err_code code = json_parse(a, buf_view(&out), out.n, &json, &err);

		FUZZ_CHECK(code == ERR_OK || code == ERR_TOO_LARGE); /* JSON_MAX_DEPTH is less than ours */
	} else {
		FUZZ_CHECK(err.code == ERR_PROTOCOL || err.code == ERR_TOO_LARGE);
	}
	buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	const ProtobufCMessageDescriptor *desc;
	ProtobufCMessage *msg;
	struct str bytes;
	struct err err;

	if (size == 0)
		return 0;
	desc = types[data[0] % ARRAY_LEN(types)];
	bytes = str_n((const char *)data + 1, size - 1);
	if (pb_unpack(a, desc, bytes, PB_MAX_BYTES, &msg, &err) != ERR_OK) {
		FUZZ_CHECK(err.code == ERR_PROTOCOL || err.code == ERR_TOO_LARGE);
		FUZZ_CHECK(err.msg[0] != '\0' && str_is_utf8(str_c(err.msg)));
		return 0;
	}
	check_validation(msg);
	check_round_trip(a, msg);
	check_json(a, msg);
	return 0;
}

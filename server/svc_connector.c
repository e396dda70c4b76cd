#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "inventory/inventory.h"
#include "proto/messages.h"
#include "proto/pb_build.h"
#include "server/call.h"
#include "server/capabilities.h"
#include "server/connector.h"
#include "server/services.h"

/* The engine puts active_sync_id in its requests only for a plain release of at least 0.4.3. This is the
 * release whose protocol we speak. */
#define SDK_VERSION "v0.25.0"

enum {
	VALIDATE_RETRIES = 5, /* waits of 1, 2, 3, 4, 5 s (spec/rpc-surface.md 3.3) */
	VALIDATE_MAX_WAIT_MS = 60000,
	/* The engine's health endpoint asks as often as its own callers do; several connectors' worth of
	 * probes share one GetCallerIdentity, and a revoked key is still noticed soon. */
	IDENTITY_SHARED_MS = 5000,
};

/* --- GetMetadata --- */

/* One row of the form that CreateAccount is filled from. */
struct account_field {
	const char *key, *display_name, *description, *placeholder;
	bool required;
};

static const struct account_field iam_user_fields[] = {
	{"username", "Username", "The IAM user name. Defaults to email if omitted.", "jdoe", false},
	{"email", "Email", "The user's primary work email.", "jdoe@example.com", true},
};
static const struct account_field sso_user_fields[] = {
	{"username", "Username", "The Identity Center user name (login).", "jdoe@example.com", true},
	{"given_name", "First Name", "The user's given name.", "Jane", true},
	{"family_name", "Last Name", "The user's family name.", "Doe", true},
	{"email", "Email", "The user's primary work email.", "jdoe@example.com", true},
	{"display_name", "Display Name", "Optional display name. Defaults to \"<given> <family>\" if empty.",
		"Jane Doe", false},
};

typedef V2(ConnectorAccountCreationSchema__Field) schema_field;
typedef V2(ConnectorAccountCreationSchema__FieldMapEntry) schema_entry;

static char *text(struct arena *arena, const char *s)
{
	return pb_str(arena, str_c(s));
}

static V2(ConnectorAccountCreationSchema) *
	account_creation_schema(const struct connector *c, struct arena *arena)
{
	V2(ConnectorAccountCreationSchema) *schema =
		pb_new(arena, V2_DESC(connector_account_creation_schema));
	bool sso = str_eq(c->opts.config->create_account_resource_type, STR("sso_user"));
	const struct account_field *fields = sso ? sso_user_fields : iam_user_fields;
	size_t n = sso ? ARRAY_LEN(sso_user_fields) : ARRAY_LEN(iam_user_fields);

	for (size_t i = 0; i < n; i++) {
		schema_entry *entry =
			pb_new(arena, V2_DESC(connector_account_creation_schema__field_map_entry));
		schema_field *f = pb_new(arena, V2_DESC(connector_account_creation_schema__field));

		f->display_name = text(arena, fields[i].display_name);
		f->required = fields[i].required;
		f->description = text(arena, fields[i].description);
		f->placeholder = text(arena, fields[i].placeholder);
		f->order = (int32_t)i + 1;
		f->field_case = V2_ENUM(CONNECTOR_ACCOUNT_CREATION_SCHEMA__FIELD__FIELD_STRING_FIELD);
		f->string_field = pb_new(arena, V2_DESC(connector_account_creation_schema__string_field));
		entry->key = text(arena, fields[i].key);
		entry->value = f;
		PB_ADD(arena, schema, field_map, entry);
	}
	return schema;
}

/* Field 4 of "arn:aws:iam::123456789012:role/x". */
static struct str account_of_arn(struct str arn)
{
	struct str part = STR_EMPTY;

	for (int i = 0; i < 5; i++)
		part = str_cut(&arn, ':');
	return part;
}

static void add_sign_in_link(struct arena *arena, V2(ConnectorMetadata) * metadata, struct str account)
{
	V2(ExternalLink) *link = pb_new(arena, V2_DESC(external_link));

	link->url = pb_str(
		arena, str_fmt(arena, "https://" STR_FMT ".signin.aws.amazon.com/console", STR_ARG(account)));
	PB_ANNOTATE(arena, metadata, link);
}

/* Whether an account number has a sign-in page of that name is a fact of the partition. */
static bool has_sign_in_page(struct str partition)
{
	return str_eq(partition, STR("aws"));
}

enum rpc_code svc_get_metadata(struct call *call, const void *request)
{
	struct connector *c = call->connector;
	V2(ConnectorServiceGetMetadataResponse) * reply;
	V2(ConnectorMetadata) * metadata;
	struct inventory_identity identity;
	struct str account, alias;
	struct err err;

	(void)request;
	if (inventory_identity(c->opts.inventory, &call->ctx, /* refresh= */ false, call->arena, &identity,
		    &err) != ERR_OK)
		return call_error(call, &err, "baton-aws: failed to validate assume role");
	if (inventory_account_alias(c->opts.inventory, &call->ctx, call->arena, &alias, &err) != ERR_OK)
		return call_error(call, &err, "baton-aws: failed to read the account's alias");
	account = c->opts.role_arn.n > 0 ? account_of_arn(c->opts.role_arn) : identity.account;

	metadata = pb_new(call->arena, V2_DESC(connector_metadata));
	metadata->display_name = text(call->arena, "AWS");
	metadata->profile = pb_struct(call->arena);
	pb_struct_str(call->arena, metadata->profile, STR("account_id"), account);
	if (alias.n > 0) {
		metadata->display_name =
			pb_str(call->arena, str_fmt(call->arena, "AWS (" STR_FMT ")", STR_ARG(alias)));
		pb_struct_str(call->arena, metadata->profile, STR("account_name"), alias);
	}
	if (has_sign_in_page(identity.partition))
		add_sign_in_link(call->arena, metadata, account);
	metadata->capabilities = capabilities_of(c, call->arena);
	if (capabilities_have(metadata->capabilities, V2_ENUM(CAPABILITY__CAPABILITY_ACCOUNT_PROVISIONING)))
		metadata->account_creation_schema = account_creation_schema(c, call->arena);

	reply = pb_new(call->arena, V2_DESC(connector_service_get_metadata_response));
	reply->metadata = metadata;
	return call_reply(call, &reply->base);
}

/* --- Validate --- */

struct identity_check {
	struct mutex lock;
	int64_t good_until_ms; /* guarded by lock */
};

struct identity_check *identity_check_new(void)
{
	struct identity_check *check = mem_zalloc(sizeof(*check));

	mutex_init(&check->lock);
	return check;
}

void identity_check_free(struct identity_check *check)
{
	if (check == NULL)
		return;
	mutex_deinit(&check->lock);
	mem_free(check);
}

static bool checked_lately(struct identity_check *check, int64_t now_ms)
{
	LOCK_SCOPE(&check->lock);
	return now_ms < check->good_until_ms;
}

static void set_checked(struct identity_check *check, int64_t now_ms)
{
	LOCK_SCOPE(&check->lock);
	check->good_until_ms = now_ms + IDENTITY_SHARED_MS;
}

static bool worth_retrying(const struct err *err)
{
	enum rpc_code code = rpc_code_of_err(err->code);

	return err->retryable && (code == RPC_UNAVAILABLE || code == RPC_DEADLINE_EXCEEDED);
}

/* The engine does not repeat Validate: any error ends its sync before it began. So we do. */
static enum err_code check_identity(struct call *call, struct err *reterr)
{
	struct connector *c = call->connector;
	struct inventory_identity identity;

	if (checked_lately(c->identity_check, clock_mono_ms(call->ctx.clock)))
		return ERR_OK;
	for (int attempt = 1;; attempt++) {
		enum err_code rc = inventory_identity(
			c->opts.inventory, &call->ctx, /* refresh= */ true, call->arena, &identity, reterr);
		int64_t wait_ms = attempt * 1000;

		if (rc == ERR_OK)
			break;
		if (attempt > VALIDATE_RETRIES || !worth_retrying(reterr))
			return rc;
		if (reterr->retry_after_ms > 0)
			wait_ms = reterr->retry_after_ms < VALIDATE_MAX_WAIT_MS ? reterr->retry_after_ms
										: VALIDATE_MAX_WAIT_MS;
		if (ctx_left_ms(&call->ctx) <= wait_ms)
			return rc; /* the reason says more than that the deadline passed */
		rc = ctx_sleep_ms(&call->ctx, wait_ms, "waiting to ask AWS again", reterr);
		if (rc != ERR_OK)
			return rc;
	}
	set_checked(c->identity_check, clock_mono_ms(call->ctx.clock));
	return ERR_OK;
}

enum rpc_code svc_validate(struct call *call, const void *request)
{
	V2(ConnectorServiceValidateResponse) * reply;
	struct err err;

	(void)request;
	if (check_identity(call, &err) != ERR_OK)
		return call_error(call, &err, "validate failed");
	reply = pb_new(call->arena, V2_DESC(connector_service_validate_response));
	reply->sdk_version = text(call->arena, SDK_VERSION);
	return call_reply(call, &reply->base);
}

/* --- Cleanup --- */

enum rpc_code svc_cleanup(struct call *call, const void *request)
{
	const V2(ConnectorServiceCleanupRequest) *req = request;

	call->sync_id = str_c(req->active_sync_id);
	if (call->sync_id.n == 0)
		log_warn("Cleanup came without an active_sync_id, ignoring");
	else
		inventory_end_sync(call->connector->opts.inventory, &call->ctx, call->sync_id);
	return call_reply(call, pb_new(call->arena, V2_DESC(connector_service_cleanup_response)));
}

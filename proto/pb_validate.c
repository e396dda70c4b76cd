/* DESIGN
 *
 * Rules are rows: message, field, kind, bounds. The walk follows the descriptor, so a sub-message is
 * validated wherever it stands, with or without rules of its own; a violation is worded once, at the end,
 * from the chain of frames on the stack. Within a message the fields outside oneofs come first, then the
 * chosen members of oneofs: the order in which the reference's generated code checks. protobuf-c sorts fields
 * by number, which in every request is the order of declaration too.
 *
 * Maps are not entered: no map of a request leads to a rule (test_pb_validate.c makes sure of it). */
#include "proto/pb_validate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "proto/email.h"
#include "proto/messages.h"
#include "proto/pb_field.h"

enum rule_kind {
	RULE_REQUIRED,       /* a message that must be there */
	RULE_BYTES,          /* text of min..max bytes; min 0: at most max */
	RULE_BYTES_OPT,      /* the same, or empty */
	RULE_MIN_RUNES,      /* text of at least min code points */
	RULE_MAX,            /* unsigned, at most max */
	RULE_RANGE,          /* signed, min..max */
	RULE_MIN_ITEMS,      /* a list of at least min elements */
	RULE_DEFINED,        /* an enum value that has a name */
	RULE_DEFINED_UNIQUE, /* a list of such, none twice */
	RULE_EMAIL,          /* see email.h */
	RULE_REQUEST_ID,     /* ^[A-Za-z0-9_-]+$ */
	RULE_DURATION_DAY,   /* a google.protobuf.Duration of 0 s ..= 24 h */
};

/* One rule, one line; the rows of a message stand together. */
/* clang-format off */
static const struct rule {
	const ProtobufCMessageDescriptor *desc;
	const char *field;
	enum rule_kind kind;
	int64_t min, max; /* where the kind has bounds */
} table[] = {
	{V2_DESC(account_info__email), "address", RULE_EMAIL, 0, 0},
	{V2_DESC(asset_ref), "id", RULE_BYTES, 1, 1024},
	{V2_DESC(asset_service_get_asset_request), "asset", RULE_REQUIRED, 0, 0},
	{V2_DESC(connector_service_cleanup_request), "active_sync_id", RULE_BYTES_OPT, 1, 1024},
	{V2_DESC(create_account_request), "resource_type_id", RULE_BYTES_OPT, 1, 1024},
	{V2_DESC(credential_options__encrypted_password), "encrypted_passwords", RULE_MIN_ITEMS, 1, 0},
	{V2_DESC(credential_options__random_password), "length", RULE_RANGE, 8, 64},
	{V2_DESC(encryption_config__age_recipient_config), "recipient", RULE_BYTES, 1, 4096},
	{V2_DESC(entitlement), "resource", RULE_REQUIRED, 0, 0},
	{V2_DESC(entitlement), "id", RULE_BYTES, 1, 1024},
	{V2_DESC(entitlement), "display_name", RULE_BYTES_OPT, 1, 1024},
	{V2_DESC(entitlement), "description", RULE_BYTES_OPT, 1, 2048},
	{V2_DESC(entitlement), "purpose", RULE_DEFINED, 0, 0},
	{V2_DESC(entitlements_service_list_entitlements_request), "page_size", RULE_MAX, 0, 250},
	{V2_DESC(entitlements_service_list_entitlements_request), "page_token", RULE_BYTES_OPT, 1, 1048576},
	{V2_DESC(entitlements_service_list_entitlements_request), "active_sync_id", RULE_BYTES_OPT, 1, 1024},
	{V2_DESC(entitlements_service_list_static_entitlements_request), "resource_type_id", RULE_BYTES, 1, 1024},
	{V2_DESC(entitlements_service_list_static_entitlements_request), "page_size", RULE_MAX, 0, 250},
	{V2_DESC(entitlements_service_list_static_entitlements_request), "page_token", RULE_BYTES_OPT, 1, 1048576},
	{V2_DESC(entitlements_service_list_static_entitlements_request), "active_sync_id", RULE_BYTES_OPT, 1, 1024},
	{V2_DESC(grant), "entitlement", RULE_REQUIRED, 0, 0},
	{V2_DESC(grant), "principal", RULE_REQUIRED, 0, 0},
	{V2_DESC(grant), "id", RULE_BYTES, 1, 1024},
	{V2_DESC(grant_manager_service_grant_request), "entitlement", RULE_REQUIRED, 0, 0},
	{V2_DESC(grant_manager_service_grant_request), "principal", RULE_REQUIRED, 0, 0},
	{V2_DESC(grant_manager_service_revoke_request), "grant", RULE_REQUIRED, 0, 0},
	{V2_DESC(grants_service_list_grants_request), "resource", RULE_REQUIRED, 0, 0},
	{V2_DESC(grants_service_list_grants_request), "page_size", RULE_MAX, 0, 250},
	{V2_DESC(grants_service_list_grants_request), "page_token", RULE_BYTES_OPT, 1, 1048576},
	{V2_DESC(grants_service_list_grants_request), "active_sync_id", RULE_BYTES_OPT, 1, 1024},
	{V2_DESC(invoke_action_request), "inline_wait", RULE_DURATION_DAY, 0, 0},
	{V2_DESC(issue_credential_request), "request_id", RULE_BYTES, 1, 128},
	{V2_DESC(issue_credential_request), "request_id", RULE_REQUEST_ID, 0, 0},
	{V2_DESC(key_generation_profile), "kty", RULE_BYTES, 1, 32},
	{V2_DESC(key_generation_profile), "crv", RULE_BYTES, 0, 64},
	{V2_DESC(list_events_request), "cursor", RULE_BYTES_OPT, 1, 4096},
	{V2_DESC(list_events_request), "page_size", RULE_MAX, 0, 1000},
	{V2_DESC(list_events_request), "event_feed_id", RULE_BYTES_OPT, 1, 1024},
	{RL_DESC(rate_limit_descriptors), "entries", RULE_MIN_ITEMS, 1, 0},
	{RL_DESC(rate_limit_descriptors__entry), "key", RULE_MIN_RUNES, 1, 0},
	{RL_DESC(rate_limit_descriptors__entry), "value", RULE_MIN_RUNES, 1, 0},
	{V2_DESC(resource), "display_name", RULE_BYTES_OPT, 1, 1024},
	{V2_DESC(resource), "description", RULE_BYTES_OPT, 1, 2048},
	{V2_DESC(resource_getter_service_get_resource_request), "active_sync_id", RULE_BYTES_OPT, 1, 1024},
	{V2_DESC(resource_id), "resource_type", RULE_BYTES, 1, 1024},
	{V2_DESC(resource_id), "resource", RULE_BYTES, 1, 1024},
	{V2_DESC(resource_type), "id", RULE_BYTES, 1, 1024},
	{V2_DESC(resource_type), "display_name", RULE_BYTES_OPT, 1, 1024},
	{V2_DESC(resource_type), "traits", RULE_DEFINED_UNIQUE, 0, 0},
	{V2_DESC(resource_type), "description", RULE_BYTES_OPT, 1, 4096},
	{V2_DESC(resource_types_service_list_resource_types_request), "page_size", RULE_MAX, 0, 250},
	{V2_DESC(resource_types_service_list_resource_types_request), "page_token", RULE_BYTES_OPT, 1, 1048576},
	{V2_DESC(resource_types_service_list_resource_types_request), "active_sync_id", RULE_BYTES_OPT, 1, 1024},
	{V2_DESC(resources_service_list_resources_request), "resource_type_id", RULE_BYTES, 1, 1024},
	{V2_DESC(resources_service_list_resources_request), "page_size", RULE_MAX, 0, 250},
	{V2_DESC(resources_service_list_resources_request), "page_token", RULE_BYTES_OPT, 1, 1048576},
	{V2_DESC(resources_service_list_resources_request), "active_sync_id", RULE_BYTES_OPT, 1, 1024},
	{V2_DESC(status), "status", RULE_DEFINED, 0, 0},
	{V2_DESC(status), "details", RULE_BYTES_OPT, 1, 1024},
	{V2_DESC(tickets_service_list_ticket_schemas_request), "page_size", RULE_MAX, 0, 250},
	{V2_DESC(tickets_service_list_ticket_schemas_request), "page_token", RULE_BYTES_OPT, 1, 4096},
};
/* clang-format on */

/* Where the walk is: the chain of messages from the request down to this one. */
struct frame {
	const struct frame *up; /* NULL: the request itself */
	const ProtobufCMessage *msg;
	const ProtobufCFieldDescriptor *field; /* being looked at */
	size_t index;                          /* of the element of a repeated field */
	bool in_items;                         /* whether index counts */
};

/* The longest chain of a request's messages takes about 480 bytes; a cause can add EMAIL_CAUSE_SIZE. */
struct text {
	char p[1024];
	size_t n;
};

PRINTF_LIKE(2, 3)
static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->p + t->n, sizeof(t->p) - t->n, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->n += (size_t)n < sizeof(t->p) - t->n ? (size_t)n : sizeof(t->p) - t->n - 1;
}

static void add_char(struct text *t, char c)
{
	if (t->n + 1 < sizeof(t->p)) {
		t->p[t->n++] = c;
		t->p[t->n] = '\0';
	}
}

/* c1.connector.v2.AccountInfo.Email -> AccountInfo_Email */
static void add_type_name(struct text *t, const ProtobufCMessageDescriptor *desc)
{
	for (const char *c = desc->name + strlen(desc->package_name) + 1; *c != '\0'; c++)
		add_char(t, *c == '.' ? '_' : *c);
}

/* resource_type_id -> ResourceTypeId, as Go's generator spells it. */
static void add_field_name(struct text *t, const char *name)
{
	bool upper = true;

	for (const char *c = name; *c != '\0'; c++) {
		bool lower = *c >= 'a' && *c <= 'z';

		if (*c == '_' && c[1] >= 'a' && c[1] <= 'z') {
			upper = true;
			continue;
		}
		add_char(t, upper && lower ? (char)(*c - 'a' + 'A') : *c);
		upper = false;
	}
}

static void add_place(struct text *t, const struct frame *at)
{
	add(t, "invalid ");
	add_type_name(t, at->msg->descriptor);
	add_char(t, '.');
	add_field_name(t, at->field->name);
	if (at->in_items)
		add(t, "[%zu]", at->index);
	add(t, ": ");
}

static void add_chain(struct text *t, const struct frame *at)
{
	if (at == NULL)
		return;
	add_chain(t, at->up);
	add_place(t, at);
	add(t, "embedded message failed validation | caused by: ");
}

PRINTF_LIKE(3, 4)
static enum err_code violation(const struct frame *at, struct err *reterr, const char *fmt, ...)
{
	struct text t = {.n = 0};
	char reason[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	add_chain(&t, at->up);
	add_place(&t, at);
	add(&t, "%s", reason);
	return err_set(reterr, ERR_INVALID, "%s", t.p);
}

static struct str text_of(const struct frame *at)
{
	const char *s;

	memcpy(&s, pb_field_at(at->msg, at->field, 0), sizeof(s));
	return str_c(s);
}

static int32_t enum_of(const struct frame *at, size_t i)
{
	int32_t v;

	memcpy(&v, pb_field_at(at->msg, at->field, i), sizeof(v));
	return v;
}

static enum err_code check_bytes(const struct frame *at, const struct rule *r, struct err *reterr)
{
	struct str s = text_of(at);
	int64_t n = (int64_t)s.n;

	if (n == 0 && r->kind == RULE_BYTES_OPT)
		return ERR_OK;
	if (n >= r->min && n <= r->max)
		return ERR_OK;
	if (r->min == 0)
		return violation(at, reterr, "value length must be at most %" PRId64 " bytes", r->max);
	return violation(at, reterr,
		"value length must be between %" PRId64 " and %" PRId64 " bytes, inclusive", r->min, r->max);
}

static bool defined(const struct frame *at, int32_t value)
{
	return protobuf_c_enum_descriptor_get_value(at->field->descriptor, value) != NULL;
}

#define NOT_DEFINED "value must be one of the defined enum values"

/* A list without a repetition is no longer than the enum has names (about 13), so the inner loop is short:
 * the first undefined or repeated element ends it all. */
static enum err_code check_defined_unique(struct frame *at, struct err *reterr)
{
	at->in_items = true;
	for (at->index = 0; at->index < pb_field_count(at->msg, at->field); at->index++) {
		int32_t value = enum_of(at, at->index);

		for (size_t i = 0; i < at->index; i++)
			if (enum_of(at, i) == value)
				return violation(at, reterr, "repeated value must contain unique items");
		if (!defined(at, value))
			return violation(at, reterr, NOT_DEFINED);
	}
	at->in_items = false;
	return ERR_OK;
}

static enum err_code check_request_id(const struct frame *at, struct err *reterr)
{
	struct str s = text_of(at);

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool ok = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			  c == '_' || c == '-';

		if (!ok)
			return violation(
				at, reterr, "value does not match regex pattern \"^[A-Za-z0-9_-]+$\"");
	}
	return ERR_OK;
}

#define DURATION_MAX_S 315576000000 /* 10,000 years, the definition's own limit */
#define NANOS_PER_S    1000000000
#define DAY_S          86400

struct duration_text {
	char p[64];
};

/* As protobuf's text format: parts that are zero are left out. */
static struct duration_text duration_text(const Google__Protobuf__Duration *d)
{
	struct duration_text t = {.p = ""};
	int n = 0;

	if (d->seconds != 0)
		n = snprintf(t.p, sizeof(t.p), "seconds:%" PRId64, d->seconds);
	if (d->nanos != 0)
		snprintf(t.p + n, sizeof(t.p) - (size_t)n, "%snanos:%" PRId32, n > 0 ? " " : "", d->nanos);
	return t;
}

static enum err_code check_duration_day(const struct frame *at, struct err *reterr)
{
	const Google__Protobuf__Duration *d =
		(const Google__Protobuf__Duration *)pb_field_message(at->msg, at->field, 0);
	const char *bad = NULL;

	if (d == NULL)
		return ERR_OK;
	if (d->seconds < -DURATION_MAX_S)
		bad = "exceeds -10000 years";
	else if (d->seconds > DURATION_MAX_S)
		bad = "exceeds +10000 years";
	else if (d->nanos <= -NANOS_PER_S || d->nanos >= NANOS_PER_S)
		bad = "has out-of-range nanos";
	else if ((d->seconds > 0 && d->nanos < 0) || (d->seconds < 0 && d->nanos > 0))
		bad = "has seconds and nanos with different signs";
	if (bad != NULL)
		return violation(at, reterr,
			"value is not a valid duration | caused by: proto: duration (%s) %s",
			duration_text(d).p, bad);
	if (d->seconds < 0 || d->nanos < 0 || d->seconds > DAY_S || (d->seconds == DAY_S && d->nanos > 0))
		return violation(at, reterr, "value must be inside range [0s, 24h0m0s]");
	return ERR_OK;
}

static enum err_code check_email(const struct frame *at, struct err *reterr)
{
	char cause[EMAIL_CAUSE_SIZE];

	if (email_check(text_of(at), cause))
		return ERR_OK;
	return violation(at, reterr, "value must be a valid email address | caused by: %s", cause);
}

static enum err_code check_rule(struct frame *at, const struct rule *r, struct err *reterr)
{
	uint32_t u;
	int64_t i;

	switch (r->kind) {
	case RULE_REQUIRED:
		if (pb_field_message(at->msg, at->field, 0) == NULL)
			return violation(at, reterr, "value is required");
		return ERR_OK;
	case RULE_BYTES:
	case RULE_BYTES_OPT:
		return check_bytes(at, r, reterr);
	case RULE_MIN_RUNES:
		if ((int64_t)str_utf8_count(text_of(at)) < r->min)
			return violation(
				at, reterr, "value length must be at least %" PRId64 " runes", r->min);
		return ERR_OK;
	case RULE_MAX:
		memcpy(&u, pb_field_at(at->msg, at->field, 0), sizeof(u));
		if (u > r->max)
			return violation(at, reterr, "value must be less than or equal to %" PRId64, r->max);
		return ERR_OK;
	case RULE_RANGE:
		memcpy(&i, pb_field_at(at->msg, at->field, 0), sizeof(i));
		if (i < r->min || i > r->max)
			return violation(at, reterr, "value must be inside range [%" PRId64 ", %" PRId64 "]",
				r->min, r->max);
		return ERR_OK;
	case RULE_MIN_ITEMS:
		if ((int64_t)pb_field_count(at->msg, at->field) < r->min)
			return violation(
				at, reterr, "value must contain at least %" PRId64 " item(s)", r->min);
		return ERR_OK;
	case RULE_DEFINED:
		return defined(at, enum_of(at, 0)) ? ERR_OK : violation(at, reterr, NOT_DEFINED);
	case RULE_DEFINED_UNIQUE:
		return check_defined_unique(at, reterr);
	case RULE_EMAIL:
		return check_email(at, reterr);
	case RULE_REQUEST_ID:
		return check_request_id(at, reterr);
	case RULE_DURATION_DAY:
		return check_duration_day(at, reterr);
	}
	return ERR_OK;
}

/* The first of desc's rows, or NULL. */
static const struct rule *rules_of(const ProtobufCMessageDescriptor *desc)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].desc == desc)
			return &table[i];
	return NULL;
}

static enum err_code walk(const struct frame *up, const ProtobufCMessage *msg, struct err *reterr);

/* The messages below a field. google.protobuf's own types have no rules. */
static enum err_code walk_below(struct frame *at, struct err *reterr)
{
	const ProtobufCMessageDescriptor *desc = at->field->descriptor;

	if (at->field->type != PROTOBUF_C_TYPE_MESSAGE || pb_field_is_map(at->field) ||
		strcmp(desc->package_name, "google.protobuf") == 0)
		return ERR_OK;
	at->in_items = pb_field_repeated(at->field);
	for (at->index = 0; at->index < pb_field_count(at->msg, at->field); at->index++) {
		const ProtobufCMessage *sub = pb_field_message(at->msg, at->field, at->index);
		enum err_code code = sub != NULL ? walk(at, sub, reterr) : ERR_OK;

		if (code != ERR_OK)
			return code;
	}
	at->in_items = false;
	return ERR_OK;
}

static enum err_code check_field(struct frame *at, const struct rule *rules, struct err *reterr)
{
	const struct rule *end = table + ARRAY_LEN(table);
	enum err_code code = ERR_OK;

	for (const struct rule *r = rules; r != NULL && r < end && r->desc == rules->desc; r++) {
		if (strcmp(r->field, at->field->name) == 0)
			code = check_rule(at, r, reterr);
		if (code != ERR_OK)
			return code;
	}
	return walk_below(at, reterr);
}

static enum err_code walk(const struct frame *up, const ProtobufCMessage *msg, struct err *reterr)
{
	const ProtobufCMessageDescriptor *desc = msg->descriptor;
	const struct rule *rules = rules_of(desc);
	struct frame at = {.up = up, .msg = msg};

	for (int oneofs = 0; oneofs < 2; oneofs++) {
		for (unsigned i = 0; i < desc->n_fields; i++) {
			enum err_code code;

			at.field = &desc->fields[i];
			if (pb_field_in_oneof(at.field) != (oneofs == 1))
				continue;
			if (oneofs == 1 && !pb_field_present(msg, at.field))
				continue;
			code = check_field(&at, rules, reterr);
			if (code != ERR_OK)
				return code;
		}
	}
	return ERR_OK;
}

enum err_code pb_validate(const ProtobufCMessage *msg, struct err *reterr)
{
	return walk(NULL, msg, reterr);
}

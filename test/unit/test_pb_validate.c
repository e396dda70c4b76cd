/* layers: proto base */
#include "proto/pb_validate.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "proto/email.h"
#include "proto/messages.h"
#include "proto/pb_build.h"
#include "proto/pb_field.h"
#include "proto/registry.h"
#include "support/cunit_main.h"

static struct arena *arena;

static int setup(void)
{
	arena = arena_new(0);
	return 0;
}

static int teardown(void)
{
	arena_free(arena);
	return 0;
}

/* A message from words: `name=text`, `name=x*1025` (repeated), `name=` (empty), `name{` ... `}` (a
 * sub-message, an element when repeated), separated by single spaces. Fields of a oneof are chosen by being
 * named. */
static void *make(const ProtobufCMessageDescriptor *desc, struct str *words);

static struct str text_of(struct str value)
{
	ptrdiff_t star = str_rfind_char(value, '*');
	uint64_t times;
	char *p;

	if (star != 1 || !str_to_u64(str_from(value, 2), &times))
		return value;
	p = arena_alloc(arena, times + 1);
	memset(p, value.p[0], times);
	return str_n(p, times);
}

static void *slot(ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f, size_t size)
{
	char *base = (char *)msg;
	size_t n;
	void *items;

	if (pb_field_in_oneof(f)) {
		uint32_t id = f->id;

		memcpy(base + f->quantifier_offset, &id, sizeof(id));
	}
	if (!pb_field_repeated(f))
		return base + f->offset;
	memcpy(&n, base + f->quantifier_offset, sizeof(n));
	memcpy(&items, base + f->offset, sizeof(items));
	items = pb_grow(arena, items, n, size);
	memcpy(base + f->offset, &items, sizeof(items));
	items = (char *)items + n++ * size;
	memcpy(base + f->quantifier_offset, &n, sizeof(n));
	return items;
}

static void put_scalar(ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f, struct str value)
{
	int64_t i = 0;
	char *s;

	if (f->type == PROTOBUF_C_TYPE_STRING) {
		s = str_dup_c(arena, text_of(value));
		memcpy(slot(msg, f, sizeof(s)), &s, sizeof(s));
		return;
	}
	CU_ASSERT_FATAL(str_to_i64(value, &i));
	if (f->type == PROTOBUF_C_TYPE_INT64)
		memcpy(slot(msg, f, sizeof(i)), &i, sizeof(i));
	else
		memcpy(slot(msg, f, sizeof(int32_t)), &i,
			sizeof(int32_t)); /* little endian, as all we build for */
}

static void *make(const ProtobufCMessageDescriptor *desc, struct str *words)
{
	ProtobufCMessage *msg = pb_new(arena, desc);

	while (words->p != NULL && words->n > 0) {
		struct str word = str_cut(words, ' ');
		size_t n = strcspn(str_dup_c(arena, word), "={");
		const char *field = str_dup_c(arena, str_sub(word, 0, n));
		const ProtobufCFieldDescriptor *f;

		if (str_eq(word, STR("}")))
			break;
		f = protobuf_c_message_descriptor_get_field_by_name(desc, field);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		if (str_ends(word, STR("{"))) {
			void *sub = make(f->descriptor, words);

			memcpy(slot(msg, f, sizeof(sub)), &sub, sizeof(sub));
		} else {
			put_scalar(msg, f, str_from(word, n + 1));
		}
	}
	return msg;
}

#define RID      "resource_type=t resource=r"
#define RES      "id{ " RID " }"
#define ENT      "resource{ " RES " } id=e"
#define BYTES(n) "value length must be between 1 and " #n " bytes, inclusive"
#define NESTED   ": embedded message failed validation | caused by: "

static const struct {
	const ProtobufCMessageDescriptor *desc;
	const char *words;
	const char *want; /* NULL: fine */
} cases[] = {
	{V2_DESC(resource_types_service_list_resource_types_request), "", NULL},
	{V2_DESC(resource_types_service_list_resource_types_request),
		"page_size=250 page_token=x*1048576 active_sync_id=x*1024 parent{ }", NULL},
	{V2_DESC(resource_types_service_list_resource_types_request), "page_size=251",
		"invalid ResourceTypesServiceListResourceTypesRequest.PageSize: value must be less than or "
		"equal to "
		"250"},
	{V2_DESC(resource_types_service_list_resource_types_request), "page_size=-1",
		"invalid ResourceTypesServiceListResourceTypesRequest.PageSize: value must be less than or "
		"equal to "
		"250"},
	{V2_DESC(resource_types_service_list_resource_types_request), "page_token=x*1048577",
		"invalid ResourceTypesServiceListResourceTypesRequest.PageToken: " BYTES(1048576)},
	{V2_DESC(resource_types_service_list_resource_types_request), "active_sync_id=x*1025",
		"invalid ResourceTypesServiceListResourceTypesRequest.ActiveSyncId: " BYTES(1024)},
	{V2_DESC(resource_types_service_list_resource_types_request), "page_size=251 parent{ id{ } }",
		"invalid ResourceTypesServiceListResourceTypesRequest.Parent" NESTED
		"invalid Resource.Id" NESTED "invalid ResourceId.ResourceType: " BYTES(1024)},

	{V2_DESC(resources_service_list_resources_request), "resource_type_id=iam_user", NULL},
	{V2_DESC(resources_service_list_resources_request), "",
		"invalid ResourcesServiceListResourcesRequest.ResourceTypeId: " BYTES(1024)},
	{V2_DESC(resources_service_list_resources_request), "resource_type_id=x*1025",
		"invalid ResourcesServiceListResourcesRequest.ResourceTypeId: " BYTES(1024)},
	{V2_DESC(resources_service_list_resources_request),
		"resource_type_id=t parent_resource_id{ resource_type=a }",
		"invalid ResourcesServiceListResourcesRequest.ParentResourceId" NESTED
		"invalid ResourceId.Resource: " BYTES(1024)},
	{V2_DESC(resources_service_list_resources_request),
		"resource_type_id=t page_size=251 page_token=x*1048577",
		"invalid ResourcesServiceListResourcesRequest.PageSize: value must be less than or equal to "
		"250"},
	{V2_DESC(resources_service_list_resources_request), "resource_type_id=t page_token=x*1048577",
		"invalid ResourcesServiceListResourcesRequest.PageToken: " BYTES(1048576)},
	{V2_DESC(resources_service_list_resources_request), "resource_type_id=t active_sync_id=x*1025",
		"invalid ResourcesServiceListResourcesRequest.ActiveSyncId: " BYTES(1024)},

	{V2_DESC(resource_getter_service_get_resource_request), "", NULL},
	{V2_DESC(resource_getter_service_get_resource_request), "resource_id{ resource=r }",
		"invalid ResourceGetterServiceGetResourceRequest.ResourceId" NESTED
		"invalid ResourceId.ResourceType: " BYTES(1024)},
	{V2_DESC(resource_getter_service_get_resource_request), "active_sync_id=x*1025",
		"invalid ResourceGetterServiceGetResourceRequest.ActiveSyncId: " BYTES(1024)},

	{V2_DESC(entitlements_service_list_entitlements_request), "", NULL},
	{V2_DESC(entitlements_service_list_entitlements_request), "page_size=251",
		"invalid EntitlementsServiceListEntitlementsRequest.PageSize: value must be less than or "
		"equal to 250"},
	{V2_DESC(entitlements_service_list_entitlements_request), "page_token=x*1048577",
		"invalid EntitlementsServiceListEntitlementsRequest.PageToken: " BYTES(1048576)},
	{V2_DESC(entitlements_service_list_entitlements_request), "active_sync_id=x*1025",
		"invalid EntitlementsServiceListEntitlementsRequest.ActiveSyncId: " BYTES(1024)},
	{V2_DESC(entitlements_service_list_static_entitlements_request), "",
		"invalid EntitlementsServiceListStaticEntitlementsRequest.ResourceTypeId: " BYTES(1024)},
	{V2_DESC(entitlements_service_list_static_entitlements_request), "resource_type_id=t page_size=251",
		"invalid EntitlementsServiceListStaticEntitlementsRequest.PageSize: value must be less than "
		"or equal "
		"to 250"},

	{V2_DESC(grants_service_list_grants_request), "resource{ }", NULL},
	{V2_DESC(grants_service_list_grants_request), "page_size=251",
		"invalid GrantsServiceListGrantsRequest.Resource: value is required"},
	{V2_DESC(grants_service_list_grants_request), "resource{ id{ resource_type=t } }",
		"invalid GrantsServiceListGrantsRequest.Resource" NESTED "invalid Resource.Id" NESTED
		"invalid ResourceId.Resource: " BYTES(1024)},
	{V2_DESC(grants_service_list_grants_request), "resource{ display_name=x*1025 }",
		"invalid GrantsServiceListGrantsRequest.Resource" NESTED
		"invalid Resource.DisplayName: " BYTES(1024)},
	{V2_DESC(grants_service_list_grants_request), "resource{ description=x*2049 }",
		"invalid GrantsServiceListGrantsRequest.Resource" NESTED
		"invalid Resource.Description: " BYTES(2048)},
	{V2_DESC(grants_service_list_grants_request), "resource{ icon{ } }",
		"invalid GrantsServiceListGrantsRequest.Resource" NESTED "invalid Resource.Icon" NESTED
		"invalid AssetRef.Id: " BYTES(1024)},
	{V2_DESC(grants_service_list_grants_request), "resource{ status{ status=4 } }",
		"invalid GrantsServiceListGrantsRequest.Resource" NESTED "invalid Resource.Status" NESTED
		"invalid Status.Status: value must be one of the defined enum values"},
	{V2_DESC(grants_service_list_grants_request), "resource{ status{ status=3 details=x*1025 } }",
		"invalid GrantsServiceListGrantsRequest.Resource" NESTED "invalid Resource.Status" NESTED
		"invalid Status.Details: " BYTES(1024)},

	{V2_DESC(grant_manager_service_grant_request), "entitlement{ " ENT " } principal{ }", NULL},
	{V2_DESC(grant_manager_service_grant_request), "",
		"invalid GrantManagerServiceGrantRequest.Entitlement: value is required"},
	{V2_DESC(grant_manager_service_grant_request), "entitlement{ " ENT " }",
		"invalid GrantManagerServiceGrantRequest.Principal: value is required"},
	{V2_DESC(grant_manager_service_grant_request), "entitlement{ }",
		"invalid GrantManagerServiceGrantRequest.Entitlement" NESTED
		"invalid Entitlement.Resource: value is required"},
	{V2_DESC(grant_manager_service_grant_request), "entitlement{ resource{ } }",
		"invalid GrantManagerServiceGrantRequest.Entitlement" NESTED
		"invalid Entitlement.Id: " BYTES(1024)},
	{V2_DESC(grant_manager_service_grant_request), "entitlement{ " ENT " display_name=x*1025 }",
		"invalid GrantManagerServiceGrantRequest.Entitlement" NESTED
		"invalid Entitlement.DisplayName: " BYTES(1024)},
	{V2_DESC(grant_manager_service_grant_request), "entitlement{ " ENT " description=x*2049 }",
		"invalid GrantManagerServiceGrantRequest.Entitlement" NESTED
		"invalid Entitlement.Description: " BYTES(2048)},
	{V2_DESC(grant_manager_service_grant_request), "entitlement{ " ENT " purpose=4 }",
		"invalid GrantManagerServiceGrantRequest.Entitlement" NESTED
		"invalid Entitlement.Purpose: value must be one of the defined enum values"},
	{V2_DESC(grant_manager_service_grant_request),
		"entitlement{ " ENT " grantable_to{ id=a } grantable_to{ } }",
		"invalid GrantManagerServiceGrantRequest.Entitlement" NESTED
		"invalid Entitlement.GrantableTo[1]" NESTED "invalid ResourceType.Id: " BYTES(1024)},
	{V2_DESC(entitlement), ENT " grantable_to{ id=a traits=1 traits=2 traits=1 }",
		"invalid Entitlement.GrantableTo[0]" NESTED
		"invalid ResourceType.Traits[2]: repeated value must contain unique items"},
	{V2_DESC(entitlement), ENT " grantable_to{ id=a traits=12 traits=13 }",
		"invalid Entitlement.GrantableTo[0]" NESTED
		"invalid ResourceType.Traits[1]: value must be one of the defined enum values"},
	{V2_DESC(resource_type), "id=a display_name=x*1025",
		"invalid ResourceType.DisplayName: " BYTES(1024)},
	{V2_DESC(resource_type), "id=a description=x*4097", "invalid ResourceType.Description: " BYTES(4096)},

	{V2_DESC(grant_manager_service_revoke_request),
		"grant{ entitlement{ " ENT " } principal{ " RES " } id=g sources{ } }", NULL},
	{V2_DESC(grant_manager_service_revoke_request), "",
		"invalid GrantManagerServiceRevokeRequest.Grant: value is required"},
	{V2_DESC(grant_manager_service_revoke_request), "grant{ }",
		"invalid GrantManagerServiceRevokeRequest.Grant" NESTED
		"invalid Grant.Entitlement: value is required"},
	{V2_DESC(grant_manager_service_revoke_request), "grant{ entitlement{ " ENT " } }",
		"invalid GrantManagerServiceRevokeRequest.Grant" NESTED
		"invalid Grant.Principal: value is required"},
	{V2_DESC(grant_manager_service_revoke_request), "grant{ entitlement{ " ENT " } principal{ } }",
		"invalid GrantManagerServiceRevokeRequest.Grant" NESTED "invalid Grant.Id: " BYTES(1024)},

	{V2_DESC(create_resource_request), "", NULL},
	{V2_DESC(create_resource_request), "resource{ parent_resource_id{ } }",
		"invalid CreateResourceRequest.Resource" NESTED "invalid Resource.ParentResourceId" NESTED
		"invalid ResourceId.ResourceType: " BYTES(1024)},
	{V2_DESC(delete_resource_request), "resource_id{ }",
		"invalid DeleteResourceRequest.ResourceId" NESTED
		"invalid ResourceId.ResourceType: " BYTES(1024)},
	{V2_DESC(delete_resource_v2_request), "parent_resource_id{ }",
		"invalid DeleteResourceV2Request.ParentResourceId" NESTED
		"invalid ResourceId.ResourceType: " BYTES(1024)},
	{V2_DESC(rotate_credential_request), "encryption_configs{ } encryption_configs{ principal{ id{ } } }",
		"invalid RotateCredentialRequest.EncryptionConfigs[1]" NESTED
		"invalid EncryptionConfig.Principal" NESTED "invalid Resource.Id" NESTED
		"invalid ResourceId.ResourceType: " BYTES(1024)},
	{V2_DESC(rotate_credential_request), "encryption_configs{ age_recipient_config{ } }",
		"invalid RotateCredentialRequest.EncryptionConfigs[0]" NESTED
		"invalid EncryptionConfig.AgeRecipientConfig" NESTED
		"invalid EncryptionConfig_AgeRecipientConfig.Recipient: " BYTES(4096)},
	{V2_DESC(rotate_credential_request), "credential_options{ random_password{ length=7 } }",
		"invalid RotateCredentialRequest.CredentialOptions" NESTED
		"invalid CredentialOptions.RandomPassword" NESTED
		"invalid CredentialOptions_RandomPassword.Length: value must be inside range [8, 64]"},
	{V2_DESC(rotate_credential_request), "credential_options{ random_password{ length=64 } }", NULL},
	{V2_DESC(rotate_credential_request), "credential_options{ random_password{ length=65 } }",
		"invalid RotateCredentialRequest.CredentialOptions" NESTED
		"invalid CredentialOptions.RandomPassword" NESTED
		"invalid CredentialOptions_RandomPassword.Length: value must be inside range [8, 64]"},
	{V2_DESC(rotate_credential_request), "credential_options{ encrypted_password{ } }",
		"invalid RotateCredentialRequest.CredentialOptions" NESTED
		"invalid CredentialOptions.EncryptedPassword" NESTED
		"invalid CredentialOptions_EncryptedPassword.EncryptedPasswords: value must contain at least "
		"1 item(s)"},
	{V2_DESC(issue_credential_request), "request_id=Az0_-", NULL},
	{V2_DESC(issue_credential_request), "", "invalid IssueCredentialRequest.RequestId: " BYTES(128)},
	{V2_DESC(issue_credential_request), "request_id=a.b",
		"invalid IssueCredentialRequest.RequestId: value does not match regex pattern "
		"\"^[A-Za-z0-9_-]+$\""},
	{V2_DESC(issue_credential_request), "request_id=a credential_options{ keypair{ profile{ } } }",
		"invalid IssueCredentialRequest.CredentialOptions" NESTED
		"invalid CredentialIssueOptions.Keypair" NESTED
		"invalid CredentialIssueOptions_Keypair.Profile" NESTED
		"invalid KeyGenerationProfile.Kty: " BYTES(32)},
	{V2_DESC(key_generation_profile), "kty=EC crv=x*65",
		"invalid KeyGenerationProfile.Crv: value length must be at most 64 bytes"},
	{V2_DESC(key_generation_profile), "kty=RSA rsa_modulus_bits=1", NULL},
	{V2_DESC(create_account_request), "account_info{ emails{ address=a@example.com } }", NULL},
	{V2_DESC(create_account_request), "resource_type_id=x*1025",
		"invalid CreateAccountRequest.ResourceTypeId: " BYTES(1024)},
	{V2_DESC(create_account_request), "account_info{ emails{ address=a@b } emails{ } }",
		"invalid CreateAccountRequest.AccountInfo" NESTED "invalid AccountInfo.Emails[1]" NESTED
		"invalid AccountInfo_Email.Address: value must be a valid email address | caused by: mail: "
		"no address"},

	{V2_DESC(connector_service_cleanup_request), "", NULL},
	{V2_DESC(connector_service_cleanup_request), "active_sync_id=x*1025",
		"invalid ConnectorServiceCleanupRequest.ActiveSyncId: " BYTES(1024)},
	{V2_DESC(asset_service_get_asset_request), "",
		"invalid AssetServiceGetAssetRequest.Asset: value is required"},
	{V2_DESC(asset_service_get_asset_request), "asset{ id=x*1025 }",
		"invalid AssetServiceGetAssetRequest.Asset" NESTED "invalid AssetRef.Id: " BYTES(1024)},
	{V2_DESC(list_events_request), "page_size=1000", NULL},
	{V2_DESC(list_events_request), "page_size=1001",
		"invalid ListEventsRequest.PageSize: value must be less than or equal to 1000"},
	{V2_DESC(list_events_request), "cursor=x*4097", "invalid ListEventsRequest.Cursor: " BYTES(4096)},
	{V2_DESC(list_events_request), "event_feed_id=x*1025",
		"invalid ListEventsRequest.EventFeedId: " BYTES(1024)},
	{V2_DESC(tickets_service_list_ticket_schemas_request), "page_size=251",
		"invalid TicketsServiceListTicketSchemasRequest.PageSize: value must be less than or equal "
		"to 250"},
	{V2_DESC(tickets_service_list_ticket_schemas_request), "page_token=x*4097",
		"invalid TicketsServiceListTicketSchemasRequest.PageToken: " BYTES(4096)},
	{V2_DESC(tickets_service_create_ticket_request), "request{ } schema{ }", NULL},
	/* the longest chain there is: it has to fit a struct err */
	{V2_DESC(tickets_service_bulk_create_tickets_request),
		"ticket_requests{ request{ requested_for{ parent_resource_id{ } } } }",
		"invalid TicketsServiceBulkCreateTicketsRequest.TicketRequests[0]" NESTED
		"invalid TicketsServiceCreateTicketRequest.Request" NESTED
		"invalid TicketRequest.RequestedFor" NESTED "invalid Resource.ParentResourceId" NESTED
		"invalid ResourceId.ResourceType: " BYTES(1024)},

	{V2_DESC(invoke_action_request), "inline_wait{ seconds=86400 }", NULL},
	{V2_DESC(invoke_action_request), "inline_wait{ seconds=86400 nanos=1 }",
		"invalid InvokeActionRequest.InlineWait: value must be inside range [0s, 24h0m0s]"},
	{V2_DESC(invoke_action_request), "inline_wait{ nanos=-1 }",
		"invalid InvokeActionRequest.InlineWait: value must be inside range [0s, 24h0m0s]"},
	{V2_DESC(invoke_action_request), "inline_wait{ seconds=1 nanos=-1 }",
		"invalid InvokeActionRequest.InlineWait: value is not a valid duration | caused by: proto: "
		"duration "
		"(seconds:1 nanos:-1) has seconds and nanos with different signs"},
	{V2_DESC(invoke_action_request), "inline_wait{ seconds=315576000001 }",
		"invalid InvokeActionRequest.InlineWait: value is not a valid duration | caused by: proto: "
		"duration "
		"(seconds:315576000001) exceeds +10000 years"},

	{RL_DESC(do_request), "", NULL},
	{RL_DESC(do_request), "descriptors{ }",
		"invalid DoRequest.Descriptors" NESTED
		"invalid RateLimitDescriptors.Entries: value must contain at least 1 item(s)"},
	{RL_DESC(report_request), "descriptors{ entries{ key=k value= } }",
		"invalid ReportRequest.Descriptors" NESTED "invalid RateLimitDescriptors.Entries[0]" NESTED
		"invalid RateLimitDescriptors_Entry.Value: value length must be at least 1 runes"},
};

static void test_rules(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str words = str_c(cases[i].words);
		ProtobufCMessage *msg = make(cases[i].desc, &words);
		struct err err = {.msg = ""};
		enum err_code code = pb_validate(msg, &err);

		ASSERT_I64(code, cases[i].want != NULL ? ERR_INVALID : ERR_OK, cases[i].words);
		ASSERT_STR(str_c(code != ERR_OK ? err.msg : ""), str_c(cases[i].want), cases[i].words);
	}
}

static const struct {
	const char *address;
	const char *cause; /* NULL: valid. What Go's net/mail and protoc-gen-validate say. */
} emails[] = {
	{"a@b", NULL},
	{"first.last+tag@example-1.com", NULL},
	{"Jo\xc3\xa3o <joao@example.com>", NULL},
	{"\"Doe, Jane\" <jane@example.com>", NULL},
	{"  jane@example.com (Jane)", NULL},
	{"\"john doe\"@example.com", NULL},
	{"j\xc3\xb6rg@example.com", NULL},
	{"ok@EXAMPLE.com.", "mail: missing '@' or angle-addr"},
	{"staff: jane@example.com;", NULL},
	{"", "mail: no address"},
	{" \t", "mail: no address"},
	{"jane", "mail: missing '@' or angle-addr"},
	{"jane doe", "mail: no angle-addr"},
	{"jane@", "mail: missing '@' or angle-addr"},
	{"@example.com", "mail: missing word in phrase: mail: invalid string"},
	{"jane..doe@example.com", "mail: missing '@' or angle-addr"},
	{"<jane..doe@example.com>", "mail: double dot in atom"},
	{"<.jane@example.com>", "mail: leading dot in atom"},
	{"<jane.@example.com>", "mail: trailing dot in atom"},
	{"<jane>", "mail: missing @ in addr-spec"},
	{"<jane@>", "mail: invalid string"},
	{"<jane@", "mail: no domain in addr-spec"},
	{"<", "mail: no addr-spec"},
	{"<jane@example.com", "mail: unclosed angle-addr"},
	{"<\"\"@example.com>", "mail: empty quoted string in addr-spec"},
	{"\"jane", "mail: missing word in phrase: mail: unclosed quoted-string"},
	{"\"j\x01\"@b", "mail: missing word in phrase: mail: bad character in quoted-string: '\\x01'"},
	{"a@b, c@d", "mail: expected single address, got \", c@d\""},
	{"a@b x\"y\n", "mail: expected single address, got \"x\\\"y\\n\""},
	{"a@b (c", "mail: misformatted parenthetical comment"},
	{"staff:;", "mail: empty group"},
	{"staff: a@b, c@d;", "mail: group with multiple addresses"},
	{"staff: a@b c@d;", "mail: expected comma"},
	{"<jane@[1.2.3.4]>", "hostname parts can only contain alphanumeric characters or hyphens, got \"[\""},
	{"<jane@[1.2.3]>", "mail: invalid IP address in domain-literal: \"1.2.3\""},
	{"<jane@[1.2.3.4>", "mail: unclosed domain-literal"},
	{"\"a@b\"@c", "hostname parts can only contain alphanumeric characters or hyphens, got \"@\""},
	{"a@b_c", "hostname parts can only contain alphanumeric characters or hyphens, got \"_\""},
	{"a@b\xc3\xa9",
		"hostname parts can only contain alphanumeric characters or hyphens, got \"\xc3\xa9\""},
	{"a@-b", "hostname parts cannot begin with hyphens"},
	{"a@b-.c", "hostname parts cannot end with hyphens"},
};

static void test_emails(void)
{
	for (size_t i = 0; i < ARRAY_LEN(emails); i++) {
		char cause[EMAIL_CAUSE_SIZE] = "";
		bool ok = email_check(str_c(emails[i].address), cause);

		ASSERT_I64(ok, emails[i].cause == NULL, emails[i].address);
		ASSERT_STR(str_c(ok ? "" : cause), str_c(emails[i].cause), emails[i].address);
	}
}

/* local part of n bytes, host of labels of m bytes until it has host bytes */
static struct str long_email(size_t local, size_t label, size_t host)
{
	char *p = arena_alloc(arena, local + 1 + host);

	memset(p, 'l', local + 1 + host);
	p[local] = '@';
	for (size_t i = label; i + 1 < host; i += label + 1)
		p[local + 1 + i] = '.';
	return str_n(p, local + 1 + host);
}

static void test_email_lengths(void)
{
	char cause[EMAIL_CAUSE_SIZE] = "";

	CU_ASSERT(email_check(long_email(64, 63, 189), cause));
	CU_ASSERT(!email_check(long_email(64, 63, 190), cause));
	CU_ASSERT_STRING_EQUAL(cause, "email addresses cannot exceed 254 characters");
	CU_ASSERT(!email_check(long_email(65, 63, 100), cause));
	CU_ASSERT_STRING_EQUAL(cause, "email address local phrase cannot exceed 64 characters");
	CU_ASSERT(!email_check(long_email(1, 64, 64), cause));
	CU_ASSERT_STRING_EQUAL(cause, "hostname part must be non-empty and cannot exceed 63 characters");
	CU_ASSERT(email_check(long_email(1, 63, 252), cause));
	CU_ASSERT(!email_check(long_email(1, 63, 1000000), cause));
	CU_ASSERT_STRING_EQUAL(cause, "email addresses cannot exceed 254 characters");
}

/* Whether a rule can be violated somewhere below. Types are marked on the way down, since they can contain
 * themselves. */
static bool leads_to_rule(
	const ProtobufCMessageDescriptor *desc, const ProtobufCMessageDescriptor **seen, size_t *n)
{
	struct str none = STR_EMPTY;
	struct err err;

	for (size_t i = 0; i < *n; i++)
		if (seen[i] == desc)
			return false;
	CU_ASSERT_FATAL(*n < 100);
	seen[(*n)++] = desc;
	if (pb_validate(make(desc, &none), &err) != ERR_OK)
		return true;
	for (unsigned i = 0; i < desc->n_fields; i++)
		if (desc->fields[i].type == PROTOBUF_C_TYPE_MESSAGE &&
			leads_to_rule(desc->fields[i].descriptor, seen, n))
			return true;
	return false;
}

/* pb_validate does not enter maps; this is why it need not. */
static void test_no_map_of_a_request_leads_to_a_rule(void)
{
	size_t maps = 0;

	for (size_t i = 0; pb_registry_at(i) != NULL; i++) {
		const ProtobufCMessageDescriptor *desc = pb_registry_at(i);

		for (unsigned j = 0; j < desc->n_fields; j++) {
			const ProtobufCMessageDescriptor *seen[100];
			size_t n = 0;

			if (!pb_field_is_map(&desc->fields[j]))
				continue;
			maps++;
			CU_ASSERT(!leads_to_rule(desc->fields[j].descriptor, seen, &n));
		}
	}
	CU_ASSERT_EQUAL(maps, 11);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"rules", test_rules},
		{"emails", test_emails},
		{"e-mail lengths", test_email_lengths},
		{"no map of a request leads to a rule", test_no_map_of_a_request_leads_to_a_rule},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{"pb_validate", setup, teardown, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}

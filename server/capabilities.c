#include "server/capabilities.h"

#include <stdio.h>

#include "proto/pb_build.h"
#include "proto/pb_json.h"
#include "server/command.h"

enum {
	MAX_CAPABILITY = 14, /* the numbers of the enum, which the list of the connector is sorted by */
	MAX_DOCUMENT_BYTES = 1024 * 1024,
};

static bool type_has(const V2(ResourceType) * type, const ProtobufCMessageDescriptor *annotation)
{
	return pb_find_annotation(type->annotations, type->n_annotations, annotation) != NULL;
}

/* The type's own list; an empty message when it has none: the field is always there. */
static V2(CapabilityPermissions) * permissions_of(struct arena *arena, const V2(ResourceType) * type)
{
	ProtobufCMessage *found = NULL;
	struct err err;

	if (pb_get_annotation(arena, type->annotations, type->n_annotations, V2_DESC(capability_permissions),
		    &found, &err) != ERR_OK ||
		found == NULL)
		return pb_new(arena, V2_DESC(capability_permissions));
	return (V2(CapabilityPermissions) *)found;
}

static V2(ResourceTypeCapability) * of_type(struct arena *arena, V2(ResourceType) * type)
{
	V2(ResourceTypeCapability) *out = pb_new(arena, V2_DESC(resource_type_capability));

	out->resource_type = type;
	out->permissions = permissions_of(arena, type);
	out->opt_in_required = type_has(type, V2_DESC(opt_in_required));
	out->skip_sync_anomaly_detection = type_has(type, V2_DESC(skip_sync_anomaly_detection));
	out->deprecated = type_has(type, V2_DESC(deprecated));
	return out;
}

bool capabilities_have(const V2(ConnectorCapabilities) * all, V2(Capability) capability)
{
	for (size_t i = 0; i < all->n_resource_type_capabilities; i++)
		for (size_t k = 0; k < all->resource_type_capabilities[i]->n_capabilities; k++)
			if (all->resource_type_capabilities[i]->capabilities[k] == capability)
				return true;
	return false;
}

/* Accounts are made without a password, and that is the only way. */
static V2(CredentialDetails) * credential_details(struct arena *arena, bool makes_accounts)
{
	V2(CredentialDetails) *out = pb_new(arena, V2_DESC(credential_details));
	V2(CredentialDetailsAccountProvisioning) *accounts =
		pb_new(arena, V2_DESC(credential_details_account_provisioning));

	if (!makes_accounts)
		return out;
	accounts->preferred_credential_option =
		V2_ENUM(CAPABILITY_DETAIL_CREDENTIAL_OPTION__CAPABILITY_DETAIL_CREDENTIAL_OPTION_NO_PASSWORD);
	PB_ADD(arena, accounts, supported_credential_options, accounts->preferred_credential_option);
	out->capability_account_provisioning = accounts;
	return out;
}

/* What follows from the types' capabilities, and from there being feeds of events. */
static void add_connector_level(struct arena *arena, V2(ConnectorCapabilities) * all, bool event_feeds)
{
	for (int n = 1; n <= MAX_CAPABILITY; n++)
		if (capabilities_have(all, (V2(Capability))n) ||
			(event_feeds && n == V2_ENUM(CAPABILITY__CAPABILITY_EVENT_FEED_V2)))
			PB_ADD(arena, all, connector_capabilities, (V2(Capability))n);
	all->credential_details = credential_details(
		arena, capabilities_have(all, V2_ENUM(CAPABILITY__CAPABILITY_ACCOUNT_PROVISIONING)));
}

V2(ConnectorCapabilities) * capabilities_of(const struct connector *c, struct arena *arena)
{
	V2(ConnectorCapabilities) *out = pb_new(arena, V2_DESC(connector_capabilities));

	for (size_t i = 0; i < c->opts.n_syncers; i++) {
		const struct syncer *s = c->opts.syncers[i];
		V2(ResourceTypeCapability) *type = of_type(arena, syncer_type(arena, s, c->opts.config));

		for (size_t k = 0; k < s->n_capabilities; k++)
			PB_ADD(arena, type, capabilities, s->capabilities[k]);
		PB_ADD(arena, out, resource_type_capabilities, type);
	}
	add_connector_level(arena, out, c->opts.n_feeds > 0);
	return out;
}

V2(ConnectorCapabilities) * capabilities_of_all(struct arena *arena)
{
	V2(ConnectorCapabilities) *out = pb_new(arena, V2_DESC(connector_capabilities));
	const V2(Capability) * capabilities;
	V2(ResourceType) * message;

	for (size_t i = 0; resource_type_at(arena, i, &message, &capabilities); i++) {
		V2(ResourceTypeCapability) *type = of_type(arena, message);

		for (; *capabilities != V2_ENUM(CAPABILITY__CAPABILITY_UNSPECIFIED); capabilities++)
			PB_ADD(arena, type, capabilities, *capabilities);
		PB_ADD(arena, out, resource_type_capabilities, type);
	}
	add_connector_level(arena, out, /* event_feeds= */ false);
	return out;
}

int capabilities_main(void)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	CLEANUP(buf_deinit) struct buf out = {0};
	struct err err;

	buf_init(&out, MAX_DOCUMENT_BYTES);
	if (pb_json(arena, &pb_any(arena, &capabilities_of_all(arena)->base)->base, PB_JSON_INDENTED, &out,
		    &err) != ERR_OK) {
		fprintf(stderr, "baton-awsd: %s\n", err.msg);
		return EXIT_CODE_FAILED;
	}
	fwrite(out.p, 1, out.n, stdout);
	return fflush(stdout) == 0 ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

#include "server/capabilities.h"

#include "proto/pb_build.h"

enum { MAX_CAPABILITY = 14 }; /* the numbers of the enum, which the list of the connector is sorted by */

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

static V2(ResourceTypeCapability) *
	of_type(const struct connector *c, const struct syncer *syncer, struct arena *arena)
{
	V2(ResourceTypeCapability) *out = pb_new(arena, V2_DESC(resource_type_capability));

	out->resource_type = syncer_type(arena, syncer, c->opts.config);
	for (size_t i = 0; i < syncer->n_capabilities; i++)
		PB_ADD(arena, out, capabilities, syncer->capabilities[i]);
	out->permissions = permissions_of(arena, out->resource_type);
	out->opt_in_required = type_has(out->resource_type, V2_DESC(opt_in_required));
	out->skip_sync_anomaly_detection = type_has(out->resource_type, V2_DESC(skip_sync_anomaly_detection));
	out->deprecated = type_has(out->resource_type, V2_DESC(deprecated));
	return out;
}

bool capabilities_has(const struct connector *c, V2(Capability) capability)
{
	if (capability == V2_ENUM(CAPABILITY__CAPABILITY_EVENT_FEED_V2))
		return c->opts.n_feeds > 0;
	for (size_t i = 0; i < c->opts.n_syncers; i++)
		for (size_t k = 0; k < c->opts.syncers[i]->n_capabilities; k++)
			if (c->opts.syncers[i]->capabilities[k] == capability)
				return true;
	return false;
}

V2(ConnectorCapabilities) * capabilities_of(const struct connector *c, struct arena *arena)
{
	V2(ConnectorCapabilities) *out = pb_new(arena, V2_DESC(connector_capabilities));

	for (size_t i = 0; i < c->opts.n_syncers; i++)
		PB_ADD(arena, out, resource_type_capabilities, of_type(c, c->opts.syncers[i], arena));
	for (int n = 1; n <= MAX_CAPABILITY; n++)
		if (capabilities_has(c, (V2(Capability))n))
			PB_ADD(arena, out, connector_capabilities, (V2(Capability))n);
	out->credential_details = pb_new(arena, V2_DESC(credential_details));
	return out;
}

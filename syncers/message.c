#include "syncers/message.h"

#include "base/log.h"
#include "inventory/iam_account.h"
#include "proto/pb_build.h"

V2(ResourceId) * resource_id(struct arena *arena, const char *type_id, struct str resource)
{
	V2(ResourceId) *id = pb_new(arena, V2_DESC(resource_id));

	id->resource_type = pb_str(arena, str_c(type_id));
	id->resource = pb_str(arena, resource);
	return id;
}

V2(Resource) *
	resource_named(struct arena *arena, const char *type_id, struct str id, struct str display_name)
{
	V2(Resource) *r = pb_new(arena, V2_DESC(resource));

	r->id = resource_id(arena, type_id, id);
	r->display_name = pb_str_max(arena, display_name, MAX_DISPLAY_NAME);
	return r;
}

void resource_set_parent(struct arena *arena, V2(Resource) * r, const V2(ResourceId) * parent)
{
	if (parent != NULL)
		r->parent_resource_id = resource_id(arena, parent->resource_type, str_c(parent->resource));
}

void resource_set_description(struct arena *arena, V2(Resource) * r, struct str description)
{
	r->description = pb_str_max(arena, description, MAX_DESCRIPTION);
}

void resource_set_created(struct arena *arena, V2(Resource) * r, int64_t created_s)
{
	if (created_s != IAM_NO_TIME)
		r->created_at = pb_timestamp(arena, created_s);
}

static V2(V1Identifier) * v1_identifier(struct arena *arena, struct str id)
{
	V2(V1Identifier) *v1 = pb_new(arena, V2_DESC(v1_identifier));

	v1->id = pb_str(arena, id);
	return v1;
}

void annotate_v1_id(struct arena *arena, V2(Resource) * r, struct str id)
{
	PB_ANNOTATE(arena, r, v1_identifier(arena, id));
}

void annotate_child_type(struct arena *arena, V2(Resource) * r, const char *type_id)
{
	V2(ChildResourceType) *child = pb_new(arena, V2_DESC(child_resource_type));

	child->resource_type_id = pb_str(arena, str_c(type_id));
	PB_ANNOTATE(arena, r, child);
}

struct str entitlement_id(struct arena *arena, const char *type_id, struct str resource, const char *slug)
{
	return str_fmt(arena, "%s:" STR_FMT ":%s", type_id, STR_ARG(resource), slug);
}

V2(Entitlement) * entitlement_new(struct arena *arena, const V2(Resource) * resource,
			  const struct entitlement_spec *spec)
{
	V2(Entitlement) *e = pb_new(arena, V2_DESC(entitlement));

	e->resource = (V2(Resource) *)resource; /* read only from here on: packing does not write */
	e->id = pb_str(arena, spec->id.n > 0 ? spec->id
					     : entitlement_id(arena, resource->id->resource_type,
						       str_c(resource->id->resource), spec->slug));
	e->slug = pb_str(arena, str_c(spec->slug));
	e->display_name = pb_str_max(arena, spec->display_name, MAX_DISPLAY_NAME);
	e->description = pb_str_max(arena, spec->description, MAX_DESCRIPTION);
	e->purpose = V2_ENUM(ENTITLEMENT__PURPOSE_VALUE__PURPOSE_VALUE_ASSIGNMENT);
	for (const char *const *type = spec->grantable_to; *type != NULL; type++)
		PB_ADD(arena, e, grantable_to, resource_type_static(arena, *type));
	if (spec->v1_id.n > 0)
		PB_ANNOTATE(arena, e, v1_identifier(arena, spec->v1_id));
	return e;
}

V2(Entitlement) * member_entitlement(struct arena *arena, const V2(Resource) * group, const char *product,
			  const char *member_type)
{
	const char *const grantable_to[] = {member_type, NULL};
	const char *name = group->display_name;
	const struct entitlement_spec spec = {
		.slug = "member",
		.display_name = str_fmt(arena, "%s Group Member", name),
		.description = str_fmt(arena, "Is member of the %s %s group in AWS", name, product),
		.grantable_to = grantable_to,
		.v1_id = str_fmt(arena, "membership:%s", group->id->resource),
	};

	return entitlement_new(arena, group, &spec);
}

void grant_set_id(struct arena *arena, V2(Grant) * g, struct str id)
{
	if (id.n > MAX_ID)
		log_warn("a grant's id is longer than a Revoke request can carry, ignoring",
			LOG_STR("grant", id));
	g->id = pb_str(arena, id);
}

V2(Grant) * grant_of(struct arena *arena, const V2(Entitlement) * entitlement, struct str id,
		    const char *principal_type, struct str principal)
{
	V2(Grant) *g = pb_new(arena, V2_DESC(grant));

	g->entitlement = (V2(Entitlement) *)entitlement; /* as in entitlement_new */
	g->principal = pb_new(arena, V2_DESC(resource));
	g->principal->id = resource_id(arena, principal_type, principal);
	grant_set_id(arena, g, id);
	return g;
}

V2(Grant) * grant_new(struct arena *arena, const V2(Resource) * resource, const char *slug,
		    const char *principal_type, struct str principal)
{
	V2(Entitlement) *e = pb_new(arena, V2_DESC(entitlement));
	const struct str entitlement =
		entitlement_id(arena, resource->id->resource_type, str_c(resource->id->resource), slug);
	const struct str id = str_fmt(
		arena, STR_FMT ":%s:" STR_FMT, STR_ARG(entitlement), principal_type, STR_ARG(principal));

	e->id = pb_str(arena, entitlement);
	e->resource = (V2(Resource) *)resource; /* as in entitlement_new */
	return grant_of(arena, e, id, principal_type, principal);
}

void grant_v1_id(struct arena *arena, V2(Grant) * g, struct str id)
{
	PB_ANNOTATE(arena, g, v1_identifier(arena, id));
}

void grant_expand(struct arena *arena, V2(Grant) * g, struct str source_entitlement_id, bool shallow)
{
	V2(GrantExpandable) *expandable = pb_new(arena, V2_DESC(grant_expandable));

	PB_ADD(arena, expandable, entitlement_ids, pb_str(arena, source_entitlement_id));
	expandable->shallow = shallow;
	PB_ANNOTATE(arena, g, expandable);
}

void grant_expand_policy(struct arena *arena, V2(Grant) * g, const char *principal_type, struct str principal)
{
	static const struct {
		const char *type_id, *slug;
		bool shallow;
	} expansions[] = {
		{"role", "assignment", false},
		{"group", "member", true},
	};

	for (size_t i = 0; i < ARRAY_LEN(expansions); i++) {
		if (str_eq_c(str_c(principal_type), expansions[i].type_id))
			grant_expand(arena, g,
				entitlement_id(arena, principal_type, principal, expansions[i].slug),
				expansions[i].shallow);
	}
}

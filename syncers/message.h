/* syncers/message.h
 *
 * The pieces every syncer's messages are made of: ids, annotations, entitlements, grants, in the exact forms of spec/iam.md 3.
 *
 * Threads: one per arena. Ownership: all in the arena. Text from AWS is made valid UTF-8 and cut to what the wire's rules allow. */
#ifndef SYNCERS_MESSAGE_H
#define SYNCERS_MESSAGE_H

#include "proto/messages.h"
#include "syncers/syncer.h"

/* Limits that come back at the connector in later requests (spec/rpc-surface.md 2.4), in bytes. */
#define MAX_ID           1024
#define MAX_DISPLAY_NAME 1024
#define MAX_DESCRIPTION  2048

V2(ResourceId) * resource_id(struct arena *arena, const char *type_id, struct str resource);

/* A resource with its id and display name, nothing else. */
V2(Resource) *
	resource_named(struct arena *arena, const char *type_id, struct str id, struct str display_name);

/* Parent as given in the request; NULL leaves it unset. */
void resource_set_parent(struct arena *arena, V2(Resource) * r, const V2(ResourceId) * parent);
void resource_set_description(struct arena *arena, V2(Resource) * r, struct str description);
void resource_set_created(struct arena *arena, V2(Resource) * r, int64_t created_s); /* IAM_NO_TIME: unset */

/* Annotations, appended in the order of the calls. */
void annotate_v1_id(struct arena *arena, V2(Resource) * r, struct str id);
void annotate_child_type(struct arena *arena, V2(Resource) * r, const char *type_id);

/* What the entitlement is called and who may hold it. */
struct entitlement_spec {
	struct str id; /* empty: "<type>:<resource>:<slug>" */
	const char *slug;
	struct str display_name, description;
	const char *const *grantable_to; /* type ids, NULL-terminated */
	struct str v1_id;                /* empty: no V1Identifier */
};
/* On the resource of the request, for assignment. */
V2(Entitlement) * entitlement_new(struct arena *arena, const V2(Resource) * resource,
			  const struct entitlement_spec *spec);

/* The one of a group: "member", for principals of that type. The product names the directory: "IAM" or "SSO". */
V2(Entitlement) * member_entitlement(struct arena *arena, const V2(Resource) * group, const char *product,
			  const char *member_type);

struct str entitlement_id(struct arena *arena, const char *type_id, struct str resource, const char *slug);

/* A grant of the slug on the resource (used as it is: the request's, or a bare one) to the principal. Its id is
 * "<entitlement id>:<principal type>:<principal>". */
V2(Grant) * grant_new(struct arena *arena, const V2(Resource) * resource, const char *slug,
		    const char *principal_type, struct str principal);
/* A grant of an entitlement as it stands, with the id given. */
V2(Grant) * grant_of(struct arena *arena, const V2(Entitlement) * entitlement, struct str id,
		    const char *principal_type, struct str principal);

/* One that is longer than the wire allows for Revoke is emitted and warned about. */
void grant_set_id(struct arena *arena, V2(Grant) * g, struct str id);
void grant_v1_id(struct arena *arena, V2(Grant) * g, struct str id);

/* GrantExpandable: whoever holds that entitlement of the principal holds this one too. */
void grant_expand(struct arena *arena, V2(Grant) * g, struct str source_entitlement_id, bool shallow);

/* What a policy held by this principal means for others (spec/iam.md 3.10): a role's and a group's holders have it too, a user's
 * nobody else. */
void grant_expand_policy(
	struct arena *arena, V2(Grant) * g, const char *principal_type, struct str principal);

#endif

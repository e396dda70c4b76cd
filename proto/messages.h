/* proto/messages.h
 *
 * The generated messages of the connector contract in one include, and short names for them:
 *
 *     V2(Resource) *r = pb_new(arena, V2_DESC(resource));
 *     r->display_name = pb_str(arena, user->name);
 *
 * V2(Type) is C1__Connector__V2__Type, V2_DESC(name) the address of its descriptor (name as protobuf-c spells
 * it in lower case), V2_ENUM(NAME) an enum value: V2_ENUM(RESOURCE_TYPE__TRAIT__TRAIT_USER). RL is the same
 * for c1.ratelimit.v1.
 *
 * protobuf-c in three lines: an absent string field is a non-NULL "" (proto3), an absent sub-message is NULL,
 * an unset string of a oneof is NULL; repeated fields are a pointer and n_<field>; proto3 `optional` is a
 * one-member oneof. */
#ifndef PROTO_MESSAGES_H
#define PROTO_MESSAGES_H

#include "c1/connector/v2/action.pb-c.h"
#include "c1/connector/v2/annotation_baton_id.pb-c.h"
#include "c1/connector/v2/annotation_entitlement.pb-c.h"
#include "c1/connector/v2/annotation_etag.pb-c.h"
#include "c1/connector/v2/annotation_exclusion_group.pb-c.h"
#include "c1/connector/v2/annotation_external_link.pb-c.h"
#include "c1/connector/v2/annotation_grant.pb-c.h"
#include "c1/connector/v2/annotation_grant_replaced.pb-c.h"
#include "c1/connector/v2/annotation_id_alias.pb-c.h"
#include "c1/connector/v2/annotation_ratelimit.pb-c.h"
#include "c1/connector/v2/annotation_raw_id.pb-c.h"
#include "c1/connector/v2/annotation_request.pb-c.h"
#include "c1/connector/v2/annotation_resource.pb-c.h"
#include "c1/connector/v2/annotation_resource_deleted.pb-c.h"
#include "c1/connector/v2/annotation_resource_tree.pb-c.h"
#include "c1/connector/v2/annotation_session.pb-c.h"
#include "c1/connector/v2/annotation_trait.pb-c.h"
#include "c1/connector/v2/annotation_type_scoped_entitlements.pb-c.h"
#include "c1/connector/v2/annotation_type_scoped_grants.pb-c.h"
#include "c1/connector/v2/annotation_v1_identifier.pb-c.h"
#include "c1/connector/v2/asset.pb-c.h"
#include "c1/connector/v2/connector.pb-c.h"
#include "c1/connector/v2/entitlement.pb-c.h"
#include "c1/connector/v2/event_feed.pb-c.h"
#include "c1/connector/v2/grant.pb-c.h"
#include "c1/connector/v2/resource.pb-c.h"
#include "c1/connector/v2/ticket.pb-c.h"
#include "c1/ratelimit/v1/ratelimit.pb-c.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

#define V2(Type)      C1__Connector__V2__##Type
#define V2_DESC(name) (&c1__connector__v2__##name##__descriptor)
#define V2_ENUM(NAME) C1__CONNECTOR__V2__##NAME

#define RL(Type)      C1__Ratelimit__V1__##Type
#define RL_DESC(name) (&c1__ratelimit__v1__##name##__descriptor)
#define RL_ENUM(NAME) C1__RATELIMIT__V1__##NAME

#endif

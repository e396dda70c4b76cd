/* syncers/kinds.h
 *
 * The syncers, one per file of the same name, for the registry, the event feed, and what the IAM ones share. */
#ifndef SYNCERS_KINDS_H
#define SYNCERS_KINDS_H

#include "inventory/iam_account.h"
#include "syncers/event_feed.h"
#include "syncers/syncer.h"

extern const struct syncer syncer_access_key;
extern const struct syncer syncer_account;
extern const struct syncer syncer_account_iam;
extern const struct syncer syncer_group;
extern const struct syncer syncer_iam_policy;
extern const struct syncer syncer_iam_user;
extern const struct syncer syncer_inline_policy;
extern const struct syncer syncer_organization;
extern const struct syncer syncer_organizational_unit;
extern const struct syncer syncer_permission_set;
extern const struct syncer syncer_permission_set_assignment;
extern const struct syncer syncer_role;
extern const struct syncer syncer_sso_group;
extern const struct syncer syncer_sso_user;

extern const struct event_feed login_feed;

/* Entitlements or grants of a type that has none. */
syncer_of_resource_fn syncer_nothing;

/* What can be synced and no more. */
extern const C1__Connector__V2__Capability capability_sync[1];

/* The profile member aws_tags: one member per tag. */
Google__Protobuf__Struct *tags_profile(struct arena *arena, const struct iam_principal *p);

#endif

/* syncers/kinds.h
 *
 * The syncers, one per file of the same name, for the registry; and what the IAM ones share. */
#ifndef SYNCERS_KINDS_H
#define SYNCERS_KINDS_H

#include "inventory/iam_account.h"
#include "syncers/syncer.h"

extern const struct syncer syncer_group;
extern const struct syncer syncer_iam_policy;
extern const struct syncer syncer_iam_user;
extern const struct syncer syncer_inline_policy;
extern const struct syncer syncer_role;

/* The profile member aws_tags: one member per tag. */
Google__Protobuf__Struct *tags_profile(struct arena *arena, const struct iam_principal *p);

#endif

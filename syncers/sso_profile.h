/* syncers/sso_profile.h
 *
 * What the profiles of Identity Center's users and groups share.
 *
 * Threads: pure mapping. */
#ifndef SYNCERS_SSO_PROFILE_H
#define SYNCERS_SSO_PROFILE_H

#include "syncers/syncer.h"

/* The profile member external_ids: who issued the user or group, and under which id; none: no member. */
void sso_profile_external_ids(struct arena *arena, Google__Protobuf__Struct *profile, struct str packed);

#endif

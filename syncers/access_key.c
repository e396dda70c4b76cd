/* access-key: access keys of IAM users, as secrets (spec/iam.md 9, D22). Registered with sync-secrets. The key's id is all there is of it; the
 * secret part exists only at its creation. */
#include "syncers/account_of.h"
#include "syncers/kinds.h"
#include "syncers/message.h"

#include "proto/pb_build.h"

static const struct str kind = STR_INIT("access-key");

static V2(SecretTrait) * secret_trait(struct arena *arena, const struct iam_key *k)
{
	V2(SecretTrait) *trait = pb_new(arena, V2_DESC(secret_trait));

	if (k->last_used_s != IAM_NO_TIME)
		trait->last_used_at = pb_timestamp(arena, k->last_used_s);
	trait->identity_id = resource_id(arena, "iam_user", k->user_arn);
	trait->credential_type = V2_ENUM(SECRET_TRAIT__CREDENTIAL_TYPE__CREDENTIAL_TYPE_STATIC_SECRET);
	trait->credential_detail = pb_str(arena, STR("aws.access_key"));
	return trait;
}

/* Inactive was switched off, Expired by AWS: both no longer open anything. */
static V2(Status) * key_status(struct arena *arena, struct str status)
{
	const bool active = str_eq(status, STR("Active"));
	V2(Status) *s = pb_new(arena, V2_DESC(status));

	s->status = active ? V2_ENUM(STATUS__RESOURCE_STATUS__RESOURCE_STATUS_ENABLED)
			   : V2_ENUM(STATUS__RESOURCE_STATUS__RESOURCE_STATUS_DISABLED);
	if (!active)
		s->details = pb_str_max(arena, status, MAX_ID);
	return s;
}

static V2(Resource) * key_resource(struct arena *arena, const struct iam_account *account, size_t i,
			      const V2(ResourceId) * parent)
{
	const struct iam_key k = iam_account_key(account, i);
	const struct str name = str_fmt(arena, STR_FMT "|" STR_FMT, STR_ARG(k.user_name), STR_ARG(k.id));
	V2(Resource) *r = resource_named(arena, "access-key", k.id, name);

	resource_set_parent(arena, r, parent);
	resource_set_created(arena, r, k.created_s);
	annotate_v1_id(arena, r, k.id);
	PB_ANNOTATE(arena, r, secret_trait(arena, &k));
	r->status = key_status(arena, k.status);
	return r;
}

static enum err_code list(const struct syncer_call *call, const V2(ResourceId) * parent,
	struct syncer_page *ret_page, struct err *reterr)
{
	return list_of_account(call, parent, kind, IAM_KEYS, key_resource, ret_page, reterr);
}

const struct syncer syncer_access_key = {
	.type_id = "access-key",
	.list = list,
	.entitlements = syncer_nothing,
	.grants = syncer_nothing,
	.capabilities = capability_sync,
	.n_capabilities = ARRAY_LEN(capability_sync),
};

#include "syncers/sso_arn.h"

#include "base/arn.h"
#include "inventory/identity_center.h"

#define GROUP "/group/"

struct sso_arn sso_arn_in(const struct syncer_call *call, struct str partition, struct str store_id)
{
	return (struct sso_arn){str_fmt(call->arena, "arn:" STR_FMT ":identitystore:" STR_FMT "::" STR_FMT,
		STR_ARG(partition), STR_ARG(call->config->sso_region), STR_ARG(store_id))};
}

enum err_code sso_arn_of(const struct syncer_call *call, struct sso_arn *ret, struct err *reterr)
{
	struct ic_instance instance;

	if (inventory_ic_instance(
		    call->inventory, call->ctx, call->sync_id, call->arena, &instance, reterr) != ERR_OK)
		return reterr->code;
	*ret = sso_arn_in(call, instance.partition, instance.store_id);
	return ERR_OK;
}

struct str sso_arn_user(struct arena *arena, const struct sso_arn *of, struct str user_id)
{
	return str_fmt(arena, STR_FMT "/user/" STR_FMT, STR_ARG(of->directory), STR_ARG(user_id));
}

struct str sso_arn_group(struct arena *arena, const struct sso_arn *of, struct str group_id)
{
	return str_fmt(arena, STR_FMT GROUP STR_FMT, STR_ARG(of->directory), STR_ARG(group_id));
}

enum err_code sso_arn_group_id(struct str text, struct str *ret_group_id, struct err *reterr)
{
	struct str id = STR_EMPTY;
	struct arn arn;

	if (arn_parse(text, &arn)) {
		const ptrdiff_t at = str_find(arn.resource, STR(GROUP));

		if (at >= 0)
			id = str_from(arn.resource, (size_t)at + sizeof(GROUP) - 1);
	}
	if (id.n == 0)
		return err_set(reterr, ERR_INVALID,
			"baton-aws: ssoGroupIdFromARN: invalid resource '" STR_FMT "' in ARN", STR_ARG(text));
	*ret_group_id = id;
	return ERR_OK;
}

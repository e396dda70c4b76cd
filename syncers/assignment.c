#include "syncers/assignment.h"

#include "base/arn.h"
#include "syncers/message.h"

typedef struct str(arn_fn)(struct arena *arena, const struct sso_arn *of, struct str id);

static const struct holder_kind {
	const char *aws, *type_id;
	arn_fn *arn;
	const char *held_through; /* the entitlement whose holders hold it, too; NULL: none */
} holder_kinds[] = {
	{"USER", "sso_user", sso_arn_user, NULL},
	{"GROUP", "sso_group", sso_arn_group, "member"},
};

static const struct holder_kind *find_kind(struct str principal_type)
{
	for (size_t i = 0; i < ARRAY_LEN(holder_kinds); i++) {
		if (str_eq_c(principal_type, holder_kinds[i].aws))
			return &holder_kinds[i];
	}
	return NULL;
}

bool assignment_is_known(const struct ic_assignment *a)
{
	return find_kind(a->principal_type) != NULL;
}

V2(Grant) * assignment_grant(struct arena *arena, const V2(Entitlement) * entitlement,
		    const struct ic_assignment *a, const struct sso_arn *arns)
{
	const struct holder_kind *holder = find_kind(a->principal_type);
	const struct str arn = holder->arn(arena, arns, a->principal_id);
	const struct str id =
		str_fmt(arena, "grant:%s:" STR_FMT ":%s", holder->type_id, STR_ARG(arn), entitlement->id);
	V2(Grant) *g = grant_of(arena, entitlement, id, holder->type_id, arn);

	grant_v1_id(arena, g, str_fmt(arena, "grant:%s:" STR_FMT, entitlement->id, STR_ARG(arn)));
	if (holder->held_through != NULL)
		grant_expand(arena, g, entitlement_id(arena, holder->type_id, arn, holder->held_through),
			/* shallow= */ false);
	return g;
}

const struct ic_permission_set *assignment_set(
	const struct syncer_call *call, const struct ic_rows *sets, struct str arn)
{
	const struct ic_permission_set *set = ic_find(sets, arn);

	if (set == NULL)
		inventory_ic_permission_set_gone(call->inventory, call->sync_id, arn);
	return set;
}

enum err_code assignment_account(const V2(ResourceId) * id, struct str *ret_account, struct err *reterr)
{
	const struct str account = str_c(id->resource);

	if (!arn_is_account(account))
		return err_set(reterr, ERR_INVALID,
			"baton-aws: '" STR_FMT "' is not the number of an account", STR_ARG(account));
	*ret_account = account;
	return ERR_OK;
}

#include "syncers/sso_profile.h"

#include "inventory/identity_center.h"
#include "proto/pb_build.h"

void sso_profile_external_ids(struct arena *arena, Google__Protobuf__Struct *profile, struct str packed)
{
	Google__Protobuf__ListValue *list = pb_list(arena);
	size_t n;
	const struct ic_external_id *ids = ic_external_ids(packed, arena, &n);

	for (size_t i = 0; i < n; i++) {
		Google__Protobuf__Struct *one = pb_struct(arena);

		pb_struct_str(arena, one, STR("id"), ids[i].id);
		pb_struct_str(arena, one, STR("issuer"), ids[i].issuer);
		pb_list_struct(arena, list, one);
	}
	if (n > 0)
		pb_struct_list(arena, profile, STR("external_ids"), list);
}

#include "syncers/kinds.h"
#include "syncers/syncer.h"

#include "proto/pb_build.h"

/* In the byte order of type ids: the order of ListResourceTypes and of capabilities. */
static const struct syncer *const syncers[] = {
	&syncer_group,
	&syncer_iam_policy,
	&syncer_iam_user,
	&syncer_inline_policy,
	&syncer_role,
};

const struct syncer *const *syncers_all(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(syncers);
	return syncers;
}

const struct syncer *syncer_find(struct str type_id)
{
	for (size_t i = 0; i < ARRAY_LEN(syncers); i++) {
		if (str_eq_c(type_id, syncers[i]->type_id))
			return syncers[i];
	}
	return NULL;
}

bool syncer_config_wants(const struct syncer_config *config, const char *type_id)
{
	for (size_t i = 0; i < config->n_type_filter; i++) {
		if (str_eq_c(config->type_filter[i], type_id))
			return true;
	}
	return config->n_type_filter == 0;
}

Google__Protobuf__Struct *tags_profile(struct arena *arena, const struct iam_principal *p)
{
	Google__Protobuf__Struct *tags = pb_struct(arena);

	for (size_t i = 0; i < p->n_tags; i++)
		pb_struct_str(arena, tags, p->tags[i].key, p->tags[i].value);
	return tags;
}

#include "syncers/kinds.h"
#include "syncers/page.h"
#include "syncers/syncer.h"

#include "proto/messages.h"
#include "proto/pb_build.h"

static bool always(const struct syncer_config *config)
{
	(void)config;
	return true;
}

static bool with_secrets(const struct syncer_config *config)
{
	return config->sync_secrets;
}

static bool with_organization(const struct syncer_config *config)
{
	return config->organization;
}

static bool with_identity_center(const struct syncer_config *config)
{
	return config->identity_center;
}

/* In the byte order of type ids: the order of ListResourceTypes and of capabilities. */
static const struct {
	const struct syncer *syncer;
	bool (*registered)(const struct syncer_config *config);
} registry[] = {
	{&syncer_access_key, with_secrets},
	{&syncer_account, with_identity_center},
	{&syncer_account_iam, with_organization},
	{&syncer_group, always},
	{&syncer_iam_policy, always},
	{&syncer_iam_user, always},
	{&syncer_inline_policy, always},
	{&syncer_organization, with_identity_center},
	{&syncer_organizational_unit, with_identity_center},
	{&syncer_permission_set, with_identity_center},
	{&syncer_permission_set_assignment, with_identity_center},
	{&syncer_role, always},
	{&syncer_sso_group, with_identity_center},
	{&syncer_sso_user, with_identity_center},
};

size_t syncers_registered(const struct syncer_config *config, const struct syncer *ret_syncers[SYNCERS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(registry); i++) {
		if (registry[i].registered(config))
			ret_syncers[n++] = registry[i].syncer;
	}
	return n;
}

size_t event_feeds_registered(
	const struct syncer_config *config, const struct event_feed *ret_feeds[EVENT_FEEDS_MAX])
{
	if (!config->identity_center || !config->sso_logins)
		return 0;
	ret_feeds[0] = &login_feed;
	return 1;
}

const V2(Capability) capability_sync[1] = {V2_ENUM(CAPABILITY__CAPABILITY_SYNC)};

enum err_code syncer_nothing(const struct syncer_call *call, const V2(Resource) * resource,
	struct syncer_page *ret_page, struct err *reterr)
{
	(void)call;
	(void)resource;
	(void)reterr;
	return page_of_none(ret_page);
}

V2(ResourceType) *
	syncer_type(struct arena *arena, const struct syncer *s, const struct syncer_config *config)
{
	return s->type == NULL ? resource_type_static(arena, s->type_id) : s->type(arena, config);
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

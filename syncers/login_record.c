/* https://docs.aws.amazon.com/singlesignon/latest/userguide/sso-cloudtrail-use-cases.html shows such records. The account that somebody
 * signed in to stands in the details of a Federate event. Others (Authenticate) know only the one in whose trail they are;
 * userIdentity.accountId is neither: it is that of the identity. */
#include "syncers/login_record.h"

#include "base/arn.h"
#include "base/json.h"

#define MAX_DOCUMENT (1u << 20) /* CloudTrail's own limit is 256 KB */

/* Of user and store, whose ids have 47 and 12 characters. Together they become a resource id of at most 1024. */
#define MAX_ID 256

static struct str member_of(const struct json *j, const char *object, struct str name)
{
	return json_str(json_get(json_get(j, str_c(object)), name));
}

static bool is_id(struct str s)
{
	return s.n > 0 && s.n <= MAX_ID;
}

bool login_parse(struct str document, struct arena *scratch, struct arena *arena, struct login *ret)
{
	const struct json *j, *user;
	struct str name, user_id, store_arn, store_id, account;
	struct err err;

	if (json_parse(scratch, document, MAX_DOCUMENT, &j, &err) != ERR_OK)
		return false;
	name = json_str(json_get(j, STR("eventName")));
	if (!str_eq(name, STR("Federate")) && !str_eq(name, STR("Authenticate")))
		return false;
	user = json_get(json_get(j, STR("userIdentity")), STR("onBehalfOf"));
	user_id = json_str(json_get(user, STR("userId")));
	store_arn = json_str(json_get(user, STR("identityStoreArn")));
	store_id = str_rfind_char(store_arn, '/') < 0
			   ? STR_EMPTY
			   : str_from(store_arn, (size_t)str_rfind_char(store_arn, '/') + 1);
	account = member_of(j, "serviceEventDetails", STR("account_id"));
	if (!arn_is_account(account))
		account = json_str(json_get(j, STR("recipientAccountId")));
	if (!is_id(user_id) || !is_id(store_id) || !arn_is_account(account))
		return false;
	*ret = (struct login){.user_id = str_dup(arena, user_id),
		.store_id = str_dup(arena, store_id),
		.account = str_dup(arena, account)};
	return true;
}

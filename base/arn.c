#include "base/arn.h"

bool arn_parse(struct str text, struct arn *ret)
{
	struct str *const sections[] = {&ret->partition, &ret->service, &ret->region, &ret->account};
	struct str rest = text;

	*ret = (struct arn){.partition = STR_EMPTY};
	if (!str_eq(str_cut(&rest, ':'), STR("arn")))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		if (rest.p == NULL)
			return false;
		*sections[i] = str_cut(&rest, ':');
	}
	if (rest.p == NULL)
		return false;
	ret->resource = rest;
	return true;
}

bool arn_is_account(struct str account)
{
	for (size_t i = 0; i < account.n; i++) {
		if (account.p[i] < '0' || account.p[i] > '9')
			return false;
	}
	return account.n == 12;
}

struct str arn_last_segment(struct str resource)
{
	while (resource.n > 0 && resource.p[resource.n - 1] == '/')
		resource.n--;
	return str_from(resource, (size_t)(str_rfind_char(resource, '/') + 1));
}

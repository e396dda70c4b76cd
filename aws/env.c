#include "aws/env.h"

#include <string.h>

struct str env_get(const char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; env && *env; env++) {
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			return str_c(*env + n + 1);
	}
	return STR_EMPTY;
}

struct str env_get2(const char *const *env, const char *name, const char *other_name)
{
	struct str v = env_get(env, name);

	return v.n ? v : env_get(env, other_name);
}

bool env_is_true(const char *const *env, const char *name)
{
	return str_eq_nocase(env_get(env, name), STR("true"));
}

#include "aws/env.h"

#include <string.h>

struct str env_get(const char *const *environ, const char *name)
{
	size_t n = strlen(name);

	for (; environ && *environ; environ++) {
		if (strncmp(*environ, name, n) == 0 && (*environ)[n] == '=')
			return str_c(*environ + n + 1);
	}
	return STR_EMPTY;
}

struct str env_get2(const char *const *environ, const char *name, const char *other_name)
{
	struct str v = env_get(environ, name);

	return v.n ? v : env_get(environ, other_name);
}

bool env_is_true(const char *const *environ, const char *name)
{
	return str_eq_nocase(env_get(environ, name), STR("true"));
}

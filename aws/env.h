/* aws/env.h
 *
 * Look-ups in an environment that is handed in (an array of "NAME=value", NULL-terminated; NULL is an
 * empty one). Nothing in aws/ calls getenv: tests and several sessions in one process each have their own.
 *
 * Threads: pure functions. Ownership: results point into the environment. */
#ifndef AWS_ENV_H
#define AWS_ENV_H

#include <stdbool.h>

#include "base/str.h"

/* The value, or the empty string when the variable is unset. The first of several wins, as getenv does it. */
struct str env_get(const char *const *env, const char *name);

/* The first of two names that has a value. */
struct str env_get2(const char *const *env, const char *name, const char *other_name);

/* AWS's booleans: "true" in any case is true, all else is false. */
bool env_is_true(const char *const *env, const char *name);

#endif

/* aws/profile.h
 *
 * AWS's shared configuration: ~/.aws/config and ~/.aws/credentials, merged by profile (spec/config.md
 * 5.1). In the config file a profile is [profile x] or [default], in the credentials file [x]; where both
 * have a key the credentials file wins. Indented lines below a key with an empty value are settings of
 * their own (`s3 =`, or a service in a [services x] section).
 *
 * Threads:   immutable once loaded. Ownership: strings belong to the struct; it holds secret keys of the
 *            files and wipes them when freed, so free it once the session is built.
 * Errors:    ERR_INVALID with file and line, never with the content of a line. ERR_TOO_LARGE: file over 1
 *            MiB. */
#ifndef AWS_PROFILE_H
#define AWS_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct shared_config;
struct profile;

#define PROFILE_MAX_FILE_BYTES (1u << 20)
#define PROFILE_MAX_LINE_BYTES (32u << 10)

/* Reads the files that the environment names (AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE, else below
 * HOME). A file that does not exist is an empty one; one that cannot be read is ERR_INVALID. ERR_INVALID
 * too: the profile named in AWS_PROFILE does not exist. */
MUST_CHECK enum err_code shared_config_load(
	const char *const *env, struct shared_config **ret_config, struct err *reterr);

/* The same from text (tests, fuzzing). The names are for messages. */
MUST_CHECK enum err_code shared_config_parse(struct str config_text, struct str credentials_text,
	struct shared_config **ret_config, struct err *reterr);

void shared_config_free(struct shared_config *c); /* NULL is fine */
void shared_config_freep(struct shared_config **c);

/* AWS_PROFILE, else AWS_DEFAULT_PROFILE, else "default". */
struct str profile_selected_name(const char *const *env);

/* NULL: there is none of that name. */
const struct profile *shared_config_profile(const struct shared_config *c, struct str name);
/* [services x] of the config file. */
const struct profile *shared_config_services(const struct shared_config *c, struct str name);

/* The value; empty when p is NULL or has no such key. Keys compare without case. */
struct str profile_get(const struct profile *p, const char *key);
/* A setting below another: profile_get_sub(services, "iam", "endpoint_url"). */
struct str profile_get_sub(const struct profile *p, const char *key, const char *sub_key);

#endif

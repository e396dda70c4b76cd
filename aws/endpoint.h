/* aws/endpoint.h
 *
 * Where a service is: partitions as data (name, region patterns, DNS suffixes, home region) and the
 * endpoint of a service in a region, with FIPS and dual-stack variants, or what the configuration says
 * instead (AWS_ENDPOINT_URL and relatives).
 *
 * Threads: pure functions over constant data. Ownership: results live in the arena or are constants.
 * Errors:  ERR_INVALID with the name of the setting that is wrong. */
#ifndef AWS_ENDPOINT_H
#define AWS_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "aws/profile.h"
#include "aws/shape.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct aws_partition {
	struct str id;                  /* "aws", "aws-cn", ...: as in ARNs */
	struct str region_prefixes[16]; /* a region is <prefix>-<word>-<number>; ended by an empty one */
	struct str dns_suffix;          /* "amazonaws.com" */
	struct str dual_stack_suffix;   /* "api.aws"; empty: the partition has no dual-stack endpoints */
	struct str home_region;         /* where global services (IAM, Organizations) are signed for */
};

/* The partition of a region; NULL: no partition has such regions. aws_partition_of_id: NULL for an unknown
 * name. */
const struct aws_partition *aws_partition_of_region(struct str region);
const struct aws_partition *aws_partition_of_id(struct str id);
/* All of them, for tables and tests. */
const struct aws_partition *aws_partitions(size_t *ret_n);

/* A well-formed region name: a host label of lower-case letters, digits and dashes. */
bool aws_region_valid(struct str region);

struct endpoint_options {
	const struct aws_service *service;
	struct str region; /* the client's region */
	bool fips;         /* AWS_USE_FIPS_ENDPOINT */
	bool dual_stack;   /* AWS_USE_DUALSTACK_ENDPOINT */
	struct str url;    /* what endpoint_configured_url gave; empty: AWS's own */
};

struct aws_endpoint {
	/* "https://iam.amazonaws.com": scheme, host, port, path of a configured URL; no slash at the end */
	struct str url;
	struct str host; /* value of the Host header: host, and port unless it is the scheme's own */
	struct str path; /* "/" or the path of a configured URL with "/" behind it */
	struct str signing_region;
};

/* A region that no known partition has is taken for one of partition aws, as AWS's SDKs do. ERR_INVALID:
 * malformed region or URL (not http or https, user info, query, fragment). */
MUST_CHECK enum err_code endpoint_resolve(
	struct arena *a, const struct endpoint_options *opts, struct aws_endpoint *ret, struct err *reterr);

/* The configured endpoint URL of a service, empty if none: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL,
 * then the services section and endpoint_url of the profile. Nothing counts when
 * AWS_IGNORE_CONFIGURED_ENDPOINT_URLS (or ignore_configured_endpoint_urls in the profile) is true. config
 * and profile may be NULL. Not validated here. Points into its arguments or the arena. */
struct str endpoint_configured_url(struct arena *a, const struct aws_service *service, const char *const *env,
	const struct shared_config *config, const struct profile *profile);

/* AWS_USE_FIPS_ENDPOINT / use_fips_endpoint and AWS_USE_DUALSTACK_ENDPOINT / use_dualstack_endpoint.
 * profile may be NULL. */
bool endpoint_use_fips(const char *const *env, const struct profile *profile);
bool endpoint_use_dual_stack(const char *const *env, const struct profile *profile);

#endif

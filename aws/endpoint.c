/* DESIGN
 *
 * Two tables and one rule. Partitions say which regions and DNS suffixes belong together. Global services
 * have hosts that follow no rule and are listed. Everything else is
 * https://<service>[-fips].<region>.<suffix>. Facts as in AWS's published endpoint rule sets;
 * test/e2e/test_endpoints_botocore.py compares every combination with what those give. */
#include "aws/endpoint.h"

#include <string.h>

#include "aws/env.h"
#include "base/buf.h"

#define URL_MAX_BYTES    2048
#define REGION_MAX_BYTES 32

static const struct aws_partition partitions[] = {
	{STR_INIT("aws"),
		{STR_INIT("us"), STR_INIT("eu"), STR_INIT("ap"), STR_INIT("sa"), STR_INIT("ca"),
			STR_INIT("me"), STR_INIT("af"), STR_INIT("il"), STR_INIT("mx")},
		STR_INIT("amazonaws.com"), STR_INIT("api.aws"), STR_INIT("us-east-1")},
	{STR_INIT("aws-cn"), {STR_INIT("cn")}, STR_INIT("amazonaws.com.cn"),
		STR_INIT("api.amazonwebservices.com.cn"), STR_INIT("cn-north-1")},
	{STR_INIT("aws-us-gov"), {STR_INIT("us-gov")}, STR_INIT("amazonaws.com"), STR_INIT("api.aws"),
		STR_INIT("us-gov-west-1")},
	{STR_INIT("aws-iso"), {STR_INIT("us-iso")}, STR_INIT("c2s.ic.gov"), STR_INIT("api.aws.ic.gov"),
		STR_INIT("us-iso-east-1")},
	{STR_INIT("aws-iso-b"), {STR_INIT("us-isob")}, STR_INIT("sc2s.sgov.gov"), STR_INIT("api.aws.scloud"),
		STR_INIT("us-isob-east-1")},
	{STR_INIT("aws-iso-e"), {STR_INIT("eu-isoe")}, STR_INIT("cloud.adc-e.uk"),
		STR_INIT("api.cloud-aws.adc-e.uk"), STR_INIT("eu-isoe-west-1")},
	{STR_INIT("aws-iso-f"), {STR_INIT("us-isof")}, STR_INIT("csp.hci.ic.gov"),
		STR_INIT("api.aws.hci.ic.gov"), STR_INIT("us-isof-south-1")},
	{STR_INIT("aws-eusc"), {STR_INIT("eusc-de")}, STR_INIT("amazonaws.eu"),
		STR_INIT("api.amazonwebservices.eu"), STR_INIT("eusc-de-east-1")},
};

enum variant { PLAIN, FIPS, DUAL_STACK, FIPS_DUAL_STACK, N_VARIANTS };

/* Hosts of global services. NULL: the rule for regional services holds, with the region given here. */
static const struct global_endpoint {
	const char *service, *partition, *region;
	const char *hosts[N_VARIANTS];
} global_endpoints[] = {
	{"iam", "aws", "us-east-1",
		{"iam.amazonaws.com", "iam-fips.amazonaws.com", "iam.global.api.aws",
			"iam-fips.global.api.aws"}},
	{"iam", "aws-cn", "cn-north-1",
		{"iam.cn-north-1.amazonaws.com.cn", "iam-fips.amazonaws.com.cn",
			"iam.global.api.amazonwebservices.com.cn", "iam-fips.api.amazonwebservices.com.cn"}},
	{"iam", "aws-us-gov", "us-gov-west-1",
		{"iam.us-gov.amazonaws.com", "iam.us-gov.amazonaws.com", "iam.us-gov.api.aws",
			"iam.us-gov.api.aws"}},
	{"iam", "aws-iso", "us-iso-east-1", {NULL, NULL, "iam.api.aws.ic.gov", "iam-fips.api.aws.ic.gov"}},
	{"iam", "aws-iso-b", "us-isob-east-1", {NULL, NULL, "iam.api.aws.scloud", "iam-fips.api.aws.scloud"}},
	{"iam", "aws-iso-e", "eu-isoe-west-1",
		{NULL, "iam-fips.cloud.adc-e.uk", "iam.api.cloud-aws.adc-e.uk",
			"iam-fips.api.cloud-aws.adc-e.uk"}},
	{"iam", "aws-iso-f", "us-isof-south-1",
		{NULL, "iam-fips.csp.hci.ic.gov", "iam.api.aws.hci.ic.gov", "iam-fips.api.aws.hci.ic.gov"}},
	{"iam", "aws-eusc", "eusc-de-east-1",
		{NULL, "iam-fips.amazonaws.eu", "iam.global.api.amazonwebservices.eu",
			"iam-fips.api.amazonwebservices.eu"}},
	{"organizations", "aws-cn", "cn-northwest-1", {NULL}},
};

const struct aws_partition *aws_partitions(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(partitions);
	return partitions;
}

const struct aws_partition *aws_partition_of_id(struct str id)
{
	for (size_t i = 0; i < ARRAY_LEN(partitions); i++) {
		if (str_eq(partitions[i].id, id))
			return &partitions[i];
	}
	return NULL;
}

/* "us-gov-west-1" is prefix "us-gov", a word and a number. False when it has not that form. */
static bool region_prefix(struct str region, struct str *ret_prefix)
{
	ptrdiff_t dash = str_rfind_char(region, '-');
	uint64_t number;
	struct str rest;

	if (dash <= 0 || !str_to_u64(str_from(region, (size_t)dash + 1), &number))
		return false;
	rest = str_sub(region, 0, (size_t)dash);
	dash = str_rfind_char(rest, '-');
	if (dash <= 0 || (size_t)dash + 1 == rest.n)
		return false;
	*ret_prefix = str_sub(rest, 0, (size_t)dash);
	return true;
}

const struct aws_partition *aws_partition_of_region(struct str region)
{
	struct str prefix;

	if (!region_prefix(region, &prefix))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(partitions); i++) {
		for (const struct str *p = partitions[i].region_prefixes; p->n; p++) {
			if (str_eq(*p, prefix))
				return &partitions[i];
		}
	}
	return NULL;
}

bool aws_region_valid(struct str region)
{
	if (region.n == 0 || region.n > REGION_MAX_BYTES || region.p[0] == '-' ||
		region.p[region.n - 1] == '-')
		return false;
	for (size_t i = 0; i < region.n; i++) {
		char c = region.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
			return false;
	}
	return true;
}

/* ---- AWS's own endpoints ---- */

static const struct global_endpoint *find_global(struct str service, const struct aws_partition *partition)
{
	for (size_t i = 0; i < ARRAY_LEN(global_endpoints); i++) {
		const struct global_endpoint *g = &global_endpoints[i];

		if (str_eq_c(service, g->service) && str_eq_c(partition->id, g->partition))
			return g;
	}
	return NULL;
}

static struct str regional_host(struct arena *a, struct str service, struct str region, enum variant variant,
	const struct aws_partition *partition)
{
	bool dual_stack = variant == DUAL_STACK || variant == FIPS_DUAL_STACK;
	/* In GovCloud the ordinary endpoints are the FIPS ones. */
	bool fips =
		variant == FIPS_DUAL_STACK || (variant == FIPS && !str_eq(partition->id, STR("aws-us-gov")));
	struct str suffix = dual_stack ? partition->dual_stack_suffix : partition->dns_suffix;

	return str_fmt(a, STR_FMT "%s." STR_FMT "." STR_FMT, STR_ARG(service), fips ? "-fips" : "",
		STR_ARG(region), STR_ARG(suffix));
}

static enum variant variant_of(const struct endpoint_options *opts)
{
	if (opts->fips)
		return opts->dual_stack ? FIPS_DUAL_STACK : FIPS;
	return opts->dual_stack ? DUAL_STACK : PLAIN;
}

static void resolve_own(struct arena *a, const struct endpoint_options *opts,
	const struct aws_partition *partition, struct aws_endpoint *ret)
{
	struct str service = str_c(opts->service->id);
	enum variant variant = variant_of(opts);
	const struct global_endpoint *global = opts->service->global ? find_global(service, partition) : NULL;

	if (global && global->hosts[variant])
		ret->host = str_c(global->hosts[variant]);
	else
		ret->host = regional_host(a, service, ret->signing_region, variant, partition);
	ret->url = str_fmt(a, "https://" STR_FMT, STR_ARG(ret->host));
	ret->path = STR("/");
}

/* ---- configured endpoints ---- */

static bool is_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '.' || c == '_';
}

/* The length of the host name or [IPv6 address] at the start of s; 0 when there is none. */
static size_t host_length(struct str s)
{
	size_t n = 0;

	if (s.n && s.p[0] == '[') {
		ptrdiff_t end = str_find_char(s, ']');

		for (ptrdiff_t i = 1; i < end; i++) {
			if (strchr("0123456789abcdefABCDEF:.", s.p[i]) == NULL)
				return 0;
		}
		return end > 1 ? (size_t)end + 1 : 0;
	}
	while (n < s.n && is_host_char(s.p[n]))
		n++;
	return n;
}

static enum err_code check_url_bytes(struct str url, struct err *reterr)
{
	if (url.n > URL_MAX_BYTES)
		return err_set(
			reterr, ERR_INVALID, "the endpoint URL is longer than %d bytes", URL_MAX_BYTES);
	for (size_t i = 0; i < url.n; i++) {
		if ((unsigned char)url.p[i] <= ' ' || (unsigned char)url.p[i] >= 0x7f)
			return err_set(reterr, ERR_INVALID,
				"the endpoint URL has a character that a URL cannot have");
		if (url.p[i] == '?' || url.p[i] == '#')
			return err_set(reterr, ERR_INVALID, "the endpoint URL has a query or a fragment");
	}
	return ERR_OK;
}

/* Cuts ":8080" off *rest. *ret_port stays 0 without one. */
static bool cut_port(struct str *rest, uint64_t *ret_port)
{
	size_t n = 1;

	if (rest->n == 0 || rest->p[0] != ':')
		return true;
	while (n < rest->n && rest->p[n] >= '0' && rest->p[n] <= '9')
		n++;
	if (!str_to_u64(str_sub(*rest, 1, n - 1), ret_port) || *ret_port == 0 || *ret_port > 65535)
		return false;
	*rest = str_from(*rest, n);
	return true;
}

static enum err_code resolve_configured(
	struct arena *a, struct str url, struct aws_endpoint *ret, struct err *reterr)
{
	bool https = str_starts(url, STR("https://"));
	struct str rest, host;
	uint64_t port = 0;
	size_t host_n;
	enum err_code rc = check_url_bytes(url, reterr);

	if (rc != ERR_OK)
		return rc;
	if (!https && !str_starts(url, STR("http://")))
		return err_set(
			reterr, ERR_INVALID, "the endpoint URL does not begin with http:// or https://");
	rest = str_from(url, https ? 8 : 7);
	if (str_find_char(rest, '@') >= 0) /* not quoted: a password would stand there */
		return err_set(reterr, ERR_INVALID, "the endpoint URL has user info");
	host_n = host_length(rest);
	host = str_lower(a, str_sub(rest, 0, host_n));
	rest = str_from(rest, host_n);
	if (host_n == 0 || !cut_port(&rest, &port) || (rest.n && rest.p[0] != '/'))
		return err_set(reterr, ERR_INVALID,
			"the endpoint URL '" STR_FMT "' has no valid host and port", STR_ARG(url));
	while (rest.n && rest.p[rest.n - 1] == '/')
		rest.n--;
	if (port == 0 || port == (https ? 443 : 80))
		ret->host = host;
	else
		ret->host = str_fmt(a, STR_FMT ":%u", STR_ARG(host), (unsigned)port);
	ret->path = str_fmt(a, STR_FMT "/", STR_ARG(rest));
	ret->url = str_fmt(
		a, "%s://" STR_FMT STR_FMT, https ? "https" : "http", STR_ARG(ret->host), STR_ARG(rest));
	return ERR_OK;
}

/* ---- the two together ---- */

static struct str signing_region(const struct endpoint_options *opts, const struct aws_partition *partition)
{
	const struct global_endpoint *global;

	if (!opts->service->global)
		return opts->region;
	global = find_global(str_c(opts->service->id), partition);
	return global ? str_c(global->region) : partition->home_region;
}

enum err_code endpoint_resolve(
	struct arena *a, const struct endpoint_options *opts, struct aws_endpoint *ret, struct err *reterr)
{
	const struct aws_partition *partition = aws_partition_of_region(opts->region);
	struct aws_endpoint found = {.path = STR_EMPTY};
	enum err_code rc;

	if (!aws_region_valid(opts->region))
		return err_set(
			reterr, ERR_INVALID, "'" STR_FMT "' is not a region name", STR_ARG(opts->region));
	if (partition == NULL)
		partition = &partitions[0];
	found.signing_region = str_dup(a, signing_region(opts, partition));
	if (opts->url.n) {
		rc = resolve_configured(a, opts->url, &found, reterr);
		if (rc != ERR_OK)
			return err_prefix(reterr, "endpoint of service %s", opts->service->id);
	} else {
		resolve_own(a, opts, partition, &found);
	}
	*ret = found;
	return ERR_OK;
}

/* ---- what the configuration says ---- */

/* The service's name in profiles: that of the environment, in lower case ("sso_admin"). */
static struct str services_section_url(struct arena *a, const struct aws_service *service,
	const struct shared_config *config, const struct profile *profile)
{
	struct str section = profile_get(profile, "services");
	struct str key = str_lower(a, str_c(service->endpoint_env));

	if (config == NULL || section.n == 0)
		return STR_EMPTY;
	return profile_get_sub(shared_config_services(config, section), key.p, "endpoint_url");
}

/* A setting of the environment, if it is there at all, else the profile's. */
static bool setting_is_true(
	const char *const *env, const char *name, const struct profile *profile, const char *key)
{
	if (env_get(env, name).n)
		return env_is_true(env, name);
	return str_eq_nocase(profile_get(profile, key), STR("true"));
}

struct str endpoint_configured_url(struct arena *a, const struct aws_service *service, const char *const *env,
	const struct shared_config *config, const struct profile *profile)
{
	struct str url;

	if (setting_is_true(
		    env, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", profile, "ignore_configured_endpoint_urls"))
		return STR_EMPTY;
	url = env_get(env, str_fmt(a, "AWS_ENDPOINT_URL_%s", service->endpoint_env).p);
	if (url.n == 0)
		url = env_get(env, "AWS_ENDPOINT_URL");
	if (url.n == 0)
		url = services_section_url(a, service, config, profile);
	if (url.n == 0)
		url = profile_get(profile, "endpoint_url");
	return url;
}

bool endpoint_use_fips(const char *const *env, const struct profile *profile)
{
	return setting_is_true(env, "AWS_USE_FIPS_ENDPOINT", profile, "use_fips_endpoint");
}

bool endpoint_use_dual_stack(const char *const *env, const struct profile *profile)
{
	return setting_is_true(env, "AWS_USE_DUALSTACK_ENDPOINT", profile, "use_dualstack_endpoint");
}

/* layers: base aws
 *
 * Resolves endpoints for a test that compares (test/e2e/test_endpoints_botocore.py): per line "service
 * region fips dual-stack" in (the last two 0 or 1), "url signing-region" out. */
#include <stdio.h>
#include <stdlib.h>

#include "aws/endpoint.h"

static const struct aws_service services[] = {
	{.id = "iam", .endpoint_env = "IAM", .global = true},
	{.id = "organizations", .endpoint_env = "ORGANIZATIONS", .global = true},
	{.id = "sts", .endpoint_env = "STS"},
	{.id = "sso", .endpoint_env = "SSO_ADMIN"},
	{.id = "identitystore", .endpoint_env = "IDENTITYSTORE"},
	{.id = "cloudtrail", .endpoint_env = "CLOUDTRAIL"},
};

static void resolve_line(struct str line)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct str service = str_cut(&line, ' ');
	struct endpoint_options opts = {.region = str_cut(&line, ' ')};
	struct aws_endpoint e;
	struct err err;

	opts.fips = str_eq_c(str_cut(&line, ' '), "1");
	opts.dual_stack = str_eq_c(str_trim(line), "1");
	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		if (str_eq_c(service, services[i].id))
			opts.service = &services[i];
	}
	if (opts.service && endpoint_resolve(a, &opts, &e, &err) == ERR_OK)
		printf(STR_FMT " " STR_FMT "\n", STR_ARG(e.url), STR_ARG(e.signing_region));
	else
		printf("error\n");
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, stdin)) > 0)
		resolve_line(str_n(line, (size_t)n));
	free(line);
	return 0;
}

/* layers: base aws
 *
 * The shared AWS files: any text as config and credentials (cut at the first form feed), and the provider
 * that its profiles describe. */
#include "aws/credentials.h"
#include "aws/profile.h"
#include "base/clock.h"
#include "support/fuzz.h"

static enum err_code never_called(void *self, const struct ctx *ctx, struct credentials_provider *source,
	const struct assume_role_request *req, struct aws_credentials **ret_credentials, struct err *reterr)
{
	(void)self;
	(void)ctx;
	(void)source;
	(void)req;
	(void)ret_credentials;
	return err_set(reterr, ERR_INTERNAL, "a constructor made a call");
}

static void check_profile(const struct shared_config *c, const char *name)
{
	struct credentials_chain_options opts = {
		.config = c, .profile = str_c(name), .sts = {.fn = never_called}, .clock = &clock_system};
	struct credentials_provider *p = NULL;
	struct err err;
	enum err_code rc = credentials_profile_new(&opts, &p, &err);

	FUZZ_CHECK(rc == ERR_OK || (rc == ERR_INVALID && p == NULL));
	credentials_provider_unref(p);
	(void)profile_get_sub(shared_config_profile(c, opts.profile), "s3", "addressing_style");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str credentials = str_n((const char *)data, size), config = str_cut(&credentials, '\f');
	struct shared_config *c = NULL;
	struct err err;
	enum err_code rc = shared_config_parse(config, credentials, &c, &err);

	FUZZ_CHECK(rc == ERR_OK || rc == ERR_INVALID || rc == ERR_TOO_LARGE);
	if (rc != ERR_OK)
		return 0;
	check_profile(c, "default");
	check_profile(c, "a");
	check_profile(c, "b");
	shared_config_free(c);
	return 0;
}

#include "server/client_boot.h"

#include <stdio.h>

int client_boot(
	const struct config_source *source, struct client_config **ret_config, struct client **ret_client)
{
	CLEANUP(client_config_freep) struct client_config *c = NULL;
	struct buf report;
	struct err err;
	enum err_code rc;

	buf_init(&report, 65536);
	rc = client_config_load(source, &c, &report, &err);
	if (rc != ERR_OK)
		fprintf(stderr, "baton-awsd: " STR_FMT "\n", STR_ARG(str_trim(buf_view(&report))));
	buf_deinit(&report);
	if (rc != ERR_OK)
		return EXIT_CODE_USAGE;
	rc = client_new(
		&(struct client_options){
			.target = c->target,
			.tls_ca_file = c->tls_ca_file,
			.tls_cert_file = c->tls_cert_file,
			.tls_key_file = c->tls_key_file,
			.tls_server_name = c->tls_server_name,
		},
		ret_client, &err);
	if (rc != ERR_OK) {
		fprintf(stderr, "baton-awsd: %s\n", err.msg);
		return EXIT_CODE_USAGE;
	}
	*ret_config = TAKE(c);
	return EXIT_CODE_OK;
}

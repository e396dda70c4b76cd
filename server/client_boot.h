/* server/client_boot.h
 *
 * What the client commands begin with: their configuration, and a client made from it. */
#ifndef SERVER_CLIENT_BOOT_H
#define SERVER_CLIENT_BOOT_H

#include "server/client.h"
#include "server/config.h"

/* EXIT_CODE_OK, and the caller frees both; or another code, with the reason on stderr. */
int client_boot(
	const struct config_source *source, struct client_config **ret_config, struct client **ret_client);

#endif

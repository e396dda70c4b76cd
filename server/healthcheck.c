#include "server/healthcheck.h"

#include <stdio.h>

#include "grpc/health/v1/health.pb-c.h"
#include "proto/pb_build.h"
#include "server/client.h"
#include "server/client_boot.h"
#include "server/command.h"
#include "server/config.h"

#define DEFAULT_TIMEOUT_MS 5000

static int check(struct client *client, int64_t timeout_ms)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	const Grpc__Health__V1__HealthCheckResponse *reply;
	struct client_result result;

	client_call(client, arena,
		&(struct client_call){
			.path = "/grpc.health.v1.Health/Check",
			.request = pb_new(arena, &grpc__health__v1__health_check_request__descriptor),
			.reply = &grpc__health__v1__health_check_response__descriptor,
			.timeout_ms = timeout_ms,
		},
		&result);
	if (result.status.code != RPC_OK) {
		fprintf(stderr, "baton-awsd: %s: " STR_FMT "\n", rpc_code_name(result.status.code),
			STR_ARG(result.status.message));
		return EXIT_CODE_FAILED;
	}
	reply = (const Grpc__Health__V1__HealthCheckResponse *)result.reply;
	if (reply->status != GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING) {
		puts("NOT_SERVING");
		return EXIT_CODE_FAILED;
	}
	puts("SERVING");
	return EXIT_CODE_OK;
}

int healthcheck_main(const struct config_source *source)
{
	struct client_config *config;
	struct client *client;
	int exit_code = client_boot(source, &config, &client);

	if (exit_code != EXIT_CODE_OK)
		return exit_code;
	exit_code = check(
		client, config->timeout_seconds > 0 ? config->timeout_seconds * 1000 : DEFAULT_TIMEOUT_MS);
	client_free(client);
	client_config_free(config);
	return exit_code;
}

/* aws/client_new.h
 *
 * Making a client: everything it stands on is passed in. For aws/session.c and for tests; callers of
 * AWS need aws/client.h only.
 *
 * Ownership: of what is passed in, credentials are referenced and the endpoint is copied; the rest is
 *            borrowed and outlives the client. */
#ifndef AWS_CLIENT_NEW_H
#define AWS_CLIENT_NEW_H

#include "aws/call_stats.h"
#include "aws/client.h"
#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "aws/http.h"
#include "aws/pacer.h"
#include "aws/retry.h"
#include "aws/sigv4.h"

struct aws_client_options {
	const struct aws_service *service;
	const struct aws_endpoint *endpoint;
	struct http *http;
	struct sigv4_signer *signer;
	struct credentials_provider *credentials; /* NULL: only operations that are not signed */
	struct pacer *pacer;
	struct call_stats *stats;
	const struct clock *clock;
	unsigned max_attempts; /* 0: AWS's default, 3 */
	struct aws_random random;
	int64_t timeout_ms; /* of one attempt; 0: 300 s */
	size_t max_body;    /* 0: 64 MiB */
};

/* One reference. Never fails. */
struct aws_client *aws_client_new(const struct aws_client_options *opts);

/* A pacer for calls of one account to the service. quota_percent: of the rates that the service's table states;
 * 0: 100. */
struct pacer *aws_service_pacer(const struct aws_service *service, unsigned quota_percent);

/* Whether anybody but the asker, who holds one reference, has the client. Only who hands out all further
 * references can rely on a "no". */
bool aws_client_is_shared(const struct aws_client *c);

#endif

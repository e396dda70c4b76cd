/* test/support/scripted_session.h
 *
 * A session whose AWS is a scripted one. It is a header with code, because test_support links only base.
 *
 * Threads: main thread only. */
#ifndef TEST_SUPPORT_SCRIPTED_SESSION_H
#define TEST_SUPPORT_SCRIPTED_SESSION_H

#include <stdio.h>

#include "aws/session.h"
#include "support/cunit_main.h"
#include "support/scripted_http.h"

/* With static credentials, one attempt for each call, and the time as it is; the rest of the options as given. */
static struct aws_session *scripted_session(struct scripted_http *aws, struct aws_session_options opts)
{
	char endpoint[64];
	const char *const environ_of[] = {endpoint, "AWS_ACCESS_KEY_ID=K", "AWS_SECRET_ACCESS_KEY=s",
		"AWS_MAX_ATTEMPTS=1", "AWS_REGION=us-east-1", NULL};
	struct aws_session *session;
	struct err e;

	(void)snprintf(
		endpoint, sizeof(endpoint), "AWS_ENDPOINT_URL=http://127.0.0.1:%u", scripted_http_port(aws));
	opts.environ = environ_of;
	opts.clock = &clock_system;
	CU_ASSERT_EQUAL_FATAL(aws_session_new(&opts, &session, &e), ERR_OK);
	return session;
}

#endif

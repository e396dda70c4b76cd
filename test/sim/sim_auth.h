/* sim/sim_auth.h
 *
 * Who calls. Long-lived key pairs from the command line, temporary ones issued by AssumeRole; and, with
 * --verify-signatures, Signature Version 4 as AWS describes it
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html), written from
 * that description alone: it judges the signer under test.
 *
 * Threads: any. */
#ifndef SIM_AUTH_H
#define SIM_AUTH_H

#include "sim/sim_call.h"
#include "sim/sim_request.h"

struct sim_auth *sim_auth_new(void);
void sim_auth_free(struct sim_auth *a); /* NULL is fine */

/* Fills c->caller, or fails the call as AWS does. The account is never NULL afterwards. */
void sim_auth_check(struct sim_call *c, const struct sim_request *req);

struct sim_session {
	struct str access_key_id, secret, token; /* in the arena of the call */
	int64_t expires_s;
};
/* Credentials of a session of `role`. */
void sim_auth_issue(struct sim_call *c, struct sim_account *account, const struct sim_entity *role,
	struct str session_name, int64_t duration_s, struct sim_session *ret);

#endif

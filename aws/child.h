/* aws/child.h
 *
 * Runs a shell command and takes what it prints: bounded in time and size, leaving no process and no
 * zombie of its own behind. The command is a process group of its own and has nothing of ours but its
 * environment: standard input is empty, no other file is open, no signal blocked or ignored.
 *
 * Threads:   any; blocks. Ownership: the buffers are the caller's.
 * Errors:    ERR_UNAUTHENTICATED: it cannot be run, failed, took longer than timeout_ms. ERR_TOO_LARGE:
 *            it printed more than the cap of out. ctx's own. Nothing of what it printed is in a message. */
#ifndef AWS_CHILD_H
#define AWS_CHILD_H

#include "base/buf.h"
#include "base/ctx.h"

struct child_command {
	const char *command;        /* for /bin/sh -c */
	const char *const *environ; /* NULL-terminated */
	int64_t timeout_ms;
};

/* out, errout: initialised with the caps that hold. More than fits into errout is thrown away. Both
 * keep what came before a failure. */
MUST_CHECK enum err_code child_run(const struct child_command *c, const struct ctx *ctx, struct buf *out,
	struct buf *errout, struct err *reterr);

#endif

/* DESIGN
 *
 * posix_spawn, because a fork of a large threaded process is slow and full of traps. The parent polls
 * both pipes in short slices, and looks between them at the clock, at the call's cancellation and
 * whether the child has ended: a grandchild that keeps the pipes open (an agent that the command
 * started) does not keep us. Rejected: pidfd and eventfd, one file each to save twenty wake-ups a
 * second of a thing that happens once an hour, and that container runtimes may forbid. */
#include "aws/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#define SHELL      "/bin/sh"
#define SLICE_MS   50
#define LINGER_MS  5     /* a child that has closed its output is about to end */
#define PIPE_BYTES 65536 /* what Linux gives a pipe (pipe(7)) */

struct child {
	pid_t pid;
	int out_fd, err_fd; /* our ends; -1: at its end */
	bool ended;         /* and waited for: */
	int status;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ---- start ---- */

/* The other ends of the pipes become 1 and 2; all above is closed, whoever forgot O_CLOEXEC. */
static int set_files(posix_spawn_file_actions_t *files, int out_fd, int err_fd)
{
	int rc = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(files, out_fd, STDOUT_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(files, err_fd, STDERR_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
	return rc;
}

/* Our threads block all signals and the process ignores SIGPIPE: neither is to be inherited. */
static int set_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	rc = posix_spawnattr_setflags(
		attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	if (rc == 0)
		rc = posix_spawnattr_setsigmask(attr, &none);
	if (rc == 0)
		rc = posix_spawnattr_setsigdefault(attr, &all);
	if (rc == 0)
		rc = posix_spawnattr_setpgroup(attr, 0);
	return rc;
}

static int spawn(const struct child_command *c, int out_fd, int err_fd, pid_t *ret_pid)
{
	char *const argv[] = {(char *)"sh", (char *)"-c", (char *)c->command, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int rc = posix_spawn_file_actions_init(&files);

	if (rc != 0)
		return rc;
	rc = posix_spawnattr_init(&attr);
	if (rc == 0) {
		rc = set_files(&files, out_fd, err_fd);
		if (rc == 0)
			rc = set_attributes(&attr);
		if (rc == 0)
			rc = posix_spawn(ret_pid, SHELL, &files, &attr, argv, (char *const *)c->environ);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

static enum err_code cannot_run(int error, struct err *reterr)
{
	return err_set(reterr, ERR_UNAUTHENTICATED, "cannot run " SHELL ": %s", strerrordesc_np(error));
}

static enum err_code start(const struct child_command *c, struct child *ret, struct err *reterr)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1};
	int rc = 0;

	if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
		rc = errno;
	if (rc == 0)
		rc = spawn(c, out[1], err[1], &ret->pid);
	close_fd(&out[1]);
	close_fd(&err[1]);
	if (rc != 0) {
		close_fd(&out[0]);
		close_fd(&err[0]);
		return cannot_run(rc, reterr);
	}
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	ret->out_fd = out[0];
	ret->err_fd = err[0];
	return ERR_OK;
}

/* ---- end ---- */

/* Whether it has ended. When somebody else reaped it (SIGCHLD ignored) that is success for all we
 * know: what it printed decides. */
static bool has_ended(struct child *c, int options)
{
	pid_t got = 0;

	if (c->ended)
		return true;
	do
		got = waitpid(c->pid, &c->status, options);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		c->status = 0;
	c->ended = got != 0;
	return c->ended;
}

static void stop(struct child *c)
{
	close_fd(&c->out_fd);
	close_fd(&c->err_fd);
	if (c->ended)
		return;
	kill(-c->pid, SIGKILL);
	has_ended(c, 0);
}

/* ---- between ---- */

/* Takes what is there, but no more than a pipe holds: who writes for ever must not keep us here. At
 * the end of the file, or on an error, the descriptor is closed. */
static void drain(int *fd, struct buf *into)
{
	char chunk[4096];

	for (size_t left = PIPE_BYTES; left > 0 && *fd >= 0; left -= sizeof(chunk)) {
		ssize_t n = read(*fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EAGAIN)
			break;
		if (n > 0)
			buf_add(into, chunk, (size_t)n);
		else if (n == 0 || errno != EINTR)
			close_fd(fd);
	}
	mem_wipe(chunk, sizeof(chunk));
}

static void wait_for_output(const struct child *c)
{
	struct pollfd fds[] = {{.fd = c->out_fd, .events = POLLIN}, {.fd = c->err_fd, .events = POLLIN}};
	bool silent =
		c->out_fd < 0 && c->err_fd < 0; /* only its end is waited for, which comes with no event */

	poll(fds, ARRAY_LEN(fds), silent ? LINGER_MS : SLICE_MS); /* poll ignores negative descriptors */
}

static enum err_code follow(struct child *c, const struct child_command *cmd, const struct ctx *ctx,
	struct buf *out, struct buf *errout, struct err *reterr)
{
	int64_t until_ms = clock_mono_ms(&clock_system) + cmd->timeout_ms;
	bool over = false;

	while (!over) {
		enum err_code rc = ctx_check(ctx, "waiting for the command", reterr);

		if (rc != ERR_OK)
			return rc;
		if (clock_mono_ms(&clock_system) >= until_ms)
			return err_set(reterr, ERR_UNAUTHENTICATED, "the command was not done after %lld ms",
				(long long)cmd->timeout_ms);
		wait_for_output(c);
		over = has_ended(c, WNOHANG); /* what it wrote is in the pipes now */
		drain(&c->out_fd, out);
		drain(&c->err_fd, errout);
		if (out->overflow)
			return err_set(
				reterr, ERR_TOO_LARGE, "the command printed more than %zu bytes", out->cap);
	}
	return ERR_OK;
}

static enum err_code explain_status(int status, struct err *reterr)
{
	if (WIFSIGNALED(status))
		return err_set(
			reterr, ERR_UNAUTHENTICATED, "the command was ended by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return err_set(reterr, ERR_UNAUTHENTICATED, "the command failed with exit code %d",
			WEXITSTATUS(status));
	return ERR_OK;
}

enum err_code child_run(const struct child_command *c, const struct ctx *ctx, struct buf *out,
	struct buf *errout, struct err *reterr)
{
	struct child child = {.out_fd = -1, .err_fd = -1};
	enum err_code rc = start(c, &child, reterr);

	if (rc != ERR_OK)
		return rc;
	rc = follow(&child, c, ctx, out, errout, reterr);
	stop(&child);
	return rc == ERR_OK ? explain_status(child.status, reterr) : rc;
}

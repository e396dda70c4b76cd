/* server/command.h
 *
 * The subcommands of the program, and its help.
 *
 * Threads: pure functions over the arguments. */
#ifndef SERVER_COMMAND_H
#define SERVER_COMMAND_H

#include "base/buf.h"
#include "base/err.h"
#include "server/settings.h"

/* What main gives back to the shell. */
enum exit_code {
	EXIT_CODE_OK = 0,
	EXIT_CODE_FAILED = 1, /* it was told correctly what to do, and could not */
	EXIT_CODE_USAGE = 2,  /* the command line, the environment or the file is wrong */
};

enum command_kind {
	COMMAND_SERVE,
	COMMAND_CRAWL,
	COMMAND_HEALTHCHECK,
	COMMAND_CAPABILITIES,
	COMMAND_VERSION,
	COMMAND_HELP,
	COMMAND_COUNT
};

struct command {
	enum command_kind kind;
	enum command_kind topic; /* of COMMAND_HELP: the command to explain; COMMAND_HELP: the program */
};

/* The subcommand is the first argument that is neither a flag nor a flag's value, so flags may stand on both
 * sides of it. --help (-h) and --version (-v) win over everything. ERR_INVALID: none, or an unknown one. */
MUST_CHECK enum err_code command_parse(
	const struct config_source *src, struct command *ret_command, struct err *reterr);

/* "serve" */
const char *command_name(enum command_kind kind);

/* Appends the help of a topic (COMMAND_HELP: overview). */
void command_help(enum command_kind topic, struct buf *out);

#endif

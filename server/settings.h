/* server/settings.h
 *
 * Where a configuration comes from: the texts that flags, environment and file give to the options of a
 * table, the strongest source of each option winning. What the texts mean is config.c's business.
 *
 * Threads: none of its own; called at start. Ownership: texts live in the caller's arena. */
#ifndef SERVER_SETTINGS_H
#define SERVER_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "server/options.h"

/* Passed in so that tests need no process. Borrowed for the call. */
struct config_source {
	int argc;
	char *const *argv;  /* argv[0] is the program */
	char *const *env;   /* "NAME=value", NULL-terminated */
	const char *cwd;    /* where .baton.yaml is looked for */
	bool stderr_is_tty; /* decides the default of log-format */
};

/* From weak to strong. */
enum setting_origin { SETTING_DEFAULT, SETTING_FILE, SETTING_ENV, SETTING_FLAG };

struct setting {
	enum setting_origin origin;
	struct str *values; /* n, NUL-terminated; a list's are split at commas, of a scalar the last counts */
	size_t n;
	size_t size; /* allocated */
};

struct settings {
	const struct option_table *table;
	struct setting *items; /* one per option of the table, in its order */
	struct str file;       /* that was read; empty: none */

	/* Environment variables that look like a mistyped option: pairs of name and what was meant. Nobody
	 * says that every BATON_ variable is ours (container platforms invent some), so they are worth a
	 * warning and no more. */
	struct {
		const char *name;
		const struct option *meant;
	} * mistyped;
	size_t n_mistyped;
};

/* The largest YAML file; a full configuration with comments has a few kB. */
#define SETTINGS_MAX_FILE (1024 * 1024)

/* Reads all sources. ERR_INVALID: an unknown flag or key, a flag without its value, a superfluous argument, a
 * file that is named and missing, or any file that is malformed. */
MUST_CHECK enum err_code settings_read(struct arena *a, const struct option_table *t,
	const struct config_source *src, struct settings *ret_settings, struct err *reterr);

/* The i-th argument that is no flag and no flag's value; NULL when there are fewer. Flags of any command are
 * known. */
const char *settings_argument(const struct config_source *src, size_t i);

/* Is the flag (long name, or letter) among the arguments, in any form that is not "=false"? */
bool settings_has_flag(const struct config_source *src, const char *name, char letter);

#endif

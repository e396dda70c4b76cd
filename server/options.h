/* server/options.h
 *
 * The options as data: one table for `serve`, one for the client commands. A row is all there is to an
 * option: adding one is adding a row (and a line in docs/config.md, which a test demands).
 *
 * Threads: constant data, pure functions. */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* The type says what lies at `offset` of the configuration struct. */
enum option_type {
	OPTION_STRING, /* struct str */
	OPTION_SECRET, /* struct secret * (NULL when not given) */
	OPTION_BOOL,   /* bool */
	OPTION_INT,    /* int64_t */
	OPTION_LIST,   /* struct str_list */
};

enum option_show {
	OPTION_SHOWN,   /* in --help and the documentation */
	OPTION_IGNORED, /* the sync engine's own: accepted so that one configuration serves both */
	OPTION_REFUSED, /* not available in this version: setting it is an error, with `refusal` */
};

enum option_group {
	OPTION_GROUP_LISTEN,
	OPTION_GROUP_AWS,
	OPTION_GROUP_SYNC,
	OPTION_GROUP_STORE,
	OPTION_GROUP_LOG,
	OPTION_GROUP_CLIENT,
	OPTION_GROUP_ENGINE,
	OPTION_GROUP_COUNT
};

struct option {
	const char *name; /* flag without "--", key in the file, and with BATON_ in front the environment */
	char letter;      /* 'f' for -f; 0: none */
	enum option_type type;
	enum option_show show;
	enum option_group group;
	bool sensitive;             /* its value appears in no message; OPTION_SECRET always is */
	const char *preset;         /* default, as text; NULL: empty, false, 0 */
	const char *value;          /* what --help calls the value: "ADDRESS"; NULL for a bool */
	const char *help;           /* sentences */
	const char *refusal;        /* of OPTION_REFUSED: what the operator is told */
	const char *const *select;  /* NULL-terminated values it may have; NULL: any */
	bool (*accept)(struct str); /* with select: lets more values pass; without: the only test */
	const char *expects;        /* with accept and without select: "host:port", for the message */
	int64_t min, max;           /* of OPTION_INT; both 0: any */
	size_t offset;              /* in the configuration struct; unused when ignored */
};

struct option_table {
	const struct option *items;
	size_t n;
	bool is_ambient; /* environment and YAML file are read for it, not only flags */
};

extern const struct option_table server_options; /* into struct config */
extern const struct option_table client_options; /* into struct client_config */

#define OPTION_ENV_PREFIX "BATON_"
#define OPTION_ENV_MAX    80

/* NULL when there is none. */
const struct option *options_find(const struct option_table *t, struct str name);
const struct option *options_find_letter(const struct option_table *t, char letter);

/* The option whose name a typing error could have turned into `name`; NULL when none is near. */
const struct option *options_closest(const struct option_table *t, struct str name);

/* "BATON_GLOBAL_REGION" */
void option_env_name(const struct option *o, char ret_name[OPTION_ENV_MAX]);

bool option_is_sensitive(const struct option *o);

/* Appends the options that are shown, in their groups, at most 100 columns wide. */
void options_help(const struct option_table *t, struct buf *out);

#endif

#include "server/command.h"

#include "server/config.h"

static const struct {
	const char *name;
	const char *summary; /* one line of the overview */
	const char *help;    /* its own help, before the options */
	const struct option_table *options;
} commands[COMMAND_COUNT] = {
	[COMMAND_SERVE] =
		{
			.name = "serve",
			.summary = "serve the connector over gRPC until SIGTERM or SIGINT",
			.help = "Serves the baton connector for AWS over gRPC. The server starts without "
				"waiting for AWS;\n"
				"its health service answers NOT_SERVING until AWS has told it who it is. "
				"SIGTERM and SIGINT\n"
				"drain: no new calls, running ones may end.\n"
				"\n"
				"Every option can be given as flag, as environment variable and in a YAML "
				"file: the one\n"
				"named by BATON_CONFIG_PATH, else .baton.yaml in the working directory. Its "
				"keys are the\n"
				"names without dashes in front. Flags win over the environment, which wins "
				"over the file.\n"
				"Yes-or-no options take their value with '=' (--use-assume=false), lists are "
				"separated by\n"
				"commas.\n",
			.options = &server_options,
		},
	[COMMAND_CRAWL] =
		{
			.name = "crawl",
			.summary =
				"ask a running server everything a sync engine asks, and show what it found",
			.help = "Runs a whole sync against a server: the questions of a sync engine in its "
				"order, several at a time.\n",
			.options = &client_options,
		},
	[COMMAND_HEALTHCHECK] =
		{
			.name = "healthcheck",
			.summary = "exit 0 when a running server says it is SERVING, 1 otherwise",
			.help = "Asks the health service of a running server. Made for container and systemd "
				"health checks.\n",
			.options = &client_options,
		},
	[COMMAND_CAPABILITIES] = {.name = "capabilities",
		.summary = "print what the connector can do, as JSON; needs no configuration"},
	[COMMAND_VERSION] = {.name = "version", .summary = "print the version"},
	[COMMAND_HELP] = {.name = "help", .summary = "explain a command: baton-awsd help serve"},
};

const char *command_name(enum command_kind kind)
{
	return commands[kind].name;
}

static bool find_command(const char *name, enum command_kind *ret_kind)
{
	for (int i = 0; i < COMMAND_COUNT; i++) {
		if (name && str_eq_c(str_c(name), commands[i].name)) {
			*ret_kind = (enum command_kind)i;
			return true;
		}
	}
	return false;
}

static enum err_code unknown_command(const char *name, struct err *reterr)
{
	return err_set(
		reterr, ERR_INVALID, "unknown command '%s'; 'baton-awsd help' lists the commands", name);
}

static enum err_code parse_help(const char *topic, struct command *ret_command, struct err *reterr)
{
	struct command command = {.kind = COMMAND_HELP, .topic = COMMAND_HELP};

	if (topic && !find_command(topic, &command.topic))
		return unknown_command(topic, reterr);
	*ret_command = command;
	return ERR_OK;
}

enum err_code command_parse(const struct config_source *src, struct command *ret_command, struct err *reterr)
{
	const char *name = settings_argument(src, 0);
	struct command command = {.kind = COMMAND_HELP, .topic = COMMAND_HELP};

	if (settings_has_flag(src, "help", 'h'))
		return parse_help(name, ret_command, reterr);
	if (settings_has_flag(src, "version", 'v')) {
		*ret_command = (struct command){.kind = COMMAND_VERSION, .topic = COMMAND_HELP};
		return ERR_OK;
	}
	if (!name)
		return err_set(reterr, ERR_INVALID,
			"no command given; 'baton-awsd serve' starts the server, "
			"'baton-awsd help' lists the commands");
	if (!find_command(name, &command.kind))
		return unknown_command(name, reterr);
	if (command.kind == COMMAND_HELP)
		return parse_help(settings_argument(src, 1), ret_command, reterr);
	*ret_command = command;
	return ERR_OK;
}

static void overview(struct buf *out)
{
	buf_c(out, "baton-awsd: a baton connector for AWS, as a gRPC server beside the sync engine\n"
		   "\n"
		   "Usage: baton-awsd COMMAND [OPTIONS]\n"
		   "\n"
		   "Commands:\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		buf_fmt(out, "  %-14s%s\n", commands[i].name, commands[i].summary);
	buf_c(out, "\n'baton-awsd help COMMAND' or 'baton-awsd COMMAND --help' explains one.\n");
}

/* --provisioning, --... : broken before 100 columns. */
static void add_names(struct buf *out, const char *title, enum option_show show)
{
	size_t column = 0;

	buf_fmt(out, "\n%s:\n ", title);
	for (size_t i = 0; i < server_options.n; i++) {
		const struct option *o = &server_options.items[i];
		struct str name = str_c(o->name);

		if (o->show != show)
			continue;
		if (column + name.n + 4 > 96) {
			buf_c(out, "\n ");
			column = 0;
		}
		buf_fmt(out, " --%s", o->name);
		column += name.n + 3;
	}
	buf_char(out, '\n');
}

void command_help(enum command_kind topic, struct buf *out)
{
	if (!commands[topic].help) {
		overview(out);
		return;
	}
	buf_fmt(out, "Usage: baton-awsd %s [OPTIONS]\n\n%s", commands[topic].name, commands[topic].help);
	options_help(commands[topic].options, out);
	if (topic == COMMAND_SERVE) {
		add_names(out, "Not available in this version (refused when set)", OPTION_REFUSED);
		add_names(out, "Of the sync engine (accepted, without effect)", OPTION_IGNORED);
	}
	buf_c(out, "\nExit codes: 0 done, 1 failed, 2 wrong usage or configuration.\n");
}

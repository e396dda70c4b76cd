/* layers: server base
 *
 * Configuration from outside: the bytes as a YAML file, and their lines as the program's arguments and
 * environment. Whatever they are, the answer is a configuration or a complaint. */
#include <string.h>

#include "base/mem.h"
#include "server/config.h"
#include "server/yaml.h"
#include "support/fuzz.h"

#define MAX_LINES 32

static enum err_code on_entry(void *self, const struct yaml_entry *entry, struct err *reterr)
{
	(void)self;
	(void)reterr;
	FUZZ_CHECK(entry->is_list || entry->n <= 1);
	FUZZ_CHECK(entry->line > 0 && str_is_utf8(entry->key));
	for (size_t i = 0; i < entry->n; i++)
		FUZZ_CHECK(str_is_utf8(entry->values[i]) && strlen(entry->values[i].p) == entry->values[i].n);
	return ERR_OK;
}

static void check_yaml(struct arena *a, struct str in)
{
	struct err err;
	enum err_code rc = yaml_read(a, in, on_entry, NULL, &err);

	FUZZ_CHECK(rc == ERR_OK || (rc == ERR_INVALID && str_starts(str_c(err.msg), STR("line "))));
}

static void check_load(const struct config_source *src)
{
	CLEANUP(buf_deinit) struct buf report;
	struct config *config = NULL;
	struct client_config *client = NULL;
	struct command command;
	struct err err;

	buf_init(&report, 1 << 20);
	if (command_parse(src, &command, &err) == ERR_OK)
		FUZZ_CHECK(command.kind < COMMAND_COUNT && command.topic < COMMAND_COUNT);
	if (config_load(src, &config, &report, &err) != ERR_OK)
		FUZZ_CHECK(report.n > 0 && err.code == ERR_INVALID);
	else
		FUZZ_CHECK(config->listen.n > 0 || report.n == 0);
	config_free(config);
	if (client_config_load(src, &client, &report, &err) != ERR_OK)
		FUZZ_CHECK(report.n > 0 && err.code == ERR_INVALID);
	client_config_free(client);
}

/* Lines that begin with BATON_ are the environment, the others arguments. */
static void check_lines(struct arena *a, struct str in)
{
	char *argv[MAX_LINES + 2] = {(char *)"baton-awsd", (char *)"serve"};
	char *env[MAX_LINES + 1] = {NULL};
	struct config_source src = {.argc = 2, .argv = argv, .env = env, .cwd = "/nonexistent"};
	size_t n_env = 0;

	while (in.p && src.argc < MAX_LINES && n_env < MAX_LINES) {
		char *line = str_dup_c(a, str_cut(&in, '\n'));

		if (str_starts(str_c(line), STR("BATON_CONFIG_PATH")))
			continue; /* which file to read is not for a fuzzer to say */
		if (str_starts(str_c(line), STR("BATON_")))
			env[n_env++] = line;
		else
			argv[src.argc++] = line;
	}
	check_load(&src);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct str in = str_n((const char *)data, size);

	check_yaml(a, in);
	check_lines(a, in);
	return 0;
}

/* DESIGN
 *
 * Three steps. settings.c collects texts; the rows of the option table turn them into fields and check each
 * one alone, all complaints together; then come the rules between options, the first that fails ends it. The
 * order and the words of the rules are those of the connector this server replaces, so that its documentation
 * stays true (docs/config.md). */
#include "server/config.h"

#include <string.h>

#include "base/mem.h"
#include "server/options.h"

#define REPORT_MAX (64 * 1024)

/* --- One option at a time --- */

/* Where values go, and what was wrong with them. */
struct target {
	struct arena *arena;
	char *base; /* the configuration struct */
	struct buf problems;
};

static void *field(const struct target *to, const struct option *o)
{
	return to->base + o->offset;
}

/* "field x: <what> but got 'y'", without the last part for what is sensitive. */
static void complain(struct target *to, const struct option *o, const char *what, struct str value)
{
	buf_fmt(&to->problems, "\nfield %s: %s", o->name, what);
	if (!option_is_sensitive(o))
		buf_fmt(&to->problems, " but got '" STR_FMT "'", STR_ARG(value));
}

static bool is_selected(const struct option *o, struct str value)
{
	for (const char *const *s = o->select; *s; s++)
		if (str_eq_c(value, *s))
			return true;
	return o->accept && o->accept(value);
}

/* A rule is not applied to an empty value. */
static void check_text(struct target *to, const struct option *o, struct str value)
{
	CLEANUP(buf_deinit) struct buf what = {.p = NULL};

	if (value.n == 0 || (!o->select && !o->accept))
		return;
	if (o->select ? is_selected(o, value) : o->accept(value))
		return;
	buf_init(&what, REPORT_MAX);
	if (o->select) {
		buf_c(&what, "value must be one of [");
		for (const char *const *s = o->select; *s; s++)
			buf_fmt(&what, "%s%s", s == o->select ? "" : " ", *s);
		buf_char(&what, ']');
	} else {
		buf_fmt(&what, "value must be %s", o->expects);
	}
	complain(to, o, what.p, value);
}

static void store_bool(struct target *to, const struct option *o, struct str value)
{
	bool *at = field(to, o);

	if (value.n > 0 && !str_to_bool(value, at))
		complain(to, o, "value must be true or false", value);
}

static void store_int(struct target *to, const struct option *o, struct str value)
{
	bool any = o->min == 0 && o->max == 0;
	int64_t number;

	if (value.n == 0)
		return;
	if (!str_to_i64(value, &number)) {
		complain(to, o, "value must be a whole number", value);
		return;
	}
	if (!any && (number < o->min || number > o->max)) {
		buf_fmt(&to->problems, "\nfield %s: value must be %s than or equal to %lld but got %lld",
			o->name, number < o->min ? "greater" : "less",
			(long long)(number < o->min ? o->min : o->max), (long long)number);
		return;
	}
	*(int64_t *)field(to, o) = number;
}

static void store_list(struct target *to, const struct option *o, const struct str *values, size_t n)
{
	struct str_list *list = field(to, o);

	list->items = arena_array_of(to->arena, n, struct str);
	list->n = n;
	for (size_t i = 0; i < n; i++) {
		list->items[i] = str_dup(to->arena, values[i]);
		check_text(to, o, values[i]);
	}
}

static void store(struct target *to, const struct option *o, const struct str *values, size_t n)
{
	struct str last = n > 0 ? values[n - 1] : STR_EMPTY;

	switch (o->type) {
	case OPTION_STRING:
		*(struct str *)field(to, o) = str_dup(to->arena, last);
		check_text(to, o, last);
		return;
	case OPTION_SECRET:
		if (last.n > 0)
			*(struct secret **)field(to, o) = secret_new(last);
		return;
	case OPTION_BOOL:
		store_bool(to, o, last);
		return;
	case OPTION_INT:
		store_int(to, o, last);
		return;
	case OPTION_LIST:
		store_list(to, o, values, n);
		return;
	}
}

/* Fills the struct at to->base and collects what is wrong in to->problems. An option of the engine's has no
 * field. */
static void store_all(struct target *to, const struct settings *settings)
{
	for (size_t i = 0; i < settings->table->n; i++) {
		const struct option *o = &settings->table->items[i];
		const struct setting *s = &settings->items[i];
		struct str preset = str_c(o->preset);
		size_t n_presets = preset.n > 0;

		if (o->show == OPTION_IGNORED)
			continue;
		if (s->origin == SETTING_DEFAULT || s->n == 0)
			store(to, o, &preset, o->type == OPTION_LIST ? n_presets : 1);
		else
			store(to, o, s->values, s->n);
	}
}

static enum err_code problems_to_err(struct target *to, struct err *reterr)
{
	if (to->problems.n == 0)
		return ERR_OK;
	return err_set(reterr, ERR_INVALID, "errors found:%s", to->problems.p);
}

/* --- Rules between options --- */

/* If `option` is present, all of `needs` must be. Present: a text that is not empty, a switch that is on. */
static const struct dependency {
	const char *option;
	const char *needs[3];
} dependencies[] = {
	{"use-assume", {"role-arn"}},
	{"global-aws-cross-account-iam-enabled", {"global-aws-orgs-enabled", "global-aws-sso-enabled"}},
	{"global-access-key-id", {"global-secret-access-key"}},
	{"global-secret-access-key", {"global-access-key-id"}},
	{"tls-cert-file", {"tls-key-file"}},
	{"tls-key-file", {"tls-cert-file"}},
	{"tls-client-ca-file", {"tls-cert-file", "tls-key-file"}},
	{"store-password", {"store-url"}},
	{"store-sentinel-password", {"store-url"}},
	{"store-tls-ca-file", {"store-url"}},
	{"store-tls-cert-file", {"store-url", "store-tls-key-file"}},
	{"store-tls-key-file", {"store-url", "store-tls-cert-file"}},
	{"store-tls-server-name", {"store-url"}},
	{"store-tls-skip-verify", {"store-url"}},
};

static const struct dependency client_dependencies[] = {
	{"tls-cert-file", {"tls-key-file", "tls-ca-file"}},
	{"tls-key-file", {"tls-cert-file"}},
	{"tls-server-name", {"tls-ca-file"}},
};

static bool is_present(const struct option_table *t, const void *base, const char *name)
{
	const struct option *o = options_find(t, str_c(name));
	const void *at = (const char *)base + o->offset;

	switch (o->type) {
	case OPTION_STRING:
		return ((const struct str *)at)->n > 0;
	case OPTION_SECRET:
		return !secret_empty(*(struct secret *const *)at);
	case OPTION_BOOL:
		return *(const bool *)at;
	case OPTION_INT:
		return *(const int64_t *)at != 0;
	case OPTION_LIST:
		return ((const struct str_list *)at)->n > 0;
	}
	return false;
}

/* 'a' | 'a' and 'b' | 'a', 'b', and 'c' */
static void add_quoted(struct buf *out, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_c(out, n == 2 ? " and " : i + 1 == n ? ", and " : ", ");
		buf_fmt(out, "'%s'", names[i]);
	}
}

static enum err_code check_dependency(
	const struct option_table *t, const void *base, const struct dependency *d, struct err *reterr)
{
	CLEANUP(buf_deinit) struct buf names = {.p = NULL};
	const char *missing[ARRAY_LEN(d->needs)];
	size_t n = 0;

	if (!is_present(t, base, d->option))
		return ERR_OK;
	for (size_t i = 0; i < ARRAY_LEN(d->needs) && d->needs[i]; i++)
		if (!is_present(t, base, d->needs[i]))
			missing[n++] = d->needs[i];
	if (n == 0)
		return ERR_OK;
	buf_init(&names, REPORT_MAX);
	add_quoted(&names, missing, n);
	return err_set(
		reterr, ERR_INVALID, "set fields ('%s') are dependent on (%s) being set", d->option, names.p);
}

static enum err_code check_dependencies(const struct option_table *t, const void *base,
	const struct dependency *rules, size_t n, struct err *reterr)
{
	for (size_t i = 0; i < n; i++) {
		enum err_code rc = check_dependency(t, base, &rules[i], reterr);

		if (rc != ERR_OK)
			return rc;
	}
	return ERR_OK;
}

static bool is_one_of(struct str s, const char *const *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_c(s, values[i]))
			return true;
	return false;
}

static bool is_account_id(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n == 12;
}

static bool is_role_name_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c && strchr("_+=,.@-", c));
}

/* role/<name>, or role/<path>/<name>: a path is printable ASCII of at most 512 characters. */
static bool is_role_resource(struct str s)
{
	struct str rest = str_from(s, strlen("role/"));
	ptrdiff_t slash = str_rfind_char(rest, '/');
	struct str path = str_sub(rest, 0, (size_t)(slash + 1));
	struct str name = str_from(rest, (size_t)(slash + 1));

	if (name.n < 1 || name.n > 64 || path.n > 512)
		return false;
	for (size_t i = 0; i < path.n; i++)
		if (path.p[i] < '!' || path.p[i] > '~')
			return false;
	for (size_t i = 0; i < name.n; i++)
		if (!is_role_name_char(name.p[i]))
			return false;
	return true;
}

/* What is wrong with a role ARN; NULL when nothing is. The words are the replaced connector's, to the letter
 * (its expression says \W and means \w), because people search for them. */
static const char *role_arn_problem(struct str arn)
{
	static const char *const partitions[] = {
		"aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"};
	enum { PREFIX, PARTITION, SERVICE, REGION, ACCOUNT, RESOURCE, SECTIONS };
	struct str part[SECTIONS];
	struct str rest = arn;

	if (!str_starts(arn, STR("arn:")))
		return "arn: invalid prefix";
	for (size_t i = 0; i < RESOURCE; i++) {
		part[i] = str_cut(&rest, ':');
		if (!rest.p)
			return "arn: not enough sections";
	}
	part[RESOURCE] = rest;
	if (!is_one_of(part[PARTITION], partitions, ARRAY_LEN(partitions)))
		return "only aws partition supported";
	if (!str_eq_c(part[SERVICE], "iam"))
		return "invalid service: must be 'iam'";
	if (part[REGION].n > 0)
		return "invalid region: must be empty";
	if (!is_account_id(part[ACCOUNT]))
		return "invalid account id: must be 12 characters long";
	if (!str_starts(part[RESOURCE], STR("role/")))
		return "invalid resource: must start with 'role/'";
	if (!is_role_resource(part[RESOURCE]))
		return "invalid resource: must match regexp '^role/([\\W+=,.@-]{1,64})$'";
	return NULL;
}

static enum err_code check_role_arn(struct str arn, const char *what, struct err *reterr)
{
	const char *problem = role_arn_problem(arn);

	return problem ? err_set(reterr, ERR_INVALID, "baton-aws: invalid %s: %s", what, problem) : ERR_OK;
}

/* The external id itself is in no message. */
static enum err_code check_external_id(const struct config *c, struct err *reterr)
{
	if (c->external_id.n == 0)
		return err_set(reterr, ERR_INVALID, "baton-aws: external id is missing");
	if (c->external_id.n < 32 || c->external_id.n > 64)
		return err_set(
			reterr, ERR_INVALID, "baton-aws: aws_external_id must be between 32 and 64 bytes");
	return ERR_OK;
}

static enum err_code check_assume(const struct config *c, struct err *reterr)
{
	enum err_code rc;

	if (!c->use_assume)
		return ERR_OK;
	rc = check_role_arn(c->role_arn, "role ARN", reterr);
	if (rc != ERR_OK || c->global_role_arn.n == 0)
		return rc;
	rc = check_role_arn(c->global_role_arn, "global role ARN", reterr);
	return rc != ERR_OK ? rc : check_external_id(c, reterr);
}

static enum err_code check_identity_center(const struct config *c, struct err *reterr)
{
	if (c->global_aws_sso_enabled && !c->global_aws_orgs_enabled)
		return err_set(reterr, ERR_INVALID,
			"baton-aws: SSO Support requires Org support to also be enabled. Please enable both");
	if (str_eq_c(c->create_account_resource_type, "sso_user") && !c->global_aws_sso_enabled)
		return err_set(reterr, ERR_INVALID,
			"baton-aws: BATON_CREATE_ACCOUNT_RESOURCE_TYPE=sso_user requires "
			"BATON_GLOBAL_AWS_SSO_ENABLED=true");
	return ERR_OK;
}

/* Last, so that a configuration that is wrong in itself hears that first. Giving less data without saying so
 * is no option. */
static enum err_code check_available(const struct config *c, struct err *reterr)
{
	for (size_t i = 0; i < server_options.n; i++) {
		const struct option *o = &server_options.items[i];

		if (o->show == OPTION_REFUSED && is_present(&server_options, c, o->name))
			return err_set(reterr, ERR_INVALID, "%s", o->refusal);
	}
	return ERR_OK;
}

static enum err_code check(const struct config *c, struct err *reterr)
{
	enum err_code rc =
		check_dependencies(&server_options, c, dependencies, ARRAY_LEN(dependencies), reterr);

	if (rc == ERR_OK)
		rc = check_assume(c, reterr);
	if (rc == ERR_OK)
		rc = check_identity_center(c, reterr);
	return rc != ERR_OK ? rc : check_available(c, reterr);
}

/* --- What follows from the texts --- */

static void warn(struct config *c, struct str text)
{
	c->warnings.items[c->warnings.n++] = text;
}

static void derive_log(struct config *c, const struct config_source *src)
{
	static const char *const levels[] = {
		[LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};
	bool known = c->log_level_text.n == 0;

	c->log_level = LOG_INFO;
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		if (str_eq_nocase(c->log_level_text, str_c(levels[i]))) {
			c->log_level = (enum log_level)i;
			known = true;
		}
	}
	if (!known)
		warn(c, str_fmt(c->arena,
				"log-level '" STR_FMT "' is none of debug, info, warn and error, ignoring",
				STR_ARG(c->log_level_text)));
	if (c->log_format_text.n == 0)
		c->log_format = src->stderr_is_tty ? LOG_CONSOLE : LOG_JSON;
	else
		c->log_format = str_eq_c(c->log_format_text, "console") ? LOG_CONSOLE : LOG_JSON;
}

/* A file may serve the engine as well, so what it says for the engine is no reason to warn. */
static void warn_engine_options(struct config *c, const struct settings *settings)
{
	CLEANUP(buf_deinit) struct buf names;
	size_t n = 0;

	buf_init(&names, REPORT_MAX);
	for (size_t i = 0; i < settings->table->n; i++) {
		const struct option *o = &settings->table->items[i];

		if (o->show == OPTION_IGNORED && settings->items[i].origin > SETTING_FILE)
			buf_fmt(&names, "%s--%s", n++ ? ", " : "", o->name);
	}
	if (n > 0)
		warn(c, str_fmt(c->arena, "%s has no effect on the server, only on the sync engine, ignoring",
				names.p));
}

static void warn_mistyped(struct config *c, const struct settings *settings)
{
	for (size_t i = 0; i < settings->n_mistyped; i++) {
		char meant[OPTION_ENV_MAX];

		option_env_name(settings->mistyped[i].meant, meant);
		warn(c, str_fmt(c->arena, "environment variable %s is no option, but %s is, ignoring",
				settings->mistyped[i].name, meant));
	}
}

static void derive(struct config *c, const struct settings *settings, const struct config_source *src)
{
	/* one each of derive_log and warn_engine_options */
	c->warnings.items = arena_array_of(c->arena, settings->n_mistyped + 2, struct str);
	c->file = str_dup(c->arena, settings->file);
	if (c->create_account_resource_type.n == 0)
		c->create_account_resource_type = STR("iam_user");
	derive_log(c, src);
	warn_engine_options(c, settings);
	warn_mistyped(c, settings);
}

/* --- Loading --- */

/* Whatever the values held, what goes to the terminal is lines of printable text. */
static void report_problems(struct buf *report, const struct buf *problems, const struct err *err)
{
	size_t from = report->n;

	if (problems->n > 0) {
		buf_c(report, "errors found:");
		buf_str(report, buf_view(problems));
	} else {
		buf_c(report, err->msg);
	}
	for (size_t i = from; i < report->n; i++)
		if (((unsigned char)report->p[i] < ' ' && report->p[i] != '\n') || report->p[i] == 0x7f)
			report->p[i] = ' ';
}

static void target_deinit(struct target *to)
{
	buf_deinit(&to->problems);
}

/* Sources to fields: what serve and the client commands have in common. The texts live no longer than
 * this. */
static enum err_code load_fields(const struct option_table *t, const struct config_source *src,
	struct arena *texts, struct target *to, struct settings *ret_settings, struct err *reterr)
{
	enum err_code rc = settings_read(texts, t, src, ret_settings, reterr);

	if (rc != ERR_OK)
		return rc;
	store_all(to, ret_settings);
	return problems_to_err(to, reterr);
}

enum err_code config_load(
	const struct config_source *src, struct config **ret_config, struct buf *report, struct err *reterr)
{
	CLEANUP(config_freep) struct config *c = mem_zalloc(sizeof(*c));
	CLEANUP(arena_freep) struct arena *texts = arena_new(0);
	CLEANUP(target_deinit) struct target to = {.base = (char *)c};
	struct settings settings;
	enum err_code rc;

	buf_init(&to.problems, REPORT_MAX);
	c->arena = to.arena = arena_new(0);
	rc = load_fields(&server_options, src, texts, &to, &settings, reterr);
	if (rc == ERR_OK)
		rc = check(c, reterr);
	if (rc != ERR_OK) {
		report_problems(report, &to.problems, reterr);
		return rc;
	}
	derive(c, &settings, src);
	*ret_config = TAKE(c);
	return ERR_OK;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	secret_unref(c->global_secret_access_key);
	secret_unref(c->store_password);
	secret_unref(c->store_sentinel_password);
	arena_free(c->arena);
	mem_free(c);
}

void config_freep(struct config **c)
{
	config_free(*c);
}

enum err_code client_config_load(const struct config_source *src, struct client_config **ret_config,
	struct buf *report, struct err *reterr)
{
	CLEANUP(client_config_freep) struct client_config *c = mem_zalloc(sizeof(*c));
	CLEANUP(arena_freep) struct arena *texts = arena_new(0);
	CLEANUP(target_deinit) struct target to = {.base = (char *)c};
	struct settings settings;
	enum err_code rc;

	buf_init(&to.problems, REPORT_MAX);
	c->arena = to.arena = arena_new(0);
	rc = load_fields(&client_options, src, texts, &to, &settings, reterr);
	if (rc == ERR_OK)
		rc = check_dependencies(
			&client_options, c, client_dependencies, ARRAY_LEN(client_dependencies), reterr);
	if (rc != ERR_OK) {
		report_problems(report, &to.problems, reterr);
		return rc;
	}
	*ret_config = TAKE(c);
	return ERR_OK;
}

void client_config_free(struct client_config *c)
{
	if (!c)
		return;
	arena_free(c->arena);
	mem_free(c);
}

void client_config_freep(struct client_config **c)
{
	client_config_free(*c);
}

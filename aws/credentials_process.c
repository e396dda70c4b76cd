/* Credentials that a command prints: credential_process of a profile
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html). */
#include "aws/credentials.h"

#include "aws/child.h"
#include "aws/credentials_json.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"

enum {
	TIMEOUT_MS = 60000,
	MAX_SAID_BYTES = 2048, /* of standard error: enough for what went wrong */
	SHORTEST_KEY = 16,     /* an access key id has 20 characters, a secret 40 */
};

struct process {
	struct credentials_provider base;
	struct arena *arena; /* has the environment, which may hold keys */
	struct child_command command;
};

static bool is_key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
	       c == '/' || c == '=' || c == '_' || c == '-';
}

/* Runs of key characters long enough to be a key, with a capital or a digit among them (words and
 * paths mostly have none). */
static bool may_be_key(struct str run)
{
	if (run.n < SHORTEST_KEY)
		return false;
	for (size_t i = 0; i < run.n; i++) {
		if ((run.p[i] >= 'A' && run.p[i] <= 'Z') || (run.p[i] >= '0' && run.p[i] <= '9'))
			return true;
	}
	return false;
}

static void mask_keys(struct str text, struct buf *out)
{
	while (text.n) {
		size_t n = 0;

		while (n < text.n && is_key_char(text.p[n]))
			n++;
		if (may_be_key(str_sub(text, 0, n)))
			buf_c(out, "***");
		else
			buf_str(out, str_sub(text, 0, n));
		if (n < text.n)
			buf_char(out, text.p[n++]);
		text = str_from(text, n);
	}
}

static void log_what_it_said(const struct buf *errout)
{
	CLEANUP(buf_deinit) struct buf masked = {.n = 0};

	if (!log_enabled(LOG_DEBUG) || errout->n == 0)
		return;
	buf_init(&masked, MAX_SAID_BYTES);
	mask_keys(buf_view(errout), &masked);
	log_debug("credential_process says", LOG_STR("stderr", buf_view(&masked)));
}

static enum err_code process_fetch(struct credentials_provider *self, const struct ctx *ctx,
	struct aws_credentials **ret_credentials, struct err *reterr)
{
	struct process *p = (struct process *)self;
	CLEANUP(buf_deinit) struct buf out = {.n = 0}, errout = {.n = 0};
	enum err_code rc;

	buf_init(&out, CREDENTIALS_JSON_MAX_BYTES);
	buf_init(&errout, MAX_SAID_BYTES);
	out.wipe = errout.wipe = true;
	rc = child_run(&p->command, ctx, &out, &errout, reterr);
	log_what_it_said(&errout);
	if (rc == ERR_OK)
		return credentials_json_parse(
			&credentials_form_process, buf_view(&out), ret_credentials, reterr);
	if (rc == ERR_TOO_LARGE)
		reterr->code = ERR_UNAUTHENTICATED;
	return err_prefix(reterr, "credential_process");
}

static void process_free(struct credentials_provider *self)
{
	struct process *p = (struct process *)self;

	arena_free(p->arena);
	mem_free(p);
}

/* Without this server's own variables: its secrets are no business of the command. */
static const char *const *environ_dup(struct arena *a, const char *const *env)
{
	const char **copy;
	size_t n = 0, kept = 0;

	while (env && env[n])
		n++;
	copy = arena_array(a, n + 1, sizeof(*copy));
	for (size_t i = 0; i < n; i++) {
		if (!str_starts(str_c(env[i]), STR("BATON_")))
			copy[kept++] = str_dup_c(a, str_c(env[i]));
	}
	return copy;
}

struct credentials_provider *credentials_process_new(const struct process_options *opts)
{
	static const struct credentials_provider_ops ops = {
		.name = "credential_process", .fetch = process_fetch, .free = process_free};
	struct process *p = mem_zalloc(sizeof(*p));

	p->base.ops = &ops;
	atomic_init(&p->base.refs, 1);
	p->arena = arena_new(0);
	p->command = (struct child_command){
		.command = str_dup_c(p->arena, opts->command),
		.environ = environ_dup(p->arena, opts->environ),
		.timeout_ms = opts->timeout_ms ? opts->timeout_ms : TIMEOUT_MS,
	};
	return &p->base;
}

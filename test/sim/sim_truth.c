#include "sim/sim_truth.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/json.h"

/* A JSON writer that knows where commas go. */
struct writer {
	struct buf *out;
	bool first;
};

static void separate(struct writer *w)
{
	if (!w->first)
		buf_char(w->out, ',');
	w->first = false;
}

static void key(struct writer *w, const char *name)
{
	separate(w);
	buf_fmt(w->out, "\"%s\":", name);
}

static void open_(struct writer *w, const char *name, char bracket)
{
	if (name != NULL)
		key(w, name);
	else
		separate(w);
	buf_char(w->out, bracket);
	w->first = true;
}

static void close_(struct writer *w, char bracket)
{
	buf_char(w->out, bracket);
	w->first = false;
}

static void text(struct writer *w, const char *name, struct str value)
{
	key(w, name);
	json_write_str(w->out, value);
}

static void text_or_null(struct writer *w, const char *name, struct str value)
{
	if (value.n > 0) {
		text(w, name, value);
		return;
	}
	key(w, name);
	buf_c(w->out, "null");
}

static void number(struct writer *w, const char *name, int64_t value)
{
	key(w, name);
	buf_fmt(w->out, "%" PRId64, value);
}

static void boolean(struct writer *w, const char *name, bool value)
{
	key(w, name);
	buf_c(w->out, value ? "true" : "false");
}

static void date(struct writer *w, const char *name, int64_t unix_s)
{
	char rfc[21];

	if (unix_s == SIM_NEVER) {
		text_or_null(w, name, STR_EMPTY);
		return;
	}
	time_format_rfc3339(unix_s, rfc);
	text(w, name, str_c(rfc));
}

static void write_identity(struct writer *w, const struct sim_entity *e)
{
	text(w, "name", e->name);
	text(w, "path", e->path);
	text(w, "arn", e->arn);
	text(w, "id", e->id);
	date(w, "created", e->created_s);
}

static void write_policies_of(
	struct writer *w, struct sim_account *a, const struct sim_entity *e, struct arena *arena)
{
	open_(w, "attached", '[');
	for (uint32_t i = 0; i < e->n_attached; i++) {
		open_(w, NULL, '{');
		text(w, "name", a->policies[e->attached[i]].name);
		text(w, "arn", a->policies[e->attached[i]].arn);
		close_(w, '}');
	}
	close_(w, ']');
	open_(w, "inline", '[');
	for (uint32_t k = 0; k < e->n_inline; k++) {
		open_(w, NULL, '{');
		text(w, "name", sim_inline_name(a, e, k));
		text(w, "document", sim_inline_document(a, e, k, arena));
		close_(w, '}');
	}
	close_(w, ']');
	if (e->kind == SIM_GROUP)
		return;
	text_or_null(w, "boundary", e->boundary == SIM_NONE ? STR_EMPTY : a->policies[e->boundary].arn);
	open_(w, "tags", '[');
	for (uint32_t i = 0; i < e->n_tags; i++) {
		open_(w, NULL, '{');
		text(w, "key", e->tags[i].key);
		text(w, "value", e->tags[i].value);
		close_(w, '}');
	}
	close_(w, ']');
}

static void write_user(struct writer *w, struct sim_account *a, const struct sim_entity *e)
{
	open_(w, "groups", '[');
	for (uint32_t i = 0; i < e->n_groups; i++) {
		separate(w);
		json_write_str(w->out, a->entities[SIM_GROUP][e->groups[i]].name);
	}
	close_(w, ']');
	boolean(w, "has_password", e->has_password);
	date(w, "password_last_used", e->password_last_used_s);
	boolean(w, "mfa", e->mfa);
	open_(w, "access_keys", '[');
	for (uint32_t i = 0; i < e->n_keys; i++) {
		const struct sim_access_key *k = &e->keys[i];
		open_(w, NULL, '{');
		text(w, "id", k->id);
		boolean(w, "active", k->active);
		date(w, "created", k->created_s);
		date(w, "last_used", k->last_used_s);
		close_(w, '}');
	}
	close_(w, ']');
}

static void write_role(struct writer *w, const struct sim_entity *e)
{
	text(w, "trust", e->trust);
	text_or_null(w, "description", e->description);
	number(w, "max_session_duration", e->max_session_s);
	date(w, "last_used", e->last_used_s);
}

static void write_entities(struct writer *w, struct sim_account *a, enum sim_kind kind)
{
	static const char *const names[] = {"users", "groups", "roles"};

	open_(w, names[kind], '[');
	for (size_t i = 0; i < a->n[kind]; i++) {
		const struct sim_entity *e = &a->entities[kind][i];
		if (e->gone)
			continue;
		struct arena *arena = arena_new(0); /* of one entity's documents */
		open_(w, NULL, '{');
		write_identity(w, e);
		write_policies_of(w, a, e, arena);
		if (kind == SIM_USER)
			write_user(w, a, e);
		if (kind == SIM_ROLE)
			write_role(w, e);
		close_(w, '}');
		arena_free(arena);
	}
	close_(w, ']');
}

static void write_policy(
	struct writer *w, struct sim_account *a, const struct sim_policy *p, struct arena *arena)
{
	open_(w, NULL, '{');
	text(w, "name", p->name);
	text(w, "path", p->path);
	text(w, "arn", p->arn);
	text(w, "id", p->id);
	boolean(w, "aws", p->aws);
	text_or_null(w, "description", p->description);
	date(w, "created", p->created_s);
	date(w, "updated", p->updated_s);
	number(w, "attachments", p->attachments);
	number(w, "boundaries", p->boundaries);
	text(w, "default_version", str_fmt(arena, "v%" PRIu32, p->default_version));
	open_(w, "versions", '[');
	for (uint32_t v = p->first_version; v <= p->last_version; v++) {
		open_(w, NULL, '{');
		text(w, "id", str_fmt(arena, "v%" PRIu32, v));
		text(w, "document", sim_policy_document(a, p, v, arena));
		close_(w, '}');
	}
	close_(w, ']');
	close_(w, '}');
}

static void write_account(struct writer *w, struct sim_account *a)
{
	open_(w, NULL, '{');
	text(w, "id", a->id);
	text(w, "alias", a->alias);
	for (size_t kind = 0; kind < SIM_KIND_COUNT; kind++)
		write_entities(w, a, (enum sim_kind)kind);
	open_(w, "policies", '[');
	for (size_t i = 0; i < a->n_policies; i++) {
		struct arena *arena = arena_new(0);
		write_policy(w, a, &a->policies[i], arena);
		arena_free(arena);
	}
	close_(w, ']');
	close_(w, '}');
}

void sim_truth_write(struct sim_org *o, struct buf *out)
{
	struct writer w = {.out = out, .first = true};

	open_(&w, NULL, '{');
	number(&w, "seed", (int64_t)o->seed);
	open_(&w, "accounts", '[');
	for (size_t i = 0; i < o->n_accounts; i++)
		write_account(&w, &o->accounts[i]);
	close_(&w, ']');
	close_(&w, '}');
	buf_char(out, '\n');
}

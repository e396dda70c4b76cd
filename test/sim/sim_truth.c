#include "sim/sim_truth.h"

#include <inttypes.h>

#include "sim/sim_json_writer.h"

static void write_identity(struct json_writer *w, const struct sim_entity *e)
{
	jw_str(w, "name", e->name);
	jw_str(w, "path", e->path);
	jw_str(w, "arn", e->arn);
	jw_str(w, "id", e->id);
	jw_time(w, "created", e->created_s);
}

static void write_policies_of(
	struct json_writer *w, struct sim_account *a, const struct sim_entity *e, struct arena *arena)
{
	jw_open(w, "attached", '[');
	for (uint32_t i = 0; i < e->n_attached; i++) {
		jw_open(w, NULL, '{');
		jw_str(w, "name", sim_policy_at(a, e->attached[i])->name);
		jw_str(w, "arn", sim_policy_at(a, e->attached[i])->arn);
		jw_close(w, '}');
	}
	jw_close(w, ']');
	jw_open(w, "inline", '[');
	for (uint32_t k = 0; k < e->n_inline; k++) {
		jw_open(w, NULL, '{');
		jw_str(w, "name", sim_inline_name(a, e, k));
		jw_str(w, "document", sim_inline_document(a, e, k, arena));
		jw_close(w, '}');
	}
	jw_close(w, ']');
	if (e->kind == SIM_GROUP)
		return;
	jw_str_or_null(
		w, "boundary", e->boundary == SIM_NONE ? STR_EMPTY : sim_policy_at(a, e->boundary)->arn);
	jw_open(w, "tags", '[');
	for (uint32_t i = 0; i < e->n_tags; i++) {
		jw_open(w, NULL, '{');
		jw_str(w, "key", e->tags[i].key);
		jw_str(w, "value", e->tags[i].value);
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

static void write_user(struct json_writer *w, struct sim_account *a, const struct sim_entity *e)
{
	jw_open(w, "groups", '[');
	for (uint32_t i = 0; i < e->n_groups; i++)
		jw_str(w, NULL, a->entities[SIM_GROUP][e->groups[i]].name);
	jw_close(w, ']');
	jw_bool(w, "has_password", e->has_password);
	jw_time(w, "password_last_used", e->password_last_used_s);
	jw_bool(w, "mfa", e->mfa);
	jw_open(w, "access_keys", '[');
	for (uint32_t i = 0; i < e->n_keys; i++) {
		const struct sim_access_key *k = &e->keys[i];
		jw_open(w, NULL, '{');
		jw_str(w, "id", k->id);
		jw_bool(w, "active", k->status == SIM_KEY_ACTIVE);
		jw_str(w, "status", str_c(sim_key_status_names[k->status]));
		jw_time(w, "created", k->created_s);
		jw_time(w, "last_used", k->last_used_s);
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

static void write_role(struct json_writer *w, const struct sim_entity *e)
{
	jw_str(w, "trust", e->trust);
	jw_str_or_null(w, "description", e->description);
	jw_int(w, "max_session_duration", e->max_session_s);
	jw_time(w, "last_used", e->last_used_s);
}

static void write_entities(struct json_writer *w, struct sim_account *a, enum sim_kind kind)
{
	static const char *const names[] = {"users", "groups", "roles"};

	jw_open(w, names[kind], '[');
	for (size_t i = 0; i < a->n[kind]; i++) {
		const struct sim_entity *e = &a->entities[kind][i];
		if (e->gone)
			continue;
		struct arena *arena = arena_new(0); /* of one entity's documents */
		jw_open(w, NULL, '{');
		write_identity(w, e);
		write_policies_of(w, a, e, arena);
		if (kind == SIM_USER)
			write_user(w, a, e);
		if (kind == SIM_ROLE)
			write_role(w, e);
		jw_close(w, '}');
		arena_free(arena);
	}
	jw_close(w, ']');
}

static void write_use(struct json_writer *w, const struct sim_account *a, const struct sim_policy *p)
{
	jw_int(w, "attachments", sim_policy_use(a, p)->attachments);
	jw_int(w, "boundaries", sim_policy_use(a, p)->boundaries);
}

/* What belongs to the policy alone; the account is where its documents are made. */
static void write_policy(
	struct json_writer *w, const struct sim_account *a, const struct sim_policy *p, struct arena *arena)
{
	jw_str(w, "name", p->name);
	jw_str(w, "path", p->path);
	jw_str(w, "arn", p->arn);
	jw_str(w, "id", p->id);
	jw_bool(w, "aws", p->aws);
	jw_str_or_null(w, "description", p->description);
	jw_time(w, "created", p->created_s);
	jw_time(w, "updated", p->updated_s);
	jw_str(w, "default_version", str_fmt(arena, "v%" PRIu32, p->default_version));
	jw_open(w, "versions", '[');
	for (uint32_t v = p->first_version; v <= p->last_version; v++) {
		jw_open(w, NULL, '{');
		jw_str(w, "id", str_fmt(arena, "v%" PRIu32, v));
		jw_str(w, "document", sim_policy_document(a, p, v, arena));
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

static void write_policies(struct json_writer *w, const struct sim_account *a)
{
	jw_open(w, "policies", '[');
	for (size_t i = 0; i < a->n_customer_policies; i++) {
		const struct sim_policy *p = sim_policy_at(a, i);
		struct arena *arena = arena_new(0); /* of one policy's documents, as below */
		jw_open(w, NULL, '{');
		write_policy(w, a, p, arena);
		write_use(w, a, p);
		jw_close(w, '}');
		arena_free(arena);
	}
	jw_close(w, ']');
	jw_open(w, "aws_policies_used", '[');
	for (size_t i = a->n_customer_policies; i < a->n_policies; i++) {
		const struct sim_policy *p = sim_policy_at(a, i);
		if (a->use[i].attachments == 0 && a->use[i].boundaries == 0)
			continue;
		jw_open(w, NULL, '{');
		jw_str(w, "arn", p->arn);
		write_use(w, a, p);
		jw_close(w, '}');
	}
	jw_close(w, ']');
}

static void write_catalogue(struct json_writer *w, const struct sim_org *o)
{
	jw_open(w, "aws_policies", '[');
	for (size_t i = 0; i < o->n_catalogue; i++) {
		struct arena *arena = arena_new(0);
		jw_open(w, NULL, '{');
		write_policy(w, &o->accounts[0], &o->catalogue[i], arena);
		jw_close(w, '}');
		arena_free(arena);
	}
	jw_close(w, ']');
}

static void write_account(struct json_writer *w, struct sim_account *a)
{
	sim_account_ready(a);
	jw_open(w, NULL, '{');
	jw_str(w, "id", a->id);
	jw_str(w, "arn", a->arn);
	jw_str(w, "name", a->name);
	jw_str(w, "email", a->email);
	jw_str(w, "alias", a->alias);
	jw_str(w, "state", str_c(sim_account_state_names[a->state]));
	jw_str(w, "assume", str_c(sim_assume_names[a->assume]));
	for (size_t kind = 0; kind < SIM_KIND_COUNT; kind++)
		write_entities(w, a, (enum sim_kind)kind);
	write_policies(w, a);
	jw_close(w, '}');
}

void sim_truth_write(struct sim_org *o, struct sim_account *only, struct buf *out)
{
	struct json_writer w = {.out = out};

	jw_open(&w, NULL, '{');
	jw_int(&w, "seed", (int64_t)o->opts.seed);
	jw_str(&w, "organization", o->id);
	write_catalogue(&w, o);
	jw_open(&w, "accounts", '[');
	for (size_t i = 0; i < o->n_accounts; i++) {
		if (only == NULL || only == &o->accounts[i])
			write_account(&w, &o->accounts[i]);
	}
	jw_close(&w, ']');
	jw_close(&w, '}');
	buf_char(out, '\n');
}

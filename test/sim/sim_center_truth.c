#include "sim/sim_center_truth.h"

#include "sim/sim_json_writer.h"
#include "sim/sim_tree.h"

/* What is being written, and where short-lived strings go. */
struct telling {
	struct json_writer w;
	const struct sim_center *center;
	const struct sim_logins *logins;
	struct arena *arena; /* reset after each item */
};

static void end_item(struct telling *t)
{
	jw_close(&t->w, '}');
	arena_reset(t->arena);
}

/* --- the tree --- */
static void write_tree(struct telling *t)
{
	const struct sim_org *o = t->center->org;

	jw_str(&t->w, "organization", o->id);
	jw_str(&t->w, "root", o->root_id);
	jw_open(&t->w, "ous", '[');
	for (size_t i = 0; i < o->n_ous; i++) {
		jw_open(&t->w, NULL, '{');
		jw_str(&t->w, "id", o->ous[i].id);
		jw_str(&t->w, "name", o->ous[i].name);
		jw_str(&t->w, "parent", sim_tree_id(o, o->ous[i].parent));
		end_item(t);
	}
	jw_close(&t->w, ']');
}

static void write_accounts(struct telling *t)
{
	const struct sim_center *c = t->center;
	const struct sim_org *o = c->org;

	jw_open(&t->w, "accounts", '[');
	for (size_t i = 0; i < o->n_accounts; i++) {
		const struct sim_account *a = &o->accounts[i];
		jw_open(&t->w, NULL, '{');
		jw_str(&t->w, "id", a->id);
		jw_str(&t->w, "arn", a->arn);
		jw_str(&t->w, "name", a->name);
		jw_str(&t->w, "email", a->email);
		jw_str(&t->w, "state", str_c(sim_account_state_names[a->state]));
		jw_str(&t->w, "parent", sim_tree_id(o, a->ou));
		jw_open(&t->w, "permission_sets", '[');
		for (uint32_t slot = 0; slot < c->n_slots; slot++) {
			if (sim_center_provisioned(c, (uint32_t)i, slot))
				jw_str(&t->w, NULL, c->sets[slot].arn);
		}
		jw_close(&t->w, ']');
		end_item(t);
	}
	jw_close(&t->w, ']');
}

/* --- permission sets --- */
static void write_instances(struct telling *t)
{
	jw_open(&t->w, "instances", '[');
	for (size_t i = 0; i < t->center->n_instances; i++) {
		const struct sim_instance *x = &t->center->instances[i];
		jw_open(&t->w, NULL, '{');
		jw_str(&t->w, "arn", x->arn);
		jw_str(&t->w, "store", x->store_id);
		jw_str(&t->w, "owner", x->owner);
		jw_str(&t->w, "status", x->status);
		jw_bool(&t->w, "has_permission_sets", x->has_sets);
		end_item(t);
	}
	jw_close(&t->w, ']');
}

static void write_policies(struct telling *t, const struct sim_permission_set *s)
{
	jw_open(&t->w, "managed", '[');
	for (uint32_t k = 0; k < s->n_managed; k++) {
		const struct sim_policy *p = sim_center_managed(t->center, s, k);
		jw_open(&t->w, NULL, '{');
		jw_str(&t->w, "name", p->name);
		jw_str(&t->w, "arn", p->arn);
		jw_close(&t->w, '}');
	}
	jw_close(&t->w, ']');
	jw_open(&t->w, "customer", '[');
	for (uint32_t k = 0; k < s->n_customer; k++) {
		struct sim_policy_reference p = sim_center_customer(t->center, s, k);
		jw_open(&t->w, NULL, '{');
		jw_str(&t->w, "name", p.name);
		jw_str_or_null(&t->w, "path", p.path);
		jw_close(&t->w, '}');
	}
	jw_close(&t->w, ']');
	jw_str_or_null(&t->w, "inline", sim_center_inline(t->center, s, t->arena));
}

static void write_sets(struct telling *t)
{
	jw_open(&t->w, "permission_sets", '[');
	for (size_t slot = 0; slot < t->center->n_slots; slot++) {
		const struct sim_permission_set *s = &t->center->sets[slot];
		if (!s->exists)
			continue;
		jw_open(&t->w, NULL, '{');
		jw_str(&t->w, "arn", s->arn);
		jw_str(&t->w, "name", s->name);
		jw_str_or_null(&t->w, "description", s->description);
		jw_str_or_null(&t->w, "session_duration", s->duration);
		jw_str_or_null(&t->w, "relay_state", s->relay_state);
		jw_time(&t->w, "created", s->created_s);
		write_policies(t, s);
		end_item(t);
	}
	jw_close(&t->w, ']');
}

static void write_assignments_of(struct telling *t, uint32_t account, uint32_t slot)
{
	const struct sim_center *c = t->center;
	struct sim_principal principal;

	for (size_t r = 0; r < sim_center_rows(c, account, slot); r++) {
		if (!sim_center_row(c, account, slot, r, &principal))
			continue;
		jw_open(&t->w, NULL, '{');
		jw_str(&t->w, "account", c->org->accounts[account].id);
		jw_str(&t->w, "permission_set", c->sets[slot].arn);
		jw_str(&t->w, "principal_type", sim_principal_type(principal));
		jw_str(&t->w, "principal_id", sim_principal_id(c, principal, t->arena));
		end_item(t);
	}
}

static void write_assignments(struct telling *t)
{
	const struct sim_center *c = t->center;

	jw_open(&t->w, "assignments", '[');
	for (uint32_t a = 0; a < c->org->n_accounts; a++) {
		for (uint32_t slot = 0; slot < c->n_slots; slot++) {
			if (sim_center_provisioned(c, a, slot))
				write_assignments_of(t, a, slot);
		}
	}
	jw_close(&t->w, ']');
}

/* --- the directory --- */
static void write_external_ids(struct telling *t, const struct sim_external_id *ids, size_t n)
{
	jw_open(&t->w, "external_ids", '[');
	for (size_t i = 0; i < n; i++) {
		jw_open(&t->w, NULL, '{');
		jw_str(&t->w, "issuer", ids[i].issuer);
		jw_str(&t->w, "id", ids[i].id);
		jw_close(&t->w, '}');
	}
	jw_close(&t->w, ']');
}

static void write_users(struct telling *t)
{
	const struct sim_people *p = t->center->people;

	jw_open(&t->w, "users", '[');
	for (size_t i = 0; i < p->n_users; i++) {
		if (p->user_gone[i])
			continue;
		struct sim_sso_user u = sim_people_user(p, i, t->arena);
		jw_open(&t->w, NULL, '{');
		jw_str(&t->w, "id", u.id);
		jw_str(&t->w, "user_name", u.user_name);
		jw_str_or_null(&t->w, "display_name", u.display_name);
		jw_str_or_null(&t->w, "status", u.status);
		jw_open(&t->w, "emails", '[');
		for (size_t k = 0; k < u.n_emails; k++) {
			jw_open(&t->w, NULL, '{');
			jw_str_or_null(&t->w, "value", u.emails[k].value);
			jw_bool(&t->w, "primary", u.emails[k].primary);
			jw_close(&t->w, '}');
		}
		jw_close(&t->w, ']');
		write_external_ids(t, u.external_ids, u.n_external_ids);
		end_item(t);
	}
	jw_close(&t->w, ']');
}

static void write_groups(struct telling *t)
{
	const struct sim_people *p = t->center->people;

	jw_open(&t->w, "groups", '[');
	for (size_t i = 0; i < p->n_groups; i++) {
		if (p->group_gone[i])
			continue;
		struct sim_sso_group g = sim_people_group(p, i, t->arena);
		jw_open(&t->w, NULL, '{');
		jw_str(&t->w, "id", g.id);
		jw_str(&t->w, "display_name", g.display_name);
		jw_str_or_null(&t->w, "description", g.description);
		write_external_ids(t, g.external_ids, g.n_external_ids);
		end_item(t);
	}
	jw_close(&t->w, ']');
}

static void write_memberships(struct telling *t)
{
	const struct sim_people *p = t->center->people;
	size_t group;

	jw_open(&t->w, "memberships", '[');
	for (size_t i = 0; i < p->n_users; i++) {
		for (size_t k = 0; k < p->per_user; k++) {
			if (!sim_people_membership(p, i, k, &group))
				continue;
			jw_open(&t->w, NULL, '{');
			jw_str(&t->w, "id", sim_people_membership_id(p, i, group, t->arena));
			jw_str(&t->w, "group", sim_people_id(p, SIM_SSO_GROUP, group, t->arena));
			jw_str(&t->w, "user", sim_people_id(p, SIM_SSO_USER, i, t->arena));
			end_item(t);
		}
	}
	jw_close(&t->w, ']');
}

static void write_events(struct telling *t)
{
	jw_open(&t->w, "events", '[');
	for (size_t i = 0; i < t->logins->n; i++) {
		struct sim_event e = sim_logins_event(t->logins, i, t->arena);
		jw_open(&t->w, NULL, '{');
		jw_str(&t->w, "id", e.id);
		jw_str(&t->w, "name", e.name);
		jw_str(&t->w, "source", e.source);
		jw_int(&t->w, "time_s", e.time_s);
		jw_int(&t->w, "visible_s", e.visible_s);
		jw_str_or_null(&t->w, "record", e.record);
		end_item(t);
	}
	jw_close(&t->w, ']');
}

void sim_center_truth_write(const struct sim_center *c, const struct sim_logins *l, struct buf *out)
{
	struct telling t = {.w = {.out = out}, .center = c, .logins = l, .arena = arena_new(0)};

	jw_open(&t.w, NULL, '{');
	write_tree(&t);
	write_instances(&t);
	write_accounts(&t);
	write_sets(&t);
	write_assignments(&t);
	write_users(&t);
	write_groups(&t);
	write_memberships(&t);
	write_events(&t);
	jw_close(&t.w, '}');
	buf_char(out, '\n');
	arena_free(t.arena);
}

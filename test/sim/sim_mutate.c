#include "sim/sim_mutate.h"

#include "base/err.h"
#include "base/json.h"
#include "sim/sim_center.h"
#include "sim/sim_logins.h"
#include "sim/sim_report.h"
#include "sim/sim_tree.h"

#define MUTATE_MAX_BYTES 65536

struct mutation {
	struct sim *sim;
	struct sim_account *account; /* of the member "account", or the management account */
	const struct json *json;
	struct str value; /* of the member that tells which mutation it is */
};

static struct str member(const struct mutation *m, const char *name)
{
	return json_str(json_get(m->json, str_c(name)));
}

/* The index of value among names; n: it is none of them. */
static size_t index_of(struct str value, const char *const *names, size_t n)
{
	size_t i = 0;

	while (i < n && !str_eq_c(value, names[i]))
		i++;
	return i;
}

/* --- what is in accounts --- */
static const char *remove_named(const struct mutation *m, enum sim_kind kind, struct str name)
{
	sim_account_ready(m->account);
	return sim_org_remove(m->account, kind, name) ? NULL : "there is none of that name";
}

/* {"delete":"assignment","account":"...","permission_set":"arn...","principal_type":"USER","principal_id":"..."} */
static const char *remove_assignment(const struct mutation *m)
{
	struct sim_center *c = m->sim->center;
	const struct sim_permission_set *s = sim_center_set(c, member(m, "permission_set"));
	struct sim_assignment a = {.account = m->account->number};

	if (s == NULL)
		return "permission_set: there is none of that ARN";
	if (!sim_principal_find(c, member(m, "principal_type"), member(m, "principal_id"), &a.principal))
		return "principal_type, principal_id: there is none";
	a.slot = s->slot;
	return sim_center_remove_assignment(c, a) ? NULL : "there is no such assignment";
}

/* {"delete":"user","name":"ana.silva"}, {"delete":"sso_user","id":"..."}, {"delete":"permission_set","arn":"..."} */
static const char *mutate_delete(const struct mutation *m)
{
	static const char *const kinds[SIM_KIND_COUNT] = {"user", "group", "role"};
	static const char *const people[] = {"sso_user", "sso_group"};
	size_t kind = index_of(m->value, kinds, SIM_KIND_COUNT);
	size_t who = index_of(m->value, people, ARRAY_LEN(people));

	if (kind < SIM_KIND_COUNT)
		return remove_named(m, (enum sim_kind)kind, member(m, "name"));
	if (who < ARRAY_LEN(people))
		return sim_people_remove(m->sim->center->people, (enum sim_sso_kind)who, member(m, "id"))
			       ? NULL
			       : "id: there is none";
	if (str_eq_c(m->value, "permission_set"))
		return sim_center_remove_set(m->sim->center, member(m, "arn")) ? NULL : "arn: there is none";
	if (str_eq_c(m->value, "assignment"))
		return remove_assignment(m);
	return "delete: 'user', 'group', 'role', 'sso_user', 'sso_group', 'permission_set' or 'assignment'";
}

static const char *mutate_delete_role(const struct mutation *m)
{
	return remove_named(m, SIM_ROLE, m->value);
}

/* --- accounts --- */
static const char *mutate_state(const struct mutation *m)
{
	size_t state = index_of(m->value, sim_account_state_names, SIM_ACCOUNT_STATE_COUNT);

	if (state == SIM_ACCOUNT_STATE_COUNT)
		return "state: 'ACTIVE', 'SUSPENDED' or 'PENDING_CLOSURE'";
	m->account->state = (enum sim_account_state)state;
	return NULL;
}

static const char *mutate_assume(const struct mutation *m)
{
	size_t assume = index_of(m->value, sim_assume_names, SIM_ASSUME_COUNT);

	if (assume == SIM_ASSUME_COUNT)
		return "assume: 'allowed', 'denied' or 'throttled'";
	m->account->assume = (enum sim_assume)assume;
	return NULL;
}

static const char *mutate_move_to(const struct mutation *m)
{
	return sim_tree_find(m->sim->org, m->value, &m->account->ou)
		       ? NULL
		       : "move_to: there is no root or unit of that id";
}

static const char *mutate_report(const struct mutation *m)
{
	if (!str_eq_c(m->value, "expire"))
		return "report: only 'expire'";
	sim_reports_expire(m->sim->reports);
	return NULL;
}

/* --- Identity Center --- */
/* {"create":"permission_set","name":"New","accounts":["123456789012"]}: it is listed before all others. */
static const char *mutate_create(const struct mutation *m)
{
	struct sim_center *c = m->sim->center;
	struct sim_org *o = m->sim->org;
	const struct json *accounts = json_get(m->json, STR("accounts"));
	struct str name = member(m, "name");

	if (!str_eq_c(m->value, "permission_set") || name.n == 0 || name.n > 32)
		return "create: only 'permission_set', with a 'name' of up to 32 characters";
	bool *has = arena_array_of(c->arena, o->n_accounts, bool);
	for (size_t i = 0; accounts != NULL && i < accounts->n; i++) {
		const struct sim_account *a = sim_org_account(o, json_str(&accounts->items[i]));
		if (a == NULL)
			return "accounts: there is none of that id";
		has[a->number] = true;
	}
	return sim_center_create_set(c, name, has) != NULL ? NULL
							   : "create: no instance, or too many created";
}

/* {"instance":"arn...","status":"DELETE_IN_PROGRESS","owner":"123456789012"} */
static const char *mutate_instance(const struct mutation *m)
{
	struct sim_center *c = m->sim->center;

	for (size_t i = 0; i < c->n_instances; i++) {
		struct sim_instance *instance = &c->instances[i];
		if (!str_eq(instance->arn, m->value))
			continue;
		if (member(m, "status").n > 0)
			instance->status = str_dup(c->arena, member(m, "status"));
		if (member(m, "owner").n > 0)
			instance->owner = str_dup(c->arena, member(m, "owner"));
		return NULL;
	}
	return "instance: there is none of that ARN";
}

/* {"event":"Authenticate","time":1767225600,"user":"...",...}: see README.md. */
static const char *mutate_event(const struct mutation *m)
{
	const struct json *time = json_get(m->json, STR("time")), *record = json_get(m->json, STR("record"));
	const struct json *user = json_get(m->json, STR("user"));
	struct sim_event e = {
		.id = member(m, "id"),
		.name = m->value,
		.source = member(m, "source"),
		.record = json_str(record),
		.visible_s = sim_now_s(m->sim),
	};
	struct sim_sign_in sign_in = {
		.user = json_str(user),
		.account = member(m, "target_account"),
		.role = member(m, "role"),
		.without_user = user == NULL,
	};

	if (time == NULL || !time->is_int)
		return "time: not a number of seconds";
	e.time_s = time->integer;
	sim_logins_add(m->sim->logins, &e, record != NULL ? NULL : &sign_in);
	return NULL;
}

/* A mutation is told by its member. fn gives NULL when it is done, else what is wrong. */
static const struct {
	const char *member;
	const char *(*fn)(const struct mutation *m);
} mutations[] = {
	{"delete", mutate_delete},
	{"delete_role", mutate_delete_role},
	{"state", mutate_state},
	{"assume", mutate_assume},
	{"report", mutate_report},
	{"move_to", mutate_move_to},
	{"create", mutate_create},
	{"instance", mutate_instance},
	{"event", mutate_event},
};

static const char *mutate(struct sim *s, const struct json *j)
{
	const struct json *id = json_get(j, STR("account"));
	struct mutation m = {
		.sim = s,
		.json = j,
		.account = id != NULL ? sim_org_account(s->org, json_str(id)) : &s->org->accounts[0],
	};

	if (m.account == NULL)
		return "account: there is none of that id";
	for (size_t i = 0; i < ARRAY_LEN(mutations); i++) {
		const struct json *v = json_get(j, str_c(mutations[i].member));
		m.value = json_str(v);
		if (v != NULL)
			return mutations[i].fn(&m);
	}
	return "no member that tells a mutation";
}

const char *sim_mutate(struct sim *s, struct str text, struct arena *arena)
{
	const char *problem = NULL;
	const struct json *j;
	struct err err;

	if (json_parse(arena, text, MUTATE_MAX_BYTES, &j, &err) != ERR_OK)
		return str_dup_c(arena, str_c(err.msg));
	pthread_rwlock_wrlock(&s->org_lock);
	if (j->kind != JSON_ARRAY)
		problem = mutate(s, j);
	for (size_t i = 0; j->kind == JSON_ARRAY && i < j->n && problem == NULL; i++)
		problem = mutate(s, &j->items[i]);
	pthread_rwlock_unlock(&s->org_lock);
	return problem;
}

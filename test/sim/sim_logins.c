#include "sim/sim_logins.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "sim/sim_json_writer.h"

#define DAY_S  INT64_C(86400)
#define SOURCE "sso.amazonaws.com"

enum salt { SALT_ID = 1, SALT_FORM, SALT_USER, SALT_ACCOUNT, SALT_DELAY };

static uint64_t draw(const struct sim_logins *l, uint64_t number, enum salt salt)
{
	return sim_hash(l->center->seed, UINT64_C(0x4c4f47), number, salt);
}

static struct str event_id(const struct sim_logins *l, uint64_t number, struct arena *arena)
{
	uint64_t h = draw(l, number, SALT_ID);

	return str_fmt(arena, "%08" PRIx64 "-%04x-4%03x-9%03x-%012" PRIx64, h >> 32, (unsigned)(h & 0xffff),
		(unsigned)(h >> 16 & 0xfff), (unsigned)(h >> 28 & 0xfff), number);
}

/* --- records --- */
static void put_identity(struct json_writer *w, const struct sim_logins *l, const struct sim_sign_in *in,
	struct str owner, struct arena *arena)
{
	const struct sim_center *c = l->center;
	struct str store =
		c->n_instances > 0 ? c->instances[c->n_instances - 1].store_id : STR("d-0000000000");

	jw_open(w, "userIdentity", '{');
	jw_str(w, "type", STR("IdentityCenterUser"));
	jw_str_unless_empty(w, "accountId", owner);
	if (!in->without_user) {
		jw_open(w, "onBehalfOf", '{');
		jw_str(w, "userId", in->user);
		jw_str(w, "identityStoreArn",
			str_fmt(arena, "arn:aws:identitystore::" STR_FMT ":identitystore/" STR_FMT,
				STR_ARG(owner), STR_ARG(store)));
		jw_close(w, '}');
	}
	jw_str(w, "credentialId", STR("90e292de5eff6c2b2c1e0d1a5b8b4a6f0e3d7c9b"));
	jw_close(w, '}');
}

static struct str make_record(const struct sim_logins *l, const struct sim_event *e,
	const struct sim_sign_in *in, struct str owner, struct arena *arena)
{
	struct buf out;
	struct json_writer w = {.out = &out};

	buf_init(&out, SIZE_MAX / 2);
	jw_open(&w, NULL, '{');
	jw_str(&w, "eventVersion", STR("1.11"));
	put_identity(&w, l, in, owner, arena);
	jw_time(&w, "eventTime", e->time_s);
	jw_str(&w, "eventSource", e->source);
	jw_str(&w, "eventName", e->name);
	jw_str(&w, "awsRegion", STR("us-east-1"));
	jw_str(&w, "sourceIPAddress", STR("203.0.113.7"));
	jw_str(&w, "userAgent", STR("Mozilla/5.0 (X11; Linux x86_64) \"quoted\" \\ \u00fc"));
	jw_str_or_null(&w, "requestParameters", STR_EMPTY);
	jw_str_or_null(&w, "responseElements", STR_EMPTY);
	jw_str(&w, "requestID", e->id);
	jw_str(&w, "eventID", e->id);
	jw_bool(&w, "readOnly", false);
	jw_str(&w, "eventType", STR("AwsServiceEvent"));
	jw_bool(&w, "managementEvent", true);
	jw_str_unless_empty(&w, "recipientAccountId", owner);
	if (in->account.n > 0) {
		jw_open(&w, "serviceEventDetails", '{');
		jw_str_unless_empty(&w, "role_name", in->role);
		jw_str(&w, "account_id", in->account);
		jw_close(&w, '}');
	}
	jw_str(&w, "eventCategory", STR("Management"));
	jw_close(&w, '}');
	struct str record = buf_dup(&out, arena);
	buf_deinit(&out);
	return record;
}

/* The forms of drawn events, in sixteenths: sign-ins, and what must not be taken for one. */
static void draw_form(const struct sim_logins *l, uint64_t number, struct sim_event *e,
	struct sim_sign_in *in, struct str *owner)
{
	const struct sim_org *o = l->center->org;

	switch (draw(l, number, SALT_FORM) % 16) {
	case 0:
		e->name = STR("ListApplications");
		return;
	case 1:
		e->name = STR("UserAuthentication");
		e->source = STR("signin.amazonaws.com");
		return;
	case 2:
		in->without_user = true;
		return;
	case 3:
		in->user = STR_EMPTY;
		return;
	case 4:
		*owner = STR_EMPTY; /* no account is known */
		return;
	case 5:
	case 6:
	case 7:
	case 8:
		e->name = STR("Federate");
		in->account = o->accounts[draw(l, number, SALT_ACCOUNT) % o->n_accounts].id;
		in->role = STR("AdministratorAccess");
		return;
	default:
		return;
	}
}

struct sim_event sim_logins_event(const struct sim_logins *l, size_t i, struct arena *arena)
{
	const struct sim_login *login = &l->items[i];
	const struct sim_people *p = l->center->people;
	struct str owner = l->center->org->accounts[0].id;
	struct sim_sign_in in = {.user = STR_EMPTY};

	if (login->given != NULL)
		return *login->given;
	struct sim_event e = {
		.id = event_id(l, login->number, arena),
		.name = STR("Authenticate"),
		.source = STR(SOURCE),
		.time_s = login->time_s,
		.visible_s = login->visible_s,
	};
	if (p->n_users > 0)
		in.user = sim_people_id(
			p, SIM_SSO_USER, (size_t)(draw(l, login->number, SALT_USER) % p->n_users), arena);
	draw_form(l, login->number, &e, &in, &owner);
	e.record = make_record(l, &e, &in, owner, arena);
	return e;
}

/* --- keeping them --- */
static bool is_newer(const struct sim_login *a, const struct sim_login *b)
{
	return a->time_s != b->time_s ? a->time_s > b->time_s : a->number > b->number;
}

static void insert(struct sim_logins *l, struct sim_login login)
{
	size_t i = l->n++;

	l->items = mem_realloc(l->items, l->n * sizeof(l->items[0]));
	for (; i > 0 && is_newer(&login, &l->items[i - 1]); i--)
		l->items[i] = l->items[i - 1];
	l->items[i] = login;
}

/* Evenly over the day, two in the same second; a tenth becomes visible up to a quarter of an hour late. */
static void make_events(struct sim_logins *l, size_t n, int64_t now_s)
{
	l->items = mem_array(n + 1, sizeof(l->items[0]));
	l->n = n;
	l->next_number = n;
	for (size_t number = 0; number < n; number++) {
		int64_t time_s = now_s - DAY_S + DAY_S * (int64_t)(number & ~(size_t)1) / (int64_t)n;
		uint64_t delay = draw(l, number, SALT_DELAY);
		int64_t visible_s = delay % 10 == 0 ? time_s + 60 + (int64_t)((delay >> 8) % 840) : time_s;
		l->items[n - 1 - number] = (struct sim_login){number, time_s, visible_s, NULL};
	}
}

struct sim_logins *sim_logins_new(const struct sim_center *center, size_t n, int64_t now_s)
{
	struct sim_logins *l = mem_zalloc(sizeof(*l));

	l->arena = arena_new(0);
	l->center = center;
	make_events(l, n, now_s);
	return l;
}

void sim_logins_free(struct sim_logins *l)
{
	if (l == NULL)
		return;
	mem_free(l->items);
	arena_free(l->arena);
	mem_free(l);
}

void sim_logins_add(struct sim_logins *l, const struct sim_event *e, const struct sim_sign_in *sign_in)
{
	struct sim_event *kept = arena_new_of(l->arena, struct sim_event);
	uint64_t number = l->next_number++;

	*kept = (struct sim_event){
		.id = e->id.n > 0 ? str_dup(l->arena, e->id) : event_id(l, number, l->arena),
		.name = str_dup(l->arena, e->name),
		.source = e->source.n > 0 ? str_dup(l->arena, e->source) : STR(SOURCE),
		.time_s = e->time_s,
		.visible_s = e->visible_s,
	};
	kept->record = sign_in == NULL
			       ? str_dup(l->arena, e->record)
			       : make_record(l, kept, sign_in, l->center->org->accounts[0].id, l->arena);
	insert(l, (struct sim_login){number, kept->time_s, kept->visible_s, kept});
}

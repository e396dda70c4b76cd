#include "sim/sim_report.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/thread.h"

#define REPORT_LIFE_S (4 * 60 * 60)

struct report {
	bool exists;
	uint64_t polls_left;
	int64_t generated_s;
};

struct sim_reports {
	struct mutex lock; /* guards items */
	struct report *items;
	size_t n;
};

struct sim_reports *sim_reports_new(size_t n_accounts)
{
	struct sim_reports *r = mem_zalloc(sizeof(*r));

	mutex_init(&r->lock);
	r->items = mem_array(n_accounts, sizeof(r->items[0]));
	r->n = n_accounts;
	return r;
}

void sim_reports_free(struct sim_reports *r)
{
	if (r == NULL)
		return;
	mutex_deinit(&r->lock);
	mem_free(r->items);
	mem_free(r);
}

void sim_reports_reset(struct sim_reports *r)
{
	LOCK_SCOPE(&r->lock);
	for (size_t i = 0; i < r->n; i++)
		r->items[i] = (struct report){0};
}

void sim_reports_expire(struct sim_reports *r)
{
	LOCK_SCOPE(&r->lock);
	for (size_t i = 0; i < r->n; i++)
		r->items[i].generated_s -= REPORT_LIFE_S;
}

static struct report *report_of(struct sim *s, const struct sim_account *a)
{
	return &s->reports->items[a - a->org->accounts];
}

static bool expired(const struct sim *s, const struct report *r)
{
	return sim_now_s(s) - r->generated_s >= REPORT_LIFE_S;
}

enum sim_report_state sim_report_generate(struct sim *s, const struct sim_account *a)
{
	LOCK_SCOPE(&s->reports->lock);
	struct report *r = report_of(s, a);

	if (!r->exists || expired(s, r)) {
		*r = (struct report){
			.exists = true, .polls_left = s->opts->report_polls, .generated_s = sim_now_s(s)};
		return SIM_REPORT_STARTED;
	}
	if (r->polls_left == 0)
		return SIM_REPORT_COMPLETE;
	r->polls_left--;
	return SIM_REPORT_IN_PROGRESS;
}

enum sim_report_state sim_report_get(struct sim *s, const struct sim_account *a, int64_t *ret_generated_s)
{
	LOCK_SCOPE(&s->reports->lock);
	struct report *r = report_of(s, a);

	if (!r->exists)
		return SIM_REPORT_ABSENT;
	if (expired(s, r))
		return SIM_REPORT_EXPIRED;
	if (r->polls_left > 0) {
		r->polls_left--;
		return SIM_REPORT_IN_PROGRESS;
	}
	*ret_generated_s = r->generated_s;
	return SIM_REPORT_COMPLETE;
}

/* --- CSV --- */
static const char header[] = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_"
			     "changed,password_next_rotation,mfa_active,"
			     "access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,"
			     "access_key_1_last_used_region,"
			     "access_key_1_last_used_service,"
			     "access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
			     "access_key_2_last_used_region,"
			     "access_key_2_last_used_service,"
			     "cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

static void csv_date(struct buf *b, int64_t unix_s, const char *never)
{
	char text[21];

	if (unix_s == SIM_NEVER) {
		buf_c(b, never);
		return;
	}
	time_format_rfc3339(unix_s, text);
	buf_fmt(b, "%.19s+00:00", text); /* the report writes the offset out */
}

/* Names may hold commas; such a field is quoted. */
static void csv_text(struct buf *b, struct str text)
{
	bool quote = str_find_char(text, ',') >= 0;

	if (quote)
		buf_char(b, '"');
	buf_str(b, text);
	if (quote)
		buf_char(b, '"');
}

static void csv_key(struct buf *b, const struct sim_access_key *k)
{
	if (k == NULL) {
		buf_c(b, ",false,N/A,N/A,N/A,N/A");
		return;
	}
	buf_fmt(b, ",%s,", k->status == SIM_KEY_ACTIVE ? "true" : "false");
	csv_date(b, k->created_s, "N/A");
	buf_char(b, ',');
	csv_date(b, k->last_used_s, "N/A");
	bool used = k->last_used_s != SIM_NEVER;
	buf_fmt(b, "," STR_FMT "," STR_FMT, STR_ARG(used ? k->region : STR("N/A")),
		STR_ARG(used ? k->service : STR("N/A")));
}

static void csv_user(struct buf *b, const struct sim_entity *u, bool active_only)
{
	buf_char(b, '\n');
	csv_text(b, u->name);
	buf_char(b, ',');
	csv_text(b, u->arn);
	buf_char(b, ',');
	csv_date(b, u->created_s, "N/A");
	buf_fmt(b, ",%s,", u->has_password ? "true" : "false");
	csv_date(b, u->password_last_used_s, u->has_password ? "no_information" : "N/A");
	buf_char(b, ',');
	csv_date(b, u->has_password ? u->created_s : SIM_NEVER, "N/A");
	buf_fmt(b, ",N/A,%s", u->mfa ? "true" : "false");
	for (uint32_t i = 0; i < SIM_MAX_KEYS; i++) {
		bool told = i < u->n_keys && (u->keys[i].status == SIM_KEY_ACTIVE || !active_only);
		csv_key(b, told ? &u->keys[i] : NULL);
	}
	buf_c(b, ",false,N/A,false,N/A");
}

struct str sim_report_csv(const struct sim *s, const struct sim_account *a, struct arena *arena)
{
	struct buf b;

	buf_init(&b, SIZE_MAX / 2);
	buf_c(&b, header);
	buf_fmt(&b,
		"\n<root_account>,arn:aws:iam::" STR_FMT
		":root,2019-03-01T09:00:00+00:00,not_supported,2025-11-30T08:15:42+00:00,"
		"not_supported,not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/"
		"A,false,N/A",
		STR_ARG(a->id));
	for (size_t i = 0; i < a->n[SIM_USER]; i++) {
		if (!a->entities[SIM_USER][i].gone)
			csv_user(&b, &a->entities[SIM_USER][i], s->opts->report_active_only);
	}
	struct str csv = buf_dup(&b, arena);
	buf_deinit(&b);
	return csv;
}

/* CloudTrail, API version 2013-11-01: LookupEvents. Identity Center's events are in the trail of the management account, in
 * the region of the instance; everyone else's trail is empty.
 * https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html */
#include "sim/sim_call.h"
#include "sim/sim_logins.h"

#define HISTORY_S (INT64_C(90) * 86400)

struct lookup {
	int64_t start_s, end_s, now_s;
	struct str key, value; /* empty: all */
};

/* Seconds, with a fraction or without; absent: fallback. */
static int64_t time_param(struct sim_call *c, const char *name, int64_t fallback)
{
	struct str text = sim_param(c, name);
	int64_t value = fallback;

	if (text.n > 0 && !str_to_i64(str_cut(&text, '.'), &value))
		sim_fail(c, 400, "SerializationException", "%s is not a time", name);
	return value;
}

static bool read_lookup(struct sim_call *c, struct lookup *q)
{
	static const char *const keys[] = {"EventId", "EventName", "EventSource"};
	bool known = false;

	q->now_s = sim_now_s(c->sim);
	q->start_s = time_param(c, "StartTime", INT64_MIN);
	q->end_s = time_param(c, "EndTime", INT64_MAX);
	q->key = sim_param(c, "LookupAttributes.1.AttributeKey");
	q->value = sim_param(c, "LookupAttributes.1.AttributeValue");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		known = known || str_eq_c(q->key, keys[i]);
	if (q->start_s > q->end_s)
		sim_fail(c, 400, "InvalidTimeRangeException", "The start time is after the end time.");
	if ((q->key.n > 0 && !known) || sim_param(c, "LookupAttributes.2.AttributeKey").n > 0)
		sim_fail(c, 400, "InvalidLookupAttributesException",
			"You can only use one lookup attribute, of those that are known.");
	return !sim_failed(c);
}

static bool is_in_time(const struct lookup *q, const struct sim_login *l)
{
	return l->time_s >= q->start_s && l->time_s <= q->end_s && l->visible_s <= q->now_s &&
	       l->time_s >= q->now_s - HISTORY_S;
}

static bool matches(const struct lookup *q, const struct sim_event *e)
{
	if (str_eq_c(q->key, "EventId"))
		return str_eq(e->id, q->value);
	if (str_eq_c(q->key, "EventName"))
		return str_eq(e->name, q->value);
	return q->key.n == 0 || str_eq(e->source, q->value);
}

static void put_event(struct sim_call *c, const struct sim_event *e)
{
	struct json_writer *w = &c->json;

	jw_open(w, NULL, '{');
	jw_str(w, "EventId", e->id);
	jw_str(w, "EventName", e->name);
	jw_str(w, "ReadOnly", STR("false"));
	jw_epoch(w, "EventTime", e->time_s, 0);
	jw_str(w, "EventSource", e->source);
	jw_open(w, "Resources", '[');
	jw_close(w, ']');
	jw_str_unless_empty(w, "CloudTrailEvent", e->record);
	jw_close(w, '}');
}

/* A page goes on from an event, not from a position: one that arrives late must not move the others. Its token holds the
 * number of the first event that is left, plus one. */
static size_t position_of(const struct sim_logins *l, size_t from)
{
	size_t i = 0;

	while (from > 0 && i < l->n && l->items[i].number != from - 1)
		i++;
	return i;
}

static void lookup_events(struct sim_call *c)
{
	const struct sim_logins *l = c->sim->logins;
	bool here = sim_is_management(c->caller.account) && sim_is_sso_region(c);
	struct sim_page page = {0};
	struct lookup q;
	size_t max, from;

	if (!sim_page_start(c, &max, &from)) {
		if (str_eq_c(c->code, c->service->codes->invalid))
			c->code = STR("InvalidMaxResultsException");
		return;
	}
	if (!read_lookup(c, &q))
		return;
	jw_open(&c->json, "Events", '[');
	for (size_t i = position_of(l, from); here && i < l->n; i++) {
		if (!is_in_time(&q, &l->items[i]))
			continue;
		struct sim_event e = sim_logins_event(l, i, c->arena);
		if (!matches(&q, &e))
			continue;
		if (page.n == max) {
			page.truncated = true;
			page.next = (size_t)l->items[i].number + 1;
			break;
		}
		put_event(c, &e);
		page.n++;
	}
	jw_close(&c->json, ']');
	sim_page_end(c, &page);
}

static const struct sim_op ops[] = {
	{.name = "LookupEvents", .fn = lookup_events},
};

static const struct sim_codes codes = {
	.invalid = "ValidationException",
	.unreadable = "SerializationException",
	.throttled = "ThrottlingException",
	.failed = "InternalFailure",
};

static const struct sim_paging paging = {
	.token = "NextToken",
	.size = "MaxResults",
	.size_default = 50,
	.size_max = 50,
	.bad_token_code = "InvalidNextTokenException",
	.bad_token = "Invalid token.",
};

const struct sim_service sim_cloudtrail = {
	.name = "cloudtrail",
	.protocol = &sim_json,
	.target = "CloudTrail_20131101",
	.codes = &codes,
	.paging = &paging,
	.ops = ops,
	.n_ops = ARRAY_LEN(ops),
};

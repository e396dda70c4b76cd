#include "support/fake_quota.h"

#include <string.h>

#include "base/clock.h"

static double min(double a, double b)
{
	return a < b ? a : b;
}

static double max(double a, double b)
{
	return a > b ? a : b;
}

void fake_quota_init(struct fake_quota *f, const double *now_ms)
{
	memset(f, 0, sizeof(*f));
	mutex_init(&f->lock);
	f->now_ms = now_ms;
}

void fake_quota_deinit(struct fake_quota *f)
{
	mutex_deinit(&f->lock);
}

/* 1 */
static void wake(struct fake_quota *f, double now_ms, const struct quota_request *in)
{
	if (!f->used || now_ms - f->used_ms >= QUOTA_FORGET_MS) {
		f->used = true;
		f->rate = in->start_per_s;
		f->tat_ms = now_ms - 1e9;
		f->learned_ms = now_ms;
		f->period_ms = now_ms - 1000;
		for (size_t i = 0; i < FAKE_QUOTA_SERVERS; i++)
			f->member_ms[i] = -1;
	}
	f->used_ms = now_ms;
	f->rate = min(max(f->rate, in->start_per_s * 0.05), in->most_per_s);
	f->least = min(max(f->least, in->start_per_s * 0.05), in->most_per_s);
	f->learned_ms = min(f->learned_ms, now_ms);
	if (f->period_ms > now_ms)
		f->period_ms = now_ms - 1000;
}

/* 2 */
static unsigned count_members(struct fake_quota *f, size_t server, double now_ms)
{
	unsigned n = 0;

	f->member_ms[server] = now_ms;
	for (size_t i = 0; i < FAKE_QUOTA_SERVERS; i++) {
		if (now_ms - f->member_ms[i] >= QUOTA_MEMBER_MS)
			f->member_ms[i] = -1;
		n += f->member_ms[i] >= 0;
	}
	return n;
}

/* 3, 4 */
static void learn(struct fake_quota *f, double now_ms, const struct quota_request *in)
{
	double s = min(now_ms - f->learned_ms, 1000) / 1000;

	if (in->succeeded) {
		f->rate = min(f->rate + s * max((in->start_per_s - f->rate) / 30, in->start_per_s * 0.01),
			in->most_per_s);
		f->learned_ms = now_ms;
	}
	if (in->throttled == 0)
		return;
	if (now_ms - f->period_ms >= 1000) {
		f->period_ms = now_ms;
		f->least = max(f->rate * 0.7, in->start_per_s * 0.05);
	}
	f->rate = max(f->rate - in->throttled * min(1, in->start_per_s * 0.1), f->least);
	f->learned_ms = now_ms;
	f->tat_ms = max(f->tat_ms, now_ms);
}

struct quota_grant fake_quota_take(
	struct fake_quota *f, size_t server, double now_ms, const struct quota_request *in)
{
	struct quota_grant g = {.turns = 0};
	double turn_ms, ahead_ms, until_ms;

	wake(f, now_ms, in);
	g.servers = count_members(f, server, now_ms);
	learn(f, now_ms, in);
	turn_ms = 1000 / f->rate;
	ahead_ms = max(QUOTA_AHEAD_MS, g.servers * turn_ms); /* 5 */
	f->tat_ms = max(f->tat_ms, now_ms - (in->burst - 1) * turn_ms);
	f->tat_ms = min(f->tat_ms, now_ms + ahead_ms + turn_ms);
	until_ms = now_ms + (in->only_free ? 0 : ahead_ms);
	while (g.turns < in->turns && f->tat_ms + g.turns * turn_ms <= until_ms) /* 6 */
		g.turns++;
	g.first_ms = f->tat_ms - now_ms; /* 7 */
	g.interval_ms = turn_ms;
	g.rate_per_s = f->rate;
	f->tat_ms += g.turns * turn_ms;
	if (g.turns < in->turns)
		g.again_ms = (int64_t)max(f->tat_ms - until_ms, 0) + 1;
	f->takes++;
	f->turns += g.turns;
	return g;
}

static enum err_code take(struct quota *q, const struct ctx *ctx, const struct quota_request *in,
	struct quota_grant *ret_grant, struct err *reterr)
{
	struct fake_quota_server *s = (struct fake_quota_server *)q;
	struct fake_quota *f = s->bucket;

	LOCK_SCOPE(&f->lock);
	memcpy(f->name, in->name.p, in->name.n);
	f->name[in->name.n] = '\0';
	if (f->dead) {
		f->failed++;
		return err_set(reterr, ERR_UNAVAILABLE, "the bucket is away");
	}
	*ret_grant = fake_quota_take(f, s->i, f->now_ms ? *f->now_ms : (double)clock_mono_ms(ctx->clock), in);
	return ERR_OK;
}

struct fake_quota_server fake_quota_server(struct fake_quota *f, size_t i)
{
	return (struct fake_quota_server){.quota = {.take = take}, .bucket = f, .i = i};
}

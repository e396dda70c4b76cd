#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"

static int64_t system_mono_ms(void *self)
{
	struct timespec t;

	(void)self;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t system_wall_ns(void *self)
{
	struct timespec t;

	(void)self;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

const struct clock clock_system = {.mono_ms = system_mono_ms, .wall_ns = system_wall_ns};

int64_t clock_mono_ms(const struct clock *c)
{
	return c->mono_ms(c->self);
}

int64_t clock_wall_ns(const struct clock *c)
{
	return c->wall_ns(c->self);
}

int64_t clock_wall_s(const struct clock *c)
{
	return clock_wall_ns(c) / 1000000000;
}

void clock_sleep_ms(int64_t ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	if (ms <= 0)
		return;
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		;
}

/* The proleptic Gregorian calendar, by hand: gmtime and timegm depend on nothing we want to depend on either,
 * but timegm accepts the 31st of February. */
struct civil {
	int64_t year;
	int month, day, hour, minute, second;
};

enum { SECONDS_PER_DAY = 86400 };

/* Four-digit years are all the formats can hold: 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z. */
#define FIRST_SECOND INT64_C(-62167219200)
#define LAST_SECOND  INT64_C(253402300799)

/* Days since 1970-01-01. Years begin in March here, so that the leap day is a year's last; an era is 400
 * years. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static struct civil civil_from_unix(int64_t unix_s)
{
	int64_t s = unix_s < FIRST_SECOND ? FIRST_SECOND : unix_s > LAST_SECOND ? LAST_SECOND : unix_s;
	int64_t days = (s - (s < 0 ? SECONDS_PER_DAY - 1 : 0)) / SECONDS_PER_DAY;
	int64_t of_day = s - days * SECONDS_PER_DAY;
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int month = (int)(mp < 10 ? mp + 3 : mp - 9);

	return (struct civil){
		.year = yoe + era * 400 + (month <= 2),
		.month = month,
		.day = (int)(doy - (153 * mp + 2) / 5 + 1),
		.hour = (int)(of_day / 3600),
		.minute = (int)(of_day / 60 % 60),
		.second = (int)(of_day % 60),
	};
}

static int days_in_month(int64_t year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* False when a field is out of its range. A leap second (:60) is the first of the next minute. */
static bool unix_from_civil(const struct civil *c, int64_t *ret_unix_s)
{
	if (c->month < 1 || c->month > 12 || c->day < 1 || c->day > days_in_month(c->year, c->month))
		return false;
	if (c->hour > 23 || c->minute > 59 || c->second > 60)
		return false;
	*ret_unix_s = days_from_civil(c->year, c->month, c->day) * SECONDS_PER_DAY + c->hour * 3600 +
		      c->minute * 60 + c->second;
	return true;
}

/* Writes the low `width` decimal digits of v. */
static char *put_digits(char *out, int64_t v, int width)
{
	for (int i = width; i-- > 0; v /= 10)
		out[i] = (char)('0' + v % 10);
	return out + width;
}

static char *put_char(char *out, char c)
{
	*out = c;
	return out + 1;
}

void time_format_amz(int64_t unix_s, char out[17])
{
	struct civil c = civil_from_unix(unix_s);

	out = put_digits(out, c.year, 4);
	out = put_digits(out, c.month, 2);
	out = put_digits(out, c.day, 2);
	out = put_char(out, 'T');
	out = put_digits(out, c.hour, 2);
	out = put_digits(out, c.minute, 2);
	out = put_digits(out, c.second, 2);
	memcpy(out, "Z", 2);
}

void time_format_rfc3339(int64_t unix_s, char out[21])
{
	struct civil c = civil_from_unix(unix_s);

	out = put_char(put_digits(out, c.year, 4), '-');
	out = put_char(put_digits(out, c.month, 2), '-');
	out = put_char(put_digits(out, c.day, 2), 'T');
	out = put_char(put_digits(out, c.hour, 2), ':');
	out = put_char(put_digits(out, c.minute, 2), ':');
	out = put_digits(out, c.second, 2);
	memcpy(out, "Z", 2);
}

/* Parsers take from the front of *s; after the first failure *ok stays false. */
static int take_digits(struct str *s, size_t width, bool *ok)
{
	uint64_t v = 0;

	if (s->n < width || !str_to_u64(str_n(s->p, width), &v))
		*ok = false;
	*s = str_from(*s, width);
	return (int)v;
}

static void take_text(struct str *s, struct str text, bool *ok)
{
	if (!str_starts(*s, text))
		*ok = false;
	*s = str_from(*s, text.n);
}

static void take_time(struct str *s, struct civil *c, bool *ok)
{
	c->hour = take_digits(s, 2, ok);
	take_text(s, STR(":"), ok);
	c->minute = take_digits(s, 2, ok);
	take_text(s, STR(":"), ok);
	c->second = take_digits(s, 2, ok);
}

static void skip_fraction(struct str *s, bool *ok)
{
	size_t n = 1;

	if (s->n == 0 || *s->p != '.')
		return;
	while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
		n++;
	if (n == 1)
		*ok = false;
	*s = str_from(*s, n);
}

/* "Z" or "+hh:mm", the end of the text; seconds east of UTC. */
static int take_offset(struct str *s, bool *ok)
{
	int sign, hours, minutes;

	if (str_eq(*s, STR("Z")))
		return 0;
	if (s->n == 0 || (*s->p != '+' && *s->p != '-')) {
		*ok = false;
		return 0;
	}
	sign = *s->p == '-' ? -1 : 1;
	*s = str_from(*s, 1);
	hours = take_digits(s, 2, ok);
	take_text(s, STR(":"), ok);
	minutes = take_digits(s, 2, ok);
	if (s->n > 0 || hours > 23 || minutes > 59)
		*ok = false;
	return sign * (hours * 3600 + minutes * 60);
}

bool time_parse_rfc3339(struct str s, int64_t *ret_unix_s)
{
	struct civil c = {0};
	bool ok = true;
	int64_t unix_s;
	int offset_s;

	c.year = take_digits(&s, 4, &ok);
	take_text(&s, STR("-"), &ok);
	c.month = take_digits(&s, 2, &ok);
	take_text(&s, STR("-"), &ok);
	c.day = take_digits(&s, 2, &ok);
	take_text(&s, STR("T"), &ok);
	take_time(&s, &c, &ok);
	skip_fraction(&s, &ok);
	offset_s = take_offset(&s, &ok);
	if (!ok || !unix_from_civil(&c, &unix_s))
		return false;
	*ret_unix_s = unix_s - offset_s;
	return true;
}

/* Index of the three-letter name that *s starts with, or -1. */
static int take_name(struct str *s, const char names[][4], size_t n, bool *ok)
{
	for (size_t i = 0; i < n; i++) {
		if (str_starts(*s, str_c(names[i]))) {
			*s = str_from(*s, 3);
			return (int)i;
		}
	}
	*ok = false;
	return -1;
}

bool time_parse_http(struct str s, int64_t *ret_unix_s)
{
	static const char days[][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	static const char months[][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct civil c = {0};
	bool ok = true;

	(void)take_name(&s, days, ARRAY_LEN(days), &ok); /* says nothing that the date does not */
	take_text(&s, STR(", "), &ok);
	c.day = take_digits(&s, 2, &ok);
	take_text(&s, STR(" "), &ok);
	c.month = take_name(&s, months, ARRAY_LEN(months), &ok) + 1;
	take_text(&s, STR(" "), &ok);
	c.year = take_digits(&s, 4, &ok);
	take_text(&s, STR(" "), &ok);
	take_time(&s, &c, &ok);
	return ok && str_eq(s, STR(" GMT")) && unix_from_civil(&c, ret_unix_s);
}

#include "sim/sim_json_writer.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/json.h"
#include "sim/sim_org.h"

void jw_key(struct json_writer *w, const char *name)
{
	if (w->inside)
		buf_char(w->out, ',');
	w->inside = true;
	if (name != NULL)
		buf_fmt(w->out, "\"%s\":", name);
}

void jw_open(struct json_writer *w, const char *name, char bracket)
{
	jw_key(w, name);
	buf_char(w->out, bracket);
	w->inside = false;
}

void jw_close(struct json_writer *w, char bracket)
{
	buf_char(w->out, bracket);
	w->inside = true;
}

void jw_str(struct json_writer *w, const char *name, struct str value)
{
	jw_key(w, name);
	json_write_str(w->out, value);
}

void jw_str_or_null(struct json_writer *w, const char *name, struct str value)
{
	if (value.n > 0) {
		jw_str(w, name, value);
		return;
	}
	jw_key(w, name);
	buf_c(w->out, "null");
}

void jw_str_unless_empty(struct json_writer *w, const char *name, struct str value)
{
	if (value.n > 0)
		jw_str(w, name, value);
}

void jw_int(struct json_writer *w, const char *name, int64_t value)
{
	jw_key(w, name);
	buf_fmt(w->out, "%" PRId64, value);
}

void jw_bool(struct json_writer *w, const char *name, bool value)
{
	jw_key(w, name);
	buf_c(w->out, value ? "true" : "false");
}

void jw_time(struct json_writer *w, const char *name, int64_t unix_s)
{
	char rfc[21];

	if (unix_s == SIM_NEVER) {
		jw_str_or_null(w, name, STR_EMPTY);
		return;
	}
	time_format_rfc3339(unix_s, rfc);
	jw_str(w, name, str_c(rfc));
}

void jw_epoch(struct json_writer *w, const char *name, int64_t unix_s, unsigned ms)
{
	jw_key(w, name);
	buf_fmt(w->out, "%" PRId64 ".%03u", unix_s, ms);
}

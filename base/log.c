/* DESIGN
 *
 * A line is built in memory and handed to the kernel with one write(2) per destination, so lines of different
 * threads never mix and nothing has to be flushed before a crash. There is no queue and no log thread: at one
 * line per RPC the write is cheaper than the hand-over, and a line that is in the file is worth more than one
 * that was about to be.
 *
 * The destinations are process-wide and change only in log_init and log_deinit, on the main thread while no
 * other thread logs; the level is atomic because it is read before every line. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

/* Longest value of one field: an AWS message fits, a megabyte that somebody sent as a name does not. */
#define LOG_MAX_VALUE 4096
/* Fields are chosen by our own code, a dozen or so; six bytes is the worst that escaping makes of one. */
#define LOG_MAX_LINE  (32 * 6 * LOG_MAX_VALUE)
#define LOG_MAX_PATHS 8

struct log_sink {
	int fd;
	bool close; /* we opened it */
};

static struct {
	atomic_int level;
	enum log_format format;
	struct log_sink sinks[LOG_MAX_PATHS];
	size_t n_sinks;

	pthread_mutex_t capture_lock; /* one captured line at a time */
	void (*capture)(void *arg, struct str line);
	void *capture_arg;
} log_state = {
	.level = LOG_INFO,
	.format = LOG_CONSOLE,
	.sinks = {{.fd = STDERR_FILENO, .close = false}},
	.n_sinks = 1,
	.capture_lock = PTHREAD_MUTEX_INITIALIZER,
};

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARN] = "warn",
	[LOG_ERROR] = "error",
};

static void close_sinks(struct log_sink *sinks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (sinks[i].close)
			(void)close(sinks[i].fd);
}

static enum err_code open_sink(const char *path, struct log_sink *ret_sink, struct err *reterr)
{
	int fd;

	if (strcmp(path, "stderr") == 0 || strcmp(path, "stdout") == 0) {
		*ret_sink = (struct log_sink){
			.fd = path[3] == 'e' ? STDERR_FILENO : STDOUT_FILENO, .close = false};
		return ERR_OK;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0)
		return err_set(
			reterr, ERR_INVALID, "log file '%s' cannot be opened: %s", path, strerror(errno));
	*ret_sink = (struct log_sink){.fd = fd, .close = true};
	return ERR_OK;
}

enum err_code log_init(const struct log_options *opts, struct err *reterr)
{
	static const char *const only_stderr[] = {"stderr", NULL};
	const char *const *paths = opts->paths && opts->paths[0] ? opts->paths : only_stderr;
	struct log_sink sinks[LOG_MAX_PATHS];
	size_t n = 0;

	for (; paths[n]; n++) {
		enum err_code rc;

		if (n == LOG_MAX_PATHS) {
			close_sinks(sinks, n);
			return err_set(reterr, ERR_INVALID, "more than %d log paths", LOG_MAX_PATHS);
		}
		rc = open_sink(paths[n], &sinks[n], reterr);
		if (rc != ERR_OK) {
			close_sinks(sinks, n);
			return rc;
		}
	}
	log_deinit();
	memcpy(log_state.sinks, sinks, n * sizeof(sinks[0]));
	log_state.n_sinks = n;
	log_state.format = opts->format;
	atomic_store_explicit(&log_state.level, opts->level, memory_order_relaxed);
	return ERR_OK;
}

void log_deinit(void)
{
	close_sinks(log_state.sinks, log_state.n_sinks);
	log_state.sinks[0] = (struct log_sink){.fd = STDERR_FILENO, .close = false};
	log_state.n_sinks = 1;
	log_state.format = LOG_CONSOLE;
	atomic_store_explicit(&log_state.level, LOG_INFO, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
	return (int)level >= atomic_load_explicit(&log_state.level, memory_order_relaxed);
}

void log_capture(void (*fn)(void *arg, struct str line), void *arg)
{
	pthread_mutex_lock(&log_state.capture_lock);
	log_state.capture = fn;
	log_state.capture_arg = arg;
	pthread_mutex_unlock(&log_state.capture_lock);
}

/* "2026-11-21T02:35:00.123Z" */
static void add_time(struct buf *line)
{
	int64_t ns = clock_wall_ns(&clock_system);
	char second[21];

	time_format_rfc3339(ns / 1000000000, second);
	buf_fmt(line, "%.19s.%03dZ", second, (int)(ns / 1000000 % 1000));
}

static struct str cut_value(struct str s)
{
	return s.n > LOG_MAX_VALUE ? str_utf8_cut(s, LOG_MAX_VALUE) : s;
}

/* Bare words stay bare on the console; everything else is quoted as in JSON, so that no value can look like
 * two fields or send an escape sequence to a terminal. */
static bool is_bare_word(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\')
			return false;
	}
	return s.n > 0;
}

static void add_value(struct buf *line, const struct log_field *f, enum log_format format)
{
	struct str s;

	switch (f->kind) {
	case LOG_KIND_I64:
		buf_fmt(line, "%lld", (long long)f->i);
		return;
	case LOG_KIND_BOOL:
		buf_c(line, f->i ? "true" : "false");
		return;
	case LOG_KIND_STR:
		s = cut_value(f->s);
		if (format == LOG_CONSOLE && is_bare_word(s))
			buf_str(line, s);
		else
			json_write_str(line, s);
		return;
	}
}

static void build_json(
	struct buf *line, enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
	buf_fmt(line, "{\"level\":\"%s\",\"ts\":\"", level_names[level]);
	add_time(line);
	buf_c(line, "\",\"msg\":");
	json_write_str(line, cut_value(str_c(msg)));
	for (size_t i = 0; i < n; i++) {
		buf_char(line, ',');
		json_write_str(line, str_c(fields[i].key));
		buf_char(line, ':');
		add_value(line, &fields[i], LOG_JSON);
	}
	buf_char(line, '}');
}

/* The message is ours, but what it was formatted from may not be: no control character reaches a terminal. */
static void add_console_msg(struct buf *line, struct str msg)
{
	for (size_t i = 0; i < msg.n; i++) {
		unsigned char c = (unsigned char)msg.p[i];

		buf_char(line, c < ' ' || c == 0x7f ? ' ' : msg.p[i]);
	}
}

static void build_console(
	struct buf *line, enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
	add_time(line);
	buf_fmt(line, "  %-5s  ", level_names[level]);
	add_console_msg(line, cut_value(str_c(msg)));
	for (size_t i = 0; i < n; i++) {
		buf_fmt(line, "%s%s=", i == 0 ? "  " : " ", fields[i].key);
		add_value(line, &fields[i], LOG_CONSOLE);
	}
}

/* A line that cannot be written is lost: there is nowhere left to say so. */
static void write_line(int fd, struct str line)
{
	while (line.n > 0) {
		ssize_t put = write(fd, line.p, line.n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return;
		line = str_from(line, (size_t)put);
	}
}

static bool capture_line(struct str line)
{
	bool captured;

	pthread_mutex_lock(&log_state.capture_lock);
	captured = log_state.capture != NULL;
	if (captured)
		log_state.capture(log_state.capture_arg, line);
	pthread_mutex_unlock(&log_state.capture_lock);
	return captured;
}

void log_write(enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
	CLEANUP(buf_deinit) struct buf line;

	buf_init(&line, LOG_MAX_LINE);
	if (log_state.format == LOG_JSON)
		build_json(&line, level, msg, fields, n);
	else
		build_console(&line, level, msg, fields, n);
	if (capture_line(buf_view(&line)))
		return;
	buf_char(&line, '\n');
	for (size_t i = 0; i < log_state.n_sinks; i++)
		write_line(log_state.sinks[i].fd, buf_view(&line));
}

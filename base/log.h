/* base/log.h
 *
 * One log line per event, JSON or console, to stderr or files. Foreign text is quoted and escaped; secrets cannot be
 * formatted (they are no str).
 *
 *	log_info("rpc", LOG_STR("method", m), LOG_I64("ms", ms), LOG_STR("code", code));
 *
 * Layers below server log at most debug, except who swallows an error on purpose: that warns, and its message ends in
 * ", ignoring" (style.md 31).
 *
 * Threads: any; a line is written with one write(2). log_init and log_deinit on the main thread only. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_JSON, LOG_CONSOLE };

enum log_kind { LOG_KIND_STR, LOG_KIND_I64, LOG_KIND_BOOL };
struct log_field {
	const char *key;
	enum log_kind kind;
	struct str s;
	int64_t i;
};

#define LOG_STR(k, v)  ((struct log_field){.key = (k), .kind = LOG_KIND_STR, .s = (v)})
#define LOG_CSTR(k, v) ((struct log_field){.key = (k), .kind = LOG_KIND_STR, .s = str_c(v)})
#define LOG_I64(k, v)  ((struct log_field){.key = (k), .kind = LOG_KIND_I64, .i = (v)})
#define LOG_BOOL(k, v) ((struct log_field){.key = (k), .kind = LOG_KIND_BOOL, .i = (v)})

struct log_options {
	enum log_level level;
	enum log_format format;
	const char *const *paths; /* NULL-terminated list of files, "stderr" or "stdout"; NULL: stderr */
};

/* Before log_init lines go to stderr as console text at info. ERR_INVALID: a file cannot be opened. */
MUST_CHECK enum err_code log_init(const struct log_options *opts, struct err *reterr);
void log_deinit(void);
bool log_enabled(enum log_level level);

/* For tests: every line (without the newline) goes to fn instead. NULL switches back. */
void log_capture(void (*fn)(void *arg, struct str line), void *arg);

void log_write(enum log_level level, const char *msg, const struct log_field *fields, size_t n);

/* Fields may follow the message or not; the end mark makes an array of none valid C11. */
#define LOG_END_ ((struct log_field){.key = NULL})
#define log_at_(level, msg, ...)                                                                             \
	do {                                                                                                 \
		if (log_enabled(level)) {                                                                    \
			const struct log_field log_fields_[] = {__VA_ARGS__};                                \
			log_write((level), (msg), log_fields_, ARRAY_LEN(log_fields_) - 1);                  \
		}                                                                                            \
	} while (0)
#define log_at(level, ...) log_at_((level), __VA_ARGS__, LOG_END_)
#define log_debug(...)     log_at(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)      log_at(LOG_INFO, __VA_ARGS__)
#define log_warn(...)      log_at(LOG_WARN, __VA_ARGS__)
#define log_error(...)     log_at(LOG_ERROR, __VA_ARGS__)

#endif

#include "server/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "server/yaml.h"

#define FILE_VARIABLE "BATON_CONFIG_PATH"
#define FILE_DEFAULT  ".baton.yaml"

/* --- Collecting --- */

static struct setting *setting_of(struct settings *s, const struct option *o)
{
	return &s->items[o - s->table->items];
}

static void append(struct arena *a, struct setting *to, struct str value)
{
	if (to->n == to->size) {
		size_t size = to->size ? 2 * to->size : 4;
		struct str *bigger = arena_array_of(a, size, struct str);

		if (to->n > 0)
			memcpy(bigger, to->values, to->n * sizeof(*bigger));
		to->values = bigger;
		to->size = size;
	}
	to->values[to->n++] = str_dup(a, value);
}

static void append_list(struct arena *a, struct setting *to, struct str values)
{
	while (values.p) {
		struct str item = str_trim(str_cut(&values, ','));

		if (item.n > 0)
			append(a, to, item);
	}
}

/* The first value from a stronger source throws out what a weaker one said. */
static void set(struct arena *a, struct setting *to, const struct option *o, enum setting_origin origin,
	struct str value)
{
	if (to->origin != origin)
		*to = (struct setting){.origin = origin};
	if (o->type == OPTION_LIST)
		append_list(a, to, value);
	else
		append(a, to, value);
}

/* --- File --- */

struct file_reader {
	struct arena *arena;
	struct settings *settings;
};

static enum err_code unknown_key(
	const struct option_table *t, const struct yaml_entry *entry, struct err *reterr)
{
	const struct option *near = options_closest(t, entry->key);

	if (near)
		return err_set(reterr, ERR_INVALID,
			"line %zu: unknown option '" STR_FMT "'; did you mean '%s'?", entry->line,
			STR_ARG(entry->key), near->name);
	return err_set(reterr, ERR_INVALID, "line %zu: unknown option '" STR_FMT "'", entry->line,
		STR_ARG(entry->key));
}

static enum err_code on_entry(void *self, const struct yaml_entry *entry, struct err *reterr)
{
	struct file_reader *r = self;
	const struct option *o = options_find(r->settings->table, entry->key);
	struct setting *to;

	if (!o)
		return unknown_key(r->settings->table, entry, reterr);
	if (entry->is_list && o->type != OPTION_LIST)
		return err_set(reterr, ERR_INVALID, "line %zu: '%s' takes one value, not a list", entry->line,
			o->name);
	to = setting_of(r->settings, o);
	for (size_t i = 0; i < entry->n; i++) {
		if (!entry->is_list) {
			set(r->arena, to, o, SETTING_FILE, entry->values[i]);
			continue;
		}
		to->origin = SETTING_FILE;
		append(r->arena, to,
			entry->values[i]); /* as it stands: an item of a sequence may hold commas */
	}
	return ERR_OK;
}

static const char *env_get(const struct config_source *src, const char *name)
{
	size_t n = strlen(name);

	for (char *const *e = src->env; *e; e++)
		if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
			return *e + n + 1;
	return NULL;
}

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static enum err_code read_all(int fd, struct buf *text, struct err *reterr)
{
	char chunk[16 * 1024];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(reterr, ERR_INVALID, "cannot be read: %s", strerror(errno));
		if (n == 0)
			return buf_check(text, "it", reterr);
		buf_add(text, chunk, (size_t)n);
		mem_wipe(chunk, (size_t)n);
		if (text->overflow)
			return buf_check(text, "it", reterr);
	}
}

static enum err_code read_file(
	struct arena *a, struct settings *s, struct str path, bool may_be_missing, struct err *reterr)
{
	CLEANUP(buf_deinit) struct buf text;
	CLEANUP(close_fd) int fd = open(path.p, O_RDONLY | O_CLOEXEC);
	struct file_reader reader = {.arena = a, .settings = s};
	enum err_code rc;

	buf_init(&text, SETTINGS_MAX_FILE);
	text.wipe = true;
	if (fd < 0 && may_be_missing && (errno == ENOENT || errno == ENOTDIR))
		return ERR_OK;
	if (fd < 0)
		return err_set(reterr, ERR_INVALID, "configuration file '" STR_FMT "' cannot be opened: %s",
			STR_ARG(path), strerror(errno));
	rc = read_all(fd, &text, reterr);
	if (rc == ERR_OK)
		rc = yaml_read(a, buf_view(&text), on_entry, &reader, reterr);
	if (rc != ERR_OK) {
		reterr->code = ERR_INVALID; /* a file that is too large is the operator's to mend, too */
		return err_prefix(reterr, "configuration file '" STR_FMT "'", STR_ARG(path));
	}
	s->file = path;
	return ERR_OK;
}

static enum err_code from_file(
	struct arena *a, const struct config_source *src, struct settings *s, struct err *reterr)
{
	struct str path = str_c(env_get(src, FILE_VARIABLE));

	if (path.n == 0)
		return read_file(
			a, s, str_fmt(a, "%s/" FILE_DEFAULT, src->cwd), /* may_be_missing= */ true, reterr);
	if (!str_ends(path, STR(".yaml")) && !str_ends(path, STR(".yml")))
		return err_set(reterr, ERR_INVALID, "expected config file to have .yaml or .yml extension");
	return read_file(a, s, str_dup(a, path), /* may_be_missing= */ false, reterr);
}

/* --- Environment --- */

/* BATON_GLOBAL_REGOIN and the like. */
static void note_mistyped(struct arena *a, const struct config_source *src, struct settings *s)
{
	size_t n = 0;

	for (char *const *e = src->env; *e; e++)
		n += str_starts(str_c(*e), STR(OPTION_ENV_PREFIX));
	s->mistyped = arena_array(a, n, sizeof(*s->mistyped));
	for (char *const *e = src->env; *e; e++) {
		struct str rest = str_c(*e);
		struct str name = str_cut(&rest, '=');
		char *as_flag = str_dup_c(a, str_lower(a, str_from(name, sizeof(OPTION_ENV_PREFIX) - 1)));
		const struct option *near;

		if (!str_starts(name, STR(OPTION_ENV_PREFIX)) || str_eq_c(name, FILE_VARIABLE))
			continue;
		for (char *p = as_flag; *p; p++)
			*p = *p == '_' ? '-' : *p;
		near = options_find(s->table, str_c(as_flag)) ? NULL
							      : options_closest(s->table, str_c(as_flag));
		if (near) {
			s->mistyped[s->n_mistyped].name = str_dup_c(a, name);
			s->mistyped[s->n_mistyped++].meant = near;
		}
	}
}

/* An empty variable counts as not set, so that a container can blank one out. */
static void from_environment(struct arena *a, const struct config_source *src, struct settings *s)
{
	for (size_t i = 0; i < s->table->n; i++) {
		const struct option *o = &s->table->items[i];
		char name[OPTION_ENV_MAX];
		const char *value;

		option_env_name(o, name);
		value = env_get(src, name);
		if (value && *value)
			set(a, &s->items[i], o, SETTING_ENV, str_c(value));
	}
	note_mistyped(a, src, s);
}

/* --- Flags --- */

/* One argument taken apart. */
struct flag {
	const char *arg;
	struct str name; /* long name; empty: no flag but an argument of the command */
	char letter;     /* instead of a long name */
	struct str text; /* the argument, or the value behind "=" (or glued to the letter) */
	bool has_value;
};

static struct flag split_flag(const char *arg)
{
	struct str s = str_c(arg);
	struct flag f = {.arg = arg, .text = s};

	if (s.n < 2 || s.p[0] != '-' || str_eq_c(s, "--"))
		return f;
	if (s.p[1] != '-') {
		f.letter = s.p[1];
		f.text = str_from(s, 2);
		f.has_value = f.text.n > 0;
		if (str_starts(f.text, STR("=")))
			f.text = str_from(f.text, 1);
		return f;
	}
	f.text = str_from(s, 2);
	f.name = str_cut(&f.text, '=');
	f.has_value = f.text.p != NULL;
	return f;
}

static bool is_flag(const struct flag *f)
{
	return f->letter != 0 || f->name.n > 0;
}

static const struct option *find_flag(const struct option_table *t, const struct flag *f)
{
	return f->letter ? options_find_letter(t, f->letter) : options_find(t, f->name);
}

/* "--listen 127.0.0.1:1" is two arguments, "--use-assume" is one. */
static bool takes_next(const struct option *o, const struct flag *f)
{
	return o && !f->has_value && o->type != OPTION_BOOL;
}

/* Of what the operator typed only names are repeated, never a value: it may be a secret. */
static enum err_code unknown_flag(const struct option_table *t, const struct flag *f, struct err *reterr)
{
	const char *dashes = f->letter ? "-" : "--";
	struct str name = f->name;
	const struct option *near;

	if (f->letter) { /* -listen=x: one dash too few */
		struct str rest = str_n(f->arg + 1, strlen(f->arg + 1));

		name = str_cut(&rest, '=');
	}
	near = options_closest(t, name);
	if (near)
		return err_set(reterr, ERR_INVALID, "unknown option '%s" STR_FMT "'; did you mean '--%s'?",
			dashes, STR_ARG(name), near->name);
	return err_set(reterr, ERR_INVALID, "unknown option '%s" STR_FMT "'; --help lists them", dashes,
		STR_ARG(name));
}

static enum err_code unexpected_argument(const struct config_source *src, int i, struct err *reterr)
{
	struct str rest = str_c(src->argv[i - 1]);
	struct str before = str_cut(&rest, '=');

	if (str_starts(before, STR("-")))
		return err_set(reterr, ERR_INVALID,
			"unexpected argument after '" STR_FMT
			"'; a yes-or-no option takes its value with '='",
			STR_ARG(before));
	return err_set(reterr, ERR_INVALID, "unexpected argument at position %d", i);
}

static enum err_code from_flags(
	struct arena *a, const struct config_source *src, struct settings *s, struct err *reterr)
{
	size_t n_arguments = 0;

	for (int i = 1; i < src->argc; i++) {
		struct flag f = split_flag(src->argv[i]);
		const struct option *o = find_flag(s->table, &f);

		if (!is_flag(&f)) {
			if (++n_arguments > 1) /* the first is the command */
				return unexpected_argument(src, i, reterr);
			continue;
		}
		if (!o)
			return unknown_flag(s->table, &f, reterr);
		if (takes_next(o, &f)) {
			if (i + 1 == src->argc)
				return err_set(reterr, ERR_INVALID, "option '--%s' needs a value", o->name);
			f.text = str_c(src->argv[++i]);
		} else if (!f.has_value) {
			f.text = STR("true");
		}
		set(a, setting_of(s, o), o, SETTING_FLAG, f.text);
	}
	return ERR_OK;
}

enum err_code settings_read(struct arena *a, const struct option_table *t, const struct config_source *src,
	struct settings *ret_settings, struct err *reterr)
{
	struct settings s = {.table = t, .items = arena_array_of(a, t->n, struct setting)};
	enum err_code rc = t->is_ambient ? from_file(a, src, &s, reterr) : ERR_OK;

	if (rc != ERR_OK)
		return rc;
	if (t->is_ambient)
		from_environment(a, src, &s);
	rc = from_flags(a, src, &s, reterr);
	if (rc != ERR_OK)
		return rc;
	*ret_settings = s;
	return ERR_OK;
}

/* --- For finding the command --- */

/* Which table counts is not known before the command is, so an option of either is one. No name is in both
 * with different needs of a value; test_config.c looks. */
static const struct option *find_anywhere(const struct flag *f)
{
	const struct option *o = find_flag(&server_options, f);

	return o ? o : find_flag(&client_options, f);
}

const char *settings_argument(const struct config_source *src, size_t wanted)
{
	size_t n = 0;

	for (int i = 1; i < src->argc; i++) {
		struct flag f = split_flag(src->argv[i]);

		if (!is_flag(&f)) {
			if (n++ == wanted)
				return src->argv[i];
		} else if (takes_next(find_anywhere(&f), &f)) {
			i++;
		}
	}
	return NULL;
}

bool settings_has_flag(const struct config_source *src, const char *name, char letter)
{
	for (int i = 1; i < src->argc; i++) {
		struct flag f = split_flag(src->argv[i]);
		bool on;

		if (!is_flag(&f))
			continue;
		if (f.letter ? f.letter == letter && !f.has_value : str_eq_c(f.name, name))
			return !f.has_value || !str_to_bool(f.text, &on) || on;
		if (takes_next(find_anywhere(&f), &f))
			i++;
	}
	return false;
}

/* DESIGN
 *
 * Both files are read into one list of sections; each setting remembers which file it came from, so that
 * merging is one comparison at the moment of storing. Look-ups are linear: a file is read once, at boot,
 * and the limits below bound the work a hostile file can cause (10,000 sections of 256 settings).
 *
 * The grammar is the one of AWS's tools: `key = value`; a line that is indented deeper than the key above
 * it belongs to that key, as a setting of its own when the key's value is empty, else as more text; # and
 * ; begin comments at the start of a line or after white space. */
#include "aws/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "aws/env.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"

enum {
	MAX_SECTIONS = 10000,
	MAX_SETTINGS = 256,
	MAX_CONTINUATIONS = 16, /* lines of one value; each copies what came before */
};

/* Where a setting comes from; a higher one wins. */
enum origin { ORIGIN_CONFIG_DEFAULT, ORIGIN_CONFIG, ORIGIN_CREDENTIALS };

struct setting {
	struct str key; /* lower case */
	struct str value;
	enum origin origin;
	struct setting *subs; /* below a key with an empty value */
	struct setting *next;
};

enum section_kind { SECTION_PROFILE, SECTION_SERVICES };

struct profile {
	enum section_kind kind;
	struct str name;
	struct setting *settings;
	struct profile *next;
};

struct shared_config {
	struct arena *arena;
	struct profile *sections;
	size_t n_sections;
};

/* ---- settings ---- */

static struct setting *find_setting(struct setting *list, struct str key, size_t *ret_n)
{
	size_t n = 0;

	for (; list; list = list->next, n++) {
		if (str_eq_nocase(list->key, key))
			return list;
	}
	if (ret_n)
		*ret_n = n;
	return NULL;
}

/* The setting to fill; NULL when one of higher origin is there already, or *ret_full when there is no
 * room. */
static struct setting *store_setting(
	struct arena *a, struct setting **list, struct str key, enum origin origin, bool *ret_full)
{
	size_t n = 0;
	struct setting *s = find_setting(*list, key, &n);

	if (s && s->origin > origin)
		return NULL;
	if (s == NULL) {
		if (n == MAX_SETTINGS) {
			*ret_full = true;
			return NULL;
		}
		s = arena_new_of(a, struct setting);
		s->key = str_lower(a, key);
		s->next = *list;
		*list = s;
	}
	s->origin = origin;
	s->subs = NULL;
	return s;
}

/* ---- the parser: one file ---- */

struct parser {
	struct shared_config *config;
	const char *file; /* for messages */
	bool is_credentials;
	unsigned line;

	bool in_section;         /* a section header was seen */
	struct profile *section; /* NULL: one that nobody asks for; its lines are checked and forgotten */
	enum origin origin;
	struct setting *setting; /* the last one; NULL: none, or it lost to a higher origin */
	bool has_key;            /* a key line was seen in this section, */
	size_t key_indent;       /* indented by this much, */
	bool key_is_empty;       /* with no value on its own line, */
	unsigned continuations;  /* and with so many lines below it */
};

static enum err_code bad_line(const struct parser *p, const char *what, struct err *reterr)
{
	return err_set(reterr, ERR_INVALID, "%s, line %u: %s", p->file, p->line, what);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_comment(struct str s)
{
	return s.n == 0 || s.p[0] == '#' || s.p[0] == ';';
}

/* Without white space around it and without a comment behind it. */
static struct str clean_value(struct str v)
{
	for (size_t i = 1; i < v.n; i++) {
		if ((v.p[i] == '#' || v.p[i] == ';') && is_blank(v.p[i - 1])) {
			v.n = i;
			break;
		}
	}
	v = str_trim(v);
	if (v.n && (v.p[0] == '#' || v.p[0] == ';'))
		v.n = 0;
	return v;
}

static struct profile *find_section(const struct shared_config *c, enum section_kind kind, struct str name)
{
	for (struct profile *s = c->sections; s; s = s->next) {
		if (s->kind == kind && str_eq(s->name, name))
			return s;
	}
	return NULL;
}

static enum err_code open_section(
	struct parser *p, enum section_kind kind, struct str name, struct err *reterr)
{
	struct shared_config *c = p->config;

	p->section = find_section(c, kind, name);
	if (p->section)
		return ERR_OK;
	if (c->n_sections == MAX_SECTIONS)
		return err_set(reterr, ERR_TOO_LARGE, "%s has more than %d sections", p->file, MAX_SECTIONS);
	p->section = arena_new_of(c->arena, struct profile);
	p->section->kind = kind;
	p->section->name = str_dup(c->arena, name);
	p->section->next = c->sections;
	c->sections = p->section;
	c->n_sections++;
	return ERR_OK;
}

static struct str unquote(struct str s)
{
	if (s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0])
		return str_sub(s, 1, s.n - 2);
	return s;
}

/* "profile x" with keyword "profile" gives "x". */
static bool cut_keyword(struct str s, struct str keyword, struct str *ret_name)
{
	if (!str_starts(s, keyword) || s.n == keyword.n || !is_blank(s.p[keyword.n]))
		return false;
	*ret_name = unquote(str_trim(str_from(s, keyword.n)));
	return ret_name->n > 0;
}

static enum err_code section_line(struct parser *p, struct str line, struct err *reterr)
{
	ptrdiff_t end = str_find_char(line, ']');
	struct str title, name;

	if (end < 0 || !is_comment(str_trim(str_from(line, (size_t)end + 1))))
		return bad_line(p, "a section header has to end with ']'", reterr);
	title = str_trim(str_sub(line, 1, (size_t)end - 1));
	if (title.n == 0)
		return bad_line(p, "a section has no name", reterr);
	p->in_section = true;
	p->section = NULL;
	p->setting = NULL;
	p->has_key = false;
	if (p->is_credentials) {
		p->origin = ORIGIN_CREDENTIALS;
		return open_section(p, SECTION_PROFILE, title, reterr);
	}
	p->origin = ORIGIN_CONFIG;
	if (cut_keyword(title, STR("profile"), &name))
		return open_section(p, SECTION_PROFILE, name, reterr);
	if (cut_keyword(title, STR("services"), &name))
		return open_section(p, SECTION_SERVICES, name, reterr);
	if (str_eq(title, STR("default"))) {
		p->origin = ORIGIN_CONFIG_DEFAULT; /* [profile default] wins over [default] */
		return open_section(p, SECTION_PROFILE, title, reterr);
	}
	return ERR_OK;
}

/* Stores key = value in a list. *ret_setting: what was stored, NULL when a higher origin holds. */
static enum err_code store_line(struct parser *p, struct setting **list, struct str line,
	struct setting **ret_setting, struct err *reterr)
{
	struct arena *a = p->config->arena;
	ptrdiff_t eq = str_find_char(line, '=');
	struct setting *s;
	bool full = false;
	struct str key;

	if (eq < 0)
		return bad_line(p, "neither a section, nor a setting (key = value), nor a comment", reterr);
	key = str_trim(str_sub(line, 0, (size_t)eq));
	if (key.n == 0)
		return bad_line(p, "a setting has no name", reterr);
	*ret_setting = NULL;
	if (list == NULL)
		return ERR_OK;
	s = store_setting(a, list, key, p->origin, &full);
	if (full)
		return bad_line(p, "too many settings", reterr);
	if (s)
		s->value = str_dup(a, clean_value(str_from(line, (size_t)eq + 1)));
	*ret_setting = s;
	return ERR_OK;
}

static enum err_code key_line(struct parser *p, struct str line, size_t indent, struct err *reterr)
{
	enum err_code rc;

	if (!p->in_section)
		return bad_line(p, "a setting stands before the first section", reterr);
	rc = store_line(p, p->section ? &p->section->settings : NULL, line, &p->setting, reterr);
	if (rc != ERR_OK)
		return rc;
	p->has_key = true;
	p->key_indent = indent;
	p->continuations = 0;
	p->key_is_empty = clean_value(str_from(line, (size_t)str_find_char(line, '=') + 1)).n == 0;
	return ERR_OK;
}

/* A line that belongs to the key above it. */
static enum err_code deeper_line(struct parser *p, struct str line, struct err *reterr)
{
	struct setting *sub;

	if (p->key_is_empty && str_find_char(line, '=') >= 0)
		return store_line(p, p->setting ? &p->setting->subs : NULL, line, &sub, reterr);
	if (p->setting == NULL)
		return ERR_OK;
	if (++p->continuations > MAX_CONTINUATIONS || p->setting->value.n + line.n > PROFILE_MAX_LINE_BYTES)
		return bad_line(p, "the value is too long", reterr);
	p->setting->value =
		str_fmt(p->config->arena, STR_FMT "\n" STR_FMT, STR_ARG(p->setting->value), STR_ARG(line));
	return ERR_OK;
}

static enum err_code parse_line(struct parser *p, struct str raw, struct err *reterr)
{
	struct str line = str_trim(raw);
	size_t indent = 0;

	if (raw.n > PROFILE_MAX_LINE_BYTES)
		return bad_line(p, "the line is too long", reterr);
	if (str_find_char(raw, '\0') >= 0)
		return bad_line(p, "the line has a NUL byte", reterr);
	if (is_comment(line))
		return ERR_OK;
	while (indent < raw.n && is_blank(raw.p[indent]))
		indent++;
	if (p->has_key && indent > p->key_indent)
		return deeper_line(p, line, reterr);
	if (line.p[0] == '[')
		return section_line(p, line, reterr);
	return key_line(p, line, indent, reterr);
}

static enum err_code parse_file(
	struct shared_config *c, struct str text, const char *file, bool is_credentials, struct err *reterr)
{
	struct parser p = {.config = c, .file = file, .is_credentials = is_credentials};

	if (text.n > PROFILE_MAX_FILE_BYTES)
		return err_set(
			reterr, ERR_TOO_LARGE, "%s is larger than %u bytes", file, PROFILE_MAX_FILE_BYTES);
	if (str_starts(text, STR("\xef\xbb\xbf"))) /* a byte order mark, from Windows editors */
		text = str_from(text, 3);
	while (text.n) {
		enum err_code rc;

		p.line++;
		rc = parse_line(&p, str_cut(&text, '\n'), reterr);
		if (rc != ERR_OK)
			return rc;
	}
	return ERR_OK;
}

/* A session token belongs to the secret of the same file. One that is left over from the file that lost
 * would make a pair that never existed. */
static void drop_stray_tokens(struct shared_config *c)
{
	for (struct profile *p = c->sections; p; p = p->next) {
		struct setting *secret = find_setting(p->settings, STR("aws_secret_access_key"), NULL);
		struct setting *token = find_setting(p->settings, STR("aws_session_token"), NULL);

		if (secret && token && token->origin < secret->origin)
			token->value = STR_EMPTY;
	}
}

/* ---- loading ---- */

static enum err_code parse_both(struct str config_text, const char *config_file, struct str credentials_text,
	const char *credentials_file, struct shared_config **ret_config, struct err *reterr)
{
	CLEANUP(shared_config_freep) struct shared_config *c = mem_zalloc(sizeof(*c));
	enum err_code rc;

	c->arena = arena_new(0);
	rc = parse_file(c, config_text, config_file, /* is_credentials= */ false, reterr);
	if (rc == ERR_OK)
		rc = parse_file(c, credentials_text, credentials_file, /* is_credentials= */ true, reterr);
	if (rc != ERR_OK)
		return rc;
	drop_stray_tokens(c);
	*ret_config = TAKE(c);
	return ERR_OK;
}

enum err_code shared_config_parse(struct str config_text, struct str credentials_text,
	struct shared_config **ret_config, struct err *reterr)
{
	return parse_both(config_text, "config", credentials_text, "credentials", ret_config, reterr);
}

void shared_config_free(struct shared_config *c)
{
	if (c == NULL)
		return;
	arena_free(c->arena);
	mem_free(c);
}

void shared_config_freep(struct shared_config **c)
{
	shared_config_free(*c);
	*c = NULL;
}

/* Reads at most one chunk more than is allowed: the parser says that it is too much. */
static enum err_code read_all(int fd, const char *path, struct buf *out, struct err *reterr)
{
	enum err_code rc = ERR_OK;
	char chunk[8192];
	ssize_t n;

	do {
		n = read(fd, chunk, sizeof(chunk));
		if (n > 0)
			buf_add(out, chunk, (size_t)n);
		else if (n < 0 && errno != EINTR)
			rc = err_set(reterr, ERR_INVALID, "cannot read %s: %s", path, strerrordesc_np(errno));
	} while (rc == ERR_OK && n != 0 && out->n <= PROFILE_MAX_FILE_BYTES);
	mem_wipe(chunk, sizeof(chunk));
	return rc;
}

static enum err_code read_file(const char *path, bool is_explicit, struct buf *out, struct err *reterr)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum err_code rc;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return ERR_OK;
	if (fd < 0 && errno == EACCES && !is_explicit) {
		/* A container that runs as another user than the owner of HOME. */
		log_warn("cannot open the shared AWS configuration file, ignoring", LOG_CSTR("path", path));
		return ERR_OK;
	}
	if (fd < 0)
		return err_set(reterr, ERR_INVALID, "cannot open %s: %s", path, strerrordesc_np(errno));
	rc = read_all(fd, path, out, reterr);
	close(fd);
	return rc;
}

/* One of the two files: the one a variable names, else the one below HOME. */
struct file_source {
	const char *variable, *below_home;
};

static enum err_code load_file(const char *const *env, const struct file_source *source, struct arena *a,
	struct buf *out, const char **ret_path, struct err *reterr)
{
	struct str path = env_get(env, source->variable);
	struct str home = env_get(env, "HOME");
	bool is_explicit = path.n > 0;

	*ret_path = source->below_home;
	if (!is_explicit && home.n == 0)
		return ERR_OK;
	if (!is_explicit)
		path = str_fmt(a, STR_FMT "/%s", STR_ARG(home), source->below_home);
	else if (str_starts(path, STR("~/")) && home.n)
		path = str_fmt(a, STR_FMT STR_FMT, STR_ARG(home), STR_ARG(str_from(path, 1)));
	*ret_path = str_dup_c(a, path);
	return read_file(*ret_path, is_explicit, out, reterr);
}

static void wiped_buf_init(struct buf *b)
{
	buf_init(b, PROFILE_MAX_FILE_BYTES + 8192);
	b->wipe = true;
}

enum err_code shared_config_load(
	const char *const *env, struct shared_config **ret_config, struct err *reterr)
{
	static const struct file_source config_source = {"AWS_CONFIG_FILE", ".aws/config"};
	static const struct file_source credentials_source = {
		"AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	CLEANUP(shared_config_freep) struct shared_config *c = NULL;
	CLEANUP(buf_deinit) struct buf config = {.n = 0}, credentials = {.n = 0};
	struct str name = env_get(env, "AWS_PROFILE");
	const char *config_path, *credentials_path;
	enum err_code rc;

	wiped_buf_init(&config);
	wiped_buf_init(&credentials);
	rc = load_file(env, &config_source, a, &config, &config_path, reterr);
	if (rc == ERR_OK)
		rc = load_file(env, &credentials_source, a, &credentials, &credentials_path, reterr);
	if (rc == ERR_OK)
		rc = parse_both(
			buf_view(&config), config_path, buf_view(&credentials), credentials_path, &c, reterr);
	if (rc != ERR_OK)
		return rc;
	if (name.n && shared_config_profile(c, name) == NULL)
		return err_set(reterr, ERR_INVALID,
			"the profile '" STR_FMT "' of AWS_PROFILE is neither in %s nor in %s", STR_ARG(name),
			config_path, credentials_path);
	*ret_config = TAKE(c);
	return ERR_OK;
}

/* ---- asking ---- */

struct str profile_selected_name(const char *const *env)
{
	struct str name = env_get2(env, "AWS_PROFILE", "AWS_DEFAULT_PROFILE");

	return name.n ? name : STR("default");
}

const struct profile *shared_config_profile(const struct shared_config *c, struct str name)
{
	return find_section(c, SECTION_PROFILE, name);
}

const struct profile *shared_config_services(const struct shared_config *c, struct str name)
{
	return find_section(c, SECTION_SERVICES, name);
}

struct str profile_get(const struct profile *p, const char *key)
{
	const struct setting *s = p ? find_setting(p->settings, str_c(key), NULL) : NULL;

	return s ? s->value : STR_EMPTY;
}

struct str profile_get_sub(const struct profile *p, const char *key, const char *sub_key)
{
	const struct setting *s = p ? find_setting(p->settings, str_c(key), NULL) : NULL;

	s = s ? find_setting(s->subs, str_c(sub_key), NULL) : NULL;
	return s ? s->value : STR_EMPTY;
}

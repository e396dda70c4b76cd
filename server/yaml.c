/* DESIGN
 *
 * libyaml's event interface, not its document tree: events are checked as they come, so nesting, aliases and
 * a second document are refused before anything is built from them. */
#include "server/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/buf.h"

/* A list of resource types has a dozen; what is meant to be read as one ends here. */
#define MAX_VALUES 1000

struct reader {
	yaml_parser_t parser;
	struct arena *arena;
	struct err *reterr;
	struct str *seen; /* keys so far */
	size_t n_seen, seen_size;
};

static void reader_deinit(struct reader *r)
{
	yaml_parser_delete(&r->parser);
}

static void event_deinit(yaml_event_t *event)
{
	yaml_event_delete(event); /* fine with a zeroed one */
}

static enum err_code refuse(struct reader *r, const yaml_event_t *event, const char *what)
{
	return err_set(r->reterr, ERR_INVALID, "line %zu: %s", event->start_mark.line + 1, what);
}

/* The parser's own words name the problem, not the text around it. */
static enum err_code next_event(struct reader *r, yaml_event_t *event)
{
	if (yaml_parser_parse(&r->parser, event))
		return ERR_OK;
	return err_set(r->reterr, ERR_INVALID, "line %zu: not YAML: %s", r->parser.problem_mark.line + 1,
		r->parser.problem ? r->parser.problem : "out of memory");
}

static enum err_code expect(struct reader *r, yaml_event_type_t type, const char *otherwise)
{
	CLEANUP(event_deinit) yaml_event_t event = {.type = YAML_NO_EVENT};
	enum err_code rc = next_event(r, &event);

	if (rc == ERR_OK && event.type != type)
		rc = refuse(r, &event, otherwise);
	return rc;
}

static struct str scalar_text(const yaml_event_t *event)
{
	return str_n((const char *)event->data.scalar.value, event->data.scalar.length);
}

/* Only an unquoted one: "null" in quotes is a text. */
static bool is_null(const yaml_event_t *event)
{
	struct str s = scalar_text(event);

	return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (s.n == 0 || str_eq_c(s, "~") || str_eq_c(s, "null") || str_eq_c(s, "Null") ||
		       str_eq_c(s, "NULL"));
}

static enum err_code check_scalar(struct reader *r, const yaml_event_t *event, const char *otherwise)
{
	if (event->type == YAML_ALIAS_EVENT)
		return refuse(r, event, "aliases are not supported");
	if (event->type != YAML_SCALAR_EVENT)
		return refuse(r, event, otherwise);
	if (event->data.scalar.anchor)
		return refuse(r, event, "anchors are not supported");
	if (memchr(event->data.scalar.value, '\0', event->data.scalar.length))
		return refuse(r, event, "a NUL character in a value");
	return ERR_OK;
}

static enum err_code read_items(struct reader *r, struct yaml_entry *entry)
{
	struct str items[MAX_VALUES];

	for (;;) {
		CLEANUP(event_deinit) yaml_event_t event = {.type = YAML_NO_EVENT};
		enum err_code rc = next_event(r, &event);

		if (rc != ERR_OK)
			return rc;
		if (event.type == YAML_SEQUENCE_END_EVENT)
			break;
		rc = check_scalar(r, &event, "a list may hold plain values only");
		if (rc != ERR_OK)
			return rc;
		if (entry->n == MAX_VALUES)
			return refuse(r, &event, "the list is too long");
		if (!is_null(&event))
			items[entry->n++] = str_dup(r->arena, scalar_text(&event));
	}
	entry->values = arena_array_of(r->arena, entry->n, struct str);
	memcpy(entry->values, items, entry->n * sizeof(items[0]));
	return ERR_OK;
}

static enum err_code read_value(struct reader *r, struct yaml_entry *entry)
{
	CLEANUP(event_deinit) yaml_event_t event = {.type = YAML_NO_EVENT};
	enum err_code rc = next_event(r, &event);

	if (rc != ERR_OK)
		return rc;
	if (event.type == YAML_SEQUENCE_START_EVENT && !event.data.sequence_start.anchor) {
		entry->is_list = true;
		return read_items(r, entry);
	}
	rc = check_scalar(r, &event, "a value must be plain or a list of plain values");
	if (rc != ERR_OK || is_null(&event))
		return rc;
	entry->values = arena_new_of(r->arena, struct str);
	entry->values[0] = str_dup(r->arena, scalar_text(&event));
	entry->n = 1;
	return ERR_OK;
}

/* The file is small (its reader bounds it), the keys are few: a walk will do. */
static bool seen_before(struct reader *r, struct str key)
{
	for (size_t i = 0; i < r->n_seen; i++)
		if (str_eq(r->seen[i], key))
			return true;
	if (r->n_seen == r->seen_size) {
		size_t size = r->seen_size ? 2 * r->seen_size : 64;
		struct str *bigger = arena_array_of(r->arena, size, struct str);

		if (r->n_seen > 0)
			memcpy(bigger, r->seen, r->n_seen * sizeof(*bigger));
		r->seen = bigger;
		r->seen_size = size;
	}
	r->seen[r->n_seen++] = key;
	return false;
}

static enum err_code read_mapping(struct reader *r, yaml_entry_fn *fn, void *self)
{
	for (;;) {
		CLEANUP(event_deinit) yaml_event_t event = {.type = YAML_NO_EVENT};
		struct yaml_entry entry = {.n = 0};
		enum err_code rc = next_event(r, &event);

		if (rc != ERR_OK)
			return rc;
		if (event.type == YAML_MAPPING_END_EVENT)
			return ERR_OK;
		rc = check_scalar(r, &event, "a key must be plain");
		if (rc != ERR_OK)
			return rc;
		entry.key = str_dup(r->arena, scalar_text(&event));
		entry.line = event.start_mark.line + 1;
		if (seen_before(r, entry.key))
			return refuse(r, &event, "the key was given before");
		rc = read_value(r, &entry);
		if (rc == ERR_OK)
			rc = fn(self, &entry, r->reterr);
		if (rc != ERR_OK)
			return rc;
	}
}

/* What stands at the top: a mapping, or nothing ("# only comments", "---"). */
static enum err_code read_root(struct reader *r, yaml_entry_fn *fn, void *self)
{
	CLEANUP(event_deinit) yaml_event_t event = {.type = YAML_NO_EVENT};
	enum err_code rc = next_event(r, &event);

	if (rc != ERR_OK)
		return rc;
	if (event.type == YAML_SCALAR_EVENT && is_null(&event))
		return ERR_OK;
	if (event.type != YAML_MAPPING_START_EVENT)
		return refuse(r, &event, "expected lines of the form 'option: value'");
	return read_mapping(r, fn, self);
}

static enum err_code read_document(struct reader *r, yaml_entry_fn *fn, void *self)
{
	CLEANUP(event_deinit) yaml_event_t event = {.type = YAML_NO_EVENT};
	enum err_code rc = expect(r, YAML_STREAM_START_EVENT, "not YAML");

	if (rc == ERR_OK)
		rc = next_event(r, &event);
	if (rc != ERR_OK || event.type == YAML_STREAM_END_EVENT)
		return rc;
	rc = read_root(r, fn, self);
	if (rc == ERR_OK)
		rc = expect(r, YAML_DOCUMENT_END_EVENT, "something follows the document");
	if (rc == ERR_OK)
		rc = expect(r, YAML_STREAM_END_EVENT, "a second document is not supported");
	return rc;
}

enum err_code yaml_read(struct arena *a, struct str text, yaml_entry_fn *fn, void *self, struct err *reterr)
{
	CLEANUP(reader_deinit) struct reader r = {.arena = a, .reterr = reterr};

	if (!yaml_parser_initialize(&r.parser))
		return err_set(reterr, ERR_INTERNAL, "out of memory");
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.n ? text.p : ""), text.n);
	return read_document(&r, fn, self);
}

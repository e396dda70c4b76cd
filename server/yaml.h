/* server/yaml.h
 *
 * A flat YAML mapping, read with limits: keys with a scalar or a sequence of scalars. The one place that
 * knows libyaml.
 *
 * Refused: deeper nesting, aliases and anchors (so nothing expands), a second document, a key given twice.
 *
 * Threads: pure. Ownership: what the callback gets is valid during the callback. */
#ifndef SERVER_YAML_H
#define SERVER_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct yaml_entry {
	struct str key;
	struct str *values; /* n of them; a scalar has one, a null none */
	size_t n;
	bool is_list;
	size_t line; /* of the key, from 1 */
};

typedef enum err_code(yaml_entry_fn)(void *self, const struct yaml_entry *entry, struct err *reterr);

/* An empty document has no entries. ERR_INVALID "line L: <what>": malformed, or one of the refused; or what
 * fn returned. Memory for keys and values comes from the arena. No message quotes a value. */
MUST_CHECK enum err_code yaml_read(
	struct arena *a, struct str text, yaml_entry_fn *fn, void *self, struct err *reterr);

#endif

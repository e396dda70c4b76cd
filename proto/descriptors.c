/* DESIGN
 *
 * The set is searched by reading its wire format where it lies: 70 KB, a few hundred questions in the life of
 * a process, all from people with grpcurl. Unpacking it at start would cost more memory than the rest of the
 * server's tables together. */
#include "proto/descriptors.h"

#include <assert.h>
#include <stdint.h>

#include "proto/wire.h"

/* Field numbers of descriptor.proto. */
enum {
	SET_FILE = 1,
	NAME = 1, /* of a file, message, enum, service, method, field alike */
	FILE_PACKAGE = 2,
	FILE_DEPENDENCY = 3,
	FILE_MESSAGE = 4,
	FILE_ENUM = 5,
	FILE_SERVICE = 6,
	MESSAGE_FIELD = 2,
	MESSAGE_NESTED = 3,
	MESSAGE_ENUM = 4,
	SERVICE_METHOD = 2,
};

__asm__(".section .rodata\n"
	".balign 16\n"
	"descriptor_set_start: .incbin \"" DESCRIPTOR_SET_FILE "\"\n"
	"descriptor_set_end: .byte 0\n"
	".previous\n");
extern const char descriptor_set_start[] __attribute__((visibility("hidden")));
extern const char descriptor_set_end[] __attribute__((visibility("hidden")));

struct str proto_descriptor_set(void)
{
	return str_n(descriptor_set_start, (size_t)(descriptor_set_end - descriptor_set_start));
}

/* The next length-delimited field with that number; false at the end. */
static bool next_of(struct wire *w, uint32_t number, struct str *ret)
{
	struct wire_field field;

	while (w->p < w->end) {
		bool ok = wire_next(w, &field);

		assert(ok); /* protoc wrote it */
		(void)ok;
		if (field.number == number && field.type == WIRE_LEN) {
			*ret = field.bytes;
			return true;
		}
	}
	return false;
}

static struct str nth_of(struct str bytes, uint32_t number, size_t i)
{
	struct wire w = wire_of(bytes);
	struct str s;

	while (next_of(&w, number, &s))
		if (i-- == 0)
			return s;
	return STR_EMPTY;
}

struct str proto_file_name(struct str file_descriptor)
{
	return nth_of(file_descriptor, NAME, 0);
}

struct str proto_file_import(struct str file_descriptor, size_t i)
{
	return nth_of(file_descriptor, FILE_DEPENDENCY, i);
}

bool proto_file_by_name(struct str name, struct str *ret_file_descriptor)
{
	struct wire w = wire_of(proto_descriptor_set());
	struct str file;

	while (next_of(&w, SET_FILE, &file)) {
		if (str_eq(proto_file_name(file), name)) {
			*ret_file_descriptor = file;
			return true;
		}
	}
	return false;
}

enum kind { FILE_KIND, MESSAGE_KIND, SERVICE_KIND, LEAF_KIND };

/* Where the named children of each kind are. */
static const struct child {
	enum kind parent;
	uint32_t number;
	enum kind kind;
} children[] = {
	{FILE_KIND, FILE_MESSAGE, MESSAGE_KIND},
	{FILE_KIND, FILE_ENUM, LEAF_KIND},
	{FILE_KIND, FILE_SERVICE, SERVICE_KIND},
	{MESSAGE_KIND, MESSAGE_FIELD, LEAF_KIND},
	{MESSAGE_KIND, MESSAGE_NESTED, MESSAGE_KIND},
	{MESSAGE_KIND, MESSAGE_ENUM, LEAF_KIND},
	{SERVICE_KIND, SERVICE_METHOD, LEAF_KIND},
};

/* Whether "A.b" (relative to `scope`) names something defined in it: A is a child of scope, b one of A. */
static bool defines(struct str scope, enum kind kind, struct str relative)
{
	struct str rest = relative;
	struct str first = str_cut(&rest, '.');
	bool last = rest.p == NULL;

	for (size_t i = 0; i < ARRAY_LEN(children); i++) {
		struct wire w = wire_of(scope);
		struct str child;

		if (children[i].parent != kind)
			continue;
		while (next_of(&w, children[i].number, &child))
			if (str_eq(nth_of(child, NAME, 0), first))
				return last || defines(child, children[i].kind, rest);
	}
	return false;
}

bool proto_file_containing_symbol(struct str symbol, struct str *ret_file_descriptor)
{
	struct wire w = wire_of(proto_descriptor_set());
	struct str file;

	while (next_of(&w, SET_FILE, &file)) {
		struct str package = nth_of(file, FILE_PACKAGE, 0);

		if (!str_starts(symbol, package) || symbol.n <= package.n || symbol.p[package.n] != '.')
			continue;
		if (defines(file, FILE_KIND, str_from(symbol, package.n + 1))) {
			*ret_file_descriptor = file;
			return true;
		}
	}
	return false;
}

/* The set is in import order, so one walk backwards finds all: a file is needed when a needed file behind it
 * imports it. */
size_t proto_file_closure(struct arena *arena, struct str file_descriptor, struct str **ret_files)
{
	struct wire w = wire_of(proto_descriptor_set());
	size_t n_all = 0, n = 0;
	struct str file, *all;
	bool *needed;

	while (next_of(&w, SET_FILE, &file))
		n_all++;
	all = arena_array_of(arena, n_all, struct str);
	needed = arena_array_of(arena, n_all, bool);
	w = wire_of(proto_descriptor_set());
	for (size_t i = 0; i < n_all && next_of(&w, SET_FILE, &all[i]); i++)
		needed[i] = all[i].p == file_descriptor.p;

	for (size_t i = n_all; i-- > 0;) {
		struct wire deps = wire_of(all[i]);
		struct str name;

		while (needed[i] && next_of(&deps, FILE_DEPENDENCY, &name))
			for (size_t j = 0; j < i; j++)
				needed[j] |= str_eq(proto_file_name(all[j]), name);
	}
	for (size_t i = 0; i < n_all; i++)
		if (needed[i])
			all[n++] = all[i];
	*ret_files = all;
	return n;
}

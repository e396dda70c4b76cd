/* layers: server syncers proto base
 *
 * The method table against the contract: what the schema declares is registered, once, and takes what the schema says. */
#include "server/methods.h"

#include "base/arena.h"
#include "proto/descriptors.h"
#include "proto/wire.h"
#include "support/cunit_main.h"

/* "/a.b.C/D" as the schema names it: "a.b.C.D". */
static struct str symbol_of(struct arena *arena, const char *path)
{
	char *name = str_dup_c(arena, str_c(path + 1));
	ptrdiff_t slash = str_find_char(str_c(name), '/');

	name[slash] = '.';
	return str_c(name);
}

static void test_rows(void)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct str file;

	for (size_t i = 0; i < methods_count(); i++) {
		const struct method *m = methods_at(i);

		CU_ASSERT_PTR_NOT_NULL(m->request);
		CU_ASSERT_PTR_NOT_NULL(m->run);
		CU_ASSERT(m->shape == RPC_UNARY || m->lane == RPC_INLINE);
		if (!proto_file_containing_symbol(symbol_of(arena, m->path), &file))
			ASSERT_STR(str_c(m->path), STR_EMPTY, "a path that the schema does not know");
		for (size_t k = 0; k < i; k++)
			CU_ASSERT_STRING_NOT_EQUAL(m->path, methods_at(k)->path);
	}
}

/* The first string of a descriptor's field 1: its name. */
static struct str name_of(struct str descriptor)
{
	struct wire w = wire_of(descriptor);
	struct wire_field f;

	while (w.p < w.end && wire_next(&w, &f))
		if (f.number == 1)
			return f.bytes;
	return STR_EMPTY;
}

static bool is_registered(struct arena *arena, struct str package, struct str service, struct str method)
{
	struct str path = str_fmt(arena, "/" STR_FMT "." STR_FMT "/" STR_FMT, STR_ARG(package),
		STR_ARG(service), STR_ARG(method));

	for (size_t i = 0; i < methods_count(); i++)
		if (str_eq_c(path, methods_at(i)->path))
			return true;
	return unit_str_eq(path, STR("registered"), "a method of the schema that is not");
}

/* Field numbers of descriptor.proto. */
enum { SET_FILE = 1, FILE_PACKAGE = 2, FILE_SERVICE = 6, SERVICE_METHOD = 2 };

static size_t check_service(struct arena *arena, struct str package, struct str service)
{
	struct wire w = wire_of(service);
	struct wire_field f;
	size_t n = 0;

	while (w.p < w.end && wire_next(&w, &f)) {
		if (f.number != SERVICE_METHOD)
			continue;
		n++;
		CU_ASSERT(is_registered(arena, package, name_of(service), name_of(f.bytes)));
	}
	return n;
}

/* SchemaService is in the schema and on no server. */
static void test_schema_is_covered(void)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct wire files = wire_of(proto_descriptor_set());
	struct wire_field file, f;
	size_t n = 0;

	while (files.p < files.end && wire_next(&files, &file)) {
		struct str package = STR_EMPTY;
		struct wire w = wire_of(file.bytes);

		while (w.p < w.end && wire_next(&w, &f)) {
			if (f.number == FILE_PACKAGE)
				package = f.bytes;
			else if (f.number == FILE_SERVICE && !str_eq(name_of(f.bytes), STR("SchemaService")))
				n += check_service(arena, package, f.bytes);
		}
	}
	ASSERT_I64(n, methods_count(), "methods of the schema");
}

static void test_services(void)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new(0);
	struct str *names;
	size_t n = methods_services(arena, &names);

	ASSERT_I64(n, 19, "services");
	for (size_t i = 1; i < n; i++)
		CU_ASSERT(str_cmp(names[i - 1], names[i]) < 0);
	CU_ASSERT_TRUE(methods_has_service(STR("c1.ratelimit.v1.RateLimiterService")));
	CU_ASSERT_FALSE(methods_has_service(STR("c1.connector.v2.SchemaService")));
	CU_ASSERT_FALSE(methods_has_service(STR_EMPTY));
}

/* The engine's sync ends when one of these is not answered, so they must not wait for a busy thread. */
static void test_inline(void)
{
	static const char *const paths[] = {
		"/c1.ratelimit.v1.RateLimiterService/Do",
		"/c1.ratelimit.v1.RateLimiterService/Report",
		"/grpc.health.v1.Health/Check",
		"/c1.connector.v2.ResourceTypesService/ListResourceTypes",
	};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		bool found = false;

		for (size_t k = 0; k < methods_count(); k++)
			found = found || (strcmp(methods_at(k)->path, paths[i]) == 0 &&
						 methods_at(k)->lane == RPC_INLINE);
		CU_ASSERT_TRUE(found);
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"rows", test_rows},
		{"schema_is_covered", test_schema_is_covered},
		{"services", test_services},
		{"inline", test_inline},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"methods", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}

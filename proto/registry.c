#include "proto/registry.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "proto/pb_build.h"

#include "proto_types.inc" /* static const ProtobufCMessageDescriptor *const types[] */

/* The names are known only to the linker, so the order is made once at run time and constant from then on. */
static const ProtobufCMessageDescriptor *by_name[ARRAY_LEN(types)];
static pthread_once_t sorted = PTHREAD_ONCE_INIT;

static int compare(const void *a, const void *b)
{
	const ProtobufCMessageDescriptor *const *da = a, *const *db = b;

	return strcmp((*da)->name, (*db)->name);
}

static void sort(void)
{
	memcpy(by_name, types, sizeof(types));
	qsort(by_name, ARRAY_LEN(by_name), sizeof(by_name[0]), compare);
}

static int compare_key(const void *key, const void *element)
{
	const struct str *name = key;
	const ProtobufCMessageDescriptor *const *desc = element;

	return str_cmp(*name, str_c((*desc)->name));
}

const ProtobufCMessageDescriptor *pb_registry_find(struct str full_name)
{
	const ProtobufCMessageDescriptor **found;

	pthread_once(&sorted, sort);
	found = bsearch(&full_name, by_name, ARRAY_LEN(by_name), sizeof(by_name[0]), compare_key);
	return found != NULL ? *found : NULL;
}

const ProtobufCMessageDescriptor *pb_registry_find_url(struct str type_url)
{
	return pb_registry_find(pb_type_name(type_url));
}

const ProtobufCMessageDescriptor *pb_registry_at(size_t i)
{
	pthread_once(&sorted, sort);
	return i < ARRAY_LEN(by_name) ? by_name[i] : NULL;
}

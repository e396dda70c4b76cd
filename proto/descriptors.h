/* proto/descriptors.h
 *
 * The schema of everything this server speaks, as protoc compiled it: a google.protobuf.FileDescriptorSet
 * inside the binary, with an index for server reflection. All results are views into the binary: they live
 * for ever and cost nothing.
 *
 * Threads: constant data. */
#ifndef PROTO_DESCRIPTORS_H
#define PROTO_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

/* The serialized FileDescriptorSet; a file comes after the files it imports. */
struct str proto_descriptor_set(void);

/* The serialized FileDescriptorProto of "c1/connector/v2/resource.proto". False: no such file. */
bool proto_file_by_name(struct str name, struct str *ret_file_descriptor);

/* The file that defines a message, enum, service, method or message field, by its full name
 * ("c1.connector.v2.ResourcesService.ListResources"). False: nobody does. */
bool proto_file_containing_symbol(struct str symbol, struct str *ret_file_descriptor);

/* A file and all it imports, each once, imports first: what a reflection client needs to understand it.
 * Returns how many; *ret_files lives in the arena. */
size_t proto_file_closure(struct arena *arena, struct str file_descriptor, struct str **ret_files);

/* The name and the i-th import of a file; empty when there is none. */
struct str proto_file_name(struct str file_descriptor);
struct str proto_file_import(struct str file_descriptor, size_t i);

#endif

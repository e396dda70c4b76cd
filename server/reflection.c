/* DESIGN
 *
 * Server reflection, v1 and v1alpha: the two differ in their package only, so one handler serves both. A
 * request message gets one reply message; what cannot be found is an error inside the reply, not of the
 * stream. */
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "proto/descriptors.h"
#include "proto/pb_build.h"
#include "proto/registry.h"
#include "server/call.h"
#include "server/services.h"

#define R(Type)      Grpc__Reflection__V1__##Type
#define R_DESC(name) (&grpc__reflection__v1__##name##__descriptor)
#define REQ(kind)    GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##kind
#define REP(kind)    GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##kind

static void set_error(
	struct arena *arena, R(ServerReflectionResponse) * reply, enum rpc_code code, const char *text)
{
	R(ErrorResponse) *error = pb_new(arena, R_DESC(error_response));

	error->error_code = (int32_t)code;
	error->error_message = pb_str(arena, str_c(text));
	reply->message_response_case = REP(ERROR_RESPONSE);
	reply->error_response = error;
}

/* The file and everything it imports: clients want to build it without asking again. */
static void set_file(struct arena *arena, R(ServerReflectionResponse) * reply, struct str file)
{
	R(FileDescriptorResponse) *out = pb_new(arena, R_DESC(file_descriptor_response));
	struct str *files;
	size_t n = proto_file_closure(arena, file, &files);

	for (size_t i = n; i-- > 0;) { /* the file itself first: some clients look only there */
		ProtobufCBinaryData bytes = {.data = (uint8_t *)files[i].p, .len = files[i].n};

		PB_ADD(arena, out, file_descriptor_proto, bytes);
	}
	reply->message_response_case = REP(FILE_DESCRIPTOR_RESPONSE);
	reply->file_descriptor_response = out;
}

static void set_services(struct arena *arena, R(ServerReflectionResponse) * reply)
{
	R(ListServiceResponse) *out = pb_new(arena, R_DESC(list_service_response));
	struct str *names;
	size_t n = methods_services(arena, &names);

	for (size_t i = 0; i < n; i++) {
		R(ServiceResponse) *service = pb_new(arena, R_DESC(service_response));

		service->name = pb_str(arena, names[i]);
		PB_ADD(arena, out, service, service);
	}
	reply->message_response_case = REP(LIST_SERVICES_RESPONSE);
	reply->list_services_response = out;
}

/* proto3 has no extensions, so every known type has none. */
static void set_extension_numbers(struct arena *arena, R(ServerReflectionResponse) * reply, const char *type)
{
	R(ExtensionNumberResponse) * out;

	if (pb_registry_find(str_c(type)) == NULL) {
		set_error(arena, reply, RPC_NOT_FOUND, "unknown type");
		return;
	}
	out = pb_new(arena, R_DESC(extension_number_response));
	out->base_type_name = pb_str(arena, str_c(type));
	reply->message_response_case = REP(ALL_EXTENSION_NUMBERS_RESPONSE);
	reply->all_extension_numbers_response = out;
}

static void fill_reply(
	struct arena *arena, const R(ServerReflectionRequest) * req, R(ServerReflectionResponse) * reply)
{
	struct str file;

	switch (req->message_request_case) {
	case REQ(FILE_BY_FILENAME):
		if (proto_file_by_name(str_c(req->file_by_filename), &file))
			set_file(arena, reply, file);
		else
			set_error(arena, reply, RPC_NOT_FOUND, "unknown file");
		break;
	case REQ(FILE_CONTAINING_SYMBOL):
		if (proto_file_containing_symbol(str_c(req->file_containing_symbol), &file))
			set_file(arena, reply, file);
		else
			set_error(arena, reply, RPC_NOT_FOUND, "unknown symbol");
		break;
	case REQ(FILE_CONTAINING_EXTENSION):
		set_error(arena, reply, RPC_NOT_FOUND, "there are no extensions");
		break;
	case REQ(ALL_EXTENSION_NUMBERS_OF_TYPE):
		set_extension_numbers(arena, reply, req->all_extension_numbers_of_type);
		break;
	case REQ(LIST_SERVICES):
		set_services(arena, reply);
		break;
	default:
		set_error(arena, reply, RPC_INVALID_ARGUMENT, "the request asks nothing");
	}
}

enum rpc_code svc_reflection(struct call *call, const void *request)
{
	const R(ServerReflectionRequest) *req = request;
	R(ServerReflectionResponse) *reply = pb_new(call->arena, R_DESC(server_reflection_response));

	reply->valid_host = req->host;
	reply->original_request = (R(ServerReflectionRequest) *)req;
	fill_reply(call->arena, req, reply);
	return call_reply(call, &reply->base);
}

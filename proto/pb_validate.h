/* proto/pb_validate.h
 *
 * The field rules of the connector contract (protoc-gen-validate's, kept here as tables): what every request
 * is held against before anything else looks at it.
 *
 * Threads: constant tables. */
#ifndef PROTO_PB_VALIDATE_H
#define PROTO_PB_VALIDATE_H

#include <protobuf-c/protobuf-c.h>

#include "base/err.h"

/* ERR_INVALID with the first violation, in the words clients know:
 *   invalid GrantsServiceListGrantsRequest.Resource: embedded message failed validation | caused by: invalid
 *   Resource.Id: embedded message failed validation | caused by: ...
 * msg came out of pb_unpack (its depth is what bounds the recursion here). Any payloads are not looked
 * into. */
MUST_CHECK enum err_code pb_validate(const ProtobufCMessage *msg, struct err *reterr);

#endif

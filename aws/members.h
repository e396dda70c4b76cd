/* aws/members.h
 *
 * Short names for the tables of members, for the .c files of services only: one line per member,
 * M(wire name, kind, C struct, field) or, for a struct or a list of structs, MS(..., its shape).
 *
 *	static const struct aws_member tag[] = {
 *		M("Key", STRING, aws_iam_tag, key),
 *		M("Value", STRING, aws_iam_tag, value),
 *	}; */
#ifndef AWS_MEMBERS_H
#define AWS_MEMBERS_H

#include "aws/shape.h"

#define M(name, kind, type, field)                                                                           \
	{                                                                                                    \
		name, AWS_##kind, offsetof(struct type, field), NULL                                         \
	}
#define MS(name, kind, type, field, shape)                                                                   \
	{                                                                                                    \
		name, AWS_##kind, offsetof(struct type, field), &(shape)                                     \
	}

#endif

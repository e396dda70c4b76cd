#include "aws/shape.h"

bool aws_member_is_set(const struct aws_member *m, const void *base)
{
	const void *p = (const char *)base + m->offset;

	switch (m->kind) {
	case AWS_STRING:
	case AWS_BLOB:
		return ((const struct str *)p)->n > 0;
	case AWS_INT:
	case AWS_BOOL:
	case AWS_TIME:
		return ((const struct aws_int *)p)->set;
	case AWS_LIST:
		return ((const struct aws_list *)p)->n > 0;
	case AWS_STRUCT:
		for (size_t i = 0; i < m->shape->n; i++)
			if (aws_member_is_set(&m->shape->members[i], p))
				return true;
		return false;
	}
	return false;
}

const struct aws_member *aws_shape_find(const struct aws_shape *shape, struct str name)
{
	for (size_t i = 0; i < shape->n; i++)
		if (str_eq_c(name, shape->members[i].name))
			return &shape->members[i];
	return NULL;
}

size_t aws_list_element_size(const struct aws_member *list)
{
	return list->shape ? list->shape->size : sizeof(struct str);
}

/* Wire names as in AWS's API reference; test/e2e/test_operations_botocore.py compares them with
 * botocore's models. */
#include "aws/cloudtrail.h"

#include "aws/members.h"

/* 2 calls per second, published and not adjustable. */
const struct aws_service aws_cloudtrail = {
	.id = "cloudtrail",
	.signing_name = "cloudtrail",
	.endpoint_env = "CLOUDTRAIL",
	.protocol = AWS_JSON11,
	.target_prefix = "CloudTrail_20131101",
	.in_sso_region = true,
	.rate_per_s = 1.96,
	.burst = 1,
	.max_rate_factor = 1,
};

static const struct aws_member attribute[] = {
	M("AttributeKey", STRING, aws_cloudtrail_lookup_attribute, key),
	M("AttributeValue", STRING, aws_cloudtrail_lookup_attribute, value),
};
static const struct aws_shape attribute_shape = AWS_SHAPE(struct aws_cloudtrail_lookup_attribute, attribute);

static const struct aws_member lookup_events_in[] = {
	M("StartTime", TIME, aws_cloudtrail_lookup_events_in, start_s),
	M("EndTime", TIME, aws_cloudtrail_lookup_events_in, end_s),
	MS("LookupAttributes", LIST, aws_cloudtrail_lookup_events_in, attributes, attribute_shape),
	M("NextToken", STRING, aws_cloudtrail_lookup_events_in, next_token),
	M("MaxResults", INT, aws_cloudtrail_lookup_events_in, max_results),
};
static const struct aws_shape lookup_events_in_shape =
	AWS_SHAPE(struct aws_cloudtrail_lookup_events_in, lookup_events_in);

static const struct aws_member event[] = {
	M("EventId", STRING, aws_cloudtrail_event, id),
	M("EventName", STRING, aws_cloudtrail_event, name),
	M("EventSource", STRING, aws_cloudtrail_event, source),
	M("Username", STRING, aws_cloudtrail_event, user_name),
	M("EventTime", TIME, aws_cloudtrail_event, time_s),
	M("CloudTrailEvent", STRING, aws_cloudtrail_event, record),
};
static const struct aws_shape event_shape = AWS_SHAPE(struct aws_cloudtrail_event, event);
static const struct aws_member lookup_events_out[] = {
	M("NextToken", STRING, aws_cloudtrail_lookup_events_out, next_token),
	MS("Events", LIST, aws_cloudtrail_lookup_events_out, events, event_shape),
};
static const struct aws_shape lookup_events_out_shape =
	AWS_SHAPE(struct aws_cloudtrail_lookup_events_out, lookup_events_out);

const struct aws_operation aws_cloudtrail_lookup_events = {
	.service = &aws_cloudtrail,
	.name = "LookupEvents",
	.in = &lookup_events_in_shape,
	.out = &lookup_events_out_shape,
};

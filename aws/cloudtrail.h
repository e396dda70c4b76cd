/* aws/cloudtrail.h
 *
 * AWS CloudTrail (API version 2013-11-01): the management events of the last 90 days, newest first, of one region, here that of IAM
 * Identity Center. AWS allows two look-ups per second, account and region. */
#ifndef AWS_CLOUDTRAIL_H
#define AWS_CLOUDTRAIL_H

#include "aws/shape.h"

extern const struct aws_service aws_cloudtrail;

#define AWS_CLOUDTRAIL_MAX_RESULTS 50

struct aws_cloudtrail_lookup_attribute {
	struct str key; /* EventSource, EventName, EventId, Username, ... */
	struct str value;
};
struct aws_cloudtrail_lookup_events_in {
	struct aws_int start_s, end_s; /* both included */
	struct aws_list attributes;    /* struct aws_cloudtrail_lookup_attribute, one at most */
	struct str next_token;
	struct aws_int max_results; /* 1..AWS_CLOUDTRAIL_MAX_RESULTS */
};

struct aws_cloudtrail_event {
	struct str id, name, source, user_name;
	struct aws_int time_s;
	struct str record; /* all of the event, a JSON document in a string */
};
struct aws_cloudtrail_lookup_events_out {
	struct str next_token;  /* empty on the last page */
	struct aws_list events; /* struct aws_cloudtrail_event */
};
extern const struct aws_operation aws_cloudtrail_lookup_events;

#endif

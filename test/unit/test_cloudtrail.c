/* layers: aws base
 *
 * CloudTrail: the request to the byte, an answer as AWS's reference shows it. */
#include "aws/cloudtrail.h"

#include "support/json_operation.h"

static void test_request(void)
{
	static const struct aws_cloudtrail_lookup_attribute source = {
		STR_INIT("EventSource"), STR_INIT("sso.amazonaws.com")};
	static const struct aws_cloudtrail_lookup_events_in in = {
		.start_s = {1700000000, true},
		.end_s = {1700003600, true},
		.attributes = {(void *)&source, 1},
		.next_token = STR_INIT("t"),
		.max_results = {50, true},
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(0);

	ASSERT_STR(json_operation_request(&aws_cloudtrail_lookup_events, &in, a),
		STR("CloudTrail_20131101.LookupEvents "
		    "{\"StartTime\":1700000000,\"EndTime\":1700003600,"
		    "\"LookupAttributes\":[{\"AttributeKey\":\"EventSource\",\"AttributeValue\":\"sso."
		    "amazonaws."
		    "com\"}],\"NextToken\":\"t\",\"MaxResults\":50}"),
		"LookupEvents");
}

static void test_answer(void)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(0);
	struct aws_cloudtrail_lookup_events_out out;
	const struct aws_cloudtrail_event *e;

	json_operation_answer(&aws_cloudtrail_lookup_events,
		"{\"Events\":[{\"EventId\":\"e-1\",\"EventName\":\"Authenticate\",\"EventSource\":\"sso."
		"amazonaws.com\",\"EventTime\":1.700000001E9,\"Username\":\"ann\",\"ReadOnly\":\"false\","
		"\"Resources\":[],\"CloudTrailEvent\":\"{\\\"eventVersion\\\":\\\"1.08\\\"}\"},{}],"
		"\"NextToken\":\"t\"}",
		&out, a);
	ASSERT_STR(out.next_token, STR("t"), "token");
	CU_ASSERT_EQUAL_FATAL(out.events.n, 2);
	e = AWS_LIST_AT(out.events, struct aws_cloudtrail_event, 0);
	ASSERT_STR(e->id, STR("e-1"), "id");
	ASSERT_STR(e->name, STR("Authenticate"), "name");
	ASSERT_STR(e->source, STR("sso.amazonaws.com"), "source");
	ASSERT_STR(e->user_name, STR("ann"), "user");
	ASSERT_I64(e->time_s.v, 1700000001, "time");
	ASSERT_STR(e->record, STR("{\"eventVersion\":\"1.08\"}"), "record");
	CU_ASSERT_FALSE(AWS_LIST_AT(out.events, struct aws_cloudtrail_event, 1)->time_s.set);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{"request", test_request},
		{"answer", test_answer},
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {{"cloudtrail", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

	return unit_main(suites);
}

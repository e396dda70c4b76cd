/* sim/sim_report.h
 *
 * The credential report: a state per account and the CSV itself. Generating takes --report-polls polls (of
 * either operation); a report is good for four hours.
 *
 * Threads: any. */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include "base/arena.h"
#include "base/str.h"
#include "sim/sim.h"
#include "sim/sim_org.h"

enum sim_report_state {
	SIM_REPORT_STARTED,
	SIM_REPORT_IN_PROGRESS,
	SIM_REPORT_COMPLETE,
	SIM_REPORT_ABSENT, /* sim_report_get only, as the next */
	SIM_REPORT_EXPIRED,
};

struct sim_reports *sim_reports_new(size_t n_accounts);
void sim_reports_free(struct sim_reports *r); /* NULL is fine */
void sim_reports_reset(struct sim_reports *r);
void sim_reports_expire(struct sim_reports *r); /* those that exist are too old now */

enum sim_report_state sim_report_generate(struct sim *s, const struct sim_account *a);
enum sim_report_state sim_report_get(struct sim *s, const struct sim_account *a, int64_t *ret_generated_s);

/* The columns and words of
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html */
struct str sim_report_csv(const struct sim *s, const struct sim_account *a, struct arena *arena);

#endif

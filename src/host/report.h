/*
 * report.h
 *		Messages that a guest has written.
 */
#ifndef PGW_REPORT_H
#define PGW_REPORT_H

#include "postgres.h"

/*
 * Reports text in UTF-8 at that level, below ERROR, without what a terminal would
 * obey: of control characters, line feeds and tabs stay.  Where nothing can be
 * looked up, as in a transaction that has failed, only ASCII is shown if the
 * database has another encoding.
 */
extern void pgw_report(int level, const char *text, size_t length, bool can_look_up);

#endif							/* PGW_REPORT_H */

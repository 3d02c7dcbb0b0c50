/*
 * query.h
 *		The interface query of wit/host.wit.
 */
#ifndef PGW_QUERY_H
#define PGW_QUERY_H

#include "postgres.h"

#include "host/host.h"

extern const PgwHostModule pgw_query_module;

#endif							/* PGW_QUERY_H */

/*
 * log.h
 *		The interface log of wit/host.wit.
 */
#ifndef PGW_LOG_H
#define PGW_LOG_H

#include "postgres.h"

#include "host/host.h"

extern const PgwHostModule pgw_log_module;

#endif							/* PGW_LOG_H */

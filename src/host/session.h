/*
 * session.h
 *		The interface session of wit/host.wit.
 */
#ifndef PGW_HOST_SESSION_H
#define PGW_HOST_SESSION_H

#include "postgres.h"

#include "host/host.h"

extern const PgwHostModule pgw_session_module;

#endif							/* PGW_HOST_SESSION_H */

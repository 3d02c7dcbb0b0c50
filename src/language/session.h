/*
 * session.h
 *		What a session keeps of guests, and how it gives that up.
 */
#ifndef PGW_SESSION_H
#define PGW_SESSION_H

extern void pgw_session_init(void);

#endif							/* PGW_SESSION_H */
